"""What a config will meet in a file of rows, before anything is graded.

Lines are read in one pass, and a file of columns in one more, for those of real numbers. Memory
holds one line, the references of a batch, a few words per kind of finding, and a hash of each line
to tell duplicates by: of the first 500,000, at about 100 bytes each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from graders.column_map import Columns, ColumnsError
from graders.config.graders import StringCheckConfig, TextSimilarityConfig, walk
from graders.config.parse import Document
from graders.errors import Finding, RowError, Severity
from graders.formats.reals import lacking_in
from graders.lines import decode_object, numbered, open_lines
from graders.lint.codes import say
from graders.lint.reads import GraderReads
from graders.lint.references import Comparison
from graders.lint.shape import Line, messages_of, split_line
from graders.lint.tally import Tallies, Tally, quoted
from graders.lint.targets import Target
from graders.profile import Profile
from graders.rows import Row
from sandbox import JSON

if TYPE_CHECKING:
    from graders.lint import Options

MAX_REMEMBERED: Final = 500_000
"""Lines whose hashes are kept."""


@dataclass(slots=True)
class RowsReport:
    """What was found in a file of rows.

    Attributes:
        rows: Lines that are rows.
        findings: Each with the line of the rows' file to point at, or None where it is about the
            config.
    """

    rows: int = 0
    findings: list[tuple[Finding, int | None]] = field(default_factory=list)


def check_rows(path: Path | str, document: Document | None, options: Options) -> RowsReport:
    """Say what is wrong with rows, or with the config in sight of them.

    They are read once, and a file of columns once more.

    Args:
        path: The file, as `graders.lines.open_lines` takes it.
        document: What is to grade them; None where it does not parse.
        options: How it would, where the rows are to go, and as what.

    Raises:
        OSError: The file cannot be read.
    """
    checker = _Checker(str(path), options.target, options.columns)
    # Rows of a method without a grader end with the answer that is to be learnt.
    checker.has_prompts = document is None or document.has_grader
    if document is not None and document.has_grader:
        checker.show(document, options.profile)
    with open_lines(path) as lines:
        for number, line in numbered(lines):
            checker.take(number, line)
    report = checker.report(options.split)
    for lacking in lacking_in(path):
        report.findings.append((say("whole-as-real", "", str(lacking)), lacking.row))
    return report


class _Checker:
    def __init__(self, name: str, target: Target, columns: Columns | None) -> None:
        self.name, self.target, self.columns = name, target, columns
        self.readers: list[GraderReads] = []
        self.comparisons: list[Comparison] = []
        self.rows, self.whole, self.has_prompts = 0, False, True
        self.tallies = Tallies()
        self.seen = set[int]()

    def show(self, document: Document, profile: Profile) -> None:
        """Get ready to look at rows with a config's graders."""
        said = set[str]()
        for location, part in walk(document.grader):
            place = document.place(location)
            self.readers.append(GraderReads(place, part))
            if isinstance(part, (StringCheckConfig, TextSimilarityConfig)):
                of = getattr(part, "references", None) or part.reference
                comparison = Comparison(place, part, profile, is_echo=of in said)
                self.comparisons.append(comparison)
                said.add(of)
        reads = [read for reader in self.readers for read in reader.of_sample]
        self.whole = any(read.slot.steps[:1] != ("output_text",) for read in reads)

    def take(self, number: int, line: bytes) -> None:
        try:
            value = decode_object(self.name, number, line)
            if self.columns is not None:
                value = self.columns.apply(value)
        except (RowError, ColumnsError) as error:
            self._bad(number, error.problem if isinstance(error, RowError) else str(error))
            return
        found = split_line(number, value)
        if isinstance(found, str):
            self._bad(number, found)
            return
        self.rows += 1
        self._duplicate(number, line)
        self._messages(found)
        rows = found.rows(whole=self.whole)
        bare = rows[0] if rows else Row(item=found.item, sample={}, row=number)
        for reader in self.readers:
            reader.take(bare, rows, self.tallies)
        for comparison in self.comparisons:
            comparison.take(found, bare, rows, self.tallies)

    def _bad(self, number: int, problem: str) -> None:
        self.rows += 1
        self._count(("bad",), number, Tally("bad-line", "", f"{quoted(problem)}, \0"))

    def _count(self, key: tuple[object, ...], number: int, tally: Tally) -> None:
        self.tallies.start(key, tally)
        self.tallies.add(key, number)

    def _duplicate(self, number: int, line: bytes) -> None:
        digest = int.from_bytes(hashlib.blake2b(line.strip(), digest_size=8).digest())
        if digest in self.seen:
            message = "the same line as one before it, \0"
            self._count(("twice",), number, Tally("duplicate-row", "", message, "Keep one."))
        elif len(self.seen) < MAX_REMEMBERED:
            self.seen.add(digest)

    def _messages(self, line: Line) -> None:
        item, training = line.item, self.target.is_training
        if training and not line.is_flat:
            message = "an item with its sample, \0; a training file's rows are the items themselves"
            fix = "Write messages and the item's keys side by side."
            self._count(("shape",), line.number, Tally("row-shape", "", message, fix))
        if "messages" not in item:
            if training and line.is_flat:
                tally = Tally("no-messages", "", "no messages, \0", 'Add "messages".')
                self._count(("no-messages",), line.number, tally)
        elif (messages := messages_of(item)) is None:
            message = "messages is reserved for a list of {role, content}, and is something else \0"
            tally = Tally("reserved-key", "", message, "Rename the key.", severity=self._grave())
            self._count(("messages",), line.number, tally)
        elif self.has_prompts:
            self._roles(line.number, messages)
        if "tools" in item and not _is_tools(item["tools"]):
            message = "tools is reserved for a list of functions, and is something else \0"
            tally = Tally("reserved-key", "", message, "Rename the key.", severity=self._grave())
            self._count(("tools",), line.number, tally)

    def _roles(self, number: int, messages: list[Mapping[str, JSON]]) -> None:
        last = messages[-1]["role"]
        if last != "user":
            message = (
                f"the last message is from {quoted(str(last)[:20])!r} and not from the user, \0"
            )
            fix = "End with what the model is to answer."
            tally = Tally("last-message", "", message, fix, severity=self._grave())
            self._count(("last",), number, tally)
        for role in self.target.forbidden_roles:
            if any(message["role"] == role for message in messages):
                message = f"a {role} message, \0, which {self.target.service} does not take"
                fix = "Give it the role developer, or put it before the user's words."
                self._count(("role", role), number, Tally("forbidden-role", "", message, fix))

    def _grave(self) -> Severity | None:
        return None if self.target.is_training else "warning"

    def report(self, split: str) -> RowsReport:
        for comparison in self.comparisons:
            comparison.finish(self.tallies)
        report = RowsReport(rows=self.rows)
        for finding, line in self.tallies.findings(self.rows):
            report.findings.append((finding, None if finding.path else line))
        most = self.target.rows.get(split)
        if most is not None and self.rows > most:
            message = f"{self.rows:,} rows, and {self.target.service} takes {most:,} to {split}"
            finding = say("too-many-rows", "", message, "Draw a sample of them.")
            report.findings.append((finding, most + 1))
        if not self.rows:
            report.findings.append((say("no-rows", "", "there is no row in it"), 1))
        return report


def _is_tools(value: JSON) -> bool:
    return isinstance(value, list) and all(isinstance(tool, dict) for tool in value)
