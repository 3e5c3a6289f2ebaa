"""Ways to reach a model or an endpoint: one-method protocols, and what is sent and answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from graders.grades import Usage
from sandbox import JSON

asked_for: ContextVar[str] = ContextVar("asked_for", default="")
"""What a request is made for: a row, its sample, and a member: `12:0/judge`; "" if nobody says."""


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message. `content` is text, or blocks in the hosted words (`input_image`, ...)."""

    role: str
    content: str | Sequence[JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """All that decides a reply.

    Attributes:
        model: The judge's name.
        messages: Rendered messages.
        schema: JSON Schema the reply must match, as the hosted `json_schema` format has it; None
            where any text will do.
        sampling: The config's sampling_params that are set, in the hosted words.
        repeat: Which of several equal requests this is, so that each has an answer of its own.
    """

    model: str
    messages: tuple[Message, ...]
    schema: Mapping[str, JSON] | None
    sampling: Mapping[str, JSON]
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """What the model said.

    Attributes:
        text: Its answer.
        refusal: Its words where it declined.
        truncated: Whether it was cut off.
        model: The name the service gives the model that answered.
        usage: Tokens, where the service says.
        cached: Whether it was answered before, and nothing was sent or paid.
        attempts: How often it was sent; 0 where it was answered before.
    """

    text: str = ""
    refusal: str | None = None
    truncated: bool = False
    model: str = ""
    usage: Usage | None = None
    cached: bool = False
    attempts: int = 1


class ModelClient(Protocol):
    """Sends one request; bounds its own concurrency.

    Raises `GradingError(FailureKind.MODEL_SERVER, ...)` when the service does not answer.
    """

    async def complete(self, request: ModelRequest) -> ModelReply: ...


class EndpointClient(Protocol):
    """Posts one grading to an endpoint grader and returns the JSON it answers.

    Sends at most `per_second` requests a second to an address, tries after failed ones included.
    Raises `GradingError` with an `endpoint_*` kind when there is no usable answer.
    """

    async def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: JSON,
        *,
        per_second: float | None = None,
    ) -> JSON: ...


# Made of what stands above; tests everywhere import it from here.
from graders.clients.scripted import ScriptedClient as ScriptedClient  # noqa: E402
