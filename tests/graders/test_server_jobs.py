"""Fine-tuning jobs at a server of ours: what is found, what is told, and how it is listed."""

import json
import time

import openai
import pytest
from fine_tuning import (
    CHATS,
    GOOD,
    JOBS,
    MODEL,
    PAIRS,
    ended,
    events,
    findings,
    is_of_type,
    method,
    start,
    upload,
)
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from sample_configs import EXACT, JUDGE
from serving import jsonl, serving

from graders.cli import main


@pytest.fixture(scope="module")
def server():
    with serving() as served:
        yield served


# --- jobs that are right


def test_a_good_job_succeeds_with_its_plan_and_without_a_model(server):
    """From its start to its result file, as a script goes through it."""
    started = start(server, GOOD, metadata={"run": "7"}, seed=5, suffix="mine")
    assert (started.status, started.finished_at) == ("validating_files", None)
    job = ended(server, started)

    assert (job.status, job.error) == ("succeeded", None)
    assert (job.fine_tuned_model, job.trained_tokens) == (None, None)
    assert job.created_at <= job.finished_at <= time.time()
    assert (job.seed, job.metadata, job.user_provided_suffix) == (5, {"run": "7"}, "mine")
    assert job.method.reinforcement.grader.to_dict() == EXACT
    assert job.method.reinforcement.hyperparameters.n_epochs == "auto"
    assert job.hyperparameters.to_dict() == {}
    (name,) = job.result_files
    assert server.openai.files.retrieve(name).filename == f"{job.id}.json"
    assert json.loads(server.openai.files.content(name).text)["training"]["rows"] == 12
    first, *between, last = events(server, job)
    assert first.message.startswith("dry run: nothing is trained. ")
    assert "without measuring a grading" in first.message
    assert between[-1].message.startswith("plan of a reinforcement method with a string_check")
    assert last.message == (
        "the dry run found nothing that would stop the job, and no model was made; "
        f"{name} has the plan"
    )


