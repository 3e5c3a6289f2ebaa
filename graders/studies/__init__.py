"""What can be learnt from results that are there, without grading again."""
