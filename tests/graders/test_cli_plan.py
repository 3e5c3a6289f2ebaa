"""`graders plan`: the plan of a job as people and programs see it, and its exit codes."""

import io
import json
import resource
import sys
import time
import types

import pytest
from sample_configs import EXACT
from stand_ins import JUDGE, REMOTE

from graders.cli import main
from graders.starter import FILES
from graders.terminal import columns

TRAINING = [
    {"messages": [{"role": "user", "content": f"What is {n} + 1?"}], "answer": str(n + 1)}
    for n in range(12)
]
CHATS = [
    {"messages": [*row["messages"], {"role": "assistant", "content": row["answer"]}]}
    for row in TRAINING
]


def reinforcement(grader=EXACT, **hyperparameters):
    inside = {"grader": grader, "hyperparameters": hyperparameters}
    return {"type": "reinforcement", "reinforcement": inside}


@pytest.fixture
def starter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")


# --- end to end


@pytest.mark.usefixtures("starter")
def test_the_starters_job_is_planned_end_to_end(capsys):
    """Its grader as a reinforcement method: rows, steps, samples, calls and measured seconds."""
    arguments = ["--validation", "train.jsonl", "--samples", "rows.jsonl"]
    arguments += ["--samples-per-item", "8", "--assume", "eval_samples=1"]
    arguments += ["--assume", "eval_interval=1", "--measure", "12"]

    assert main(["plan", "method.json", "train.jsonl", *arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert [one["code"] for one in found["findings"]] == ["target-ends"]
    assert (found["training"]["rows"], found["training"]["bad_rows"]) == (4, 0)
    assert found["totals"]["steps"] == {"low": 2, "high": 2}
    assert found["totals"]["training_samples"] == {"low": 64, "high": 64}
    assert found["totals"]["evaluation_samples"] == {"low": 2, "high": 12}
    assert found["totals"]["grader_calls"] == {"low": 66, "high": 76}
    assert found["judges"] == {}
    assert (found["measured"]["gradings"], found["measured"]["failed"]) == (12, 0)
    each = found["measured"]["seconds_each"]
    assert found["seconds"]["grading_here"] == pytest.approx({"low": 66 * each, "high": 76 * each})
    assert {one["verdict"] for one in found["limits"]} == {"kept"}


@pytest.mark.usefixtures("starter")
def test_every_config_of_the_starter_is_planned_without_an_error(tmp_path, capsys):
    """A correct job has warnings at most; judges are never asked."""
    source = {"type": "python", "name": "p", "source": FILES["grade.py"]}
    for grader in (json.loads(FILES["grader.json"]), json.loads(FILES["judge.json"]), source):
        (tmp_path / "one.json").write_text(json.dumps(reinforcement(grader)), encoding="utf-8")
        assert main(["plan", "one.json", "train.jsonl"]) == 0
        said = capsys.readouterr()
        assert said.out.startswith("plan of a reinforcement method with a ")
        assert [line.split(" ")[:3] for line in said.err.splitlines()] == [
            ["warning:", "0", "validation"],
            ["note:", "OpenAI's", "reinforcement"],
        ]


TEXT = """\
plan of a supervised method, for openai-rft
trains on rows.jsonl: 12 rows, 0 with errors, about 122 tokens, the longest row
11

  hyperparameters (of auto, the range that could be set [D])
    n_epochs                  2
    batch_size                auto: 1 to 256
      the service decides; nobody says by what
    learning_rate_multiplier  auto: above 0
      the service decides; no number here depends on it

  it comes to
    steps               2 to 24                 n_epochs x rows / batch_size
    training tokens     244                     n_epochs x tokens of the rows

  limits of openai-rft
    training rows: 12, of 10 or more [D]: kept
    bytes of the largest file: 1,217, of at most 536,870,912 [I]: kept

  taken for granted
    A token is taken for 4 characters, and 3 for each message.
    What auto turns out to be is any number that could be set [D].
"""


def test_what_is_printed(plan):
    """All of it for a supervised job."""
    code, out, err = plan(
        {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}, CHATS
    )

    assert (code, err) == (0, "")
    assert out == TEXT


def test_hidden_epochs_are_a_range_and_the_vendors_number_is_said(plan):
    """It stands among what is taken for granted, and in no total."""
    _, out, _ = plan({"type": "supervised"}, CHATS)

    assert "training tokens     122 to 6,100 " in out
    assert (
        "The vendor's notebook expects 8 epochs of n_epochs auto [I]; the totals do\n    not."
        in out
    )


def test_rows_with_errors_are_in_no_total(planned):
    """Neither to train on nor to evaluate on; of the bytes, those of the larger file count."""
    chosen = {"n_epochs": 1, "batch_size": 1, "eval_interval": 12, "eval_samples": 1}
    arguments = ["--validation", "test.jsonl", "--samples-per-item", "3"]

    _, found = planned(
        reinforcement(**chosen), [*TRAINING, *CHATS], *arguments, test_jsonl=[TRAINING[0], *CHATS]
    )

    assert found["totals"]["steps"] == {"low": 12, "high": 12}
    assert found["totals"]["training_samples"] == {"low": 36, "high": 36}
    assert found["totals"]["evaluation_samples"] == {"low": 1, "high": 12}
    (limit,) = (one for one in found["limits"] if one["code"] == "file-too-large")
    assert limit["value"]["low"] == found["training"]["bytes"] > found["validation"]["bytes"]


def test_nothing_is_said_of_the_epochs_of_no_rows(planned):
    """Though a formula gives some."""
    _, found = planned({"type": "supervised"}, [])

    assert not [said for said in found["assumptions"] if "notebook" in said]


def test_a_preference_job(planned):
    """Both outputs are read after the prompt, and beta is explained."""
    pair = {
        "input": {"messages": TRAINING[0]["messages"]},
        "preferred_output": [{"role": "assistant", "content": "4"}],
        "non_preferred_output": [{"role": "assistant", "content": "5"}],
    }
    method = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 3}}}

    code, found = planned(method, [pair] * 10)

    assert code == 0
    assert found["hyperparameters"]["beta"] == {
        "given": "auto",
        "low": 0,
        "high": 2,
        "low_excluded": True,
        "rule": "the service decides; no number here depends on it",
    }
    assert found["totals"]["training_tokens"] == {"low": 3 * 10 * 22, "high": 3 * 10 * 22}
    assert set(found["totals"]) == {"steps", "training_tokens"}


