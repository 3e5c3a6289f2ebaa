"""Another formula over stored parts: bit for bit what grading again would have given."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.compile import compile_grader
from graders.engine import run_sync
from graders.errors import ConfigError, Failure, FailureKind, Finding, FormulaError, RowError
from graders.profile import OPENAI
from graders.results import Part, Result, to_result
from graders.rows import Row, to_sample
from graders.strict_json import encode
from graders.studies.signatures import read_signature
from graders.studies.teach.rescore import Rescoring, rescore

TEXTS = {"input": "{{ sample.output_text }}", "reference": "{{ item.a }}"}
EXACT = {"type": "string_check", "name": "exact", "operation": "eq", **TEXTS}
FUZZY = {"type": "text_similarity", "name": "f", "evaluation_metric": "fuzzy_match", **TEXTS}
MEMBERS = {
    "a": EXACT,
    "b": {**FUZZY, "pass_threshold": 0.25},
    "c": {**FUZZY, "reference": "{{ item.c }}", "pass_threshold": 0.5},
}
FORMULAS = [
    *("a", "b + c", "0.5 * a + 0.3 * max(b, c) - abs(a)", "1 / a", "b / c", "log(b)", "c ^ -b"),
    *("a - a", "2", "1e308 * b * 99", "sqrt(b - c)", "b * 1e-320", "min(a, b, c)\n + .5", "-0.0"),
]
THRESHOLDS = [None, 0.0, 0.5, 1.0, 2 / 3, 1e-320, 1e300, -2.5]
SETTINGS = {"fail": OPENAI, "zero": OPENAI.override({"member_failure": "zero"})}


def multi(formula, threshold=None, members=None):
    config = {"type": "multi", "name": "m", "graders": members or MEMBERS}
    return {**config, "calculate_output": formula, "pass_threshold": threshold}


def graded(config, rows, profile=OPENAI, failures="drop", detail="none"):
    """The results of a run, read back from their bytes."""
    grader = compile_grader(config, profile=profile)
    grades = run_sync(lambda: grader.grade(rows))
    nothing = 0.0 if failures == "zero" else None
    return [
        read_back(
            to_result(
                row,
                grade,
                signature=f"profile:{profile.name}|{grader.signature}",
                reward=nothing if grade.score is None else grade.score,
                detail=detail,
            )
        )
        for row, grade in zip(rows, grades, strict=True)
    ]


def read_back(result):
    return msgspec.json.decode(encode(result), type=Result)


def rescored(results, formula, **options):
    """What results become, with the batches' other lines in a list of their own."""
    batches = list(rescore(results, Rescoring(formula=formula, **options)))
    others = [line for batch in batches for line in (*batch.bad_lines, *batch.notes)]
    before = [old for batch in batches for old, _ in batch.pairs]
    assert before == [line for line in results if line in before]
    return [new for batch in batches for _, new in batch.pairs], others


def written(results):
    return [encode(result) for result in results]


