"""`graders study`: each option, each exit code, and what reaches files, output and error."""

import gzip
import io
import json
import os
import sys
import threading
from pathlib import Path

import pytest

from graders.cli import main
from graders.results import read_results

SAME = {
    "type": "string_check",
    "name": "same",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
}
LIKE = {**SAME, "type": "text_similarity", "evaluation_metric": "fuzzy_match"}
del LIKE["operation"]
MULTI = {
    "type": "multi",
    "name": "m",
    "graders": {"same": SAME, "like": LIKE},
    "calculate_output": "0.5 * same + 0.5 * like",
    "pass_threshold": 0.6,
}
ROWS = [
    {"item": {"a": "abcd"}, "samples": ["abcd", "abxy", "q"]},
    {"item": {"a": "xy"}, "samples": ["abxy"]},
]
FAILING = {"item": {}, "sample": "x"}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    grade(*ROWS)


@pytest.fixture
def study(capfd):
    """Run `graders study ...`; gives the exit code, standard output and standard error."""

    def command(*arguments):
        capfd.readouterr()  # of what came before
        code = main(["study", *arguments])
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return command


def grade(*rows, output="results.jsonl", config=None):
    """Results of a run: of a multi over `same` and `like`, if nothing else is asked."""
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("grader.json").write_text(json.dumps(config or MULTI))
    main(["run", "grader.json", "rows.jsonl", "-o", output, "--detail", "none", "--json"])


def summary_of(config, capfd):
    """What a run over failing rows too says for programs."""
    capfd.readouterr()
    grade(*ROWS, FAILING, config=config)
    return json.loads(capfd.readouterr().out)


def formula(text, **more):
    return {**MULTI, "calculate_output": text, **more}


def read(path):
    return list(read_results(Path(path)))


# --- what it writes


@pytest.mark.parametrize("text", ["0.2 * same + 0.8 * like", "like / same", "max(same, like) - 2"])
@pytest.mark.parametrize("name", ["results.jsonl", "results.jsonl.gz"])
def test_the_output_is_the_file_that_a_run_would_write(study, text, name):
    """Byte for byte, plain and gzipped; `-o` decides which of them."""
    grade(*ROWS, output=name)
    code, _, err = study(name, "--formula", text, "-o", "rescored.jsonl.gz")
    grade(*ROWS, output="expected.jsonl.gz", config=formula(text))

    assert (code, err) == (1 if text == "like / same" else 0, "")
    rescored, expected = (
        gzip.decompress(Path(f"{name}.jsonl.gz").read_bytes()) for name in ("rescored", "expected")
    )
    assert rescored == expected


def test_results_through_pipes(study, monkeypatch):
    """`-` is standard input and standard output; the report then goes to standard error."""
    stdin = io.TextIOWrapper(io.BytesIO(Path("results.jsonl").read_bytes()))
    monkeypatch.setattr(sys, "stdin", stdin)
    code, out, err = study("-", "--formula", "same", "-o", "-")

    assert code == 0
    assert [json.loads(line)["score"] for line in out.splitlines()] == [1.0, 0.0, 0.0, 0.0]
    assert err.startswith("-, rescored\n4 samples, 0 failed (before 0), 0 bad lines\n")


def test_a_pipe_with_a_name_gets_the_lines(study):
    """What is no file is written to, and stays what it is."""
    os.mkfifo("pipe")
    got = []
    reader = threading.Thread(target=lambda: got.append(Path("pipe").read_bytes()), daemon=True)
    reader.start()
    code, _, _ = study("results.jsonl", "--formula", "same", "-o", "pipe")
    reader.join()

    assert code == 0
    assert got[0].count(b"\n") == 4
    assert Path("pipe").is_fifo()


def test_a_link_stays_a_link(study):
    """What it leads to is replaced."""
    Path("real.jsonl").write_text("old\n")
    Path("link.jsonl").symlink_to("real.jsonl")

    assert study("results.jsonl", "--formula", "same", "-o", "link.jsonl")[0] == 0
    assert Path("link.jsonl").is_symlink()
    assert len(read("real.jsonl")) == 4


@pytest.mark.parametrize("text", ["nobody", "same"])
def test_an_output_is_there_whole_or_not_at_all(study, text):
    """What stood there stays until all is computed, and nothing else is left behind."""
    Path("rescored.jsonl").write_text("old\n")
    packed = gzip.compress(Path("results.jsonl").read_bytes())
    Path("broken.jsonl.gz").write_bytes(packed[:40] + bytes(8) + packed[48:])
    before = set(Path().iterdir())
    code, _, err = study("broken.jsonl.gz", "--formula", text, "-o", "rescored.jsonl")

    assert code == 2
    assert "broken.jsonl.gz: the gzip data is damaged" in err
    assert Path("rescored.jsonl").read_text() == "old\n"
    assert set(Path().iterdir()) == before


