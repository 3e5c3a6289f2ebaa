"""Addresses, and texts of services, without what is secret: three stars stand in its place."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

SHORTEST: Final = 4
"""Characters of a secret; what is shorter would be masked in every other word."""
SHORTEST_IN_REPLIES: Final = 8
"""The same in a model's words: it may well say "none" or "ollama", which local servers take for a
key."""


def without(secrets: Iterable[str], text: str, *, shortest: int = SHORTEST) -> str:
    """A text without secrets, the longest first, because one may hold another.

    Example:
        >>> without(["abcd", "abcd-efgh", "a"], "a key: abcd-efgh")
        'a key: ***'
    """
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= shortest:
            text = text.replace(secret, "***")
    return text


def masked_url(url: str) -> str:
    """An address without what may be a credential: user, password, query and fragment.

    Example:
        >>> masked_url("https://me:pw@host/grade?code=secret")
        'https://***@host/grade?***'
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets without an address in them
        return "***"
    _, at, host = parts.netloc.rpartition("@")
    netloc = f"***@{host}" if at else host
    query, fragment = ("***" if said else "" for said in (parts.query, parts.fragment))
    return urlunsplit(parts._replace(netloc=netloc, query=query, fragment=fragment))


def masked_text(text: str, url: str, headers: Mapping[str, str]) -> str:
    """A text without the credentials of an address and its headers, if it has them.

    They are looked for whole, in part (the `abc` of `Bearer abc`), and as HTTP sends them.

    Example:
        >>> masked_text("no such key: abc 123", "https://x/?code=abc%20123", {})
        'no such key: ***'
    """
    _, _, rest = url.partition("//")
    location, _, query = rest.partition("?")
    user = unquote(location.rpartition("@")[0])
    values = [*headers.values(), query, unquote(query), location.rpartition("@")[0], user]
    values.append(base64.b64encode(user.encode("utf-8", "surrogatepass")).decode())
    return without((word for value in values for word in (value, *_words(value))), text)


def _words(value: str) -> list[str]:
    """The parts of a header, a query or a user and password that could be echoed alone."""
    fields = value.replace("&", "\0").replace("=", "\0").replace(":", "\0").split("\0")
    return [*fields, *(word for field in fields for word in field.split())]
