"""`POST /get_reward`: the rewards that OpenRLHF asks a server for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, cast

from graders.engine import RunOptions, grade_stream
from graders.errors import Failure, FailureKind, GradingError, RowError, did_you_mean
from graders.grades import Grade, Grader
from graders.rows import Row
from graders.server.gradings import failed
from graders.server.shared import Shared, shared
from graders.server.transport.answers import ApiError, answer
from graders.server.transport.bodies import Body, checked, read_object
from graders.terminal import printable
from graders.trainers.queries import (
    UNKNOWN_END,
    answer_of,
    label_item,
    rows_of,
    settled,
    unknown_end,
)

if TYPE_CHECKING:  # starlette is an extra
    from starlette.requests import Request
    from starlette.responses import Response

_log: Final = logging.getLogger(__name__)


async def get_reward(request: Request) -> Response:
    """`POST /get_reward?grader=NAME`: {query, prompts, labels} → {rewards, scores, extra_logs}.

    A failure is no reward. It is answered with an error, unless the operator has named a number
    for it.
    """
    server = shared(request)
    name = _chosen(server, request.query_params.get("grader"))
    body = await read_object(request, server.limits)
    found = await checked(body, lambda: _rows(body, server))
    _warn_of_ends(server, name, found)
    rows = [row for row in found if isinstance(row, Row)]
    graded = await _graded(server.graders[name], rows, server.rewards.seconds)
    grades = settled(found, graded)
    _complain(server, name, grades)
    try:
        told = answer_of(grades, server.members[name], server.rewards.failed)
    except GradingError as error:
        raise failed(error.failure) from None
    return answer(told)


def _chosen(server: Shared, name: str | None) -> str:
    """The grader that is asked for, or the only one.

    Raises:
        ApiError: There is none, or none of that name, or there are several.
    """
    if name is None and len(server.graders) == 1:
        return next(iter(server.graders))
    if name is not None and name in server.graders:
        return name
    if not server.graders:
        problem = "no grader is served here; start the server with --grader NAME=CONFIG"
    elif name is None:
        problem = f"choose a grader with ?grader=NAME. {did_you_mean('', server.graders)}"
    else:
        problem = f"there is no grader {name!r:.80} here. {did_you_mean(name, server.graders)}"
    raise ApiError(404, problem, "grader", "grader")


def _rows(body: Body, server: Shared) -> list[Row | Failure]:
    """What is to be graded.

    OpenRLHF 0.9 sends no query at all to servers that it has nothing for, and up to 0.5 it sent
    no labels.

    Raises:
        ApiError: It is not what OpenRLHF sends, or too much.
        RowError: Each query needs a prompt of its own, and a label.
    """
    queries = _texts(body, "query")
    if len(queries) > server.limits.batch_gradings:
        message = f"there are more than the {server.limits.batch_gradings:,} that may be sent"
        raise ApiError(400, message, "query", "query")
    prompts = _texts(body, "prompts") if queries else []
    labels = body.value.get("labels", [None] * len(queries))
    if not isinstance(labels, list):
        raise ApiError(400, "labels is no list", "labels", "labels")
    return rows_of(queries, prompts, labels, server.rewards.end_tokens, item=label_item)


def _texts(body: Body, key: str) -> list[str]:
    texts = body.value.get(key)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ApiError(400, f"{key} is missing, or no list of texts", key, key)
    return cast(list[str], texts)


async def _graded(grader: Grader, rows: Sequence[Row], seconds: float) -> list[Grade]:
    """Grades of rows; what is not finished in time has failed."""
    grades: dict[int, Grade] = {}
    limit = asyncio.timeout(seconds)
    stream = grade_stream(grader, rows, RunOptions(), bad_line=_no_line)
    try:
        async with limit, aclosing(stream):
            async for graded in stream:
                grades |= {row.row: grade for row, grade, _ in graded}
                await asyncio.sleep(0)  # graders that only compute let nobody else in
    except TimeoutError:
        if not limit.expired():
            raise
    message = f"took longer than the {seconds:g} s that OpenRLHF may wait"
    late = Failure(kind=FailureKind.OTHER, reason="timeout", message=message)
    return [grades.get(row.row) or Grade(name=grader.name, failure=late) for row in rows]


def _complain(server: Shared, name: str, grades: Iterable[Grade]) -> None:
    """Log the first failure of each kind: OpenRLHF shows its user a status, and no message."""
    for grade in grades:
        if grade.failure is not None and (name, grade.failure.kind) not in server.complaints:
            server.complaints.add((name, grade.failure.kind))
            said = printable(grade.failure.message)
            _log.warning("no reward by %s, for the first time: %s", name, said)


def _warn_of_ends(server: Shared, name: str, found: Iterable[Row | Failure]) -> None:
    if (name, UNKNOWN_END) not in server.complaints and (end := unknown_end(found)):
        server.complaints.add((name, UNKNOWN_END))
        _log.warning(UNKNOWN_END, name, end, "--end-token")


def _no_line(error: RowError) -> None:
    raise error  # rows have been read
