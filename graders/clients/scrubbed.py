"""A client whose words hold no secret: services and servers have been seen to echo keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from graders.clients import ModelClient, ModelReply, ModelRequest
from graders.errors import GradingError

_SHORTEST: Final = 8
"""Characters of a secret at least. Shorter ones are stand-ins such as "none", and common words."""


class Scrubbed:
    """A client that puts `***` where an answer or an error of another holds a secret.

    It stands next to the client it wraps, so that no cache, recording or result sees the secret.
    """

    def __init__(self, client: ModelClient, secrets: Iterable[str]) -> None:
        self._client = client
        self._secrets = [secret for secret in secrets if len(secret) >= _SHORTEST]

    async def complete(self, request: ModelRequest) -> ModelReply:
        try:
            reply = await self._client.complete(request)
        except GradingError as error:
            kind, message, reason = error.failure.kind, error.failure.message, error.failure.reason
            raise GradingError(kind, self._clean(message), self._clean(reason)) from None
        refusal = None if reply.refusal is None else self._clean(reply.refusal)
        text, model = self._clean(reply.text), self._clean(reply.model)
        return replace(reply, text=text, refusal=refusal, model=model)

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text
