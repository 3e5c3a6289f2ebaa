"""Evals of a server: how they are made, changed and listed, and what is wrong with others."""

import re

import openai
import pytest
from eval_runs import (
    CUSTOM,
    EXACT,
    ROWS,
    SIMILAR,
    GatedJudge,
    clear,
    ended,
    inline,
    make,
    start,
)
from serving import serving

from graders.compile import Tools
from graders.server.settings import Settings

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


@pytest.fixture(scope="module")
def server():
    with serving(Settings(tools=Tools(client=GatedJudge()))) as served:
        yield served


@pytest.fixture(autouse=True)
def nothing_is_left(server):
    yield
    clear(server)


def test_an_eval_is_shown_as_it_was_made(server):
    one = make(server, EXACT, {**EXACT, "name": "again"}, SIMILAR)
    shown = [criterion.to_dict() for criterion in one.testing_criteria]

    ids = [criterion.pop("id") for criterion in shown]
    assert shown == [EXACT, {**EXACT, "name": "again"}, SIMILAR]
    for name, given in zip(("exact", "again", "similar"), ids, strict=True):
        assert re.fullmatch(f"{name}-{UUID}", given)
    schema = one.data_source_config.to_dict()["schema"]
    assert schema["required"] == ["item", "sample"]
    assert schema["properties"]["item"] == CUSTOM["item_schema"]
    assert (one.name, one.metadata, one.object) == ("mine", None, "eval")
    assert server.openai.evals.retrieve(one.id).to_dict() == one.to_dict()


def test_a_schema_has_a_sample_only_where_one_is_to_be_there(server):
    one = make(server, config={"type": "custom", "item_schema": {"type": "object"}})

    assert one.data_source_config.to_dict()["schema"]["required"] == ["item"]


def test_what_no_field_reads_is_not_shown_to_others(server):
    one = make(
        server, {**EXACT, "headers": {"authorization": "Bearer secret"}, "api_key": "secret"}
    )

    assert "secret" not in server.client.get(f"/v1/evals/{one.id}").text


def test_names_and_metadata_can_be_changed(server):
    one = make(server)
    changed = server.openai.evals.update(one.id, name="other", metadata={"a": "b"})

    assert (changed.name, changed.metadata) == ("other", {"a": "b"})
    assert server.openai.evals.retrieve(one.id).to_dict() == changed.to_dict()
    assert server.openai.evals.update(one.id, name="third").metadata == {"a": "b"}
    assert server.openai.evals.update(one.id, metadata=None).metadata is None


def test_evals_are_listed_as_they_were_made_or_changed(server):
    first, second, third = (make(server) for _ in range(3))
    server.openai.evals.update(first.id, name="changed")

    assert [one.id for one in server.openai.evals.list()] == [first.id, second.id, third.id]
    assert [one.id for one in server.openai.evals.list(order="desc", limit=2)] == [
        third.id,
        second.id,
        first.id,
    ]
    by_change = server.openai.evals.list(order_by="updated_at", limit=1)
    assert [one.id for one in by_change] == [second.id, third.id, first.id]


def eval_body(**changes):
    return {"data_source_config": CUSTOM, "testing_criteria": [EXACT], **changes}


