"""Tables of grades are the grades that they hold, in memory, in files and in summaries."""

import asyncio
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.compile import compile_grader
from graders.engine import RunOptions, RunStoppedError, grade_stream
from graders.errors import Failure, FailureKind, RowError
from graders.formula import compile_formula
from graders.grade_table import Compared, Grades
from graders.grades import Grade, Graded
from graders.kinds.criteria import CriteriaGrader
from graders.kinds.multi import MultiGrader
from graders.report.summary import Summary
from graders.results import read_results, to_lines
from graders.rows import ReadRow, Row, to_sample

BROKE = Failure(kind=FailureKind.OTHER, reason="too_much_work", message="it broke")


# --- what a table is


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"scores": [None]}, "grades 'g' need a score or a failure each, and not both"),
        ({"scores": [1.0], "failures": {0: BROKE}}, "need a score or a failure each"),
        ({"scores": [1.0, None], "failures": {0: BROKE}}, "need a score or a failure each"),
        ({"scores": [0.5, float("nan")]}, "grades 'g' have a score nan; scores are finite"),
        ({"scores": [float("inf"), float("-inf")]}, "have a score inf; scores are finite"),
        (
            {"scores": [None, float("inf")], "failures": {0: BROKE}},
            "have a score inf; scores are finite",
        ),
        ({"scores": [1.0], "passed": [True, True]}, "grades 'g' have columns of different len"),
        ({"scores": [1.0], "passed": []}, "grades 'g' have columns of different lengths"),
        ({"scores": [], "parts": {"a": Grades(name="a", scores=[1.0])}}, "different lengths"),
    ],
)
def test_a_table_that_breaks_a_promise_is_not_made(columns, problem):
    """As for a grade: a finite score or a failure, and as many of each."""
    with pytest.raises(ValueError, match=problem):
        Grades(name="g", **columns)


def test_scores_whose_sum_is_too_large_for_a_double_are_finite_all_the_same():
    """Only the sum is not."""
    assert Grades(name="g", scores=[1e308, 1e308])[1].score == 1e308


def test_a_table_is_a_sequence_of_grades():
    """Places from the end, slices and equality, as a list has them."""
    part = Grades(name="p", scores=[0.5, 1.0, 0.0], compared=Compared("abc", "xyz", {2: {"n": 1}}))
    table = Grades(
        name="g",
        scores=[1.0, None, 0.0],
        failures={1: BROKE},
        passed=[True, False, False],
        parts={"p": part},
        seconds=0.25,
    )

    one = table[-1]

    detail = {"input": "c", "reference": "z", "n": 1}
    last = Grade(name="p", score=0.0, detail=detail)
    assert one == Grade(name="g", score=0.0, passed=False, parts={"p": last}, seconds=0.25)
    assert table[1:] == [table[1], one]
    assert table == list(table)
    assert table != [table[0]]
    assert table != 1
    with pytest.raises(IndexError):
        table[3]


# --- graders made of others, over tables and over rows


@dataclass(frozen=True)
class RowWise:
    """A grader whose grades come one by one."""

    inner: object

    def __getattr__(self, name):
        return getattr(self.inner, name)

    async def grade(self, rows):
        return [one for row in rows for one in await self.inner.grade([row])]


TEXT, WANTED = "{{ sample.output_text }}", "{{ item.a }}"
MEMBERS = {
    "same": {"type": "string_check", "operation": "eq"},
    "within": {"type": "string_check", "operation": "ilike"},
    "fuzzy": {"type": "text_similarity", "evaluation_metric": "fuzzy_match"},
    "passing": {"type": "text_similarity", "evaluation_metric": "rouge_1", "pass_threshold": 0.5},
    "other": {"type": "string_check", "operation": "ne", "reference": "{{ item.b }}"},
}
FORMULAS = [
    "same + fuzzy",
    "1 / (fuzzy - passing)",
    "log(within) + other",
    "0.5",
    "other * 1e308 * 10",
]
texts = st.sampled_from(["", "a", "A b", "\u4f60\u597d", "a b c", "\ud800"])
items = st.fixed_dictionaries({}, optional={"a": texts, "b": texts})
placed = st.tuples(items, texts, st.integers(0, 2), st.sampled_from([0, 7, "g", "\ud800", "%d"]))


def members():
    return {
        key: compile_grader({"name": key, "input": TEXT, "reference": WANTED, **config})
        for key, config in MEMBERS.items()
    }


def made_of(members, outer, policy):
    if outer == "criteria":
        return CriteriaGrader("c", members)
    inner = compile_formula(outer, members)
    multi = MultiGrader("m", members, inner, policy, 0.5)
    if policy == "fail":
        return multi
    nested = {"%inner": multi, **members}
    return MultiGrader("n", nested, compile_formula("same + fuzzy", nested), policy, None)


