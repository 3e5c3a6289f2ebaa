"""Replies as JSON, for files: what was said and what it took, and nothing about the sending."""

from __future__ import annotations

import msgspec

from graders.clients import ModelReply
from sandbox import JSON

_SENDING = frozenset({"cached", "attempts"})


def to_kept(reply: ModelReply) -> dict[str, JSON]:
    """A reply as a JSON object.

    Example:
        >>> to_kept(ModelReply(text="4", attempts=3))
        {'text': '4', 'refusal': None, 'truncated': False, 'model': '', 'usage': None}
    """
    plain: dict[str, JSON] = msgspec.to_builtins(reply)
    return {key: value for key, value in plain.items() if key not in _SENDING}


def from_kept(value: JSON) -> ModelReply:
    """The reply that an object holds, marked as answered before.

    Raises:
        ValueError: It is not a reply; says what is wrong.

    Example:
        >>> from_kept({"text": "4"}).cached
        True
        >>> from_kept({"text": 4})
        Traceback (most recent call last):
        ValueError: not a reply: Expected `str`, got `int` - at `$.text`
    """
    try:
        if not isinstance(value, dict) or "text" not in value:
            raise ValueError("not a reply: no object with a text")
        return msgspec.convert({**value, "cached": True, "attempts": 0}, ModelReply)
    except msgspec.ValidationError as error:
        raise ValueError(f"not a reply: {error}") from None
