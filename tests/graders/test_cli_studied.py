"""`graders study` without a formula, and what `graders run` says of the same: will it teach?"""

import io
import json
import sys
from pathlib import Path

import pytest
from taught_rows import MULTI, ROWS, line, write


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("rows.jsonl", *ROWS)
    write("grader.json", MULTI)


@pytest.fixture
def report(graders):
    """A study's JSON, after a run of the grader over the rows."""

    def command(*options, results="out.jsonl"):
        if not Path(results).exists():
            graders("run", "grader.json", "rows.jsonl", "-o", results)
        code, out, err = graders("study", results, "--json", *options)
        assert (code, err) == (0, "")
        return json.loads(out)

    return command


def codes(study):
    return [verdict["code"] for verdict in study["verdicts"]]


def verdict(study, code):
    (found,) = (one for one in study["verdicts"] if one["code"] == code)
    return found


# --- what it says


def test_a_study(report):
    """Each number is that of the rows, which can be counted by hand."""
    study = report()

    assert study["samples"] == {"seen": 64, "studied": 64, "rewarded": 64, "graded": 64}
    assert study["items"] == {"studied": 16, "about_of": 16, "drawn_share": 1.0}
    assert study["groups"]["zero_variance"]["value"] == 0.5
    assert study["groups"]["all_low"]["value"] == study["groups"]["all_high"]["value"] == 0.25
    assert study["groups"]["effective_batch"]["value"] == 0.5
    assert sum(study["histogram"]["counts"]) == 64
    assert [at["k"] for at in study["passing"]["at_k"]] == [1, 2, 4]
    assert study["passing"]["at_k"][0]["value"] == (2 + 4 + 0 + 1) / 16
    assert study["passing"]["at_k"][2]["value"] == 0.75
    assert study["passing"]["threshold"] == 1.0
    assert study["passing"]["failing"] == 1 - 28 / 64
    assert study["members"]["decides"] == "same"
    assert study["members"]["dead"] == {"dead": 0.0}
    matrix = study["members"]["correlations"]["matrix"]
    assert [row[i] for i, row in enumerate(matrix)] == [1.0, 1.0, 1.0]
    assert matrix[0][1] == matrix[1][0] > 0.5
    assert matrix[0][2] is None
    assert study["members"]["correlations"]["undefined"] == ["dead does not vary"]
    assert study["failures"] == [{**study["failures"][0], "kind": None, "count": 0, "share": 0.0}]
    assert (study["form"], study["human"], study["drift"]) == (None, None, None)
    assert verdict(study, "zero-variance")["tone"] == "warning"
    assert verdict(study, "too-hard")["value"] == 0.25
    assert "dead-member" in codes(study)


def test_rewards_are_drawn(report, graders):
    """Ten bars, each of two of those that programs get."""
    counts = report()["histogram"]["counts"]
    _, out, _ = graders("study", "out.jsonl")
    bars = out.partition("           0 - 0.1 ")[2].splitlines()[:10]

    assert [int(bar.split()[-1]) for bar in bars] == [
        one + other for one, other in zip(counts[::2], counts[1::2], strict=True)
    ]
    assert f"         0.9 - 1 {40 * '█'} 28" in out


def test_texts_let_form_be_studied(report):
    """And equal outputs of one item, which got the same score."""
    study = report("--rows", "rows.jsonl")

    assert study["texts"] == {"found": 64, "bad_lines": 0}
    assert study["noise"]["equal_outputs"]["rows"] == 4 + 4 + 4
    assert study["noise"]["equal_outputs"]["unstable"]["value"] == 0.0
    assert {trait["name"] for trait in study["form"]["traits"]} == {"stop", "bullets"}
    assert study["form"]["share"]["value"] is not None
    assert study["form"]["traits"][0]["meaning"] == "ends with a full stop"
    assert {"form", "equal-outputs"} <= set(codes(study))


