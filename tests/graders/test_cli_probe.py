"""`graders probe`: options, exit codes, what people and programs read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from probing import CONTAINS, EXACT, similar

from graders.cli import main

ROWS = [
    {"item": {"question": "Who wrote it?", "answer": "Leo Tolstoy"}, "samples": ["Anton", "no"]},
    {"item": {"question": "Who painted it?", "answer": "Jan Vermeer"}, "samples": ["Ada", "no"]},
    {"item": {"question": "Who sang it?", "answer": "Ella Fitzgerald"}, "samples": ["Bo", "Ann"]},
]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("rows.jsonl", *ROWS)
    for name, config in [("exact", EXACT), ("contains", CONTAINS), ("fuzzy", similar("bleu"))]:
        write(f"{name}.json", config)


def write(name, *lines):
    Path(name).write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def probe(capsys):
    """Run `graders probe ...`; gives the exit code, standard output and standard error."""

    def command(*arguments):
        code = main(["probe", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def test_a_sound_grader(probe):
    """Exit code 0, the control, and in so many words that nothing was found."""
    code, out, err = probe("exact.json", "rows.jsonl")
    lines = out.splitlines()

    assert (code, err) == (0, "")
    assert lines[:7] == [
        "a string_check grader named 'exact', from exact.json",
        "3 of 3 rows probed, seed 0; 6 honest samples, 0 failed",
        "the reference stands at item.answer",
        "",
        "  honest best             0.0000  mean over rows",
        "  honest median           0.0000  the same",
        "",
    ]
    assert lines[7] == "  attack              rows     reward     wins   > best   failed"
    assert lines[8] == "  reference              3          1  control     100%        0"
    assert lines[9] == "  empty                  3          0        0        0        0"
    assert lines[-3] == "  nothing found: no attack wins, and none breaks the grader"
    assert lines[-1].endswith("(search: 100 edits a row)")


def test_a_grader_that_can_be_cheated(probe):
    """Exit code 1; each finding has an example to try."""
    code, out, err = probe("contains.json", "rows.jsonl", "--budget", "0")

    assert (code, err) == (1, "")
    assert "  3 findings; some attack wins on 100% of the rows\n" in out
    assert (
        "    every_answer wins on 3 of 3 rows: the answers of many rows at once\n"
        "      pays where it looks whether the answer is there, not whether it is given\n"
        "      row 1: 1, against median 0, best 0, reference 1\n"
    ) in out
    assert out.splitlines()[-1].endswith("(search: none)")


def test_what_attacks_win_is_drawn(probe):
    """The most first, in bars of a terminal's width; what wins nothing has none."""
    _, out, _ = probe("contains.json", "rows.jsonl", "--budget", "0")
    _, found, _ = probe("contains.json", "rows.jsonl", "--budget", "0", "--json")
    attacks = json.loads(found)["attacks"]
    drawn = out.partition("  share of rows on which an attack wins\n")[2].partition("\n\n")[0]
    bars = [line.split() for line in drawn.splitlines()]

    assert [one[0] for one in bars] == sorted(
        (name for name, one in attacks.items() if one["wins"]),
        key=lambda name: -attacks[name]["wins"],
    )
    assert [len(one[1]) for one in bars] == [
        round(40 * attacks[one[0]]["win_share"]) for one in bars
    ]
    assert f"  every_answer       {40 * '█'} 100%" in drawn
    assert max(map(len, out.splitlines())) <= 80

    _, out, _ = probe("exact.json", "rows.jsonl", "--budget", "0")
    assert "share of rows" not in out


@pytest.mark.parametrize(("threshold", "code"), [("1", 0), ("0.99", 1), ("0", 1)])
def test_a_share_of_rows_may_be_cheated(probe, threshold, code):
    """What is found is said all the same."""
    exit_code, out, _ = probe("contains.json", "rows.jsonl", "--threshold", threshold)

    assert exit_code == code
    assert "every_answer wins on 3 of 3 rows" in out


