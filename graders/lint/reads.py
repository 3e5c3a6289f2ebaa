"""What one grader reads of each row: slots of its templates, keys in its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from graders.checks.scopes import scoped
from graders.config.graders import AnyConfig, EvalConfig, PythonConfig, TextSimilarityConfig
from graders.errors import ConfigError, GradingError, Severity
from graders.lint.source import tree_of
from graders.lint.tally import Tallies, Tally, quoted
from graders.rows import Row
from graders.template import Slot, compile_template, look_up, parse_path
from sandbox import JSON


class Read(NamedTuple):
    """A value that a grader takes from each row.

    Attributes:
        path: Where it says so in the config.
        slot: What it takes.
        position: Where the slot stands in the text at `path`.
        shown: How the config writes it.
    """

    path: str
    slot: Slot
    position: int | None
    shown: str


class GraderReads:
    """One grader that is no multi, ready to be shown rows."""

    def __init__(self, place: str, part: AnyConfig) -> None:
        self.place, self.part = place, part
        reads = [*self._reads()]
        self.of_item = [read for read in reads if read.slot.namespace == "item"]
        self.of_sample = [read for read in reads if read.slot.namespace == "sample"]

    def take(self, bare: Row, rows: Sequence[Row], tallies: Tallies) -> None:
        """Look for everything it reads in one line.

        Args:
            bare: The line's item, with whatever sample.
            rows: The line's samples.
            tallies: Where what is missing is counted.
        """
        for read in self.of_item:
            _look(read, bare, tallies)
        for row in rows if self.of_sample else ():
            for read in self.of_sample:
                _look(read, row, tallies)

    # --- what is read

    def _at(self, path: str) -> str:
        return f"{self.place}.{path}" if self.place else path

    def _reads(self) -> Iterator[Read]:
        if isinstance(self.part, PythonConfig):
            yield from self._keys(self.part.source)
        if isinstance(self.part, EvalConfig):
            return
        several = self.part.references if isinstance(self.part, TextSimilarityConfig) else None
        try:
            if several is not None:
                yield Read(self._at("references"), parse_path(several), None, several)
            for path, text in self.part.templates():
                if several is None or path != ".reference":  # which then does not count
                    yield from _slots(self._at(path.removeprefix(".")), text)
        except ConfigError:
            return  # reported where it is compiled

    def _keys(self, source: str) -> Iterator[Read]:
        """`item["key"]` of a source, where the row has it or the grader raises."""
        tree = tree_of(source)
        nodes = [node for node, _ in scoped(tree)] if tree else []
        said = {key for node in nodes for key in _asked_for(node)}
        for node in nodes:
            match node:
                case ast.Subscript(
                    value=ast.Name(id="item"), slice=ast.Constant(value=str(key)), ctx=ast.Load()
                ) if key not in said:
                    said.add(key)
                    path = self._at(f"source: line {node.lineno}")
                    yield Read(path, Slot("item", (key,)), None, f"item[{key!r}]")


def _asked_for(node: ast.AST) -> Iterator[str]:
    """Keys of the item that a source does not count on: `"key" in item`, `item.get("key")`."""
    match node:
        case ast.Compare(
            left=ast.Constant(value=str(key)),
            ops=[ast.In() | ast.NotIn()],
            comparators=[ast.Name(id="item")],
        ):
            yield key
        case ast.Call(
            func=ast.Attribute(attr="get", value=ast.Name(id="item")),
            args=[ast.Constant(value=str(key)), *_],
        ):
            yield key


def _slots(path: str, text: str) -> Iterator[Read]:
    """The slots of a template, each where it stands."""
    at = 0
    for piece in compile_template(text).pieces:
        if isinstance(piece, Slot):
            at = text.find(piece.namespace, at)
            yield Read(path, piece, at, f"{{{{ {piece} }}}}")
            at += 1
        else:
            at = text.find(piece, at) + len(piece)


def _look(read: Read, row: Row, tallies: Tallies) -> None:
    if _is_there(read.slot, row):
        return
    is_null = read.slot.steps[:1] == ("output_json",) and row.sample.get("output_json") is None
    key = (read.path, read.shown, is_null)
    if not tallies.has(key):
        try:
            look_up(read.slot, row)
        except GradingError as error:
            tallies.start(key, _null(read) if is_null else _missing(read, str(error)))
    tallies.add(key, row.row)


def _is_there(slot: Slot, row: Row) -> bool:
    """Whether `look_up` finds a value, without the words about it where it does not."""
    here: JSON = row.item if slot.namespace == "item" else row.sample  # type: ignore[assignment]
    try:
        for step in slot.steps:
            if isinstance(here, str):  # which may hold JSON
                look_up(slot, row)
                return True
            here = here[step]  # type: ignore[index]
    except (KeyError, IndexError, TypeError, GradingError):
        return False
    return True


def _missing(read: Read, problem: str) -> Tally:
    reason = problem.partition("}}: ")[2]
    message = f"{quoted(read.shown)} is missing \0: {quoted(reason)}"
    sentence, _, hint = message.partition(" Did you mean ")
    fix = f"Did you mean {hint}" if hint else ""
    # A source may cope where the key is missing; a template cannot.
    severity: Severity | None = "warning" if read.shown.startswith("item[") else None
    return Tally("missing-variable", read.path, sentence.rstrip("."), fix, read.position, severity)


def _null(read: Read) -> Tally:
    message = (
        f"{quoted(read.shown)}: sample.output_json is null \0, for the answer there is no JSON"
    )
    fix = "Ask for JSON with a response_format, or read sample.output_text."
    return Tally("output-json-null", read.path, message, fix, read.position)