def test_human_labels(report):
    """Agreement with people, and what length says beyond their labels."""
    study = report("--rows", "rows.jsonl", "--human", "sample.human")

    assert (study["human"]["samples"], study["human"]["good"]) == (64, 28)
    assert study["human"]["auc"]["interval"]["low"] < study["human"]["auc"]["value"]
    assert study["length"]["beyond_labels"]["value"] is not None
    assert verdict(study, "human")["text"].startswith(
        "Held against what people say, scores have an AUC of 0.9"
    )


def test_rewards_are_given_beside_human_labels(report, graders):
    """Each sample is a point with its place, and good ones are counted apart from the others."""
    human = report("--rows", "rows.jsonl", "--human", "sample.human")["human"]
    results = {
        (line["row"], line["sample_index"]): line["reward"]
        for line in map(json.loads, Path("out.jsonl").read_text().splitlines())
    }
    places = [(one["row"], one["sample_index"]) for one in human["points"]["rows"]]

    assert dict(zip(places, human["points"]["reward"], strict=True)) == results
    assert sum(label >= human["good_from"] for label in human["points"]["human"]) == human["good"]
    assert sum(human["histogram"]["good"]) == human["good"]
    assert sum(human["histogram"]["bad"]) == 64 - human["good"]

    _, out, _ = graders("study", "out.jsonl", "--rows", "rows.jsonl", "--human", "sample.human")
    below = out.partition("  agreement with people (28 of 64 samples good, from 0.5 on)\n")[2]
    assert below.splitlines()[0].split()[:2] == ["AUC", f"{human['auc']['value']:.4g}"]


def test_drift_and_noise_between_runs(graders, report):
    """Of another grader drift; of the same one whether it agrees with itself."""
    graders("run", "grader.json", "rows.jsonl", "-o", "old.jsonl")
    same = report("--against", "old.jsonl")
    write("grader.json", {**MULTI, "calculate_output": "same", "pass_threshold": 1})
    new = report("--against", "old.jsonl", results="new.jsonl")

    assert verdict(same, "run-noise")["text"] == "The same grader gave the same scores twice."
    assert same["drift"]["changed"] == 0.0
    assert new["drift"]["samples"] == 64
    assert new["drift"]["noise"] is None
    assert new["drift"]["changed"] == 12 / 64
    assert same["drift"]["pairs_kept"]["value"] == 1.0 > new["drift"]["pairs_kept"]["value"]
    assert new["drift"]["worst"][0] == {
        "row": 4, "sample_index": 1, "group": 4, "old": pytest.approx(1 / 3.5), "new": 0.0
    }  # fmt: skip
    assert verdict(new, "drift")["tone"] == "warning"
    assert "flips" not in codes(new)
    tones = [one["tone"] for one in new["verdicts"]]
    assert tones.index("note") > tones.index("warning") == 0
    assert tones.count("warning") == tones.index("note")


def test_a_noisy_grader_between_runs(report):
    """The same signature, other scores: reliability."""
    first = [line(number, (number % 4) / 4) for number in range(1, 41)]
    second = [line(number, (number % 4) / 4 + (number % 2) / 8) for number in range(1, 41)]
    write("out.jsonl", *second)
    write("old.jsonl", *first)
    found = verdict(report("--against", "old.jsonl"), "run-noise")

    assert 0.9 < found["value"] < 1
    assert "50 % of scores differ" in found["text"]


def judged(*answers, nested):
    """Result lines of a judge that was asked three times."""
    lines = []
    for row, scores in enumerate(answers, start=1):
        parts = {str(i): {"score": score} for i, score in enumerate(scores, start=1)}
        mean = sum(scores) / len(scores)
        whole = json.loads(
            line(row, mean, signature="score_model|model:m|repeats:3|aggregate:mean")
        )
        inside = {"j": {"score": mean, "parts": parts}}
        lines.append({**whole, "parts": inside if nested else parts})
    return lines


