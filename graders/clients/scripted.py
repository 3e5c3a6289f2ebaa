"""Stand-ins that answer from a function and keep what they were asked. For tests and dry runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from graders.clients import ModelReply, ModelRequest


@dataclass(frozen=True, slots=True)
class ScriptedClient:
    """A model that is a function of the request."""

    answer: Callable[[ModelRequest], ModelReply]
    asked: list[ModelRequest] = field(default_factory=list)

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.asked.append(request)
        return self.answer(request)
