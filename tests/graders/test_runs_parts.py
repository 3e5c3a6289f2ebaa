"""Part files: what any cut leaves of them, what is kept of known rows, and summaries from lines."""

import asyncio
import random
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kept_runs import room

from graders.compile import compile_grader
from graders.engine import RunOptions, grade_stream
from graders.errors import Failure, FailureKind
from graders.grades import Grade, Graded
from graders.lines import open_lines
from graders.report.summary import Summary
from graders.results import timing_path, to_lines
from graders.row_files import RowFormat
from graders.rows import Row, to_sample
from graders.runs.grading import Work
from graders.runs.output import NOTHING, Files, Sizes
from graders.runs.parts import Pair, Part, Parts, pairs, summary_of, to_block
from graders.strict_json import encode

TEXT = "{{ sample.output_text }}"
MEMBERS = {
    "exact": {"type": "string_check", "name": "e", "operation": "eq"},
    "near": {"type": "text_similarity", "name": "n", "evaluation_metric": "fuzzy_match"},
}
MULTI = {
    "type": "multi",
    "name": "both",
    "graders": {
        key: {**member, "input": TEXT, "reference": "{{ item.a }}", "pass_threshold": 0.5}
        if key == "near" else {**member, "input": TEXT, "reference": "{{ item.a }}"}
        for key, member in MEMBERS.items()
    },
    "calculate_output": "exact / near",
    "pass_threshold": 0.7,
}  # fmt: skip
NINE = b'{"row":9,"sample_index":0}\n'
FAILED = Failure(kind=FailureKind.OTHER, message="it broke: \ud800 0x7f0000000000")

texts = st.sampled_from(["", "x", "y", "xy", "é\ud800", "!"])  # nothing is left of "!": a warning
graded_rows = st.lists(
    st.tuples(texts, st.none() | texts, st.sampled_from([1, "p", "\ud800"])), max_size=12
)


def graded(rows, failures="drop"):
    """Rows of texts and references, graded by a multi that fails where a member is 0."""
    stream = [
        Row(
            item={} if wanted is None else {"a": wanted},
            sample=to_sample(text),
            row=number // 2 + 1,
            sample_index=number % 2,
            group=group,
        )
        for number, (text, wanted, group) in enumerate(rows)
    ]

    async def work():
        options = RunOptions(failures=failures)
        grader = compile_grader(MULTI)
        return [one async for one in grade_stream(grader, stream, options, bad_line=print)]

    return asyncio.run(work())


def part_file(batches, detail="failures"):
    """Batches as a part file has them, pair by pair."""
    made = [to_lines(one, signature="s", detail=detail) for one in batches]
    return [Pair(*pair) for one in made for pair in zip(one.results, one.times, strict=True)]


def in_blocks(kept, size):
    """Rows as blocks of so many."""
    parts = [kept[at : at + size] for at in range(0, len(kept), size)]
    return [to_block(*(b"".join(lines) for lines in zip(*part, strict=True))) for part in parts]


@given(graded_rows, st.integers(1, 5), st.integers(0, 10_000))
def test_any_prefix_of_a_part_is_a_prefix_of_its_rows(rows, size, share):
    """Wherever a killed writer stopped, the blocks before are there and the cut one is not."""
    kept = part_file(graded(rows))
    written = in_blocks(kept, size)
    cut = sum(map(len, written)) * share // 10_000  # times have more digits or fewer
    whole = sum(end <= cut for end in accumulate(map(len, written)))

    assert list(pairs(b"".join(written)[:cut]).values()) == kept[: whole * size]


@pytest.mark.parametrize(
    ("damage", "left"),
    [
        (b"", 2),
        (b"\0" * 4096, 2),  # what a file system leaves of blocks that were not written
        (to_block(b'{"row":1}\n', b'{"row":1}\n'), 2),
        (to_block(b"[]\n", b"[]\n"), 2),
        (to_block(NINE, b'{"row":8,"sample_index":0}\n'), 2),  # another row's times
        (to_block(NINE, b"\0" * 27), 2),
        (to_block(NINE, b""), 2),
        (to_block(NINE, NINE), 3),
        (to_block(NINE, NINE)[:-1], 2),
        (to_block(b"\xff\n", b"\xff\n"), 2),
        (NINE, 2),
    ],
)
def test_what_is_no_pair_ends_a_part(damage, left):
    """Rows behind damage are graded again."""
    kept = part_file(graded([("x", "x", 1), ("y", "x", 1)]))
    assert len(pairs(b"".join(in_blocks(kept, 2)) + damage)) == left


@given(
    graded_rows,
    st.sampled_from(["drop", "zero"]),
    st.sampled_from(["none", "failures", "all"]),
)
def test_lines_sum_up_as_their_grades_do(rows, failures, detail):
    """A summary of rows that an earlier session graded is the one that session would give."""
    batches = graded(rows, failures)
    now = Summary.of_part()
    for batch in batches:
        now.add(batch)

    then = summary_of(part_file(batches, detail))
    assert told(then) == told(now)
    assert (then.first_group, then.last_group) == (now.first_group, now.last_group)


