"""Runs of a server: the hosted shapes, the numbers of `graders run`, nothing lost on the way."""

import json
from contextlib import closing
from typing import get_args, get_type_hints

import pytest
from eval_runs import (
    CUSTOM,
    EXACT,
    JUDGE,
    ROWS,
    SIMILAR,
    GatedJudge,
    by_file,
    clear,
    counts_of,
    ended,
    graded,
    inline,
    items_of,
    make,
    upload,
)
from openai.types import (
    EvalCreateResponse,
    EvalDeleteResponse,
    EvalListResponse,
    EvalRetrieveResponse,
    EvalUpdateResponse,
)
from openai.types.evals import (
    RunCancelResponse,
    RunCreateResponse,
    RunDeleteResponse,
    RunListResponse,
    RunRetrieveResponse,
)
from openai.types.evals.run_list_params import RunListParams
from openai.types.evals.runs import OutputItemListResponse, OutputItemRetrieveResponse
from serving import jsonl, serving

from graders.compile import Tools
from graders.errors import FailureKind, GradingError
from graders.server.evals.running import Status
from graders.server.settings import Settings
from sandbox import open_sandbox


@pytest.fixture(scope="module")
def server():
    with serving(Settings(tools=Tools(client=GatedJudge()))) as served:
        yield served


@pytest.fixture(autouse=True)
def nothing_is_left(server):
    yield
    clear(server)


def has_shape(model, raw):
    """Whether JSON has every field of an SDK's type, each of the type that it declares.

    The service sends null where nothing went wrong, which the types do not say.
    """
    error = {"code": "", "message": ""}
    if "error" in raw:
        raw = {**raw, "error": raw["error"] or error}
    if isinstance(raw.get("sample"), dict):
        raw = {**raw, "sample": {**raw["sample"], "error": raw["sample"]["error"] or error}}
    model.model_validate(raw, strict=True)
    return set(raw) >= {field.alias or name for name, field in model.model_fields.items()}


def test_every_answer_has_the_shape_of_the_sdk(server):
    url, http = "/v1/evals", server.client
    criteria = [EXACT, SIMILAR, JUDGE]
    body = {"name": "mine", "data_source_config": CUSTOM, "testing_criteria": criteria}
    one = http.post(url, json={**body, "metadata": {"team": "math"}}).json()
    assert has_shape(EvalCreateResponse, one)
    url = f"{url}/{one['id']}"
    assert has_shape(EvalRetrieveResponse, http.get(url).json())
    assert has_shape(EvalUpdateResponse, http.post(url, json={"name": "other"}).json())
    assert has_shape(EvalListResponse, http.get("/v1/evals").json()["data"][0])
    rows = [*ROWS, {"item": {}}, {"sample": 3}]
    run = http.post(f"{url}/runs", json={"data_source": inline(rows[:4])}).json()
    assert has_shape(RunCreateResponse, run)
    file = upload(server, rows)
    by_id = http.post(f"{url}/runs", json={"data_source": by_file(file)}).json()
    assert has_shape(RunCreateResponse, by_id)
    for each in (run, by_id):
        ended(server, RunRetrieveResponse.model_construct(**each))
        assert has_shape(RunRetrieveResponse, http.get(f"{url}/runs/{each['id']}").json())
        items = http.get(f"{url}/runs/{each['id']}/output_items").json()
        for item in items["data"]:
            assert has_shape(OutputItemListResponse, item)
            item_url = f"{url}/runs/{each['id']}/output_items/{item['id']}"
            assert http.get(item_url).json() == item
            assert has_shape(OutputItemRetrieveResponse, item)
        assert len(items["data"]) == (4 if each is run else 5)
    for listed in http.get(f"{url}/runs").json()["data"]:
        assert has_shape(RunListResponse, listed)
    assert has_shape(RunDeleteResponse, http.delete(f"{url}/runs/{run['id']}").json())
    assert has_shape(EvalDeleteResponse, http.delete(url).json())


def test_statuses_are_those_of_the_sdk():
    assert set(get_args(Status)) == set(get_args(get_type_hints(RunListParams)["status"]))


@pytest.mark.parametrize("inlined", [True, False])
def test_a_run_says_what_came_of_each_row(server, inlined):
    one = make(server, EXACT, SIMILAR)
    source = inline(ROWS) if inlined else by_file(upload(server, ROWS))
    run, items = graded(server, one, source)

    assert (run.status, run.error, run.model, run.report_url) == ("completed", None, "", "")
    assert run.data_source.to_dict() == source
    assert counts_of(run) == (1, 2, 0)
    ids = [criterion.to_dict()["id"] for criterion in one.testing_criteria]
    assert [result.to_dict() for result in run.per_testing_criteria_results] == [
        {"testing_criteria": ids[0], "passed": 1, "failed": 2},
        {"testing_criteria": ids[1], "passed": 2, "failed": 1},
    ]
    assert [item.status for item in items] == ["pass", "fail", "fail"]
    assert [item.datasource_item for item in items] == [row["item"] for row in ROWS]
    assert [item.datasource_item_id for item in items] == [1, 2, 3]
    assert [result.to_dict() for result in items[1].results] == [
        {"name": ids[0], "type": "string_check", "score": 0.0, "passed": False, "sample": None},
        {"name": ids[1], "type": "text_similarity", "score": 0.8, "passed": True, "sample": None},
    ]
    assert [said.to_dict() for said in items[1].sample.output] == [
        {"role": "assistant", "content": "fourty"}
    ]


