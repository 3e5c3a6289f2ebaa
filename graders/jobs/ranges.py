"""Numbers of which only the ends are known: what a service decides is a range, never a guess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """A number that is not negative and lies between two ends, both included.

    Attributes:
        low: It is this at least.
        high: It is this at most; None where nothing is known above.

    Example:
        >>> Range(1, 50) * exactly(200) + Range(0, 10)
        Range(low=200, high=10010)
        >>> Range(2, None) * exactly(3)
        Range(low=6, high=None)
    """

    low: float
    high: float | None

    def __post_init__(self) -> None:
        if not self.low >= 0 or not (self.high is None or self.high >= self.low):
            raise ValueError(f"{self.low} to {self.high} is no range of numbers from 0 on")

    def __add__(self, other: Range) -> Range:
        open_ended = self.high is None or other.high is None
        high = None if open_ended else (self.high or 0) + (other.high or 0)
        return Range(self.low + other.low, high)

    def __mul__(self, other: Range) -> Range:
        if 0 in (self.high, other.high):
            return exactly(0)
        high = None if self.high is None or other.high is None else self.high * other.high
        return Range(self.low * other.low, high)

    @property
    def known(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high

    def to_json(self) -> dict[str, float | None]:
        """Both ends; null is no known end."""
        return {"low": self.low, "high": self.high}


def exactly(number: float) -> Range:
    """The range of a number that is known.

    Example:
        >>> exactly(3)
        Range(low=3, high=3)
    """
    return Range(number, number)


def show_number(number: float) -> str:
    """A number to three digits, or to its last whole one.

    Example:
        >>> [show_number(one) for one in (50_000, 1234.4, 12.34, 0.00123, 0)]
        ['50,000', '1,234', '12.3', '0.00123', '0']
    """
    return f"{number:,.0f}" if number == int(number) or number >= 1000 else f"{number:.3g}"


def show_range(value: Range, show: Callable[[float], str] = show_number) -> str:
    """A range in words.

    Args:
        value: The range.
        show: How one number is written.

    Example:
        >>> [show_range(Range(*ends)) for ends in ((8, 8), (1, 50), (2, None), (0, None))]
        ['8', '1 to 50', 'at least 2', 'unknown']
    """
    if value.high is None:
        return f"at least {show(value.low)}" if value.low else "unknown"
    return show(value.low) if value.known else f"{show(value.low)} to {show(value.high)}"
