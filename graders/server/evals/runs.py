"""`/v1/evals/{id}/runs`: runs of evals, and what came of their rows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, get_args

from msgspec.structs import asdict

from graders.server.evals.items import Items
from graders.server.evals.output_items import Criterion
from graders.server.evals.running import Counts, Run, Status, grade_run
from graders.server.evals.sources import ID, check_kind, inline_file, source_of, to_lines
from graders.server.files import StoredFile, file_of, reading
from graders.server.labels import metadata_of, name_of
from graders.server.shared import Shared, shared
from graders.server.storage import encoded_list, new_id
from graders.server.transport.answers import ApiError, answer, answer_encoded, not_found
from graders.server.transport.bodies import checked, read_object
from graders.strict_json import encode
from sandbox import JSON

if TYPE_CHECKING:  # starlette is an extra
    from starlette.requests import Request
    from starlette.responses import Response

    from graders.server.evals.evals import Eval

_NOT_AGAIN: Final = {"x-should-retry": "false"}  # the SDKs would, at once


async def create(request: Request) -> Response:
    """`POST /v1/evals/{id}/runs`: the run is queued, and graded in the background."""
    server = shared(request)
    body = await read_object(request, server.limits)
    label = name_of(body.value, "run"), metadata_of(body.value)
    source = source_of(body.value.get("data_source"))
    rows = await checked(body, lambda: to_lines(source)) if isinstance(source, list) else None
    one = _eval(request)  # from here on, nothing is awaited until the run is its own
    check_kind(one.source)
    most = server.limits.runs_at_once + server.limits.waiting_runs
    if len(server.tasks) >= most:
        message = f"{most:,} runs wait or are graded, and no more may; wait until some have ended"
        raise ApiError(429, message, code="runs", headers=_NOT_AGAIN)
    name = new_id("evalrun_")
    with ExitStack() as held:
        file = inline_file(server, name, rows) if rows is not None else file_of(server, source, ID)
        held.enter_context(reading(server, file))
        run = _made(server, one, name, label, file)
        server.runs.add(name, run)
        run.held = held.pop_all()
    _start(server, run)
    return answer_encoded(await _read(lambda: _show(run)), 201)


def _made(
    server: Shared,
    one: Eval,
    name: str,
    label: tuple[str, dict[str, JSON] | None],
    file: StoredFile,
) -> Run:
    return Run(
        id=name,
        eval_id=one.id,
        name=label[0],
        metadata=label[1],
        created_at=int(time.time()),
        file=file,
        inline=not file.id,
        grader=one.grader,
        weight=one.weight,
        criteria=[Criterion(str(c["id"]), str(c["type"])) for c in one.criteria],
        items=Items(name, server.room.path(f"{name}.items"), server.room),
        counts=Counts([[0, 0] for _ in one.criteria]),
    )


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
    return answer_encoded(await _read(lambda: encoded_list(names, map(_show, runs), more)))


async def retrieve(request: Request) -> Response:
    """`GET /v1/evals/{id}/runs/{id}`."""
    run = _run(request)
    return answer_encoded(await _read(lambda: _show(run)))


async def cancel(request: Request) -> Response:
    """`POST /v1/evals/{id}/runs/{id}/cancel`, which SDKs before 3 call without its last part."""
    run = _run(request)
    if run.status in {"completed", "failed"}:
        message = f"the run is {run.status}, and cannot be cancelled any more"
        raise ApiError(400, message, code="run-ended")
    await _stop(run)
    return answer_encoded(await _read(lambda: _show(run)))


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
        run.held.close()
        run.items.remove()


async def _stop(run: Run) -> None:
    if run.task is not None and not run.task.done():
        run.task.cancel()
        await asyncio.wait({run.task})


async def list_items(request: Request) -> Response:
    """`GET /v1/evals/{id}/runs/{id}/output_items`."""
    run = _run(request)
    items = run.items
    positions, more = items.page(request.query_params)
    names = [items.name(position) for position in positions]
    page = await _read(lambda: encoded_list(names, items.read(positions), more))
    return answer_encoded(page)


async def retrieve_item(request: Request) -> Response:
    """`GET /v1/evals/{id}/runs/{id}/output_items/{id}`."""
    run, name = _run(request), request.path_params["item"]
    position = run.items.position(name)
    if position is None:
        raise not_found("output item", name)
    return answer_encoded(await _read(lambda: b"".join(run.items.read([position]))))


async def _read(read: Callable[[], bytes]) -> bytes:
    """What is read from the disk, in a thread.

    Raises:
        ApiError: 409, a run was deleted meanwhile; the SDKs ask again, and learn which.
    """
    try:
        return await asyncio.to_thread(read)
    except FileNotFoundError:
        raise ApiError(409, "a run was deleted meanwhile; ask again", code="changed") from None


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
