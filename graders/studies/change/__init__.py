"""What does a change of grader do? Begin with `diff`.

From two grades of each sample to an exit code:

    numbers    `diff`, of `pairs` of grades (or `joined`, of two results files)
    sentences  `verdicts`
    the end    `bounds`, which alone decide
"""
