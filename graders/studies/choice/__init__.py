"""Which metric agrees with people? Begin with `compare`.

numbers    `compare`, on the rows that contestants have in common (`paired`), by the scale of
people's `labels`; certain `thresholds`; what contestants cost, and whether they can
be cheated (`offers`, `pareto`)
sentences  `advice` and `caveats`
a reward of several  `fit`, its `weights`, and its sentences `fit_verdicts`
"""
