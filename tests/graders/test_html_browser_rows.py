"""What the script adds to tables of rows: the range of any number, and a row as JSON."""

import json
from dataclasses import replace

import pytest
from browser import CHROMIUM, chromium
from html_gallery import HOSTILE, rows_of, rows_table

from graders.report.html.page import Page, Section, to_html
from graders.report.html.table import Column, RowsTable

pytestmark = pytest.mark.needs(CHROMIUM)
ROWS = rows_of(3)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture
def opened(browser, tmp_path):
    """The page of a table alone, which has nothing to complain of, whatever is done."""
    pages = []

    def open_(table):
        part = Section(id="rows", title="Rows", body=table.to_markup("All"), rows="rows")
        path = tmp_path / "rows.html"
        page = Page(kind="x", title="x", sections=[part], data={"rows": table.to_json()})
        path.write_bytes(to_html(page).encode())
        pages.append(browser.page(path))
        return pages[-1]

    yield open_
    for page in pages:
        assert page.complaints() == []
        page.close()


def shown(page):
    """The numbers of the rows that are shown."""
    return [int(text) for text in page.texts("#rows tr.row th")]


def test_rows_are_filtered_by_the_range_of_any_number(opened):
    """Its names may be hostile, or the same twice."""
    rows = [
        {"row": i, "sample": 0, "score": i / 10, "one": (9 - i) / 10, "two": float(i % 2)}
        for i in range(10)
    ]
    columns = [
        Column(key="row", label="Row", kind="count"),
        Column(key="sample", label="Sample", kind="count"),
        Column(key="one", label=HOSTILE[0], kind="number"),
        Column(key="score", label="Score", kind="number", ranged=True),
        Column(key="two", label=HOSTILE[0], kind="number"),
    ]
    page = opened(RowsTable(columns=columns, rows=rows, total=10))
    page.click("#rows input[type=number]")
    page.type("0.8")
    by_score = shown(page)
    ranges = "document.querySelector('#rows select')"
    page.run(f"{ranges}.selectedIndex = 1; {ranges}.dispatchEvent(new Event('change'))")
    by_one = shown(page)
    page.run(f"{ranges}.selectedIndex = 2; {ranges}.dispatchEvent(new Event('change'))")
    by_two = shown(page)
    page.click(".filters button")

    assert page.texts("#rows option") == ["Score", HOSTILE[0], HOSTILE[0]]
    assert (by_score, by_one, by_two) == ([8, 9], [0, 1], [1, 3, 5, 7, 9])
    assert page.run(f"{ranges}.selectedIndex") == 0
    assert shown(page) == [*range(10)]


@pytest.mark.parametrize("allowed", [True, False])
def test_a_row_is_copied_as_json(opened, allowed):
    """Exactly as the data has it; shown, where a browser lets no clipboard be written."""
    hiding = {**ROWS[1], "hides": "\x9b31m\u202e\U000e0041\u2028"}
    table = rows_table(3)
    page = opened(replace(table, rows=[table.rows[0], hiding, table.rows[2]]))
    page.click("#rows tr.row:nth-child(3) td:last-child")
    page.run(
        "Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText: "
        f"async (text) => {{ if (!{json.dumps(allowed)}) throw new Error('no');"
        " window.copied = text; } } })"
    )
    page.click("#rows .links button")

    if allowed:
        copied = page.run("window.copied")
        assert json.loads(copied) == json.loads(json.dumps(hiding))
        assert all(map(str.isprintable, copied.split("\n")))
        assert page.text("#rows .links button") == "Copied"
    else:
        assert page.run("document.querySelector('#rows .links button')") is None
        assert json.loads(page.text("#rows .links pre"))["hides"] == hiding["hides"]
