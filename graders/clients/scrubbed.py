"""A client whose words hold no secret: services and servers have been seen to echo keys."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from graders.clients import ModelClient, ModelReply, ModelRequest
from graders.clients.masked import SHORTEST_IN_REPLIES, without
from graders.errors import FailureKind, GradersError, GradingError


class ClientError(GradersError):
    """A client that does not do what a `ModelClient` does. Ends a run."""


class Scrubbed:
    """A client that puts `***` where an answer or an error of another holds a secret.

    It stands next to the client it wraps, so that no cache, recording or result sees the secret.
    A user's client may raise what it likes: errors of the network are a row's failure, as they
    would be of our own client, and anything else ends the run with its place and text.
    """

    def __init__(self, client: ModelClient, secrets: Iterable[str]) -> None:
        self._client, self._secrets = client, [*secrets]

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask the other client.

        Raises:
            GradingError: It fails, without secrets; `unreachable` or `timeout` for an OSError.
            ClientError: It raises something else, or its answer is no `ModelReply`.
        """
        outcome = await self._try(request)
        if isinstance(outcome, GradersError):
            raise outcome  # outside of the except block: the error with the secret is no context
        if not isinstance(outcome, ModelReply) or not isinstance(outcome.text, str):
            what = type(outcome).__name__
            what = f"{what} whose text is no str" if isinstance(outcome, ModelReply) else what
            raise ClientError(
                f"{_name(self._client)} answered with a {what}; return a graders.clients.ModelReply"
            )
        refusal = None if outcome.refusal is None else self._clean(outcome.refusal)
        text, model = self._clean(outcome.text), self._clean(outcome.model)
        return replace(outcome, text=text, refusal=refusal, model=model)

    async def _try(self, request: ModelRequest) -> object:
        try:
            return await self._client.complete(request)
        except Exception as error:  # the user's code may raise anything
            ended = self._ended(error)
            if ended is error:
                raise
            # What raises one error again and again would have it grow with every call.
            error.__traceback__ = None
            return ended

    def _ended(self, error: Exception) -> GradersError:
        """What becomes of an error: itself, where it is meant to end the run in its own words."""
        match error:
            case GradingError(failure=failure):
                message, reason = self._clean(failure.message), self._clean(failure.reason)
                return GradingError(failure.kind, message, reason)
            case GradersError():
                text = self._clean(str(error))
                return error if text == str(error) else ClientError(text)
            case OSError():
                reason = "timeout" if isinstance(error, TimeoutError) else "unreachable"
                return GradingError(FailureKind.MODEL_SERVER, self._said(error), reason)
        (last,) = traceback.extract_tb(error.__traceback__, limit=-1)
        place = f"{Path(last.filename).name}:{last.lineno}"
        return ClientError(
            f"{_name(self._client)} failed at {place}: {self._said(error)}; raise "
            "graders.errors.GradingError(FailureKind.MODEL_SERVER, ...) for what is one row's"
        )

    def _said(self, error: Exception) -> str:
        text = self._clean(str(error))
        return f"{type(error).__name__}: {text}" if text else type(error).__name__

    def _clean(self, text: str) -> str:
        return without(self._secrets, text, shortest=SHORTEST_IN_REPLIES)


def _name(client: ModelClient) -> str:
    return f"the client {type(client).__name__}"
