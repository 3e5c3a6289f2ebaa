"""Findings for people and for tools: text with a caret, JSON, GitHub annotations, SARIF 2.1.0.

What configs and rows hold is hostile: text goes through `graders.terminal`, the other formats
escape it by their own rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Final, Literal
from urllib.parse import quote

from graders.errors import Severity
from graders.lint import Placed, Report
from graders.lint.codes import CODES
from graders.terminal import printable
from sandbox import JSON

Format = Literal["text", "json", "github", "sarif"]

_WINDOW: Final = 76
_CARET: Final = re.compile(r"\n {4}[^\n]*\n {4}[^\n]*\^.*\Z", re.DOTALL)
"""What an error shows beneath itself: a line of the value and a caret; the file's own is better."""
_LEVELS: Final[Mapping[Severity, str]] = {"error": "error", "warning": "warning", "note": "note"}
_COMMANDS: Final[Mapping[Severity, str]] = {
    "error": "error",
    "warning": "warning",
    "note": "notice",
}
SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def to_text(report: Report, name: str) -> str:
    """For a terminal: each finding with its line and a caret, and a count at the end."""
    blocks = ["\n".join(_block(placed)) for placed in report.findings]
    return "\n".join([*blocks, summary(report, name)]) + "\n"


def summary(report: Report, name: str) -> str:
    """How many of what, in one line.

    Example:
        >>> summary(Report(findings=(), document=None, text=""), "g.json")
        'g.json: 0 errors, 0 warnings, 0 notes'
    """
    severities: tuple[Severity, ...] = ("error", "warning", "note")
    counts = [(len(report.of(severity)), severity) for severity in severities]
    said = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
    rows = f", {report.rows:,} row{'' if report.rows == 1 else 's'} read" if report.rows else ""
    return printable(f"{name}: {said}{rows}")


def message_of(placed: Placed) -> str:
    """A finding's message in one line, without the excerpt that it may end with."""
    message = _CARET.sub("", placed.finding.message)
    return " ".join(message.split("\n"))


def _block(placed: Placed) -> Iterator[str]:
    finding = placed.finding
    path = f"{finding.path}: " if finding.path else ""
    yield printable(
        f"{_where(placed)}: {finding.severity}[{finding.code}]: {path}{message_of(placed)}"
    )
    yield from _excerpt(placed)
    if finding.fix:
        yield printable(f"    fix: {' '.join(finding.fix.split())}")


def _where(placed: Placed) -> str:
    place = placed.place
    return f"{placed.file}:{place.line}:{place.column}" if place else placed.file


