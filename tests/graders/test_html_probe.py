"""`graders probe --report`: attacks, what they win, and examples that stay text."""

import json
from pathlib import Path

import pytest
from html_gallery import HOSTILE
from html_reading import Reader
from probing import CONTAINS, EXACT

from graders.cli import main

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
