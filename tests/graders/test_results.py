"""Result lines: their keys, their bytes, what they keep, and reading them back."""

import asyncio
import gzip
import json
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.compile import compile_grader
from graders.engine import RunOptions, grade_stream
from graders.errors import Failure, FailureKind, Finding, GradersError, RowError
from graders.grades import Grade, Graded, Usage
from graders.results import Result, read_results, timing_path, to_lines, to_result
from graders.row_files import read_rows
from graders.rows import Row, to_sample
from graders.runs.output import NOTHING, Files

ROW = Row(item={"a": "x"}, sample=to_sample("héllo"), row=3, sample_index=1, group="g")
FAILED = Failure(kind=FailureKind.PYTHON_RUNTIME, reason="timeout", message="it broke")
FAILED_JSON = {"kind": FAILED.kind.value, "reason": "timeout", "message": "it broke"}
MEMBERS = {
    "exact": Grade(name="e", score=1.0, passed=True, detail={"input": "x", "reference": "four"}),
    "close": Grade(name="c", failure=FAILED, passed=False, detail={"input": "y"}),
}
SAME = {
    "type": "string_check",
    "name": "same",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
}
MULTI = {
    "type": "multi",
    "name": "m",
    "graders": {"one": SAME, "two": {**SAME, "reference": "{{ item.b }}"}},
    "calculate_output": "0.1 * one + 0.7 * two",
}


def result_of(grade, row=ROW, detail="all"):
    return to_result(row, grade, signature="s|v:1", reward=grade.score, detail=detail)


def write(path, graded, signature="s|v:1", detail="all"):
    """Write a results file and its times, as `graders run` does."""
    with closing(Files(path, NOTHING)) as out:
        for one in graded:
            lines = to_lines(one, signature=signature, detail=detail)
            out.append(b"".join(lines.results), b"".join(lines.times))


def line_of(tmp_path, grade, row=ROW, detail="all"):
    """A grade's result line as written, parsed with nothing of ours."""
    write(tmp_path / "out.jsonl", [Graded([row], [grade], [grade.score])], detail=detail)
    return json.loads((tmp_path / "out.jsonl").read_bytes())


def run(config, rows, path, **options):
    """Grade rows into a results file, as `graders run` does."""
    grader = compile_grader(config)
    chosen = RunOptions(**options)

    async def work():
        return [one async for one in grade_stream(grader, rows, chosen, bad_line=print)]

    write(path, asyncio.run(work()), grader.signature, chosen.detail)
    return path.read_bytes()


# --- keys


def test_the_keys_of_a_line(tmp_path):
    """The names are for ever; a change here is a change of schema."""
    grade = Grade(
        name="m",
        score=0.5,
        passed=True,
        parts=MEMBERS,
        detail={"n": 1},
        usage={"gpt-x": Usage(prompt_tokens=1, total_tokens=3, completion_tokens=2)},
        seconds=1.5,
    )
    line = line_of(tmp_path, grade)

    assert list(line) == [
        *("schema", "row", "group", "sample_index", "score", "reward", "passed", "failure"),
        *("parts", "usage", "signature", "output_chars", "reference_chars", "detail"),
    ]
    assert line == {
        "schema": 1,
        "row": 3,
        "group": "g",
        "sample_index": 1,
        "score": 0.5,
        "reward": 0.5,
        "passed": True,
        "failure": None,
        "parts": {
            "exact": {
                "score": 1.0,
                "passed": True,
                "failure": None,
                "parts": {},
                "detail": {"input": "x", "reference": "four"},
            },
            "close": {
                "score": None,
                "passed": False,
                "failure": FAILED_JSON,
                "parts": {},
                "detail": {"input": "y"},
            },
        },
        "usage": {
            "gpt-x": {
                "prompt_tokens": 1,
                "total_tokens": 3,
                "completion_tokens": 2,
                "cached_tokens": 0,
            }
        },
        "signature": "s|v:1",
        "output_chars": 5,
        "reference_chars": 4,
        "detail": {"n": 1},
    }


def test_every_key_is_there_when_there_is_nothing_to_say(tmp_path):
    """A reader need not ask whether a key exists: null and {} say so."""
    line = line_of(
        tmp_path, Grade(name="n", failure=FAILED), Row(item={}, sample={}), detail="none"
    )

    assert line == {
        "schema": 1,
        "row": 0,
        "group": 0,
        "sample_index": 0,
        "score": None,
        "reward": None,
        "passed": None,
        "failure": FAILED_JSON,
        "parts": {},
        "usage": None,
        "signature": "s|v:1",
        "output_chars": None,
        "reference_chars": None,
        "detail": None,
    }
    assert list(line["failure"]) == ["kind", "reason", "message"]


