"""Rows and results behind addresses, by fsspec: the same bytes, whole or not at all."""

import gzip
import io
import json
import os
import re
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from kept_runs import BOTH, files, mixed, summed, write

from graders.cli import main
from graders.formats.forms import FormatError
from graders.formats.remote import check_target, check_url, upload

pytestmark = pytest.mark.needs("fsspec")
COUNT = 300


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("both.json", BOTH)
    write("rows.jsonl", mixed(COUNT))


@pytest.fixture
def storage():
    """A storage in memory, empty."""
    import fsspec

    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def stated(err):
    return [line for line in err.splitlines() if line.startswith("graders: ")]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_rows_of_a_storage_are_read_as_files_are(run, storage, name, workers):
    """Packed or not, by one process or several: every byte but that of the name."""
    data = Path("rows.jsonl").read_bytes()
    Path(name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    storage.pipe(f"/data/{name}", Path(name).read_bytes())
    code, out, _ = run("both.json", name, "-o", "here.jsonl", "--json")
    found = run("both.json", f"memory://data/{name}", "-o", "out.jsonl", "--json",
                "--workers", workers)  # fmt: skip
    named = summed(found[1].replace(f"memory://data/{name}", name))
    assert (found[0], named) == (code, summed(out))
    assert files() == files("here.jsonl")


@pytest.mark.needs("pyarrow")
def test_columns_of_a_storage_are_read_and_written(run, storage):
    """Parquet is read where it lies, and copied there."""
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({"a": ["x", "y"] * 9, "completion": ["x"] * 18})
    parquet.write_table(table, "rows.parquet")
    storage.pipe("/data/rows.parquet", Path("rows.parquet").read_bytes())
    run("both.json", "rows.parquet", "-o", "here.parquet")
    code, _, _ = run("both.json", "memory://data/rows.parquet", "-o", "memory://made/out.parquet")
    assert code == 0
    assert storage.cat("/made/out.parquet") == Path("here.parquet").read_bytes()
    assert (
        storage.exists("/made/out.parquet.timing.jsonl")
        == Path("out.parquet.timing.jsonl").exists()
    )


def test_results_are_copied_at_the_end(run, storage):
    """With their times; and they stay here, where a run can be gone on with."""
    run("both.json", "rows.jsonl", "-o", "here.jsonl")
    _, _, err = run("both.json", "rows.jsonl", "-o", "memory://made/out.jsonl")
    assert stated(err) == ["graders: copied to memory://made/out.jsonl"]
    assert storage.cat("/made/out.jsonl") == Path("here.jsonl").read_bytes()
    assert storage.cat("/made/out.timing.jsonl") == Path("out.timing.jsonl").read_bytes()
    _, _, err = run("both.json", "rows.jsonl", "-o", "memory://made/out.jsonl", "--resume")
    assert stated(err) == ["graders: copied to memory://made/out.jsonl"]


def test_results_are_copied_before_the_report_is_made(run, storage, monkeypatch):
    """And where they cannot be, it is made all the same."""
    command = ("both.json", "rows.jsonl", "-o", "memory://made/out.jsonl", "--json")
    _, _, err = run(*command, "--report", "r.json")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(storage), "_open", full)
    code, _, said = run(*command, "--report", "s.json")

    assert err.index("copied to memory:") < err.index("report   r.json")
    assert code == 2
    assert "No space left on device" in said
    assert Path("s.json").exists()


def test_a_folder_by_its_address(run, tmp_path):
    """file:// is a storage, too."""
    (tmp_path / "far").mkdir()
    run("both.json", "rows.jsonl", "-o", "here.jsonl")
    url = f"file://{tmp_path}/far/out.jsonl"
    assert run("both.json", f"file://{tmp_path}/rows.jsonl", "-o", url)[0] == 1
    assert (tmp_path / "far/out.jsonl").read_bytes() == Path("here.jsonl").read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that breaks")
def test_what_is_not_whole_is_not_there(storage):
    """A copy that breaks off leaves what was there."""
    storage.pipe("/made/out.jsonl", b"before")
    broken = Path("/proc/self/mem")  # opens, and cannot be read from its beginning
    with pytest.raises(OSError, match=r"^/proc/self/mem to memory://made/out\.jsonl: Input/output"):
        upload(broken, "memory://made/out.jsonl")
    assert storage.cat("/made/out.jsonl") == b"before"


