"""What a service sends back when all is well: a chat completion."""

from __future__ import annotations

from typing import Final

from graders.clients import ModelReply
from graders.clients.faults import error_of
from graders.errors import FailureKind, GradingError
from graders.grades import Usage
from graders.strict_json import NotJSONError, decode
from graders.terminal import shorten
from sandbox import JSON

_FILTERED: Final = "the service's content filter stopped the answer"
_SHOWN: Final = 300
"""Columns of what a service said."""
_MOST_TOKENS: Final = 10**8
"""Of one answer. The longest contexts have ten million; more is a fault, or an attack on sums."""


def parse_completion(content: str) -> ModelReply:
    """Read the body of a successful answer.

    A message without text is an empty answer: what it counts as is up to who asked. No message
    at all is no answer: gateways send 200 with an error, or with nothing, when what is behind
    them fails.

    Raises:
        GradingError: It is not a chat completion.
    """
    try:
        body = decode(content)
    except NotJSONError as error:
        shown = shorten(content[:_SHOWN], 120)
        raise _bad_answer(f"not JSON ({error.problem}): {shown!r}") from None
    body = _object(body)
    choices = body.get("choices")
    choice = _object(choices[0] if isinstance(choices, list) and choices else None)
    filtered = choice.get("finish_reason") == "content_filter"
    if not isinstance(choice.get("message"), dict) and not filtered:
        raise _bad_answer(shorten(" ".join(error_of(content)[1].split()).rstrip("."), _SHOWN))
    message = _object(choice.get("message"))
    text, refusal = message.get("content"), message.get("refusal")
    if filtered:
        refusal = refusal or _FILTERED
    return ModelReply(
        text=text if isinstance(text, str) else "",
        refusal=refusal if isinstance(refusal, str) and refusal else None,
        truncated=choice.get("finish_reason") == "length",
        model=str(body.get("model") or ""),
        usage=read_usage(body.get("usage")),
    )


def _bad_answer(shown: str) -> GradingError:
    message = f"the answer is no chat completion: {shown}. Does the base URL end in /v1?"
    return GradingError(FailureKind.MODEL_SERVER, message, "bad_answer")


def read_usage(value: JSON) -> Usage | None:
    """The tokens a body says it took; None where it does not say, or says what cannot be.

    Example:
        >>> read_usage({"prompt_tokens": 3, "completion_tokens": 10**12}) is None
        True
    """
    if not isinstance(value, dict):
        return None
    said = [value.get(key) for key in ("prompt_tokens", "completion_tokens")]
    prompt, completion = map(_count, said)
    absurd = any(number is not None and _count(number) is None for number in said)
    if absurd or (prompt is None and completion is None):
        return None
    prompt, completion = prompt or 0, completion or 0
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=_count(value.get("total_tokens")) or prompt + completion,
        cached_tokens=_count(_object(value.get("prompt_tokens_details")).get("cached_tokens")) or 0,
    )


def _count(value: JSON) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= _MOST_TOKENS and value == int(value) else None


def _object(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}
