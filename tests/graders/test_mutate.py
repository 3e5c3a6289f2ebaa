"""`graders mutate`: which changes do the cases notice? Scores, survivors, and hostile sources."""

import json

import pytest

from graders.cli import main
from graders.clients import ModelReply, ScriptedClient
from graders.clients.replay import Recording
from graders.compile import Tools, compile_grader
from graders.engine import run_sync
from graders.errors import GradersError
from graders.rows import Row, to_sample
from graders.testing.cases import read_cases
from graders.testing.mutants import mutants_of
from graders.testing.mutate import Fate, run_baseline, run_mutants
from graders.testing.mutation_report import MutationReport
from sandbox import Limits, Outcome, Status, open_sandbox

SOURCE = """
def grade(sample, item):
    text = sample["output_text"].strip()
    if len(text) > 8:
        return 0.0
    return 1.0 if text == item["a"] else 0.5
"""
STRONG = [
    {"name": "right", "item": {"a": "x"}, "sample": " x ", "expect": 1},
    {"name": "wrong", "item": {"a": "x"}, "sample": "y", "expect": 0.5},
    {"name": "long", "item": {"a": "x"}, "sample": "123456789", "expect": 0},
    {"name": "at the limit", "item": {"a": "x"}, "sample": "12345678", "expect": 0.5},
]
BOX = Limits(wall_seconds=2)


@pytest.fixture(scope="module")
def box():
    """A sandbox whose calls may take two seconds."""
    box = open_sandbox(limits=BOX)
    yield box
    box.close()


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a grader and its cases; gives the path of the case file."""
    monkeypatch.chdir(tmp_path)

    def files(grader, cases, **further):
        body = {"cases": cases, **further}
        if isinstance(grader, str):
            (tmp_path / "grade.py").write_text(grader, encoding="utf-8")
        else:
            body["grader"] = grader
        path = tmp_path / "grade.cases.json"
        path.write_text(json.dumps(body), encoding="utf-8")
        return path

    return files


class Asked:
    """A sandbox that remembers how its calls ended."""

    def __init__(self, box):
        self.box, self.layers, self.batch, self.statuses = box, box.layers, box.batch, []

    async def run(self, calls):
        outcomes = await self.box.run(calls)
        self.statuses += [outcome.status for outcome in outcomes]
        return outcomes


def judge(path, box):
    """The mutants of a case file's grader, judged."""
    cases = read_cases(path)
    baseline = run_sync(lambda: run_baseline(cases, box))
    assert baseline.problems == {}
    mutants = mutants_of(cases.document)
    return run_sync(lambda: run_mutants(cases, mutants, baseline, box))


def survivors(judged):
    return [(one.mutant.mutator, one.mutant.old, one.mutant.new) for one in judged if one.survived]


def test_strong_cases_notice_every_change(write, box):
    """Each line, each boundary, each number."""
    judged = judge(write(SOURCE, STRONG), box)

    assert survivors(judged) == []
    assert {one.fate for one in judged} == {Fate.NOTICED}
    strip = next(one for one in judged if one.mutant.mutator == "call")
    assert (strip.case, strip.problem) == ("right", "expected a score of 1.0, and got 0.5")


def test_weak_cases_leave_these(write, box):
    """One case that asks for any score above a half: what it cannot see survives."""
    weak = [{"item": {"a": "x"}, "sample": "x", "expect": {"range": [0.9, 1.2]}}]
    judged = judge(write(SOURCE, weak), box)

    assert survivors(judged) == [
        ("call", 'sample["output_text"].strip()', 'sample["output_text"]'),
        ("boundary", ">", ">="),
        ("number", "8", "9"),
        ("number", "8", "7"),
        ("number", "0.0", "0.1"),
        ("number", "0.0", "-0.1"),
        ("return", "0.0", "1.0"),
        ("return", '1.0 if text == item["a"] else 0.5', "1.0"),
        ("number", "1.0", "1.1"),
        ("number", "1.0", "0.9"),
        ("number", "0.5", "0.6"),
        ("number", "0.5", "0.4"),
    ]
    never_run = [one.mutant.line for one in judged if one.fate is Fate.NOT_COVERED]
    assert never_run == [5, 5, 5]