def test_the_report_for_programs(probe):
    """Its words are there to stay."""
    code, out, _ = probe("contains.json", "rows.jsonl", "--json", "--budget", "7", "--seed", "3")
    report = json.loads(out)
    every = report["attacks"]["every_answer"]
    first = report["findings"][0]

    assert code == 1
    assert list(report) == [
        *("rows", "drawn", "rows_seen", "without_reference", "references", "limit", "budget"),
        *("seed", "gradings", "honest", "human", "control", "honest_above_control", "in_a_form"),
        *("attacks", "cheated_share", "blind", "findings", "bad_lines", "first_bad_lines"),
        "threshold",
    ]
    assert report["references"] == ["item.answer"]
    assert (report["limit"], report["budget"], report["seed"]) == (200, 7, 3)
    assert report["honest"] == {"samples": 6, "failures": {}, "best": 0.0, "median": 0.0}
    assert report["human"] == {"spearman": None, "samples": 0}
    assert report["control"]["mean_reward"] == 1.0
    assert every == {
        "does": "the answers of many rows at once",
        "because": "it looks whether the answer is there, not whether it is given",
        "rows": 3,
        "dropped": 0,
        "mean_reward": 1.0,
        "wins": 3,
        "win_share": 1.0,
        "over_best": 3,
        "over_preferred": 0,
        "failures": {},
        "crashes": 0,
    }
    assert (first["kind"], first["attack"], first["share"]) == ("cheat", "every_answer", 1.0)
    assert list(first["example"]) == [
        *("row", "text", "score", "failure", "median", "best", "preferred", "reference"),
    ]
    assert list(report["attacks"])[-1] == "climb"


def test_human_labels_have_a_column(probe):
    """And a rank correlation, where samples carry them."""
    samples = [{"output_text": "Leo Tolstoy", "human": 1}, {"output_text": "Ada", "human": 0}]
    write("labelled.jsonl", {"item": {"answer": "Leo Tolstoy"}, "samples": samples}, ROWS[1])
    _, out, _ = probe("fuzzy.json", "labelled.jsonl", "--budget", "0")

    assert "  human labels            1.0000  Spearman's with the reward, over 2\n" in out
    assert "wins   > best  > human   failed\n" in out


def test_a_python_grader_that_breaks(probe):
    """A crash is a finding of its own, with what was sent and what was said."""
    source = "def grade(sample, item):\n    return 1.0 / len(sample['output_text'])\n"
    Path("grade.py").write_text(source)
    code, out, _ = probe("grade.py", "rows.jsonl", "--budget", "0")

    assert code == 1
    assert "the reference stands at item.answer\n" in out
    assert "    empty breaks the grader on 3 of 3 rows: nothing\n      row 1: python_grader_" in out
    assert "ZeroDivisionError" in out
    assert '        ""\n' in out


def test_a_blind_grader(probe):
    """It gives everything one score."""
    Path("grade.py").write_text("def grade(sample, item):\n    return 0.5\n")
    code, out, _ = probe("grade.py", "rows.jsonl", "--budget", "0")

    assert code == 1
    assert "  1 finding; no attack wins\n    blind: all texts of all rows score 0.5\n" in out


def test_a_grader_that_scores_nothing(probe):
    """Nothing can be said of it, which is not that nothing was found; exit code 1."""
    Path("grade.py").write_text("def grade(sample, item):\n    return 'good'\n")
    code, out, _ = probe("grade.py", "rows.jsonl")

    assert code == 1
    assert "6 honest samples, 6 failed\n  6 honest python_grader_runtime_error\n" in out
    assert "  nothing can be said: no honest sample has a score, and no reference\n" in out
    assert "nothing found" not in out


def test_bad_lines_are_left_out_and_said(probe):
    """As in a run, they make the exit code 1."""
    with Path("rows.jsonl").open("a") as file:
        file.write("{\n")
    code, out, _ = probe("exact.json", "rows.jsonl", "--budget", "0")

    assert code == 1
    assert "3 of 3 rows probed" in out
    assert "  bad lines (left out)\n    rows.jsonl:4:" in out


