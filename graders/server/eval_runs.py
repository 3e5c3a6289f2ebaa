"""`/v1/evals/{id}/runs`: runs of evals, and what came of their rows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, get_args

from msgspec.structs import asdict

from graders.server.answers import ApiError, answer, answer_encoded, not_found
from graders.server.bodies import checked, read_object
from graders.server.files import StoredFile, file_of, reading
from graders.server.items import Items
from graders.server.labels import metadata_of, name_of
from graders.server.output_items import Criterion
from graders.server.running import Counts, Run, Status, grade_run
from graders.server.shared import Shared, shared
from graders.server.storage import encoded_list, new_id, not_kept
from graders.strict_json import encode
from sandbox import JSON

if TYPE_CHECKING:  # starlette is an extra
    from starlette.requests import Request
    from starlette.responses import Response

    from graders.server.evals import Eval

_SAMPLING: Final = frozenset({"completions", "responses"})
_NOT_AGAIN: Final = {"x-should-retry": "false"}  # the SDKs would, at once


async def create(request: Request) -> Response:
    """`POST /v1/evals/{id}/runs`: the run is queued, and graded in the background."""
    server = shared(request)
    body = await read_object(request, server.limits)
    name, metadata = name_of(body.value, "run"), metadata_of(body.value)
    source = _source_of(body.value.get("data_source"))
    rows = await checked(body, lambda: _lines(source)) if isinstance(source, list) else None
    one = _eval(request)  # from here on, nothing is awaited until the run is its own
    _check_kind(one)
    most = server.limits.runs_at_once + server.limits.waiting_runs
    if len(server.tasks) >= most:
        message = f"{most:,} runs wait or are graded, and no more may; wait until some have ended"
        raise ApiError(429, message, code="runs", headers=_NOT_AGAIN)
    run_id = new_id("evalrun_")
    run = Run(
        id=run_id,
        eval_id=one.id,
        name=name,
        metadata=metadata,
        created_at=int(time.time()),
        file=file_of(server, source, "data_source.source.id")
        if rows is None
        else _inline_file(server, run_id, rows),
        inline=rows is not None,
        grader=one.grader,
        weight=one.weight,
        criteria=[Criterion(str(c["id"]), str(c["type"])) for c in one.criteria],
        items=Items(run_id, server.room.path(f"{run_id}.items"), server.room),
        counts=Counts([[0, 0] for _ in one.criteria]),
    )
    run.held.enter_context(reading(server, run.file))
    try:
        server.runs.add(run.id, run)
    except ApiError:
        _let_go(run)
        raise
    _start(server, run)
    return answer_encoded(await _read(run, lambda: _show(run)), 201)


def _start(server: Shared, run: Run) -> None:
    run.task = asyncio.create_task(grade_run(server, run))
    server.tasks.add(run.task)

    def ended(task: asyncio.Task[None]) -> None:
        server.tasks.discard(task)
        if not run.ended:  # it was cancelled before it began
            run.status = "canceled"
        if not run.inline:
            run.held.close()

    run.task.add_done_callback(ended)


def _check_kind(one: Eval) -> None:
    """Refuse a run of an eval whose rows only the service has.

    Raises:
        ApiError: 400.
    """
    if (kind := one.source["type"]) != "custom":
        message = (
            f"the eval's data_source_config is {kind}, and the service's logs are not here; "
            "make an eval with a custom one"
        )
        raise ApiError(400, message, "data_source", "unsupported")


def _source_of(source: JSON) -> JSON:
    """The rows of a run: a list of them, or what should be the id of a file.

    Raises:
        ApiError: 400, there are none.
    """
    at = "data_source"
    match source:
        case {"type": "jsonl", "source": {"type": "file_content", "content": [_, *_] as content}}:
            return content
        case {"type": "jsonl", "source": {"type": "file_content"}}:
            message = "content is missing, empty or no list"
            raise ApiError(400, message, f"{at}.source.content", "missing")
        case {"type": "jsonl", "source": {"type": "file_id", "id": str(name)}}:
            return name
        case {"type": "jsonl", "source": {"type": "file_id"}}:
            raise ApiError(400, "id is missing, or no text", f"{at}.source.id", "missing")
        case {"type": "jsonl"}:
            message = "source must be an object of type file_content or file_id"
            raise ApiError(400, message, f"{at}.source", "choice")
        case {"type": str(kind)} if kind in _SAMPLING:
            message = (
                f"a {kind} data source samples from a model, and this server only grades; sample "
                "with `graders sample`, and run over its rows with a jsonl data source"
            )
            raise ApiError(400, message, f"{at}.type", "unsupported")
        case {"type": other}:
            raise ApiError(400, f"type is {other!r:.80}, and must be jsonl", f"{at}.type", "choice")
        case _:
            raise ApiError(400, f"{at} is missing, or no object with a type", at, "missing")


def _lines(rows: Sequence[JSON]) -> bytes:
    return b"".join([encode(row) + b"\n" for row in rows])


def _inline_file(server: Shared, run_id: str, rows: bytes) -> StoredFile:
    """The rows of a request as a file; it is in no list, and goes with its last reader.

    Raises:
        ApiError: 400, there is no room for it.
    """
    path = server.room.path(f"{run_id}.jsonl")
    server.room.take(len(rows))
    try:
        path.write_bytes(rows)
    except OSError as error:
        path.unlink(missing_ok=True)
        server.room.give_back(len(rows))
        raise not_kept(error) from None
    return StoredFile(
        id="",
        name="content",
        purpose="evals",
        size=len(rows),
        created_at=int(time.time()),
        path=path,
        deleted=True,
    )


async def list_all(request: Request) -> Response:
    """`GET /v1/evals/{id}/runs`."""
    server, query = shared(request), request.query_params
    one = _eval(request)
    status = query.get("status")
    if status is not None and status not in get_args(Status):
        message = f"status is {status!r:.80}, and must be one of {', '.join(get_args(Status))}"
        raise ApiError(400, message, "status", "choice")
    names, more = server.runs.names(
        query, where=lambda run: run.eval_id == one.id and status in {None, run.status}
    )
    runs = [server.runs.get(name) for name in names]
    page = await asyncio.to_thread(lambda: encoded_list(names, map(_show, runs), more))
    return answer_encoded(page)


async def retrieve(request: Request) -> Response:
    """`GET /v1/evals/{id}/runs/{id}`."""
    run = _run(request)
    return answer_encoded(await _read(run, lambda: _show(run)))


async def cancel(request: Request) -> Response:
    """`POST /v1/evals/{id}/runs/{id}/cancel`, which SDKs before 3 call without its last part."""
    run = _run(request)
    if run.status in {"completed", "failed"}:
        message = f"the run is {run.status}, and cannot be cancelled any more"
        raise ApiError(400, message, code="run-ended")
    await _stop(run)
    return answer_encoded(await _read(run, lambda: _show(run)))


async def delete(request: Request) -> Response:
    """`DELETE /v1/evals/{id}/runs/{id}`: the run ends where it is, and its results go."""
    run = _run(request)
    await remove_run(shared(request), run)
    return answer({"object": "eval.run.deleted", "deleted": True, "run_id": run.id})


async def remove_run(server: Shared, run: Run) -> None:
    """End a run, and forget what came of it."""
    if run.id not in server.runs:
        return
    server.runs.remove(run.id)
    try:
        await _stop(run)
    finally:
        _let_go(run)


async def _stop(run: Run) -> None:
    if run.task is not None and not run.task.done():
        run.task.cancel()
        await asyncio.wait({run.task})


def _let_go(run: Run) -> None:
    run.held.close()
    run.items.remove()


async def list_items(request: Request) -> Response:
    """`GET /v1/evals/{id}/runs/{id}/output_items`."""
    run = _run(request)
    items = run.items
    positions, more = items.page(request.query_params)
    names = [items.name(position) for position in positions]
    page = await _read(run, lambda: encoded_list(names, items.read(positions), more))
    return answer_encoded(page)


async def retrieve_item(request: Request) -> Response:
    """`GET /v1/evals/{id}/runs/{id}/output_items/{id}`."""
    run, name = _run(request), request.path_params["item"]
    position = run.items.position(name)
    if position is None:
        raise not_found("output item", name)
    return answer_encoded(await _read(run, lambda: b"".join(run.items.read([position]))))


async def _read(run: Run, read: Callable[[], bytes]) -> bytes:
    """What is read from the disk, in a thread.

    Raises:
        ApiError: 404, the run was deleted meanwhile.
    """
    try:
        return await asyncio.to_thread(read)
    except FileNotFoundError:
        raise not_found("run", run.id) from None


def _eval(request: Request) -> Eval:
    return shared(request).evals.get(request.path_params["eval"])


def _run(request: Request) -> Run:
    one, name = _eval(request), request.path_params["run"]
    run = shared(request).runs.get(name)
    if run.eval_id != one.id:
        raise not_found("run", name)
    return run


def _show(run: Run) -> bytes:
    """A run as JSON; its rows are read from the disk."""
    counts = run.counts
    shown = encode(
        {
            "object": "eval.run",
            "id": run.id,
            "eval_id": run.eval_id,
            "name": run.name,
            "created_at": run.created_at,
            "status": run.status,
            "model": "",
            "report_url": "",
            "error": run.error,
            "metadata": run.metadata,
            "result_counts": {
                "total": counts.passed + counts.failed,
                "passed": counts.passed,
                "failed": counts.failed,
                "errored": counts.errored,
            },
            "per_testing_criteria_results": [
                {"testing_criteria": criterion.id, "passed": passed, "failed": failed}
                for criterion, (passed, failed) in zip(run.criteria, counts.criteria, strict=True)
            ],
            "per_model_usage": [
                {"model_name": model, "invocation_count": times, **asdict(used)}
                for model, (times, used) in counts.usage.items()
            ],
        }
    )
    return b'{"data_source":{"type":"jsonl","source":%b},%b' % (_show_source(run), shown[1:])


def _show_source(run: Run) -> bytes:
    if not run.inline:
        return encode({"type": "file_id", "id": run.file.id})
    rows = run.file.path.read_bytes().rstrip(b"\n").replace(b"\n", b",")
    return b'{"type":"file_content","content":[%b]}' % rows
