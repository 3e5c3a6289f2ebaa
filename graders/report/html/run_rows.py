"""What a page says of the rows of a run, gathered from its results in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from graders.errors import Failure, RowError
from graders.markup import cut, seen
from graders.report.html.draw import Draw, Place
from graders.report.html.groups import Groups
from graders.report.html.items import plain, shown_item
from graders.report.html.table import Column, Row, RowsTable, fitted
from graders.results import Part, Result
from graders.rows import Row as Graded
from graders.rows import output_texts
from graders.studies.teach.observed_columns import short_name
from graders.studies.teach.written import OtherRowsError
from graders.studies.verdict import shown_length

_KEPT: Final = 4_000
"""Characters of a text, before a table of rows knows how much room there is."""
_MEMBERS: Final = 12
"""Members that have a column; all of them stand below their row."""
_TEXTS: Final = 40
"""Texts below a row."""
_HEAD: Final = 40
"""Characters of a member's name at the head of its column."""
_SHORT: Final = 200
_READ: Final[Sequence[tuple[str, str, Literal["number", "text"]]]] = (
    ("human", "People", "number"),
    ("item", "Item", "text"),
    ("output", "Output", "text"),
)
"""Columns of what the graded file says: key, label and kind."""


@dataclass(slots=True)
class RunRows:
    """Rows and groups of a run. Fill it by `add`, then by `read`, then ask.

    Attributes:
        groups: Its groups.
        unread: Lines that are no results.
    """

    groups: Groups = field(default_factory=Groups)
    unread: int = 0
    _draw: Draw[dict[str, object]] = field(default_factory=Draw)
    _chars: dict[Place, int | None] = field(default_factory=dict)
    _detailed: set[Place] = field(default_factory=set)
    _members: dict[str, None] = field(default_factory=dict)
    _failed: bool = False
    _thresholds: bool = False

    def add(self, results: Iterable[Result | object]) -> None:
        """See results, as `read_results` gives them."""
        for one in results:
            if isinstance(one, Result):
                self.see(one)
            else:
                self.unread += isinstance(one, RowError)
        self.groups.settle()

    def see(self, one: Result) -> None:
        """See one result, in the order of the file."""
        self.groups.add(one.group, one.row, one.score)
        self._failed = self._failed or one.failure is not None
        if len(self._members) < _MEMBERS:
            self._members |= dict.fromkeys(one.parts)
        self._draw.add((one.row, one.sample_index), one.score, lambda: self._kept(one))

    def _kept(self, one: Result) -> dict[str, object]:
        place = (one.row, one.sample_index)
        self._chars[place] = one.output_chars
        if _has_detail(one):
            self._detailed.add(place)
        return _row(one)

    @property
    def bare(self) -> set[Place]:
        """Rows that are shown, of which no rendered inputs and replies are known."""
        return {place for place, _ in self._draw.ranked()} - self._detailed

    @property
    def bare_scored(self) -> set[Place]:
        """Of those, the ones with a score: what failed may end whoever grades it again."""
        failed = {place for place, row in self._draw.ranked() if row["score"] is None}
        return self.bare - failed

    def detail(self, results: Iterable[Result]) -> None:
        """Take what rows rest on from results that have it; before `read`.

        Those with another score than was seen are left out: they are of another time.
        """
        bare = self.bare
        wanted = {place: row for place, row in self._draw.ranked() if place in bare}
        for one in results:
            place = (one.row, one.sample_index)
            row = wanted.get(place)
            if row is not None and row["score"] == one.score and _has_detail(one):
                row["more"] = _row(one)["more"]
                self._detailed.add(place)

    def read(
        self,
        rows: Iterable[Graded | object],
        label_of: Callable[[Graded], float | None] | None = None,
    ) -> int:
        """Put the items and outputs of rows beside their results, from the file that was graded.

        Returns how many of the rows that are shown it found.

        Args:
            rows: The rows of the file.
            label_of: Gives what a person said of one; None where nobody was asked for.

        Raises:
            OtherRowsError: An output has another length than was graded.
        """
        wanted = dict(self._draw.ranked())
        last, found = max(wanted, default=(0, 0)), 0
        for one in rows:
            if not isinstance(one, Graded):
                continue
            place = (one.row, one.sample_index)
            if (row := wanted.get(place)) is not None:
                _put_in_front(row, one, self._chars[place])
                found += 1
                if label_of is not None:
                    row["human"] = label_of(one)
            if place >= last:
                break
        return found

    def table(self, most_bytes: int, command: Sequence[str] = ()) -> RowsTable:
        """The rows that are shown.

        Args:
            most_bytes: What they may take as JSON.
            command: What shows all of one, as `RowsTable` has it.
        """
        ranked = self._draw.ranked()
        rows: list[Row] = [row for _, row in sorted(ranked, key=lambda one: one[0])]
        whole = RowsTable(
            columns=[*self._columns(rows)],
            rows=rows,
            total=self._draw.total,
            command=command,
        )
        fit = fitted(whole, [row for _, row in ranked], most_bytes)
        there = {(row["row"], row["sample"]) for row in fit.rows}
        shown = [place for place, _ in ranked if place in there]
        return replace(fit, how=self._draw.how({*shown}), note=self._note({*shown}))

    def _note(self, shown: set[Place]) -> str:
        """What cannot be shown of some rows, and how to keep it."""
        bare = len(shown - self._detailed)
        if not bare:
            return ""
        of = "all of them" if bare == len(shown) else f"{bare:,} of them"
        return (
            f"Rendered inputs and replies of {of} were not kept: "
            "graders run keeps them with --detail all, and its own --report has them."
        )

    def _columns(self, rows: Sequence[Row]) -> Iterator[Column]:
        yield Column(key="row", label="Row", kind="count")
        yield Column(key="sample", label="Sample", kind="count")
        yield Column(key="score", label="Score", kind="number", ranged=True)
        yield Column(key="outcome", label="Outcome", kind="choice")
        if self._failed:
            yield Column(key="failure", label="Failure", kind="choice")
        for key, label, kind in _READ:
            if any(key in row for row in rows):
                yield Column(key=key, label=label, kind=kind)
        for name in [*self._members][:_MEMBERS]:
            yield Column(key=_member_key(name), label=cut(name, _HEAD), kind="number")
        if any(row["group"] != row["row"] for row in rows):
            yield Column(key="group", label="Group")


