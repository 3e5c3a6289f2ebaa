"""Results as columns: they are their lines, whoever reads them and whatever a run went through."""

import json
import re
import signal
import sys
from importlib import import_module
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from kept_runs import BOTH, EXACT, Command, files, kept, said, until, write

import graders.formats
from graders.cli import main
from graders.errors import Failure, FailureKind, RowError
from graders.grades import Usage
from graders.result_table import write_table
from graders.results import Part, Result, read_results
from graders.strict_json import encode

pytestmark = pytest.mark.needs("pyarrow")
DOCUMENT = Path(graders.formats.__file__).with_name("README.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
SCORES = st.none() | st.floats(allow_nan=False, allow_infinity=False)
FAILURES = st.none() | st.builds(
    Failure, kind=st.sampled_from(FailureKind), reason=TEXT, message=TEXT
)
DETAILS = st.none() | st.dictionaries(
    TEXT, st.none() | TEXT | st.lists(st.integers()) | SCORES, max_size=2
)
TOKENS = st.integers(0, 2**40)
USED = st.builds(
    Usage,
    prompt_tokens=TOKENS,
    total_tokens=TOKENS,
    completion_tokens=TOKENS,
    cached_tokens=TOKENS,
)
PARTS = st.recursive(
    st.just({}),
    lambda inner: st.dictionaries(
        TEXT,
        st.builds(
            Part,
            score=SCORES,
            passed=st.none() | st.booleans(),
            failure=FAILURES,
            parts=inner,
            detail=DETAILS,
        ),
        max_size=3,
    ),
    max_leaves=4,
)
RESULTS = st.builds(
    Result,
    row=st.integers(1, 2**50),
    group=TEXT | st.integers(0, 2**50),
    sample_index=st.integers(0, 1000),
    score=SCORES,
    reward=SCORES,
    passed=st.none() | st.booleans(),
    failure=FAILURES,
    parts=PARTS,
    usage=st.none() | st.dictionaries(TEXT, USED, max_size=2),
    signature=TEXT,
    output_chars=st.none() | st.integers(0, 2**40),
    reference_chars=st.none() | st.integers(0, 2**40),
    detail=DETAILS,
)
PLAIN = Result(
    row=1, group=1, sample_index=0, score=1.0, reward=1.0, passed=None, failure=None, parts={},
    usage=None, signature="s", output_chars=None, reference_chars=None, detail=None,
)  # fmt: skip


def as_table(results, name="out.parquet"):
    Path("out.jsonl").write_bytes(b"".join(encode(result) + b"\n" for result in results))
    write_table(Path("out.jsonl"), Path(name))
    return Path(name)


@pytest.mark.parametrize("name", ["out.parquet", "out.arrow"])
@given(results=st.lists(RESULTS, min_size=1, max_size=4))
@example(results=[msgspec.structs.replace(PLAIN, group="7"), PLAIN])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_results_as_columns_are_the_results(name, results):
    """A group that is called "7" is not group 7, and a member that is not there is not null."""
    assert [*read_results(as_table(results, name))] == [*read_results(Path("out.jsonl"))] == results


def test_what_no_column_can_hold_is_its_escape():
    """A lone surrogate, which a model can write and UTF-8 cannot; in details it is as it was."""
    failure = Failure(kind=FailureKind.OTHER, message="said \ud83d")
    result = msgspec.structs.replace(PLAIN, group="\ud800", failure=failure, detail={"x": "\ud801"})

    (read,) = read_results(as_table([result]))

    assert (read.group, read.failure.message) == ("\\ud800", "said \\ud83d")
    assert read.detail == {"x": "\ud801"}


def columns_of(path):
    """The columns of a file and their types, as pyarrow words them."""
    schema = import_module("pyarrow.parquet").read_schema(path)
    kinds = {field.name: str(field.type).replace(f" ('{field.name}')", "") for field in schema}
    return kinds, schema.metadata


def test_columns_are_the_documented_ones():
    """Whatever the rows hold: rows that all failed have them, too."""
    documented = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", DOCUMENT, re.MULTILINE))
    part = Part(score=1.0)
    failed = Failure(kind=FailureKind.OTHER, message="m")
    good = msgspec.structs.replace(PLAIN, parts={"exact": part, "near": part})
    bad = msgspec.structs.replace(good, score=None, reward=None, failure=failed)

    for results in ([good], [bad], [bad, good]):
        columns, metadata = columns_of(as_table(results))
        assert columns == documented
        assert metadata[b"local-graders.results"] == b"1"
    alone, _ = columns_of(as_table([PLAIN]))
    assert alone == {name: kind for name, kind in documented.items() if name != "parts"}


def graded(name="out.parquet"):
    """Results of a run over rows that pass, fail and have several samples."""
    rows = [
        {"item": {"a": "x"}, "samples": ["x", "xx"]},
        {"item": {"b": "x"}, "samples": ["x"]},
    ]
    write("both.json", BOTH)
    write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert main(["run", "both.json", "rows.jsonl", "-o", name]) == 1
    return name


@pytest.mark.needs("duckdb")
def test_duckdb_reads_members_as_fields():
    """The queries of the document run, and give what the lines say."""
    duckdb = import_module("duckdb")
    graded("results.parquet")
    (block,) = re.findall(r"```sql\n(.*?)```", DOCUMENT, re.DOTALL)
    queries = [query for query in block.split(";") if query.strip()]

    answers = [duckdb.sql(query).fetchall() for query in queries]

    assert answers[0] == [(1, 1.0, 1)]
    assert answers[1] == [(1, 0, 1.0, 1.0), (1, 1, 0.0, pytest.approx(2 / 3))]
    assert answers[2] == [("invalid_variable_error", 1)]


@pytest.mark.needs("polars")
def test_polars_reads_members_as_fields():
    polars = import_module("polars")

    frame = polars.read_parquet(graded())

    exact = frame["parts"].struct.field("exact").struct.field("score").to_list()
    assert exact == [1.0, 0.0, None]
    assert frame["score"].to_list() == pytest.approx([1.0, 1 / 3, None])


@pytest.mark.needs("pandas")
def test_pandas_reads_members_as_dicts():
    pandas = import_module("pandas")

    frame = pandas.read_parquet(graded())

    assert [part["exact"]["score"] for part in frame.parts[:2]] == [1.0, 0.0]
    assert frame.score.isna().tolist() == [False, False, True]
    assert frame.failure[2]["kind"] == "invalid_variable_error"


def test_a_study_reads_columns_and_writes_them(capsys):
    """As it does lines: the same report, and the same results."""
    for form in ("jsonl", "parquet"):
        arguments = ["--formula", "near", "-o", f"new.{form}", "--json"]
        assert main(["study", graded(f"out.{form}"), *arguments]) == 1
        capsys.readouterr()

    assert [*read_results(Path("new.parquet"))] == [*read_results(Path("new.jsonl"))]


def test_one_row_is_a_table_of_one_row():
    write("exact.json", EXACT)

    code = main(["run", "exact.json", "--sample", "x", "--item", '{"a": "x"}', "-o", "one.parquet"])

    assert (code, [result.score for result in read_results(Path("one.parquet"))]) == (0, [1.0])
    assert {path.name for path in Path.cwd().iterdir()} == {"exact.json", "one.parquet"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"score": float("nan")}, "column 'score': nan is not a JSON number"),
        ({"detail": "{"}, "its detail is not JSON: "),
        ({"schema": 2}, "its schema is 2, and this version reads 1"),
        ({"row": None}, "not a result line: "),
    ],
)
def test_a_row_that_is_no_result_costs_itself_alone(change, problem):
    """As written by somebody who has changed results."""
    pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
    table = pq.read_table(as_table([PLAIN, PLAIN]))
    rows = table.to_pylist()
    rows[1].update(change)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), "out.parquet")

    good, bad = read_results(Path("out.parquet"))

    assert good == PLAIN
    assert isinstance(bad, RowError)
    assert str(bad).startswith(f"out.parquet:2:1: {problem}")


