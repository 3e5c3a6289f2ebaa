"""What `graders plan` says of judges, endpoints and time: counted, measured, and nobody asked."""

import pytest
from sample_configs import EXACT
from stand_ins import JUDGE, REMOTE

from graders.config.parse import parse_config
from graders.jobs.trial import measure, stand_ins
from graders.profile import OPENAI
from sandbox.doctor import IsolationError

TRAINING = [
    {"messages": [{"role": "user", "content": f"What is {n} + 1?"}], "answer": str(n + 1)}
    for n in range(12)
]
SLOW = (
    "import time\n"
    "def grade(sample, item):\n"
    "    end = time.perf_counter() + 0.02\n"
    "    while time.perf_counter() < end:\n"
    "        pass\n"
    "    return float(sample['output_text'] == item['answer'])\n"
)
PYTHON = {"type": "python", "name": "code", "source": SLOW}


def reinforcement(grader=EXACT, **hyperparameters):
    inside = {"grader": grader, "hyperparameters": hyperparameters}
    return {"type": "reinforcement", "reinforcement": inside}


def test_judges_are_counted_and_never_asked(planned):
    """From an empty output to the longest; cost and time by what is said to be assumed."""
    judge = {**JUDGE, "model": "gpt-4.1-mini-2025-04-14"}
    judge["sampling_params"] = {"max_completions_tokens": 100}

    code, found = planned(reinforcement(judge, n_epochs=1), TRAINING, "--samples-per-item", "2")
    asked = found["judges"]["gpt-4.1-mini-2025-04-14"]

    assert code == 0
    assert asked["calls"] == {"low": 24, "high": 24}
    assert asked["completion_tokens"] == {"low": 240, "high": 2_400}
    low, high = asked["prompt_tokens"].values()
    assert high - low == pytest.approx(24 * 4_096, rel=0.01)
    assert 0 < asked["cost_usd"]["low"] < asked["cost_usd"]["high"]
    assert asked["seconds"] == {"low": 24 / 64, "high": 24 * 30}
    assert {
        "All prompts of judges are like those of 12 rows that were tried.",
        "Outputs that are judged have 0 to 4,096 tokens.",
    } <= {*found["assumptions"]}


def test_the_service_asks_once_where_a_config_repeats(planned):
    """Repeats are ours, and the calls that a missing variable spares are no others'."""
    spared = {**JUDGE, "name": "b", "model": "mine"}
    spared["input"] = [{"role": "user", "content": "Rate {{ item.refrence }}"}]
    graders = {"a": {**JUDGE, "model": "mine", "repeats": 3}, "b": spared}
    both = {"type": "multi", "name": "m", "graders": graders, "calculate_output": "a + b"}

    _, found = planned(reinforcement(both, n_epochs=1), TRAINING, "--samples-per-item", "1")

    assert found["judges"]["mine"]["calls"] == {"low": 12, "high": 24}


def test_what_judges_take_is_not_known_where_nothing_could_be_tried(planned):
    """Never nothing: not of a grader with an error, nor where the method is wrong."""
    judge = {**JUDGE, "model": "gpt-4.1-mini-2025-04-14"}
    formula = {"type": "multi", "name": "m", "graders": {"j": judge}, "calculate_output": "j + ("}

    _, found = planned(reinforcement(formula, n_epochs=1), TRAINING, "--samples-per-item", "2")
    asked = found["judges"]["gpt-4.1-mini-2025-04-14"]
    assert asked["calls"] == {"low": 0, "high": 24}
    assert asked["prompt_tokens"] == found["judge_cost_usd"] == {"low": 0, "high": None}
    assert found["seconds"]["judges"] == {"low": 0, "high": 24 * 30}
    assert "What judges are asked is not known: no row could be tried." in found["assumptions"]

    _, found = planned(reinforcement(judge, n_epochs=0), TRAINING)
    assert (found["judge_cost_usd"], found["seconds"]["judges"]) == (None, None)