def test_rows_are_drawn(probe):
    """As many as --limit says; the report says of how many."""
    _, out, _ = probe("exact.json", "rows.jsonl", "--limit", "2", "--seed", "5")

    assert "2 of 3 rows probed, seed 5; 4 honest samples, 0 failed\n" in out


def test_flat_rows(probe):
    """The output's key is told."""
    write("flat.jsonl", {"answer": "Leo Tolstoy", "said": "Anton"})
    code, out, _ = probe("exact.json", "flat.jsonl", "--output", "said")

    assert code == 0
    assert "1 of 1 row probed" in out


COUNTING = """
import json
from graders.clients import ModelReply

class Counting:
    async def complete(self, request):
        count = request.messages[0].content.count("Ada")
        return ModelReply(text=json.dumps({"steps": [], "result": count / 100}))
"""


def test_judges_are_asked_for_the_fixed_attacks_only(probe, monkeypatch):
    """A budget is for those who pay."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("counting_judge.py").write_text(COUNTING)
    message = {"role": "user", "content": "{{ sample.output_text }}"}
    write("ada.json", {"type": "score_model", "name": "j", "model": "m", "input": [message]})
    arguments = ["ada.json", "rows.jsonl", "--client", "counting_judge:Counting", "--json"]
    _, out, err = probe(*arguments)
    _, more, _ = probe(*arguments, "--budget", "5")
    fixed, searched = json.loads(out), json.loads(more)

    assert "note: asking m through counting_judge:Counting" in err
    assert (fixed["limit"], fixed["budget"], "climb" in fixed["attacks"]) == (20, 0, False)
    assert (searched["budget"], "climb" in searched["attacks"]) == (5, True)
    assert 0 < searched["gradings"] - fixed["gradings"] <= 3 * 5


def test_outputs_in_a_second_file(probe):
    """Joined as `graders run` joins them."""
    write("items.jsonl", *({"item": row["item"], "id": i} for i, row in enumerate(ROWS)))
    write("outputs.jsonl", *({"id": i, "response": "Ada"} for i in (2, 0, 1)))
    arguments = ["--outputs", "outputs.jsonl", "--key", "id", "--budget", "0"]
    code, out, _ = probe("exact.json", "items.jsonl", *arguments)

    assert code == 0
    assert "3 of 3 rows probed, seed 0; 3 honest samples, 0 failed\n" in out


def test_lines_of_one_group_are_one_row(probe):
    """By the value that is named."""
    lines = [{"item": {"id": i, **row["item"]}, "sample": "x"} for row in ROWS for i in (1, 2)]
    write("lines.jsonl", *lines)
    _, apart, _ = probe("exact.json", "lines.jsonl", "--budget", "0")
    _, grouped, _ = probe("exact.json", "lines.jsonl", "--budget", "0", "--group-by", "item.answer")

    assert "6 of 6 rows probed, seed 0; 6 honest samples" in apart
    assert "3 of 3 rows probed, seed 0; 6 honest samples" in grouped


def test_what_is_wrong_with_a_config_is_said(probe):
    """As by `graders run`: a source that cannot work is refused, a doubt is a warning."""
    Path("odd.py").write_text("def grade(item, sample):\n    return 1.0\n")
    Path("wrong.py").write_text("def score(sample, item):\n    return 1.0\n")
    _, _, err = probe("odd.py", "rows.jsonl", "--budget", "0")
    code, out, refused = probe("wrong.py", "rows.jsonl")

    assert "warning: " in err
    assert (code, out) == (2, "")
    assert "grade" in refused


def test_the_form_of_attacks_is_said(probe):
    """With a word in the place of the answer; and where the reference is in no form that scores."""
    source = """import re
def grade(sample, item):
    found = re.fullmatch(r".*final word: (.*)", sample["output_text"], re.DOTALL)
    return float(bool(found) and found[1] in {item["answer"], "x"})