def rows_of(drawn):
    return [
        ReadRow(item=item, sample=text, row=i // 2, sample_index=index, group=group)
        for i, (item, text, index, group) in enumerate(drawn)
    ]


def timeless(grade):
    parts = {key: timeless(part) for key, part in grade.parts.items()}
    return msgspec.structs.replace(grade, seconds=0.0, parts=parts)


composed = st.sampled_from(["criteria", *FORMULAS])
policies = st.sampled_from(["fail", "zero"])


@given(st.lists(placed, max_size=5), composed, policies)
def test_tables_combine_as_their_rows_do(drawn, outer, policy):
    """The same scores, failures and details, whichever way members hand them on."""
    by_row = {key: RowWise(member) for key, member in members().items()}
    rows = rows_of(drawn)

    table = asyncio.run(made_of(members(), outer, policy).grade(rows))

    assert isinstance(table, Grades)
    listed = asyncio.run(made_of(by_row, outer, policy).grade(rows))
    assert isinstance(listed, list)
    assert [timeless(grade) for grade in table] == [timeless(grade) for grade in listed]


@given(
    st.lists(placed, max_size=5),
    composed,
    policies,
    st.sampled_from(["none", "failures", "all"]),
    st.sampled_from(["s|v:1", "100%d|s:%", "\u00e9", "\ud800"]),
    st.sampled_from([None, 0.0]),
)
def test_lines_of_a_table_are_those_of_its_grades(drawn, outer, policy, detail, signature, zero):
    """The same bytes, of results and of times, a column at a time or row by row."""
    rows = rows_of(drawn)
    table = asyncio.run(made_of(members(), outer, policy).grade(rows))
    rewards = table.scores if zero is None else [score or zero for score in table.scores]

    lines = to_lines(Graded(rows, table, rewards), signature=signature, detail=detail)

    listed = Graded(rows, list(table), list(rewards))
    assert lines == to_lines(listed, signature=signature, detail=detail)


@given(st.lists(placed, max_size=5), composed, policies, st.booleans())
def test_a_summary_counts_a_table_as_it_counts_its_grades(drawn, outer, policy, part):
    """All of it: means, warnings, failures, groups and places."""
    rows = rows_of(drawn)
    table = asyncio.run(made_of(members(), outer, policy).grade(rows))
    by_columns, by_row = (Summary.of_part() if part else Summary() for _ in range(2))

    for _ in range(2):
        by_columns.add(Graded(rows, table, table.scores))
        by_row.add(Graded(rows, list(table), table.scores))

    assert by_columns.to_json() == by_row.to_json()
    assert by_columns == by_row


# --- in a run

BAD = RowError("rows.jsonl:3:1", "not JSON")
SAME = {"name": "m", "type": "string_check", "operation": "eq", "input": TEXT, "reference": WANTED}


async def run(grader, rows, options):
    """Everything a run hands on: rows, grades, rewards, bad lines and why it ended."""
    bad, found, end = [], [], None
    try:
        async for batch in grade_stream(grader, rows, options, bad_line=bad.append):
            found += [(row, timeless(grade), reward) for row, grade, reward in batch]
    except RunStoppedError as error:
        end = str(error)
    return found, bad, end


@given(
    st.lists(placed | st.none(), max_size=7),
    st.sampled_from(["drop", "zero", "stop"]),
    st.integers(1, 3),
)
def test_a_run_hands_tables_on_as_it_hands_on_grades(drawn, failures, size):
    """The same rows, rewards, bad lines and end, under any policy."""
    options = RunOptions(failures=failures, batch_size=size)
    rows = [BAD if one is None else rows_of([one])[0] for one in drawn]
    grader = compile_grader(SAME)

    found = asyncio.run(run(grader, rows, options))

    assert found == asyncio.run(run(RowWise(grader), rows, options))


class Given:
    """Gives a table of these scores; None is a failure."""

    name, signature, waits = "given", "given", "never"

    def __init__(self, scores):
        self.scores = scores

    async def grade(self, rows):
        scores = [self.scores[row.row] for row in rows]
        failures = {i: BROKE for i, score in enumerate(scores) if score is None}
        return Grades(name="given", scores=scores, failures=failures)


@pytest.mark.parametrize("size", [1, 2])
def test_a_reward_is_the_score_to_its_sign_whoever_fails_beside_it(size):
    """A batch that has a failure rewards the others as one that has none."""
    rows = [Row(item={}, sample={}, row=number) for number in range(2)]
    options = RunOptions(failures="zero", batch_size=size)
    found, _, _ = asyncio.run(run(Given([-0.0, None]), rows, options))
    assert [str(reward) for _, _, reward in found] == ["-0.0", "0.0"]


# --- warnings


@pytest.mark.parametrize("detail", ["none", "failures", "all"])
def test_a_warning_stays_in_a_line_whatever_else_is_kept(tmp_path, detail):
    """A score that means nothing says so, in the line of a row and in those of its parts."""
    similar = {"name": "r", "input": TEXT, "reference": WANTED, **MEMBERS["passing"]}
    multi = {"type": "multi", "name": "m", "graders": {"r": similar}, "calculate_output": "r"}
    rows = [Row(item={"a": text}, sample=to_sample(text), row=1) for text in ("\u4f60", "fine")]
    lines, counted = b"", Summary()

    for config in (similar, multi):
        table = asyncio.run(compile_grader(config).grade(rows))
        graded = Graded(rows, table, table.scores)
        counted.add(graded)
        lines += b"".join(to_lines(graded, signature="s", detail=detail).results)

    (tmp_path / "out.jsonl").write_bytes(lines)
    lost, fine, with_lost, with_fine = read_results(tmp_path / "out.jsonl")
    for one, other in ((lost, fine), (with_lost.parts["r"], with_fine.parts["r"])):
        kept = {"input", "reference", "warning"} if detail == "all" else {"warning"}
        assert set(one.detail) == kept
        assert one.detail["warning"].startswith("rouge_1: google leaves no token of a text")
        assert other.detail == (None if detail != "all" else {"input": "fine", "reference": "fine"})
    again = Summary()
    for result in (lost, fine, with_lost, with_fine):
        again.add_one(result, result, 0.0)
    assert again.to_json()["warnings"] == counted.to_json()["warnings"] != []
