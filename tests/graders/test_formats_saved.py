"""Folders that `datasets` saves are read in their order; other folders say what to do."""

import json
from pathlib import Path

import pytest
from kept_runs import EXACT, files, write

from graders.cli import main
from graders.lines import numbered, open_lines

pytestmark = pytest.mark.needs("pyarrow")
ROWS = [{"a": f"{n}", "n": n, "completion": f"{n % 3}"} for n in range(10)]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("exact.json", EXACT)
    write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in ROWS))


def saved(folder, *shards, state=None):
    """A folder as `save_to_disk` leaves it, of some shards."""
    import pyarrow as pa

    Path(folder).mkdir(parents=True)
    names = [f"data-{at:05}-of-{len(shards):05}.arrow" for at in range(len(shards))]
    for name, rows in zip(names, shards, strict=True):
        table = pa.Table.from_pylist(rows)
        with pa.ipc.new_stream(f"{folder}/{name}", table.schema) as file:
            file.write_table(table)
    told = {"_data_files": [{"filename": name} for name in names]} if state is None else state
    Path(folder, "state.json").write_text(json.dumps(told))
    return folder


def rows_of(path):
    with open_lines(path) as lines:
        return [json.loads(line) for _, line in numbered(lines)]


@pytest.mark.needs("datasets")
@pytest.mark.parametrize("shards", [1, 3])
def test_what_datasets_saved_is_read_as_lines_are(shards, run):
    """All of its shards, in its order: every byte of the results."""
    import datasets

    datasets.disable_progress_bars()
    datasets.Dataset.from_list(ROWS).save_to_disk("set", num_shards=shards)
    datasets.DatasetDict(test=datasets.Dataset.from_list(ROWS[:2])).save_to_disk("splits")

    run("exact.json", "rows.jsonl", "-o", "here.jsonl")
    code, _, err = run("exact.json", "set/", "-o", "out.jsonl", "--workers", "1")

    assert (code, err) == (0, "")
    assert files() == files("here.jsonl")
    assert rows_of("splits/test") == ROWS[:2]
    assert run("exact.json", "splits")[0] == 2


def test_the_order_is_that_of_the_dataset():
    """Names say nothing: `state.json` does."""
    saved("set", ROWS[:4], ROWS[4:])
    state = {"_data_files": [{"filename": f"data-0000{n}-of-00002.arrow"} for n in (1, 0)]}
    Path("set/state.json").write_text(json.dumps(state))

    assert rows_of("set") == [*ROWS[4:], *ROWS[:4]]


def test_a_dataset_without_rows_has_no_files(run):
    """As `datasets` saves it."""
    saved("set")
    assert run("exact.json", "set")[2].endswith("graders: set holds no rows.\n")


def test_a_row_is_named_by_its_place_in_the_dataset(run):
    """Behind the first shard, too."""
    saved("set", [{"a": "x", "completion": "x"}] * 2, [{"a": "y", "completion": None}])
    code, out, _ = run("exact.json", "set")

    assert code == 1
    assert "set:3:1: a sample is text, an object or messages, and this is null" in out


