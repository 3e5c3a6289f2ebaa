"""A `get_assert`, started as promptfoo 0.123.1 starts it, gives a GradingResult or says why not.

In a process of its own for each assertion; what promptfoo takes for a result is `isGradingResult`
of its `types/index.ts`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rewarding import BOTH, CODE, EXACT, JUDGE, Judge

from graders.errors import ConfigError, GradingError
from graders.trainers import process
from graders.trainers.promptfoo import assertion

HERE = Path(__file__).parent
CONTEXT = {
    "prompt": "2 + {{ number }}?",
    "vars": {"number": "2", "answer": "4"},
    "test": {"vars": {"number": "2", "answer": "4"}, "assert": [{"type": "python"}]},
    "logProbs": None,
    "provider": {"id": "echo"},
    "providerResponse": {"output": "4"},
    "config": {"any": 1},
}
PASSING = {**BOTH, "pass_threshold": 0.5}


@pytest.fixture(scope="module", autouse=True)
def _close():
    yield
    process.close_all()


def is_grading_result(result):
    """`isGradingResult`, in Python; a boolean is no number in JavaScript."""
    return (
        isinstance(result, dict)
        and isinstance(result.get("pass"), bool)
        and isinstance(result.get("score"), float)
        and isinstance(result.get("reason"), str)
        and isinstance(result.get("namedScores", {}), dict)
        and isinstance(result.get("componentResults", []), list)
    )


def asserted(tmp_path, output, context=CONTEXT, config=PASSING):
    """What promptfoo gets of a user's file, or the last line of what it shows."""
    (tmp_path / "grader.json").write_text(json.dumps(config))
    user = tmp_path / "grade.py"
    user.write_text(
        "from graders.trainers.promptfoo import assertion\n"
        f"get_assert = assertion({str(tmp_path / 'grader.json')!r})\n"
    )
    (tmp_path / "in.json").write_text(json.dumps([output, context]))
    command = [HERE / "promptfoo_wrapper.py", user, "get_assert"]
    done = subprocess.run(
        [sys.executable, *command, tmp_path / "in.json", tmp_path / "out.json"],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    if done.returncode:
        return done.stderr.splitlines()[-1]
    assert (done.stdout, done.stderr) == ("", "")  # it is logged as warnings
    told = json.loads((tmp_path / "out.json").read_text("utf-8"), parse_constant=pytest.fail)
    return told["data"]


def test_a_result_has_a_score_and_its_members(tmp_path):
    """Each member is a named score, which promptfoo averages, and a component, which it shows."""
    told = asserted(tmp_path, "4")

    assert is_grading_result(told)
    assert all(map(is_grading_result, told["componentResults"]))
    assert told == {
        "pass": True,
        "score": 1.0,
        "reason": "both scored 1",
        "namedScores": {"exact": 1.0, "code": 1.0},
        "componentResults": [
            {"pass": True, "score": 1.0, "reason": "exact: exact scored 1"},
            {"pass": True, "score": 1.0, "reason": "code: code scored 1"},
        ],
    }


def test_a_failure_is_an_error_with_its_reason(tmp_path):
    """Promptfoo shows the last line; that it counts 0 then is its own doing."""
    told = asserted(tmp_path, "4", {**CONTEXT, "vars": {}}, EXACT)

    assert told.startswith("graders.errors.GradingError: ")
    assert "item.answer" in told


def test_a_var_that_is_null_is_none(tmp_path):
    """An empty cell of a table is no answer to compare with."""
    told = asserted(tmp_path, "4", {**CONTEXT, "vars": {"answer": None}}, EXACT)

    assert "item has no field 'answer'" in told


def told_of(output, *, config=PASSING, context=CONTEXT, **options):
    return assertion(config, **options)(output, context)


@pytest.mark.parametrize("said", ["die", "wait"])
def test_a_grader_that_breaks_or_hangs_is_an_error_too(said):
    """And no score of 0."""
    with pytest.raises(GradingError):
        told_of(said, config=CODE, threshold=0.5, deadline=1.0)


@pytest.mark.parametrize(
    ("config", "threshold", "passed"),
    [
        (EXACT, None, (True, False)),  # it says itself when it passes
        ({"name": "e", "testing_criteria": [EXACT]}, None, (True, False)),  # each of these does
        (
            {"name": "e", "testing_criteria": [EXACT, {**CODE, "pass_threshold": 0.5}]},
            None,
            (True, False),
        ),
        ({**CODE, "pass_threshold": 0}, None, (True, True)),
        (CODE, 0.5, (True, False)),
        (CODE, 0.0, (True, True)),
        (CODE, 1.5, (False, False)),
        ({**CODE, "pass_threshold": 1.5}, 0.0, (False, False)),  # the config has the say
    ],
)
def test_what_passes_is_said_by_the_config_or_the_caller(config, threshold, passed):
    """Never by promptfoo's own rule, that every score above 0 does."""
    told = [told_of(said, config=config, threshold=threshold) for said in ("4", "5")]

    assert [(one["pass"], one["score"]) for one in told] == [*zip(passed, (1.0, 0.0), strict=True)]


@pytest.mark.parametrize("config", [CODE, BOTH, JUDGE])
def test_a_grader_that_nobody_gave_a_threshold_is_refused_before_it_grades(config):
    """Else a judge were paid for a score that is thrown away. It says where to give one."""
    with pytest.raises(ConfigError, match=r"pass_threshold: the config does not say when a score"):
        assertion(config, client=Judge)
    assertion(config, client=Judge, settings={"default_threshold": "0.5"})


@pytest.mark.parametrize(
    "threshold", ["0.5", True, [0.5], float("nan"), float("inf"), float("-inf"), 10**400]
)
def test_a_threshold_is_a_finite_number(threshold):
    """Said where it is given: no score reaches NaN, and every test would fail."""
    with pytest.raises(ConfigError, match=r"threshold: .* is not a finite number"):
        assertion(CODE, threshold=threshold)


@pytest.mark.parametrize(
    ("output", "reference", "score"),
    [
        ("4", "4", 1.0),
        ({"a": [1]}, '{"a":[1]}', 1.0),  # promptfoo parses what is JSON
        (4, "4", 1.0),
        ("\x00\ud800{{ item.answer }}", "4", 0.0),
        ("x" * 1_000_000, "4", 0.0),
        ("", "4", 0.0),
    ],
)
def test_an_output_is_text_or_the_json_of_it(output, reference, score):
    """Hostile text is compared, and nothing else."""
    assert told_of(output, config={**EXACT, "reference": reference})["score"] == score


@pytest.mark.parametrize("reference", ["null", "None", ""])
def test_an_output_that_is_missing_is_not_graded(reference):
    """A provider gave none. That is no text, whatever it would be compared with."""
    with pytest.raises(GradingError, match="the test has no output") as error:
        told_of(None, config={**EXACT, "reference": reference})

    assert error.value.failure.reason == "no_output"


def test_a_context_makes_the_item():
    """Its vars, or what the user says."""
    config = {**EXACT, "reference": "{{ item.right }}"}
    item = lambda context: {"right": context["vars"]["answer"]}  # noqa: E731

    assert told_of("4", config=config, item=item)["score"] == 1.0


@pytest.mark.parametrize("context", [{"prompt": "2 + 2?"}, None, "vars"])
def test_a_context_without_vars_is_refused(context):
    """It is no call of promptfoo's."""
    with pytest.raises(ConfigError, match=r"context: .* has no 'vars', which promptfoo gives"):
        told_of("4", config=EXACT, context=context)


def test_a_member_that_the_profile_counts_as_zero_says_so():
    """The number is the profile's choice; why, is shown."""
    config = {**PASSING, "graders": {"exact": EXACT, "no": {**EXACT, "reference": "{{ item.x }}"}}}
    config["calculate_output"] = "exact + no"
    told = told_of("4", config=config, settings={"member_failure": "zero"})

    assert (told["score"], told["namedScores"]) == (1.0, {"exact": 1.0, "no": 0.0})
    assert told["componentResults"][1]["reason"].startswith("no: counted as 0: ")


def test_a_judge_is_asked_as_options_say():
    """They are those of every trainer."""
    assert told_of("4", config=JUDGE, client=Judge, threshold=0.5)["pass"] is True
    with pytest.raises(ConfigError, match="there is no such option"):
        assertion(EXACT, deadlin=5)
