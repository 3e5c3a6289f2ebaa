"""Evals that Inspect 0.3.285 runs with our scorer: a failure is unscored there, and never a 0."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rewarding import EXACT

from graders.errors import ConfigError
from graders.trainers.inspect_ai import scorer

HERE = Path(__file__).parent
pytestmark = pytest.mark.needs("inspect_ai")


@pytest.fixture(
    scope="module",
    params=["asyncio", pytest.param("trio", marks=[pytest.mark.needs("trio"), pytest.mark.long])],
)
def evals(request, tmp_path_factory):
    """What came of evals, by name, under each of the event loops that Inspect runs on."""
    paths = [str(HERE.parents[1]), str(HERE)]
    done = subprocess.run(
        [sys.executable, HERE / "inspect_evals.py", tmp_path_factory.mktemp("evals")],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "INSPECT_ASYNC_BACKEND": request.param,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def only(run):
    """The score of an eval's only sample by its only scorer."""
    (sample,) = run["samples"]
    (score,) = sample.values()
    return score


def test_scores_are_the_graders_and_a_failure_is_left_out(evals):
    """Two scorers; the first has no answer to compare the third sample with."""
    run = evals["scores"]

    assert run["status"] == "success"
    assert run["scores"]["both"] == {"scored": 2, "unscored": 1, "mean": 0.5, "stderr": 0.5}
    assert run["scores"]["match"]["mean"] == pytest.approx(2 / 3)
    assert [one["both"]["value"] for one in run["samples"][:2]] == [1.0, 0.0]
    assert run["samples"][0]["both"]["metadata"] == {"members": {"exact": 1.0, "code": 1.0}}
    assert run["samples"][1]["both"]["answer"] == "5"


def test_a_failure_says_why(evals):
    """In the fields that Inspect shows and filters by."""
    failed = evals["scores"]["samples"][2]["both"]

    assert math.isnan(failed["value"])  # Inspect's sentinel of `unscored`
    assert failed["reason"] == "scoring_failed"
    assert failed["explanation"].startswith("exact: {{ item.answer }}: item has no field 'answer'")
    assert failed["metadata"]["kind"] == "invalid_variable_error"
    assert failed["metadata"]["members"]["exact"] is None


@pytest.mark.parametrize(
    ("name", "reason", "explanation"),
    [
        ("judge", "grader_failed", "I would rather not"),
        ("unread", "scoring_failed", "metadata, key 'answer': is nan, which JSON has not"),
        ("nothing", "scoring_failed", "the sample has no output"),
    ],
)
def test_nothing_but_failures_has_no_mean(evals, name, reason, explanation):
    """It is no 0."""
    run = evals[name]
    (result,) = run["scores"].values()

    assert (result["scored"], result["unscored"]) == (0, 1)
    assert math.isnan(result["mean"])
    assert (only(run)["reason"], only(run)["explanation"]) == (reason, explanation)


def test_a_grader_that_breaks_or_hangs_is_unscored(evals):
    """Within its deadline."""
    run = evals["breaks"]
    died, late = (one["code"]["explanation"] for one in run["samples"])

    assert run["scores"]["code"]["unscored"] == 2
    assert (died, late) == (
        "the process was ended by SIGABRT",
        "took longer than the deadline of 5 s",
    )


def test_a_failure_may_be_an_error_instead(evals):
    """Which ends the eval, by default."""
    run = evals["raises"]

    assert (run["status"], run["scores"]) == ("error", {})
    assert "item has no field 'answer'" in run["error"]


def test_many_samples_are_scored_at_once(evals):
    """Each gets its own score."""
    run = evals["many"]

    assert run["scores"]["both"]["mean"] == 0.5
    assert [one["both"]["value"] for one in run["samples"]] == [
        float(one["both"]["answer"] == "4") for one in run["samples"]
    ]
    assert {one["both"]["answer"] for one in run["samples"]} == {"3", "4"}


def test_hostile_text_is_text(evals):
    """It is compared, and nothing else."""
    assert only(evals["hostile"])["value"] == 0.0


def test_tool_calls_are_where_graders_look_for_them(evals):
    """As the hosted API has them."""
    assert only(evals["tool"])["value"] == 1.0


def test_a_log_is_scored_again_with_the_same_numbers(evals):
    """By `inspect_ai.score`."""
    assert evals["again"]["scores"]["exact"] == evals["scores"]["scores"]["both"]


def test_the_log_says_what_scored(evals):
    """A path and options, never a config, which may hold what is secret."""
    (options,) = evals["breaks"]["scorers"]

    assert Path(options.pop("config")).name == "code.json"
    assert options == {"failures": "unscored", "deadline": 5.0}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"config": EXACT},
            "config: a dict would be in every log; give a path",
        ),
        (
            {"config": "x.json", "failures": "zero"},
            "failures: 'zero' is not one of unscored, raise",
        ),
    ],
)
def test_what_would_be_wrong_in_an_eval_is_said_before_it(given, message):
    """When the task is made."""
    with pytest.raises(ConfigError) as caught:
        scorer(**given)

    assert message in str(caught.value)
