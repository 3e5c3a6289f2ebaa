"""Reports in a real browser: what readers do works, and what models wrote does nothing."""

import json
from pathlib import Path

import pytest
from browser import CHROMIUM, chromium
from html_gallery import HOSTILE, gallery, rows_of

from graders.cli import main
from graders.report.html.page import fragment, to_html

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = pytest.mark.needs(CHROMIUM)
WIDTHS = [360, 768, 1280]
ROWS = rows_of(120)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("pages") / "gallery.html"
    path.write_bytes(to_html(gallery()).encode())
    return path


@pytest.fixture
def page(browser, file):
    """The gallery, which asks for nothing and has nothing to complain of, whatever is done."""
    page = browser.page(file)
    yield page
    assert page.asked_for() == [file.as_uri()]
    assert page.complaints() == []
    page.close()


def first_column(page):
    """The numbers of the rows that are shown."""
    return [int(text) for text in page.texts("#rows tr.row th")]


def counted(page):
    return page.text("#rows [aria-live]")


def choose(page, number, value):
    """Choose in the menu of that number, as a reader would."""
    page.run(
        f"""(() => {{
            const menu = document.querySelectorAll("#rows select")[{number}];
            menu.value = {json.dumps(value)};
            menu.dispatchEvent(new Event("change"));
        }})()"""
    )


def test_hostile_texts_stay_texts(page):
    page.run("document.querySelectorAll('#rows tr.row button').forEach((one) => one.click())")
    texts = page.run("document.getElementById('texts').textContent")
    opened = page.run("[...document.querySelectorAll('#rows tr.more pre')].map((e) => e.innerText)")

    assert page.run("document.querySelectorAll('img, iframe, script:not([id])').length") == 1
    assert page.run("document.scripts.length") == 2
    assert page.run("[...document.querySelectorAll('*')].some((e) => e.getAttributeNames()"
                    ".some((name) => name.startsWith('on')))") is False  # fmt: skip
    for text in HOSTILE[:8]:
        assert text in texts
        assert text in opened
    assert "\u202e" not in texts
    assert "\\u202e" in texts
    assert "abc\\u202edef\\u2066ghi\\u200b\\ufeff" in opened
    assert "half \\ud800 of a pair \\udfff" in opened
    assert "\\x00\\x07\\x1b[31mred\\x1b[0m\\r\n\tnext\\x85\\u2028line" in opened


def test_python_and_script_show_hidden_characters_alike(page):
    """Every character that could hide, in the heading by Python and in a row by the script."""
    page.run("document.querySelectorAll('#rows tr.row button').forEach((one) => one.click())")
    ours = page.run("[...document.querySelectorAll('#texts pre')].map((e) => e.innerHTML)")
    theirs = page.run("[...document.querySelectorAll('#rows tr.more pre')].map((e) => e.innerHTML)")

    assert len(ours) == len(HOSTILE)
    assert set(ours) <= set(theirs)


def test_the_policy_stops_other_scripts_and_requests(browser, file, tmp_path):
    """So that a slip in escaping would still run nothing: here is one, made on purpose."""
    slipped = tmp_path / "slipped.html"
    inserted = "<script>document.title = 'ran'</script><img src='https://127.0.0.1:9/x'></main>"
    slipped.write_text(file.read_text("utf-8").replace("</main>", inserted, 1))
    page = browser.page(slipped)

    assert page.run("document.title") != "ran"
    assert len([said for said in page.complaints() if "Content Security Policy" in said]) == 2
    page.close()


@pytest.mark.parametrize(
    ("typed", "rows"),
    [
        ("NUMBER 77", [78]),  # a traceback below the row; capitals do not matter
        ("iframe srcdoc", [i + 1 for i in range(120) if i % 14 in {4, 5, 6}][:25]),
        ("nothing has this", []),
    ],
)
def test_words_are_found_in_rows_and_below_them(page, typed, rows):
    page.click("#rows input[type=search]")
    page.type(typed)

    assert first_column(page) == rows


def test_rows_are_filtered_by_outcome_and_score(page):
    assert counted(page) == "120 rows"
    choose(page, 0, "failed")
    failed = [one["row"] for one in ROWS if one["outcome"] == "failed"]
    assert counted(page) == f"{len(failed)} of 120 rows"
    assert first_column(page) == failed

    choose(page, 0, "")
    page.click("#rows input[type=number]")
    page.type("0.9")
    high = [one["row"] for one in ROWS if one["score"] is not None and one["score"] >= 0.9]
    assert first_column(page) == high

    page.click(".filters button")
    assert counted(page) == "120 rows"