WRONG_EVALS = {
    "no criteria": (
        eval_body(testing_criteria=None),
        "testing_criteria",
        "missing",
        "testing_criteria is missing, empty or no list",
    ),
    "empty criteria": (
        eval_body(testing_criteria=[]),
        "testing_criteria",
        "missing",
        "testing_criteria is missing, empty or no list",
    ),
    "many criteria": (
        eval_body(testing_criteria=[EXACT] * 101),
        "testing_criteria",
        "criteria",
        "there are 101 testing_criteria, and 100 are allowed",
    ),
    "no reference": (
        eval_body(testing_criteria=[{k: v for k, v in EXACT.items() if k != "reference"}]),
        "testing_criteria[0].reference",
        "missing",
        "testing_criteria[0].reference: is missing",
    ),
    "a template": (
        eval_body(testing_criteria=[EXACT, {**EXACT, "input": "{{ item. }}"}]),
        "testing_criteria[1].input",
        "template",
        "testing_criteria[1].input: a key is missing after '.'",
    ),
    "no threshold": (
        eval_body(testing_criteria=[{**SIMILAR, "pass_threshold": None}]),
        "testing_criteria[0].pass_threshold",
        "no-threshold",
        "testing_criteria[0].pass_threshold: is missing, so nothing says when",
    ),
    "no sandbox": (
        eval_body(
            testing_criteria=[
                {
                    "type": "python",
                    "name": "p",
                    "source": "def grade(sample, item):\n    return 1.0",
                    "pass_threshold": 1.0,
                }
            ]
        ),
        "testing_criteria[0]",
        "no-tool",
        "testing_criteria[0]: the python grader 'p' runs Python code and needs a sandbox.",
    ),
    "an endpoint": (
        eval_body(testing_criteria=[{"type": "endpoint", "name": "e", "url": "http://a/"}]),
        "testing_criteria[0].type",
        "unknown-type",
        "testing_criteria[0].type: 'endpoint' is not one of string_check,",
    ),
    "no source": (
        eval_body(data_source_config=None),
        "data_source_config",
        "missing",
        "data_source_config is missing, or no object",
    ),
    "no schema": (
        eval_body(data_source_config={"type": "custom"}),
        "data_source_config.item_schema",
        "type",
        "item_schema is missing, or no object",
    ),
    "a sample schema": (
        eval_body(data_source_config={**CUSTOM, "include_sample_schema": 1}),
        "data_source_config.include_sample_schema",
        "type",
        "include_sample_schema is 1, and must be true or false",
    ),
    "another source": (
        eval_body(data_source_config={"type": "jsonl"}),
        "data_source_config.type",
        "choice",
        "type is 'jsonl', and must be custom, logs or stored_completions",
    ),
    "a name": (
        eval_body(name=3),
        "name",
        "type",
        "name is 3, and must be a text of at most 512 characters",
    ),
    "a long name": (
        eval_body(name="x" * 513),
        "name",
        "type",
        "name is 'xxxxx",
    ),
    "metadata": (
        eval_body(metadata=[1]),
        "metadata",
        "type",
        "metadata is [1], and must be an object of at most 16 keys",
    ),
    "much metadata": (
        eval_body(metadata={str(i): "" for i in range(17)}),
        "metadata",
        "type",
        "metadata is {'0': '',",
    ),
    "a long key": (
        eval_body(metadata={"k" * 65: ""}),
        "metadata",
        "type",
        "the key 'kkkk",
    ),
    "a value": (
        eval_body(metadata={"k": 1}),
        "metadata",
        "type",
        "metadata['k'] is 1, and must be a text of at most 512 characters",
    ),
    "metadata of logs": (
        eval_body(data_source_config={"type": "logs", "metadata": {"k": 1}}),
        "data_source_config.metadata",
        "type",
        "metadata['k'] is 1, and must be a text of at most 512 characters",
    ),
}


@pytest.mark.parametrize("what", WRONG_EVALS)
def test_a_wrong_eval_is_refused(server, what):
    body, param, code, message = WRONG_EVALS[what]
    error = server.error(server.client.post("/v1/evals", json=body), 400)

    assert error["message"].startswith(message)
    assert (error["param"], error["code"]) == (param, code)


def test_only_names_and_metadata_can_be_changed(server):
    one = make(server)
    body = {"testing_criteria": [EXACT]}
    error = server.error(server.client.post(f"/v1/evals/{one.id}", json=body), 400)

    assert error["param"] == "testing_criteria"
    assert error["message"] == (
        "'testing_criteria' cannot be changed, only name and metadata; make another eval"
    )


WRONG_RUNS = {
    "none": (None, "data_source", "missing", "data_source is missing, or no object with a type"),
    "a list": ([], "data_source", "missing", "data_source is missing, or no object with a type"),
    "another": (
        {"type": "csv"},
        "data_source.type",
        "choice",
        "type is 'csv', and must be jsonl",
    ),
    "completions": (
        {"type": "completions", "model": "gpt-4o", "source": {"type": "file_id", "id": "x"}},
        "data_source.type",
        "unsupported",
        "a completions data source samples from a model, and this server only grades; sample "
        "with `graders sample`, and run over its rows with a jsonl data source",
    ),
    "responses": (
        {"type": "responses"},
        "data_source.type",
        "unsupported",
        "a responses data source samples from a model, and this server only grades; sample "
        "with `graders sample`, and run over its rows with a jsonl data source",
    ),
    "no source": (
        {"type": "jsonl"},
        "data_source.source",
        "choice",
        "source must be an object of type file_content or file_id",
    ),
    "another source": (
        {"type": "jsonl", "source": {"type": "url"}},
        "data_source.source",
        "choice",
        "source must be an object of type file_content or file_id",
    ),
    "no content": (
        {"type": "jsonl", "source": {"type": "file_content"}},
        "data_source.source.content",
        "missing",
        "content is missing, empty or no list",
    ),
    "empty content": (
        inline([]),
        "data_source.source.content",
        "missing",
        "content is missing, empty or no list",
    ),
    "no id": (
        {"type": "jsonl", "source": {"type": "file_id", "id": 3}},
        "data_source.source.id",
        "missing",
        "id is missing, or no text",
    ),
    "an unknown id": (
        {"type": "jsonl", "source": {"type": "file_id", "id": "../x"}},
        "data_source.source.id",
        "not_found",
        "data_source.source.id is '../x', and no file on this server has that id",
    ),
}