# --- errors


def test_errors_in_the_method_and_in_the_rows_are_said_at_once(plan):
    """Exit code 1: there is a plan's worth of findings, and no totals."""
    method = {"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 3}}}}

    code, out, err = plan(method, TRAINING)

    assert code == 1
    assert "the method is not right, so that nothing can be said of what it comes to" in out
    assert err.splitlines()[:2] == [
        "error: method.dpo.hyperparameters.beta: 3 is not 'auto' or a number above 0 and at most 2",
        "error: rows.jsonl:1:1: has no input, and a preference pair has some (in 12 of 12 rows: "
        "lines 1, 2, 3, 4, 5, ...)",
    ]


@pytest.mark.parametrize(
    ("method", "rows", "arguments", "code", "finding"),
    [
        ({"type": "supervised"}, CHATS[:9], [], 1, "too-few-rows"),
        ({"type": "supervised"}, CHATS[:10], [], 0, None),
        (reinforcement(), [], [], 1, "too-few-rows"),
        (reinforcement(), TRAINING, ["--for", "azure-rft"], 1, "no-validation"),
        (reinforcement(), TRAINING, [], 0, "no-validation"),
        (reinforcement(batch_size=12), TRAINING, [], 0, "no-validation"),
        (reinforcement(), CHATS, [], 1, "last-not-user"),
        (reinforcement({**EXACT, "operation": "neq"}), TRAINING, [], 1, "not-one-of"),
        (reinforcement(REMOTE), TRAINING, [], 1, "target-type"),
    ],
)
def test_exit_code_1_is_for_errors_alone(planned, method, rows, arguments, code, finding):
    """Warnings and notes do not stop anybody."""
    exited, found = planned(method, rows, *arguments)

    assert exited == code
    assert finding is None or finding in {one["code"] for one in found["findings"]}


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        (EXACT, [], "type: 'string_check' is not one of supervised, dpo, reinforcement"),
        ({"type": "dpo"}, ["--for", "local"], "'local' is not one of 'openai-rft', 'azure-rft'"),
        ({"type": "dpo"}, ["--assume", "beta"], "'beta': is not NAME=NUMBER"),
        ({"type": "dpo"}, ["--assume", "beta=3"], "3 is not 'auto' or a number above 0"),
        (
            {"type": "dpo"},
            ["--assume", "bta=1"],
            "'bta' is no hyperparameter of dpo. Did you mean 'beta'?",
        ),
        (
            reinforcement(n_epochs=2),
            ["--assume", "n_epochs=3"],
            "n_epochs is 2 in the method, and not auto",
        ),
        (
            reinforcement(),
            ["--samples-per-item", "1000001"],
            "1000001 is not in the range 1<=x<=1000000",
        ),
        ({"type": "dpo"}, ["--validation", "-", "--samples", "-"], "Only one of the files can be"),
        (reinforcement(), ["--samples", "method.json"], "--samples method.json holds no rows: "),
        ({"type": "dpo"}, ["--validation", "none.jsonl"], "'none.jsonl' does not exist"),
    ],
)
def test_exit_code_2_is_for_what_cannot_be_used(plan, method, arguments, message):
    """And says why in one line."""
    code, out, err = plan(method, TRAINING, *arguments)

    assert (code, out) == (2, "")
    assert message in err