@pytest.mark.parametrize("nested", [False, True])
def test_repeats_of_a_judge_are_noise_and_no_members(report, nested):
    """Whether the judge is the grader or a member of it."""
    write("out.jsonl", *judged((0, 1, 0.5), (1, 1, 1), (0, 0, 0.25), (0.5, 0.5, 1), nested=nested))
    study = report()
    (name,) = study["noise"]["judges"]
    found = verdict(study, "judge-noise")

    assert name == ("j" if nested else "")
    assert study["noise"]["judges"][name]["rows"] == 4
    assert [one["name"] for one in (study["members"] or {"members": []})["members"]] == (
        ["j"] if nested else []
    )
    assert found["text"].startswith(
        f"Single answers of {'the judge' if not nested else chr(39) + 'j' + chr(39)} to one"
    )
    assert found["tone"] == "warning"


def test_the_report_for_people(graders):
    """Findings first, worst on top; all fit a terminal."""
    graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl")
    code, out, err = graders("study", "out.jsonl", "--rows", "rows.jsonl")
    shown = out.splitlines()

    assert (code, err) == (0, "")
    assert shown[:5] == [
        "out.jsonl, studied",
        "64 samples of 16 items, 64 with a reward",
        "",
        "  will it teach?",
        "    warning 50 % [25 %, 75 %] of items give every sample the same reward: they",
    ]
    assert max(map(len, shown)) <= 80
    for title in ("rewards", "passing", "length", "form", "members, within items"):
        assert f"  {title}" in shown
    assert "    pass@4                        0.75  [0.500, 0.938]" in shown


def test_the_same_seed_gives_the_same_numbers(report):
    """And another one other intervals; 0 resamples none."""
    once, again, other, none = (
        report(*options) for options in ([], [], ["--seed", "1"], ["--resamples", "0"])
    )

    assert once == again
    assert once["length"]["with_length"]["interval"] != other["length"]["with_length"]["interval"]
    assert "interval" not in none["groups"]["zero_variance"]
    assert none["groups"]["zero_variance"]["value"] == 0.5


@pytest.mark.parametrize(
    ("options", "band"), [([], [0.25, 0.5]), (["--failing", "0.6:.7"], [0.6, 0.7])]
)
def test_the_band_of_a_threshold(report, options, band):
    """It is what is asked for."""
    study = report(*options)

    assert study["settings"]["failing"] == band
    assert study["passing"]["suggested"]["failing"] == (0.5625 if options else 0.375)


# --- exit codes, and what cannot be


def test_strict(graders):
    """A bad finding is exit code 1 only where that is asked."""
    write("out.jsonl", *[line(number, 0.5) for number in range(1, 41)])

    assert graders("study", "out.jsonl")[0] == 0
    code, out, _ = graders("study", "out.jsonl", "--strict")
    assert code == 1
    said = "    bad     100 % [69 %, 100 %] of items with several samples give every"
    assert said in out


