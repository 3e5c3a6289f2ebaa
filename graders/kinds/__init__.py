"""One module per grader type: a compiled form that turns rows into grades."""