@pytest.mark.parametrize(
    ("sample", "chars"),
    [
        (to_sample(""), 0),
        (to_sample("héllo \N{GRINNING FACE}"), 7),
        ({}, None),
        ({"output_text": None}, None),
    ],
)
def test_output_chars(sample, chars):
    """Characters of the output's text, not bytes; null where it has no text."""
    assert result_of(Grade(name="n", score=1.0), Row(item={}, sample=sample)).output_chars == chars


@pytest.mark.parametrize(
    ("grade", "chars"),
    [
        (Grade(name="n", score=1.0, detail={"reference": "né"}), 2),
        (Grade(name="n", score=1.0, detail={"reference": ""}, parts=MEMBERS), 0),
        (Grade(name="n", score=1.0, parts=MEMBERS), 4),
        (Grade(name="n", score=1.0, parts={"close": MEMBERS["close"]}), None),
        (Grade(name="n", score=1.0), None),
    ],
)
@pytest.mark.parametrize("detail", ["none", "all"])
def test_reference_chars(grade, chars, detail):
    """Characters of the rendered reference, of the first member that has one, kept or not."""
    assert result_of(grade, detail=detail).reference_chars == chars


@pytest.mark.parametrize(
    ("policy", "of_score", "of_failure"),
    [("none", None, None), ("failures", None, {"x": 1}), ("all", {"x": 1}, {"x": 1})],
)
def test_detail_policies(policy, of_score, of_failure):
    """A line keeps rendered texts by policy; its members go with it."""
    for grade, expected in (
        (Grade(name="n", score=1.0, detail={"x": 1}, parts=MEMBERS), of_score),
        (Grade(name="n", failure=FAILED, detail={"x": 1}, parts=MEMBERS), of_failure),
    ):
        result = result_of(grade, detail=policy)

        assert result.detail == expected
        assert (result.parts["exact"].detail is None) == (expected is None)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("<A object at 0x7f2e1ed07680>", "<A object at 0x...>"),
        ("0xdeadbeef and 0xDEADBEEF", "0x... and 0x..."),
        ("colour 0xff, byte 0x00, 0x12345", "colour 0xff, byte 0x00, 0x12345"),
    ],
)
def test_addresses_are_masked(message, shown):
    """Where an object lay in memory differs from run to run; in members too."""
    failed = Grade(name="n", failure=Failure(kind=FailureKind.OTHER, message=message))
    result = result_of(Grade(name="n", failure=failed.failure, parts={"p": failed}))

    assert result.failure.message == result.parts["p"].failure.message == shown


# --- bytes