def test_damaged_lines_are_named_and_left_out(graders):
    """The rest is studied, and the exit code says that it is not all."""
    write("out.jsonl", line(1, 0.5), "{oops\n", line(10**30, 0.5), line(2, 1.0))
    code, out, _ = graders("study", "out.jsonl")

    assert code == 1
    assert "  bad lines (left out)\n    out.jsonl:2:2: not JSON" in out
    assert f" {10**30} is no number of a line or of characters" in " ".join(out.split())
    assert "2 samples of 1 item, 2 with a reward\n" in out


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            [line(4, 1.0), line(8, 0.5)],
            "Whether samples of an item differ cannot be said: no item has two samples.",
        ),
        ([line(4, None)], "Nothing can be said of rewards: no sample has a reward."),
        (
            [line(4, 1e200)],
            "Nothing can be said of rewards: a score of 1e+200 is too large to be squared.",
        ),
    ],
)
def test_what_cannot_be_had_is_said(report, lines, said):
    """With its reason, in the place of the number."""
    write("out.jsonl", *lines)

    assert said in [verdict["text"] for verdict in report()["verdicts"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.jsonl"], "File 'none.jsonl' does not exist."),
        (["empty.jsonl"], "graders: empty.jsonl holds no results.\n"),
        (["rows.jsonl"], "graders: rows.jsonl holds no results: rows.jsonl:1:1: not a result"),
        (["out.jsonl", "--failing", "0.5"], "--failing: '0.5' is not LOW:HIGH, two shares"),
        (["out.jsonl", "--failing", "1:0"], "'1:0' is not LOW:HIGH"),
        (["out.jsonl", "--human", "sample.human"], "--human says how --rows is read, and there"),
        (["out.jsonl", "--key", "id"], "--key says how --rows is read, and there is no --rows."),
        (["-", "--against", "-"], "Only one file can be standard input."),
        (["out.jsonl", "-o", "x.jsonl"], "-o is for another formula, and there is no --formula."),
        (["out.jsonl", "--pass-threshold", "1"], "--pass-threshold is for another formula"),
        (["out.jsonl", "--failures", "drop"], "--failures is for another formula"),
        (["out.jsonl", "--formula", "same", "--rows", "-"], "--rows is for a study, and --f"),
        (["out.jsonl", "--formula", "same", "--strict"], "--strict is for a study"),
        (["out.jsonl", "--formula", "same", "--seed", "0"], "--seed is for a study"),
        (
            ["out.jsonl", "--rows", "other.jsonl"],
            "graders: other.jsonl: row 1, sample 0: it had 4 characters when it was graded and has "
            "5 here. Name the file that was graded, with --output, --outputs, --key as then\n",
        ),
        (["out.jsonl", "--rows", "empty.jsonl"], "empty.jsonl: no result is of a row in it"),
        (
            ["out.jsonl", "--rows", "rows.jsonl", "--human", "sample.humane"],
            "--human: no row has a number or true or false at sample.humane",
        ),
        (
            ["out.jsonl", "--rows", "rows.jsonl", "--human", "human"],
            "--human: a path begins with item or sample",
        ),
        (
            ["out.jsonl", "--against", "longer.jsonl"],
            "graders: longer.jsonl: row 1, sample 0: its output had 5 characters and has 4 "
            "characters now. Name earlier results of the same rows\n",
        ),
        (["out.jsonl", "--against", "empty.jsonl"], "graders: empty.jsonl holds no results.\n"),
    ],
)
def test_unusable_input(graders, arguments, message):
    """Exit code 2, and a sentence that says what to do."""
    write("out.jsonl", line(1, 0.5, output_chars=4))
    write("longer.jsonl", line(1, 0.5, output_chars=5))
    write("empty.jsonl", "\n")
    write("other.jsonl", {"item": {"a": "abcd"}, "sample": "abcde"})
    code, out, err = graders("study", *arguments)

    assert (code, out) == (2, "")
    assert message in err


def test_results_of_two_runs_in_one_file_are_told(graders):
    """They are studied as they stand, and that may not be what was meant."""
    write("out.jsonl", line(1, 0.5), line(1, 0.5), line(2, 1, signature="t"))
    code, _, err = graders("study", "out.jsonl")

    assert code == 0
    assert err == (
        "warning: out.jsonl: results of 2 graders, as one\n"
        "warning: out.jsonl: 1 sample of it counted a second time: the same row and place\n"
    )


def test_nothing_hostile_reaches_the_terminal(graders):
    """Names of groups, members and files cannot move the cursor, nor break the columns."""
    evil = "\x1b[31m\r\n\u202e\u6f22" * 9
    lines = []
    for row in range(1, 41):
        parts = {evil: {"score": row % 2}, f"{evil}2": {"score": row % 2}, "d\x07": {"score": 1}}
        whole = json.loads(line(row, row % 4, group=f"{evil}{row // 4}"))
        lines.append({**whole, "parts": parts})
    write("re\x1b[31md.jsonl", *lines)
    write("old.jsonl", *[{**one, "score": 0.0, "reward": 0.0} for one in lines])
    code, out, _ = graders("study", "re\x1b[31md.jsonl", "--against", "old.jsonl")

    assert code == 0
    assert out.replace("\n", "").isprintable()
    assert max(map(len, out.splitlines())) <= 80
    assert "Member 'd\\x07' gives every sample 1" in out


def test_results_from_standard_input(graders, monkeypatch):
    """`-` is read as a file is."""
    stdin = io.TextIOWrapper(io.BytesIO("".join(line(n, n % 3) for n in range(1, 9)).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)

    assert graders("study", "-")[1].startswith("-, studied\n8 samples of 3 items")
