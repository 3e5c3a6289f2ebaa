"""Rows that a person judged, and contestants that say more and less of them."""

import numpy as np

from graders.studies.choice.compare import CompareOptions, Judged

FAST = CompareOptions(resamples=200)


def answers(items=60, samples=4, seed=3):
    """Labels of 0 and 1, and contestants that say more and less of them."""
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, 2, items * samples).astype(float)
    codes = np.repeat(np.arange(items), samples)
    scores = {
        "sharp": labels + 0.6 * draws.normal(size=len(labels)),
        "blunt": labels + 2.0 * draws.normal(size=len(labels)),
        "noise": draws.normal(size=len(labels)),
        "flat": np.zeros(len(labels)),
    }
    lengths = draws.integers(1, 100, len(labels)).astype(float)
    columns = {name: column.tolist() for name, column in scores.items()}
    judged = Judged(
        labels=labels.tolist(),
        items=codes.tolist(),
        lengths=lengths.tolist(),
        reference_lengths=[10.0] * len(labels),
    )
    return columns, judged
