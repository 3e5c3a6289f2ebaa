"""`graders probe --report`: attacks, what they win, and examples that stay text."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from html_gallery import HOSTILE
from html_reading import Reader
from probing import CONTAINS, EXACT

from graders.cli import main
from graders.compile import compile_grader
from graders.report.html.probe_rows import probe_rows
from graders.rows import Row
from graders.testing.probe import ProbeOptions, probe
from graders.testing.probe.attacks import Way

ROWS = [
    {"item": {"question": "Who wrote it?", "answer": f"Leo {HOSTILE[0]}"}, "samples": ["Anton"]},
    {"item": {"question": "Who painted it?", "answer": "Jan Vermeer"}, "samples": ["Ada", "no"]},
    {"item": {"question": "Who sang it?", "answer": "Ella Fitzgerald"}, "samples": ["Bo", "Ann"]},
]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in ROWS))
    Path("contains.json").write_text(json.dumps(CONTAINS))
    Path("exact.json").write_text(json.dumps(EXACT))


def probed(capsys, *arguments):
    code = main(["probe", *arguments])
    return code, capsys.readouterr().out


def test_the_page_has_attacks_shares_and_examples(capsys):
    code, out = probed(capsys, "contains.json", "rows.jsonl", "--report", "p.html")
    page = Reader(Path("p.html").read_text("utf-8"))
    said = page.text()

    assert code == 1
    assert out.endswith("  report   p.html\n")
    for part in (
        "Some attack wins on 100 % of the rows (3 of 3); every_answer alone on 100 %.",
        "every_answer wins on 3 of 3 rows",
        "the answers of many rows at once",
        HOSTILE[0],
        "graders probe contains.json rows.jsonl --report p.html",
        "profile:openai|string_check|op:ilike",
    ):
        assert part in said
    assert [tag for tag, _ in page.tags].count("script") == 2


def test_the_data_is_that_of_json_and_more(capsys):
    _, out = probed(capsys, "contains.json", "rows.jsonl", "--json", "--report", "p.json")
    data = json.loads(Path("p.json").read_bytes())

    assert {**data, **json.loads(out)} == data
    assert data["verdicts"][0] == {
        "code": "cheated",
        "tone": "bad",
        "text": "Some attack wins on 100 % of the rows (3 of 3); every_answer alone on 100 %.",
        "value": 1.0,
        "interval": None,
    }


def test_each_row_has_its_best_attack_and_what_it_is_held_against(capsys):
    _, _ = probed(capsys, "contains.json", "rows.jsonl", "--report", "p.html")
    page = Reader(Path("p.html").read_text("utf-8"))
    rows = json.loads(page.inside["script", "data"])["probed"]
    first, second, _ = rows["rows"]
    below = dict(reversed(second["more"]))

    assert [one["label"] for one in rows["columns"]] == [
        *("Row", "Outcome", "Best attack", "Its score", "Honest median", "Honest best"),
        *("Reference's score", "Item", "Reference", "Attack's text"),
    ]
    assert [(one["row"], one["outcome"], one["score"]) for one in rows["rows"]] == [
        (line, "cheated", 1.0) for line in (1, 2, 3)
    ]
    assert (second["median"], second["best"], second["right"]) == (0.0, 0.0, 1.0)
    assert first["reference"] == f"Leo {HOSTILE[0]}"
    assert second["item"] == "question: Who painted it?; answer: Jan Vermeer"
    assert json.loads(below["item"]) == ROWS[1]["item"]
    assert below["honest, 0"] in {"Ada", "no"}
    assert f"{second['attack']}: 1" in below["scores of all attacks"]
    assert ("a", {"href": "#rows", "data-show": "outcome=cheated"}) in page.tags


def test_a_row_whose_grader_breaks_says_on_what(capsys):
    """A failure is no score: the row is no win, and has the text and why."""
    source = "def grade(sample, item):\n    text = sample['output_text']\n"
    source += "    return float(text == item['answer']) * len(text) / len(text)\n"
    grader = {"type": "python", "name": "code", "source": source}
    Path("code.json").write_text(json.dumps(grader))
    long = [{**one, "samples": ["a"]} for one in ROWS]
    Path("rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in long))
    probed(capsys, "code.json", "rows.jsonl", "--budget", "0", "--report", "p.json")
    found = json.loads(Path("p.json").read_bytes())
    row = found["probed"]["rows"][0]
    below = dict(row["more"])

    assert row["outcome"] == "broken"
    assert any("ZeroDivisionError" in text for text in below.values())
    assert [text for label, text in below.items() if label.startswith("text of ")] == [""]


def test_rows_that_are_cheated_the_most_stay_where_there_is_no_room():
    said = [("Nairobi", "Nairobi"), ("Quito", "no"), ("Lima", "no")]
    rows = [
        Row(item={"answer": answer}, sample={"output_text": text}, row=line, group=line)
        for line, (answer, text) in enumerate(said, start=1)
    ]
    report = probe(compile_grader(CONTAINS), rows, ProbeOptions(budget=0))
    whole = probe_rows(report.probed, 10**6)
    shown = [
        tuple(row["row"] for row in probe_rows(report.probed, room).rows)
        for room in range(0, 20_000, 100)
    ]

    assert [(row["score"], row["median"]) for row in whole.rows] == [(1, 1), (1, 0), (1, 0)]
    assert [*dict.fromkeys(shown)] == [(), (2,), (2, 3), (1, 2, 3)]


@pytest.mark.parametrize(
    ("tried", "best"),
    [
        ([("a", True, 0.6), ("b", False, 3.0)], "b"),  # both win
        ([("a", True, 0.6), ("b", False, 0.9)], "a"),  # what holds the answer does not win here
        ([("a", False, 3.0), ("b", True, 3.0)], "b"),
        ([("a", True, 3.0), ("b", False, 3.0)], "a"),
        ([("a", True, None), ("b", False, 0.5)], "b"),
        ([("a", True, None)], None),
    ],
)
def test_the_best_attack_has_the_highest_score_of_those_that_win(tried, best):
    rows = [Row(item={"answer": "Quito"}, sample={"output_text": "no"}, row=1, group=1)]
    (one,) = probe(compile_grader(CONTAINS), rows, ProbeOptions(budget=0)).probed
    one.attempts = [
        replace(one.attempts[0], way=Way(name=name, does="", because=""), lacks=lacks, score=score)
        for name, lacks, score in tried
    ]
    (row,) = probe_rows([one], 10**6).rows

    assert one.controls[0].score == 1.0
    assert row["attack"] == best


def test_a_sound_grader_is_called_sound(capsys):
    code, _ = probed(capsys, "exact.json", "rows.jsonl", "--report", "p.json")
    (verdict,) = json.loads(Path("p.json").read_bytes())["verdicts"]

    assert code == 0
    assert (verdict["tone"], verdict["value"]) == ("good", 0.0)
    assert verdict["text"].endswith("0 % of the rows (0 of 3): none was found that pays.")


def test_a_report_that_would_overwrite_is_refused(capsys):
    code = main(["probe", "exact.json", "rows.jsonl", "--report", "exact.json"])

    assert code == 2
    assert "--report exact.json would overwrite exact.json." in capsys.readouterr().err


def test_the_same_probe_gives_the_same_bytes(capsys):
    pages = []
    for _ in range(2):
        probed(capsys, "contains.json", "rows.jsonl", "--report", "p.html")
        pages.append(Path("p.html").read_bytes())

    assert pages[0] == pages[1]
