"""Williams' test: do two scores correlate equally with the same labels?

Two correlations of the same rows with the same labels are dependent, the more so the more alike
the scores are. Williams ("The comparison of regression variables", JRSS B 1959) tests their
difference with a t of n - 3 degrees of freedom; the form is equation 7 of Steiger ("Tests for
comparing elements of a correlation matrix", Psychological Bulletin 1980), who recommends it for
this case. Rows are taken as independent: where samples of an item are alike, `differences` is the
test. Oracles in the tests: values published with R's psych, cocor and bruceR; scipy's Student t.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, fabs, inf, lgamma, log, log1p, sqrt
from typing import Final

_TINY: Final = 1e-300
_STEPS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WilliamsTest:
    """A difference of two dependent correlations.

    Attributes:
        t: Positive where the first correlation is the higher one; infinite where labels are a
            linear function of the scores, and the difference can be no other.
        df: Degrees of freedom, rows minus 3.
        p: The chance of a t so far from 0 on either side if there were no difference, in [0, 1].
    """

    t: float
    df: int
    p: float


def williams(first: float, second: float, between: float, *, rows: int) -> WilliamsTest | None:
    """Test whether two scores correlate equally with labels.

    Args:
        first: Correlation of the first score with the labels, in [-1, 1].
        second: Of the second score with the labels.
        between: Of the two scores with each other.
        rows: Independent rows that all three are of, at least 4.

    Returns:
        None where one score is the other with its sign changed: the formula gives 0 / 0.

    Raises:
        ValueError: No correlations, three that no rows can have, or too few rows.

    Example:
        >>> found = williams(0.4, 0.5, 0.1, rows=103)
        >>> round(found.t, 2), found.df, round(found.p, 2)
        (-0.89, 100, 0.37)
    """
    for r in (first, second, between):
        if not -1 <= r <= 1:
            raise ValueError(f"a correlation is in [-1, 1], got {r}")
    if rows < 4:
        raise ValueError(f"Williams' test has rows - 3 degrees of freedom; there are {rows} rows")
    determinant = 1 - first**2 - second**2 - between**2 + 2 * first * second * between
    if determinant < -1e-9:
        raise ValueError(f"no rows have the correlations {first}, {second} and {between}")
    if between == -1:
        return None
    df = rows - 3
    middle = ((first + second) / 2) ** 2 * (1 - between) ** 3
    spread = 2 * (rows - 1) / df * max(0.0, determinant) + middle
    away = (first - second) * sqrt((rows - 1) * (1 + between))
    t = away / sqrt(spread) if spread else away and away * inf
    return WilliamsTest(t=t, df=df, p=student_t_two_sided(t, df))


def student_t_two_sided(t: float, df: float) -> float:
    """The chance that Student's t is farther from 0 than `t`, in [0, 1].

    The regularised incomplete beta function I_x(df / 2, 1 / 2) at x = df / (df + t^2)
    (Abramowitz and Stegun 26.7.1), to about 1e-11 of its value.

    Args:
        t: The statistic.
        df: Degrees of freedom, above 0.

    Example:
        >>> round(student_t_two_sided(1.0, 1), 12)
        0.5
    """
    a, b = df / 2, 0.5
    if t == 0:
        return 1.0
    if fabs(t) == inf:
        return 0.0
    x, rest = df / (df + t * t), t * t / (df + t * t)
    front = exp(_log_beta_ratio(a) - a * log1p(t * t / df) + log(fabs(t)) - log(df + t * t) / 2)
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a
    return 1 - front * _beta_fraction(b, a, rest) / b


def _log_beta_ratio(a: float) -> float:
    """The logarithm of 1 / B(a, 1/2)."""
    if a < 1000:
        return lgamma(a + 0.5) - lgamma(a) - lgamma(0.5)
    # Two logarithms of 1e5 leave no 12 digits of their difference: its series for large a.
    return log(a) / 2 - 1 / (8 * a) + 1 / (192 * a**3) - lgamma(0.5)


def _beta_fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8).

    Evaluated by Lentz's method ("Generating Bessel functions in Mie scattering calculations using
    continued fractions", Applied Optics 1976).
    """
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or _TINY)
    value = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / (1 + term * d or _TINY)
            c = 1 + term / c or _TINY
            value *= c * d
        if fabs(c * d - 1) < 1e-15:
            return value
    raise ArithmeticError(f"the incomplete beta function of {a}, {b} at {x} does not converge")