# --- runs


def rows_of(count):
    """Rows that columns hold as JSON Lines do: of the same keys."""
    words = [f"w{number // 3 % 17} " * 3 for number in range(count)]
    return [
        {"item": {"a": word, "n": number // 3}, "samples": [word, word[::-1]][: 1 + number % 2]}
        for number, word in enumerate(words)
    ]


@pytest.fixture
def both_forms():
    """Equal rows as lines and as columns, and what a run of the lines gives."""
    pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
    rows = rows_of(6000)
    write("both.json", BOTH)
    write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    pq.write_table(pa.Table.from_pylist(rows), "rows.parquet")
    assert main(["run", "both.json", "rows.jsonl", "-o", "whole.jsonl", "--workers", "1"]) == 0
    assert main(["run", "both.json", "rows.jsonl", "-o", "whole.parquet", "--workers", "1"]) == 0
    return files("whole.jsonl")


@pytest.mark.parametrize("workers", [1, 2])
def test_rows_in_columns_give_the_bytes_that_lines_give(both_forms, workers):
    """In the results as lines and as columns, for any number of workers."""
    for name in ("out.jsonl", "out.parquet"):
        arguments = ["run", "both.json", "rows.parquet", "-o", name, "--workers", str(workers)]
        assert main(arguments) == 0

    assert files("out.jsonl") == both_forms
    assert Path("out.parquet").read_bytes() == Path("whole.parquet").read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on_to_the_same_columns(both_forms, kill):
    """Wherever it was; until then no older table stands in their place."""
    Path("out.parquet").write_bytes(b"an older one")
    arguments = ["run", "both.json", "rows.parquet", "-o", "out.parquet", "--workers", "2"]
    running = Command(*arguments)
    until(lambda: sum(kept("out.parquet.run").values()) > 100_000 or running.over)
    running.kill(kill, group=True)
    running.wait()

    if kill is signal.SIGKILL:
        assert not Path("out.parquet").exists()
    assert Command(*arguments, "--resume").wait() == 0, said()
    assert Path("out.parquet").read_bytes() == Path("whole.parquet").read_bytes()
    assert files("out.parquet.run/results.jsonl") == both_forms


def test_a_table_that_cannot_be_written_leaves_a_run_that_goes_on(both_forms, run):
    """All rows are graded and kept: going on only writes it."""
    arguments = ["both.json", "rows.jsonl", "-o", "out.parquet", "--workers", "1"]
    Path(".out.parquet.new").mkdir()  # where it is made

    code, out, err = run(*arguments)
    assert code == 2
    assert "9,000 samples" in out
    assert "Is a directory: '.out.parquet.new'" in err
    assert "go on with: graders run both.json rows.jsonl -o out.parquet" in err
    Path(".out.parquet.new").rmdir()
    assert run(*arguments)[0] == 2  # it is not begun anew by mistake

    assert run(*arguments, "--resume")[0] == 0
    assert Path("out.parquet").read_bytes() == Path("whole.parquet").read_bytes()
    assert files("out.parquet.run/results.jsonl") == both_forms


@pytest.mark.parametrize("name", ["out.csv", "out.tsv.gz"])
def test_results_are_not_written_as_csv(name, run):
    """They are nested; and a name that lies would be read as it says."""
    write("exact.json", EXACT)
    write("rows.jsonl", '{"item": {"a": "x"}, "sample": "x"}\n')

    code, _, err = run("exact.json", "rows.jsonl", "-o", name)

    assert code == 2
    assert f"-o {name}: JSON Lines are written. Let it end in .jsonl, or end in .parquet" in err
    assert not Path(name).exists()


def test_a_page_and_a_study_of_columns_are_those_of_lines(run, capsys):
    """`--report`, `study` and `diff` read results as columns as they read lines."""
    pages = []
    for form in ("jsonl", "parquet"):
        graded(f"out.{form}")
        assert run("both.json", "rows.jsonl", "-o", f"out.{form}", "--report", "page.html")[0] == 1
        pages.append(Path("page.html").read_text("utf-8"))
    studies = []
    for form in ("jsonl", "parquet"):
        main(["study", f"out.{form}", "--json"])
        studies.append(json.loads(capsys.readouterr().out))
    main(["diff", "out.jsonl", "out.parquet", "--json"])

    assert all("invalid_variable_error" in page for page in pages)
    assert len(pages[1]) == pytest.approx(len(pages[0]), rel=0.01)
    for study in studies:
        study.pop("results", None)
        study.pop("seconds", None)
    assert studies[0] == studies[1]
    assert json.loads(capsys.readouterr().out)


def test_a_study_reads_rows_of_other_columns(capsys):
    """`--column` is for its `--rows`, and says so without them."""
    write("exact.json", EXACT)
    write("rows.csv", "gold,said\nx,x\ny,x\n")
    named = ["--column", "item.a=gold", "--column", "sample=said"]
    assert main(["run", "exact.json", "rows.csv", *named, "-o", "out.parquet"]) == 0
    capsys.readouterr()

    assert main(["study", "out.parquet", *named]) == 2
    assert "--column says how --rows is read, and there is no --rows." in capsys.readouterr().err
    assert main(["study", "out.parquet", "--rows", "rows.csv", *named]) == 0