PYTHON = {
    "type": "python",
    "name": "python",
    "source": "def grade(sample, item):\n    return len(sample['output_text'])/len(item['answer'])",
    "pass_threshold": 1.0,
}


def test_scores_are_those_of_a_run_of_the_command(run, tmp_path):
    """With failures of every kind of criterion, and texts that are compared aside."""
    rows = [
        {"item": {"answer": answer}, "sample": sample}
        for answer in ("four", "the cat sat on the mat", "", "é", 4)
        for sample in ("four", "a cat sat on the mat " * 1_500, "", "\ud800", {"choices": []})
    ]
    metrics = ("fuzzy_match", "bleu", "gleu", "rouge_1", "rouge_l")
    similar = [{**SIMILAR, "name": name, "evaluation_metric": name} for name in metrics]
    criteria = [EXACT, {**EXACT, "name": "like", "operation": "ilike"}, *similar, PYTHON]
    (tmp_path / "config.json").write_text(json.dumps({"testing_criteria": criteria}))
    (tmp_path / "rows.jsonl").write_bytes(jsonl(*rows))
    out = tmp_path / "out.jsonl"
    code, _, err = run(str(tmp_path / "config.json"), str(tmp_path / "rows.jsonl"), "-o", str(out))
    assert code in (0, 1), err
    theirs = [json.loads(line) for line in out.read_bytes().splitlines()]
    with (
        closing(open_sandbox()) as sandbox,
        serving(Settings(tools=Tools(sandbox=sandbox))) as served,
    ):
        source = by_file(upload(served, jsonl(*rows)))
        ours, items = graded(served, make(served, *criteria), source)

    assert len(items) == len(theirs) == len(rows)
    for item, line in zip(items, theirs, strict=True):
        parts = [line["parts"][criterion["name"]] for criterion in criteria]
        assert [result.score for result in item.results] == [p["score"] or 0.0 for p in parts]
        assert [result.passed for result in item.results] == [bool(p["passed"]) for p in parts]
        failed = [(result.sample or {}).get("error", {}) for result in item.results]
        kinds = [(part["failure"] or {}).get("kind") for part in parts]
        assert [error.get("code") for error in failed] == kinds
        assert item.status == ("pass" if line["passed"] else "fail")
    errored = sum(line["failure"] is not None for line in theirs)
    assert counts_of(ours) == (1, len(rows) - 1, errored)
    assert 0 < errored < len(rows)


def test_a_row_without_a_sample_fails_where_the_sample_is_needed(server):
    in_item = {**EXACT, "name": "in item", "input": "{{ item.given }}"}
    row = {"item": {"answer": "a", "given": "a"}}
    run, (item,) = graded(server, make(server, in_item, EXACT), inline([row]))

    assert (run.status, counts_of(run)) == ("completed", (0, 1, 1))
    assert [result.score for result in item.results] == [1.0, 0.0]
    assert item.results[1].sample == {
        "error": {
            "code": "invalid_variable_error",
            "message": "{{ sample.output_text }}: sample has no field 'output_text'. It is empty.",
        }
    }
    run, (item,) = graded(server, make(server, in_item), inline([row]))
    assert counts_of(run) == (1, 0, 0)


def test_a_line_that_is_no_row_is_an_item_with_its_reason_and_costs_no_other(server):
    good = json.dumps(ROWS[0]).encode()
    lines = [good, b"{", b'{"item": 3, "sample": "a"}', b"", good, b"[]", b"\xff", good]
    run, items = graded(server, make(server), by_file(upload(server, b"\n".join(lines))))

    assert (run.status, counts_of(run)) == ("completed", (3, 4, 4))
    assert [item.datasource_item_id for item in items] == [1, 2, 3, 5, 6, 7, 8]
    told = {item.datasource_item_id: item for item in items if not item.results}
    assert {line: item.sample.error.message for line, item in told.items()} == {
        2: "rows.jsonl:2:2: not JSON: Expecting property name enclosed in double quotes",
        3: "rows.jsonl:3:1: item is a number, and must be an object",
        6: "rows.jsonl:6:1: a row is a JSON object, and this is a list",
        7: "rows.jsonl:7:1: not JSON: byte 0xff is not UTF-8",
    }
    for item in told.values():
        assert (item.status, item.datasource_item, item.sample.error.code) == ("fail", {}, "row")


