"""Summaries: exact numbers in constant memory, and lines that no text can spoil."""

import json
import sys
import unicodedata
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.errors import Failure, FailureKind, RowError
from graders.grades import Grade
from graders.report.summary import Summary
from graders.report.text import to_lines
from graders.report.totals import Histogram, Mean
from graders.rows import Row
from graders.terminal import printable, printable_lines, shorten

HOSTILE = [
    *("\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "a\rb", "a\x08b", "\x9b2J", "\u202egnp.exe"),
    *("tab\tbed", "two\nlines", "nul\x00", "\u2028", "\ud800", "e\u0301", "x" * 400, "é " * 200),
    *("漢字" * 60, "\N{GRINNING FACE}" * 90, "漢 " * 90, "\u200b\u200f", "", "a\n" * 50),
]


def graded(score, row=1, index=0, **more):
    grade = Grade(name="g", score=score, **more)
    return Row(item={}, sample={}, row=row, sample_index=index, group=row), grade, score


def failed(row, message="it broke", kind=FailureKind.OTHER, **more):
    grade = Grade(name="g", failure=Failure(kind=kind, message=message), **more)
    return Row(item={}, sample={}, row=row, group=row), grade, None


def summary_of(*batch):
    summary = Summary()
    summary.add(batch)
    return summary


def lines_of(summary, seconds=1.0):
    return list(to_lines(summary, seconds=seconds))


def columns(text):
    """Columns a terminal gives a text: two for a wide character, none for a mark on another."""
    marks = {"Mn", "Me"}
    return sum(
        0 if unicodedata.category(c) in marks else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def assert_safe(lines):
    for line in lines:
        assert line.isprintable(), ascii(line)
        assert columns(line) <= 80, line


# --- totals


def test_the_keys_of_a_summary():
    """What `graders run --json` prints; the names are for ever."""
    parts = {"a": Grade(name="a", score=0.5), "b": failed(1)[1]}
    summary = summary_of(
        graded(1.0, 1, passed=True, seconds=0.25, parts=parts),
        graded(0.5, 2, passed=False, seconds=0.5, parts={**parts, "b": parts["a"]}),
        failed(4, "first", passed=False),
        failed(5, "second", passed=False),
        failed(6, "other kind", FailureKind.INVALID_VARIABLE, passed=False),
    )
    summary.bad_line(RowError("f:3:1", "bad"))
    found = summary.to_json()

    assert json.loads(json.dumps(found, allow_nan=False)) == {
        "samples": 5,
        "groups": 5,
        "graded": 2,
        "failed": 3,
        "bad_lines": 1,
        "mean_reward": 0.75,
        "mean_reward_failures_as_zero": 0.3,
        "pass_rate": 0.2,
        "failures": {
            "other_error": {
                "count": 2,
                "first": {"row": 4, "sample_index": 0, "message": "first"},
            },
            "invalid_variable_error": {
                "count": 1,
                "first": {"row": 6, "sample_index": 0, "message": "other kind"},
            },
        },
        "warnings": [],
        "members": {"a": {"mean": 0.5, "failed": 0}, "b": {"mean": 0.5, "failed": 1}},
        "histogram": {"range": [0.0, 1.0], "counts": [0, 0, 0, 0, 0, 1, 0, 0, 0, 1]},
        "slowest": [
            {"row": 2, "sample_index": 0, "seconds": 0.5},
            {"row": 1, "sample_index": 0, "seconds": 0.25},
            {"row": 4, "sample_index": 0, "seconds": 0.0},
        ],
        "first_bad_lines": ["f:3:1: bad"],
    }
    assert list(found) == [
        *("samples", "groups", "graded", "failed", "bad_lines", "mean_reward"),
        *(
            "mean_reward_failures_as_zero",
            "pass_rate",
            "failures",
            "warnings",
            "members",
            "histogram",
        ),
        *("slowest", "first_bad_lines"),
    ]


def test_nothing_has_no_mean():
    """Of no rows, and of failures alone, there is no mean reward and no pass rate."""
    nothing, failures = Summary().to_json(), summary_of(failed(1)).to_json()

    assert (nothing["mean_reward"], nothing["mean_reward_failures_as_zero"]) == (None, None)
    assert (failures["mean_reward"], failures["mean_reward_failures_as_zero"]) == (None, 0.0)
    assert nothing["pass_rate"] is failures["pass_rate"] is None
    assert nothing["histogram"]["range"] is None
    assert not any("pass rate" in line for line in lines_of(summary_of(failed(1), graded(1.0))))


def test_the_slowest_rows():
    """Three of them, slowest first; of equally slow ones the earliest."""
    times = [0.1, 0.3, 0.2, 0.3, 0.3, 0.0, 0.3]
    summary = summary_of(*(graded(1.0, n, n % 2, seconds=s) for n, s in enumerate(times)))

    assert [(s["row"], s["sample_index"]) for s in summary.to_json()["slowest"]] == [
        *((1, 1), (3, 1), (4, 0))
    ]
    assert lines_of(summary)[-2] == "  slowest  row 1 #1 300 ms, row 3 #1 300 ms, row 4 #0 300 ms"


def test_groups_are_counted_across_batches():
    """Neighbours in one group are one, also where a batch ends between them."""
    summary = Summary()
    for rows in ([1, 1], [1, 2], [2], [3]):
        summary.add(graded(1.0, row) for row in rows)

    assert summary.to_json()["groups"] == 3
    assert lines_of(summary)[0].startswith("6 samples in 3 groups, 0 failed, 0 bad lines")


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.1, 1.0, -3.5, 1e300, -1e300, 1e308, 1e-300, None]),
            st.integers(1, 3),
            st.sampled_from([0.0, 0.5]),
        ),
        max_size=30,
    ),
    st.lists(st.integers(0, 30)),
)
def test_parts_come_to_the_same_summary_as_the_whole(rows, cuts):
    """However a run is cut into parts, which kept in a file are the same too."""
    batch = [
        failed(row, seconds=seconds) if score is None else graded(score, row, seconds=seconds)
        for score, row, seconds in rows
    ]
    merged = Summary()
    edges = [0, *sorted(min(cut, len(batch)) for cut in cuts), len(batch)]
    for low, high in pairwise(edges):
        part = Summary.of_part()
        part.add(batch[low:high])
        part.bad_line(RowError(f"f:{low}:1", "bad"))
        part.observed = None  # what no file of a run's state holds
        merged.merge(msgspec.json.decode(msgspec.json.encode(part), type=Summary))

    whole = summary_of(*batch)
    for low in edges[:-1]:
        whole.bad_line(RowError(f"f:{low}:1", "bad"))
    assert merged.to_json() == whole.to_json()


