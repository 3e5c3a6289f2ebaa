"""An explained grading for programs: what `graders explain --json` prints."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from graders.config.graders import EvalConfig, MultiConfig
from graders.grades import Grade
from graders.report.explained import Explained, FormulaUse, Judged


def to_json(explained: Explained) -> Mapping[str, object]:
    """All of it as plain data; texts are whole."""
    row = explained.row
    return {
        "row": row.row,
        "sample_index": row.sample_index,
        "item": row.item,
        "sample": row.sample,
        "grader": _judged(explained.judged),
        "hosted": explained.hosted,
        "signature": explained.signature,
        "profile": explained.profile,
        "layers": explained.layers,
    }


def _judged(judged: Judged) -> Mapping[str, object]:
    config, grade = judged.config, judged.grade
    is_made_of_others = isinstance(config, (MultiConfig, EvalConfig))
    parts = {} if is_made_of_others else grade.parts
    found = {
        "rendered": msgspec.to_builtins(judged.rendered),
        "metric": msgspec.to_builtins(judged.metric),
        "metric_note": judged.metric_note,
        "formula": judged.formula and _formula(judged.formula),
        "asked": msgspec.to_builtins(judged.asked),
        "repeats": {key: _grade(part) for key, part in parts.items()},
        "posted": msgspec.to_builtins(judged.posted),
        "ran": msgspec.to_builtins(judged.ran),
        "members": {member.key: _judged(member) for member in judged.members},
    }
    kind = "eval" if isinstance(config, EvalConfig) else config.type
    return {
        "type": kind,
        **_grade(grade),
        **{key: value for key, value in found.items() if value},
    }


def _grade(grade: Grade) -> Mapping[str, object]:
    return {
        "name": grade.name,
        "score": grade.score,
        "passed": grade.passed,
        "failure": msgspec.to_builtins(grade.failure),
        "detail": dict(grade.detail),
        "seconds": grade.seconds,
        "usage": msgspec.to_builtins(grade.usage),
        "resources": dict(grade.resources),
    }


def _formula(formula: FormulaUse) -> Mapping[str, object]:
    trace = formula.trace
    return {
        "text": formula.text,
        "filled": trace.filled if trace else None,
        "steps": list(trace.steps) if trace else [],
        "unused": list(formula.unused),
    }