def rows(count):
    return [
        Row(item={"a": str(i % 3), "b": "1"}, sample=to_sample(str(i % 5)), row=i + 1, group=i // 2)
        if i % 7
        else Row(item={}, sample=to_sample("x"), row=i + 1, group=i // 2)
        for i in range(count)
    ]


def test_the_bytes_do_not_depend_on_batches(tmp_path):
    """Batch size is speed and memory, never a number or an order."""
    written = {
        run(MULTI, rows(300), tmp_path / "out.jsonl", batch_size=size, detail="all")
        for size in (1, 3, 256)
    }

    assert len(written) == 1
    assert written.pop().count(b"\n") == 300


def test_gzipped_results_are_the_same_bytes_twice(tmp_path):
    """No time and no file name in the header; the content is the plain file's."""
    plain = run(MULTI, rows(50), tmp_path / "out.jsonl")
    first = run(MULTI, rows(50), tmp_path / "first.jsonl.gz")
    second = run(MULTI, rows(50), tmp_path / "second.jsonl.gz")

    assert first == second
    assert first[4:8] == bytes(4)
    assert gzip.decompress(first) == plain


def test_values_survive_from_rows_to_results(tmp_path):
    """Lone surrogates and 2**70 go in, through a grader, and come out as they were."""
    line = r'{"item": {"a": "\ud800", "b": 1180591620717411303424}, "sample": "\ud800"}'
    (tmp_path / "rows.jsonl").write_text(line + "\n")
    config = {**SAME, "input": "{{ item }}", "reference": "{{ item.b }}"}
    run(config, read_rows(tmp_path / "rows.jsonl"), tmp_path / "out.jsonl", detail="all")
    (result,) = read_results(tmp_path / "out.jsonl")

    assert result.detail == {
        "input": '{"a":"\ud800","b":1180591620717411303424}',
        "reference": "1180591620717411303424",
    }


# --- times


@pytest.mark.parametrize(
    ("results", "times"),
    [
        ("out.jsonl", "out.timing.jsonl"),
        ("runs/out.jsonl.gz", "runs/out.timing.jsonl.gz"),
        ("out", "out.timing.jsonl"),
    ],
)
def test_where_times_stand(results, times):
    """Beside the results, under a name that says whose they are."""
    assert timing_path(Path(results)) == Path(times)


def test_times_are_keyed_by_row_and_sample(tmp_path):
    """A line per sample, in seconds."""
    grade = Grade(name="n", score=1.0, seconds=0.1234567891)
    write(tmp_path / "out.jsonl.gz", [Graded([ROW], [grade], [1.0])])
    (line,) = gzip.decompress((tmp_path / "out.timing.jsonl.gz").read_bytes()).splitlines()

    assert line == b'{"row":3,"sample_index":1,"seconds":0.123456789}'


# --- reading


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
grades = st.recursive(
    st.builds(
        Grade,
        name=st.text(),
        score=st.floats(allow_nan=False, allow_infinity=False),
        passed=st.none() | st.booleans(),
        detail=st.dictionaries(st.text(), values, max_size=3),
    )
    | st.builds(
        Grade,
        name=st.text(),
        failure=st.builds(
            Failure,
            kind=st.sampled_from(FailureKind),
            reason=st.text(),
            message=st.text(st.characters(exclude_categories=())),
        ),
        detail=st.dictionaries(st.text(), values, max_size=3),
    ),
    lambda inner: st.builds(
        Grade,
        name=st.text(),
        score=st.floats(allow_nan=False, allow_infinity=False),
        parts=st.dictionaries(st.text(), inner, max_size=3),
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@given(given_=st.lists(grades, max_size=3), suffix=st.sampled_from(["", ".gz"]))
def test_what_is_written_is_read(folder, given_, suffix):
    """A results file holds exactly the results that were put in it."""
    path = folder / f"out.jsonl{suffix}"
    results = [result_of(grade) for grade in given_]
    write(path, [Graded([ROW], [grade], [grade.score]) for grade in given_])

    assert list(read_results(path)) == results


@pytest.mark.parametrize("cut", [1, 20])
def test_an_unterminated_last_line_is_dropped_with_a_note(tmp_path, cut):
    """What a killed run leaves is no result, even where it would parse."""
    data = run(MULTI, rows(3), tmp_path / "out.jsonl")
    (tmp_path / "out.jsonl").write_bytes(data[:-cut])
    *results, note = read_results(tmp_path / "out.jsonl")

    assert [result.row for result in results] == [1, 2]
    assert isinstance(note, Finding)
    assert (note.code, note.severity) == ("cut-line", "note")
    assert str(note) == (
        f"{tmp_path / 'out.jsonl'}:3: the last line has no end: "
        "a run was killed while writing it; dropped"
    )


def test_a_gzipped_file_of_a_killed_run(tmp_path):
    """Its end is missing too: whole lines are results, and the rest is a note."""
    data = run(MULTI, rows(2_000), tmp_path / "out.jsonl.gz", detail="all")
    (tmp_path / "out.jsonl.gz").write_bytes(data[:-500])
    *results, note = read_results(tmp_path / "out.jsonl.gz")

    assert [result.row for result in results] == list(range(1, len(results) + 1))
    assert len(results) > 100
    assert (note.code, note.severity) == ("cut-line", "note")


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (b"oops", "2:1: not JSON: Expecting value"),
        (b'{"schema": 1, \xff}', "2:15: not JSON: byte 0xff is not UTF-8"),
        (b"{}", "2:1: not a result line: Object missing required field `row`"),
        (b"[]", "2:1: not a result line: Expected `object`, got `array`"),
        (b'{"schema": "1"}', "2:1: not a result line: Expected `int`, got `str` - at `$.schema`"),
    ],
)
def test_a_damaged_line_is_reported(tmp_path, damage, problem):
    """It costs itself: the lines around it are results."""
    path = tmp_path / "out.jsonl"
    lines = run(MULTI, rows(3), path).splitlines(keepends=True)
    path.write_bytes(lines[0] + damage + b"\n" + lines[2])
    first, error, last = read_results(path)

    assert [type(found) for found in (first, error, last)] == [Result, RowError, Result]
    assert str(error) == f"{path}:{problem}"


def test_a_later_schema_is_not_read_as_this_one(tmp_path):
    """A line of a form that this version does not know is an error, not a guess."""
    path = tmp_path / "out.jsonl"
    path.write_bytes(run(MULTI, rows(1), path).replace(b'"schema":1', b'"schema":2'))

    (found,) = read_results(path)
    assert isinstance(found, GradersError)