# --- lines


def test_a_summary_as_a_person_reads_it():
    """The whole of it, once."""
    parts = {"exact": Grade(name="e", score=1.0), "close": failed(1)[1]}
    summary = summary_of(
        graded(1.0, 1, passed=True, parts=parts),
        graded(0.25, 2, passed=False),
        failed(4, "{{ item.a }}: item has no field 'a'.\nsecond line", FailureKind.OTHER),
    )
    for line in range(5, 12):
        summary.bad_line(RowError(f"rows.jsonl:{line}:1", "not JSON"))

    bar = "█" * 40
    assert lines_of(summary, seconds=1.5) == [
        "3 samples, 1 failed, 7 bad lines",
        "",
        "  mean reward             0.6250  over 2 graded",
        "  with failures as 0      0.4167  over 3",
        "  pass rate               0.5000  1 of 2",
        "",
        "  member means",
        "    exact                 1.0000",
        "    close                   none  1 failed",
        "",
        "  rewards, seen from 0.25 to 1",
        f"           0 - 0.1 {' ' * 40} 0",
        f"         0.1 - 0.2 {' ' * 40} 0",
        f"         0.2 - 0.3 {bar} 1",
        *(f"{f'0.{i} - 0.{i + 1}':>18} {' ' * 40} 0" for i in range(3, 9)),
        f"           0.9 - 1 {bar} 1",
        "",
        "  failures (not scores; first of each kind)",
        "         1 other_error",
        "           row 4, sample 0: {{ item.a }}: item has no field 'a'.",
        "           second line",
        "",
        "  bad lines (left out)",
        *(f"    rows.jsonl:{line}:1: not JSON" for line in range(5, 10)),
        "    and 2 more",
        "",
        "  slowest  no row took a millisecond",
        "  time     1.5 s (2 samples/s)",
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_on_its_line(text):
    """Names, messages and bad lines from outside are escaped and cut to 80 columns."""
    summary = summary_of(
        graded(0.5, parts={text: Grade(name=text, score=0.5), text + "2": failed(1)[1]}),
        failed(1, text),
        failed(1, f"place: {text}\n    {text}\n    ^", FailureKind.FORMULA_PARSE),
    )
    summary.bad_line(RowError(f"{text}:1:1", text))

    assert_safe(lines_of(summary))


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_is_safe(text):
    """No text moves the cursor or breaks the margin."""
    summary = summary_of(graded(0.5, parts={text: Grade(name="", score=0.5)}), failed(1, text))
    summary.bad_line(RowError("f:1:1", text))

    assert_safe(lines_of(summary))


@pytest.mark.parametrize(
    "scores",
    [
        *([1e300], [-1e308, 1e308], [1e308, 1e308], [5e-324], [123456.789, -98765.4321]),
        *([1e17, 1e17 + 16], [-1e-300], [sys.float_info.max, sys.float_info.min]),
    ],
)
def test_huge_scores_keep_the_margin(scores):
    """A formula may give any double, and the summary shows it in 80 columns and as JSON."""
    summary = summary_of(
        *(graded(s, parts={"m": Grade(name="m", score=s)}, passed=True) for s in scores)
    )

    assert_safe(lines_of(summary))
    assert json.dumps(summary.to_json(), allow_nan=False)


def test_huge_counts_keep_the_margin():
    """A billion rows over three days are shown in 80 columns."""
    summary = Summary(
        graded=Mean(count=10**9, sum=[5e8]),
        rewards_with_failures_as_zero=Mean(count=2 * 10**9, sum=[5e8]),
        passed=10**9,
        with_threshold=2 * 10**9,
        bad_lines=10**9,
        neighbours=10**9,
        members={"m" * 30: Mean(count=10**9, sum=[5e8])},
        member_failures={"m" * 30: 10**9},
        histogram=Histogram(edges=(0.0, 1.0), counts=[10**9] * 10, low=0.0, high=1.0),
        slowest=[(12_345.678, -(10**9 + n), -(10**5)) for n in range(3)],
    )
    summary.failures["x_error"] = summary_of(failed(10**9)).failures["other_error"]

    assert_safe(lines_of(summary, seconds=259_200.0))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢 \N{GRINNING FACE}", "plain é 漢 \N{GRINNING FACE}"),
        ("", ""),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x1b]0;t\x07", r"\x1b]0;t\x07"),
        ("a\r\n\tb", r"a\r\n\tb"),
        ("\x9b\x7f\x00", r"\x9b\x7f\x00"),
        ("\u202e\u2066\u200b\ufeff", r"\u202e\u2066\u200b\ufeff"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_printable(text, shown):
    """What a terminal would obey is spelled out; what it would show stays."""
    assert printable(text) == shown


def test_printable_lines_keep_their_breaks():
    """A message with a caret under it stays one, and its lines are printable."""
    assert printable_lines("a\x07\nb\rc\n") == "a\\x07\nb\\rc\n"


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("abcdef", 6, "abcdef"), ("abcdefg", 6, "abc..."), ("", 6, "")],
)
def test_shorten(text, width, shown):
    """Three dots are part of the width."""
    assert shorten(text, width) == shown