def test_several_samples_of_a_line_are_items_of_its_number(server):
    row = {"item": {"answer": "a"}, "samples": ["a", "b"]}
    _, items = graded(server, make(server), inline([row, ROWS[0]]))

    assert [(item.datasource_item_id, item.status) for item in items] == [
        (1, "pass"),
        (1, "fail"),
        (2, "pass"),
    ]


@pytest.mark.parametrize("data", [b"", b"\n\n \n"])
def test_a_file_without_rows_is_a_run_that_failed(server, data):
    run, items = graded(server, make(server), by_file(upload(server, data)))

    assert (run.status, items) == ("failed", [])
    assert run.error.to_dict() == {"code": "no-rows", "message": "rows.jsonl has no rows"}


def test_a_judges_words_and_tokens_are_kept(server):
    rows = [{"item": {}, "sample": text} for text in ("yes", "no")]
    twice = {**JUDGE, "name": "twice", "repeats": 3, "model": "o3"}
    run, items = graded(server, make(server, JUDGE, twice), inline(rows))

    assert counts_of(run) == (1, 1, 0)
    tokens = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "cached_tokens": 2}
    assert {usage.to_dict()["model_name"]: usage.to_dict() for usage in run.per_model_usage} == {
        model: {
            "model_name": model,
            "invocation_count": times,
            **{name: number * times for name, number in tokens.items()},
        }
        for model, times in (("gpt-4o", 2), ("o3", 6))
    }
    assert '"result": 1.0' in items[0].results[0].sample["reply"]


def test_a_judge_that_fails_scores_nothing_and_says_why():
    judge = GatedJudge()
    judge.error = GradingError(FailureKind.MODEL_SERVER, "it is away", "status_500")
    with serving(Settings(tools=Tools(client=judge))) as served:
        run, (item,) = graded(served, make(served, JUDGE), inline(ROWS[:1]))

    assert counts_of(run) == (0, 1, 1)
    (result,) = item.results
    assert (result.score, result.passed) == (0.0, False)
    assert result.sample == {
        "error": {
            "code": "model_grader_server_error",
            "message": "it is away",
            "reason": "status_500",
        }
    }


def test_output_items_can_be_asked_for_by_status(server):
    rows = [ROWS[i % 3] for i in range(50)]
    run, items = graded(server, make(server), inline(rows))

    for status in ("pass", "fail"):
        expected = [item for item in items if item.status == status]
        for limit in (1, 7, 100):
            assert items_of(server, run, status=status, limit=limit) == expected
            falling = items_of(server, run, status=status, limit=limit, order="desc")
            assert falling == expected[::-1]


@pytest.mark.parametrize(
    ("query", "param", "message"),
    [
        ("limit=101", "limit", "limit is '101', and must be a number from 1 to 100"),
        ("order=up", "order", "order is 'up', and must be asc or desc"),
        ("after=x", "after", "after is 'x', and no such output item"),
        ("status=failed", "status", "status is 'failed', and must be pass or fail"),
    ],
)
def test_a_wrong_query_for_items_is_refused(server, query, param, message):
    run, _ = graded(server, make(server), inline(ROWS))
    url = f"/v1/evals/{run.eval_id}/runs/{run.id}/output_items?{query}"
    error = server.error(server.client.get(url), 400)

    assert (error["param"], error["message"]) == (param, message)


def test_runs_are_listed_by_eval_and_status(server):
    one, other = make(server), make(server)
    runs = [graded(server, one, inline(ROWS))[0] for _ in range(5)]
    graded(server, other, inline(ROWS))
    failed, _ = graded(server, one, by_file(upload(server, b"")))
    listed = server.openai.evals.runs.list

    assert [run.id for run in listed(one.id, limit=2)] == [*(r.id for r in runs), failed.id]
    assert [run.id for run in listed(one.id, status="failed")] == [failed.id]
    assert [run.id for run in listed(one.id, order="desc", limit=2)] == [
        failed.id,
        *(run.id for run in reversed(runs)),
    ]


def test_a_row_whose_templates_come_to_more_than_fits_is_no_row():
    long = {"item": {"answer": "x" * 500}, "sample": "x"}
    with serving(rendered_bytes=1_000) as served:
        run, items = graded(served, make(served), inline([long, ROWS[0]]))

    assert counts_of(run) == (1, 1, 1)
    message = "content:1:1: the line has more than the 479 bytes that a row may have here"
    assert items[0].sample.error.message == message


def test_a_run_that_ended_cannot_be_cancelled(server):
    run, _ = graded(server, make(server), inline(ROWS))
    response = server.client.post(f"/v1/evals/{run.eval_id}/runs/{run.id}")
    error = server.error(response, 400)

    assert error["message"] == "the run is completed, and cannot be cancelled any more"
    assert error["code"] == "run-ended"
    assert RunCancelResponse.model_fields.keys() == RunCreateResponse.model_fields.keys()
