"""Measurements of speed and memory; how to run and read them is in README.md."""
