"""What notebooks show of a grade, a run and a study, and results as frames."""

import json
import math
import re
from pathlib import Path

import pytest
from html_gallery import HOSTILE
from html_reading import Reader
from taught_rows import MULTI, ROWS, write

import graders
from graders.cli import main
from graders.errors import Failure, FailureKind, RowError, TemplateError
from graders.grades import Grade
from graders.row_files import RowFormat
from graders.studies.teach.written import OtherRowsError


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("rows.jsonl", *ROWS)
    write("grader.json", MULTI)


@pytest.fixture
def results(capsys):
    """A results file, of rows that failed too."""
    write("rows.jsonl", *ROWS, {"item": {}, "samples": ["x", HOSTILE[0]]})
    main(["run", "grader.json", "rows.jsonl", "-o", "out.jsonl"])
    capsys.readouterr()
    return "out.jsonl"


def shown(thing):
    """What a notebook gets of something, read as HTML; nothing hostile is in it."""
    reader = Reader(thing._repr_html_())
    assert not {tag for tag, _ in reader.tags} & {"script", "img", "iframe", "b"}
    assert not [key for _, given in reader.tags for key in given if key.startswith("on")]
    assert not [given for _, given in reader.tags if "id" in given]  # a notebook has its own
    return reader


def test_a_grade_shows_its_score_members_and_detail():
    (grade,) = graders.grade(MULTI, [{"item": {"a": "abcd"}, "sample": "abxy"}])
    said = shown(grade).text()

    assert said.startswith(f"m: {grade.score:.6g}, not passed")
    for part in ("same: 0", "like: 0.5", "dead: 0", "Detail", "never this", "reference"):
        assert part in said


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_grade_holds_stays_text(text):
    failure = Failure(kind=FailureKind.INVALID_VARIABLE, message=text, reason=text)
    part = Grade(name=text, failure=failure, detail={text: [text], "plain": text})
    said = shown(Grade(name=text, score=1.0, parts={text: part}, detail={text: text})).text()

    assert "failed, invalid_variable_error" in said
    assert "\u202e" not in said
    assert "\x00" not in said


def test_a_large_grade_is_cut():
    parts = {f"m{i}": Grade(name="m", score=0.0) for i in range(80)}
    deep = Grade(name="deep", score=0.0)
    for _ in range(2_000):
        deep = Grade(name="deep", score=0.0, parts={"deep": deep})
    grade = Grade(name="x" * 10**6, score=0.0, parts=parts, detail={"reply": "y" * 10**7})

    assert "and 30 more" in shown(grade).text()
    assert len(grade._repr_html_()) < 20_000
    assert len(shown(deep).texts) < 100


def test_a_run_shows_what_its_report_does(results):
    run = graders.read_run(results)
    page = shown(run)

    assert run.summary.samples == 66
    assert run.to_json()["failed"] == 2
    assert str(run).startswith("out.jsonl\n66 samples in 17 groups, 2 failed, 0 bad lines\n")
    assert repr(run) == "<run 'out.jsonl': 66 samples>"
    assert "samples have no score (2 of 66)" in page.text()
    titles = ["Overview", "Rewards", "Members", "Groups", "Failures", "Rows"]
    assert [text for text in page.texts if text in titles] == titles
    assert "Time" not in page.texts  # nobody knows it any more


def test_a_study_shows_what_its_report_does(results, capsys):
    Path(results).write_text(Path(results).read_text() + "oops\n")
    studied = graders.study(results)
    main(["study", results, "--json"])
    found = json.loads(capsys.readouterr().out)
    page = shown(studied)

    assert {key: found[key] for key in studied.to_json()}["groups"] == found["groups"]
    for verdict in found["verdicts"]:
        assert verdict["text"] in page.text()
    assert (studied.bad_lines, found["bad_lines"]) == (1, 1)
    assert "out.jsonl:67:1: not JSON" in page.text()
    assert "will it teach?" in str(studied)
    assert repr(graders.study(graders.read_run(results))) == "<study of 'out.jsonl': 66 samples>"


def test_hostile_results_stay_text(capsys):
    write("rows.jsonl", *({"item": {"a": text, "id": text}, "samples": [text, "x"]}
                          for text in HOSTILE[:8]))  # fmt: skip
    main(["run", "grader.json", "rows.jsonl", "-o", "<img src=x>.jsonl", "--detail", "all",
          "--group-by", "item.id"])  # fmt: skip
    capsys.readouterr()

    assert "<img src=x>.jsonl" in str(graders.read_run("<img src=x>.jsonl"))
    assert HOSTILE[0] in shown(graders.read_run("<img src=x>.jsonl")).text()
    shown(graders.study("<img src=x>.jsonl"))


def opened(page):
    """What a reader opens below the rows of a table, one text each."""
    return [text for text in page.texts if text == "More of it"]