def test_columns_sort_both_ways_with_nothing_last(page):
    graded = [one for one in ROWS if one["score"] is not None]
    page.click("#rows th:nth-child(3) button")
    up = first_column(page)
    assert page.run("document.querySelector('#rows th:nth-child(3)').ariaSort") == "ascending"
    page.click("#rows th:nth-child(3) button")
    down = first_column(page)

    assert page.run("document.querySelectorAll('#rows [aria-sort]').length") == 1
    assert page.run("document.querySelector('#rows th:nth-child(3)').ariaSort") == "descending"
    assert up == [one["row"] for one in sorted(graded, key=lambda one: one["score"])][:25]
    worst_last = sorted(graded, key=lambda one: -one["score"])
    assert down == [one["row"] for one in worst_last][:25]


def test_pages_turn_until_the_last(page):
    assert page.run("document.querySelector('.paging button').disabled") is True
    for _ in range(4):
        page.click(".paging button:nth-child(2)")

    assert first_column(page) == list(range(101, 121))
    assert page.text(".paging p") == "101 to 120"
    assert page.run("document.querySelector('.paging button:nth-child(2)').disabled") is True


def test_a_row_opens_by_mouse_and_says_how_to_see_all_of_it(page):
    page.click("#rows tr.row:nth-child(3) td:last-child")  # the second row: each has one below it
    labels, texts = page.texts("#rows tr.more h3"), page.texts("#rows tr.more pre")

    assert labels[1:] == ["traceback", "All of it, graded again"]
    assert texts[1].startswith("Traceback 1\n  File <grader>, line 1")
    assert texts[2] == "graders explain 'a {row} b.json' --row 2 --sample-index 1"
    page.click("#rows tr.row:nth-child(3) td:last-child")
    assert page.run("document.querySelector('#rows tr.more:nth-child(4)').hidden") is True


def test_the_keyboard_reaches_and_opens_rows(page):
    page.press("Tab")
    assert page.focused() == "Skip to the report"
    page.press("Enter")
    assert page.run("location.hash") == "#main"

    page.run("document.querySelector('#rows input[type=search]').focus()")
    page.type("number 7")
    for _ in range(40):
        page.press("Tab")
        if page.focused().startswith("Row "):
            break
    assert page.focused() == "Row 8, details"
    page.press("Enter")
    button = "document.activeElement.getAttribute"
    assert page.run(f"{button}('aria-expanded')") == "true"
    assert page.run(f"document.getElementById({button}('aria-controls')).hidden") is False
    page.press(" ")
    assert page.run(f"{button}('aria-expanded')") == "false"


def test_the_keyboard_opens_a_row_while_text_is_selected_and_escape_closes_it(page):
    page.run("document.querySelector('#rows tr.row button').focus()")
    page.run("getSelection().selectAllChildren(document.querySelector('h1'))")
    page.press("Enter")
    assert page.run("document.querySelector('#rows tr.more').hidden") is False
    page.run("document.querySelector('#rows tr.more pre').focus()")
    page.press("Escape")

    assert page.run("document.querySelector('#rows tr.more').hidden") is True
    assert page.focused() == "Row 1, details"


def test_the_keyboard_sorts(page):
    page.run("document.querySelector('#rows th:nth-child(2) button').focus()")
    page.press("Enter")

    assert set(page.texts("#rows tr.row td:nth-child(2)")) == {"0"}


def test_a_link_shows_some_of_the_rows(page):
    page.click("a[data-show]")

    assert counted(page) == "18 of 120 rows"
    assert set(page.texts("#rows tr.row td:nth-child(4)")) == {"failed"}
    assert page.run("document.querySelector('#rows select').value") == "failed"


def test_an_address_leads_to_a_row(page):
    """To one behind the first ones, also where a filter hides it."""
    choose(page, 0, "failed")
    page.run("location.hash = '#row-90-2'")
    while page.run("document.activeElement.getAttribute('aria-label')") != "Row 90, details":
        pass

    assert counted(page) == "120 rows"
    assert page.texts("#rows tr.more:not([hidden]) pre")[1].startswith("Traceback 89")
    assert page.run("document.querySelector('#rows tr.more:not([hidden]) a').hash") == "#row-90-2"


@pytest.mark.parametrize("dark", [False, True])
def test_the_button_turns_light_and_dark(page, dark):
    page.look(1280, dark=dark)
    colour = "getComputedStyle(document.body).backgroundColor"
    papers = ["rgb(252, 251, 248)", "rgb(23, 25, 28)"]

    assert page.run(colour) == papers[dark]
    assert page.text(".theme") == ("Light" if dark else "Dark")
    page.click(".theme")
    assert page.run(colour) == papers[not dark]
    assert page.text(".theme") == ("Dark" if dark else "Light")
    assert page.run("document.cookie") == ""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dark", [False, True])
