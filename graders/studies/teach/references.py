"""How long the references of samples are, where results do not say it: rows have them somewhere."""

from __future__ import annotations

from typing import Final

import numpy as np

from graders.errors import GradingError
from graders.rows import REFERENCE_KEYS, Row
from graders.studies.statistics.statistic import Floats
from graders.template import Slot, look_up, to_text

USUAL: Final = tuple(Slot("item", (key,)) for key in REFERENCE_KEYS)
"""Where a reference is looked for if nothing says where it stands, in this order."""


class References:
    """Lengths of references, by the place where rows have them."""

    def __init__(self, samples: int, slots: tuple[Slot, ...], *, named: bool) -> None:
        """Look at these places, for so many samples; whether somebody named them."""
        self.samples, self.slots, self.named = samples, slots, named
        self.columns: dict[Slot, Floats] = {}

    def take(self, place: int, row: Row) -> None:
        """Measure the references of a sample."""
        for slot in self.slots:
            if chars := reference_length(row, slot, named=self.named):
                if slot not in self.columns:
                    self.columns[slot] = np.full(self.samples, np.nan)
                self.columns[slot][place] = chars

    def found(self) -> tuple[Slot, Floats] | None:
        """The first place where any row has one, and their lengths; NaN is none."""
        return next(
            ((slot, self.columns[slot]) for slot in self.slots if slot in self.columns), None
        )


def reference_length(row: Row, slot: Slot, *, named: bool = True) -> int:
    """Characters of the reference at a place, of a list its first; 0 where there is none.

    Args:
        row: The row.
        slot: The place.
        named: Whether somebody said that it is one. Else it is a text, or a list of texts: a
            number, or true or false, may as well be what a person said of the sample.

    Example:
        >>> row = Row(item={"answer": ["Paris", "Lutetia"], "label": 1789}, sample={})
        >>> answer, label, gold = (Slot("item", (key,)) for key in ("answer", "label", "gold"))
        >>> [reference_length(row, slot) for slot in (answer, label, gold)]
        [5, 4, 0]
        >>> [reference_length(row, slot, named=False) for slot in (answer, label)]
        [5, 0]
    """
    if slot.namespace == "item" and slot.steps and slot.steps[0] not in row.item:
        return 0  # without the near miss that an error would look for
    try:
        value = look_up(slot, row)
        texts = value if isinstance(value, list) else [value]
        if not (named or all(isinstance(text, str) for text in texts)):
            return 0
        if isinstance(value, list):
            value = value[0] if value else None
        return 0 if value is None else len(to_text(value, slot, "json"))
    except GradingError:
        return 0
