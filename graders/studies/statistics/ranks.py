"""Spearman's rank correlation of two scores of the same rows, in bounded memory.

`correlation` defines it; this collects the pairs. Oracle in the tests: ranks by counting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

MOST: Final = 1 << 20
"""Rows that are kept, 24 bytes each. Of more, a random part is, the same in every run."""


class RankCorrelation:
    """Rank correlation of pairs that come batch by batch.

    Up to `most` pairs it is exact. Of more, between half and all of `most` are drawn, each pair
    with the same chance.

    Attributes:
        most: Pairs that are kept at most.
        share: The part of all pairs that is kept.
        rows: Pairs that the value rests on.

    Example:
        >>> ranks = RankCorrelation()
        >>> ranks.add([0.1, 0.2, 0.3], [5.0, 7.0, 6.0])
        >>> ranks.value, ranks.rows
        (0.5, 3)
    """

    def __init__(self, most: int = MOST) -> None:
        import numpy as np

        self.most, self.share, self.rows = most, 1.0, 0
        self._draws = np.random.default_rng(0)
        self._kept = [np.empty((3, 0))]

    def add(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        """Count pairs: the scores at the same place of both, all finite.

        Raises:
            ValueError: The two differ in length.
        """
        import numpy as np

        if len(xs) != len(ys):
            raise ValueError(f"a pair has two scores, and there are {len(xs)} and {len(ys)}")
        pairs = np.stack(
            [self._draws.random(len(xs)), np.asarray(xs, float), np.asarray(ys, float)]
        )
        self._keep(pairs)
        while self.rows > self.most:
            self.share /= 2
            pairs = np.concatenate(self._kept, axis=1)
            self._kept, self.rows = [], 0
            self._keep(pairs)

    def _keep(self, pairs: NDArray[np.float64]) -> None:
        kept = pairs[:, pairs[0] < self.share]
        self._kept.append(kept)
        self.rows += kept.shape[1]

    @property
    def value(self) -> float | None:
        """In [-1, 1]; None where a side has one score only, and so no order."""
        import numpy as np

        from graders.studies.statistics.correlation import spearman

        _, xs, ys = np.concatenate(self._kept, axis=1)
        return spearman(xs, ys).value if self.rows else None
