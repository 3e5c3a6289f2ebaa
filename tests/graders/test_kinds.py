"""What each kind of grader makes of a row, with scripted tools for what they need from outside."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz
from sample_configs import EXACT, PYTHON

from graders.compile import Tools, compile_grader
from graders.errors import FailureKind
from graders.profile import OPENAI
from graders.rows import Row, to_sample
from sandbox import Call, Outcome, Status

SIMILAR = {
    "type": "text_similarity",
    "name": "similar",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "evaluation_metric": "fuzzy_match",
}
INVALID, FORMULA = FailureKind.INVALID_VARIABLE, FailureKind.FORMULA_PARSE
RUNTIME = FailureKind.PYTHON_RUNTIME


@dataclass
class ScriptedSandbox:
    """Ends every call with the same outcome, and keeps what it was asked to run."""

    outcome: Outcome
    ran: list[Call] = field(default_factory=list)

    layers = frozenset()
    batch = 1

    async def run(self, calls):
        self.ran += calls
        return [self.outcome for _ in calls]

    async def aclose(self):
        """Nothing is open."""


def row(output, **item):
    return Row(item=item, sample=to_sample(output))


def grades(config, *rows, profile=OPENAI, **tools):
    grader = compile_grader(config, tools=Tools(**tools), profile=profile)
    return asyncio.run(grader.grade(rows))


def multi(members, formula, **more):
    return {"type": "multi", "name": "m", "graders": members, "calculate_output": formula, **more}


# --- string_check


@pytest.mark.parametrize(
    ("operation", "output", "answer", "expected"),
    [
        ("eq", "Paris", "Paris", 1.0),
        ("eq", "paris", "Paris", 0.0),
        ("eq", "Paris ", "Paris", 0.0),  # no trimming: whitespace is content
        ("eq", "é", "e\u0301", 0.0),  # nor normalising
        ("eq", "", "", 1.0),
        ("ne", "London", "Paris", 1.0),
        ("ne", "Paris", "Paris", 0.0),
        ("ne", "Paris\n", "Paris", 1.0),
        ("like", "It is Paris.", "Paris", 1.0),
        ("like", "It is paris.", "Paris", 0.0),
        ("like", "Paris", "It is Paris.", 0.0),  # the input contains the reference
        ("like", "anything", "", 1.0),
        ("like", "abc", "a%c", 0.0),  # no SQL wildcards
        ("like", "abc", "a_c", 0.0),
        ("like", "100% sure", "100%", 1.0),
        ("like", "abc", "a.c", 0.0),
        ("ilike", "It is PARIS.", "Paris", 1.0),
        ("ilike", "ÉCOLE", "école", 1.0),
        ("ilike", "STRASSE", "straße", 0.0),  # lower-casing, not case folding
        ("ilike", "paris", " Paris", 0.0),
        ("ilike", "abc", "%B%", 0.0),
        ("ilike", "x", "", 1.0),
    ],
)
def test_string_check_compares_exactly(operation, output, answer, expected):
    """Each operation's case rule is its only leniency."""
    (grade,) = grades({**EXACT, "operation": operation}, row(output, answer=answer))

    assert (grade.score, grade.passed) == (expected, expected == 1.0)
    assert grade.detail == {"input": output, "reference": answer}
    assert grade.name == "exact"


def test_a_string_check_compares_what_is_not_text_as_rendered():
    """`true` is four characters; the other rendering has another four."""
    config = {**EXACT, "input": "{{ item.flag }}", "reference": "{{ item.want }}"}
    rows = [row("", flag=True, want="true"), row("", flag=True, want="True")]
    python = OPENAI.override({"render": "python"})

    assert [grade.score for grade in grades(config, *rows)] == [1.0, 0.0]
    assert [grade.score for grade in grades(config, *rows, profile=python)] == [0.0, 1.0]


# --- text_similarity


@given(st.text(), st.text())
def test_fuzzy_match_is_rapidfuzz_ratio_over_a_hundred(output, answer):
    """Bit for bit, with no processor: the one metric with a recorded hosted number."""
    (grade,) = grades(SIMILAR, row(output, answer=answer))

    assert grade.score == fuzz.ratio(output, answer) / 100


