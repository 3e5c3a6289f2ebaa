"""Fine-tuning jobs through the official SDKs: a dry run, planned."""

import json

import pytest
from sdk_asked import ASKED, TRAINING
from sdks import EACH, missing, walked


@pytest.fixture(scope="module", params=EACH)
def seen(request, served_url):
    """What one SDK was told."""
    return walked(request.param, "jobs", served_url)


def test_a_job_is_a_dry_run_that_succeeds_and_trains_nothing(seen):
    """Scripts that wait for the SDK's words come to an end, and find no model."""
    made, ended = seen["made"], seen["final"]

    assert (made["object"], ended["id"]) == ("fine_tuning.job", made["id"])
    assert (made["model"], made["seed"]) == (ASKED["job"]["model"], 7)
    assert made["training_file"] == seen["file"]["id"]
    assert made["metadata"] == ASKED["job"]["metadata"]
    assert made["method"]["reinforcement"]["hyperparameters"]["n_epochs"] == 2
    assert (ended["status"], ended["fine_tuned_model"]) == ("succeeded", None)
    assert ended["finished_at"] >= ended["created_at"]
    assert seen["checkpoints"] == []
    assert made["id"] in [job["id"] for job in seen["listed"]]
    assert missing(seen["gone"])


def test_what_the_job_would_take_is_a_file_and_among_the_events(seen):
    """All pages of events, each once, the newest first."""
    events, plan = seen["events"], json.loads(seen["plan"])

    assert plan["training"]["rows"] == len(TRAINING)
    assert [event["created_at"] for event in events] == sorted(
        (event["created_at"] for event in events), reverse=True
    )
    assert len({event["id"] for event in events}) == len(events) > 2
    assert events[-1]["message"].startswith("dry run: nothing is trained.")
    assert "trains on t.jsonl: 20 rows" in "".join(event["message"] for event in events)


def test_a_job_is_cancelled_while_it_runs_and_not_after(seen):
    """With the SDK's word for it."""
    late = seen["too_late"]

    assert seen["cancelled"]["status"] == "cancelled"
    assert (late["exception"], late["status"], late["code"]) == ("BadRequestError", 400, "ended")


@pytest.mark.parametrize(
    ("name", "param"),
    [
        ("hyperparameter", "method.supervised.hyperparameters.n_epochs"),
        ("file", "training_file"),
    ],
)
def test_a_wrong_job_is_the_sdks_own_exception(seen, name, param):
    """With the place in the body."""
    told = seen["refused"][name]

    assert (told["exception"], told["status"], told["param"]) == ("BadRequestError", 400, param)
