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

    def __init__(self, samples: int, slots: tuple[Slot, ...]) -> None:
        """Look at these places, for so many samples."""
        self.samples, self.slots = samples, slots
        self.columns: dict[Slot, Floats] = {}

    def take(self, place: int, row: Row) -> None:
        """Measure the references of a sample."""
        for slot in self.slots:
            if chars := reference_length(row, slot):
                if slot not in self.columns:
                    self.columns[slot] = np.full(self.samples, np.nan)
                self.columns[slot][place] = chars

    def found(self) -> tuple[Slot, Floats] | None:
        """The first place where any row has one, and their lengths; NaN is none."""
        return next(
            ((slot, self.columns[slot]) for slot in self.slots if slot in self.columns), None
        )


def reference_length(row: Row, slot: Slot) -> int:
    """Characters of the reference at a place, of a list its first; 0 where there is none.

    Example:
        >>> row = Row(item={"answer": ["Paris", "Lutetia"], "year": 1789}, sample={})
        >>> [reference_length(row, Slot("item", (key,))) for key in ("answer", "year", "gold")]
        [5, 4, 0]
    """
    if slot.namespace == "item" and slot.steps and slot.steps[0] not in row.item:
        return 0  # without the near miss that an error would look for
    try:
        value = look_up(slot, row)
        if isinstance(value, list):
            value = value[0] if value else None
        return 0 if value is None else len(to_text(value, slot, "json"))
    except GradingError:
        return 0