@pytest.mark.parametrize(
    ("config_threshold", "default", "passed"),
    [
        (None, None, None),
        (0.5, None, True),
        (0.8, None, True),  # equal is enough
        (0.81, None, False),
        (None, "0.8", True),
        (None, "0.9", False),
        (0.9, "0.1", False),  # the config's own goes before
        (0.0, "0.9", True),  # and zero is one
    ],
)
def test_a_similarity_passes_at_its_threshold(config_threshold, default, passed):
    """Without a threshold nothing says when it passes."""
    config = {**SIMILAR, "pass_threshold": config_threshold}
    profile = OPENAI.override({"default_threshold": default} if default else {})
    (grade,) = grades(config, row("abcd1", answer="abcd2"), profile=profile)

    assert grade.score == 0.8
    assert grade.passed is passed


def test_a_row_that_cannot_be_rendered_costs_itself_and_no_other():
    """Failures stay in their place in the batch, and the rest is scored as if alone."""
    rows = [row("a"), row("b", answer="b"), row("c", anwser="c"), row("ad", answer="ab"), row("e")]
    batch = grades({**SIMILAR, "pass_threshold": 0.4}, *rows)

    assert [grade.score for grade in batch] == [None, 1.0, None, 0.5, None]
    assert [grade.passed for grade in batch] == [False, True, False, True, False]
    assert [g.failure.kind for g in batch if g.failure] == [INVALID] * 3
    assert "Did you mean 'item.answer'?" not in batch[2].failure.message
    assert "Did you mean 'item.anwser'?" in batch[2].failure.message


def test_a_pair_that_is_too_much_work_costs_itself_and_no_other():
    """Two texts of a megabyte are a failure and never a hang."""
    small = OPENAI.override({"work_limit": "10000"})
    rows = [row("ab", answer="ad"), row("x" * 9000, answer="y" * 9000), row("c", answer="c")]
    first, second, third = grades(SIMILAR, *rows, profile=small)

    assert (first.score, second.score, third.score) == (0.5, None, 1.0)
    assert (second.failure.kind, second.failure.reason) == (FailureKind.OTHER, "too_much_work")
    assert "shorten the texts or raise Settings(work_limit=...)" in second.failure.message


def test_no_rows_make_no_grades():
    """An empty batch is a batch."""
    members = {"a": EXACT, "b": SIMILAR}

    for config in (EXACT, SIMILAR, multi(members, "a + b"), {"testing_criteria": [EXACT]}):
        assert grades(config) == []


# --- multi


def test_a_multi_combines_scores_by_key_and_keeps_the_parts():
    """The formula's variables are the map's keys, not the members' names."""
    members = {"s": SIMILAR, "e": {**EXACT, "operation": "ne"}}
    config = multi(members, "0.5 * s + e / 4", pass_threshold=0.65)
    first, second = grades(config, row("abcd1", answer="abcd2"), row("x", answer="x"))

    assert (first.score, first.passed) == (0.65, True)
    assert {key: part.score for key, part in first.parts.items()} == {"s": 0.8, "e": 1.0}
    assert [part.name for part in first.parts.values()] == ["similar", "exact"]
    assert (second.score, second.passed) == (0.5, False)
    assert first.seconds == sum(part.seconds for part in first.parts.values())


@pytest.mark.parametrize("order", [("bad", "code", "good"), ("good", "code", "bad")])
def test_the_first_failed_member_in_map_order_fails_the_multi(order):
    """Every member is graded, used by the formula or not, and the parts keep all of it."""
    members = {
        "good": EXACT,
        "bad": {**EXACT, "input": "{{ item.absent }}"},
        "code": PYTHON,
    }
    sandbox = ScriptedSandbox(Outcome(status=Status.RAISED, error="Boom"))
    config = multi({key: members[key] for key in order}, "good", pass_threshold=0)
    (grade,) = grades(config, row("x", answer="x"), sandbox=sandbox)

    assert grade.score is None
    assert grade.passed is False
    first = next(key for key in order if key != "good")
    assert grade.failure.kind == {"bad": INVALID, "code": RUNTIME}[first]
    assert grade.failure.message.startswith(f"{first}: ")
    assert list(grade.parts) == list(order)
    assert grade.parts["good"].score == 1.0
    assert grade.parts["bad"].failure.kind is INVALID
    assert grade.parts["code"].failure.message == "Boom"


