"""What follows from ranked lists: means with intervals, memory in production."""
