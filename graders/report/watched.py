"""Tools that keep what went through them: what was sent for which member, and what came back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from graders.clients import EndpointClient, ModelClient, ModelReply, ModelRequest, asked_for
from graders.clients.masked import masked_text, masked_url
from graders.compile import Tools
from graders.errors import Failure, GradingError
from graders.strict_json import encode
from sandbox import JSON, Call, Outcome, Sandbox

T = TypeVar("T")
Kept = defaultdict[str, list[T]]
"""What was kept, by what it was for, as `asked_for` has it: `3:0/judge`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a judge was asked, and its reply, or why there is none."""

    request: ModelRequest
    reply: ModelReply | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What an endpoint was sent, and its answer as JSON text, or why there is none.

    Credentials are masked in the address and in the answer.
    """

    url: str
    body: JSON
    answer: str | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """What went through the tools of one grading.

    Attributes:
        asked: Requests to judges.
        posted: Requests to endpoints.
        ran: What came of calls in the sandbox.
    """

    asked: Kept[Asked] = field(default_factory=lambda: defaultdict(list))
    posted: Kept[Posted] = field(default_factory=lambda: defaultdict(list))
    ran: Kept[Outcome] = field(default_factory=lambda: defaultdict(list))

    def over(self, tools: Tools) -> Tools:
        """The same tools, watched."""
        return replace(
            tools,
            client=tools.client and _Client(tools.client, self.asked),
            endpoint=tools.endpoint and _Endpoint(tools.endpoint, self.posted),
            sandbox=tools.sandbox and _Sandbox(tools.sandbox, self.ran),
        )


@dataclass(frozen=True, slots=True)
class _Client:
    client: ModelClient
    kept: Kept[Asked]

    async def complete(self, request: ModelRequest) -> ModelReply:
        try:
            reply = await self.client.complete(request)
        except GradingError as error:
            self.kept[asked_for.get()].append(Asked(request=request, failure=error.failure))
            raise
        self.kept[asked_for.get()].append(Asked(request=request, reply=reply))
        return reply


@dataclass(frozen=True, slots=True)
class _Endpoint:
    client: EndpointClient
    kept: Kept[Posted]

    async def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: JSON,
        *,
        per_second: float | None = None,
    ) -> JSON:
        sent = Posted(url=masked_url(url), body=body)
        kept = self.kept[asked_for.get()]
        try:
            answer = await self.client.post(url, headers, body, per_second=per_second)
        except GradingError as error:
            kept.append(replace(sent, failure=error.failure))
            raise
        shown = masked_text(encode(answer).decode(), url, headers)
        kept.append(replace(sent, answer=shown))
        return answer


@dataclass(frozen=True, slots=True)
class _Sandbox:
    box: Sandbox
    kept: Kept[Outcome]

    @property
    def layers(self) -> frozenset[str]:
        return self.box.layers

    @property
    def batch(self) -> int:
        return self.box.batch

    async def run(self, calls: Sequence[Call]) -> list[Outcome]:
        outcomes = await self.box.run(calls)
        self.kept[asked_for.get()] += outcomes
        return outcomes

    async def aclose(self) -> None:
        await self.box.aclose()