def test_real_outputs_decide_how_long_prompts_are(planned):
    """Then there is no guess at their length."""
    samples = [{"item": row, "sample": "four" * 100} for row in TRAINING]
    judge = {**JUDGE, "model": "mine"}
    arguments = ["--samples", "samples.jsonl", "--samples-per-item", "1"]

    code, found = planned(
        reinforcement(judge, n_epochs=1), TRAINING, *arguments, samples_jsonl=samples
    )
    asked = found["judges"]["mine"]

    assert code == 0
    assert asked["prompt_tokens"]["low"] == asked["prompt_tokens"]["high"] > 12 * 100
    assert (asked["cost_usd"], found["judge_cost_usd"]) == (None, None)
    assert found["measured"]["outputs"] == "samples"


def test_without_an_assumption_totals_are_open(plan):
    """The service hides how many samples it draws."""
    _, out, _ = plan(reinforcement(JUDGE, n_epochs=1), TRAINING, "--measure", "0")

    assert "samples per item    at least 2\n" in out
    assert "n_epochs x tokens of the rows; outputs are not known\n" in out
    assert "training samples    at least 24\n" in out
    assert "calls               at least 24\n" in out
    assert "grading here        not measured; --measure N" in out


def test_seconds_are_measured_in_the_real_sandbox(planned):
    """A grader that works for 20 ms takes that, and all gradings are so many times as long."""
    code, found = planned(
        reinforcement(PYTHON, n_epochs=1), TRAINING, "--samples-per-item", "5", "--measure", "6"
    )
    measured = found["measured"]

    assert code == 0
    assert (measured["gradings"], measured["failed"]) == (6, 0)
    assert 0.02 <= measured["slowest_seconds"] <= measured["seconds"] + 0.02
    assert found["seconds"]["grading_here"]["low"] == pytest.approx(60 * measured["seconds_each"])


def test_a_grader_that_hangs_is_waited_for_once():
    """At two minutes each, twenty gradings would take most of an hour."""
    rows = stand_ins([(n, row) for n, row in enumerate(TRAINING, start=1)])

    assert measure(parse_config(EXACT), rows, None, OPENAI).gradings == 12
    assert measure(parse_config(EXACT), rows, None, OPENAI, most_seconds=0).gradings == 1


def test_what_is_measured_is_spread_over_the_file(planned):
    """Rows are often sorted, so that the first ones are no sample of all."""
    rows = [{**row, "answer": "?"} for row in TRAINING[:6]] + TRAINING[6:]
    source = "def grade(sample, item):\n    return 1 / (item['answer'] != '?')"

    _, found = planned(reinforcement({**PYTHON, "source": source}), rows, "--measure", "4")

    assert (found["measured"]["gradings"], found["measured"]["failed"]) == (4, 2)


def test_gradings_that_fail_are_said_with_the_first_reason(planned):
    """Of stand-in outputs it may be their fault, and it says how to give others."""
    source = "def grade(sample, item):\n    return item['anwser']"
    _, found = planned(reinforcement({**PYTHON, "source": source}), TRAINING, "--measure", "3")
    (failed,) = (one for one in found["findings"] if one["code"] == "grading-failed")

    assert failed["severity"] == "warning"
    assert failed["message"].startswith(
        "3 of 3 gradings of stand-in outputs gave no score; the first: "
        "python_grader_runtime_error: "
    )
    assert "KeyError: 'anwser'" in failed["message"]
    assert failed["fix"] == "Give --samples FILE with outputs of a model."


def test_what_stands_in_for_a_judge_suits_formulas(planned):
    """They divide by scores and take their logarithms, and that is no mistake."""
    members = {"j": JUDGE, "x": REMOTE, "e": EXACT}
    formula = {"type": "multi", "name": "m", "graders": members}
    formula["calculate_output"] = "e / j + log(x) + log(j)"

    _, found = planned(reinforcement(formula), TRAINING, "--for", "azure-rft")

    assert "grading-failed" not in {one["code"] for one in found["findings"]}


