"""`/v1/fine_tuning/jobs` as a dry run: a job is linted and planned, and nothing is trained.

Such a job is `validating_files` until that is done, and then `succeeded` or `failed`. The SDKs
know six words, and scripts wait for `succeeded`, `failed` or `cancelled`; of these, `succeeded`
is the one for a job that nothing here would stop. What it lacks is what training makes:
`fine_tuned_model` and `trained_tokens` are null, and the first event says why.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from graders.errors import ConfigError, Finding, findings_of
from graders.jobs.job import Job, check_job
from graders.profile import Profile
from graders.server.checking import in_process
from graders.server.files import StoredFile, file_of, keep_file, reading
from graders.server.jobs.planning import Event, Fault, RowsFile, Tried, Work, event, try_out
from graders.server.jobs.stored import StoredJob, fixed_part, show
from graders.server.processes import ProcessDiedError
from graders.server.shared import Shared, shared
from graders.server.storage import Objects, Paging, list_of, new_id
from graders.server.transport.answers import ApiError, answer
from graders.server.transport.bodies import Body, read_object
from graders.strict_json import encode
from sandbox import JSON

if TYPE_CHECKING:  # starlette is an extra
    from starlette.requests import Request
    from starlette.responses import Response

_BODY_BYTES: Final = 1_000_000
"""Of a job, which is kept; the service takes sources of 256 kB at most."""
_NOT_AGAIN: Final = {"x-should-retry": "false"}
_PURPOSE: Final = "fine-tune"
_RESULTS: Final = "fine-tune-results"
_EVENTS: Final = "-events"
_METADATA: Final = re.compile(r"metadata\[.*\]", re.DOTALL)
_NEWEST_FIRST: Final = Paging(order="desc")
_DRY: Final = (
    "dry run: nothing is trained. Method and rows are checked, and what the job would take is "
    "planned, without measuring a grading,"
)


async def create(request: Request) -> Response:
    """`POST /v1/fine_tuning/jobs`."""
    server = shared(request)
    most = min(_BODY_BYTES, server.limits.body_bytes)
    body = await read_object(request, replace(server.limits, body_bytes=most))
    job = await _checked(server, body)
    files = [
        _rows_of(server, body.value[key], key)
        for key in ("training_file", "validation_file")
        if body.value.get(key) is not None
    ]
    if len(server.dry_runs) >= server.limits.plans_under_way:
        message = f"{len(server.dry_runs):,} jobs are under way, and no more may be; wait for some"
        raise ApiError(429, message, code="jobs", headers=_NOT_AGAIN)
    stored = _kept(server, body.value, job)
    held = ExitStack()
    for file in files:
        held.enter_context(reading(server, file))
    _start(server, stored, _work(server, body.value, files), held)
    return answer(show(stored))


def _start(server: Shared, job: StoredJob, work: Work, held: ExitStack) -> None:
    job.task = asyncio.create_task(_dry_run(server, job, work))
    server.dry_runs.add(job.task)

    def ended(task: asyncio.Task[None]) -> None:  # perhaps before it began
        server.dry_runs.discard(task)
        held.close()

    job.task.add_done_callback(ended)


async def _checked(server: Shared, body: Body) -> Job:
    """A job with no error in all that needs no row.

    Raises:
        ApiError: 400, its source is too hard to check.
        ConfigError: It has errors.
    """
    missing = [
        Finding(code="missing", severity="error", path=key, message="is missing")
        for key in ("model", "training_file")
        if body.value.get(key) is None or body.value[key] == ""
    ]
    if missing:
        raise ConfigError(*missing)
    found = await in_process(server, "method", _job_or_errors, body.value, server.profile)
    if isinstance(found, Job):
        return found
    raise ConfigError(*found)


def _job_or_errors(body: dict[str, JSON], profile: Profile) -> Job | Sequence[Finding]:
    try:
        job = check_job(body, profile)
    except ConfigError as error:
        return error.findings
    return findings_of("error", job.findings) or job


def _rows_of(server: Shared, name: JSON, param: str) -> StoredFile:
    """The file of rows that a body names.

    Raises:
        ApiError: 400, there is none, or it was not uploaded to be one.
    """
    file = file_of(server, name, param)
    if file.purpose != _PURPOSE:
        message = f"{param} was uploaded with the purpose {file.purpose!r}, and not {_PURPOSE!r}"
        raise ApiError(400, message, param, "purpose")
    return file


def _work(server: Shared, body: dict[str, JSON], files: Sequence[StoredFile]) -> Work:
    are_told_apart = len({file.name for file in files}) == len(files)
    rows = [RowsFile(file.path, file.name if are_told_apart else file.id) for file in files]
    return Work(
        body=body,
        target=server.target,
        profile=server.profile,
        training=rows[0],
        validation=rows[1] if len(rows) > 1 else None,
    )


def _kept(server: Shared, body: Mapping[str, JSON], job: Job) -> StoredJob:
    """A new job among the others. Nobody can delete one, so the oldest that has ended goes."""
    if len(server.jobs) >= server.limits.stored_objects:
        oldest = next((one for one in server.jobs if one.finished_at is not None), None)
        if oldest is not None:
            server.jobs.remove(oldest.id)
            server.room.drop(oldest.id)
            server.room.drop(oldest.id + _EVENTS)
    name = new_id("ftjob-")
    integrations = body.get("integrations") or []
    events = [event(f"{_DRY} for {server.target}")]
    if integrations:
        events.append(event("integrations are told nothing: nothing is trained", "warn"))
    metadata = body.get("metadata") or {}
    assert isinstance(metadata, dict), "checked"
    stored = StoredJob(id=name, path=server.room.path(name), metadata=metadata, events=events)
    server.jobs.add(name, stored)
    try:
        server.room.keep(name, encode(fixed_part(name, body, job)))
    except ApiError:
        server.jobs.remove(name)
        raise
    return stored


async def _dry_run(server: Shared, job: StoredJob, work: Work) -> None:
    try:
        _finish(server, job, await server.plans.call(try_out, work))
    except TimeoutError:
        message = f"the dry run took longer than {server.plans.seconds:g} s, and was ended"
        job.end("failed", message, Fault("timeout", message))
    except ProcessDiedError:
        message = "the process of the dry run died: it may take too much memory"
        job.end("failed", message, Fault("worker_died", message))
    except ApiError as error:  # no room for what it found
        job.end("failed", error.message, Fault(error.code or "storage-full", error.message))
    except Exception:  # a bug; nobody awaits the task
        logging.getLogger(__name__).exception("the dry run of %s failed", job.id)
    finally:
        if job.finished_at is None:
            message = "the server failed or was stopped, and its log says why"
            job.end("failed", message, Fault("server-error", message))


def _finish(server: Shared, job: StoredJob, tried: Tried) -> None:
    """Keep what came of a job.

    Raises:
        ApiError: There is no room for it.
    """
    server.room.keep(job.id + _EVENTS, encode([*job.events, *tried.events]))
    job.told, job.events = server.room.path(job.id + _EVENTS), []
    job.result = keep_file(server, f"{job.id}.json", _RESULTS, tried.plan).id
    if tried.fault is not None:
        job.end("failed", f"the job would fail: {tried.fault.message}", tried.fault)
        return
    said = "the dry run found nothing that would stop the job, and no model was made"
    job.end("succeeded", f"{said}; {job.result} has the plan")


async def list_all(request: Request) -> Response:
    """`GET /v1/fine_tuning/jobs`: the newest first; `metadata[KEY]=VALUE` or `metadata=null`."""
    query = request.query_params
    wanted = {key[9:-1]: query[key] for key in query if _METADATA.fullmatch(key)}

    def where(job: StoredJob) -> bool:
        if query.get("metadata") == "null":
            return not job.metadata
        return wanted.items() <= job.metadata.items()

    return answer(shared(request).jobs.page(query, show, where=where, paging=_NEWEST_FIRST))


async def retrieve(request: Request) -> Response:
    """`GET /v1/fine_tuning/jobs/{id}`."""
    return answer(show(_asked(request)))


async def cancel(request: Request) -> Response:
    """`POST /v1/fine_tuning/jobs/{id}/cancel`: what is under way is ended."""
    job = _asked(request)
    if job.finished_at is not None or job.task is None:
        message = f"the job has {job.status if job.status != 'cancelled' else 'been cancelled'}"
        raise ApiError(400, f"{message}, and cannot be cancelled", code="ended")
    job.end("cancelled", "the job was cancelled")
    job.task.cancel()
    await asyncio.wait([job.task])  # so that its place is free
    return answer(show(job))


async def pause_or_resume(request: Request) -> Response:
    """`POST /v1/fine_tuning/jobs/{id}/pause` and `.../resume`: there is no training to pause."""
    _asked(request)
    message = "a dry run trains nothing that could be paused or resumed; it ends by itself"
    raise ApiError(400, message, code="dry-run")


async def list_events(request: Request) -> Response:
    """`GET /v1/fine_tuning/jobs/{id}/events`: the newest first."""
    found = await asyncio.to_thread(_asked(request).all_events)
    events = Objects[Event]("event", len(found))
    for one in found:
        events.add(str(one["id"]), one)
    return answer(events.page(request.query_params, dict, paging=_NEWEST_FIRST))


async def checkpoints(request: Request) -> Response:
    """`GET /v1/fine_tuning/jobs/{id}/checkpoints`: there are none, as nothing is trained."""
    _asked(request)
    return answer(list_of([], has_more=False))


def _asked(request: Request) -> StoredJob:
    return shared(request).jobs.get(request.path_params["job"])
