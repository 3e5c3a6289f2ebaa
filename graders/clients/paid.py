"""Answers of one run, kept by the row they were for, so that none is paid for twice.

A run that was killed had answers that no result tells of yet. Unlike a cache, which gives equal
requests one answer, this keeps apart what different rows asked: their answers are independent
draws, as on the hosted service, whether or not the run was ever killed.
"""

from __future__ import annotations

from pathlib import Path

from graders.clients import ModelClient, ModelReply, ModelRequest
from graders.clients.cache import Cached


class PaidOnce:
    """A client that asks another only what the same row has not asked before."""

    def __init__(self, client: ModelClient, path: Path, *, identity: str) -> None:
        """Keep answers in a file, which is opened, or made, at the first request.

        Args:
            client: Whom to ask what is not known.
            path: The file; its folder may be made later.
            identity: Whose answers these are, as in `Cached`.
        """
        self._client, self._path, self._identity = client, path, identity
        self._kept: Cached | None = None

    async def complete(self, request: ModelRequest) -> ModelReply:
        if self._kept is None:
            self._kept = Cached(self._client, self._path, identity=self._identity, by_row=True)
        return await self._kept.complete(request)

    def close(self) -> None:
        """Close the file."""
        if self._kept is not None:
            self._kept.close()