@pytest.mark.parametrize("what", WRONG_RUNS)
def test_a_wrong_run_is_refused(server, what):
    source, param, code, message = WRONG_RUNS[what]
    one = make(server)
    response = server.client.post(f"/v1/evals/{one.id}/runs", json={"data_source": source})
    error = server.error(response, 400)

    assert (error["param"], error["code"], error["message"]) == (param, code, message)
    assert list(server.openai.evals.runs.list(one.id)) == []


@pytest.mark.parametrize("kind", ["logs", "stored_completions"])
def test_the_rows_of_an_eval_of_logs_are_not_here(server, kind):
    one = make(server, config={"type": kind, "metadata": {"use": "chat"}})
    assert one.data_source_config.to_dict()["metadata"] == {"use": "chat"}

    with pytest.raises(openai.BadRequestError, match="the service's logs are not here") as caught:
        start(server, one, inline(ROWS))
    assert caught.value.param == "data_source"


def test_what_is_not_there_is_not_found(server):
    one, other = make(server), make(server)
    run = ended(server, start(server, one, inline(ROWS)))
    base = "/v1/evals"
    for path, what in [
        ("eval_1", "eval"),
        ("eval_1/runs", "eval"),
        (f"eval_1/runs/{run.id}", "eval"),
        (f"{one.id}/runs/evalrun_1", "run"),
        (f"{other.id}/runs/{run.id}", "run"),
        (f"{other.id}/runs/{run.id}/output_items", "run"),
        (f"{one.id}/runs/{run.id}/output_items/outputitem_1", "output item"),
        (f"{one.id}/runs/{run.id}/output_items/outputitem_{run.id[8:]}_3", "output item"),
        (f"{one.id}/runs/{run.id}/output_items/outputitem_{run.id[8:]}_01", "output item"),
    ]:
        error = server.error(server.client.get(f"{base}/{path}"), 404)
        assert error["message"].startswith(f"there is no {what} '")
    for method, path in [
        ("POST", "eval_1"),
        ("DELETE", "eval_1"),
        ("POST", f"{other.id}/runs/{run.id}"),
        ("POST", f"{other.id}/runs/{run.id}/cancel"),
        ("DELETE", f"{other.id}/runs/{run.id}"),
    ]:
        server.error(server.client.request(method, f"{base}/{path}", json={}), 404)


def test_templates_that_come_to_more_than_fits_are_refused():
    with serving(rendered_bytes=1_000) as served:
        error = {"match": "the templates could come to 2,017 bytes with this row, and 1,000 are"}
        with pytest.raises(openai.BadRequestError, **error) as caught:
            make(served, {**EXACT, "input": "x" * 2_000})
    assert (caught.value.param, caught.value.code) == ("testing_criteria", "rendered-size")


def test_evals_are_bounded_by_number_and_size():
    with serving(stored_objects=2, eval_bytes=3_000) as served:
        make(served)
        with pytest.raises(openai.BadRequestError, match="keeps 3,000 bytes of evals, and no more"):
            make(served, {**EXACT, "reference": "x" * 3_000})
        one = make(served)
        with pytest.raises(openai.BadRequestError, match="keeps 2 evals, and no more; delete some"):
            make(served)
        served.openai.evals.delete(one.id)
        make(served)


@pytest.mark.parametrize(
    ("path", "param", "message"),
    [
        ("evals?order_by=name", "order_by", "order_by is 'name', and must be created_at or"),
        ("evals?after=eval_1", "after", "after is 'eval_1', and no such eval"),
        ("evals/{}/runs?status=done", "status", "status is 'done', and must be one of queued, in"),
        ("evals/{}/runs?after=x", "after", "after is 'x', and no such run"),
    ],
)
def test_a_wrong_query_is_refused(server, path, param, message):
    error = server.error(server.client.get(f"/v1/{path.format(make(server).id)}"), 400)

    assert error["param"] == param
    assert error["message"].startswith(message)
