"""What the plugin gives to tests in Python: a grader, grades, a sandbox, a judge."""

import json
import re
from pathlib import Path

from sample_configs import EXACT, JUDGE, SIMILAR

# The runs below are in this process: what they import stays, and no module is made twice.
import graders.pytest_plugin
from graders.engine import grade as _
from graders.testing import annotations, goldens, show, tools

pytest_plugins = "pytester"
assert all((graders.pytest_plugin, _, annotations, goldens, show, tools))

GRADE = "def grade(sample, item):\n    return item['weight'] * len(sample['output_text'])\n"
EARLY = """
import sys
THERE = "fractions" in sys.modules
import fractions

def grade(sample, item):
    return float(THERE)
"""
HEAD = "import asyncio, json, pytest\nfrom graders import ConfigError, Row\n"


def module(text):
    """The text of a test module, its lines without what indents them here."""
    return HEAD + re.sub("^    ", "", text, flags=re.MULTILINE)


GOOD = """
    @pytest.mark.grader("length.py")
    def test_of_a_file_beside_the_test(grade):
        grade_of_two = grade("ab", {"weight": 0.25})
        assert grade_of_two.score == 0.5
        assert grade("a", {}).failure.kind == "python_grader_runtime_error"

    @pytest.mark.grader(json.loads(r'''%EXACT%'''))
    class TestClass:
        def test_of_a_config(self, grade):
            assert grade("x", {"answer": "x"}).score == 1
            assert grade({"output_text": "y"}, {"answer": "x"}).score == 0

        def test_given_another(self, grade):
            assert grade("a", {"weight": 0.5}, "length.py").score == 0.5

    def test_unmarked(grade):
        assert grade("b", {"answer": "b"}, json.loads(r'''%EXACT%''')).score == 1

    SIMILAR = json.loads(r'''%SIMILAR%''')

    @pytest.mark.grader(SIMILAR, set={"default_threshold": "0"})
    def test_with_a_setting(grade, grader):
        assert grade("", {}).passed is True
        assert grader.signature.endswith("|pass:0")

    @pytest.mark.grader(SIMILAR, profile="azure")
    def test_with_a_profile(grader):
        assert "azure" in grader.signature or "nist" in grader.signature

    @pytest.mark.grader("length.py")
    def test_the_grader_itself(grader):
        rows = [Row(item={"weight": 1}, sample={"output_text": "a" * n}) for n in range(3)]
        grades = asyncio.run(grader.grade(rows))
        assert [one.score for one in grades] == [0, 1, 2]

    @pytest.mark.grader("length.py")
    def test_where_a_loop_is_running(grade):
        async def many():
            return [grade("ab", {"weight": 0.25}).score for _ in range(3)]

        assert asyncio.run(many()) == [0.5] * 3

    @pytest.mark.grader("early.py")
    def test_what_it_imports_is_imported_once_for_all(grade):
        assert grade("", {}).score == 1

    def test_the_sandbox(sandbox):
        from sandbox import Call

        (outcome,) = sandbox.run_now([Call("def f(x): return x + 1", "f", [1])])
        assert outcome.value == 2

    def test_the_sandbox_is_one(sandbox, request):
        assert sandbox is request.getfixturevalue("sandbox")

    JUDGE = json.loads(r'''%JUDGE%''')

    @pytest.mark.grader(JUDGE)
    def test_a_judge_says_what_it_is_told(grade, judge):
        judge.answers(0.75)
        assert grade("x", {}).score == 0.75
        judge.answers(lambda request: 0.5 if request.model == "gpt-4o" else 0)
        assert grade("x", {}).score == 0.5
        assert len(judge.asked) == 2

    @pytest.mark.grader(JUDGE)
    def test_a_judge_replays(grade, judge):
        judge.replay("judge.jsonl")
        assert grade("x", {}).failure.reason == "replay_miss"

    @pytest.mark.grader(JUDGE)
    def test_a_judge_says_nothing_unasked(grade, judge):
        assert "judge.answers(0.5) in a test" in grade("x", {}).failure.message

    def test_what_is_wrong_with_a_config_is_raised(grade):
        with pytest.raises(ConfigError, match="'typo' is not one of"):
            grade("x", {}, {"type": "typo"})
"""
CONFIGS = {"EXACT": EXACT, "SIMILAR": SIMILAR, "JUDGE": JUDGE}


def filled(text):
    return re.sub("%([A-Z]+)%", lambda found: json.dumps(CONFIGS[found[1]]), text)


def test_fixtures(project):
    """By marker or given, in classes, with settings, and in a test that runs a loop."""
    files = {
        "length.py": GRADE,
        "early.py": EARLY,
        "judge.jsonl": "",
        "test_it.py": module(filled(GOOD)),
    }

    result = project(files, "--strict-markers")

    result.assert_outcomes(passed=15)


WRONG = """
    def test_unmarked(grader):
        pass

    @pytest.mark.grader("nowhere.json")
    def test_missing(grader):
        pass

    @pytest.mark.grader({"type": "typo"})
    def test_typo(grader):
        pass

    @pytest.mark.grader("length.py", strict=True)
    def test_keyword(grader):
        pass

    @pytest.mark.grader("length.py", profile="azur")
    def test_profile(grader):
        pass

    def test_given(grade):
        grade("x", {}, {"type": "typo"})

    @pytest.mark.grader("length.py")
    def test_score(grade):
        assert grade("abc\\x1b[2J", {"weight": 1}).score == 0
"""


def test_what_is_wrong_is_said_where_the_test_is(project):
    """In a line, without the inside of the plugin; and what was graded stands below a failure."""
    result = project({"length.py": GRADE, "test_it.py": module(WRONG)}, "--junitxml=out.xml")

    result.assert_outcomes(errors=5, failed=2)
    shown = "\n".join(result.outlines)
    assert "pytest_plugin.py" not in shown
    assert "During handling" not in shown
    result.stdout.fnmatch_lines(
        [
            'test_unmarked: which grader? @pytest.mark.grader("grader.json") says so*',
            "nowhere.json: No such file or directory",
            "type: 'typo' is not one of string_check, *",
            "test_keyword: which grader? *",
            "profile: there is no profile 'azur'. Did you mean 'azure'?",
            "> *grade(?x?, {}, {?type?: ?typo?})",
            "E *ConfigError: type: 'typo' is not one of *",
            "> *assert grade(*",
            "*Captured grading call*",
            '  item    {"weight":1}',
            "  sample  abc\\x1b?2J",
            "  score   7.0",
        ]
    )
    assert 'property name="score" value="7.0"' in Path("out.xml").read_text("utf-8")