@pytest.mark.parametrize("show", [graders.read_run, graders.study])
def test_rows_have_their_texts_where_they_are_named(capsys, show):
    """Items, outputs and labels, and below each row what its report has there, without script."""
    write("rows.jsonl", *ROWS, {"item": {"a": "x"}, "samples": ["x", HOSTILE[0]]})
    main(["run", "grader.json", "rows.jsonl", "-o", "out.jsonl", "--detail", "all"])
    capsys.readouterr()
    plain, named = shown(show("out.jsonl")), shown(
        show("out.jsonl", rows="rows.jsonl", human="sample.human")
    )  # fmt: skip

    for head in ("Item", "Output", "People"):
        assert named.texts.count(head) > plain.texts.count(head)
    assert "same: reference, like: reference" in plain.text()
    assert '"a": "abcd"' in named.text()
    assert len(opened(named)) == len(opened(plain)) == 25
    assert ("summary", {}) in [(tag, given) for tag, given in named.tags]


def test_a_study_with_rows_says_what_that_of_the_command_does(results, capsys):
    options = ["--rows", "rows.jsonl", "--human", "sample.human", "--json"]
    main(["study", results, *options])
    found = json.loads(capsys.readouterr().out)
    run = graders.read_run(results, rows="rows.jsonl", human="sample.human")
    said = graders.study(results, rows="rows.jsonl", human="sample.human").to_json()

    assert found["human"] is not None
    assert said == graders.study(run).to_json()
    assert {key: found[key] for key in said} == json.loads(json.dumps(said))


def test_a_study_of_a_run_takes_its_rows_and_what_it_does_not_name(results):
    """Its shape and labels too; but of other rows, that are named, nothing of its own."""
    lines = [json.loads(line) for line in Path("rows.jsonl").read_text().splitlines()]
    write("items.jsonl", *({"item": one["item"]} for one in lines))
    write("outputs.jsonl", *({"samples": one["samples"]} for one in lines))
    shape = RowFormat(outputs=Path("outputs.jsonl"))
    run = graders.read_run(results, rows="items.jsonl", shape=shape)
    labelled = graders.read_run(results, rows="items.jsonl", shape=shape, human="sample.human")
    said = graders.study(labelled).to_json()

    assert said["human"] is not None
    assert said == graders.study(run, human="sample.human").to_json()
    assert said == graders.study(labelled, shape=shape).to_json()
    assert graders.study(labelled, rows="rows.jsonl").to_json()["human"] is None
    with pytest.raises(ValueError, match="human says how rows are read, and there are no rows"):
        graders.study(graders.read_run(results), human="sample.human")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"rows": "other.jsonl"}, OtherRowsError, "other.jsonl: no result is of a row in it."),
        ({"rows": "cut.jsonl"}, OtherRowsError, "cut.jsonl: row 1, sample 0: it had 4 characters"),
        ({"human": "sample.human"}, ValueError, "human says how rows are read, and there are no"),
        ({"shape": RowFormat()}, ValueError, "shape says how rows are read, and there are no"),
        ({"rows": "rows.jsonl", "human": "no path"}, TemplateError, "no path"),
    ],
)
@pytest.mark.parametrize("show", [graders.read_run, graders.study])
def test_rows_that_were_not_graded_are_refused(results, show, given, error, message):
    write("other.jsonl")
    write("cut.jsonl", {"item": {"a": "abcd"}, "samples": ["a"]})

    with pytest.raises(error, match=re.escape(message)):
        show(results, **given)


def test_a_label_that_no_row_has_is_refused(results):
    with pytest.raises(ValueError, match=r"no row has a number or true or false at sample\.who"):
        graders.study(results, rows="rows.jsonl", human="sample.who")


@pytest.mark.parametrize("show", [graders.read_run, graders.study])
def test_a_file_of_something_else_is_no_run(show):
    with pytest.raises(RowError, match=r"rows\.jsonl: it holds no results: rows\.jsonl:1:1: not a"):
        show("rows.jsonl")


def test_nothing_cannot_be_studied():
    Path("empty.jsonl").write_text("")
    Path("torn.jsonl").write_text("oops\n")

    write("rows.jsonl", *ROWS)
    assert graders.read_run("empty.jsonl").summary.samples == 0
    assert graders.read_run("empty.jsonl", rows="rows.jsonl").summary.samples == 0
    with pytest.raises(RowError, match=r"empty\.jsonl: it holds no results"):
        graders.study("empty.jsonl")
    with pytest.raises(
        RowError, match=r"torn\.jsonl: it holds no results: torn\.jsonl:1:1: not JSON"
    ):
        graders.study("torn.jsonl")


@pytest.mark.parametrize(
    "library", [pytest.param(one, marks=pytest.mark.needs(one)) for one in ("pandas", "polars")]
)
def test_results_are_a_frame(results, library):
    frame = graders.read_run(results).to_frame(library)
    names = ["row", "sample_index", "group", "score", "reward", "passed"]

    assert list(frame.columns) == [
        *names, *(f"failure_{one}" for one in ("kind", "reason", "message")),
        *("parts.same", "parts.like", "parts.dead"),
    ]  # fmt: skip
    assert len(frame) == 66
    assert list(frame["sample_index"])[:4] == [0, 1, 2, 3]
    assert list(frame["failure_kind"])[-1] == "invalid_variable_error"
    mean = graders.read_run(results).summary.graded.value
    assert math.isclose(frame["score"].mean(), mean)


def test_a_frame_of_another_library_is_refused(results):
    with pytest.raises(ValueError, match="a frame is of pandas or polars, not of 'excel'"):
        graders.read_run(results).to_frame("excel")