def _row(one: Result) -> dict[str, object]:
    """What is kept of a result: it may be a large one, and there are thousands."""
    members = {_member_key(key): part.score for key, part in [*one.parts.items()][:_MEMBERS]}
    return {
        "row": one.row,
        "sample": one.sample_index,
        "group": one.group if isinstance(one.group, int) else cut(one.group, _SHORT),
        "score": one.score,
        "outcome": _outcome(one),
        "failure": one.failure.kind.value if one.failure else None,
        **members,
        "more": _merged((label, cut(text, _KEPT)) for label, text in _texts(one)),
    }


def _member_key(name: str) -> str:
    return f"member {short_name(name)}"


def _outcome(one: Result) -> str:
    if one.failure is not None:
        return "failed"
    return {True: "passed", False: "not passed", None: "graded"}[one.passed]


def _merged(texts: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Texts with their labels; one that is there twice has both."""
    labels: dict[str, str] = {}
    for label, text in texts:
        labels[text] = f"{labels[text]}, {label}" if text in labels else label
    return [[label, text] for text, label in [*labels.items()][:_TEXTS]]


def _texts(one: Result) -> Iterator[tuple[str, str]]:
    if one.failure is not None:
        yield "failure", _failed(one.failure)
    if any(part.failure or part.parts for part in one.parts.values()) or (
        len(one.parts) > _MEMBERS
    ):  # else their columns say it
        yield "members", "\n".join(_member_lines(one.parts))
    yield from _details("", one)
    for model, used in (one.usage or {}).items():
        yield f"tokens of {model}", f"{used.prompt_tokens:,} + {used.completion_tokens:,}"


def _failed(failure: Failure) -> str:
    reason = f" ({failure.reason})" if failure.reason else ""
    return f"{failure.kind.value}{reason}\n{failure.message}"


def _member_lines(parts: Mapping[str, Part], indent: str = "") -> Iterator[str]:
    for key, part in parts.items():
        name = seen(cut(key, 60)).replace("\n", "\\n")
        if part.failure is not None:
            said = _failed(part.failure).replace("\n", f"\n{indent}    ")
            yield f"{indent}{name}: {said}"
        else:
            passed = {True: ", passed", False: ", not passed", None: ""}[part.passed]
            yield f"{indent}{name}: {part.score:.6g}{passed}"
        yield from _member_lines(part.parts, indent + "  ")


def _details(place: str, one: Result | Part) -> Iterator[tuple[str, str]]:
    for key, value in (one.detail or {}).items():
        if key == "messages":
            yield from _messages(place, value)
        else:
            yield f"{place}{key}", value if isinstance(value, str) else plain(value)
    for name, part in one.parts.items():
        yield from _details(f"{place}{name}: ", part)


def _messages(place: str, messages: object) -> Iterator[tuple[str, str]]:
    """What a judge was asked, message by message."""
    for one in messages if isinstance(messages, list) else [messages]:
        if isinstance(one, dict) and {*one} == {"role", "content"}:
            content = one["content"]
            text = content if isinstance(content, str) else plain(content)
            yield f"{place}{one['role']} message", text
        else:
            yield f"{place}messages", plain(one)


def _has_detail(one: Result | Part) -> bool:
    """Whether what it rests on was kept; a warning is, by any run."""
    if one.detail is not None and {*one.detail} != {"warning"}:
        return True
    return any(map(_has_detail, one.parts.values()))


def _put_in_front(row: dict[str, object], one: Graded, chars: int | None) -> None:
    (output,) = output_texts([one])
    length = len(output) if isinstance(output, str) else None
    if length != chars:
        then, now = map(shown_length, (chars, length))
        where = f"row {one.row}, sample {one.sample_index}"
        raise OtherRowsError(
            f"{where}: it had {then} when it was graded and has {now} here. "
            "Name the file that was graded, and how it was read then"
        )
    row["item"], text = shown_item(one.item)
    texts = [("item", text)]
    if isinstance(output, str):
        row["output"] = cut(output, _SHORT)
        texts.append(("output", cut(output, _KEPT)))
    more = row["more"]
    assert isinstance(more, list), "see _row"
    row["more"] = _merged([*texts, *more])
