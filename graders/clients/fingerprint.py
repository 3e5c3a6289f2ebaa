"""One name for everything that decides a reply, so that equal requests are asked once."""

from __future__ import annotations

import hashlib
import json
from typing import Final

import msgspec

from graders.clients import ModelRequest

_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def fingerprint(request: ModelRequest, base_url: str = "") -> str:
    """SHA-256, in hex, of the canonical request: keys sorted, no spaces, UTF-8.

    Args:
        request: What is asked.
        base_url: Where, if two servers' answers to it are not the same answer.

    Example:
        >>> one = ModelRequest(model="m", messages=(), schema=None, sampling={"a": 1, "b": 2})
        >>> two = ModelRequest(model="m", messages=(), schema=None, sampling={"b": 2, "a": 1})
        >>> fingerprint(one) == fingerprint(two), fingerprint(one) == fingerprint(one, "http://x")
        (True, False)
    """
    value = {"base_url": base_url, "request": request}
    try:
        canonical = _encode(value)
    except UnicodeEncodeError:  # a lone surrogate, which rows may hold and UTF-8 has not
        plain = msgspec.to_builtins(value)
        canonical = json.dumps(plain, sort_keys=True, separators=(",", ":")).encode("ascii")
    return hashlib.sha256(canonical).hexdigest()
