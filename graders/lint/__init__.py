"""`graders lint`: what would go wrong with a config and its rows, before a job burns hours.

    config ─ load ─▶ findings ─┐
             static checks ────┼─▶ each at its line and column ─▶ text, JSON, GitHub, SARIF
    rows ─── one pass ─────────┘

`codes` is the table of everything that can be said; `README.md` beside this file is made of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from graders.column_map import Columns
from graders.config.graders import Location
from graders.config.parse import Document, decode_config, parse_config, read_python
from graders.errors import ConfigError, Finding, Severity
from graders.lint.codes import CODES
from graders.lint.fixes import fixed_text
from graders.lint.locate import Lines, Place, Span, Spans, locate, to_location
from graders.lint.rows import check_rows
from graders.lint.static import check_config, without_echoes
from graders.lint.targets import TARGETS, Target
from graders.profile import OPENAI, Profile

UNREADABLE: Final = frozenset({"not-json", "not-python", "depth"})
"""Codes of a config of which nothing else can be said."""
MAX_ROUNDS: Final = 8
"""How often a config is gone through for mistakes that others hid."""
_AT: Final = re.compile(r":(\d+):(\d+)\Z")
_ORDER: Final = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A finding and where it is.

    Attributes:
        finding: What is wrong; `path` is below the config, or "" for one about the rows.
        file: The file to point at.
        place: Line and column, or None where the file as a whole is meant.
        end: Line and column after it; None where it is one place.
        source: The line of the file, to be shown; "" where there is none.
    """

    finding: Finding
    file: str
    place: Place | None = None
    end: Place | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What lint has to say of a config and its rows.

    Attributes:
        findings: Errors first, then in the order of the files.
        document: The config; None where it does not parse.
        text: The config file's text.
        rows: Lines of rows looked at.
    """

    findings: tuple[Placed, ...]
    document: Document | None
    text: str
    rows: int = 0

    def of(self, severity: Severity) -> list[Placed]:
        """The findings of one severity."""
        return [placed for placed in self.findings if placed.finding.severity == severity]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to lint.

    Attributes:
        target: Where the config is to go; a key of `targets.TARGETS`.
        split: What the rows are for, `train` or `test`.
        profile: The settings it is to be graded with.
        ignored: Codes that are not wanted.
        columns: What columns of the rows are, where their names do not say it.
    """

    target: Target = field(default_factory=lambda: TARGETS["local"])
    split: str = "train"
    profile: Profile = OPENAI
    ignored: frozenset[str] = frozenset()
    columns: Columns | None = None


def lint(config: Path, rows: Path | str | None = None, options: Options | None = None) -> Report:
    """Look at a config, and at rows if there are any.

    Args:
        config: A JSON file, or a `.py` file with a python grader's source.
        rows: A file, whose name says its form, or `-` for JSON Lines from standard input.
        options: How.

    Raises:
        ConfigError: The config is no text that could be a config; its code is in `UNREADABLE`.
        OSError: A file cannot be read.
    """
    options = options or Options()
    text, value = _read(config)
    document, findings = _static(value, options)
    placed = _place(findings, config, text)
    counted = 0
    if rows is not None:
        found = check_rows(rows, document, options)
        counted = found.rows
        placed += _place([f for f, line in found.findings if line is None], config, text)
        placed += [
            Placed(finding=finding, file=str(rows), place=Place(line, 1))
            for finding, line in found.findings
            if line is not None
        ]
    wanted = [p for p in placed if p.finding.code not in options.ignored]
    wanted.sort(key=lambda p: (_ORDER[p.finding.severity], p.file != str(config), p.place or ()))
    return Report(findings=tuple(wanted), document=document, text=text, rows=counted)


def unreadable(config: Path, error: ConfigError) -> Report:
    """What `lint` raised about a config of which nothing else can be said, for every format."""
    placed = []
    for finding in error.findings:
        at = _AT.search(finding.path)
        place = Place(int(at[1]), int(at[2])) if at else None
        placed.append(Placed(finding=replace(finding, path=""), file=str(config), place=place))
    return Report(findings=tuple(placed), document=None, text="")


def _static(value: object, options: Options) -> tuple[Document | None, list[Finding]]:
    """A config's document, if it is one, and what is wrong with it without a row."""
    try:
        document = parse_config(value)
    except ConfigError as error:
        if UNREADABLE & {finding.code for finding in error.findings}:
            raise
        return None, without_echoes(error.findings)
    return document, check_config(document, options.profile, options.target)


def _read(path: Path) -> tuple[str, object]:
    """A config file's text, and the value that it is."""
    if path.suffix == ".py":
        source = read_python(path)
        return source, {"type": "python", "name": path.stem, "source": source}
    data = path.read_bytes()
    value = decode_config(data, str(path))
    return data.decode("utf-8-sig"), value


def _place(findings: Iterable[Finding], config: Path, text: str) -> list[Placed]:
    lines, spans = Lines.of(text), None if config.suffix == ".py" else locate(text)
    placed, shown, sources = [], dict[int, str](), dict[Location, Lines]()
    for finding in findings:
        span = _span(finding, lines, spans, sources)
        place, end = lines.place(span.start), lines.place(span.end)
        if place.line not in shown:
            shown[place.line] = lines.line(place.line)
        placed.append(
            Placed(
                finding=finding,
                file=str(config),
                place=place,
                end=end if end.line == place.line else None,
                source=shown[place.line],
            )
        )
    return placed


def _span(
    finding: Finding, lines: Lines, spans: Spans | None, sources: dict[Location, Lines]
) -> Span:
    location, line = to_location(finding.path)
    if spans is None:  # the file is the source
        start = lines.first_letter(line or 1)
        return Span(start, start + 1)
    code = CODES.get(finding.code)
    if code is not None and code.at_key and location in spans.keys:
        return spans.keys[location]
    if line is not None and location in spans.values:
        if location not in sources:  # a source, of which a line is meant
            sources[location] = Lines.of(spans.literal(location).value)
        return spans.find(location, sources[location].first_letter(line))
    span = spans.find(location, finding.position)
    is_missing = location not in spans.values  # so what it is missing from is pointed at
    return Span(span.start, span.start + 1) if is_missing else span


def fix_config(config: Path, options: Options | None = None) -> tuple[str, str, list[str]]:
    """A JSON config's text, the same with what is certain put right, and what that was.

    It is gone through again until nothing changes, for one mistake may hide another.

    Raises:
        ConfigError: The file is not JSON.
        OSError: It cannot be read.
    """
    options = options or Options()
    before, value = _read(config)
    text, done = before, list[str]()
    for _ in range(MAX_ROUNDS):
        wanted = [f for f in _static(value, options)[1] if f.code not in options.ignored]
        fixed, findings = fixed_text(text, wanted)
        if not findings or fixed == text:
            break
        text, value = fixed, decode_config(fixed.encode("utf-8"), str(config))
        done += [f"{finding.path} ({finding.code})" for finding in findings]
    return before, text, done
