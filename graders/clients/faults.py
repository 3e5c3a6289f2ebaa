"""What goes wrong with a service, named: error statuses, redirects, connections."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urljoin, urlsplit

from graders.errors import FailureKind, GradingError
from graders.strict_json import NotJSONError, decode, encode
from graders.terminal import shorten
from sandbox import JSON

_TO_DO: Final = {
    401: "Check the API key (OPENAI_API_KEY).",
    403: "The API key has no right to this; check its project and the model.",
    404: "Check the model's name, and that the base URL ends before /chat/completions (/v1).",
    413: "Render less into the messages.",
    429: "Ask less at once (--in-flight), less often (--rpm), or retry more often (--retries).",
}
_QUOTA: Final = "The account has no credit left, or a monthly limit is reached."
_THEIRS: Final = "The service is at fault: try later, or retry more often (--retries)."
_SHOWN: Final = 300
"""Columns of what a service said."""
_LONGEST_WAIT_SECONDS: Final = 120.0
"""Of a Retry-After. The SDK does not try again where a service asks for more."""


def status_failure(
    status: int, content: str, headers: Mapping[str, str] | None = None
) -> GradingError:
    """Name what an answer with an error status (400 or more) means.

    Args:
        status: The HTTP status.
        content: The body.
        headers: The answer's, with names in lower case or of any.

    Example:
        >>> str(status_failure(429, "", {"retry-after": "3600"}))
        'HTTP 429. The service asks not to be asked for 3,600 s, which is longer than we wait.'
    """
    error, said = error_of(content)
    shown = shorten(" ".join(said.split()).rstrip("."), _SHOWN)
    if error.get("code") == "content_filter":
        return GradingError(FailureKind.MODEL_REFUSAL, f"filtered: {shown}", "content_filter")
    quota = error.get("code") == "insufficient_quota"
    wait = _asked_wait_seconds(headers or {})
    if quota:
        to_do = _QUOTA
    elif wait > _LONGEST_WAIT_SECONDS:
        to_do = f"The service asks not to be asked for {wait:,.0f} s, which is longer than we wait."
    else:
        to_do = _TO_DO.get(status, _THEIRS if status >= 500 else "")
    reason = {429: "quota_exceeded" if quota else "rate_limited"}.get(status, f"http_{status}")
    message = f"HTTP {status}{': ' if shown else ''}{shown}. {to_do}".strip()
    return GradingError(FailureKind.MODEL_SERVER, message, reason)


def redirect_failure(status: int, asked: str, location: str) -> GradingError:
    """Name a redirect, which is not followed: prompts and keys go to whom the user named.

    Example:
        >>> str(redirect_failure(307, "http://a/v1", "https://b:99/x?key=1"))
        'HTTP 307 points to b:99, and redirects are not followed. If it is right, give its base URL'
    """
    try:
        parts = urlsplit(urljoin(f"{asked}/", location))
        host = parts.netloc.rpartition("@")[2]
    except ValueError:  # brackets without an address in them
        host = ""
    where = shorten(host, 80) or "nowhere"
    message = (
        f"HTTP {status} points to {where}, and redirects are not followed. "
        "If it is right, give its base URL"
    )
    return GradingError(FailureKind.MODEL_SERVER, message, "redirect")


def connection_failure(error: BaseException) -> GradingError:
    """Name what the SDK says of a connection."""
    # By the innermost cause, because aiohttp's refused and dropped connections arrive as timeouts.
    causes: list[BaseException] = []
    while error.__cause__ is not None:
        error = error.__cause__
        causes.append(error)
    names = [type(cause).__name__ for cause in causes]
    said = next(filter(None, map(str, causes)), "".join(names[:1]))
    if any(name == "ConnectError" or name.startswith("ClientConnector") for name in names):
        reason = "unreachable"
        problem = f"cannot connect ({said}). Is the server running, and is this its address?"
    elif causes and (isinstance(causes[-1], TimeoutError) or names[-1].endswith("Timeout")):
        reason = "timeout"
        problem = "no answer in time. Allow more seconds (--timeout), or ask less at once"
    else:
        reason, problem = "dropped", f"the connection broke off ({said})"
    return GradingError(FailureKind.MODEL_SERVER, problem, reason)


def error_of(content: str) -> tuple[dict[str, JSON], str]:
    """The `error` object of a body, or the body where it has none, and its words."""
    try:
        body = decode(content)
    except NotJSONError:
        return {}, content
    error = body.get("error", body) if isinstance(body, dict) else body
    said = error.get("message", error) if isinstance(error, dict) else error
    whole = error if isinstance(error, dict) else {}
    return whole, said if isinstance(said, str) else encode(said).decode(errors="replace")


def _asked_wait_seconds(headers: Mapping[str, str]) -> float:
    """What Retry-After and retry-after-ms ask for; 0 where they say nothing of use."""
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            return float(headers.get(name, "")) / per_second
        except ValueError:
            continue
    try:
        return parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return 0.0
