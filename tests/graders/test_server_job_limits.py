"""Fine-tuning jobs that wait, take too long or find no room, and what they must not tell."""

import os

import openai
import pytest
from fine_tuning import (
    GOOD,
    JOBS,
    MANY,
    MODEL,
    ended,
    events,
    method,
    start,
    upload,
)
from sample_configs import EXACT
from served import serving as commanded
from serving import jsonl, serving
from stand_ins import REMOTE, breaks

from graders.server.settings import Limits, Settings

pytestmark = pytest.mark.long  # nearly each starts a server of its own


@pytest.fixture(scope="module")
def server():
    with serving() as served:
        yield served


def test_a_job_that_waits_and_one_under_way_are_cancelled():
    """The process of the latter is ended, and the next job has its place."""
    with serving(plans_at_once=1) as server:
        slow, waiting, last = start(server, MANY), start(server, GOOD), start(server, GOOD)
        cancel = server.openai.fine_tuning.jobs.cancel
        for job in (waiting, slow):
            assert server.openai.fine_tuning.jobs.retrieve(job.id).status == "validating_files"
            cancelled = cancel(job.id)
            assert (cancelled.status, cancelled.error) == ("cancelled", None)
            assert cancelled.finished_at is not None
            told = [one.message for one in events(server, job)]
            assert told[1:] == ["the job was cancelled"]
            with pytest.raises(openai.BadRequestError, match="has been cancelled, and cannot be"):
                cancel(job.id)

        assert ended(server, last).status == "succeeded"
        statuses = [one.status for one in server.openai.fine_tuning.jobs.list()]
        assert statuses == ["succeeded", "cancelled", "cancelled"]


def test_a_bug_in_a_dry_run_fails_the_job_and_is_logged(monkeypatch):
    """Nobody awaits its task, which would keep the exception to itself."""
    monkeypatch.setattr("graders.server.jobs.jobs.try_out", breaks)
    with serving() as server:
        job = ended(server, start(server, GOOD))
        logged = server.complaint()

    assert (job.status, job.error.code) == ("failed", "server-error")
    assert f"the dry run of {job.id} failed" in logged
    assert "ZeroDivisionError: a bug" in logged


def test_others_are_answered_while_a_job_is_under_way(server):
    """It is computed beside the server."""
    job = start(server, jsonl(*GOOD) * 1_000)
    answered = 0
    while server.openai.fine_tuning.jobs.retrieve(job.id).finished_at is None:
        answered += 1

    assert answered > 20


def test_a_job_that_takes_too_long_has_failed():
    """And says so."""
    with serving(plan_seconds=0.01) as server:
        job = ended(server, start(server, GOOD))

        message = "the dry run took longer than 0.01 s, and was ended"
        assert job.error.to_dict() == {"code": "timeout", "message": message, "param": None}
        assert (job.status, job.result_files) == ("failed", [])
        assert [one.level for one in events(server, job)] == ["info", "error"]


def test_a_job_whose_process_dies_has_failed():
    """The next one does not know of it."""
    with serving(plans_at_once=1) as server:
        ended(server, start(server, GOOD))
        (process,) = server.shared.plans.idle
        job = start(server, MANY)
        while server.shared.plans.idle:
            pass
        os.kill(process.pid, 9)

        job = ended(server, job)
        assert (job.error.code, job.error.message) == (
            "worker_died",
            "the process of the dry run died: it may take too much memory",
        )
        assert ended(server, start(server, GOOD)).status == "succeeded"


def test_a_server_stops_while_jobs_are_under_way():
    """Nothing is logged, and nothing left behind: `serving` looks."""
    with serving(plans_at_once=1) as server:
        for _ in range(3):
            start(server, MANY)


def test_more_jobs_than_may_wait_are_refused_for_now():
    """The SDKs do not insist."""
    with serving(plans_at_once=1, plans_under_way=1) as server:
        slow = start(server, MANY)
        body = {"model": MODEL, "training_file": upload(server, GOOD), "method": method()}
        answer = server.client.post(JOBS, json=body)

        error = server.error(answer, 429)
        assert error["message"] == "1 jobs are under way, and no more may be; wait for some"
        assert answer.headers["x-should-retry"] == "false"
        server.openai.fine_tuning.jobs.cancel(slow.id)
        assert ended(server, start(server, GOOD)).status == "succeeded"


def test_the_oldest_job_that_has_ended_makes_room():
    """Nobody can delete one."""
    with serving(stored_objects=2) as server:
        training = upload(server, GOOD)
        given = {"model": MODEL, "training_file": training, "method": method()}
        jobs = []
        for _ in range(4):
            job = ended(server, server.openai.fine_tuning.jobs.create(**given))
            jobs.append(job.id)
            for name in job.result_files:
                server.openai.files.delete(name)

        assert [one.id for one in server.openai.fine_tuning.jobs.list()] == jobs[:1:-1]
        room = server.shared.room.path("x").parent
        kept = {path.name for path in room.iterdir()}
        assert kept == {training, *jobs[2:], *(f"{job}-events" for job in jobs[2:])}


def test_a_job_without_room_for_its_plan_has_failed():
    """It says what is full."""
    with serving(stored_objects=1) as server:
        job = ended(server, start(server, GOOD))

        assert (job.status, job.error.code) == ("failed", "storage-full")
        assert job.error.message == "the server keeps 1 files, and no more; delete some"
        assert job.result_files == []
        assert events(server, job)[-1].message == job.error.message


def test_rows_that_are_deleted_meanwhile_are_read_to_their_end():
    """They are gone afterwards."""
    with serving(plans_at_once=1) as server:
        slow, waiting = start(server, MANY), start(server, GOOD)
        server.openai.files.delete(waiting.training_file)
        server.openai.fine_tuning.jobs.cancel(slow.id)

        assert ended(server, waiting).status == "succeeded"
        while server.shared.dry_runs:
            pass
        assert not server.shared.room.path(waiting.training_file).exists()


# --- other services


def test_credentials_of_endpoints_are_in_no_answer():
    """Nor in the files that the server keeps."""
    secret = "s3cr3t-token-of-mine"
    grader = {
        **REMOTE,
        "url": f"http://me:{secret}@a.example/grade?code={secret}",
        "headers": {"Authorization": secret},
        "Headers": {"X-Key": secret},
    }
    members = {"type": "multi", "name": "m", "calculate_output": "r + e"}
    both = {**members, "graders": {"r": grader, "e": EXACT}}
    with serving(Settings(target="azure-rft", limits=Limits())) as server:
        validation = upload(server, GOOD, "test.jsonl")
        for one in (grader, both):
            job = start(server, GOOD, method=method(one), validation_file=validation)
            assert ended(server, job).status == "succeeded"
        told = server.client.get(f"{JOBS}/{job.id}/events", params={"limit": 100}).text
        listed = server.client.get(JOBS).text
        kept = [path.read_text("utf-8") for path in server.shared.room.path("x").parent.iterdir()]

    assert "***" in listed
    assert [text for text in [told, listed, *kept] if secret in text] == []


def test_the_command_serves_jobs_for_either_service():
    """With `--for`, whose limits are others."""
    with commanded("--for", "azure-rft") as url, openai.OpenAI(base_url=url, api_key="any") as sdk:
        training = sdk.files.create(file=("t.jsonl", jsonl(*GOOD)), purpose="fine-tune").id
        job = sdk.fine_tuning.jobs.create(model=MODEL, training_file=training, method=method())
        while job.finished_at is None:
            job = sdk.fine_tuning.jobs.retrieve(job.id)

    assert (job.error.code, job.error.param) == ("no-validation", "validation_file")