def test_the_largest_numbers_are_planned(plan):
    """Whatever a method may say, its totals are written out and no overflow."""
    judge = {**JUDGE, "model": "gpt-4.1-mini-2025-04-14"}
    method = reinforcement(judge, n_epochs=50, eval_interval=1, eval_samples=2**63 - 1)
    arguments = ["--validation", "rows.jsonl", "--samples-per-item", "1000000"]

    for more in ([], ["--json"]):
        code, out, _ = plan(method, TRAINING, *arguments, *more)
        assert (code, bool(out)) == (0, True)


# --- standard input and forms


def test_the_method_or_the_rows_can_be_standard_input(plan, monkeypatch, capsys):
    """One of them."""
    plan({"type": "supervised"}, CHATS)
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(b'{"type": "dpo"}')))

    assert main(["plan", "-", "rows.jsonl"]) == 1
    assert capsys.readouterr().out.startswith("plan of a dpo method")


def test_the_base_model_is_the_jobs_or_the_options(planned):
    """What is known of it decides limits and prices."""
    body = {"model": "gpt-3.5-turbo-0613", "training_file": "f", "method": {"type": "supervised"}}
    long = {"messages": [CHATS[0]["messages"][0], {"role": "assistant", "content": "x" * 20_000}]}

    _, found = planned(body, [*CHATS, long])
    assert [(one["code"], one["severity"]) for one in found["findings"]] == [
        ("long-row", "warning")
    ]
    assert found["training"]["longest_row"] == {"tokens": 5_010, "line": 13}

    _, found = planned(body, [*CHATS, long], "--model", "gpt-4.1-2025-04-14")
    assert (found["model"], found["findings"]) == ("gpt-4.1-2025-04-14", [])

    pair = {"input": {"messages": TRAINING[0]["messages"]}}
    pair |= dict.fromkeys(("preferred_output", "non_preferred_output"), long["messages"][1:])
    _, found = planned({"type": "dpo"}, [pair] * 10, "--model", "gpt-3.5-turbo-0613")
    assert [one["code"] for one in found["findings"]] == ["equal-outputs"]

    _, found = planned(reinforcement(), TRAINING, "--model", "o4-mini-2025-04-16")
    assert "The price of an hour of training: $100 [D]." in found["assumptions"]


