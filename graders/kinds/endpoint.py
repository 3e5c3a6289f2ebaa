"""`endpoint` (Azure preview): an HTTP service gets sample and item and answers with the score."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlsplit, urlunsplit

from graders.clients import EndpointClient
from graders.config.graders import EndpointConfig
from graders.errors import FailureKind, GradingError
from graders.grades import Grade, finite_number, grade_each, passes, signed
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

    async def grade(self, rows: Sequence[Row]) -> list[Grade]:
        return await grade_each(rows, self._ask)

    async def _ask(self, row: Row) -> Grade:
        started = perf_counter()
        score, failure = None, None
        body: dict[str, JSON] = {"sample": dict(row.sample), "item": dict(row.item)}
        body["trace_id"] = hashlib.sha256(encode(body)).hexdigest()[:32]
        try:
            score = _read(await self.client.post(self.config.url, self.config.headers, body))
        except GradingError as error:
            failure = error.failure
        return Grade(
            name=self.name,
            score=score,
            failure=failure,
            passed=passes(score, self.threshold),
            seconds=perf_counter() - started,
        )


def masked_url(url: str) -> str:
    """An address without what may be a credential: user, password and query.

    Example:
        >>> masked_url("https://me:pw@host/grade?code=secret")
        'https://***@host/grade?***'
    """
    parts = urlsplit(url)
    _, at, host = parts.netloc.rpartition("@")
    netloc = f"***@{host}" if at else host
    return urlunsplit(parts._replace(netloc=netloc, query="***" if parts.query else ""))


def _read(answer: JSON) -> float:
    score = finite_number(answer.get("score")) if isinstance(answer, dict) else None
    if score is None:
        shown = shorten(encode(answer).decode(), 200)
        message = f'the endpoint answered {shown}, and {{"score": number}} is wanted'
        raise GradingError(FailureKind.ENDPOINT_SERVER, message, "bad_answer")
    return score
