"""What a service sends back: a chat completion to be read, or a fault to be named."""

from __future__ import annotations

from typing import Final

from graders.clients import ModelReply
from graders.errors import FailureKind, GradingError
from graders.grades import Usage
from graders.strict_json import NotJSONError, decode, encode
from graders.terminal import shorten
from sandbox import JSON

_FILTERED: Final = "the service's content filter stopped the answer"
_TO_DO: Final = {
    401: "Check the API key (OPENAI_API_KEY).",
    403: "The API key has no right to this; check its project and the model.",
    404: "Check the model's name, and that the base URL ends before /chat/completions (/v1).",
    413: "Render less into the messages.",
    429: "Ask less at once (in flight), less often (requests a minute), or retry more often.",
}
_QUOTA: Final = "The account has no credit left, or a monthly limit is reached."
_THEIRS: Final = "The service is at fault: try later, or retry more often."
_SHOWN: Final = 300
"""Columns of what a service said."""


def parse_completion(content: str) -> ModelReply:
    """Read the body of a successful answer.

    No choices, or a message without text, is an empty answer: what it counts as is up to who
    asked. Tokens that a service does not count are 0.

    Raises:
        GradingError: It is not a chat completion.
    """
    try:
        body = decode(content)
    except NotJSONError as error:
        shown = shorten(content[:_SHOWN], 120)
        raise _bad_answer(f"not JSON ({error.problem}): {shown!r}") from None
    if not isinstance(body, dict) or ("choices" not in body and "error" in body):
        raise _bad_answer(shorten(encode(body).decode(errors="replace"), _SHOWN))
    choices = body.get("choices")
    choice = _object(choices[0] if isinstance(choices, list) and choices else None)
    message = _object(choice.get("message"))
    text, refusal = message.get("content"), message.get("refusal")
    if choice.get("finish_reason") == "content_filter":
        refusal = refusal or _FILTERED
    return ModelReply(
        text=text if isinstance(text, str) else "",
        refusal=refusal if isinstance(refusal, str) and refusal else None,
        truncated=choice.get("finish_reason") == "length",
        model=str(body.get("model") or ""),
        usage=read_usage(body.get("usage")),
    )


def status_failure(status: int, content: str) -> GradingError:
    """Name what an answer with an error status (400 or more) means."""
    error, said = _error(content)
    shown = shorten(" ".join(said.split()).rstrip("."), _SHOWN)
    if error.get("code") == "content_filter":
        return GradingError(FailureKind.MODEL_REFUSAL, f"filtered: {shown}", "content_filter")
    quota = error.get("code") == "insufficient_quota"
    to_do = _QUOTA if quota else _TO_DO.get(status, _THEIRS if status >= 500 else "")
    reason = {429: "quota_exceeded" if quota else "rate_limited"}.get(status, f"http_{status}")
    message = f"HTTP {status}{': ' if shown else ''}{shown}. {to_do}".strip()
    return GradingError(FailureKind.MODEL_SERVER, message, reason)


def _error(content: str) -> tuple[dict[str, JSON], str]:
    """The `error` object of a body, or the body where it has none, and its words."""
    try:
        body = decode(content)
    except NotJSONError:
        return {}, content
    error = body.get("error", body) if isinstance(body, dict) else body
    said = error.get("message", error) if isinstance(error, dict) else error
    return _object(error), said if isinstance(said, str) else encode(said).decode()


def _bad_answer(shown: str) -> GradingError:
    message = f"the answer is no chat completion: {shown}. Does the base URL end in /v1?"
    return GradingError(FailureKind.MODEL_SERVER, message, "bad_answer")


def read_usage(value: JSON) -> Usage | None:
    """The tokens that a body says it took; None where it does not say."""
    if not isinstance(value, dict):
        return None
    prompt, completion = _count(value, "prompt_tokens"), _count(value, "completion_tokens")
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=_count(value, "total_tokens") or prompt + completion,
        cached_tokens=_count(_object(value.get("prompt_tokens_details")), "cached_tokens"),
    )


def _count(value: dict[str, JSON], key: str) -> int:
    number = value.get(key)
    return int(number) if isinstance(number, (int, float)) and number > 0 else 0


def _object(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}
