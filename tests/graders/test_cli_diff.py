"""`graders diff`: two configs on the same rows, or two results files; exit codes, what is said."""

import json
import re
import sys
from pathlib import Path

import pytest
from diffing import write, write_all
from html_reading import Reader
from probing import EXACT, similar

from graders.cli import main

MULTI = {
    "type": "multi",
    "name": "both",
    "graders": {"exact": EXACT, "alike": similar("rouge_l")},
    "calculate_output": "0.5 * exact + 0.5 * alike",
    "pass_threshold": 0.75,
}
LENGTH = "def grade(sample, item):\n    return 1.0 / len(sample['output_text'].split()[3:])\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_all()
    write("multi.json", MULTI)


@pytest.fixture
def diff(capsys):
    """Run `graders diff ...`; gives the exit code, standard output and standard error."""

    def command(*arguments):
        code = main(["diff", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def report(diff):
    """The same as JSON."""

    def command(*arguments):
        code, out, err = diff(*arguments, "--json")
        assert err == ""
        return code, json.loads(out)

    return command


def test_a_check_that_became_stricter(diff):
    """From like to eq: a third of the samples flip, and each broken bound is named."""
    code, out, err = diff("like.json", "eq.json", "rows.jsonl")
    bars = out[out.index("  samples by how") : out.index("  worst disagreements")]

    assert (code, err) == (1, "")
    assert [line.split()[-1] for line in bars.splitlines()[1:-1]] == ["3", *"00", "6", *"000"]
    assert out.replace(bars, "").splitlines() == [
        "old  a string_check grader named 'exact', from like.json",
        "new  a string_check grader named 'exact', from eq.json",
        "9 samples in 3 groups graded twice, 9 with both scores, 0 bad lines",
        "",
        "          33 % of 9 samples have another score; the farthest moved by 1.",
        "          The mean score falls: -0.333 [-0.333, -0.333].",
        "  warning The order of all samples changes: Spearman 0.500, Kendall 0.500.",
        "  warning The order within groups changes: 50 % [50 %, 50 %] of 6 pairs of",
        "          samples kept, 0 turned round, 3 tied.",
        "  warning 33 % [33 %, 33 %] of samples cross the threshold: 0 now pass, 3 now",
        "          fail it; the direction may be chance (sign test, p = 0.25).",
        "  good    As many groups teach as before: no group has one score for all",
        "          samples.",
        "",
        "                                         old       new",
        "  mean score                          0.6667    0.3333",
        "  pass rate                           0.6667    0.3333",
        "  groups with one score               0.0000    0.0000",
        "  failed                                   0         0",
        "",
        "  worst disagreements",
        "    row 1, sample 1: 1 -> 0",
        '      output    "It is Leo Tolstoy."',
        '      reference "Leo Tolstoy"',
        "    row 2, sample 1: 1 -> 0",
        '      output    "It is Jan Vermeer."',
        '      reference "Jan Vermeer"',
        "    row 3, sample 1: 1 -> 0",
        '      output    "It is Ella Fitzgerald."',
        '      reference "Ella Fitzgerald"',
        "",
        "  bounds",
        "    ok: max-new-failures at most 0, and is 0",
        "    BROKEN: max-flips at most 0.01, and is 0.3333",
        "    BROKEN: min-spearman at least 0.95, and is 0.5",
        "    BROKEN: min-pairs at least 0.9, and is 0.5",
        "    BROKEN: max-mean-change at most 0.05, and is 0.3333",
    ]


@pytest.mark.parametrize("form", ["--json", "--markdown"])
def test_the_same_config_changes_nothing(diff, form):
    """Exit code 0, and each time the same bytes."""
    first, second = (diff("multi.json", "multi.json", "rows.jsonl", form) for _ in range(2))

    assert first == second
    assert first[0] == 0
    assert "No score changed: each of 9 samples with both scores has the same." in first[1]


EDGES = {  # of like against eq: the value of each bound is its edge
    "--max-flips": (3 / 9, 0.33),
    "--min-spearman": (0.5, 0.51),
    "--min-pairs": (0.5, 0.51),
    "--max-mean-change": (3 / 9, 0.33),
    "--max-changed": (3 / 9, 0.33),
}
OFF = {"--max-flips": "1", "--min-spearman": "-1", "--min-pairs": "0", "--max-mean-change": "inf"}


@pytest.mark.parametrize("option", EDGES)
def test_at_a_bound_is_within_it(report, option):
    """And a little more is beyond; what is broken is the bound's alone."""
    others = [text for name, bound in OFF.items() if name != option for text in (name, bound)]
    at, beyond = EDGES[option]

    code, found = report("like.json", "eq.json", "rows.jsonl", *others, option, repr(at))
    assert (code, found["within_bounds"]) == (0, True)
    code, found = report("like.json", "eq.json", "rows.jsonl", *others, option, str(beyond))
    assert (code, found["within_bounds"]) == (1, False)
    (broken,) = (bound for bound in found["bounds"] if bound["broken"])
    assert f"--{broken['name']}" == option
    assert broken["bound"] == beyond
    assert broken["value"] == pytest.approx(at)


def test_failures_on_one_side(report):
    """They are no scores: counted by kind, and no part of any mean; python runs in its sandbox."""
    Path("length.py").write_text(LENGTH)  # divides by zero up to three words
    code, found = report("eq.json", "length.py", "rows.jsonl")
    (kind,) = found["failures"]["new"]

    assert code == 1
    assert (found["samples"], found["pairs"]) == (9, 6)
    assert kind == "python_grader_runtime_error"
    assert found["failures"]["new"][kind] == {
        "count": 3,
        "row": 1,
        "sample_index": 0,
        "message": found["failures"]["new"][kind]["message"],
    }
    assert "ZeroDivisionError" in found["failures"]["new"][kind]["message"]
    assert found["scores"]["old_mean"] == 0.0
    assert found["bounds"][0] == {
        "name": "max-new-failures",
        "bound": 0,
        "value": 3,
        "broken": True,
        "why": None,
    }

    code, found = report("length.py", "eq.json", "rows.jsonl", "--max-mean-change", "9")
    assert code == 0
    assert found["failures"]["mended"][kind]["count"] == 3
    assert found["bounds"][2]["why"] == "old scores do not vary: all 6 are 1"


def test_failures_are_shown_with_their_last_line(diff):
    """Of a traceback that is what was raised."""
    Path("length.py").write_text(LENGTH)
    _, out, _ = diff("eq.json", "length.py", "rows.jsonl", "--max-new-failures", "3")

    assert "  bad     3 samples newly fail: no reward at all.\n" in out
    assert "         3 newly failing: python_grader_runtime_error\n" in out
    assert "           row 1, sample 0: ZeroDivisionError: float division by zero\n" in out
    assert "    ok: max-new-failures at most 3, and is 3\n" in out


def test_nothing_can_be_compared(report):
    """Where all samples fail on a side, there is no number, and that is not within bounds."""
    Path("none.py").write_text("def grade(sample, item):\n    return 'good'\n")
    code, found = report("none.py", "none.py", "rows.jsonl")

    assert code == 1
    assert [verdict["code"] for verdict in found["verdicts"]] == ["no-pairs", "still-failing"]
    assert found["scores"]["old_mean"] is None
    assert found["within_bounds"] is True


def test_members_are_compared_by_name(report):
    """And of a sample that moved, those that moved it."""
    graders = {"exact": {**EXACT, "operation": "ilike"}, "close": similar("bleu")}
    write("new.json", {**MULTI, "graders": graders, "calculate_output": "exact"})
    code, found = report("multi.json", "new.json", "rows.jsonl", "--worst", "1")

    assert code == 1
    assert found["members"] == {
        "exact": {"samples": 9, "old": 1 / 3, "new": 2 / 3, "changed": 1 / 3}
    }
    assert (found["members_only_old"], found["members_only_new"]) == (["alike"], ["close"])
    assert found["worst"] == [
        {
            "row": 1,
            "sample_index": 1,
            "old": pytest.approx(1 / 3),
            "new": 1.0,
            "members": {"exact": {"old": 0.0, "new": 1.0}},
            "output": "It is Leo Tolstoy.",
            "reference": "Leo Tolstoy",
        }
    ]


def test_whether_it_teaches_more_or_less(report):
    """A grader that gives every sample of a group one score teaches nothing."""
    write("none.json", {**EXACT, "reference": "nobody"})
    code, found = report("eq.json", "none.json", "rows.jsonl")
    order = next(bound for bound in found["bounds"] if bound["name"] == "min-spearman")
    teaching = next(one for one in found["verdicts"] if one["code"] == "zero-variance")

    assert code == 1
    assert found["zero_variance"]["now_equal"] == 3
    assert teaching["tone"] == "warning"
    assert teaching["text"] == (
        "Fewer groups teach: 0 % of 3 groups had one score for all samples, now 100 % "
        "(change +1.000 [1.000, 1.000])."
    )
    # The order is gone, though no correlation says so.
    assert order == {
        "name": "min-spearman",
        "bound": 0.95,
        "value": None,
        "broken": True,
        "why": "new scores do not vary: all 9 are 0",
    }


def test_without_a_threshold_flips_are_not_checked(diff):
    """The report says so; --pass-threshold is one for both sides."""
    Path("half.py").write_text(
        "def grade(sample, item):\n    return len(sample['output_text']) / 9\n"
    )
    off = ("--min-spearman", "-1", "--max-mean-change", "9")
    code, out, _ = diff("half.py", "half.py", "rows.jsonl", *off)
    assert code == 0
    words = " ".join(out.split())
    assert "    not checked: max-flips at most 0.01: old and new do not both have a\n    thr" in out
    assert (
        "are not known: old and new do not both have a threshold; --pass-threshold gives" in words
    )

    code, out, _ = diff("eq.json", "half.py", "rows.jsonl", *off, "--pass-threshold", "1.2")
    assert code == 1
    assert "BROKEN: max-flips at most 0.01, and is 1" in out


def test_bad_lines_are_left_out_and_said(diff):
    """As in a run, they make the exit code 1."""
    with Path("rows.jsonl").open("a") as file:
        file.write("{\n")
    code, out, _ = diff("eq.json", "eq.json", "rows.jsonl")

    assert code == 1
    assert "9 with both scores, 1 bad line\n" in out
    assert "  bad lines (left out)\n    rows.jsonl:4:" in out


def test_rows_are_read_as_a_run_reads_them(report):
    """By their options, as far as --limit."""
    write("flat.jsonl", *({"answer": "a", "said": text, "id": 1} for text in "aba"))
    _, found = report(
        *("eq.json", "eq.json", "flat.jsonl", "--output", "said"),
        *("--group-by", "id", "--limit", "2"),
    )

    assert (found["samples"], found["groups"]) == (2, 1)
    assert found["scores"]["new_mean"] == 0.5


JUDGE = """
from graders.clients import ModelReply


class Judge:
    async def complete(self, request):
        good = "kindly" in request.messages[0].content
        return ModelReply(text='{"steps": [], "result": %s}' % (0.9 if good else 0.4))
"""


def test_judges_share_a_client(diff, monkeypatch):
    """Two prompts on the same rows; --judge stands for the model of both."""
    Path("mine.py").write_text(JUDGE)
    monkeypatch.syspath_prepend(str(Path.cwd()))
    judge = {"type": "score_model", "name": "j", "model": "m", "pass_threshold": 0.5}
    for name, prompt in (("strict", "Rate it"), ("kind", "Rate it kindly")):
        message = {"role": "user", "content": prompt + " {{ sample.output_text }}"}
        write(f"{name}.json", {**judge, "input": [message]})
    code, out, err = diff(
        "strict.json", "kind.json", "rows.jsonl", "--client", "mine:Judge", "--judge", "mine"
    )
    sys.modules.pop("mine", None)

    assert code == 1
    assert "9 now pass, 0 now fail it; the direction is not chance (sign test, p = 0.0039)" in (
        " ".join(out.split())
    )
    assert "  asked    mine: 18 calls" in out
    assert err == (  # what is true of both configs is said once
        "warning: strict.json: model: 'mine' is no model that we know. If the judge's service has "
        "it, all is well.\nnote: asking mine through mine:Judge\n"
    )


def test_scores_too_large_to_compare_are_said(diff):
    """Their squares are no numbers."""
    source = "def grade(sample, item):\n    return 1e200 if 'not' in sample['output_text'] else 1\n"
    Path("huge.py").write_text(source)
    code, out, _ = diff("eq.json", "huge.py", "rows.jsonl")

    assert code == 1
    assert "row 1, sample 2: its score 1e+200 is too large to compare (over 1e150)" in out


MESSAGES = [
    (("eq.json", "bad.json"), "eq.json holds no results (to grade by two configs, name ROWS): eq"),
    (("empty.jsonl", "eq.json"), "empty.jsonl holds no results (to grade by two configs, name"),
    (
        ("eq.json", "eq.json", "torn.json"),
        "no row of torn.json can be compared: torn.json:1",
    ),
    (("eq.json", "no.json", "rows.jsonl"), "File 'no.json' does not exist."),
    (("eq.json", "bad.json", "rows.jsonl"), "bad.json: reference: is missing"),
    (("eq.json", "torn.json", "rows.jsonl"), "torn.json:1:2: not JSON"),
    (("eq.json", "broken.py", "rows.jsonl"), "broken.py: "),
    (("eq.json", "eq.json", "empty.jsonl"), "empty.jsonl holds no rows."),
    (
        ("eq.json", "eq.json", "rows.jsonl", "--judge", "m"),
        "--judge m: no grader of either config asks a model.",
    ),
    (
        ("eq.json", "eq.json", "rows.jsonl", "--json", "--markdown"),
        "--json and --markdown are two forms of one report; leave one out.",
    ),
    (("eq.json", "eq.json", "--limit", "3"), "--limit is for grading ROWS, and there are none."),
    (("eq.json", "eq.json", "rows.jsonl", "--pass-threshold", "nan"), "nan is not a number"),
    (("eq.json", "eq.json", "rows.jsonl", "--max-flips", "nan"), "nan is no bound"),
    (("eq.json", "eq.json", "rows.jsonl", "--max-flips", "2"), "2.0 is not in the range 0<=x<=1"),
]


@pytest.mark.parametrize(("arguments", "message"), MESSAGES)
def test_what_cannot_be_used(diff, arguments, message):
    """Exit code 2, and what is wrong with which."""
    write("bad.json", {key: value for key, value in EXACT.items() if key != "reference"})
    Path("torn.json").write_text("{")
    Path("broken.py").write_text("def grade(sample, item:\n")
    Path("empty.jsonl").write_text("")
    code, out, err = diff(*arguments)

    assert (code, out) == (2, "")
    assert message in err


PAID = """
from graders.clients import ModelReply
from graders.grades import Usage

class Judge:
    async def complete(self, request):
        used = Usage(prompt_tokens=90, completion_tokens=10, total_tokens=100)
        return ModelReply(text='{"steps": [], "result": 0.5}', usage=used)
"""


def test_a_budget_ends_it_with_what_is_graded(diff, monkeypatch):
    """The report is of rows that both have graded; exit code 1, why it ended, what was spent."""
    Path("paid.py").write_text(PAID)
    monkeypatch.syspath_prepend(str(Path.cwd()))
    message = {"role": "user", "content": "Rate {{ sample.output_text }}"}
    write("judge.json", {"type": "score_model", "name": "j", "model": "m", "input": [message]})
    asked = ("--client", "paid:Judge", "--budget-tokens", "500", "--in-flight", "1")
    code, out, err = diff("judge.json", "eq.json", "rows.jsonl", *asked, "--report", "r.html")
    sys.modules.pop("paid", None)
    page = Reader(Path("r.html").read_text("utf-8"))

    assert code == 1
    assert re.search(r"^[1-8] samples? .*graded twice", out, re.MULTILINE)
    assert "the first that is not graded" in err
    assert "failures (not scores" not in out
    assert "What models were asked" in page.text()
    assert json.loads(page.inside["script", "data"])["usage"]["m"]["completion_tokens"] > 0
