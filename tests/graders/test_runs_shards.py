"""Shards: the same rows, groups and errors as the whole file, wherever it is cut and gone on."""

import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.errors import RowError
from graders.formats.packed import CutShortError
from graders.grades import Boundary
from graders.row_files import Reader, RowFormat, read_lines, read_rows
from graders.runs.shards import lines_per_shard, shards, skip, with_boundaries
from graders.strict_json import encode

# 1, 1.0 and true are one value to Python, and three items.
items = st.sampled_from(["1", "1.0", "true", '"x"', '"\\ud800"']).map(
    lambda value: f'{{"a": {value}, "id": {value}}}'
)
outputs = st.sampled_from(['"x"', '{"output_text": "y"}', "3"])  # and 3 is none
good = st.builds('{{"item": {}, "sample": {}}}'.format, items, outputs)
several = st.builds(
    lambda item, given: '{{"item": {}, "samples": [{}]}}'.format(item, ", ".join(given)),
    items,
    st.lists(outputs, max_size=3),
)
bad = st.sampled_from(["oops", "[]", '{"item": 3, "sample": "x"}', '{"item": {}}', '"\\ud800"'])
blank = st.sampled_from(["", "  "])
# Lines that are there several times: groups that go over the end of a shard.
lines = st.lists(
    st.tuples(st.one_of(good, several, bad, blank), st.integers(1, 5)), min_size=1, max_size=9
).map(lambda runs: "\n".join(line for line, count in runs for _ in range(count)))
others = st.lists(
    st.one_of(st.builds('{{"id": {}, "sample": "z"}}'.format, st.sampled_from(["1", '"x"', "2"])),
              bad, blank), max_size=24).map("\n".join)  # fmt: skip
shapes = st.sampled_from(
    [
        {},
        {"group_by": "item.a"},
        {"group_by": "item.b"},  # no row has it
        {"outputs": Path("others.jsonl")},
        {"outputs": Path("others.jsonl"), "key": "id"},
        {"outputs": Path("others.jsonl"), "key": "id", "group_by": "id"},
    ]
).map(lambda settings: RowFormat(**settings))


def told(things):
    """Rows and errors as they are compared: Python's == takes 1 for true."""
    return [
        str(one) if isinstance(one, RowError)
        else (one.row, one.sample_index, one.group, encode(one.item), encode(one.sample))
        for one in things
        if not isinstance(one, Boundary)
    ]  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _folder():
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield


@given(lines, others, shapes, st.integers(1, 5))
def test_shards_are_the_file(rows, other, shape, per_shard):
    """Each read by a reader of its own, they give what one reader of the file gives."""
    Path("rows.jsonl").write_text(rows)
    Path("others.jsonl").write_text(other)
    whole = told(read_rows("rows.jsonl", shape))
    cut = list(shards("rows.jsonl", shape, per_shard, Reader("rows.jsonl", shape)))

    joined = []
    for shard in cut:
        reader = Reader("rows.jsonl", shape)
        reader.go_on(shard.group)
        told_now = told(reader.rows(shard.lines))
        numbers = {(one[0] - 1) // per_shard for one in told_now if not isinstance(one, str)}
        assert numbers <= {shard.number}
        joined += told_now
    assert joined == whole
    assert all(shard.whole for shard in cut)
    assert len({shard.number for shard in cut}) == len(cut)

    # And a reader that skips some of them goes on where they end.
    for at, shard in enumerate(cut):
        reader = Reader("rows.jsonl", shape)
        marked = with_boundaries(read_lines("rows.jsonl", shape), per_shard)
        reader.go_on(skip(marked, shard.number + 1, reader))
        behind = sum(
            len(told(Reader("rows.jsonl", shape).rows(before.lines))) for before in cut[: at + 1]
        )
        assert told(reader.rows(marked)) == whole[behind:]


def test_nothing_is_skipped_of_none():
    """A run that has joined nothing begins at the first line."""
    marked = iter([Boundary(0)])
    assert skip(marked, 0, Reader("rows.jsonl", RowFormat())) is None
    assert list(marked) == [Boundary(0)]


@pytest.mark.parametrize("shape", [RowFormat(), RowFormat(outputs=Path("others.jsonl"))])
@pytest.mark.parametrize("read", [0, 1, 4, 5])
def test_reading_that_breaks_off_gives_what_was_read(shape, read):
    """In a shard that says it is not whole; then the reason."""
    line = b'{"item": {}, "sample": "x"}\n'
    packer = zlib.compressobj(wbits=31)  # gzip, and never ended
    packed = [packer.compress(line) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(read)]
    Path("rows.jsonl.gz").write_bytes(b"".join(packed) or packer.flush(zlib.Z_FULL_FLUSH))
    Path("others.jsonl").write_bytes(line * read)
    found = []
    with pytest.raises(CutShortError, match=r"rows\.jsonl\.gz: the gzip data is cut short"):
        found += shards("rows.jsonl.gz", shape, 2, Reader("rows.jsonl.gz", shape))

    assert [line.number for shard in found for line in shard.lines] == list(range(1, read + 1))
    assert all(shard.whole for shard in found[:-1])
    assert not found or not found[-1].whole or read % 2 == 0


@pytest.mark.parametrize(
    ("name", "rows", "expected"),
    [
        ("none.jsonl", None, 1024),
        ("-", None, 1024),
        ("rows.jsonl.gz", b"x\n" * 10, 1024),
        ("rows.jsonl", b"", 32),
        ("rows.jsonl", b"x\n" * 10, 32),
        ("rows.jsonl", b"x\n" * 32 * 100, 100),
        ("rows.jsonl", b"x" * 200_000, 32),  # one line, longer than what is looked at
        ("rows.jsonl", b"x\n" * 32 * 5000, 4096),
        ("rows.jsonl", range(1 << 31), 256),  # lines so long that a few hundred are 16 MiB
    ],
)
def test_how_many_lines_a_shard_has(name, rows, expected):
    """By the file's size, between limits."""
    if isinstance(rows, range):  # as many bytes, and no line end among the first
        with Path(name).open("wb") as file:
            file.truncate(len(rows))
    elif rows is not None:
        Path(name).write_bytes(rows)
    assert lines_per_shard(name) == expected
