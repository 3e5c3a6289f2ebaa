"""`string_check`: a comparison of two rendered strings holds (1.0) or does not (0.0).

No trimming and no SQL wildcards: `like` is "contains", case-sensitive, and `ilike` the same
after lower-casing both sides. Lower-casing is not case folding: `STRASSE` does not contain
`straße`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Final

from graders.config.graders import Operation
from graders.grade_table import Compared, Grades
from graders.grades import Waits
from graders.rows import Row
from graders.template import Template, rendered
from graders.texts import render_each

OPERATIONS: Final[Mapping[Operation, Callable[[Sequence[str], Sequence[str]], Iterable[bool]]]] = {
    "eq": partial(map, operator.eq),
    "ne": partial(map, operator.ne),
    "like": partial(map, operator.contains),
    "ilike": lambda texts, parts: map(
        operator.contains, map(str.lower, texts), map(str.lower, parts)
    ),
}
"""Whether each text holds against the reference at its position."""


@dataclass(frozen=True, slots=True)
class StringCheckGrader:
    """Compiled `string_check`."""

    name: str
    operation: Operation
    input: Template
    reference: Template

    @property
    def signature(self) -> str:
        return rendered(f"string_check|op:{self.operation}", self.input.rendering)

    @property
    def waits(self) -> Waits:
        return "never"

    async def grade(self, rows: Sequence[Row]) -> Grades:
        started = perf_counter()
        inputs, references = render_each(self.input, rows), render_each(self.reference, rows)
        failures = {**references.failures, **inputs.failures}
        holds = list(OPERATIONS[self.operation](inputs.values, references.values))
        scores: list[float | None] = list(map(float, holds))
        for position in failures:
            scores[position], holds[position] = None, False
        return Grades(
            name=self.name,
            scores=scores,
            failures=failures,
            passed=holds,
            compared=Compared(inputs.values, references.values),
            seconds=(perf_counter() - started) / max(len(rows), 1),
        )