words = st.sampled_from(["", "x", "xy", "Paris", "paris", "Lyon is not Paris"])
items = st.fixed_dictionaries({}, optional={"a": words, "c": words})  # what lacks a key fails
rows = st.lists(
    st.builds(lambda item, text: (item, text), items, words), min_size=1, max_size=9
).map(
    lambda pairs: [
        Row(item=item, sample=to_sample(text), row=i // 2 + 1, sample_index=i % 2, group=i // 2)
        for i, (item, text) in enumerate(pairs)
    ]
)
formulas = st.sampled_from(FORMULAS)
thresholds = st.sampled_from(THRESHOLDS)


# --- laws


@given(
    rows=rows,
    old=formulas,
    new=formulas,
    threshold=thresholds,
    member_failure=st.sampled_from(["fail", "zero"]),
    failures=st.sampled_from(["drop", "zero"]),
    detail=st.sampled_from(["none", "all"]),
)
def test_rescored_results_are_those_of_a_run(
    rows, old, new, threshold, member_failure, failures, detail
):
    """Every byte: scores, failures and their words, rewards, passed, the signature."""
    how = {"profile": SETTINGS[member_failure], "failures": failures, "detail": detail}
    results, others = rescored(graded(multi(old, threshold), rows, **how), new, failures=failures)

    assert written(results) == written(graded(multi(new, threshold), rows, **how))
    assert others == []


@given(rows=rows, formula=formulas, threshold=thresholds, member=st.sampled_from(["fail", "zero"]))
def test_the_original_formula_changes_nothing(rows, formula, threshold, member):
    """Nor the details, which only failed rows have here."""
    before = graded(multi(formula, threshold), rows, SETTINGS[member], detail="failures")

    assert rescored(before, formula) == (before, [])


@given(rows=rows, old=thresholds, new=thresholds.filter(lambda x: x is not None))
def test_a_threshold_takes_the_place_of_the_old_one(rows, old, new):
    """In `passed` and in the signature; the last member keeps the threshold that it has."""
    results, _ = rescored(graded(multi("a + b", old), rows), "b - c", threshold=new)

    assert written(results) == written(graded(multi("b - c", new), rows))


@given(rows=rows, formula=formulas, threshold=thresholds)
def test_an_evals_body_is_rescored_as_the_multi_of_its_criteria(rows, formula, threshold):
    """Each criterion is a score; when all passed is no threshold of a formula."""
    body = {"testing_criteria": [{**config, "name": key} for key, config in MEMBERS.items()]}
    results, _ = rescored(graded(body, rows), formula, threshold=threshold)

    assert written(results) == written(graded(multi(formula, threshold), rows))


@given(rows=rows, formulas=st.lists(formulas, min_size=2, max_size=4))
def test_only_the_last_of_several_formulas_counts(rows, formulas):
    """Rescored results can be rescored, back to what they were too."""
    before = results = graded(multi(formulas[-1], 0.5), rows)
    for formula in formulas:
        results, _ = rescored(results, formula)

    assert written(results) == written(before)


def test_batches_do_not_show():
    """Failures of members and of the formula cost their rows only, wherever in a batch."""
    texts = ["x", "xy", "", "Paris"]
    rows = [
        Row(item={"a": texts[i % 3], **({"c": "Paris"} if i % 7 else {})},
            sample=to_sample(texts[i % 4]), row=i + 1)
        for i in range(1_500)
    ]  # fmt: skip
    results, _ = rescored(graded(multi("a"), rows), "b / c")

    assert written(results) == written(graded(multi("b / c"), rows))
    assert {r.failure.kind.value if r.failure else None for r in results} == {
        None, "invalid_variable_error", "formula_parse_error"
    }  # fmt: skip


# --- failures, one by one


def part(score=None, failure=None):
    return Part(score=score, failure=failure)


BROKE = Failure(kind=FailureKind.PYTHON_RUNTIME, reason="timeout", message="too slow")
OF_A = Failure(kind=FailureKind.PYTHON_RUNTIME, reason="timeout", message="a: too slow")
DIVIDED = Failure(
    kind=FailureKind.FORMULA_PARSE,
    reason="division_by_zero",
    message="1 / b: division by zero (with b = 0)",
)


def result(parts, signature="multi|a + b|a=A;b=B", **fields):
    plain = {
        **dict.fromkeys(("score", "reward", "passed", "failure", "usage", "detail")),
        **dict.fromkeys(("output_chars", "reference_chars"), 4),
        **dict.fromkeys(("row", "group"), 3),
    }
    named = {"sample_index": 1, "signature": signature, "parts": parts}
    return Result(**{**plain, **named, **fields})


ZERO = "multi|a + b|member_failure:zero|a=A;b=B"
A_FAILED = {"a": part(failure=BROKE), "b": part(0.0)}


@pytest.mark.parametrize(
    ("before", "formula", "score", "failure"),
    [
        (
            result(A_FAILED, failure=OF_A),
            "b",
            None,
            OF_A,
        ),  # also where the formula has no use for it
        (result(A_FAILED, failure=OF_A), "1 / b", None, OF_A),
        (result(A_FAILED, ZERO, score=0.0), "a + 1", 1.0, None),
        (result(A_FAILED, ZERO, score=0.0), "1 / b", None, DIVIDED),
        (result({"a": part(1.0), "b": part(0.0)}, failure=DIVIDED), "a + b", 1.0, None),
        (result({"a": part(1.0), "b": part(0.0)}, score=1.0), "1 / b", None, DIVIDED),
    ],
)
@pytest.mark.parametrize("failures", ["drop", "zero"])
def test_failures(before, formula, score, failure, failures):
    """A member's failure stays, the old formula's goes, the new one's comes; never a silent 0."""
    ((after,), others) = rescored([before], formula, failures=failures)

    assert (after.score, after.failure, others) == (score, failure, [])
    assert after.reward == (score if score is not None else {"drop": None, "zero": 0.0}[failures])
    assert after.passed is None


def test_a_row_that_failed_before_any_member_stays_failed():
    """There is nothing to compute from, and no score is made up."""
    good = result({"a": part(1.0), "b": part(0.0)}, score=1.0)
    lost = result({}, failure=BROKE)
    results, others = rescored([lost, good], "a")

    assert [r.failure for r in results] == [BROKE, None]
    assert results[0].signature == "multi|a|a=A;b=B"
    assert others == []


GOOD = result({"a": part(1.0), "b": part(0.5)}, score=1.5)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            result({"a": part(1.0), "d": part(1.0)}, score=2.0),
            "it has no part 'b', but 'a', 'd'",
        ),
        (
            result({"a": part(1.0), "b": part(failure=BROKE)}, score=2.0),
            "its part 'b' has no score, and it has no failure",
        ),
        (
            result({"a": part(1.0), "b": part()}, ZERO),
            "its part 'b' has neither a score nor a fail",
        ),
        (result({}, score=1.0), "it has no parts, and it has no failure"),
        (
            result({"a": part(1.0)}, "score_model|model:m", score=1.0),
            "its signature is not a multi's or an Evals body's: 'score_model|model:m'",
        ),
    ],
)
def test_a_line_that_cannot_be_rescored_is_a_bad_line(line, problem):
    """It is named and left out, and its neighbours are rescored."""
    results, (error,) = rescored([GOOD, line, GOOD], "a + b")

    assert [r.score for r in results] == [1.5, 1.5]
    assert isinstance(error, RowError)
    assert str(error).startswith(f"row 3, sample 1: {problem}")