@pytest.mark.parametrize(
    ("options", "passed", "signature_end"),
    [
        ([], [True, False, False, True], "|pass:0.6"),
        (["--pass-threshold", "0.5"], [True, True, False, True], "|pass:0.5"),
        (["--pass-threshold", "-1"], [True] * 4, "|pass:-1"),
    ],
)
def test_thresholds(study, options, passed, signature_end):
    """The results' own, or the one that is given."""
    study("results.jsonl", "--formula", "like", "-o", "rescored.jsonl", *options)
    results = read("rescored.jsonl")

    assert [result.score for result in results] == pytest.approx([1.0, 0.5, 0.0, 2 / 3])
    assert [result.passed for result in results] == passed
    assert {result.signature for result in results} == {
        "profile:openai|multi|like|same=string_check|op:eq;"
        f"like=fuzzy_match|v:ratio|lib:rapidfuzz-3.14{signature_end}"
    }


def test_the_own_threshold_is_known_to_the_last_digit(study):
    """A score that just passed passes, though a shorter number would be above it."""
    grade(*ROWS, config=formula("like", pass_threshold=2 / 3))
    study("results.jsonl", "--formula", "like", "-o", "rescored.jsonl")

    assert [result.passed for result in read("rescored.jsonl")] == [True, False, False, True]
    assert Path("rescored.jsonl").read_bytes() == Path("results.jsonl").read_bytes()


@pytest.mark.parametrize(("options", "reward"), [([], None), (["--failures", "zero"], 0.0)])
def test_failures(study, options, reward):
    """What a row without a score is worth is said by an option, as in a run."""
    arguments = ("--formula", "like / same", "-o", "rescored.jsonl", *options)
    code, out, _ = study("results.jsonl", *arguments)
    results = read("rescored.jsonl")

    assert code == 1
    assert [result.reward for result in results] == [1.0, reward, reward, reward]
    assert [result.score for result in results] == [1.0, None, None, None]
    assert "         3 formula_parse_error\n" in out
    assert "row 1, sample 1: like / same: division by zero (with like = 0.5, same = 0)" in " ".join(
        out.split()
    )


# --- exit codes and lines that are wrong


def spoil(*lines, end="\n"):
    """Add lines to the results, the last with this end."""
    with Path("results.jsonl").open("a") as file:
        file.write("\n".join(lines) + end)


def test_damaged_lines_are_named_and_left_out(study):
    """The rest is rescored, and the exit code says that it is not all."""
    spoil("{oops", '{"item": {}, "sample": "x"}')
    code, out, err = study("results.jsonl", "--formula", "same", "-o", "rescored.jsonl")

    assert (code, err) == (1, "")
    assert len(read("rescored.jsonl")) == 4
    assert "4 samples, 0 failed (before 0), 2 bad lines\n" in out
    assert "    results.jsonl:5:2: not JSON: " in out
    assert "    results.jsonl:6:1: not a result line: Object missing required field `row`\n" in out


def test_a_cut_last_line_is_a_note(study):
    """It is what a killed run leaves; nothing of it was a result."""
    spoil('{"schema":1,"row":9', end="")
    code, out, err = study("results.jsonl", "--formula", "same")

    assert code == 0
    assert err == (
        "note: results.jsonl:5: the last line has no end: a run was killed while writing it; "
        "dropped\n"
    )
    assert "4 samples, 0 failed (before 0), 0 bad lines\n" in out


def test_failed_rows_are_exit_code_1(study):
    """A member's failure stays one, and what it lacked is said."""
    grade(*ROWS, FAILING)
    code, out, _ = study("results.jsonl", "--formula", "2")

    assert code == 1
    assert "5 samples, 1 failed (before 1), 0 bad lines\n" in out
    assert "         1 invalid_variable_error\n           row 3, sample 0: same: " in out