@pytest.mark.parametrize(
    "command",
    [
        ["run", "exact.json", "set", "--workers", "2", "-o", "out.jsonl"],
        ["run", "exact.json", "set", "--dry-run"],
        ["explain", "exact.json", "set", "--row", "7"],
        ["lint", "exact.json", "set"],
        ["probe", "exact.json", "set", "--limit", "3"],
        ["compare", "set", "--reference", "item.a", "--human", "item.n"],
        ["diff", "exact.json", "exact.json", "set"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_every_command_with_rows_takes_a_dataset(command, capsys):
    """Where it takes a file."""
    saved("set", ROWS[:4], ROWS[4:])
    assert main(command) in {0, 1}, capsys.readouterr()


def test_a_run_goes_on_only_with_the_same_dataset(run):
    """Its manifest has the hash of all of its files."""
    saved("set", ROWS[:4], ROWS[4:])
    assert run("exact.json", "set", "-o", "out.jsonl")[0] == 0
    assert run("exact.json", "set", "-o", "out.jsonl", "--resume")[0] == 0

    saved("other", ROWS[4:][::-1])
    Path("set/data-00001-of-00002.arrow").write_bytes(
        Path("other/data-00000-of-00001.arrow").read_bytes()
    )
    code, _, err = run("exact.json", "set", "-o", "out.jsonl", "--resume")

    assert code == 2
    assert "set (SHA-256)" in err


@pytest.mark.parametrize(
    ("option", "name"), [("-o", "data-00001-of-00002.arrow"), ("--report", "state.json")]
)
def test_no_file_of_a_dataset_is_overwritten(option, name, run):
    """No more than a file of rows would be."""
    saved("set", ROWS[:4], ROWS[4:])
    before = Path("set", name).read_bytes()
    code, _, err = run("exact.json", "set", option, f"set/{name}")

    assert (code, Path("set", name).read_bytes()) == (2, before)
    assert f"{option} set/{name} would overwrite " in err


def test_a_column_that_is_no_json_is_named_with_its_file(run):
    """Before a row is graded."""
    saved("set", [{"a": b"x", "completion": "x"}])
    assert "set/data-00000-of-00001.arrow: column 'a' (binary)" in run("exact.json", "set")[2]


INDEXED = {"_data_files": [{"filename": "a.arrow"}], "_indices_data_files": [{"filename": "i"}]}


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ({"_data_files": [{"filename": "b.arrow"}]},
         "set: state.json names b.arrow, which is not there; save again"),
        ({"_data_files": [{"filename": "../rows.jsonl"}]},
         "set/state.json names no files of this folder; save the dataset again"),
        ({"_data_files": [{"filename": "/etc/passwd"}]}, "names no files of this folder"),
        ({"_data_files": [{"filename": ""}]}, "names no files of this folder"),
        ({"_data_files": [{}, 7]}, "names no files of this folder"),
        ({"_data_files": "a.arrow"}, "names no files of this folder"),
        ([], "names no files of this folder"),
        (INDEXED, "its rows are chosen by an index; load it with `datasets` and save it again"),
    ],
)  # fmt: skip
def test_a_dataset_that_is_not_whole_is_refused(state, problem, run):
    """Rather than half of it graded, or a file that is none of it."""
    saved("set", state=state)
    code, _, err = run("exact.json", "set")
    assert code == 2
    assert problem in err


def test_a_state_that_is_cut_is_refused(run):
    """It is what says which files there are."""
    saved("set")
    Path("set/state.json").write_text('{"_data_files": [')
    assert "set/state.json is not JSON: " in run("exact.json", "set")[2]


@pytest.mark.parametrize(
    ("inside", "problem"),
    [
        (["part-0.parquet", "part-1.parquet", "_SUCCESS", "x.crc"],
         "name one of its 2 .parquet files, or make one file of them"),
        (["rows.parquet"], "name its .parquet file"),
        ([], "holds no dataset that save_to_disk wrote; name a file"),
    ],
)  # fmt: skip
def test_another_folder_says_what_to_name(inside, problem, run):
    """Nothing is guessed of several files: there may be splits among them."""
    Path("data").mkdir()
    for name in inside:
        Path("data", name).write_bytes(b"")
    code, _, err = run("exact.json", "data")
    assert code == 2
    assert f"graders: data is a folder, and {'holds' if not inside else ''}" in err
    assert problem in err


@pytest.mark.parametrize(
    ("splits", "problem"),
    [
        (["train", "test"], "graders: dict holds splits (train, test); name one: dict/train\n"),
        ([], "graders: dict holds splits (); name one: dict/SPLIT\n"),
        (None, "graders: dict holds splits (); name one: dict/SPLIT\n"),
    ],
)
def test_a_dict_of_splits_names_them(splits, problem, run):
    """One is chosen; all of them at once are no set to grade."""
    Path("dict").mkdir()
    Path("dict/dataset_dict.json").write_text(json.dumps({"splits": splits}))
    assert run("exact.json", "dict") == (2, "", problem)