@pytest.mark.long
def test_endless_loops_are_noticed_in_time(write, box):
    """By their deadline, which each of them costs once, however many cases there are."""
    source = (
        "def grade(sample, item):\n    n = 0\n    while n < 3:\n        n += 1\n    return n / 3\n"
    )
    asked = Asked(box)
    judged = judge(write(source, [{"item": {}, "sample": "x", "expect": 1}] * 5), asked)
    late = {one.mutant.new: one.problem for one in judged if one.fate is Fate.TIMED_OUT}

    assert late.keys() == {"pass", "-=", "0"}
    assert all("timed out after 2 s" in problem for problem in late.values())
    assert asked.statuses.count(Status.TIMED_OUT) == 3
    assert survivors(judged) == [
        ("number", "0", "1"),
        ("number", "0", "-1"),
        ("return", "n / 3", "1.0"),
    ]


def test_only_cases_that_run_the_line_are_asked(write, box):
    """The others could not notice; what counts is which calls are made."""
    source = "def grade(sample, item):\n    if item:\n        return 3\n    return 5\n"
    rows = [{"item": {}, "sample": "x", "expect": 5}] * 6
    cases = [*rows, {"item": {"a": 1}, "sample": "x", "expect": 3}]
    read = read_cases(write(source, cases))
    asked = Asked(box)
    baseline = run_sync(lambda: run_baseline(read, asked))
    mutants = [m for m in mutants_of(read.document) if m.line == 3]
    before = len(asked.statuses)
    judged = run_sync(lambda: run_mutants(read, mutants, baseline, asked))

    assert [one.case for one in judged] == ["case-7"] * len(mutants)
    assert len(asked.statuses) - before == len(mutants)


def test_a_sandbox_that_breaks_notices_nothing(write, box):
    """What is its fault would otherwise make the score better."""

    class Broken:
        layers, batch = box.layers, box.batch

        async def run(self, calls):
            return [Outcome(status=Status.BROKEN, error="no sandbox came up") for _ in calls]

    read = read_cases(write(SOURCE, STRONG))
    baseline = run_sync(lambda: run_baseline(read, box))
    with pytest.raises(GradersError, match="line 3: the sandbox broke under a mutant: no sandbox"):
        run_sync(lambda: run_mutants(read, mutants_of(read.document), baseline, Broken()))


def test_a_source_whose_marks_are_lost_is_run_whole(write, box):
    """What prints a flood tells no coverage, and then every case is asked."""
    source = SOURCE.replace(
        "    text = sample",
        '    import sys\n    print("x" * 100_000, file=sys.stderr)\n    text = sample',
    )
    judged = judge(write(source, STRONG), box)

    assert {one.fate for one in judged} <= {Fate.NOTICED, Fate.SURVIVED}
    assert survivors(judged) == []


def test_what_a_source_does_happens_in_the_sandbox_alone(write, box, tmp_path):
    """Neither reading, nor marking, nor changing it executes a byte of it."""
    trap = tmp_path / "trap"
    attack = (
        f"import os\ntry:\n    open({str(trap)!r}, 'w').close()\nexcept OSError:\n    pass\n"
        "def grade(sample, item):\n    return 1.0\n"
    )
    judge(write(attack, [{"item": {}, "sample": "x", "expect": 1}]), box)

    assert not trap.exists()
    exec(attack, {})  # the control: the code does what it says
    assert trap.exists()


