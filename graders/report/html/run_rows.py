"""What a page says of the rows of a run, gathered from its results in bounded memory."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from graders.errors import Failure, RowError
from graders.markup import cut, seen
from graders.report.html.draw import Draw
from graders.report.html.table import Column, Row, RowsTable, fitted
from graders.report.named import Named
from graders.report.totals import Histogram, Mean
from graders.results import Part, Result
from graders.rows import Row as Graded
from graders.rows import output_texts

_KEPT: Final = 4_000
"""Characters of a text, before a table of rows knows how much room there is."""
_MEMBERS: Final = 12
"""Members that have a column; all of them stand below their row."""
_TEXTS: Final = 40
"""Texts below a row."""
_HEAD: Final = 40
"""Characters of a member's name at the head of its column."""
_GROUPS: Final = 10
MOST_GROUPS: Final = 200_000
"""Groups with a name that are added up, about 100 MB of them."""
_SHORT: Final = 200
_ITEM: Final = 160
"""Characters of an item beside its output."""
_READ: Final[Sequence[tuple[str, str, Literal["number", "text"]]]] = (
    ("human", "People", "number"),
    ("item", "Item", "text"),
    ("output", "Output", "text"),
)
"""Columns of what the graded file says: key, label and kind."""


@dataclass(slots=True)
class Group:
    """The samples that are compared with each other.

    Attributes:
        name: As the results name it.
        row: Where its first sample is.
        samples: How many there are.
        scores: The mean of those that have one.
        low: The least score; None where none has one.
        high: The greatest.
    """

    name: int | str
    row: int
    samples: int = 0
    scores: Mean = field(default_factory=Mean)
    low: float | None = None
    high: float | None = None

    def add(self, score: float | None) -> None:
        """Count a sample."""
        self.samples += 1
        if score is None:
            return
        self.scores.add(score)
        self.low = score if self.low is None else min(self.low, score)
        self.high = score if self.high is None else max(self.high, score)


@dataclass(slots=True)
class Groups:
    """Groups of a run, added up as their samples pass by.

    Those that are named after a line stand side by side, and only the last is kept; of those that
    have another name, samples may be anywhere, and all are kept up to a limit.

    Attributes:
        count: How many there are.
        several: Those with two scores or more.
        flat: Those of them whose scores are all the same.
        means: How their means are distributed.
        lowest: Those with the lowest means, the lowest first when the run is at its end.
        share: About the share of them that all this is of; 1.0 but where there are very many names.
    """

    count: int = 0
    several: int = 0
    flat: int = 0
    means: Histogram = field(default_factory=Histogram)
    _lowest: list[tuple[float, int, Group]] = field(default_factory=list)
    _named: Named[Group] = field(default_factory=lambda: Named(limit=MOST_GROUPS))
    _last: Group | None = None

    @property
    def share(self) -> float:
        return self._named.share

    def add(self, group: int | str, row: int, score: float | None) -> None:
        """Count a sample."""
        if isinstance(group, str):
            one = self._named.of(group, lambda: Group(cut(group, _SHORT), row))
            if one is not None:
                one.add(score)
            return
        if self._last is None or self._last.name != group:
            self._count(self._last)
            self._last = Group(group, row)
        self._last.add(score)

    def settle(self) -> None:
        """Count the groups that are being added up; what comes next are others."""
        for one in (self._last, *self._named.kept.values()):
            self._count(one)
        self._last = None
        self._named.kept.clear()

    def _count(self, group: Group | None) -> None:
        if group is None:
            return
        self.count += 1
        mean = group.scores.value
        if mean is None:
            return
        several = group.scores.count > 1
        self.several += several
        self.flat += several and group.low == group.high
        self.means.add(mean)
        heapq.heappush(self._lowest, (-mean, -self.count, group))
        if len(self._lowest) > _GROUPS:
            heapq.heappop(self._lowest)

    @property
    def lowest(self) -> list[Group]:
        """Those with the lowest means, the lowest first."""
        return [group for *_, group in sorted(self._lowest, reverse=True)]


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
        self._draw.add((one.row, one.sample_index), one.score, lambda: _row(one))

    def read(
        self,
        rows: Iterable[Graded | object],
        label_of: Callable[[Graded], float | None] | None = None,
    ) -> None:
        """Put the items and outputs of rows beside their results, from the file that was graded.

        Args:
            rows: The rows of the file.
            label_of: Gives what a person said of one; None where nobody was asked for.
        """
        wanted = dict(self._draw.ranked())
        last = max(wanted, default=(0, 0))
        for one in rows:
            if not isinstance(one, Graded):
                continue
            place = (one.row, one.sample_index)
            if (row := wanted.get(place)) is not None:
                _put_in_front(row, one)
                if label_of is not None:
                    row["human"] = label_of(one)
            if place >= last:
                return

    def table(self, command: Sequence[str] = ()) -> RowsTable:
        """The rows that are shown.

        Args:
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
        fit = fitted(whole, [row for _, row in ranked])
        there = {(row["row"], row["sample"]) for row in fit.rows}
        shown = [place for place, _ in ranked if place in there]
        return replace(fit, how=self._draw.how({*shown}))

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
            yield Column(key=f"member {name}", label=cut(name, _HEAD), kind="number")
        if any(row["group"] != row["row"] for row in rows):
            yield Column(key="group", label="Group")


def _row(one: Result) -> dict[str, object]:
    """What is kept of a result: it may be a large one, and there are thousands."""
    members = {f"member {key}": part.score for key, part in [*one.parts.items()][:_MEMBERS]}
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
        yield f"{place}{key}", value if isinstance(value, str) else _plain(value)
    for name, part in one.parts.items():
        yield from _details(f"{place}{name}: ", part)


def _put_in_front(row: dict[str, object], one: Graded) -> None:
    (output,) = output_texts([one])
    row["item"] = cut(_in_line(one.item), _ITEM)
    texts = [("item", cut(_plain(one.item), _KEPT))]
    if isinstance(output, str):
        row["output"] = cut(output, _SHORT)
        texts.append(("output", cut(output, _KEPT)))
    more = row["more"]
    assert isinstance(more, list), "see _row"
    row["more"] = _merged([*texts, *more])


def _in_line(item: Mapping[str, object]) -> str:
    """An item in a line.

    Example:
        >>> _in_line({"question": "Who?", "answers": ["Ada"]})
        'question: Who?; answers: ["Ada"]'
    """
    texts = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in item.items()
    }
    return "; ".join(f"{key}: {text}" for key, text in texts.items())


def _plain(value: object) -> str:
    """JSON for people."""
    return json.dumps(value, ensure_ascii=False, indent=2)
