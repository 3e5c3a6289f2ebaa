"""Which metric agrees with people? Begin with `compare`.

From scores to advice:

    numbers    `compare`, on the rows that contestants have in common (`paired`); how certain
               `thresholds` are; what contestants cost, and whether they can be cheated (`offers`,
               `pareto`)
    sentences  `advice` and `caveats`
    rewards    of several contestants: `fit`, its `weights`, and its sentences `fit_verdicts`
"""