# --- hostile and large


def test_hostile_text_cannot_move_the_cursor_and_lines_fit(plan):
    """Whatever stands in names, keys and roles."""
    evil = "\x1b[2J\x07evil" * 20
    judge = {**JUDGE, "name": evil, "model": evil}
    row = {"messages": [{"role": evil, "content": evil, evil: 1}], evil + ".": 1}

    code, out, err = plan(reinforcement(judge), [*TRAINING, row], "--model", evil)

    assert code == 1
    assert "\x1b" not in out + err
    assert "\x07" not in out + err
    assert max(map(columns, out.splitlines())) <= 80


def test_50_000_rows_in_bounded_memory_and_seconds(tmp_path, capsys):
    """Well under ten seconds; what is kept does not grow with the file."""
    row = json.dumps({**TRAINING[0], "text": "word " * 100}) + "\n"
    (tmp_path / "rows.jsonl").write_text(row * 50_000, encoding="utf-8")
    (tmp_path / "method.json").write_text(json.dumps(reinforcement()), encoding="utf-8")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()

    assert main(["plan", str(tmp_path / "method.json"), str(tmp_path / "rows.jsonl")]) == 0

    assert time.process_time() - started < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # of 29 MB
    assert "50,000 rows, 0 with errors" in capsys.readouterr().out


def test_the_same_mistake_in_every_row_is_said_in_the_same_time(planned):
    """What a key may have meant is found once, and not for each of many rows."""
    row = {"message": [], "question": "What is 2 + 2?", "answer": "4", "id": 7, "text": "word"}
    started = time.process_time()

    code, found = planned({"type": "supervised"}, [row] * 10_000)

    assert time.process_time() - started < 1
    assert (code, found["training"]["bad_rows"]) == (1, 10_000)


@pytest.mark.usefixtures("starter")
def test_columns_of_training_rows_are_called_as_the_option_says(tmp_path, capsys):
    """Of both files; `--samples` are called as they are."""
    named = "".join(json.dumps(row) + "\n" for row in TRAINING)
    asked = "".join(
        json.dumps({"prompt": row["messages"], "gold": row["answer"]}) + "\n" for row in TRAINING
    )
    (tmp_path / "named.jsonl").write_text(named)
    (tmp_path / "asked.jsonl").write_text(asked)
    samples = [{"item": row, "sample": "1"} for row in TRAINING[:1]]
    (tmp_path / "drawn.jsonl").write_text(json.dumps(samples[0]) + "\n")
    (tmp_path / "m.json").write_text(json.dumps(reinforcement()))
    columns = ["--column", "item.messages=prompt", "--column", "item.answer=gold"]

    def planned(rows, *more):
        arguments = ["m.json", rows, "--validation", rows, "--measure", "0", "--json"]
        code = main(["plan", *arguments, "--samples", "drawn.jsonl", *more])
        found = json.loads(capsys.readouterr().out)
        for name in ("training", "validation"):
            for key in ("bytes", "path", "name"):
                found[name].pop(key, None)
        return code, found["training"], found["validation"]

    expected = planned("named.jsonl")
    assert expected[0] == 0
    assert planned("asked.jsonl", *columns) == expected
    code, training, _ = planned("asked.jsonl", *columns, "--column", "item.more=missing")
    assert (code, training["bad_rows"]) == (1, 12)


@pytest.mark.usefixtures("starter")
def test_training_rows_have_no_sample_to_name(capsys):
    """A column of one would be read of nothing."""
    assert main(["plan", "method.json", "train.jsonl", "--column", "sample=said"]) == 2
    assert "sample=said: no sample is read of these rows" in capsys.readouterr().err
