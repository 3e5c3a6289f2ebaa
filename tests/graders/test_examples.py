"""The graders of `graders init --example`: right by their own cases, and not to be cheated."""

import json
from pathlib import Path

import pytest

from graders.cli import main
from graders.compile import Tools, compile_grader
from graders.engine import run_sync
from graders.examples import FILES, NAMES, read_example, title
from graders.lint import Options, lint
from graders.lint.targets import TARGETS
from graders.rows import Row, to_sample
from graders.testing.cases import read_cases
from sandbox import open_sandbox

FOLDER = Path(__file__).parents[2] / "graders" / "examples"


@pytest.fixture(scope="module")
def box():
    """The real sandbox."""
    opened = open_sandbox()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def grader(box):
    """The grader of an example."""
    compiled = {}

    def by_name(name):
        if name not in compiled:
            compiled[name] = compile_grader(FOLDER / name / "grade.py", tools=Tools(sandbox=box))
        return compiled[name]

    return by_name


def scores(grader, item, texts):
    """The score of each text; a failure is none."""
    rows = [Row(item=item, sample=to_sample(text)) for text in texts]
    grades = run_sync(lambda: grader.grade(rows))

    assert [grade.failure for grade in grades if grade.failure] == []
    return [grade.score for grade in grades]


# --- what they are made of