def test_an_unfinished_run_keeps_its_results(study):
    """What would be written there is written elsewhere."""
    grade(*ROWS, output="other.jsonl")
    state = Path("other.run/state.json")
    state.write_text(state.read_text().replace('"complete":true', '"complete":false'))
    before = Path("other.jsonl").read_bytes()
    code, out, err = study("results.jsonl", "--formula", "same", "-o", "other.jsonl")

    assert (code, out) == (2, "")
    assert "other.run holds a run that is not finished" in err
    assert Path("other.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.jsonl", "--formula", "a"], "File 'none.jsonl' does not exist."),
        (
            ["results.jsonl", "--formula", "sane"],
            "graders: calculate_output: unknown name 'sane'. Did you mean 'same'?\n    sane\n",
        ),
        (
            ["results.jsonl", "--formula", "same", "-o", "results.jsonl"],
            "-o results.jsonl would overwrite the input results.jsonl.",
        ),
        (
            ["results.jsonl", "--formula", "same", "-o", "results.timing.jsonl"],
            "-o results.timing.jsonl would overwrite the input results.timing.jsonl.",
        ),
        (["results.jsonl", "--formula", "same", "-o", "."], "-o .: Is a directory."),
        (["results.jsonl", "--formula", "same", "-o", "no/x"], "No such file or directory"),
        (
            ["results.jsonl", "--formula", "same", "--pass-threshold", "nan"],
            "Invalid value for --pass-threshold: nan is not a number",
        ),
        (["results.jsonl", "--formula", "same", "--failures", "stop"], "'stop' is not one of"),
        (["empty.jsonl", "--formula", "same"], "graders: empty.jsonl holds no results.\n"),
        (
            ["rows.jsonl", "--formula", "same"],
            "graders: rows.jsonl holds no results: rows.jsonl:1:1: not a result line: "
            "Object missing required field `row`\n",
        ),
        (
            ["single.jsonl", "--formula", "same"],
            "graders: no members' scores to compute from: the results are of "
            "'profile:openai|string_check|op:eq'. A formula needs the results of a multi grader "
            "or of an Evals body.\n",
        ),
    ],
)
def test_unusable_input(study, arguments, message):
    """Exit code 2, a sentence that says what to do, and no output."""
    Path("empty.jsonl").write_text("\n")
    Path("single.json").write_text(json.dumps(SAME))
    main(["run", "single.json", "rows.jsonl", "-o", "single.jsonl"])
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    code, out, err = study(*arguments)

    assert (code, out) == (2, "")
    assert message in err
    assert {path: path.read_bytes() for path in Path().iterdir() if path.is_file()} == before


# --- what it says


def test_the_report(study):
    """Before and after, what changed, and how alike the two order the rows."""
    grade(*ROWS, FAILING)
    code, out, err = study("results.jsonl", "--formula", "like / (same + like)")

    assert (code, err) == (1, "")
    assert out.splitlines()[:17] == [
        "results.jsonl, rescored",
        "5 samples, 2 failed (before 1), 0 bad lines",
        "",
        "  mean reward             0.8333  over 3 graded",
        "    before                0.3958  over 4 graded",
        "  with failures as 0      0.5000  over 5",
        "    before                0.3167  over 5",
        "  pass rate               0.4000  2 of 5",
        "    before                0.2000  1 of 5",
        "",
        "  changed  4 of 5 samples, 1 failed that were graded",
        "  rank correlation       -0.8660  Spearman's, over 3",
        "",
        "  failures (not scores; first of each kind)",
        "         1 formula_parse_error",
        "           row 1, sample 2: like / (same + like): division by zero (with like =",
        "           0, same = 0)",
    ]
    assert out.splitlines()[-2:] == [
        "  formula  like / (same + like)",
        "  results  not kept; -o RESCORED.jsonl keeps them",
    ]


def test_the_report_for_programs(study, capfd):
    """It has the words and the numbers of `graders run --json`, before and after."""
    text = "like / (same + like)"
    new, old = (summary_of(config, capfd) for config in (formula(text), MULTI))
    code, out, _ = study("results.jsonl", "--formula", text, "--json")
    report = json.loads(out)
    words = ("graded", "failed", "mean_reward", "mean_reward_failures_as_zero", "pass_rate")

    assert code == 1
    for side, of_a_run in (("before", old), ("after", new)):
        assert report[side] == {word: of_a_run[word] for word in (*words, "failures")}
    assert (report["samples"], report["changed"]) == (5, 4)
    assert (report["now_graded"], report["now_failed"]) == (0, 1)
    assert report["rank_correlation"] == {"spearman": pytest.approx(-(0.75**0.5)), "samples": 3}
    assert (report["bad_lines"], report["first_bad_lines"]) == (0, [])
    assert (report["formula"], report["results"]) == (text, None)


def test_rows_that_only_the_old_formula_failed_have_a_score_now(study):
    """And it is said how many."""
    grade(*ROWS, config=formula("like / same"))
    code, out, _ = study("results.jsonl", "--formula", "like")

    assert code == 0
    assert "4 samples, 0 failed (before 3), 0 bad lines\n" in out
    assert "  changed  3 of 4 samples, 3 graded that had failed\n" in out
    assert "  rank correlation          none  Spearman's, over 1\n" in out


def test_nothing_hostile_reaches_the_terminal(study):
    """Names of files, formulas and lines cannot move the cursor."""
    Path("re\x1b[31md.jsonl").write_bytes(Path("results.jsonl").read_bytes() + b"{\x1b[31m\n")
    _, out, err = study("re\x1b[31md.jsonl", "--formula", "same\r\n + 1")

    assert (out + err).replace("\n", "").isprintable()
    assert max(map(len, out.splitlines())) <= 80


def test_help_has_examples(study):
    """On a terminal of 80 columns."""
    code, out, _ = study("--help")

    assert code == 0
    assert 'graders study results.jsonl --formula "0.3 * exact + 0.7 * similar"' in out
    assert max(map(len, out.splitlines())) <= 80
