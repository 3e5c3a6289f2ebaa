"""Will it teach? Begin with `teaching`, which puts all of it together.

From results to sentences:

    samples    results as columns, item by item (`samples`), as they are `observed` (and
               `observed_columns`); their texts as traits (`written`), their `references`
    numbers    `rewards`, `passing`, `failing`, length (`lengthwise`), form (`traits`),
               `members` (`memberwise`), `noise` of repeats, people (`humanwise`)
    sentences  `findings` and `causes`, by `limits`; of two runs `between`
    formulas   `rescore`, over the stored parts of results
"""