def test_prompts_that_lack_a_variable_are_said(planned):
    """Of the rows that are tried."""
    judge = {**JUDGE, "input": [{"role": "user", "content": "Rate {{ item.refrence }}"}]}
    samples = [{"item": row, "sample": "4"} for row in TRAINING]

    _, found = planned(reinforcement(judge), TRAINING)
    codes = {one["code"]: one for one in found["findings"]}
    assert codes["not-rendered"]["message"] == (
        "12 of 12 rows that were tried with stand-in outputs lack a variable of a prompt"
    )
    assert codes["not-rendered"]["fix"] == "Give --samples FILE with outputs of a model."

    arguments = ["--samples", "samples.jsonl"]
    _, found = planned(reinforcement(judge), TRAINING, *arguments, samples_jsonl=samples)
    codes = {one["code"]: one for one in found["findings"]}
    assert codes["not-rendered"]["message"] == (
        "12 of 12 rows that were tried lack a variable of a prompt"
    )
    assert codes["not-rendered"]["fix"].endswith("graders lint names the variable.")
    assert codes["not-rendered"]["path"] == "samples.jsonl"


def test_an_endpoint_is_counted_and_never_asked(planned):
    """Azure's; its calls have no price."""
    arguments = ["--for", "azure-rft", "--validation", "rows.jsonl", "--samples-per-item", "2"]
    code, found = planned(reinforcement(REMOTE, n_epochs=1), TRAINING, *arguments)

    assert code == 0
    assert found["totals"]["endpoint_calls"] == found["totals"]["grader_calls"]
    assert found["measured"]["failed"] == 0


def test_each_endpoint_of_a_multi_is_called_for_each_grading(planned):
    """Two of them are two calls."""
    both = {"type": "multi", "name": "m", "graders": {"a": REMOTE, "b": REMOTE}}
    arguments = ["--for", "azure-rft", "--samples-per-item", "2"]

    _, found = planned(
        reinforcement({**both, "calculate_output": "a + b"}, n_epochs=1), TRAINING, *arguments
    )

    assert found["totals"]["grader_calls"] == {"low": 24, "high": 24}
    assert found["totals"]["endpoint_calls"] == {"low": 48, "high": 48}


def test_what_judges_cost_at_least_is_held_against_the_services_limit(planned):
    """What training costs beside is not known."""
    judge = {**JUDGE, "model": "gpt-4.1-mini-2025-04-14"}

    _, found = planned(reinforcement(judge), TRAINING, "--for", "azure-rft")
    (limit,) = (one for one in found["limits"] if one["code"] == "paused-by-cost")

    assert limit["value"] == {"low": found["judge_cost_usd"]["low"], "high": None}
    assert limit["value"]["low"] > 0


def test_an_embeddings_server_is_never_asked(planned, monkeypatch):
    """No service has it, and to say so nothing is sent."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    cosine = {"type": "text_similarity", "name": "c", "evaluation_metric": "cosine"}
    cosine |= {"input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"}

    code, found = planned(reinforcement(cosine), TRAINING, "--set", "cosine=server:bge-m3")

    assert (code, found["measured"]["failed"]) == (1, 0)


def test_a_machine_that_cannot_isolate_still_plans(plan, monkeypatch):
    """Unless it was told to measure."""

    def refuse(*_, **__):
        raise IsolationError("no isolation here")

    monkeypatch.setattr("sandbox.opening.open_sandbox", refuse)

    code, out, err = plan(reinforcement(PYTHON), TRAINING)
    assert (code, "not measured" in out) == (0, True)
    assert "warning: nothing is measured: no isolation here" in err

    code, _, err = plan(reinforcement(PYTHON), TRAINING, "--measure", "1")
    assert (code, "no isolation here" in err) == (2, True)
