"""What is shown: comparisons of lists, curves and figures, numbers as text. No page code."""
