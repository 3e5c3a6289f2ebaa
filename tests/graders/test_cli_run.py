"""`graders run`: each option, each exit code, and what reaches standard output and error."""

import gzip
import io
import json
import sys
from pathlib import Path

import pytest

from graders.results import read_results

EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
}
HALF = {
    "type": "multi",
    "name": "half",
    "graders": {"one": EXACT},
    "calculate_output": "0.5 * one + 0.25",
    "pass_threshold": 0.5,
}
GOOD = '{"item": {"a": "x"}, "sample": "x"}\n'
LOW = '{"item": {"a": "x"}, "sample": "y"}\n'
FAILING = '{"item": {}, "sample": "x"}\n'
BAD = "oops\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("g.json", EXACT)
    write("half.json", HALF)
    write("rows.jsonl", GOOD + LOW + GOOD)


def write(name, content):
    text = content if isinstance(content, str) else json.dumps(content)
    Path(name).write_text(text, encoding="utf-8", newline="")


def lines(path):
    return [json.loads(line) for line in Path(path).read_bytes().splitlines()]


# --- exit codes


@pytest.mark.parametrize(
    ("rows", "options", "code"),
    [
        (GOOD, [], 0),
        (LOW * 3, [], 0),  # a low score is not a problem of the run
        (GOOD + FAILING, [], 1),
        (GOOD + BAD, [], 1),
        (BAD, [], 1),
        (BAD + GOOD, ["--strict"], 1),
        (GOOD + BAD, ["--strict"], 1),
        (FAILING, ["--failures", "zero"], 1),
        (FAILING, ["--failures", "stop"], 1),
        (GOOD + BAD + FAILING, ["--limit", "1"], 0),
        ("", [], 2),
        ("\n\n", [], 2),
    ],
)
def test_exit_codes(run, rows, options, code):
    """0 fine, 1 a failed row or bad line, 2 nothing to grade."""
    write("rows.jsonl", rows)

    assert run("g.json", "rows.jsonl", *options)[0] == code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.json", "rows.jsonl"], "'CONFIG': File 'none.json' does not exist."),
        (["g.json", "none.jsonl"], "File 'none.jsonl' does not exist."),
        (["g.json", "rows.jsonl", "--outputs", "no"], "'--outputs': File 'no' does not exist."),
        (["g.json"], "Missing argument 'ROWS' (or give --sample)."),
        (["g.json", "rows.jsonl", "--sample", "x"], "--sample grades without a file; leave ROWS"),
        (["g.json", "--sample", "x", "--item", "[]"], "--item: is not a JSON object"),
        (["g.json", "--sample", "x", "--item", "{,"], "--item: 1:2: not JSON: Expecting prop"),
        (["g.json", "rows.jsonl", "--item", "{}"], "--item"),
        (["g.json", "rows.jsonl", "--key", "id"], "--key joins --outputs to the rows, and there"),
        (["g.json", "-", "--outputs", "-"], "standard input"),
        (["g.json", "rows.jsonl", "--limit", "0"], "'--limit': 0 is not in the range x>=1."),
        (["g.json", "rows.jsonl", "--failures", "keep"], "'keep' is not one of 'drop', 'zero', "),
        (["g.json", "rows.jsonl", "--detail", "some"], "'some' is not one of 'none', 'failures'"),
        (["g.json", "rows.jsonl", "--set", "render"], "--set: 'render' is not KEY=VALUE"),
        (
            ["g.json", "rows.jsonl", "--pass-threshold", "0.5"],
            "--pass-threshold: a string_check passes at a score of 1.",
        ),
        (["half.json", "rows.jsonl", "--pass-threshold", "nan"], "nan"),
        (["half.json", "rows.jsonl", "--pass-threshold", "inf"], "inf"),
        (["g.json", "rows.jsonl", "--set", "default_threshold=nan"], "default_threshold: 'nan'"),
        (
            ["g.json", "rows.jsonl", "--profile", "azur"],
            "graders: profile: there is no profile 'azur'. Did you mean 'azure'?",
        ),
        (["g.json", "rows.jsonl", "--profile", "q"], "'q'. Known profiles: openai, azure, azure-"),
        (
            ["g.json", "rows.jsonl", "--set", "rendr=json"],
            "graders: rendr: there is no such setting. Did you mean 'render'?",
        ),
        (["g.json", "rows.jsonl", "--set", "q=1"], "q: there is no such setting. Known settings: "),
        (
            ["g.json", "rows.jsonl", "--set", "render=jsn"],
            "graders: render: 'jsn' is not one of json, python. Did you mean 'json'?",
        ),
        (
            ["g.json", "rows.jsonl", "--set", "default_threshold=x"],
            "graders: default_threshold: 'x' is not a number",
        ),
        (
            ["g.json", "rows.jsonl", "--group-by", "a["],
            "graders: a[: only a number may stand in brackets",
        ),
        (["g.json", "rows.jsonl", "-o", "no/out.jsonl"], "No such file or directory: 'no/out."),
        (["g.json", "rows.jsonl", "-o", "."], "Is a directory"),
    ],
)
def test_unusable_input(run, arguments, message):
    """Each is told in words on standard error, with nothing on standard output."""
    code, out, err = run(*arguments)

    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "graders: g.json:1:2: not JSON: Expecting property name"),
        ({**HALF, "calculate_output": "0.5 * two"}, "unknown name 'two'. Known names: 'one'."),
        ({**EXACT, "input": "{{ item.a"}, "graders: input: this slot has no closing '}}'"),
        ({**EXACT, "operation": "neq"}, "'neq' is not one of eq, ne, like, ilike. Did you mean"),
        (
            {"type": "python", "name": "p", "source": "def grade(sample, item:"},
            "source",
        ),
        (
            {"type": "supervised", "supervised": {}},
            "graders: type: a supervised method has no grader",
        ),
    ],
)
@pytest.mark.parametrize("rows", [GOOD, BAD])
def test_an_unusable_config_is_found_before_the_first_row(run, config, message, rows):
    """Exit code 2, whatever the rows are; nothing is graded, and no results file appears."""
    write("g.json", config)
    write("rows.jsonl", rows)
    code, out, err = run("g.json", "rows.jsonl", "-o", "out.jsonl")

    assert (code, out) == (2, "")
    assert message in err
    assert not Path("out.jsonl").exists()


