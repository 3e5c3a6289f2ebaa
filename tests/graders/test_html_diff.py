"""`graders diff --report`: the page has both scores of what moved, bounds and failures."""

import json
import re
import shlex
from pathlib import Path

import pytest
from html_gallery import HOSTILE
from html_reading import Reader
from probing import CONTAINS, EXACT

from graders.cli import main

ANSWERS = ("Leo Tolstoy", "Jan Vermeer", "Ella Fitzgerald")
ROWS = [
    {"item": {"answer": answer}, "samples": [answer, f"It is {answer}.", "I do not know"]}
    for answer in ANSWERS
]
LIKE = {**CONTAINS, "operation": "like"}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("rows.jsonl", *ROWS)
    write("like.json", LIKE)
    write("eq.json", EXACT)


def write(name, *lines):
    Path(name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def diff(capsys):
    """The page of a diff, and what was printed."""

    def command(*arguments, code=1):
        ended = main(["diff", *arguments, "--report", "r.html"])
        captured = capsys.readouterr()
        assert (ended, captured.err) == (code, "")
        return Reader(Path("r.html").read_text("utf-8")), captured.out

    return command


def data(page):
    return json.loads(page.inside["script", "data"])


def test_a_page_has_all_that_a_diff_found(diff):
    page, out = diff("like.json", "eq.json", "rows.jsonl")
    found, said = data(page), page.text()

    assert out.endswith("  report   r.html\n")
    for one in found["verdicts"]:
        assert one["text"] in said
    for part in (
        *("a string_check grader named 'exact', from like.json", "old signature"),
        *("Old and new scores", "Samples by how far their score moved", "No longer passing"),
        *("0.3333", "was 0.6667", "9 samples in 3 groups graded twice", "file eq.json"),
    ):
        assert part in said, part
    assert sorted(found["points"]) == [[0.0, 0.0]] * 3 + [[1.0, 0.0]] * 3 + [[1.0, 1.0]] * 3
    assert sum(found["changes"]["counts"]) == 9
    assert re.search(r"Of them, kept in order\s*50 % \[50 %, 50 %\]", said)
    assert found["scores"]["group_order"] == {
        "pairs": 6,
        "kept": {"value": 0.5, "interval": found["scores"]["group_order"]["kept"]["interval"]},
        "turned": 0,
        "tied": 3,
    }


def links(page):
    return [given["data-show"] for tag, given in page.tags if tag == "a" and "data-show" in given]


def test_verdicts_lead_to_the_rows_that_they_are_about(diff):
    """Each to a value that the column has; of all that moved, to all."""
    by_first = "{'I do': 0.25, 'Leo ': 0, 'It i': 'none'}.get(sample['output_text'][:4], 1)"
    Path("new.py").write_text(f"def grade(sample, item):\n    return {by_first}\n")
    page, _ = diff("eq.json", "new.py", "rows.jsonl", "--pass-threshold", "0.5")
    rows = data(page)["rows"]
    outcomes = [one["outcome"] for one in rows["rows"]]

    assert links(page) == ["outcome=newly failing", "moved", "outcome=crossed the threshold"]
    assert {"outcome", "passing"} <= {one["key"] for one in rows["columns"]}
    assert outcomes == [*["newly failing"] * 3, "crossed the threshold", *["moved"] * 3]
    assert links(diff("eq.json", "eq.json", "rows.jsonl", code=0)[0]) == []


@pytest.mark.parametrize(
    ("new", "code", "verdict"),
    [
        (
            "eq.json",
            1,
            (
                "bad",
                "4 bounds of 5 are broken: max-flips, min-spearman, min-pairs, max-mean-change",
            ),
        ),
        ("like.json", 0, ("good", "no bound is broken")),
    ],
)
def test_what_decides_the_exit_code_is_the_first_verdict(diff, new, code, verdict):
    page, _ = diff("like.json", new, "rows.jsonl", code=code)
    first = data(page)["verdicts"][0]

    assert data(page)["title"] == f"like.json → {new}"
    assert (first["tone"], first["text"]) == verdict
    assert page.text().index(first["text"]) < page.text().index("Mean score")


def test_rows_are_those_that_moved_and_name_the_command_that_shows_them(diff, capsys):
    page, out = diff("like.json", "eq.json", "rows.jsonl", "--worst", "1")
    rows = data(page)["rows"]
    first = rows["rows"][0]

    assert out.count("row 1, sample 1: 1 -> 0") == 1
    assert "row 2, sample 1" not in out  # of which the terminal was asked for one
    assert [(one["row"], one["sample"], one["old"], one["new"]) for one in rows["rows"]] == [
        (1, 1, 1.0, 0.0), (2, 1, 1.0, 0.0), (3, 1, 1.0, 0.0),
    ]  # fmt: skip
    assert first["passing"] == "no longer passing"
    assert first["more"][1:] == [["output", "It is Leo Tolstoy."], ["reference", "Leo Tolstoy"]]
    said = "".join(str(first[part]) if i % 2 else part for i, part in enumerate(rows["command"]))
    assert main(shlex.split(said)[1:]) == 0
    assert "It is Leo Tolstoy." in capsys.readouterr().out


def test_failures_have_their_kind_and_message(diff):
    write("bad.json", {**EXACT, "reference": "{{ item.other }}"})
    page, _ = diff("eq.json", "bad.json", "rows.jsonl")
    said = page.text()

    assert "invalid_variable_error: 9 samples newly failing" in said
    assert "item has no field 'other'" in said
    assert links(page) == ["outcome=newly failing"]
    rows = data(page)["rows"]
    assert (rows["total"], len(rows["rows"])) == (9, 9)
    assert (rows["rows"][0]["old"], rows["rows"][0]["new"]) == (1.0, None)
    assert rows["rows"][0]["more"][0][0] == "item"
    assert rows["rows"][0]["more"][1] == [
        "invalid_variable_error",
        "{{ item.other }}: item has no field 'other'. It has: answer.",
    ]


def test_results_are_compared_as_they_are(diff, run):
    run("like.json", "rows.jsonl", "-o", "old.jsonl")
    run("eq.json", "rows.jsonl", "-o", "new.jsonl")
    lines = Path("new.jsonl").read_text().splitlines(keepends=True)
    Path("new.jsonl").write_text("".join([*lines[:-1], "oops\n"]))
    page, _ = diff("old.jsonl", "new.jsonl")
    said = page.text()

    assert "results old.jsonl" in said
    assert "1 sample only in the old results, left out" in said
    assert "new.jsonl:9:1: not JSON" in said
    assert data(page)["rows"]["command"] is None
    assert "string_check|op:like" in said

    page, _ = diff("new.jsonl", "new.jsonl")
    first = data(page)["verdicts"][0]
    assert (first["tone"], first["text"]) == (
        "bad",
        "no bound is broken, but not all of it could be compared",
    )


def test_a_change_of_nothing_is_a_page_too(diff):
    page, _ = diff("eq.json", "eq.json", "rows.jsonl", code=0)

    assert "No score changed." in page.text()
    assert data(page)["changes"] is None


def test_hostile_names_and_texts_stay_text(diff):
    write("rows.jsonl", *({"item": {"answer": "x"}, "samples": [text, "x"]} for text in HOSTILE))
    write("g'<b>.json", {**LIKE, "name": HOSTILE[2], "reference": "<"})
    page, _ = diff("eq.json", "g'<b>.json", "rows.jsonl")

    assert not {tag for tag, _ in page.tags} & {"img", "iframe", "b"}
    assert not [key for _, given in page.tags for key in given if key.startswith("on")]


@pytest.mark.parametrize("taken", ["like.json", "eq.json", "rows.jsonl", "outputs.jsonl"])
def test_a_report_overwrites_no_input(taken, capsys):
    write("outputs.jsonl", {"sample": "x"})
    Path("r.html").hardlink_to(taken)
    kept = Path(taken).read_bytes()
    code = main(["diff", "like.json", "eq.json", "rows.jsonl", "--outputs", "outputs.jsonl",
                 "--report", "r.html"])  # fmt: skip

    assert code == 2
    assert f"--report r.html would overwrite {taken}." in capsys.readouterr().err
    assert Path(taken).read_bytes() == kept


def test_a_sample_that_moved_has_its_item(diff):
    """In a cell and whole below it; of results alone, nobody knows it."""
    page, _ = diff("like.json", "eq.json", "rows.jsonl")
    rows = data(page)["rows"]
    items = [one["item"] for one in rows["rows"]]

    assert items == [f"answer: {answer}" for answer in ANSWERS]
    assert [json.loads(one["more"][0][1]) for one in rows["rows"]] == [one["item"] for one in ROWS]
    assert [one["label"] for one in rows["columns"]][-2:] == ["Item", "Output"]
    for name in ("like", "eq"):
        main(["run", f"{name}.json", "rows.jsonl", "-o", f"{name}.jsonl"])
    main(["diff", "like.jsonl", "eq.jsonl", "--report", "r.json"])
    assert "Item" not in [
        one["label"] for one in json.loads(Path("r.json").read_bytes())["rows"]["columns"]
    ]
