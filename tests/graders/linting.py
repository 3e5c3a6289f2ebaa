"""Runs lint on a config and rows that a test has in memory."""

import json

from graders.errors import ConfigError
from graders.lint import Options, lint
from graders.lint.targets import TARGETS


def as_text(value):
    return value if isinstance(value, str) else json.dumps(value)


def linted(folder, config, rows=(), *, target="local", **options):
    """The report on a config and rows, written to a folder."""
    path = folder / "grader.json"
    path.write_text(as_text(config), encoding="utf-8", newline="")
    lines = folder / "rows.jsonl"
    lines.write_text("".join(f"{as_text(row)}\n" for row in rows), encoding="utf-8")
    chosen = Options(target=TARGETS[target], **options)
    return lint(path, lines if rows else None, chosen)


def found(folder, config, rows=(), **options):
    """Every finding of a config and rows; of a config that cannot be read, why."""
    try:
        return [placed.finding for placed in linted(folder, config, rows, **options).findings]
    except ConfigError as error:
        return list(error.findings)


def codes(*arguments, **options):
    return [finding.code for finding in found(*arguments, **options)]


def said(code, *arguments, **options):
    """What is said under one code, as people read it."""
    return [str(finding) for finding in found(*arguments, **options) if finding.code == code]
