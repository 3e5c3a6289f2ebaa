"""Weights of a reward made of several: readable, never below 0, summing to 1.

A convex combination, fitted by non-negative least squares. No weight is below 0, so the reward
rises with each of its members, and nobody is paid for a worse one. Weights sum to 1, so it stays
in [0, 1] where they do, and the intercept and the scale that least squares finds fall away; order
is what is wanted, and neither changes it. On two labels the direction is that of Fisher's linear
discriminant ("The use of multiple measurements in taxonomic problems", 1936) within that bound, so
that two labels and graded ones are fitted alike. No strength of a penalty has to be chosen: the
bound on signs alone keeps weights of alike columns sparse (Slawski and Hein, "Non-negative least
squares for high-dimensional linear models", 2013).

A share below .05 is dropped and the rest fitted again, and weights are rounded to hundredths: a
formula that can be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from graders.errors import GradersError
from graders.studies.statistics.signal import TOLERANCE
from graders.studies.statistics.statistic import Bools, Floats, Ints

LEAST: Final = 0.05
"""The share below which a member is dropped."""
WHOLE: Final = 100
"""Hundredths of a weight."""


class FitError(GradersError):
    """Nothing can be fitted; says why."""


def require_scikit_learn() -> None:
    """Say at once that nothing can be fitted.

    Raises:
        FitError: scikit-learn is not installed.
    """
    try:
        import sklearn  # noqa: F401 - whether it is there
    except ImportError:
        problem = "a fit needs scikit-learn, which is not installed"
        raise FitError(f"{problem}: pip install 'local-graders[fit]'") from None


class Spans(NamedTuple):
    """Where members' scores lie: what they are divided by, and which can leave [0, 1]."""

    scales: Floats
    outside: Bools

    def clamp(self, hundredths: Ints) -> bool:
        """Whether a reward with these weights has to be held to [0, 1]."""
        return bool((self.outside & (hundredths > 0)).any())


def spans_of(x: Floats) -> Spans:
    """Those of columns of scores, shape (rows, members)."""
    scales = np.maximum(1.0, np.ceil(x.max(axis=0)))
    return Spans(scales, (x.min(axis=0) < 0) | (scales > 1))


def hundredths_of(x: Floats, y: Floats) -> Ints | None:
    """Weights of columns in hundredths, summing to 100; None where no column rises with y.

    Args:
        x: Shape (rows, members), divided by their scales.
        y: What people said, shape (rows,).

    Raises:
        FitError: scikit-learn is not installed.
    """
    require_scikit_learn()
    from sklearn.linear_model import LinearRegression

    # What rounding leaves of a constant would be given any weight.
    kept = np.flatnonzero(np.ptp(x, axis=0) > TOLERANCE)
    while len(kept):
        weights = LinearRegression(positive=True).fit(x[:, kept], y).coef_
        if not weights.sum() > 0:
            return None
        shares = weights / weights.sum()
        least = int(shares.argmin())
        if shares[least] >= LEAST:
            return _rounded(shares, kept, x.shape[1])
        kept = kept[shares > 0] if shares[least] == 0 else np.delete(kept, least)
    return None


def _rounded(shares: Floats, kept: Ints, members: int) -> Ints:
    """Shares of some members in hundredths, by largest remainders, so that their sum stays."""
    exact = shares * WHOLE
    hundredths = np.zeros(members, np.int64)
    hundredths[kept] = np.floor(exact)
    rest = WHOLE - int(hundredths.sum())
    hundredths[kept[np.argsort(hundredths[kept] - exact, kind="stable")[:rest]]] += 1
    return hundredths


def reward(x: Floats, hundredths: Ints, spans: Spans) -> Floats:
    """What the formula gives, members in its order."""
    used = _order(hundredths)
    columns_used = [x[:, i] for i in used]
    shares = [hundredths[i] / WHOLE for i in used]
    scales = [float(spans.scales[i]) for i in used]
    return combined(columns_used, shares, scales, clamped=spans.clamp(hundredths))


def _order(hundredths: Ints) -> list[int]:
    """The members that are kept, the greatest weight first."""
    return [int(i) for i in np.argsort(-hundredths, kind="stable") if hundredths[i]]


class Fold(NamedTuple):
    """Rows that are left out, and the weights that did not see their items, in hundredths."""

    left_out: Ints
    hundredths: Ints


def cross_validated(
    x: Floats, y: Floats, codes: Ints, spans: Spans, folds: int
) -> tuple[list[Fold], Floats]:
    """Each fold, and the reward of each row by weights that did not see its item.

    Raises:
        FitError: What is left of the rows in a fold has nothing to fit to.
    """
    from sklearn.model_selection import GroupKFold

    parts, unseen = [], np.empty(len(y))
    for seen, left_out in GroupKFold(n_splits=folds).split(x, y, codes):
        found = hundredths_of(x[seen] / spans.scales, y[seen])
        if found is None:
            problem = (
                f"without {len(left_out):,} of {len(y):,} rows no member rises with the labels"
            )
            raise FitError(f"{problem}: these are too few to test a fit on")
        parts.append(Fold(left_out, found))
        unseen[left_out] = reward(x[left_out], found, spans)
    return parts, unseen


def combined(
    taken: Sequence[Floats], shares: Sequence[float], scales: Sequence[float], *, clamped: bool
) -> Floats:
    """The sum of columns times their shares, divided by their scales, as the formula computes it.

    Example:
        >>> combined([np.array([1.0, 0.5])], [1.0], [1.0], clamped=False)
        array([1. , 0.5])
    """
    total = np.zeros(len(taken[0]))
    for column, share, scale in zip(taken, shares, scales, strict=True):
        total = total + share * column / scale
    return np.clip(total, 0, 1) if clamped else total
