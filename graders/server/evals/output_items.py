"""What came of a row, as a hosted output item."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from graders.errors import Failure, RowError
from graders.grades import Grade
from graders.rows import Row
from graders.strict_json import encode
from sandbox import JSON

_SETTINGS: Final[Mapping[str, JSON]] = {
    "model": "",
    "max_completion_tokens": 0,
    "seed": 0,
    "temperature": 0.0,
    "top_p": 0.0,
}
"""What a sample says of its sampling, and what stands there where it says nothing."""
_TOKENS: Final = ("cached_tokens", "completion_tokens", "prompt_tokens", "total_tokens")


class Criterion(NamedTuple):
    """A criterion: its id, which results are called by, and its type."""

    id: str
    type: str


class Place(NamedTuple):
    """Where an item belongs: the ids of its eval, of its run and of its own."""

    eval_id: str
    run_id: str
    id: str


def to_item(place: Place, row: Row, grade: Grade, criteria: Sequence[Criterion]) -> bytes:
    """The item of a row that was graded."""
    graded = zip(criteria, grade.parts.values(), strict=True)
    return encode(
        {
            **_head(place, row.row, passed=bool(grade.passed)),
            "datasource_item": row.item,
            "results": [to_result(criterion, part) for criterion, part in graded],
            "sample": _sample(row.sample, None),
        }
    )


def to_bad_item(place: Place, line: int, error: RowError) -> bytes:
    """The item of a line that is no row."""
    told: dict[str, JSON] = {"code": "row", "message": str(error)}
    return encode(
        {
            **_head(place, line, passed=False),
            "datasource_item": {},
            "results": [],
            "sample": _sample({}, told),
        }
    )


def _head(place: Place, line: int, *, passed: bool) -> dict[str, JSON]:
    return {
        "object": "eval.run.output_item",
        "id": place.id,
        "run_id": place.run_id,
        "eval_id": place.eval_id,
        "created_at": int(time.time()),
        "status": "pass" if passed else "fail",
        "datasource_item_id": line,
    }


def to_result(criterion: Criterion, grade: Grade) -> dict[str, JSON]:
    """What a criterion made of a row. One that failed scores 0.0, and its sample says why."""
    return {
        "name": criterion.id,
        "type": criterion.type,
        "score": grade.score or 0.0,
        "passed": bool(grade.passed),
        "sample": _told(criterion, grade),
    }


def _told(criterion: Criterion, grade: Grade) -> dict[str, JSON] | None:
    if grade.failure is not None:
        return {"error": _failed(grade.failure)}
    if criterion.type.endswith("_model"):  # a judge's words; what others compare is in the item
        return {key: value for key, value in grade.detail.items() if key != "messages"}
    warning = grade.detail.get("warning")
    return None if warning is None else {"warning": warning}


def _failed(failure: Failure) -> dict[str, JSON]:
    told: dict[str, JSON] = {"code": failure.kind.value, "message": failure.message}
    return {**told, "reason": failure.reason} if failure.reason else told


def _sample(sample: Mapping[str, JSON], error: dict[str, JSON] | None) -> dict[str, JSON]:
    """A row's sample in the hosted shape. Rows are samples of others, who may not say all of it."""
    text = sample.get("output_text")
    usage = sample.get("usage")
    tokens = usage if isinstance(usage, dict) else {}
    return {
        "error": error,
        "input": _messages(sample.get("input")),
        "output": [{"role": "assistant", "content": text}] if isinstance(text, str) else [],
        "finish_reason": _finish_reason(sample),
        "usage": {key: _like(0, tokens.get(key)) for key in _TOKENS},
        **{key: _like(usual, sample.get(key)) for key, usual in _SETTINGS.items()},
    }


def _finish_reason(sample: Mapping[str, JSON]) -> str:
    match sample.get("choices"):
        case [{"finish_reason": str(reason)}, *_]:
            return reason
    return ""


def _messages(given: JSON) -> list[JSON]:
    if not isinstance(given, list):
        return []
    return [
        {"role": role, "content": content}
        for one in given
        if isinstance(one, dict)
        and isinstance(role := one.get("role"), str)
        and isinstance(content := one.get("content"), str)
    ]


def _like(usual: JSON, given: JSON) -> JSON:
    """A value, where it is of the type that belongs there."""
    if isinstance(usual, float) and type(given) is int:
        return float(given) if abs(given) < 1 << 53 else usual
    return given if type(given) is type(usual) else usual