def test_what_is_no_result_is_handed_on():
    """Before, between and after results, in any number."""
    bad, note = RowError("f:1:1", "oops"), Finding(code="c", severity="note", path="", message="m")
    results, others = rescored([bad] * 300 + [GOOD] + [bad, note], "a")

    assert [r.score for r in results] == [1.0]
    assert others == [bad] * 301 + [note]
    assert rescored([bad, note], "a") == ([], [bad, note])
    assert rescored([], "a") == ([], [])


# --- what is refused


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (
            "0.5 * exakt",
            "calculate_output: unknown name 'exakt'. Did you mean 'exact'?\n    0.5 * e",
        ),
        ("exact +", "calculate_output: expected a number, a name or '(', found the end"),
        ("", "calculate_output: the formula is empty"),
        ("exact ** 2", "a power is written '^', not '**'"),
        ("my + exact", "A formula cannot spell 'my score': rename that grader"),
        ("inner", "unknown name 'inner'. Known names: 'exact', 'my score'."),
    ],
)
def test_a_formula_is_checked_as_that_of_a_multi(formula, message):
    """The same parser with the same words, over the outer parts."""
    inside = Part(score=1.0, parts={"inner": part(1.0)})
    one = result({"exact": inside, "my score": part(1.0)}, "multi|exact|exact=x;my score=y")
    with pytest.raises(FormulaError) as refused:
        rescored([one], formula)

    assert message in str(refused.value)


@pytest.mark.parametrize(
    "one",
    [
        result({}, "profile:openai|string_check|op:eq", score=1.0),
        result({"1": part(1.0)}, "profile:openai|string_check|op:eq", score=1.0),
        result({"a": part(1.0)}, "profile:openai|string_check|op:eq", score=1.0),
        result({}, "profile:openai|string_check|op:eq", failure=BROKE),
    ],
)
def test_results_without_members_are_refused(one):
    """It says what they lack; the repeats of one judge are no members either."""
    with pytest.raises(ConfigError) as refused:
        rescored([one], "1")

    assert str(refused.value) == (
        "no members' scores to compute from: the results are of "
        "'profile:openai|string_check|op:eq'. "
        "A formula needs the results of a multi grader or of an Evals body."
    )


# --- signatures


@pytest.mark.parametrize(
    ("signature", "first_key", "has_threshold", "expected"),
    [
        ("multi|a + b|a=x;b=y", "a", False, ("", "fail", "a=x;b=y", None)),
        ("multi|a|a=x|pass:0.5", "a", False, ("", "fail", "a=x|pass:0.5", None)),
        ("multi|a|a=x|pass:0.5", "a", True, ("", "fail", "a=x", 0.5)),
        ("multi|a|a=x|pass:1|pass:-1e-320", "a", True, ("", "fail", "a=x|pass:1", -1e-320)),
        ("multi|a|member_failure:zero|a=x", "a", False, ("", "zero", "a=x", None)),
        ("multi|a|member_failure:zero|a=x", "member_failure:zero|a", False,
         ("", "fail", "member_failure:zero|a=x", None)),
        ("profile:p|multi|a|a=x", "a", False, ("profile:p|", "fail", "a=x", None)),
        ("profile:p,s=q|r|multi|a\n+ 1|a=x", "a", False, ("profile:p,s=q|r|", "fail", "a=x", None)),
        ("multi|a|a=multi|b|b=y|pass:1|pass:2", "a", True,
         ("", "fail", "a=multi|b|b=y|pass:1", 2.0)),
        ("profile:p|criteria|a=x|pass:1", "a", True, ("profile:p|", "fail", "a=x|pass:1", None)),
        ("multi|a|k.*=x", "k.*", False, ("", "fail", "k.*=x", None)),
        ("multi|a|kay=x", "k.*", False, None),
        ("multi|a|a=x", "a", True, None),
        ("multi|a|a=x|pass:inf", "a", True, None),
        ("multi|a|a=x|pass:1e999", "a", True, None),
        ("multi|a|a=x|pass:1-", "a", True, None),
        ("string_check|op:eq", "", True, None),
        ("score_model|model:multi|a|a=x", "a", False, None),
        ("", "", False, None),
    ],
)  # fmt: skip
def test_reading_signatures(signature, first_key, has_threshold, expected):
    """A multi's and an Evals body's are taken apart; a guess is never made."""
    read = read_signature(signature, first_key, has_threshold=has_threshold)

    found = read and (read.profile, read.member_failure, read.members, read.threshold)
    assert found == expected
