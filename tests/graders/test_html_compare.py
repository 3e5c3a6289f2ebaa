"""`graders compare --report`: the page has the comparison, each contestant, and the worst rows."""

import json
from pathlib import Path

import pytest
from html_gallery import HOSTILE
from html_reading import Reader

from graders.cli import main
from graders.starter import FILES

PATHS = ("--reference", "item.answer", "--human", "sample.human")
FEW = ("--metrics", "hash_char,rouge_l,rouge_3", "--resamples", "200", "--probe", "4")
TITLES = [
    *("Overview", "Agreement", "All measures", "Cost and attacks", "Gradient and length"),
    *("Against people", "Rows", "How it was made"),
]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("labelled.jsonl", "grader.json"):
        Path(name).write_text(FILES[name], encoding="utf-8")


@pytest.fixture
def compared(capsys):
    """The page of a comparison, and what was printed."""

    def command(*arguments, rows="labelled.jsonl", code=0):
        ended = main(["compare", rows, *PATHS, *arguments, "--report", "r.html"])
        captured = capsys.readouterr()
        assert (ended, captured.err) == (code, "")
        return Reader(Path("r.html").read_text("utf-8")), captured.out

    return command


def data(page):
    return json.loads(page.inside["script", "data"])


def test_a_page_has_all_that_a_comparison_found(compared):
    page, out = compared(*FEW)
    found, said = data(page), page.text()

    assert out.endswith("  report   r.html\n")
    assert set(TITLES) <= set(page.texts)
    for one in found["verdicts"]:
        assert one["text"] in said
    for part in (
        *(
            "Agrees most",
            "hash_char",
            "AUC 1.000 [1.000, 1.000]",
            "36 rows of 12 items",
            "Holm's p",
        ),
        *("Agreement with people by AUC, with 95 % intervals", "Kendall's tau-b, with intervals"),
        *("CPU-seconds for 1,000 rows", "Share of attacked rows on which some attack wins"),
        *("not good", "All 36 rows.", "0.947 [0.875, 1.000]"),
        *("graders compare labelled.jsonl --reference item.answer", "file labelled.jsonl"),
    ):
        assert part in said, part
    assert found["best"] == "hash_char"
    assert found["comparison"]["compared"] == len(found["points"]["human"]) == 36
    assert all(len(one["points"]) == 36 for one in found["contestants"].values())
    # Dots; a mark of each measure, of which a contestant without a difference lacks three; Pareto.
    assert sum(tag == "circle" for tag, _ in page.tags) == 3 * 36 + 3 * 6 - 3 + 3


def test_rows_are_those_on_which_the_best_and_people_differ(compared):
    page, _ = compared(*FEW, "--by", "pearson")
    rows = data(page)["rows"]
    apart = [one["apart"] for one in rows["rows"]]

    assert apart == sorted(apart, reverse=True)
    assert rows["total"] == 36
    first = rows["rows"][0]
    assert [label for label, _ in first["more"]] == ["item", "output", "reference", "scores"]
    assert json.loads(first["more"][0][1])["answer"] == first["more"][2][1]
    assert f"answer: {first['more'][2][1]}" in first["item"]
    assert first["more"][3][1].splitlines()[0].startswith("hash_char: ")
    assert {one["label"] for one in rows["rows"]} == {"good", "not good"}


@pytest.mark.needs("sklearn")
def test_a_fitted_reward_is_on_the_page(compared):
    page, _ = compared(*FEW, "--fit", "hash_char,rouge_l", "-o", "fitted.json")
    found, said = data(page), page.text()

    assert found["fit"]["formula"] in said
    assert found["fit"]["verdicts"][0]["text"] in said
    assert json.loads(Path("fitted.json").read_text()) == found["fit"]["config"]
    assert "On items not fitted to" in said


def test_who_fails_is_named_and_has_no_score(compared):
    """With the first message of each kind."""
    config = json.loads(FILES["grader.json"])
    Path("bad.json").write_text(
        json.dumps(
            {
                "type": "string_check",
                "name": config["name"],
                "operation": "eq",
                "input": "{{ item.hint }}",
                "reference": "x",
            }
        )
    )
    rows = [json.loads(line) for line in FILES["labelled.jsonl"].splitlines()]
    for row in rows[1:]:
        row["item"]["hint"] = "x"
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    Path("rows.jsonl").write_text(f'{lines}oops\n{{"item": {{}}, "sample": "x"}}\n')
    page, _ = compared(*FEW, "--graders", "bad.json", rows="rows.jsonl", code=1)
    said = page.text()

    assert "bad.json: 3 rows (8.3 %), on 3 it alone" in said
    assert "item has no field 'hint'" in said
    assert "1 row without a reference" in said
    assert "rows.jsonl:13:1: not JSON" in said


def test_hostile_names_and_texts_stay_text(compared):
    name = "<img src=x onerror=alert(1)>.json"
    Path(name).write_text(FILES["grader.json"])
    rows = [json.loads(line) for line in FILES["labelled.jsonl"].splitlines()]
    for row, text in zip(rows, HOSTILE[:8], strict=False):
        row["samples"][0]["output_text"] = text
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    page, _ = compared(*FEW, "--graders", name, rows="rows.jsonl")

    assert not {tag for tag, _ in page.tags} & {"img", "iframe"}
    assert not [key for _, given in page.tags for key in given if key.startswith("on")]
    assert f"{name}: AUC" in page.text()


def test_many_contestants_make_no_large_page(compared):
    compared("--metrics", "all", "--resamples", "100", "--probe", "0")

    assert Path("r.html").stat().st_size < 1_000_000
    assert "12 more are in the data alone." in Path("r.html").read_text("utf-8")


@pytest.mark.needs("sklearn")
@pytest.mark.parametrize("taken", ["labelled.jsonl", "grader.json", "fitted.json"])
def test_a_report_overwrites_no_other_file(taken, capsys):
    Path("fitted.json").write_text("{}")
    Path("r.html").hardlink_to(taken)
    kept = Path(taken).read_bytes()
    code = main(["compare", "labelled.jsonl", *PATHS, "--graders", "grader.json", "--fit", "all",
                 "-o", "fitted.json", "--report", "r.html"])  # fmt: skip

    assert code == 2
    assert f"--report r.html would overwrite {taken}." in capsys.readouterr().err
    assert Path(taken).read_bytes() == kept


def test_nothing_is_recommended_on_one_item(compared, capsys):
    """Neither in words nor in JSON, nor is it said what gives it in a run."""
    first, *_ = FILES["labelled.jsonl"].splitlines(keepends=True)
    Path("rows.jsonl").write_text(first, encoding="utf-8")
    few = ("--metrics", "ratio,rouge_l", "--probe", "0", "--resamples", "100")
    page, out = compared(*few, rows="rows.jsonl")
    assert main(["compare", "rows.jsonl", *PATHS, *few, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)

    assert "Nothing can be recommended on one item: " in out
    assert "in a run" not in out
    assert "In a run:" not in page.text()
    assert (told["best"] is None, told["recommended"]) == (False, None)