def test_a_failed_member_can_be_made_to_count_as_zero():
    """`member_failure=zero` is the hosted habit by name; the failure stays in the parts."""
    members = {"bad": {**EXACT, "input": "{{ item.absent }}"}, "good": EXACT}
    zero = OPENAI.override({"member_failure": "zero"})
    (grade,) = grades(multi(members, "good + 2 * bad"), row("x", answer="x"), profile=zero)

    assert (grade.score, grade.failure) == (1.0, None)
    assert grade.parts["bad"].failure.kind is INVALID


@pytest.mark.parametrize(
    ("formula", "reason", "problem"),
    [
        ("1 / a", "division_by_zero", "1 / a: division by zero (with a = 0)"),
        ("log(a)", "domain", "log(a): log(0) has no real value (with a = 0)"),
        ("exp(b * 1000)", "overflow", "is too large for a float (with b = 1)"),
    ],
)
def test_a_formula_without_a_value_fails_the_row_with_the_values(formula, reason, problem):
    """It is never infinite, complex or not a number."""
    members = {"a": EXACT, "b": {**EXACT, "operation": "ne"}}
    (grade,) = grades(multi(members, formula), row("x", answer="y"))

    assert grade.score is None
    assert (grade.failure.kind, grade.failure.reason) == (FORMULA, reason)
    assert grade.failure.message.endswith(problem)
    assert {key: part.score for key, part in grade.parts.items()} == {"a": 0.0, "b": 1.0}


def test_members_enter_as_they_are():
    """Nothing is clamped or rescaled on the way into the formula or out of it."""
    sandbox = ScriptedSandbox(Outcome(status=Status.OK, value=-7))
    (grade,) = grades(multi({"a": PYTHON}, "a * 3 - 0.5"), row("x"), sandbox=sandbox)

    assert grade.score == -21.5


# --- Evals criteria


@pytest.mark.parametrize(
    ("output", "score", "passed"), [("abcd", 1.0, True), ("abce", 0.0, False), ("zzzz", 0.0, False)]
)
def test_a_sample_passes_when_it_passes_every_criterion(output, score, passed):
    """One criterion that is not passed is enough to fail it."""
    body = {"testing_criteria": [{**SIMILAR, "pass_threshold": 0.5}, EXACT]}
    (grade,) = grades(body, row(output, answer="abcd"))

    assert (grade.score, grade.passed) == (score, passed)
    assert list(grade.parts) == ["similar", "exact"]
    assert grade.parts["similar"].passed is (output != "zzzz")


def test_a_criterion_that_fails_to_grade_is_no_pass_and_no_score():
    """In Evals it counts as errored and failed; here the failure says why."""
    (grade,) = grades({"testing_criteria": [EXACT, {**EXACT, "input": "{{item.b}}"}]}, row("x"))

    assert (grade.score, grade.passed) == (None, False)
    assert grade.failure.kind is INVALID
    assert grade.failure.message.startswith("exact: {{ item.answer }}: ")


@pytest.mark.parametrize("names", [["n", "n"], ["n", "n-3", "n"], ["n", "n-2", "n", "n"]])
def test_criteria_of_one_name_are_all_graded(names):
    """The service allows it; a criterion that gets lost would pass everything."""
    wrong = {**EXACT, "reference": "never"}
    criteria = [{**EXACT, "name": names[0]}, *({**wrong, "name": name} for name in names[1:])]
    (grade,) = grades({"testing_criteria": criteria}, row("x", answer="x"))

    assert [part.score for part in grade.parts.values()] == [1.0] + [0.0] * (len(names) - 1)
    assert grade.passed is False


