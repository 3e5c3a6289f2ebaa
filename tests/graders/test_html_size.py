"""A page is less than a megabyte, whatever there is beside its rows; as bytes, not characters."""

import json
from pathlib import Path

import pytest
from html_gallery import HOSTILE
from html_reading import Reader

from graders.cli import main
from graders.report.html.page import Page, Section, fitting, to_html
from graders.report.html.table import Column, RowsTable, fitted

NAMES = {
    "long": "{:02}" + "n" * 18,
    "very long": "{:02}" + "n" * 300,
    "control characters": "{:02}" + "\x07" * 78,
    "hidden characters beyond the first plane": "{:02}" + "\U000e0041" * 300,
    "wide": "{:02}" + "漢" * 300,
    "markup": "{:02}" + HOSTILE[0] * 3,
}
"""Of members: with their numbers, for 64 of them."""


def results(name, *, rows=200, members=64, says="it says so. " * 40):
    """Lines of a results file, whose members differ and keep what they rest on."""
    for row in range(1, rows + 1):
        scores = [(row * (7 + i) + i * i) % 11 / 10 for i in range(members)]
        score = sum(scores) / members
        parts = {
            name.format(i): {"score": one, "passed": None, "failure": None, "parts": {},
                             "detail": {"input": f"{row} {i} {says}"}}
            for i, one in enumerate(scores)
        }  # fmt: skip
        yield {
            "schema": 1, "row": row, "group": (row + 3) // 4 * 4 - 3, "sample_index": 0,
            "score": score, "reward": score, "passed": None, "failure": None, "parts": parts,
            "usage": None, "signature": "s", "output_chars": row % 40, "reference_chars": 9,
            "detail": None,
        }  # fmt: skip


def data(path):
    return json.loads(Reader(Path(path).read_text("utf-8")).inside["script", "data"])


@pytest.mark.parametrize(
    "name",
    [*NAMES][:1] + [pytest.param(one, marks=pytest.mark.long) for one in [*NAMES][1:]],
)
def test_a_study_of_as_many_members_as_there_may_be_fits(name, tmp_path, monkeypatch, capsys):
    """Rows have what members, their table and how they go with each other leave."""
    monkeypatch.chdir(tmp_path)
    lines = (json.dumps(one) + "\n" for one in results(NAMES[name]))
    Path("r.jsonl").write_text("".join(lines))
    code = main(["study", "r.jsonl", "--resamples", "0", "--report", "r.html"])
    capsys.readouterr()
    found = data("r.html")

    assert code == 0
    assert Path("r.html").stat().st_size < 1_000_000
    assert len(found["members"]["members"]) == 64
    assert found["rows"]["total"] == 200
    assert found["rows"]["shown"] >= 5


@pytest.mark.parametrize("beside", [0, 300_000, 900_000, 999_000, 1_200_000])
def test_rows_have_what_the_rest_of_a_page_leaves(beside):
    """They are as many as fit; and none, where the rest fills the page by itself."""
    rows = [{"row": i, "more": [["output", HOSTILE[7] * 30]]} for i in range(2_000)]
    whole = RowsTable(columns=[Column(key="row", label="Row")], rows=rows, total=len(rows))

    def make(most_bytes):
        table = fitted(whole, rows, most_bytes)
        body = table.to_markup("Rows")
        return Page(
            kind="k",
            title="t",
            sections=[Section(id="rows", title="Rows", body=body, rows="rows")],
            data={"rows": table.to_json(), "beside": "x" * beside},
        )

    page = fitting(make)
    shown = page.data["rows"]["shown"]

    assert (len(to_html(page).encode()) < 1_000_000) == (beside < 999_000)
    assert (shown > 0) == (beside < 999_000)
    assert shown < 2_000 or not beside
