"""Evals through the official SDKs, from their making to the output items of their runs."""

import pytest
from sdk_asked import CRITERIA, EVAL, ROWS
from sdks import EACH, missing, walked
from served import tools_of_the_server

from graders import hosted


@pytest.fixture(scope="module", params=EACH)
def seen(request, served_url):
    """What one SDK was told."""
    return walked(request.param, "evals", served_url)


@pytest.fixture(scope="module")
def tools():
    """What the server has as well."""
    with tools_of_the_server() as tools:
        yield tools


def test_an_eval_is_kept_and_can_be_renamed(seen):
    """Its criteria have ids of their own: the name and a UUID."""
    evals = seen
    made = evals["made"]

    assert (made["object"], made["name"], made["metadata"]) == ("eval", "walk", EVAL["metadata"])
    assert [one["name"] for one in made["testing_criteria"]] == [one["name"] for one in CRITERIA]
    for one in made["testing_criteria"]:
        name, _, uuid = one["id"].partition("-")
        assert (name, len(uuid), uuid.count("-")) == (one["name"], 36, 4)
    assert evals["retrieved"] == made
    assert evals["updated"] == {**made, "name": "renamed", "metadata": {"a": "b"}}
    assert [one for one in evals["listed"] if one["id"] == made["id"]] == [evals["updated"]]
    assert missing(evals["gone"])
    assert (evals["deleted"]["eval_id"], evals["deleted"]["deleted"]) == (made["id"], True)


@pytest.mark.parametrize(
    ("name", "param"),
    [("no criteria", "testing_criteria"), ("operation", "testing_criteria[1].operation")],
)
def test_a_wrong_eval_is_the_sdks_own_exception(seen, name, param):
    """Before anything is run with it."""
    told = seen["refused"][name]

    assert (told["exception"], told["status"], told["param"]) == ("BadRequestError", 400, param)


@pytest.mark.parametrize("source", ["by_content", "by_file"])
def test_a_run_counts_rows_and_criteria(seen, source):
    """A row passes when every criterion does; one that errors has failed as well."""
    run = seen[source]["run"]
    counts = {
        one["testing_criteria"].partition("-")[0]: (one["passed"], one["failed"])
        for one in run["per_testing_criteria_results"]
    }

    assert (run["object"], run["name"], run["status"]) == ("eval.run", "walk", "completed")
    assert run["result_counts"] == {"total": 5, "passed": 2, "failed": 3, "errored": 1}
    assert counts == {"exact": (2, 3), "near": (3, 2), "short": (5, 0), "rated": (5, 0)}
    assert run["eval_id"] == seen["made"]["id"]


@pytest.mark.parametrize("source", ["by_content", "by_file"])
def test_output_items_hold_each_criterions_score(seen, tools, source):
    """The very numbers that a run request gives, in the order of the rows, from all pages."""
    one_run = seen[source]

    assert [item["datasource_item"] for item in one_run["items"]] == [row["item"] for row in ROWS]
    for row, item in zip(ROWS, one_run["items"], strict=True):
        scores = [
            hosted.run(
                {"grader": grader, "model_sample": row["sample"], "item": row["item"]}, tools=tools
            )["reward"]
            for grader in CRITERIA
        ]
        passed = [
            score >= grader.get("pass_threshold", 1)
            for score, grader in zip(scores, CRITERIA, strict=True)
        ]
        assert [result["score"] for result in item["results"]] == scores
        assert [result["passed"] for result in item["results"]] == passed
        assert [result["type"] for result in item["results"]] == [one["type"] for one in CRITERIA]
        assert item["status"] == ("pass" if all(passed) else "fail")
    assert one_run["one"] == one_run["items"][0]
    failed = [item["id"] for item in one_run["items"] if item["status"] == "fail"]
    assert sorted(item["id"] for item in one_run["failed_items"]) == sorted(failed)


def test_runs_are_listed_and_deleted(seen):
    """Both of the eval's, one on a page, the oldest first."""
    ids = [seen[source]["run"]["id"] for source in ("by_content", "by_file")]

    assert [run["id"] for run in seen["runs"]] == ids
    assert (seen["run_deleted"]["run_id"], seen["run_deleted"]["deleted"]) == (ids[0], True)
    assert missing(seen["run_gone"])


def test_a_run_is_canceled_while_its_graders_sleep(seen):
    """With the SDK's word for it, at once and afterwards."""
    told, ended = seen["canceled"]["told"], seen["canceled"]["final"]

    assert told["id"] == ended["id"]
    assert ended["status"] == "canceled"
