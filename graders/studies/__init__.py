"""What can be learnt from results that are there, without grading again.

Functions of arrays, numbers out: `agreement` with human labels, `bootstrap` of it over items and
`differences` from the best metric, put together in `compare` and in words by `advice`; `signal`,
`passing`, `rewards` and `length` of grouped rewards; `members` of a multi grader; `noise` of
repeats; `drift` between two sets of grades. A number that does not exist is a
`statistic.Statistic` with the reason, never NaN or 0.
"""
