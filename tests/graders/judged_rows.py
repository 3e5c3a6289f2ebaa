"""Rows that a person judged, and contestants that say more and less of them."""

from dataclasses import replace

import numpy as np

from graders.studies.choice.advice import advise
from graders.studies.choice.compare import CompareOptions, Judged
from graders.studies.choice.offers import Offers

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


def easy_and_hard_items():
    """Rows whose labels are those of their item, but for one of four samples.

    `level` agrees most and tells no samples of an item apart, nor does `coarse`; `mostly` does so
    by chance, `half` by a little more.
    """
    columns, judged = answers()
    pairs = zip(judged.items, judged.labels, strict=True)
    labels = [float(n >= 30) if i % 4 else label for i, (n, label) in enumerate(pairs)]
    noise = columns["noise"]
    scores = {
        "level": [n / 60 for n in judged.items],
        "coarse": [float(n // 7) for n in judged.items],
        "mostly": [n / 60 + 0.001 * x for n, x in zip(judged.items, noise, strict=True)],
        "half": [label + 1.5 * x for label, x in zip(labels, noise, strict=True)],
        "noise": noise,
    }
    return scores, replace(judged, labels=labels)


def verdicts(found, **offers):
    """What is said of a comparison, by code."""
    return {verdict.code: verdict for verdict in advise(found, Offers(**offers))}
