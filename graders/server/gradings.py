"""Grading over HTTP: the hosted run and validate, batches, and the contract of endpoint graders."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

from graders.config.graders import walk
from graders.config.parse import Document
from graders.engine import FailurePolicy, RunOptions, as_row, grade_stream
from graders.errors import ConfigError, Failure, FailureKind, Finding, RowError, did_you_mean
from graders.grades import Grader
from graders.hosted import (
    answer_run,
    answer_validation,
    parse_request,
    parse_validation,
    prepare,
    row_of,
)
from graders.joins import Joined
from graders.results import DetailPolicy, to_lines
from graders.row_files import Reader, RowFormat
from graders.rows import Row, to_sample
from graders.server.checking import compiled, findings_about
from graders.server.recent import Known, weigh
from graders.server.settings import Limits
from graders.server.shared import Shared, shared
from graders.server.transport.answers import ApiError, answer, answer_encoded, not_found
from graders.server.transport.bodies import Body, checked, read_object
from graders.strict_json import encode

if TYPE_CHECKING:  # starlette is an extra
    from starlette.requests import Request
    from starlette.responses import Response

T = TypeVar("T")

_AT_ONCE: Final = 4_096
"""Gradings between which nobody else is let in."""
_MAY_RECOVER: Final = frozenset(
    {FailureKind.PYTHON_SERVER, FailureKind.MODEL_SERVER, FailureKind.ENDPOINT_SERVER}
)


async def run(request: Request) -> Response:
    """`POST /v1/fine_tuning/alpha/graders/run`."""
    server = shared(request)
    body = await read_object(request, server.limits)
    config = encode(body.value.get("grader"))
    match body.value, server.recent.get(config):
        case {"model_sample": str() | dict() as sample, "item": dict(item)}, Known() as known:
            row = await checked(body, lambda: Row(item=item, sample=to_sample(sample), row=1))
        case _:
            document = await checked(body, lambda: parse_request(body.value))
            known = await _prepared(server, body, document)
            row = await checked(body, lambda: row_of(document))
            server.recent.keep(config, known)
    server.refuse_huge(known.weight, body.size)
    return answer(await answer_run(known.prepared, row))


async def _prepared(server: Shared, body: Body, document: Document) -> Known:
    findings = await findings_about(server, body, document)
    return await checked(
        body,
        lambda: Known(
            prepare(document, findings, tools=server.tools, profile=server.profile),
            weigh(document),
        ),
    )


async def validate_grader(request: Request) -> Response:
    """`POST /v1/fine_tuning/alpha/graders/validate`."""
    server = shared(request)
    body = await read_object(request, server.limits)
    document = await checked(body, lambda: parse_validation(body.value))
    findings = await findings_about(server, body, document)
    return answer(await checked(body, lambda: answer_validation(document, findings)))


async def grade_batch(request: Request) -> Response:
    """`POST /grade`: rows in any of the shapes of a file's lines, and a result line for each.

    What is no row costs the others nothing: it is named beside the results.
    """
    server = shared(request)
    body = await read_object(request, server.limits)
    grader, members = await _grader_of(server, body)
    policy: FailurePolicy = _choice(body, "failures", FailurePolicy, "drop", without="stop")
    detail: DetailPolicy = _choice(body, "detail", DetailPolicy, "failures")
    signature = f"profile:{server.profile.name}|{grader.signature}"
    lines: list[bytes] = []
    bad: list[RowError] = []
    most, size = server.limits.batch_gradings // members, 0
    options = RunOptions(failures=policy, batch_size=max(1, min(256, _AT_ONCE // members)))
    stream = grade_stream(grader, _rows(body, most), options, bad_line=bad.append)
    async with aclosing(stream):
        async for graded in stream:
            more = to_lines(graded, signature=signature, detail=detail).results
            size += sum(map(len, more))
            _refuse_more(size, server.limits)
            lines += more
            await asyncio.sleep(0)  # graders that only compute let nobody else in
    wrong = encode([{"row": int(e.place.split(":")[1]), "message": e.problem} for e in bad])
    return answer_encoded(b'{"results":[%b],"bad_rows":%b}' % (b",".join(lines), wrong))


async def score(request: Request) -> Response:
    """`POST /endpoint/NAME`: {sample, item, trace_id} → {score}, as endpoint graders are asked.

    A failure is no score: it is answered with an error, which fails the row over there too.
    """
    server = shared(request)
    name = request.path_params["name"]
    if name not in server.graders:
        raise not_found("grader", name)
    body = (await read_object(request, server.limits)).value
    row = as_row({key: body[key] for key in ("item", "sample") if key in body}, 1)
    (grade,) = await server.graders[name].grade([row])
    if grade.failure is not None:
        raise failed(grade.failure)
    return answer({"score": grade.score})


def failed(failure: Failure) -> ApiError:
    """What a caller is told who can be told of no failure otherwise; 503 where it may recover."""
    status = 503 if failure.kind in _MAY_RECOVER else 422
    return ApiError(status, failure.message, code=failure.kind.value)


async def _grader_of(server: Shared, body: Body) -> tuple[Grader, int]:
    """The grader that a batch names, or brings, and how much one sample is for it.

    Raises:
        ApiError: It is too large, or too hard to check.
        ConfigError: There is none, or it is wrong.
    """
    match body.value.get("grader"):
        case str(name):
            if name in server.graders:
                return server.graders[name], 1
            problem = f"there is no grader {name!r:.80} here. {did_you_mean(name, server.graders)}"
        case dict(config):
            document = await checked(body, lambda: parse_validation({"grader": config}))
            weight = weigh(document)
            server.refuse_huge(weight, body.size)
            members = max(sum(1 for _ in walk(document.grader)), weight.answers)
            return await compiled(server, body, document, server.tools), members
        case _:
            problem = "is neither a grader's config nor the name of one that is served"
    raise ConfigError(Finding(code="grader", severity="error", path="grader", message=problem))


def _refuse_more(size: int, limits: Limits) -> None:
    if size > limits.results_bytes:
        message = (
            f"the results come to more than {limits.results_bytes:,} bytes; "
            "send fewer rows, or ask for less detail"
        )
        raise ApiError(400, message, "rows", "results-size")


def _rows(body: Body, most: int) -> Iterator[Row | RowError]:
    """The rows of a batch, as if they were the lines of a file.

    Raises:
        ApiError: It has none, or too many.
    """
    rows = body.value.get("rows")
    if not isinstance(rows, list):
        raise ApiError(400, "rows is missing, or no list", "rows", "rows")
    if len(rows) > most:
        raise _too_many(most)
    lines = (Joined(number, encode(row)) for number, row in enumerate(rows, start=1))
    return _counted(Reader("rows", RowFormat()).rows(lines), most)


def _counted(rows: Iterator[T], most: int) -> Iterator[T]:
    """The same, up to a number: a row may have many samples."""
    for count, row in enumerate(rows, start=1):
        if count > most:
            raise _too_many(most)
        yield row


def _too_many(most: int) -> ApiError:
    message = f"there are more than the {most:,} samples that this grader may be sent at once"
    return ApiError(400, message, "rows", "rows")


def _choice(body: Body, key: str, allowed: object, default: str, *, without: str = "") -> Any:
    """One of a few words in the body.

    Raises:
        ApiError: It is another.
    """
    words = [word for word in get_args(allowed) if word != without]
    if (given := body.value.get(key, default)) not in words:
        message = f"{key} is {given!r:.80}, and must be one of {', '.join(words)}"
        raise ApiError(400, message, key, "choice")
    return given