def test_a_path_that_does_not_parse_leaves_old_results_alone(run):
    """Options are checked before a file is opened for writing."""
    write("out.jsonl", "precious")

    assert run("g.json", "rows.jsonl", "-o", "out.jsonl", "--group-by", "a[")[0] == 2
    assert Path("out.jsonl").read_text() == "precious"


def test_an_empty_file_says_so(run):
    """With its name, on standard error."""
    write("rows.jsonl", "")

    assert "rows.jsonl holds no rows." in run("g.json", "rows.jsonl")[2]


# --- what is printed


def test_the_summary(run):
    """Title, numbers, profile and where the results are; nothing on standard error."""
    code, out, err = run("half.json", "rows.jsonl", "-o", "out.jsonl")
    shown = out.splitlines()

    assert (code, err) == (0, "")
    assert shown[0] == "a multi grader named 'half', from half.json"
    assert shown[1].startswith("3 samples in 1 group")
    assert "  mean reward             0.5833  over 3 graded" in shown
    assert "  pass rate               0.6667  2 of 3" in shown
    assert "    one                   0.6667" in shown
    assert shown[-6:-2] == [
        "  profile  openai",
        "  results  out.jsonl",
        "",
        "  will it teach?",
    ]


def test_results_are_not_kept_unless_asked(run):
    """The summary says how to keep them."""
    out = run("g.json", "rows.jsonl")[1]

    assert "\n  results  not kept; -o RESULTS.jsonl keeps them\n" in out
    assert {path.name for path in Path().iterdir()} == {"g.json", "half.json", "rows.jsonl"}


def test_the_summary_as_json(run):
    """--json prints one object, with the totals and what determines them."""
    write("rows.jsonl", GOOD + FAILING + BAD)
    code, out, err = run("half.json", "rows.jsonl", "--json")
    report = json.loads(out)

    assert (code, err) == (1, "")
    assert list(report) == [
        *("samples", "groups", "graded", "failed", "bad_lines", "mean_reward"),
        *("mean_reward_failures_as_zero", "pass_rate", "failures", "warnings", "members"),
        *("histogram", "slowest", "first_bad_lines", "signal"),
        *("seconds", "results", "profile", "signature"),
    ]
    assert (report["mean_reward"], report["mean_reward_failures_as_zero"]) == (0.75, 0.375)
    assert report["first_bad_lines"] == ["rows.jsonl:3:1: not JSON: Expecting value"]
    assert (report["results"], report["profile"]) == (None, "openai")
    assert report["signature"] == "multi|0.5 * one + 0.25|one=string_check|op:eq|pass:0.5"


def test_warnings_are_on_standard_error(run):
    """A key nothing reads is tolerated, as on the service, and said."""
    write("g.json", {**EXACT, "refrence": "{{ item.b }}", "pass_treshold": 1})
    code, out, err = run("g.json", "rows.jsonl", "--json")

    assert code == 0
    assert json.loads(out)
    assert [line.partition(" is not ")[0] for line in err.splitlines()] == [
        "warning: refrence: 'refrence'",
        "warning: pass_treshold: 'pass_treshold'",
    ]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_results_on_standard_output_stand_alone(run, options):
    """With `-o -` every line of standard output is a result; people read standard error."""
    code, out, err = run("g.json", "rows.jsonl", "-o", "-", *options)

    assert code == 0
    assert [json.loads(line)["score"] for line in out.splitlines()] == [1.0, 0.0, 1.0]
    assert (json.loads(err)["samples"] if options else 3) == 3
    assert "mean" in err


# --- options


