"""The members of the grader that gave the observed samples their scores, and their repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from graders.studies.statistics.statistic import Floats
from graders.studies.teach.members import Members, members_of
from graders.studies.teach.noise import Noise, noise
from graders.studies.teach.observed_columns import Path
from graders.studies.teach.samples import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberStudy:
    """The members of a multi grader.

    Attributes:
        within: What they add to differences within items.
        samples: Samples in which all have a score.
        dead: Those that give every sample the same score, and which; more than one sample.
        left_out: Members that no sample has a score of, or that were too many.
    """

    within: Members
    samples: int
    dead: Mapping[str, float]
    left_out: int


def repeats_of(members: Mapping[Path, Floats]) -> dict[Path, list[Path]]:
    """Judges that were asked several times, and the parts that hold their answers.

    Example:
        >>> one = np.ones(3)
        >>> repeats_of({("judge",): one, ("judge", "1"): one, ("judge", "2"): one})
        {('judge',): [('judge', '1'), ('judge', '2')]}
    """
    below: dict[Path, list[Path]] = {}
    for path in members:
        below.setdefault(path[:-1], []).append(path)
    return {
        above: sorted(paths, key=lambda path: int(path[-1]))
        for above, paths in below.items()
        if len(paths) > 1
        and {path[-1] for path in paths} == {str(i + 1) for i in range(len(paths))}
    }


def members_within(samples: Samples, *, repeated: bool) -> MemberStudy | None:
    """What members add to the rewards of samples; None where the grader has none.

    Args:
        samples: What was observed.
        repeated: Whether parts that are called 1, 2, ... are repeats of a judge.
    """
    own = {path[0]: column for path, column in samples.members.items() if len(path) == 1}
    if not own or (repeated and () in repeats_of(samples.members)):
        return None
    kept = samples.graded.copy()
    scored = {name: column for name, column in own.items() if not np.isnan(column[kept]).all()}
    for column in scored.values():
        kept &= ~np.isnan(column)
    if not scored or not kept.any():
        return None
    scores = {name: column[kept] for name, column in scored.items()}
    return MemberStudy(
        within=members_of(scores, samples.rewards[kept], samples.items[kept]),
        samples=int(kept.sum()),
        dead={
            name: float(column[0])
            for name, column in scores.items()
            if len(column) > 1 and column.max() == column.min()
        },
        left_out=len(own) - len(scored) + samples.crowded,
    )


def judge_noise(samples: Samples, threshold: float | None) -> dict[str, Noise]:
    """How far single answers of judges that were asked several times differ, by member.

    Args:
        samples: What was observed.
        threshold: From which score on a sample passes, where the judge is the grader itself.
    """
    found = {}
    for above, paths in repeats_of(samples.members).items():
        answers = np.stack([samples.members[path] for path in paths], axis=1)
        rows, _ = np.nonzero(~np.isnan(answers))
        if len(rows):
            known = answers[~np.isnan(answers)]
            found["/".join(above)] = noise(known, rows, threshold=None if above else threshold)
    return found