def test_a_run_goes_on_with_the_same_rows_only(run, storage):
    """An address is no proof of that: what is behind it is."""
    storage.pipe("/data/rows.jsonl", Path("rows.jsonl").read_bytes())
    command = ("both.json", "memory://data/rows.jsonl", "-o", "out.jsonl")
    run(*command)
    assert run(*command, "--resume")[0] == 1
    storage.pipe("/data/rows.jsonl", mixed(COUNT)[:-40].encode() + b" " * 39 + b"\n")
    code, _, err = run(*command, "--resume")
    assert code == 2
    assert "memory://data/rows.jsonl (SHA-256): " in err


@pytest.mark.parametrize(
    ("rows", "results", "problem"),
    [
        ("memory://data/none.jsonl", "o.jsonl", "memory://data/none.jsonl: "),
        ("nowhere://x/rows.jsonl", "o.jsonl", "nowhere://x/rows.jsonl cannot be opened: "),
        ("https://me:pw@host/r.jsonl", "o.jsonl", "https://...: an address with a password"),
        ("https://host/r.jsonl?token=a", "o.jsonl", "https://...: an address with a password"),
        ("zip://r.jsonl::https://me:pw@host/r.zip", "o.jsonl", "zip://...: an address with a pass"),
        ("rows.jsonl", "https://host/o.jsonl", "https://host/o.jsonl can be read, and not be writ"),
        ("rows.jsonl", "zip://o.jsonl::memory://o.zip", "can be read, and not be written to"),
        ("rows.jsonl", "memory://made/-", "-o memory://made/-: name a file"),
        ("rows.jsonl", "memory://", "-o memory://: name a file"),
        ("rows.jsonl", "memory://made/rows.jsonl", "is made in rows.jsonl first, which is the"),
        ("memory://d/rows.jsonl", "memory://d/rows.jsonl", "would overwrite the input"),
        ("memory://d/rows.jsonl", "memory:///d/rows.jsonl", "would overwrite the input"),
        ("memory://d/o.timing.jsonl", "memory://d/o.jsonl", "would overwrite the input"),
    ],
)
@pytest.mark.usefixtures("storage")
def test_addresses_that_are_refused(run, rows, results, problem):
    """Before anything is begun; and no secret is said."""
    code, out, err = run("both.json", rows, "-o", results)
    assert (code, out) == (2, "")
    assert problem in err
    assert "pw" not in err
    assert "token=a" not in err
    assert not list(Path().glob("*.timing.jsonl"))


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("abfs://box@account.dfs.core.windows.net/r.jsonl", False),
        ("abfss://my-box-1@account.dfs.core.windows.net/a@b/r.jsonl", False),
        ("abfs://$web@account.dfs.core.windows.net/r.jsonl", False),
        ("abfs://me:pw@account.dfs.core.windows.net/r.jsonl", True),
        ("abfs://me%3Apw@account.dfs.core.windows.net/r.jsonl", True),
        ("abfs://:pw@account.dfs.core.windows.net/r.jsonl", True),
        ("abfs://box@account:pw@host/r.jsonl", True),
        ("abfs://box@account.dfs.core.windows.net/r.jsonl?sig=pw", True),
        ("zip://r.jsonl::abfs://me:pw@account.dfs.core.windows.net/r.zip", True),
        ("s3://pw@bucket/r.jsonl", True),
    ],
)
def test_a_container_at_an_account_is_no_secret(url, refused):
    """Azure's storage is written so; a password is refused there, too."""
    import fsspec

    class Azure(fsspec.AbstractFileSystem):
        protocol = ("abfs", "abfss")

    for kind in Azure.protocol:
        fsspec.register_implementation(kind, Azure, clobber=True)
    for check in (check_url, check_target):
        if refused:
            with pytest.raises(
                FormatError, match=r"://\.\.\.: an address with a password"
            ) as caught:
                check(url)
            assert "pw" not in str(caught.value)
        else:
            check(url)


@pytest.mark.parametrize("name", ["rows.jsonl", "both.json"])
def test_an_input_is_not_written_over_by_its_address(run, tmp_path, name):
    """Whatever folder results would be made in first."""
    (tmp_path / "far").mkdir()
    for one in ("rows.jsonl", "both.json"):
        Path(one).rename(f"far/{one}")
    before = Path("far", name).read_bytes()
    url = f"file://{tmp_path}/far/../far/{name}"
    code, _, err = run("far/both.json", "far/rows.jsonl", "-o", url)
    assert code == 2
    assert f"would overwrite the input far/{name}" in err
    assert Path("far", name).read_bytes() == before