OUTPUT, ANSWER = "{{ sample.output_text }}", "{{ item.a }}"
SIDES = {"input": OUTPUT, "reference": ANSWER}
PROMPT = [{"role": "user", "content": OUTPUT}]
SCORED = {"type": "score_model", "name": "j", "model": "m", "range": [0, 1], "input": PROMPT}
CONTAINS = {"type": "string_check", "name": "c", "operation": "ilike", **SIDES}
ALIKE = {"type": "text_similarity", "name": "a", "evaluation_metric": "fuzzy_match", **SIDES}
MULTI = {
    "type": "multi",
    "name": "m",
    "graders": {"c": CONTAINS, "a": ALIKE},
    "calculate_output": "0.75 * c + 0.25 * a",
    "pass_threshold": 0.8,
}


def test_formulas_and_operations_are_changed_too(write):
    """Without a sandbox, where no Python is."""
    weak = [{"item": {"a": "x"}, "sample": "x", "expect": "pass"}]
    judged = judge(write(MULTI, weak), None)

    assert ("operation", '"operation": "ilike"', '"operation": "like"') in survivors(judged)
    assert ("threshold", '"pass_threshold": 0.8', '"pass_threshold": 0.9') in survivors(judged)
    noticed = [one for one in judged if one.fate is Fate.NOTICED]
    assert "0.75 * c - 0.25 * a" in [one.mutant.after for one in noticed]


def test_python_members_of_a_multi_are_changed_in_their_place(write, box):
    """Both sources are covered, and both are changed."""
    member = {"type": "python", "name": "p", "source": SOURCE.lstrip()}
    other = {"type": "python", "name": "q", "source": "def grade(s, i):\n    return 2.0\n"}
    multi = {
        "type": "multi",
        "name": "m",
        "graders": {"p": member, "q": other},
        "calculate_output": "p * q",
    }
    judged = judge(write(multi, [{"item": {"a": "x"}, "sample": "x", "expect": 2}]), box)
    places = {(one.mutant.location, one.fate) for one in judged}

    assert (("graders", "p"), Fate.NOT_COVERED) in places
    assert (("graders", "q"), Fate.NOTICED) in places


def test_a_judge_answers_as_the_case_says(write):
    """Its range is changed, and the answer of each case tells."""
    cases = [
        {"item": {}, "sample": "x", "judge": 2, "expect": 1},
        {"item": {}, "sample": "y", "judge": 0.25, "expect": 0.25},
    ]
    judged = judge(write(SCORED, cases), None)

    assert [(one.mutant.new, one.fate) for one in judged] == [
        ('"range": [-1.0, 1.0]', Fate.SURVIVED),
        ('"range": [0.0, 2.0]', Fate.NOTICED),
        ('"range": [0.0, 0.5]', Fate.NOTICED),
    ]


def test_endpoints_answer_as_the_case_says(write):
    """And a judge beside them, each its own."""
    service = {"type": "endpoint", "name": "e", "url": "http://localhost/grade"}
    multi = {**MULTI, "graders": {"j": SCORED, "e": service}, "calculate_output": "j + 2 * e"}
    case = {"item": {}, "sample": "x", "judge": {"j": 0.5, "e": 0.125}, "expect": 0.75}

    left = {mutator for mutator, _, _ in survivors(judge(write(multi, [case]), None))}
    assert left == {"threshold", "range"}  # every change of the formula is noticed


def test_what_a_judge_answered_once_is_replayed(write, tmp_path):
    """For the cases that say nothing of it."""
    client = ScriptedClient(lambda _: ModelReply(text='{"steps": [], "result": 2}'))
    recording = Recording(client, tmp_path / "judge.jsonl")
    grader = compile_grader(SCORED, tools=Tools(client=recording))
    run_sync(lambda: grader.grade([Row(item={}, sample=to_sample("x"), row=1)]))
    recording.close()
    path = write(SCORED, [{"sample": "x", "expect": 1}], judge={"replay": "judge.jsonl"})

    assert survivors(judge(path, None)) == [
        ("range", '"range": [0.0, 1.0]', '"range": [-1.0, 1.0]')
    ]