def test_a_page_is_as_wide_as_its_window(page, width, dark):
    page.look(width, dark=dark)
    page.run("document.querySelector('#rows tr.row button').click()")
    wide, below = page.run(
        "[document.documentElement.scrollWidth,"
        " document.querySelector('div.more').getBoundingClientRect().right]"
    )
    picture = page.picture()

    assert wide == width
    assert below <= width  # what is below a row is read without scrolling sideways
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 50_000  # something is drawn on it


@pytest.mark.parametrize("width", WIDTHS)
def test_letters_of_charts_are_as_large_on_a_phone(page, width):
    page.look(width)
    heights = page.run(
        "[...document.querySelectorAll('figure svg text')].map((e) => "
        "parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a)"
    )

    assert len(heights) > 20
    assert set(heights) == {12}


def test_print_has_details_open_and_no_controls(page):
    def seen(selector):
        shown = "(e) => e.checkVisibility()"
        return set(page.run(f"[...document.querySelectorAll('{selector}')].map({shown})"))

    controls = "nav, .filters, .paging button, .theme, .skip"
    assert (seen("figure details table"), seen(controls)) == ({False}, {True})
    page.look(1280, dark=True, media="print")
    assert (seen("figure details table"), seen(controls)) == ({True}, {False})
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.run("getComputedStyle(document.querySelector('h2')).color") == "rgb(30, 33, 36)"
    assert page.printed().startswith(b"%PDF")


def test_without_script_the_first_rows_are_there(browser, file):
    page = browser.page(file)
    page.ask("Emulation.setScriptExecutionDisabled", value=True)
    page.go(file)
    tree = page.ask("DOM.getDocument", depth=-1, pierce=True)["root"]
    text = json.dumps(tree)

    assert text.count('"not passed"') >= 10
    assert '"search"' not in text  # no controls that would do nothing
    assert '"class", "theme", "hidden", ""' in text
    assert "The first 25 stand here" in text
    page.close()


def test_a_page_with_its_script_says_nothing_of_first_rows(page):
    assert "stand here" not in page.text("#rows")


def test_a_fragment_has_no_links_to_rows_that_it_cannot_show(browser, tmp_path):
    file = tmp_path / "notebook.html"
    file.write_bytes(fragment(gallery().sections).encode())
    page = browser.page(file)

    assert page.run("document.querySelectorAll('a[data-show]').length") > 0
    assert page.run("document.querySelector('a[data-show]').offsetParent") is None
    page.close()


@pytest.mark.needs(str(AXE))
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1280])
def test_no_rule_of_accessibility_is_broken(page, width, dark):
    """By axe-core, whose rules are those of WCAG 2.2 AA and best practices."""
    page.look(width, dark=dark)
    page.run("document.querySelector('#rows tr.row button').click()")
    page.run(AXE.read_text("utf-8") + "; undefined")
    found = page.run("axe.run().then((found) => found.violations)")

    assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found] == []


@pytest.fixture
def reported(tmp_path, monkeypatch, capsys):
    """A run with hostile names and texts, and its report."""
    monkeypatch.chdir(tmp_path)
    exact = {
        "type": "string_check",
        "name": HOSTILE[2],
        "operation": "eq",
        "input": "{{ sample.output_text }}",
        "reference": "{{ item.answer }}",
    }
    rows = [{"item": {"answer": "x"}, "samples": HOSTILE[:10]}, {"item": {}, "sample": HOSTILE[0]}]
    config = Path("g'<b>.json")
    config.write_text(json.dumps(exact))
    Path('r & "q".jsonl').write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["run", config.name, 'r & "q".jsonl', "--report", "out.html"]) == 1
    assert capsys.readouterr().err == ""
    return tmp_path / "out.html"


def test_a_report_of_a_run_opens_and_leads_from_failures_to_rows(browser, reported):
    page = browser.page(reported)
    page.click("#failures a")
    failed = page.texts("#rows tr.row td.choice")
    page.click("#rows tr.row button")
    below = page.texts("#rows tr.more pre")

    assert page.text("h1") == HOSTILE[2]
    assert page.run("[...document.querySelectorAll('h2')].map((e) => e.innerText)") == [
        *("Overview", "Rewards", "Groups", "Failures", "Rows", "How it was made"),
    ]
    assert failed == ["failed", "invalid_variable_error"]
    assert below[1] == HOSTILE[0]
    assert below[-1].endswith("--row 2 --sample-index 0")
    assert page.asked_for() == [reported.as_uri()]
    assert page.complaints() == []
    page.close()
