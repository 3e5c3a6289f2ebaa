"""What can be learnt from results that are there, without grading again: numbers, and sentences.

Three questions, and where each is answered; begin with the first module of a line.

Will it teach? `graders study`, and the end of `graders run`
    numbers   `teaching` puts all of it together, over the `samples` that were `observed` (and
              `observed_columns`), whose texts are `written`: `signal` of items,
              `rewards`, `passing`, `failing`, `length` (`lengthwise`), form (`traits`), `members`
              (`memberwise`), `noise` of repeats, agreement with people (`humanwise`)
    sentences `findings` and `causes`, by `limits`; between two runs `between`, by `drift`
    formulas  `rescore`, of results whose `signatures` say what they are made of

Which metric agrees with people? `graders compare`
    numbers   `compare` puts `agreement` with `labels` together, in `resampled` items, with
              `differences` from the best (`williams`), `thresholds`, cost and gameability
              (`offers`, `pareto`), and `shapes` to draw
    sentences `advice` and `caveats`
    one reward of several: `fit`, its `weights`, its sentences `fit_verdicts`

What does a change of grader do? `graders diff`
    numbers   `diff`, of `pairs` of results (`joined`, of two files), by `drift`
    sentences `diff_verdicts`; `bounds` alone decide

Under all three: `statistic` (a number, or why there is none: never NaN or 0), `correlation`,
`concordance` and `ranks`, `bootstrap` and `draws` of items, and `verdict`, a sentence with its
number.
"""