def test_the_command_shows_each_survivor(write, capsys):
    """Where, what, its diff, and what would notice it."""
    write(SOURCE, STRONG[:3])

    assert main(["mutate", "grade.cases.json"]) == 0
    out = capsys.readouterr().out
    head, *_ = out.splitlines()
    assert head == "grade.py: mutation score 87%, 13 of 15 mutants noticed"
    assert "  grade.py: 100% covered, 5 of 5 lines and 4 of 4 branches\n" in out
    assert "survivor 1: grade.py:4: boundary: `>` becomes `>=`\n--- grade.py\n" in out
    assert "\n-    if len(text) > 8:\n+    if len(text) >= 8:\n" in out
    assert (
        "  No case notices. Add one exactly at the boundary, where both sides are equal.\n" in out
    )


def test_the_command_as_json_is_the_same_every_time(write, capsys):
    """For a limit and a seed; another seed draws others."""
    write(SOURCE, STRONG[:1])
    asked = ["mutate", "grade.cases.json", "--json", "--limit", "6"]
    printed = []
    for seed in ("1", "1", "2"):
        assert main([*asked, "--seed", seed]) == 0
        printed.append(capsys.readouterr().out)
    report = json.loads(printed[0])

    assert printed[0] == printed[1] != printed[2]
    assert list(report) == [
        *("schema", "grader", "score", "mutants", "drawn_from", "not_reached"),
        *("noticed", "timed_out", "survived", "not_covered", "coverage", "judged"),
    ]
    assert (report["grader"], report["mutants"], len(report["judged"])) == ("grade.py", 6, 6)
    common = ["place", "line", "mutator", "before", "after", "fate"]
    left = 0
    for one in report["judged"]:
        survived = one["fate"] in {"survived", "not_covered"}
        left += survived
        assert list(one) == [*common, *(("notice", "diff") if survived else ("case", "problem"))]
    assert report["score"] == pytest.approx(1 - left / 6, abs=1e-6)
    assert 0 < left < 6
    assert report["coverage"]["grade.py"]["missing_lines"] == [5]


@pytest.mark.parametrize(("threshold", "code"), [("0.5", 0), ("1", 1)])
def test_a_score_below_the_threshold_fails(write, capsys, threshold, code):
    """So that CI can hold it."""
    write(SOURCE, STRONG[:3])

    assert main(["mutate", "grade.cases.json", "--threshold", threshold]) == code
    assert capsys.readouterr().out


def test_the_grader_as_it_is_must_pass_its_cases(write, capsys):
    """Or nothing can be said of mutants."""
    write(SOURCE, [{**STRONG[0], "expect": 0.25}, STRONG[1]])

    assert main(["mutate", "grade.cases.json"]) == 2
    assert capsys.readouterr().err == (
        "right: expected a score of 0.25, and got 1.0\n"
        "graders: the grader as it is fails 1 case of grade.cases.json; mend that first\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threshold", "90"], "90.0 is not in the range 0<=x<=1"),
        (["--limit", "0"], "0 is not in the range x>=1"),
        (["--sandbox-limit", "wall=0s"], "'wall=0s' is not one of wall"),
    ],
)
def test_a_wrong_option_is_said(write, capsys, arguments, message):
    """Before anything runs."""
    write(SOURCE, STRONG)

    assert main(["mutate", "grade.cases.json", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_grader_is_no_case_file(write, capsys):
    """Where its cases stand is said, if they are beside it."""
    write(SOURCE, STRONG)

    assert main(["mutate", "grade.py"]) == 2
    said = "grade.py is no case file (.cases.json, .cases.yaml, .cases.yml); its cases are in "
    assert f"{said}grade.cases.json\n" in capsys.readouterr().err


def test_a_grader_without_anything_to_change_scores_one():
    """Nothing survived; no division by zero."""
    report = MutationReport(name="g", judged=[], drawn_from=0, coverage={})

    assert (report.score, report.survivors) == (1.0, [])
