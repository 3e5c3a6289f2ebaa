"""Every code there is, in one table: the checks take their severity from it, the page its text."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from graders.errors import Finding, Severity
from graders.lint.codes import configs, formulas, judges, rows, sources, targets, templates
from graders.lint.codes.code import Code, Example

__all__ = ["CODES", "SUBJECTS", "Code", "Example", "say"]

SUBJECTS: Final[Mapping[str, tuple[Code, ...]]] = MappingProxyType(
    {
        "The config": configs.CODES,
        "Templates": templates.CODES,
        "Formulas": formulas.CODES,
        "Python sources": sources.CODES,
        "Judges": judges.CODES,
        "Targets": targets.CODES,
        "Rows": rows.CODES,
    }
)
CODES: Final[Mapping[str, Code]] = MappingProxyType(
    {code.name: code for codes in SUBJECTS.values() for code in codes}
)


def say(  # noqa: PLR0913 - a finding has so many fields
    code: str,
    path: str,
    message: str,
    fix: str = "",
    *,
    position: int | None = None,
    severity: Severity | None = None,
) -> Finding:
    """A finding of a code in the table, as grave as the table says unless told otherwise."""
    return Finding(
        code=code,
        severity=severity or CODES[code].severity,
        path=path,
        message=message,
        fix=fix,
        position=position,
    )
