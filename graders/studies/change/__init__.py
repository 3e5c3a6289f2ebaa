"""What does a change of grader do? Begin with `diff`.

numbers    `diff`, of `pairs` of grades (or `joined`, of two results files)
sentences  `verdicts`; the exit code is decided by `bounds` alone
"""