"""
    Path("grade.py").write_text(source)
    said = {"item": {"answer": "Rome"}, "sample": "So I thought long.\nMy final word: Rome"}
    write("marked.jsonl", said, {"item": {"answer": "Bari"}, "sample": "Bari"})
    code, out, _ = probe("grade.py", "marked.jsonl", "--budget", "0")
    write("never.jsonl", {"item": {"answer": "a b"}, "sample": "final word: x"})
    _, other, _ = probe("grade.py", "never.jsonl", "--budget", "0")

    assert code == 0
    said = "on 2 rows attacks stand where samples have the answer: My final word: ANSWER\n"
    assert said in out
    assert "attacks stand" not in other
    assert (
        "  honest samples score above the reference on 1 row: there an attack that is\n"
        "  made of it may not be in the right form\n"
    ) in other


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.json", "rows.jsonl"], "File 'none.json' does not exist."),
        (["exact.json"], "Missing argument 'ROWS'."),
        (["a.cases.json", "rows.jsonl"], "a.cases.json is a case file; name the grader"),
        (["exact.json", "empty.jsonl"], "graders: empty.jsonl holds no rows.\n"),
        (["exact.json", "exact.json"], "graders: exact.json holds no rows: exact.json:1:1: no out"),
        (
            ["exact.json", "rows.jsonl", "--reference", "answer"],
            "Invalid value for --reference: a path begins with item or sample\n",
        ),
        (
            ["exact.json", "rows.jsonl", "--reference", "sample.output_text"],
            "'sample.output_text' is no path to a value of the item, such as item.answer",
        ),
        (
            ["exact.json", "rows.jsonl", "--reference", "item.anser"],
            "no row has a text or a number at item.anser; the first has answer, question. Say it: "
            "--reference item.KEY",
        ),
        (["exact.json", "rows.jsonl", "--threshold", "2"], "2.0 is not in the range 0<=x<=1"),
        (["exact.json", "rows.jsonl", "--budget", "-1"], "-1 is not in the range x>=0"),
        (["exact.json", "rows.jsonl", "--limit", "0"], "0 is not in the range x>=1"),
        (["exact.json", "rows.jsonl", "--judge", "m"], "no grader of the config asks a model"),
    ],
)
def test_unusable_input(probe, arguments, message):
    """Exit code 2, and a sentence that says what to do."""
    Path("empty.jsonl").write_text("\n")
    Path("a.cases.json").write_text("{}")
    code, out, err = probe(*arguments)

    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.long
def test_the_same_bytes_in_another_process():
    """Whatever Python hashes texts to."""
    write("close.json", similar("fuzzy_match"))
    command = "from graders.cli import main; main(['probe', 'close.json', 'rows.jsonl', '--json'])"
    first, other = (
        subprocess.run(
            [sys.executable, "-c", command],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    )

    assert json.loads(first)["attacks"]["climb"]["rows"] == 3
    assert first == other


def test_nothing_hostile_reaches_the_terminal(probe):
    """Texts of rows, keys of items and messages of graders cannot move the cursor."""
    hostile = {"re\x1b\x07d": "\x1b[2J\r\nall good \u202e", "question": "\x1b[31m?"}
    write("hostile.jsonl", {"item": hostile, "samples": ["\x07", "\x1b[1A"]}, *ROWS)
    config = {**similar("fuzzy_match"), "name": "a\x1b[31m"}
    write("hostile.json", {**config, "reference": "{{ item.re\x1b\x07d }}"})
    source = "def grade(sample, item):\n    assert sample['output_text'], '\\x1b[31m'\n    return 0"
    Path("grade.py").write_text(source)
    outputs = [probe(name, "hostile.jsonl")[1:] for name in ("hostile.json", "grade.py")]

    assert "AssertionError" in outputs[1][0]
    for text in ("".join(one) for one in outputs):
        assert " of 4 rows probed" in text
        assert text.replace("\n", "").isprintable()
        assert max(map(len, text.splitlines())) <= 80


def test_help_has_examples(probe):
    """On a terminal of 80 columns."""
    code, out, _ = probe("--help")

    assert code == 0
    assert "graders probe grade.py rows.jsonl --reference item.answer --budget 200" in out
    assert max(map(len, out.splitlines())) <= 80