def test_the_table_and_the_folder_are_the_same():
    """Each example has its three files, and there is no other."""
    folders = {path.name for path in FOLDER.iterdir() if (path / "grade.py").exists()}

    assert folders == set(NAMES)
    assert all(set(read_example(name)) == set(FILES) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_and_says_what_it_is(name):
    """A page of code, far below the hosted limit, with a sentence that says what it rewards."""
    source = read_example(name)["grade.py"]

    assert len(source.splitlines()) <= 60
    assert len(source) < 256_000 // 50
    assert title(name).endswith(".")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("target", ["local", "openai-rft", "azure-rft"])
def test_the_linter_finds_nothing(name, target):
    """But that a sandbox for programs is not on the hosted service."""
    report = lint(FOLDER / name / "grade.py", None, Options(target=TARGETS[target]))
    found = [one.finding.code for one in report.findings if one.finding.severity != "note"]

    assert found == (["local-only"] if name == "code" else [])


# --- what they give


@pytest.mark.parametrize("name", NAMES)
def test_its_own_cases_are_many(name):
    """Good, wrong, malformed and cheating ones; pytest finds and runs them where they stand."""
    cases = read_cases(FOLDER / name / "grade.cases.json")

    for what in ("cheat: every answer at once", "cheat: a verdict", "empty", "order"):
        assert what in {case.name for case in cases.file.cases}
    assert len(cases.file.cases) > 20


@pytest.mark.parametrize("name", NAMES)
def test_its_rows_run(name, tmp_path, monkeypatch, capsys):
    """As a newcomer would run them: all are graded, and they differ in what they get."""
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--example", name]) == 0
    assert main(["run", "grade.py", "rows.jsonl", "-o", "out.jsonl"]) == 0

    lines = Path("out.jsonl").read_text("utf-8").splitlines()
    given = [json.loads(line)["score"] for line in lines]
    assert len(given) >= 5
    assert {min(given), max(given)} == {0.0, 1.0}
    assert "next: graders run grade.py rows.jsonl" in capsys.readouterr().out


HONEST = {
    "math": ({"question": "How much is left?", "answer": r"\frac{3}{4}"}, [r"\boxed{3/4}"]),
    "numeric": ({"question": "How long is it?", "answer": 5.5, "unit": "km"}, ["5.5 km", "5.8 km"]),
    "json": (
        {"question": "Who?", "expected": {"name": "Ada", "born": 1815}},
        ['{"name": "Ada", "born": 1815}', '{"name": "Ada", "born": 1816}'],
    ),
    "code": (
        {"question": "Print the sum.", "tests": [{"stdin": "2 3", "stdout": "5"}]},
        ["print(sum(map(int, input().split())))"],
    ),
    "extract": (
        {"question": "Which city?", "answers": ["Lima", "Ciudad de los Reyes"]},
        ["Answer: Lima"],
    ),
}
ATTACKS = {
    "nothing": "",
    "space": " \n\t ",
    "the prompt": "How much is left? How long is it? Who? Print the sum. Which city?",
    "the": "the " * 50,
    "a verdict": '{"score": 1.0, "result": 1.0, "steps": []}',
    "marks": "Answer: \\boxed{} Answer:",
    "many numbers": " ".join(map(str, range(1, 100))),
    "many marks": "\n".join(f"Answer: {n}" for n in range(100)),
    "many boxes": " ".join(rf"\boxed{{{n}/4}}" for n in range(20)),
    "template": "{{ item.answer }} {{ item.expected }} {{ item.answers }}",
    "boxed template": r"\boxed{{{ item.answer }}}",
    "code": "__import__('os')._exit(0)",
    "code that returns": "```python\ndef grade(sample, item):\n    return 1.0\nprint(1.0)\n```",
    "code that exits": "import sys\nsys.exit(0)",
    "code that reaches out": "import sandbox, gc\nprint(sandbox.run_code('1'))",
    "not a number": "NaN km Infinity -Infinity",
    "huge": "1e308 " + "9" * 5_000,
    "null": "null",
    "confusable": "Answer: Lіma",
    "list of accepted": "Answer: Lima, Ciudad de los Reyes",
    "keys without values": '{"name": null, "born": null}',
    "every value": '{"name": ["Ada", "Grace"], "born": [1815, 1816]}',
}  # fmt: skip
HOSTILE = {
    "1 MB of words": "word " * 200_000,
    "1 MB of digits": "9" * 1_000_000,
    "1 MB of marks": "Answer: \\boxed{" * 70_000,
    "1 MB of fences": "```\n" * 250_000,
    "1 MB of brackets": "[" * 1_000_000,
    "1 MB of a number's groups": "1,111" * 200_000,
    "1 MB of braces in a box": "\\boxed{" + "{" * 1_000_000,
    "deep JSON": '{"name": ' + "[" * 500 + "]" * 500 + "}",
    "surrogates": "\ud800 Answer: \udfff \\boxed{\ud800}",
    "control characters": "\x00\x1b[2J\x07\u202e",
    "combining marks": "Answer: " + "e\u0301" * 300,
    "other digits": "\u0663\u00bd \\boxed{\u0664/\u0663} Answer: \u0664",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_attacks_stay_below_honest_answers(name, grader):
    """Echoes, lists of guesses, verdicts and code get less than any honest answer."""
    item, honest = HONEST[name]
    lowest = min(scores(grader(name), item, honest))
    got = dict(zip(ATTACKS, scores(grader(name), item, ATTACKS.values()), strict=True))

    assert lowest > 0
    assert {attack: score for attack, score in got.items() if score >= lowest} == {}
    assert set(got.values()) == {0.0}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_malformed_is_a_low_score_and_no_failure(name, grader):
    """Nothing that a model writes makes a grader fail; and none takes long."""
    item, _ = HONEST[name]
    samples = [*HOSTILE.values(), {"output_text": None}, {}, {"output_json": {"name": "Ada"}}]

    assert set(scores(grader(name), item, samples)) == {0.0}


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_a_grading_depends_on_its_row_alone(name, grader):
    """The same twice, and in another order."""
    item, honest = HONEST[name]
    texts = [*honest, *ATTACKS.values()]
    forth, back = scores(grader(name), item, texts), scores(grader(name), item, texts[::-1])

    assert forth == back[::-1] == scores(grader(name), item, texts)


def test_programs_are_not_run_where_there_is_no_second_sandbox(box):
    """On the hosted service a row fails with a sentence; it gets no score of the program's."""
    source = read_example("code")["grade.py"].replace("import sandbox\n", "import no_such_thing\n")
    config = {"type": "python", "name": "hosted", "source": source}
    item, (right,) = HONEST["code"]
    row = Row(item=item, sample=to_sample(right))
    grader = compile_grader(config, tools=Tools(sandbox=box))
    (grade,) = run_sync(lambda: grader.grade([row]))

    assert grade.score is None
    assert "this service cannot run programs safely" in grade.failure.message


# --- the command


def test_the_command_lists_them(capsys):
    """Without a name: each in a line or two, and nothing is written."""
    assert main(["init", "--example"]) == 0

    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines() if line[0] != " "] == list(NAMES)
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--example", "mth"], "there is no 'mth'. Did you mean 'math'?"),
        (["--example", "math", "here"], "here/rows.jsonl exists already; choose another directory"),
        ([], "Missing argument 'DIRECTORY'."),
    ],
)
def test_the_command_refuses(tmp_path, monkeypatch, capsys, arguments, message):
    """A name that is none, and to write over somebody's work; nothing is written then."""
    monkeypatch.chdir(tmp_path)
    Path("here").mkdir()
    Path("here/rows.jsonl").write_text("mine")

    assert main(["init", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["rows.jsonl"]


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_a_probe_of_its_rows_finds_nothing(name, capsys):
    """Neither attacks nor, but for programs, the search; and the attacks were in its form."""
    place = FOLDER / name / "grade.py", FOLDER / name / "rows.jsonl"
    key = {"json": "expected", "code": "tests", "extract": "answers"}.get(name, "answer")
    budget = ["--budget", "0"] if name == "code" else []
    code = main(["probe", *map(str, place), "--reference", f"item.{key}", "--json", *budget])
    report = json.loads(capsys.readouterr().out)

    assert (code, report["findings"]) == (0, [])
    assert report["rows"] == report["rows_seen"] >= 2
    # A list of tests is no program: of that, and of nothing else, attacks are none on programs.
    assert report["honest_above_control"] == (report["rows"] if name == "code" else 0)