@pytest.mark.parametrize(
    ("rows", "options", "expected"),
    [
        (GOOD + FAILING, [], [1.0, None]),
        (GOOD + FAILING, ["--failures", "drop"], [1.0, None]),
        (GOOD + FAILING, ["--failures", "zero"], [1.0, 0.0]),
        (GOOD + FAILING + GOOD, ["--failures", "stop"], [1.0, None]),
        (GOOD + BAD + LOW, [], [1.0, 0.0]),
        (GOOD + BAD + LOW, ["--strict"], [1.0]),
        (BAD + GOOD, ["--strict"], []),
        (GOOD * 5, ["--limit", "2"], [1.0, 1.0]),
        ('{"item": {"a": "x"}, "samples": ["x", "y", "x"]}', ["--limit", "2"], [1.0, 0.0]),
        ('{"a": "x", "mine": "x"}', ["--output", "mine"], [1.0]),
        ('{"a": "x", "id": 2}\n{"a": "y", "id": 1}', ["--outputs", "outs.jsonl"], [0.0, 0.0]),
        (
            '{"a": "x", "id": 2}\n{"a": "y", "id": 1}',
            ["--outputs", "outs.jsonl", "--key", "id"],
            [1.0, 1.0],
        ),
    ],
)
def test_rewards(run, rows, options, expected):
    """Which samples are graded, in which shape, and what a failure earns."""
    write("rows.jsonl", rows)
    write("outs.jsonl", '{"id": 1, "sample": "y"}\n{"id": 2, "sample": "x"}\n')
    run("g.json", "rows.jsonl", "-o", "out.jsonl", *options)

    assert [line["reward"] for line in lines("out.jsonl")] == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--failures", "stop"],
            "graders: stopped at row 2, sample 0: invalid_variable_error: "
            "{{ item.a }}: item has no field 'a'. It is empty.\n",
        ),
        (["--strict"], "graders: rows.jsonl:3:1: not JSON: Expecting value\n"),
    ],
)
def test_a_run_that_ends_early_still_reports(run, options, message):
    """The summary counts what was graded, then standard error says why it ended."""
    write("rows.jsonl", GOOD + FAILING + BAD + GOOD)
    code, out, err = run("g.json", "rows.jsonl", *options)

    assert (code, err) == (1, message)
    assert "  mean reward             1.0000  over 1 graded" in out


def test_damaged_rows_still_report(run):
    """Gzip that breaks off: what was read is graded, kept and summed up."""
    Path("rows.jsonl.gz").write_bytes(gzip.compress(GOOD.encode() * 9)[:-8])
    code, out, err = run("g.json", "rows.jsonl.gz", "-o", "out.jsonl")

    assert code == 2
    assert "graders: rows.jsonl.gz: the gzip data is cut short" in err
    assert len(lines("out.jsonl")) == 9
    assert "over 9 graded" in out


@pytest.mark.parametrize(
    ("policy", "kept"), [("none", [False, False]), ("failures", [False, True]), ("all", [True] * 2)]
)
def test_detail(run, policy, kept):
    """--detail says which results keep what they rest on."""
    write("rows.jsonl", GOOD + FAILING)
    run("g.json", "rows.jsonl", "-o", "out.jsonl", "--detail", policy)

    assert [line["detail"] is not None for line in lines("out.jsonl")] == kept


@pytest.mark.parametrize(("threshold", "rate"), [(None, 2 / 3), ("0.8", 0.0), ("0.25", 1.0)])
def test_the_threshold_wins_over_the_configs(run, threshold, rate):
    """--pass-threshold decides what passes, whatever the config says."""
    options = [] if threshold is None else ["--pass-threshold", threshold]

    assert json.loads(run("half.json", "rows.jsonl", "--json", *options)[1])["pass_rate"] == rate


def test_groups_settings_and_profile_are_recorded(run):
    """A result says what its sample is compared within and which settings made its number."""
    write("rows.jsonl", '{"item": {"a": true, "id": "p"}, "sample": "True"}')
    options = ["--group-by", "id", "--profile", "azure", "--set", "render=python"]
    run("g.json", "rows.jsonl", "-o", "out.jsonl", *options)
    (line,) = lines("out.jsonl")

    assert (line["group"], line["score"]) == ("p", 1.0)
    assert line["signature"] == "profile:azure,render=python|string_check|op:eq|render:python"


def test_rows_from_standard_input(run, monkeypatch):
    """`-` reads rows from a pipe."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode() * 2)))

    assert json.loads(run("g.json", "-", "--json")[1])["samples"] == 2


def test_gzip_in_and_out(run):
    """Both by the name's suffix, times included."""
    Path("rows.jsonl.gz").write_bytes(gzip.compress(GOOD.encode()))
    run("g.json", "rows.jsonl.gz", "-o", "out.jsonl.gz")

    assert [result.score for result in read_results("out.jsonl.gz")] == [1.0]
    assert Path("out.timing.jsonl.gz").exists()