@pytest.mark.parametrize(
    ("rows", "given", "kind", "shown"),
    [
        (CHATS, {"method": {"type": "supervised"}}, "supervised", "auto"),
        (CHATS, {"hyperparameters": {"n_epochs": 3}}, "supervised", 3),
        (CHATS, {}, "supervised", "auto"),
        (PAIRS, {"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 1}}}}, "dpo", None),
        (GOOD, {"method": method()}, "reinforcement", None),
    ],
)
def test_every_method_is_planned(server, rows, given, kind, shown):
    """Without one it is supervised, and its hyperparameters stand in the body, as they used to."""
    given = {"model": "gpt-4.1-2025-04-14" if kind != "reinforcement" else MODEL, **given}
    job = ended(
        server,
        server.openai.fine_tuning.jobs.create(training_file=upload(server, rows), **given),
    )

    assert (job.status, job.method.type, job.hyperparameters.n_epochs) == ("succeeded", kind, shown)
    plan = json.loads(server.openai.files.content(job.result_files[0]).text)
    assert (plan["method"], plan["training"]["bad_rows"]) == (kind, 0)
    assert plan["hyperparameters"]["n_epochs"]["given"] == (shown or "auto")


@pytest.mark.parametrize("spoilt", [False, True])
def test_what_is_sent_is_what_the_sdk_declares(server, spoilt):
    """Every field is there, with its type, from the first answer to the last."""
    body = {
        "model": MODEL,
        "training_file": upload(server, [*GOOD, *CHATS] if spoilt else GOOD),
        "validation_file": upload(server, GOOD),
        "method": method(),
        "integrations": [{"type": "wandb", "wandb": {"project": "p"}}],
    }
    started = server.client.post(JOBS, json=body).json()
    job = ended(server, FineTuningJob.construct(**started))
    last = server.client.get(f"{JOBS}/{job.id}").json()
    told = server.client.get(f"{JOBS}/{job.id}/events", params={"limit": 100}).json()

    assert is_of_type(FineTuningJob, started)
    assert is_of_type(FineTuningJob, last)
    assert last["status"] == ("failed" if spoilt else "succeeded")
    assert all(is_of_type(FineTuningJobEvent, one) for one in told["data"])
    assert (told["object"], told["has_more"]) == ("list", False)
    assert "integrations are told nothing: nothing is trained" in [
        one["message"] for one in told["data"] if one["level"] == "warn"
    ]


# --- jobs that are wrong

WRONG_ROWS = [*GOOD, *CHATS[:2], {"messages": []}, {"prompt": "p"}, GOOD[0]]
"""Two that end with an answer, two without messages, one twice."""
DOUBTFUL = {**EXACT, "input": "{{ sample.output_json.answer }}", "reference": "{{ item.nothing }}"}


@pytest.mark.parametrize(
    ("grader", "rows", "names"),
    [
        (EXACT, GOOD, ("train.jsonl", "test.jsonl")),
        (EXACT, WRONG_ROWS, ("train.jsonl", "test.jsonl")),
        (DOUBTFUL, GOOD, ("train.jsonl", "test.jsonl")),
        (JUDGE, WRONG_ROWS, ("train.jsonl", "test.jsonl")),
        ({**EXACT, "type": "text_similarity", "evaluation_metric": "cosine"}, GOOD, ("a", "b")),
    ],
)
def test_a_job_finds_what_lint_and_plan_find(
    server, grader, rows, names, tmp_path, monkeypatch, capsys
):
    """On the same files: no finding less, none more, and the same plan."""
    monkeypatch.chdir(tmp_path)
    body = {"model": MODEL, "method": method(grader)}
    for name, data in zip(names, (jsonl(*rows), jsonl(*WRONG_ROWS)), strict=True):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "job.json").write_text(json.dumps(body), encoding="utf-8")
    (tmp_path / "method.json").write_text(json.dumps(body["method"]), encoding="utf-8")
    options = ["--validation", names[1], "--measure", "0", "--json"]
    code = main(["plan", "job.json", names[0], *options])
    plan = json.loads(capsys.readouterr().out)
    main(["lint", "method.json", names[0], "--for", "openai-rft", "--format", "json"])
    linted = json.loads(capsys.readouterr().out)["findings"]

    files = {
        key: upload(server, (tmp_path / name).read_bytes(), name)
        for key, name in zip(("training_file", "validation_file"), names, strict=True)
    }
    job = ended(server, server.openai.fine_tuning.jobs.create(**files, **body))

    assert json.loads(server.openai.files.content(job.result_files[0]).text) == plan
    expected = {(one["code"], one["severity"], one["path"]) for one in plan["findings"]}
    for one in linted:
        inside = f"method.{one['path']}" if one["path"] else ""
        place = inside if one["file"] == "method.json" else f"{names[0]}:{one['line']}:1"
        expected.add((one["code"], one["severity"], place))
    assert findings(server, job) == expected
    is_wrong = code == 1 or any(one["severity"] == "error" for one in linted)
    assert job.status == ("failed" if is_wrong else "succeeded")


@pytest.mark.parametrize(
    ("rows", "validation", "given", "code", "message", "param"),
    [
        (
            [*GOOD, {**CHATS[0], "answer": "1"}],
            None,
            {},
            "last-message",
            "train.jsonl:13:1: the last message is from 'assistant' and not from the user, in",
            "training_file",
        ),
        (
            GOOD,
            [{"messages": []}],
            {},
            "no-messages",
            "test.jsonl:1:1: messages is an empty list, and must be a list with a message in it",
            "validation_file",
        ),
        (b"", None, {}, "no-rows", "train.jsonl:1:1: there is no row in it", "training_file"),
        (b'{"a\n', None, {}, "bad-line", "train.jsonl:1:1: not JSON: ", "training_file"),
        (
            CHATS[:9],
            None,
            {"method": {"type": "supervised"}},
            "too-few-rows",
            "9 training rows, and the service takes at least 10",
            "training_file",
        ),
        (
            GOOD,
            None,
            {"method": method({**EXACT, "type": "text_similarity", "evaluation_metric": "cosine"})},
            "target-metric",
            "method.reinforcement.grader.evaluation_metric: OpenAI's reinforcement fine-tuning "
            "has no cosine",
            "method.reinforcement.grader.evaluation_metric",
        ),
    ],
)
def test_what_would_stop_a_job_fails_it(server, rows, validation, given, code, message, param):
    """With the first error, what it is about, and an event of each."""
    if validation is not None:
        given = {**given, "validation_file": upload(server, validation, "test.jsonl")}
    job = ended(server, start(server, rows, **given))

    assert (job.status, job.error.code, job.error.param) == ("failed", code, param)
    assert job.error.message.startswith(message)
    assert len(job.result_files) == 1
    last = events(server, job)[-1]
    assert (last.level, last.message) == ("error", f"the job would fail: {job.error.message}")


def test_an_error_says_how_many_more_there_are(server):
    """They are events."""
    job = ended(server, start(server, WRONG_ROWS))
    errors = [one for one in events(server, job, limit=100) if one.level == "error" and one.data]

    assert len(errors) > 1
    assert job.error.message.endswith(f" ({len(errors) - 1} more: the job's events have them all)")


def test_files_of_one_name_are_told_apart_by_their_ids(server):
    """In findings, and in the plan."""
    job = ended(server, start(server, GOOD, validation_file=upload(server, CHATS)))
    plan = json.loads(server.openai.files.content(job.result_files[0]).text)

    assert (job.error.param, job.error.code) == ("validation_file", "last-not-user")
    assert job.error.message.startswith(f"{job.validation_file}:1:1: ")
    assert plan["training"]["name"] == job.training_file


@pytest.mark.parametrize(("metric", "status"), [("bleu", "succeeded"), ("cosine", "failed")])
def test_of_very_many_findings_the_gravest_are_kept(server, metric, status):
    """And it is said that there are more."""
    last = {**EXACT, "type": "text_similarity", "evaluation_metric": metric}
    members = {"a": {**EXACT, **{f"unknown_{n}": n for n in range(1_100)}}, "z": last}
    grader = {"type": "multi", "name": "m", "graders": members, "calculate_output": "a + z"}
    job = ended(server, start(server, GOOD, method=method(grader)))
    told = [one.data for one in events(server, job, limit=100) if one.data]

    assert job.status == status
    assert 1_000 < len(told) < 1_020
    more = [one for one in told if one["code"] == "more"]
    assert {one["severity"] for one in more} == {"warning"}
    for one in more:
        assert one["message"].endswith(" findings more, which are not kept")


# --- lists, and what is not there


def test_jobs_are_listed_newest_first_and_by_metadata(server):
    """A page at a time; whoever waits for one finds it by what it was given."""
    jobs = [start(server, GOOD, metadata={"n": str(n), "of": "list"}).id for n in range(3)]
    bare = start(server, GOOD).id
    listed = server.openai.fine_tuning.jobs.list

    assert [one.id for one in listed(limit=2)][:4] == [bare, *jobs[::-1]]
    assert [one.id for one in listed(metadata={"of": "list"})] == jobs[::-1]
    assert [one.id for one in listed(metadata={"of": "list", "n": "1"})] == [jobs[1]]
    assert [one.id for one in listed(metadata={"of": "x"})] == []
    without = server.client.get(JOBS, params={"metadata": "null", "limit": 1}).json()
    assert without["data"][0]["id"] == bare
    page = server.client.get(JOBS, params={"after": bare, "limit": 2}).json()
    assert ([one["id"] for one in page["data"]], page["has_more"]) == ([jobs[2], jobs[1]], True)


def test_events_come_newest_first_a_page_at_a_time(server):
    """The same ones, in whatever pages."""
    job = ended(server, start(server, WRONG_ROWS))
    all_of_them = server.openai.fine_tuning.jobs.list_events(job.id, limit=100).data
    by_two = [*server.openai.fine_tuning.jobs.list_events(job.id, limit=2)]

    assert len(all_of_them) > 5
    assert by_two == all_of_them
    assert all_of_them[-1].message.startswith("dry run: nothing is trained")
    assert len({one.id for one in all_of_them}) == len(all_of_them)


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", ""),
        ("POST", "/cancel"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("GET", "/events"),
        ("GET", "/checkpoints"),
    ],
)
def test_there_is_no_unknown_job(server, verb, path):
    """Wherever one is asked for."""
    error = server.error(server.client.request(verb, f"{JOBS}/ftjob-0{path}"), 404)

    assert error["message"] == "there is no fine-tuning job 'ftjob-0' on this server"


def test_nothing_is_paused_and_there_are_no_checkpoints(server):
    """As nothing is trained."""
    job = ended(server, start(server, GOOD))
    jobs = server.openai.fine_tuning.jobs

    assert jobs.checkpoints.list(job.id).data == []
    for ask in (jobs.pause, jobs.resume):
        with pytest.raises(openai.BadRequestError, match="trains nothing that could be paused"):
            ask(job.id)
    with pytest.raises(openai.BadRequestError, match="has succeeded, and cannot be cancelled"):
        jobs.cancel(job.id)
