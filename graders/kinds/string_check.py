"""`string_check`: a comparison of two rendered strings holds (1.0) or does not (0.0).

No trimming and no SQL wildcards: `like` is "contains", case-sensitive, and `ilike` the same
after lower-casing both sides. Lower-casing is not case folding: `STRASSE` does not contain
`straße`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from graders.config.graders import Operation
from graders.errors import GradingError
from graders.grades import Grade, Waits
from graders.rows import Row
from graders.template import Template, rendered

OPERATIONS: Final[Mapping[Operation, Callable[[str, str], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "like": operator.contains,
    "ilike": lambda text, part: part.lower() in text.lower(),
}


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

    async def grade(self, rows: Sequence[Row]) -> list[Grade]:
        return [self._judge(row) for row in rows]

    def _judge(self, row: Row) -> Grade:
        started = perf_counter()
        try:
            text, wanted = self.input.render(row), self.reference.render(row)
        except GradingError as error:
            return Grade(name=self.name, failure=error.failure, passed=False)
        holds = OPERATIONS[self.operation](text, wanted)
        detail = {"input": text, "reference": wanted}
        return Grade(
            name=self.name,
            score=float(holds),
            passed=holds,
            detail=detail,
            seconds=perf_counter() - started,
        )
