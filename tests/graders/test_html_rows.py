"""Of many rows a page shows some: which, how many, and how much of each is known and stated."""

import json
from itertools import chain, islice, pairwise

import pytest
from html_gallery import HOSTILE, LONG, rows_of, rows_table
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from graders.errors import Failure, FailureKind, RowError
from graders.grades import Usage
from graders.report.html.draw import Draw
from graders.report.html.embedded import embedded
from graders.report.html.page import to_html
from graders.report.html.run_page import RunFindings, run_page
from graders.report.html.run_rows import RunRows
from graders.report.html.table import Column, RowsTable, fitted
from graders.report.summary import Summary
from graders.results import Part, Result
from graders.rows import Row

SHORT = "an answer of the usual length, in a sentence or two. "
SCORES = st.lists(st.none() | st.integers(0, 4).map(float), max_size=60)


def drawn(scores, **given):
    draw = Draw(**given)
    for i, score in enumerate(scores):
        draw.add((i, 0), score, lambda i=i: i)
    return draw


@given(SCORES, st.integers(4, 24))
def test_failures_and_the_worst_are_there_and_never_more_than_the_limit(scores, limit):
    draw = drawn(scores, limit=limit)
    ranked = [row for _, row in draw.ranked()]
    failed = [i for i, score in enumerate(scores) if score is None]
    graded = [i for i, score in enumerate(scores) if score is not None]
    worst = sorted(graded, key=lambda i: (scores[i], i))

    assert draw.total == len(scores)
    assert len(ranked) == len(set(ranked)) == min(len(scores), limit)
    assert set(failed[: limit // 4]) <= set(ranked)
    assert set(worst[: limit // 4]) <= set(ranked)
    assert bool(draw.how({place for place, _ in draw.ranked()})) == (len(scores) > limit)


def test_the_same_rows_give_the_same_draw_and_a_seed_another():
    scores = [i % 5 / 4 for i in range(5_000)]

    assert drawn(scores).ranked() == drawn(scores).ranked()
    assert drawn(scores).ranked() != drawn(scores, seed=1).ranked()
    assert len(drawn(scores).ranked()) == 2_000


@pytest.mark.parametrize(
    ("failed", "graded", "limit", "shown", "how"),
    [
        (1, 9_999, 2_000, 2_000, "the first 1 failure, the 500 lowest scores, "),
        (900, 9_100, 2_000, 2_000, "the first 500 failures, the 500 lowest scores, "),
        (900, 9_100, 2_000, 300, "the first 101 failures, the 101 lowest scores, "),
        (0, 9, 8, 8, "the 2 lowest scores, "),
        (0, 9, 9, 3, "the 2 lowest scores, "),
        (3, 0, 9, 3, None),
    ],
)
def test_how_rows_were_chosen_is_said(failed, graded, limit, shown, how):
    """Of those that are shown in the end: a page may have no room for all that were chosen."""
    scores = [None] * failed + [(i * 7919 % graded) / graded for i in range(graded)]
    draw = drawn(scores, limit=limit, seed=3)
    said = draw.how({place for place, _ in draw.ranked()[:shown]})

    assert said == ("" if how is None else f"{how}and others drawn from all with seed 3")


def test_drawn_rows_are_of_all_parts_of_a_run():
    places = [place[0] for place, _ in drawn([1.0] * 10_000).ranked()]
    tenths = [sum(i * 1_000 <= place < (i + 1) * 1_000 for place in places) for i in range(10)]

    assert min(tenths[1:]) > 100  # the first one has the worst, of which the earliest are taken


def test_only_rows_that_are_kept_are_made():
    made = []
    draw = Draw(limit=4)
    for i in range(1_000):
        draw.add((i, 0), 1.0, lambda i=i: made.append(i))

    assert len(made) < 100
    assert len(made) == len(set(made))


def table_of(rows):
    return RowsTable(columns=[Column(key="row", label="Row")], rows=rows, total=len(rows))


@given(st.integers(0, 40), st.integers(0, 6_000), st.integers(200, 20_000))
def test_a_table_fits_and_is_in_order(number, length, most):
    rows = [{"row": i, "more": [["text", "<" * length]]} for i in range(number)]
    fit = fitted(table_of(rows), rows[::-1], most)
    places = [row["row"] for row in fit.rows]

    assert len(embedded(fit.rows).encode()) <= most
    assert places == sorted(places)
    assert set(places) == {*range(number)[number - len(places) :]}  # the last rank first


@pytest.mark.parametrize(
    ("rows", "text", "shown", "cut_at"),
    [
        (10, "x" * 100, 10, None),
        (10, "x" * 5_000, 10, 4_000),
        (3, LONG, 3, 4_000),
        (600, "x" * 5_000, 600, 1_000),
        (2_000, "x" * 250, 2_000, None),
        (2_000, "x" * 5_000, 660, 1_000),  # rather texts that can be read than all rows
        (2_000, "<" * 5_000, 900, 120),  # but not too few rows
    ],
)
def test_texts_are_cut_and_rows_left_out(rows, text, shown, cut_at):
    listed = [{"row": i, "more": [["text", text]]} for i in range(rows)]
    fit = fitted(table_of(listed), listed)

    assert len(fit.rows) == pytest.approx(shown, rel=0.03)
    assert fit.cut_at == cut_at
    assert ("Texts are cut at" in fit.to_markup("c").html) == (cut_at is not None)


def test_a_table_says_what_it_is_a_part_of():
    part = RowsTable(columns=[], rows=rows_of(3), total=100_000, how="drawn")

    assert "3 of 100,000 rows: drawn." in part.to_markup("c").html
    assert "All 3 rows." in rows_table(3).to_markup("c").html


def result(row, score, *, group=None, output="", members=(), sample=0, chars=None):
    failure = None
    if score is None:
        failure = Failure(kind=FailureKind.OTHER, reason="timeout", message=f"slow {output[:3000]}")
    return Result(
        row=row,
        group=row if group is None else group,
        sample_index=sample,
        score=score,
        reward=score,
        passed=None if score is None else score >= 0.5,
        failure=failure,
        parts={name: Part(score=score, failure=failure, detail={"input": output})
               for name in members},
        usage=None,
        signature="s",
        output_chars=chars,
        reference_chars=None,
        detail={"input": output, "nested": {"a": [output[:10]]}},
    )  # fmt: skip


def page_of(results, rows=(), *, counted=None):
    """The page of some results; its summary counts some of them, where that is said."""
    summary, gathered = Summary(), RunRows()
    for one in results if counted is None else counted:
        if isinstance(one, Result):
            summary.add_one(one, one, 0.001)
    gathered.add(results)
    gathered.read(rows)
    found = RunFindings(name="n", lead="l", summary=summary, rows=gathered, seconds=1.0)
    return run_page(found)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (10_000, SHORT),
        pytest.param(100_000, SHORT, marks=pytest.mark.long),
        pytest.param(100_000, LONG, marks=pytest.mark.long),
    ],
)
def test_a_hundred_thousand_rows_are_less_than_a_megabyte(number, text):
    """Also where all outputs are a megabyte, which is the same text here."""
    members = [f"member {i}" for i in range(3)]
    results = (
        result(i // 4 + 1, None if i % 50 == 0 else i * 37 % 101 / 100, output=text,
               members=members, sample=i % 4)
        for i in range(number)
    )  # fmt: skip
    counted = [*islice(results, 1_000)]
    page = page_of(chain(counted, results), counted=counted)
    html = to_html(page).encode()
    rows = page.data["rows"]

    assert len(html) < 1_000_000
    assert rows["total"] == number
    assert rows["shown"] >= 500
    assert f"{rows['shown']:,} of {number:,} rows: {rows['how']}." in html.decode()
    assert rows["how"].startswith("the first ")


def test_items_and_outputs_stand_beside_results():
    chars = len(HOSTILE[1])
    results = [
        result(1, 1.0),
        result(2, 0.0, output="rendered", chars=chars),
        result(2, 0.5, sample=1, chars=5),
    ]
    rows = [
        RowError("f:1:1", "not JSON"),
        Row(item={"q": HOSTILE[0]}, sample={"output_text": HOSTILE[1]}, row=2, sample_index=0),
        Row(item={"q": "r"}, sample={"output_text": "other"}, row=2, sample_index=1),
        Row(item={"q": "unasked"}, sample={"output_text": "unasked"}, row=3),
    ]
    first, second, third = page_of(results, rows).data["rows"]["rows"]

    assert "output" not in first
    assert second["output"] == HOSTILE[1]
    assert [label for label, _ in second["more"]] == ["item", "output", "input", "nested"]
    assert json.loads(second["more"][0][1]) == {"q": HOSTILE[0]}
    assert second["more"][2] == ["input", "rendered"]
    assert third["output"] == "other"


def test_failures_and_members_are_spelt_out():
    data = page_of([result(4, None, output="x", members=["a\nb", "c"])]).data
    (row,) = data["rows"]["rows"]

    assert (row["outcome"], row["failure"], row["score"]) == ("failed", "other_error", None)
    assert row["more"][0] == ["failure", "other_error (timeout)\nslow x"]
    assert row["more"][1][1].splitlines()[:2] == ["a\\nb: other_error (timeout)", "    slow x"]


def test_tokens_of_a_row_are_told():
    usage = {"m<b>": Usage(prompt_tokens=1_200, completion_tokens=34)}
    (row,) = page_of([replace(result(1, 1.0), usage=usage)]).data["rows"]["rows"]

    assert row["more"][-1] == ["tokens of m<b>", "1,200 + 34"]


def test_groups_are_of_neighbours():
    scores = [(1, [0.0, 0.0]), (2, [0.0, 1.0]), (3, [None, 0.5]), (4, [None]), (5, [1.0, 1.0])]
    results = [
        result(row, score, group=f"g{row}", sample=i)
        for row, several in scores
        for i, score in enumerate(several)
    ]
    groups = page_of(results).data["groups"]
    means = [one["mean"] for one in groups["lowest"]]

    assert (groups["count"], groups["with_several_scores"], groups["all_scores_the_same"]) == (
        5, 3, 2,
    )  # fmt: skip
    assert [one["group"] for one in groups["lowest"]] == ["g1", "g2", "g3", "g5"]
    assert all(one <= other for one, other in pairwise(means))


@pytest.mark.parametrize(
    ("scores", "code", "tone", "said"),
    [
        ([None] + [0.5] * 9, "failures", "bad", "10 % of the samples have no score (1 of 10)"),
        ([None] + [0.5] * 99, "failures", "warning", "1.0 % of the samples have no score (1 of"),
        ([0.1, 0.2], "failures", "good", "Every sample has a score (2)."),
        ([0.5, 0.5], "one-reward", "bad", "Every reward is 0.5: a model"),
    ],
)
def test_a_run_says_what_to_think_of_it(scores, code, tone, said):
    page = page_of([result(i + 1, score) for i, score in enumerate(scores)])
    found = {one["code"]: one for one in page.data["verdicts"]}

    assert found[code]["tone"] == tone
    assert found[code]["text"].startswith(said)
    assert [one["tone"] for one in page.data["verdicts"]] == sorted(
        (one["tone"] for one in page.data["verdicts"]),
        key=["bad", "warning", "note", "good"].index,
    )