def _excerpt(placed: Placed) -> Iterator[str]:
    """The line of the file, cut to a window, and a caret under what is meant."""
    if placed.place is None or not placed.source.strip():
        return
    line, column = placed.source, placed.place.column - 1
    cut = max(0, column - _WINDOW // 2) if len(line) > _WINDOW else 0
    shown = line[cut : cut + _WINDOW]
    if not cut:
        indent = len(shown) - len(shown.lstrip())
        shown, cut = shown[indent:], indent
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
    at = column - cut
    width = max(1, (placed.end.column - 1 - column) if placed.end else 1)
    yield f"    {shown}"
    yield f"    {' ' * at}{'^' * min(width, max(1, len(shown) - at))}"


# --- for tools


def to_json(report: Report, name: str) -> str:
    """One object: counts and a list of findings. ASCII, so that any terminal takes it."""
    findings: list[JSON] = [_as_json(placed) for placed in report.findings]
    severities: tuple[Severity, ...] = ("error", "warning", "note")
    counts: dict[str, JSON] = {f"{word}s": len(report.of(word)) for word in severities}
    body: dict[str, JSON] = {
        "schema": 1,
        "config": name,
        "rows": report.rows,
        **counts,
        "findings": findings,
    }
    return _dumped(body)


def _dumped(body: dict[str, JSON]) -> str:
    """JSON in ASCII. A lone surrogate, which strict readers refuse, becomes a replacement."""
    text = json.dumps(body, indent=2, ensure_ascii=False)
    sound = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return json.dumps(json.loads(sound), indent=2) + "\n"


def _as_json(placed: Placed) -> dict[str, JSON]:
    finding, place = placed.finding, placed.place
    return {
        "code": finding.code,
        "severity": finding.severity,
        "file": placed.file,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "path": finding.path,
        "message": message_of(placed),
        "fix": finding.fix,
    }


def to_github(report: Report, name: str) -> str:  # noqa: ARG001 - every format has the same shape
    """Workflow commands, which GitHub shows beside the lines of a pull request.

    Newlines and percent signs would end a command or begin an escape, commas and colons a property.
    """
    lines = []
    for placed in report.findings:
        finding, place = placed.finding, placed.place
        properties = {"file": placed.file, "title": f"{finding.code}"}
        if place:
            properties |= {"line": str(place.line), "col": str(place.column)}
        if place and placed.end:
            properties["endColumn"] = str(placed.end.column)
        path = f"{finding.path}: " if finding.path else ""
        message = f"{path}{message_of(placed)}"
        message += f"\n{finding.fix}" if finding.fix else ""
        lines.append(annotation(_COMMANDS[finding.severity], properties, message) + "\n")
    return "".join(lines)


def annotation(command: str, properties: Mapping[str, str], message: str) -> str:
    r"""A workflow command of GitHub's, in a line.

    Example:
        >>> annotation("error", {"file": "a,b.json", "line": "3"}, "100% wrong\n::")
        '::error file=a%2Cb.json,line=3::100%25 wrong%0A::'
    """
    said = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{command} {said}::{_data(message)}"


def _data(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return printable(escaped)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def to_sarif(report: Report, name: str) -> str:  # noqa: ARG001 - every format has the same shape
    """A SARIF 2.1.0 log of one run, for code scanning services. ASCII."""
    from importlib.metadata import version

    used = sorted({placed.finding.code for placed in report.findings})
    index = {code: i for i, code in enumerate(used)}
    driver: dict[str, JSON] = {
        "name": "graders lint",
        "version": version("local-graders"),
        "rules": [_rule(code) for code in used],
    }
    run: dict[str, JSON] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(placed, index) for placed in report.findings],
    }
    log: dict[str, JSON] = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return _dumped(log)


def _rule(name: str) -> dict[str, JSON]:
    code = CODES.get(name)
    text = code.title if code else name
    severity: Severity = code.severity if code else "error"
    return {
        "id": name,
        "shortDescription": {"text": text},
        "defaultConfiguration": {"level": _LEVELS[severity]},
    }


def _result(placed: Placed, index: Mapping[str, int]) -> dict[str, JSON]:
    finding, place = placed.finding, placed.place
    text = message_of(placed) + (f" {finding.fix}" if finding.fix else "")
    text = text.replace("](", "] (")  # which would be a link
    physical: dict[str, JSON] = {"artifactLocation": {"uri": _uri(placed.file)}}
    if place:
        region: dict[str, JSON] = {"startLine": place.line, "startColumn": place.column}
        if placed.end:
            region |= {"endLine": placed.end.line, "endColumn": placed.end.column}
        physical["region"] = region
    location: dict[str, JSON] = {"physicalLocation": physical}
    if finding.path:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.path}]
    return {
        "ruleId": finding.code,
        "ruleIndex": index[finding.code],
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [location],
    }


def _uri(file: str) -> str:
    path = PurePath(file)
    raw = path.as_posix().encode("utf-8", "surrogateescape")
    return f"file://{quote(raw)}" if path.is_absolute() else quote(raw)


FORMATS: Final[Mapping[Format, Callable[[Report, str], str]]] = {
    "text": to_text,
    "json": to_json,
    "github": to_github,
    "sarif": to_sarif,
}
