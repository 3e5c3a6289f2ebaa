"""`endpoint` (Azure preview): an HTTP service gets sample and item and answers with the score."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from uuid import UUID

from graders.clients import EndpointClient
from graders.clients.masked import masked_text, masked_url
from graders.config.graders import EndpointConfig
from graders.errors import FailureKind, GradingError
from graders.grades import Grade, Waits, finite_number, grade_each, passes, signed
from graders.rows import Row
from graders.strict_json import encode
from graders.terminal import shorten
from sandbox import JSON


@dataclass(frozen=True, slots=True)
class EndpointGrader:
    """Compiled `endpoint`. Retries, limits and rates are the client's business."""

    config: EndpointConfig
    client: EndpointClient
    threshold: float | None

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def signature(self) -> str:
        return signed(f"endpoint|url:{masked_url(self.config.url)}", self.threshold)

    @property
    def waits(self) -> Waits:
        return "rows"

    async def grade(self, rows: Sequence[Row]) -> list[Grade]:
        return await grade_each(rows, self._ask)

    async def _ask(self, row: Row) -> Grade:
        started = perf_counter()
        score, failure = None, None
        body: dict[str, JSON] = {"sample": dict(row.sample), "item": dict(row.item)}
        body["trace_id"] = _trace_id(encode(body))
        url, headers, rate = self.config.url, self.config.headers, self.config.rate_limit
        try:
            score = _read(await self.client.post(url, headers, body, per_second=rate), self.config)
        except GradingError as error:
            failure = error.failure
        return Grade(
            name=self.name,
            score=score,
            failure=failure,
            passed=passes(score, self.threshold),
            seconds=perf_counter() - started,
        )


def _trace_id(body: bytes) -> str:
    """`trace_` and a UUID, as the service has it, but made of what is sent: equal for equal rows.

    Example:
        >>> _trace_id(b"{}")
        'trace_44136fa3-55b3-678a-1146-ad16f7e8649e'
    """
    return f"trace_{UUID(bytes=hashlib.sha256(body).digest()[:16])}"


def _read(answer: JSON, config: EndpointConfig) -> float:
    score = finite_number(answer.get("score")) if isinstance(answer, dict) else None
    if score is None:
        shown = shorten(masked_text(encode(answer).decode(), config.url, config.headers), 200)
        message = f'the endpoint answered {shown}, and {{"score": number}} is wanted'
        raise GradingError(FailureKind.ENDPOINT_SERVER, message, "bad_answer")
    return score
