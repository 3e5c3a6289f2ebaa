"""Samples with rewards, and what a study finds in them."""

import numpy as np

from graders.studies.teach.findings import verdicts_of
from graders.studies.teach.samples import Samples
from graders.studies.teach.teaching import Settings, study_of

FLAT, SPREAD = [0.5] * 4, [0.0, 0.25, 0.75, 1.0]


def samples(rewards, *, size=4, **more):
    """Samples of items of `size` each."""
    rewards = np.array(rewards, float)
    count = len(rewards)
    items = np.arange(count) // size
    return Samples(
        seen=more.get("seen", count),
        share=more.get("share", 1.0),
        names=tuple(range(int(items.max()) + 1)),
        items=items,
        rows=np.arange(count) + 1,
        indexes=np.zeros(count, int),
        rewards=rewards,
        kinds=np.array(more.get("kinds", [0] * count)),
        passed=np.array(more.get("passed", [2] * count)),
        output_chars=np.array(more.get("chars", [np.nan] * count), float),
        reference_chars=np.full(count, np.nan),
        members={path: np.array(x, float) for path, x in more.get("members", {}).items()},
        crowded=False,
    )


def found(code, *rewards, written=None, repeated=False, **more):
    """The findings of a code, as pairs of tone and text, without intervals."""
    study = study_of(
        samples(rewards, **more), Settings(resamples=0), repeated=repeated, written=written
    )
    return [(one.tone, one.text) for one in verdicts_of(study) if one.code == code]
