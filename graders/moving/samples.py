"""Rows from output items: the item, the sample that was graded, and what the service made of it.

An output item tells a sample as messages; graders read `output_text` and `choices`. The hosted
scores stand beside both, as `hosted`, where no template and no grader sees them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from graders.grades import finite_number
from graders.lines import kind_of
from sandbox import JSON

_KEPT: Final = ("model", "input", "usage")
"""What is kept of a sample besides its output, where the service says it."""
_ROW: Final = frozenset({"item", "sample"})


def to_line(output_item: Mapping[str, Any]) -> dict[str, Any]:
    """The line of a file of rows.

    Args:
        output_item: As the API or an SDK gives it.

    Raises:
        ValueError: It lacks what it should have; says what.

    Example:
        >>> to_line({"datasource_item": {"answer": "4"}, "status": "pass",
        ...          "sample": {"output": [{"role": "assistant", "content": "4"}]},
        ...          "results": [{"name": "exact", "score": 1.0, "passed": True}]})["sample"]
        {'output_text': '4'}
    """
    item, beside = _item_of(output_item.get("datasource_item"))
    told = output_item.get("sample")
    if not isinstance(told, dict):
        raise ValueError(f"sample is {kind_of(told)}, and must be an object")  # noqa: TRY004
    sample = _sample_of(told)
    if "output_text" not in sample and beside is not None:
        sample = {**beside, **sample}
    return {"item": item, "sample": sample, "hosted": _hosted(output_item, told)}


def _item_of(given: Any) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The item, and a sample of the data set. Some dumps have the line of the data set in it."""
    match given:
        case {"item": dict(item)} if given.keys() <= _ROW:
            sample = given.get("sample")
            return item, sample if isinstance(sample, dict) else None
        case dict():
            return given, None
    raise ValueError(f"datasource_item is {kind_of(given)}, and must be an object")


def _sample_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """The sample that graders read; without a text where the service shows none."""
    sample: dict[str, Any] = {}
    message = _last_message(told.get("output"))
    if message is not None:
        text = _text(message.get("content"))
        if text is not None:
            sample["output_text"] = text
        reason = told.get("finish_reason")
        ended = reason if isinstance(reason, str) and reason else "stop"
        if message.get("tool_calls") or ended != "stop":
            said = {key: value for key, value in message.items() if value is not None}
            choice = {"index": 0, "message": {"tool_calls": [], **said}, "finish_reason": ended}
            sample["choices"] = [choice]
    return {**sample, **{key: told[key] for key in _KEPT if _says(told.get(key))}}


def _says(value: Any) -> bool:
    """Whether a field says something; where nobody counted, tokens are all 0."""
    return any(value.values()) if isinstance(value, dict) else bool(value)


def _last_message(output: JSON) -> dict[str, Any] | None:
    messages = [one for one in output if isinstance(one, dict)] if isinstance(output, list) else []
    spoken = [one for one in messages if one.get("role", "assistant") == "assistant"]
    return spoken[-1] if spoken else None


def _text(content: Any) -> str | None:
    match content:
        case str():
            return content
        case [_, *_]:
            parts = [one.get("text") if isinstance(one, dict) else one for one in content]
            texts = [part for part in parts if isinstance(part, str)]
            return "".join(texts) if len(texts) == len(parts) else None
    return None


def _hosted(output_item: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    results = output_item.get("results")
    if not isinstance(results, list):
        raise ValueError(f"results is {kind_of(results)}, and must be a list")  # noqa: TRY004
    ids = {key: output_item.get(key) for key in ("eval_id", "run_id", "id", "status")}
    hosted = {key: value for key, value in ids.items() if value is not None}
    if told.get("error"):
        hosted["error"] = told["error"]
    return {**hosted, "results": [_result(i, one) for i, one in enumerate(results)]}


def _result(position: int, result: Any) -> dict[str, Any]:
    match result:
        case {"name": str(name), "score": score} if (
            score is None or finite_number(score) is not None
        ):
            judged: dict[str, Any] = {"name": name, "score": score, "passed": result.get("passed")}
            error = _error_of(result)
            return {**judged, "error": error} if error else judged
    raise ValueError(f"results[{position}] lacks a name, or a number or null as its score")


def _error_of(result: Mapping[str, Any]) -> Any:
    """Why there is no score, where something says it: Azure has its word for it in the label."""
    sample = result.get("sample")
    error = sample.get("error") if isinstance(sample, dict) else None
    if error or result["score"] is not None:
        return error
    return next((result[key] for key in ("error", "reason", "label") if result.get(key)), None)