# --- python


@pytest.mark.parametrize(
    ("value", "score"),
    [(1, 1.0), (0.25, 0.25), (-3, -3.0), (17.5, 17.5), (2**60, float(2**60)), (-0.0, 0.0)],
)
def test_a_number_from_the_sandbox_is_the_score(value, score):
    """Integers, and numbers below 0 and above 1, are all in real use."""
    sandbox = ScriptedSandbox(Outcome(status=Status.OK, value=value, wall_seconds=0.5))
    (grade,) = grades({**PYTHON, "pass_threshold": 0.25}, row("out", a=1), sandbox=sandbox)

    assert (grade.score, grade.passed) == (score, score >= 0.25)
    assert isinstance(grade.score, float)
    assert grade.seconds == 0.5
    sample = dict(to_sample("out"))
    assert sandbox.ran == [Call(PYTHON["source"], "grade", [sample, {"a": 1}])]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (True, "grade() returned True (bool), and a score is a finite number"),
        (None, "grade() returned None (NoneType), and a score is a finite number"),
        ("0.5", "grade() returned '0.5' (str), and a score is a finite number"),
        ({"score": 1}, "grade() returned {'score': 1} (dict), and a score is a finite number"),
        (["x" * 99], f"grade() returned ['{'x' * 55}... (list), and a score is a finite number"),
        (10**400, f"grade() returned 1{'0' * 56}... (int), and a score is a finite number"),
        (float("nan"), "grade() returned nan (float), and a score is a finite number"),
        (float("inf"), "grade() returned inf (float), and a score is a finite number"),
    ],
)
def test_anything_but_a_finite_number_is_a_failure(value, problem):
    """A bad return is the grader's runtime error, not a score of zero."""
    sandbox = ScriptedSandbox(Outcome(status=Status.OK, value=value))
    (grade,) = grades({**PYTHON, "pass_threshold": 0}, row("x"), sandbox=sandbox)

    assert (grade.score, grade.passed) == (None, False)
    assert (grade.failure.kind, grade.failure.reason) == (RUNTIME, "bad_return")
    assert grade.failure.message == problem


@pytest.mark.parametrize(("value", "score"), [(True, 1.0), (False, 0.0), (0.5, 0.5)])
def test_booleans_can_be_made_to_count_as_numbers(value, score):
    """Nobody can prove what the service does with them, so it is a setting."""
    sandbox = ScriptedSandbox(Outcome(status=Status.OK, value=value))
    number = OPENAI.override({"bool_returns": "number"})

    assert grades(PYTHON, row("x"), sandbox=sandbox, profile=number)[0].score == score


def test_a_value_that_is_no_plain_data_is_a_bad_return():
    """The sandbox says what came back, in words; the row is the grader's fault."""
    sandbox = ScriptedSandbox(Outcome(status=Status.BAD_VALUE, error="(1+2j) (complex)"))
    (grade,) = grades(PYTHON, row("x"), sandbox=sandbox)

    assert (grade.failure.kind, grade.failure.reason) == (RUNTIME, "bad_return")
    assert (
        grade.failure.message == "grade() returned (1+2j) (complex), and a score is a finite number"
    )


@pytest.mark.parametrize("status", [s for s in Status if s not in {Status.OK, Status.BAD_VALUE}])
@pytest.mark.parametrize("error", ["", "Traceback: KeyError('answer')"])
def test_every_way_a_call_can_end_has_its_kind(status, error):
    """Only a broken sandbox is the server's fault; the finer word is the reason."""
    printed = {"stdout": "seen", "stderr": ""}
    sandbox = ScriptedSandbox(Outcome(status=status, error=error, **printed))
    (grade,) = grades(PYTHON, row("x"), sandbox=sandbox)

    broken = status is Status.BROKEN
    assert grade.failure.kind is (FailureKind.PYTHON_SERVER if broken else RUNTIME)
    assert grade.failure.reason == status.value
    assert grade.failure.message == (error or f"grade() ended: {status.value}")
    assert grade.detail == {"stdout": "seen"}
