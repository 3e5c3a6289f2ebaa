"""Grading a whole file: on all cores, resumable, every row exactly once."""