def told(part):
    """What a run of one part says; the times of lines are rounded."""
    whole = Summary()
    whole.merge(part)
    return encode({**whole.to_json(), "slowest": None})


def lines_of(*numbers, failed=()):
    """Pairs of rows, some of them failures."""
    rows = [Row(item={}, sample={}, row=number) for number in numbers]
    grades = [
        Grade(name="g", failure=FAILED) if number in failed else Grade(name="g", score=1.0)
        for number in numbers
    ]
    return Graded(rows, grades, [grade.score for grade in grades])


def write(part, *numbers, failed=()):
    part.write(to_lines(lines_of(*numbers, failed=failed), signature="s", detail="failures"))


def keys(part):
    return [key[0] for key in part.read()]


def test_a_part_goes_on_behind_what_is_known(tmp_path):
    """Rows come to their places; failed ones are left out only where they are graded again."""
    part = Part(tmp_path, 3)
    part.begin(retry=False)
    assert (part.known, part.size, part.is_whole) == (frozenset(), 0, False)
    write(part, 1, 4, failed=[4])
    part.close()
    with (tmp_path / "00000003.partial").open("ab") as file:
        file.write(b'{"row":5,"sample')  # as a kill leaves it

    again = Part(tmp_path, 3)
    again.begin(retry=False)
    assert again.known == {(1, 0), (4, 0)}
    write(again, 2, 3)
    again.finish()
    assert again.is_whole
    results, times = again.columns()
    assert [line[:18] for line in results.splitlines()] == [b'{"schema":1,"row":' for _ in range(4)]
    assert [pair.result for pair in again.ordered()] == results.splitlines(keepends=True)
    assert [key for key, _ in sorted(again.read().items())] == list(again.read())
    assert times.count(b"\n") == 4

    mended = Part(tmp_path, 3)
    mended.begin(retry=True)
    assert mended.known == {(1, 0), (2, 0), (3, 0)}
    assert not mended.is_whole
    write(mended, 4)
    mended.finish()
    assert keys(mended) == [1, 2, 3, 4]
    assert b"it broke" not in mended.columns()[0]
    mended.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_failures_alone_begins_anew(tmp_path):
    """Where all are graded again nothing is known."""
    part = Part(tmp_path, 0)
    part.begin(retry=False)
    write(part, 1, 2, failed=[1, 2])
    part.finish()
    part = Part(tmp_path, 0)
    part.begin(retry=True)
    assert (part.known, part.size) == (frozenset(), 0)
    part.close()


def test_a_lone_surrogate_does_not_end_a_part(tmp_path):
    """Not in a group's name, nor in a failure: JSON of ours that a stricter reader refuses."""
    part = Part(tmp_path, 0)
    part.begin(retry=False)
    rows = [Row(item={}, sample={}, row=number, group="\ud800") for number in (1, 2)]
    grades = [Grade(name="g", failure=FAILED), Grade(name="g", score=1.0)]
    part.write(to_lines(Graded(rows, grades, [None, 1.0]), signature="s", detail="failures"))
    part.close()
    assert keys(part) == [1, 2]
    part.begin(retry=True)
    assert part.known == {(2, 0)}
    part.close()


def test_rows_without_room_are_not_there(tmp_path):
    """The error names the file and the reason; what was there before can be read."""
    part = Part(tmp_path, 0)
    part.begin(retry=False)
    write(part, 1)
    with (
        room(part.size + 100),
        pytest.raises(OSError, match=r"File too large: '.*00000000\.partial'"),
    ):
        write(part, 2)
    part.close()
    assert keys(part) == [1]

    again = Part(tmp_path, 0)
    with room(10), pytest.raises(OSError, match=r"File too large: '.*00000000\.new'"):
        again.begin(retry=False)
    again.begin(retry=False)
    assert again.known == {(1, 0)}
    again.close()


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_an_output_appends_both_or_neither(tmp_path, name):
    """Sizes are those of whole shards, also after a disk was full in the middle of one."""
    files = Files(tmp_path / name, NOTHING)
    files.append(b"one\n", b"1\n")
    sizes = files.sync()
    long = random.Random(1).randbytes(600)
    message = rf"File too large: '.*out\.timing{name[3:]}'"
    with room(500), pytest.raises(OSError, match=message):
        files.append(b"two\n", long)
    both = (tmp_path / name, timing_path(tmp_path / name))
    assert files.sync() == sizes == Sizes(*(path.stat().st_size for path in both))
    files.append(b"two\n", long)
    files.close()
    with open_lines(tmp_path / name) as lines:
        assert list(lines) == [b"one\n", b"two\n"]


def test_no_part_is_begun_when_a_run_has_ended(tmp_path):
    """A thread may read on for a moment; the folder may be another run's by then."""
    work = Work(
        signature="s", options=RunOptions(), rows="rows.jsonl", shape=RowFormat(), per_shard=2
    )
    parts = Parts(tmp_path, work)
    next(parts.missing([Row(item={}, sample={}, row=1)]))
    parts.close()
    with pytest.raises(RuntimeError, match="shard 1 is begun after its run has ended"):
        next(parts.missing([Row(item={}, sample={}, row=3)]))
    assert [path.name for path in tmp_path.iterdir()] == ["00000000.partial"]