@pytest.mark.parametrize("at", ["open", "read"])
def test_errors_of_a_storage_s_own_kind_are_said(run, at):
    """As those of missing credentials are; without what an address carries."""
    import fsspec

    def refused(*_):
        raise LookupError("no credentials\nfor https://host/r?signature=pw")

    class Unreadable(io.BytesIO):
        readinto = refused

    class Locked(fsspec.AbstractFileSystem):
        protocol = "locked"

        def _open(self, *_, **__):
            return refused() if at == "open" else Unreadable()

    fsspec.register_implementation("locked", Locked, clobber=True)
    code, out, err = run("both.json", "locked://data/rows.jsonl", "-o", "out.jsonl")
    assert (code, out) == (2, "")
    said = "graders: locked://data/rows.jsonl: LookupError: no credentials for https://host/r?..."
    assert stated(err) == [said]


@pytest.mark.needs("aiohttp")
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (404, "there is no such file"),
        (403, "403, message='Forbidden', url='URL'"),
        (None, "Cannot connect to host HOST ssl:default [Connect call failed ('127.0.0.1', PORT)]"),
    ],
)
def test_why_a_file_cannot_be_had_is_said_before_the_run(run, name, status, reason):
    """To fsspec a file of HTTP is missing, whatever is wrong with it; it says the name alone."""
    with answering(status) as address:
        url = f"http://{address}/{name}"
        code, out, err = run("both.json", url)
    host, port = address.split(":")
    said = reason.replace("URL", url).replace("HOST", f"{host}:{port}").replace("PORT", port)
    assert (code, out, stated(err)) == (2, "", [f"graders: {url}: {said}"])


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("path", ["memory://data/none.jsonl", "file:///none/rows.jsonl"])
def test_a_missing_file_of_another_storage_has_its_reason(run, path):
    code, out, err = run("both.json", path)
    (said,) = stated(err)
    assert (code, out) == (2, "")
    assert said in {f"graders: {path}: {it}" for it in ("there is no such file", os.strerror(2))}


@contextmanager
def answering(status):
    """The address of a server on loopback that answers with a status; None is of none."""

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(status)

        def do_HEAD(self):
            self.send_error(status)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        address = f"127.0.0.1:{server.server_port}"
        if status is None:
            server.server_close()
            yield address
            return
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield address
        finally:
            server.shutdown()
            thread.join()


def test_without_fsspec(monkeypatch):
    """Says which extra has it."""
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(
        FormatError, match=r"s3://b/r needs an extra: pip .*local-graders\[remote\]"
    ):
        check_url("s3://b/r")


def test_an_unfinished_run_is_not_copied(run, storage):
    """Until it is gone on with; the note says where results are."""
    from kept_runs import JOINED, room

    command = ("both.json", "rows.jsonl", "-o", "memory://made/out.jsonl")
    with room(JOINED):
        code, _, err = run(*command)
    assert code == 2
    assert "memory://made/out.jsonl is written at the end of the run" in err
    assert not storage.exists("/made/out.jsonl")
    run(*command, "--resume")
    rows = storage.cat("/made/out.jsonl").splitlines()
    assert len(rows) == len({(one["row"], one["sample_index"]) for one in map(json.loads, rows)})
    assert storage.cat("/made/out.jsonl") == Path("out.jsonl").read_bytes()


@pytest.mark.parametrize(
    "command",
    [
        ["explain", "both.json", "memory://data/rows.jsonl"],
        ["lint", "both.json", "memory://data/rows.jsonl"],
        ["probe", "both.json", "memory://data/rows.jsonl", "--limit", "3"],
        ["diff", "both.json", "both.json", "memory://data/rows.jsonl"],
    ],
    ids=lambda command: command[0],
)
def test_every_command_reads_rows_of_a_storage(command, storage, capsys):
    """And says the same as of a file."""
    storage.pipe("/data/rows.jsonl", Path("rows.jsonl").read_bytes())
    code = main(command)
    there = capsys.readouterr().out.replace("memory://data/", "")

    assert main([part.replace("memory://data/", "") for part in command]) == code
    assert untimed(there) == untimed(capsys.readouterr().out)


def untimed(text):
    """Without what a clock says, and where a long name breaks a line."""
    words = " ".join(text.split())
    return re.sub(r"\d+\.\d s|[\d,]+ (samples|rows|gradings)/s|in [\d.]+ ?s", "", words)
