"""What one grader reads of each row, and what becomes of it there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from graders.checks.scopes import scoped
from graders.config.graders import (
    AnyConfig,
    EvalConfig,
    PythonConfig,
    StringCheckConfig,
    TextSimilarityConfig,
)
from graders.errors import ConfigError, GradingError, Severity
from graders.images import parse
from graders.kinds.text_similarity import References
from graders.lint.shape import Line, prompt_of, stands_in
from graders.lint.tally import Tallies, Tally
from graders.profile import Profile
from graders.rows import Row
from graders.template import Slot, Template, compile_template, look_up, parse_path
from metrics import lost_tokens, metric

SHORT_WORDS: Final = 6
"""References of more words than this are equal to themselves under every metric but cosine."""
WORTH_SAYING: Final = 0.9
"""What a right answer scores at least, or it is said; the last hundredths are nobody's worry."""
REMEMBERED: Final = 1 << 14
"""Short references whose score with themselves is kept."""
SHORTEST_LEAK: Final = 4
"""Characters; the prompt of `yes` or `12` may well have it."""
_KEPT: Final = re.compile("[0-9A-Za-z]")
"""What every tokenizer keeps, so that a text with one is not lost."""


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

    def __init__(self, place: str, part: AnyConfig, profile: Profile) -> None:
        self.place, self.part, self.profile = place, part, profile
        self.reads = [*self._reads()]
        self.whole = any(read.slot.namespace == "sample" for read in self.reads)
        self.reference = self._reference()
        self.input = self._compiled(getattr(part, "input", None))
        self.against_itself = lru_cache(maxsize=REMEMBERED)(self._against_itself)

    def take(self, line: Line, tallies: Tallies) -> None:
        """Look at one line through this grader's eyes."""
        rows = line.rows(whole=self.whole)
        bare = rows[0] if rows else Row(item=line.item, sample={}, row=line.number)
        for read in self.reads:
            for row in rows if read.slot.namespace == "sample" else [bare]:
                self._read(read, row, tallies)
        self._compare(line, bare, rows, tallies)

    # --- what is read

    def _at(self, path: str) -> str:
        return f"{self.place}.{path}" if self.place else path

    def _reads(self) -> Iterator[Read]:
        if isinstance(self.part, PythonConfig):
            yield from self._keys(self.part.source)
        if isinstance(self.part, EvalConfig):
            return
        for path, text in self.part.templates():
            found = self._compiled(text)
            at = 0
            for piece in found.pieces if found else ():
                if isinstance(piece, Slot):
                    at = text.find(piece.namespace, at)
                    shown = f"{{{{ {piece} }}}}"
                    yield Read(self._at(path.removeprefix(".")), piece, at, shown)
                    at += 1
                else:
                    at = text.find(piece, at) + len(piece)

    def _keys(self, source: str) -> Iterator[Read]:
        """`item["key"]` of a source, where the row has it or the grader raises."""
        tree, said = parse(source), set[str]()
        for node, _ in scoped(tree) if tree else ():
            match node:
                case ast.Subscript(
                    value=ast.Name(id="item"), slice=ast.Constant(value=str(key)), ctx=ast.Load()
                ) if key not in said:
                    said.add(key)
                    path = self._at(f"source: line {node.lineno}")
                    yield Read(path, Slot("item", (key,)), None, f"item[{key!r}]")

    def _compiled(self, text: object) -> Template | None:
        try:
            return compile_template(text, self.profile.render) if isinstance(text, str) else None
        except ConfigError:
            return None

    def _reference(self) -> Template | References | None:
        if not isinstance(self.part, (StringCheckConfig, TextSimilarityConfig)):
            return None
        if isinstance(self.part, TextSimilarityConfig) and self.part.references is not None:
            try:
                slot = parse_path(self.part.references)
            except ConfigError:
                return None
            return References(slot=slot, rendering=self.profile.render)
        return self._compiled(self.part.reference)

    # --- what becomes of it

    def _read(self, read: Read, row: Row, tallies: Tallies) -> None:
        try:
            look_up(read.slot, row)
        except GradingError as error:
            null = read.slot.steps[:1] == ("output_json",) and row.sample.get("output_json") is None
            key = (read.path, read.shown, null)
            if not tallies.has(key):
                tallies.start(key, _null(read) if null else _missing(read, str(error)))
            tallies.add(key, row.row)

    def _compare(self, line: Line, bare: Row, rows: Sequence[Row], tallies: Tallies) -> None:
        """The references of a row, alone and beside the prompt and the samples."""
        if self.reference is None:
            return
        try:
            rendered = self.reference.render(bare)
        except GradingError:
            return  # missing, which is counted
        texts = [rendered] if isinstance(rendered, str) else rendered
        from_row = any(read.path.endswith("reference") for read in self.reads)
        if not from_row and isinstance(rendered, str):
            return  # constant, which is said of the config
        path = self._at("references" if isinstance(self.reference, References) else "reference")
        if any(not text.strip() for text in texts):
            message = "is empty \0"
            fix = "Every text contains nothing; give these rows a reference, or leave them out."
            _count(tallies, line.number, Tally("empty-reference", path, message, fix))
        prompt = prompt_of(line.item)
        if prompt and any(len(t.strip()) >= SHORTEST_LEAK and stands_in(t, prompt) for t in texts):
            message = "stands in the prompt \0"
            fix = "A model only has to copy it; take it out of messages."
            _count(tallies, line.number, Tally("leaking-row", path, message, fix))
        if isinstance(self.part, TextSimilarityConfig) and self.part.evaluation_metric != "cosine":
            self._metric(self.part, line.number, texts, rows, tallies)

    def _metric(
        self,
        part: TextSimilarityConfig,
        number: int,
        references: list[str],
        rows: Sequence[Row],
        tallies: Tallies,
    ) -> None:
        name, settings = part.evaluation_metric, self.profile.metrics
        for text in [*references, *self._inputs(rows)]:
            if not _KEPT.search(text) and (lost := lost_tokens(name, text, settings)):
                fix = f"Here --set {lost.setting}={lost.value} keeps some; elsewhere fuzzy_match."
                message = f"{lost.tokens} of {name} leaves no token of a text \0, which then scores"
                message += " 0 whatever it says"
                place = self._at("evaluation_metric")
                _count(tallies, number, Tally("lost-tokens", place, message, fix))
        self._itself(part, number, references, tallies)

    def _inputs(self, rows: Sequence[Row]) -> Iterator[str]:
        for row in rows if self.input else ():
            try:
                yield self.input.render(row) if self.input else ""
            except GradingError:
                continue  # missing, which is counted

    def _itself(
        self,
        part: TextSimilarityConfig,
        number: int,
        references: list[str],
        tallies: Tallies,
    ) -> None:
        """What the right answer scores, word for word, where it is short."""
        name = part.evaluation_metric
        short = [t for t in references if _KEPT.search(t) and len(t.split()) <= SHORT_WORDS]
        scores = [self.against_itself(text) for text in short]
        if len(short) < len(references) or not short:
            return
        best = max(scores)
        place = self._at("evaluation_metric")
        enough = max(WORTH_SAYING, part.pass_threshold or 0.0)
        if best == 0.0:
            message = f"{name} of the reference with itself is 0 \0: no answer can score"
            fix = "Choose a metric for short texts: fuzzy_match, rouge_1 or rouge_l."
            _count(tallies, number, Tally("dead-metric", place, message, fix))
        elif best < enough:
            fails = part.pass_threshold is not None and best < part.pass_threshold
            message = f"{name} of a text with itself is {best:.2f} for one as short as the "
            message += "reference \0" + (", so the right answer does not pass" if fails else "")
            fix = "Choose another metric for short texts, or mind it in pass_threshold."
            _count(tallies, number, Tally("identical-text", place, message, fix))

    def _against_itself(self, text: str) -> float:
        assert isinstance(self.part, TextSimilarityConfig)
        return metric(self.part.evaluation_metric, self.profile.metrics).pair(text, text)


def _count(tallies: Tallies, number: int, tally: Tally) -> None:
    key = (tally.code, tally.path)
    tallies.start(key, tally)
    tallies.add(key, number)


def _missing(read: Read, problem: str) -> Tally:
    reason = problem.partition("}}: ")[2]
    message = f"{read.shown} is missing \0: {reason}"
    sentence, _, hint = message.partition(" Did you mean ")
    fix = f"Did you mean {hint}" if hint else ""
    # A source may cope where the key is missing; a template cannot.
    severity: Severity | None = None if read.shown.startswith("{{") else "warning"
    return Tally("missing-variable", read.path, sentence.rstrip("."), fix, read.position, severity)


def _null(read: Read) -> Tally:
    message = f"{read.shown}: sample.output_json is null \0, for the answer there is no JSON"
    fix = "Ask for JSON with a response_format, or read sample.output_text."
    return Tally("output-json-null", read.path, message, fix, read.position)
