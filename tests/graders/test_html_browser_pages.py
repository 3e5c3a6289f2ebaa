"""Pages of studies, comparisons, diffs and probes in a browser: hostile names, and real rows."""

import json
import runpy
import sys
from pathlib import Path

import pytest
from browser import CHROMIUM, chromium
from html_gallery import HOSTILE

from graders.cli import main

ROOT = Path(__file__).parents[2]
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
DATA = ROOT.parent / "shared" / "data"
WIDTHS = (360, 768, 1280)
PAGES = ("study", "compare", "diff", "probe")
pytestmark = pytest.mark.needs(CHROMIUM)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


def similarity(name, metric="fuzzy_match"):
    return {
        "type": "text_similarity",
        "name": name,
        "input": "{{ sample.output_text }}",
        "reference": "{{ item.answer }}",
        "evaluation_metric": metric,
        "pass_threshold": 0.5,
    }


def check(name, operation):
    return {
        "type": "string_check",
        "name": name,
        "operation": operation,
        "input": "{{ sample.output_text }}",
        "reference": "{{ item.answer }}",
    }


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Reports of rows and graders whose names and texts would all like to be more than text."""
    folder = tmp_path_factory.mktemp("pages")
    rows = [
        {
            "item": {"answer": text, "id": f"{i} {HOSTILE[i % 12]}"} if i % 9 else {"id": i},
            "samples": [
                {"output_text": output, "human": output == text or output.endswith("x")}
                for output in (text, HOSTILE[(i + 1) % 12], f"{text[:3]}x", text[: i % 7])
            ],
        }
        for i, text in enumerate([*HOSTILE[:10], "Ella Fitzgerald", "x"] * 4)
    ]
    members = {"like": check(HOSTILE[0], "like"), "near": similarity(HOSTILE[2])}
    multi = {
        "type": "multi",
        "name": HOSTILE[6],
        "graders": members,
        "calculate_output": "0.5 * like + 0.5 * near",
        "pass_threshold": 0.6,
    }
    files = {
        "rows.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "multi.json": json.dumps(multi),
        "<img src=x onerror=alert(1)>.json": json.dumps(similarity(HOSTILE[1], "rouge_l")),
    }
    hostile = [*files][2]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, text in files.items():
            Path(name).write_text(text)
        commands = [
            ["run", "multi.json", "rows.jsonl", "-o", "out.jsonl", "--detail", "all",
             "--group-by", "item.id"],
            ["study", "out.jsonl", "--rows", "rows.jsonl", "--human", "sample.human",
             "--resamples", "100", "--against", "out.jsonl", "--report", "study.html"],
            ["compare", "rows.jsonl", "--reference", "item.answer", "--human", "sample.human",
             "--metrics", "rouge_l,partial,rouge_3", "--graders", "multi.json", hostile,
             "--resamples", "100", "--probe", "3", "--report", "compare.html"],
            ["diff", "multi.json", hostile, "rows.jsonl", "--report", "diff.html"],
            ["probe", "multi.json", "rows.jsonl", "--budget", "0", "--report", "probe.html"],
        ]  # fmt: skip
        for command in commands:
            assert main(command) in {0, 1}, command
    return folder


@pytest.fixture(params=PAGES)
def page(request, browser, pages):
    """Each page, which asks for nothing and has nothing to complain of, whatever is done."""
    file = pages / f"{request.param}.html"
    page = browser.page(file)
    yield page
    assert page.asked_for() == [file.as_uri()]
    assert page.complaints() == []
    page.close()


def test_hostile_names_and_texts_stay_text(page):
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.run("document.querySelectorAll('#rows tr.row button').forEach((one) => one.click())")

    assert page.run("document.querySelectorAll('img, iframe, b').length") == 0
    assert page.run("document.scripts.length") == 2
    assert page.run("[...document.querySelectorAll('*')].some((e) => e.getAttributeNames()"
                    ".some((name) => name.startsWith('on')))") is False  # fmt: skip
    assert "\u202e" not in page.run("document.body.innerText")
    assert any(text in page.run("document.body.textContent") for text in HOSTILE[:7])


def test_rows_are_found_and_opened(page):
    number = page.run("document.querySelectorAll('#rows tr.row').length")
    page.click("#rows input[type=search]")
    page.type("fitzgerald")
    found = page.run("document.querySelectorAll('#rows tr.row').length")
    page.click("#rows tr.row button")
    below = page.text("#rows tr.more")

    assert 0 < found <= number == 25
    assert page.text("#rows [aria-live]").startswith(f"{found} of ") or found == 25
    assert "Ella Fitzgerald" in below
    assert "Link to this row" in below


def test_a_page_is_as_wide_as_its_window(page):
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for width in WIDTHS:
        page.look(width)
        assert page.run("document.documentElement.scrollWidth") == width


def test_a_phone_shows_the_first_verdict_and_whole_captions_without_scrolling(page):
    page.look(360, 740)
    ends = (
        "[...document.querySelectorAll('.verdicts li')].map((e) => [e.offsetTop, e.offsetHeight])"
    )
    right = "[...document.querySelectorAll('caption')].map((e) => e.getBoundingClientRect().right)"

    assert sum(page.run(ends)[0]) < 740
    assert max(page.run(right)) <= 360


@pytest.mark.needs(str(AXE))
def test_no_rule_of_accessibility_is_broken(page):
    page.look(360, dark=True)
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.run("document.querySelector('#rows tr.row button').click()")
    page.run(AXE.read_text("utf-8") + "; undefined")
    found = page.run("axe.run().then((found) => found.violations)")

    assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found] == []


@pytest.mark.parametrize("link", ["#failures a", "#overview .verdicts a"])
def test_failures_of_a_study_lead_to_their_rows(browser, pages, link):
    page = browser.page(pages / "study.html")
    page.click(link)

    assert set(page.texts("#rows tr.row td:nth-child(4)")) == {"failed"}
    page.close()


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Reports of the real rows that people judged, or of some of them."""
    if not DATA.is_dir():
        pytest.skip("the folder with the real rows is not here; see benchmarks/README.md")
    folder = tmp_path_factory.mktemp("real")
    script = str(ROOT / "benchmarks" / "metric_choice" / "study.py")
    few = ["--limit", "200", "--metrics", "rouge_l,bleu,partial", "--resamples", "100"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [script, str(folder), *few, "--probe", "2"])
        runpy.run_path(script, run_name="__main__")
    return folder


@pytest.mark.parametrize("name", ["evouna_nq", "evouna_nq_several", "summeval", "stsb"])
def test_reports_of_real_rows_open(browser, real, name):
    file = real / f"{name}.html"
    page = browser.page(file)
    page.click("#rows tr.row button")
    found = json.loads((real / f"{name}.json").read_text())

    said = [
        text.replace("\N{NO-BREAK SPACE}", " ")
        for text in page.texts(".verdicts li span:last-child")
    ]

    assert said == [one["text"] for one in found["verdicts"]]
    assert page.texts("#rows tr.more h3")[:3] == ["item", "output", "reference"]
    assert page.run("document.querySelectorAll('#people circle').length") == 600
    assert file.stat().st_size < 1_000_000
    assert page.asked_for() == [file.as_uri()]
    assert page.complaints() == []
    page.close()
