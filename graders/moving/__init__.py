"""Moving in from hosted services, and out to other tools.

In: `recognised` says what a dump holds, `literals` reads what Python printed, `logged` a log,
`forms` what each object is, `samples` makes rows of output items, `criteria` takes evals apart,
`imported` puts configs and rows together, `same_numbers` compares scores with hosted ones.

Out: `carried` says what another tool computes alike and why it does not compute the rest,
`to_promptfoo` and `to_inspect` write its files, `exported` is what these are given and give.
"""
