"""Rows that a person judged: outputs, references and labels, each at a path.

What lacks one of the three is counted and named, and never silently dropped; what is of a wrong
type is a bad line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graders.errors import GradingError, RowError
from graders.grades import finite_number
from graders.lines import kind_of
from graders.rows import Row
from graders.template import Slot, look_up
from sandbox import JSON


@dataclass(slots=True)
class Tally:
    """How often something was met, and where first.

    Attributes:
        count: How often.
        first: The first place, and what is said of it.
    """

    count: int = 0
    first: str = ""

    def add(self, said: str) -> None:
        """Count one."""
        self.count += 1
        self.first = self.first or said


@dataclass(slots=True, kw_only=True)
class Labelled:
    """Rows that can be compared, and those that cannot. Lists have an entry a row.

    Attributes:
        rows: With an output, a label and a reference.
        texts: Their outputs.
        references: The texts that each is held against, at least one.
        labels: What a person said of each.
        left_out: Rows without an output, a reference or a label, by what they lack.
        bad_lines: Of lines that are no rows, or hold one of the three of a wrong type, why.
    """

    rows: list[Row] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    references: list[tuple[str, ...]] = field(default_factory=list)
    labels: list[float] = field(default_factory=list)
    left_out: dict[str, Tally] = field(default_factory=dict)
    bad_lines: list[str] = field(default_factory=list)

    @property
    def items(self) -> list[int | str]:
        """Which item each row is a sample of."""
        return [row.group for row in self.rows]

    @property
    def lengths(self) -> list[int]:
        """Characters of each output."""
        return [len(text) for text in self.texts]

    @property
    def reference_lengths(self) -> list[float]:
        """Characters of each row's references, on average."""
        return [sum(map(len, several)) / len(several) for several in self.references]


def read_labelled(
    rows: Iterable[Row | RowError],
    *,
    file: str,
    reference: Slot,
    human: Slot,
    limit: int | None = None,
) -> Labelled:
    """Take what is compared out of rows.

    Args:
        rows: As `read_rows` gives them.
        file: What errors call the file.
        reference: Where a reference stands, or a list of them.
        human: Where a person's label stands: a number, or true or false.
        limit: Take so many rows at most.

    Raises:
        RowError: No row has all three.
    """
    found, seen = Labelled(), 0
    for row in rows:
        if not isinstance(row, Row):
            found.bad_lines.append(str(row))
            continue
        if seen == limit:
            break
        seen += 1
        try:
            _take(found, row, file, {"reference": reference, "label": human})
        except RowError as error:
            found.bad_lines.append(str(error))
    if not found.rows:
        raise RowError(file, _nothing(found, seen))
    return found


def _nothing(found: Labelled, seen: int) -> str:
    bad = found.bad_lines
    if not seen:
        return f"it holds no rows{f': {bad[0]}' if bad else ''}"
    left = found.left_out.items()
    said = [f"{one.count:,} without {what}, first {one.first}" for what, one in left]
    said += [f"{len(bad):,} on bad lines, first {bad[0]}"] if bad else []
    return f"no row has an output, a reference and a label ({'; '.join(said)})"


def _take(found: Labelled, row: Row, file: str, slots: Mapping[str, Slot]) -> None:
    place = f"{file}:{row.row}:1"
    text = row.sample.get("output_text")
    if text is None:
        _lacks(found, "an output", place, "sample.output_text is not there")
        return
    if not isinstance(text, str):
        raise RowError(place, f"sample.output_text is {kind_of(text)}, and must be text")
    values: dict[str, JSON] = {}
    for what, slot in slots.items():
        try:
            values[what] = look_up(slot, row)
        except GradingError as error:
            _lacks(found, f"a {what}", place, str(error))
            return
        if values[what] in (None, []):
            _lacks(found, f"a {what}", place, f"{slot} is {values[what] or 'null or empty'}")
            return
    references = _references(values["reference"], slots["reference"], place)
    label = _label(values["label"], slots["label"], place)
    found.rows.append(row)
    found.texts.append(text)
    found.references.append(references)
    found.labels.append(label)


def _lacks(found: Labelled, what: str, place: str, said: str) -> None:
    found.left_out.setdefault(what, Tally()).add(f"{place}: {said}")


def _references(value: JSON, slot: Slot, place: str) -> tuple[str, ...]:
    several = value if isinstance(value, list) else [value]
    for one in several:
        if not isinstance(one, str):
            among = "an entry of it is " if isinstance(value, list) else ""
            raise RowError(
                place,
                f"{slot}: {among}{kind_of(one)}, and a reference is text, or a list of texts; "
                "name another path with --reference",
            )
    return tuple(str(one) for one in several)


def _label(value: JSON, slot: Slot, place: str) -> float:
    label = float(value) if isinstance(value, bool) else finite_number(value)
    if label is None:
        shown = f"{value!r:.40}" if isinstance(value, (str, float, int)) else kind_of(value)
        raise RowError(
            place,
            f"{slot} is {shown}, and a label is a number, or true or false; "
            "name another path with --human",
        )
    return label
