"""Where a service is, apart from what opens it, so that the one can be shown and the other not."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from graders.clients.masked import SHORTEST_IN_REPLIES, without
from graders.errors import GradersError

OPENAI_URL: Final = "https://api.openai.com/v1"

_SHOWN_IN_QUERY: Final = frozenset({"api-version"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A service's base URL, taken apart.

    Attributes:
        base_url: Scheme, host and path: nothing that is secret, no slash at the end.
        query: Parameters that every request has (`api-version`).
        api_key: Sent as `Authorization: Bearer`; None where the service wants none.
        basic: User and password of the URL as HTTP Basic has them, in place of the key; or None.
        secrets: Every form of key and password that could turn up in a text.
    """

    base_url: str
    query: Mapping[str, str]
    api_key: str | None = field(repr=False)
    basic: str | None = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    def scrub(self, text: str) -> str:
        """A text from the service with every secret in it replaced by three stars."""
        return without(self.secrets, text)

    def scrub_reply(self, text: str) -> str:
        """The same for a model's words, which a secret like "none" must not change."""
        return without(self.secrets, text, shortest=SHORTEST_IN_REPLIES)


def parse_address(url: str, api_key: str | None) -> Address:
    """Take a base URL and a key apart.

    Raises:
        GradersError: No such address is possible, or a key is missing or in the wrong place. The
            message holds no secret.

    Example:
        >>> parse_address("https://me:pw@judge.example/v1/", None)
        Address(base_url='https://judge.example/v1', query={})
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise GradersError(
            "the base URL is not an http(s) address; write it as https://HOST/v1 (not shown here, "
            "because it may hold a password)"
        )
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name in query.keys() - _SHOWN_IN_QUERY:
        raise GradersError(
            f"the base URL has the parameter {name!r}, and addresses are shown; only api-version "
            "may stand there. Give a key as the API key (OPENAI_API_KEY)"
        )
    userinfo, at, netloc = parts.netloc.rpartition("@")
    base_url = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))
    key = _checked_key(api_key)
    if key is None and not at and base_url.startswith("https://api.openai.com/"):
        raise GradersError(f"{base_url} wants an API key; set OPENAI_API_KEY")
    basic = base64.b64encode(unquote(userinfo).encode()).decode() if at else None
    password = userinfo.partition(":")[2]
    secrets = [key, basic, userinfo, unquote(userinfo), password, unquote(password)]
    known = tuple(secret for secret in secrets if secret)
    return Address(base_url=base_url, query=query, api_key=key, basic=basic, secrets=known)


def _checked_key(api_key: str | None) -> str | None:
    key = (api_key or "").strip()
    bad = next((i for i, c in enumerate(key) if not "!" <= c <= "~"), None)
    if bad is not None:
        raise GradersError(
            f"the API key's character {bad + 1} of {len(key)} cannot stand in a header; "
            "was it copied whole, and alone?"
        )
    return key or None
