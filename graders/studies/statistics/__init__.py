"""Numbers of columns: pure functions of arrays, each with the paper or library that it equals.

Every number is a `statistic`: finite, or with a reason why there is none; never NaN, never 0.

    agreement  with people (`agreement`), on the scale of their `labels`, by `correlation`,
               `concordance`, `ranks`, and the `order` of an item's samples
    rewards    whether samples of an item differ (`signal`), and whether `length` is rewarded
    chance     `bootstrap` and `draws` of items, statistics in `resampled` items; paired
               `differences` from the best, and of two correlations (`williams`)
    two runs   `drift`
    in words   thresholds that are `short`
"""
