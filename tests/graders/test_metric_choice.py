"""The study of metrics on real rows: its page says what its findings say, and holds no row."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from graders.report.compared import _plain
from graders.row_files import read_rows
from graders.studies.choice.pareto import Point, pareto

HERE = Path(__file__).parents[2] / "benchmarks" / "metric_choice"
DATA = Path(__file__).parents[3] / "shared" / "data"
FINDINGS = ("evouna_nq", "evouna_nq_several", "summeval", "stsb")
TABLES = {  # by their section's title
    "Is a short answer right?": "evouna_nq",
    "How good is a summary?": "summeval",
    "Do two sentences mean the same?": "stsb",
}


@cache
def findings(name):
    return json.loads((HERE / f"{name}.json").read_text("utf-8"))


def page():
    return (HERE / "README.md").read_text("utf-8")


def shown(measure):
    """A value and its interval, as the page has them."""
    within = measure["interval"]
    return f"{_plain(measure['value'])} [{_plain(within['low'])}, {_plain(within['high'])}]"


@pytest.mark.parametrize("title", TABLES)
def test_the_tables_have_the_numbers_of_the_findings(title):
    """The measure that decides with its interval, best first, and Holm's p."""
    found = findings(TABLES[title])
    section = page().partition(f"## {title}")[2].partition("\n## ")[0]
    lines = [line.split(" | ") for line in section.splitlines() if line.startswith("| `")]
    names = [line[0].split("`")[1] for line in lines]

    assert len(names) > 10
    assert names == [name for name in found["contestants"] if name in names]
    for name, line in zip(names, lines, strict=True):
        one = found["contestants"][name]
        behind = one["behind_best"].get(found["by"])
        assert line[1] == shown(one["measures"][found["by"]])
        assert line[2] == ("best" if behind is None else f"{behind['p_holm']:.3f}")
        assert line[0].endswith(" *") == (name in found["pareto"])


@pytest.mark.parametrize("name", FINDINGS)
def test_the_stars_follow_from_the_numbers(name):
    """Of agreement, cost and hackability; what gives nearly no item a gradient has none."""
    found = findings(name)
    points = [
        Point(
            name=contestant,
            agreement=one["measures"][found["by"]]["value"],
            cost=one["cost_per_1000"]["cpu_seconds"],
            hackability=one["hackability"]["value"],
        )
        for contestant, one in found["contestants"].items()
        if one["signal"]["groups"] < 5 or one["signal"]["zero_variance"]["value"] < 0.9
    ]

    assert list(pareto(points)) == found["pareto"]


@pytest.mark.parametrize("name", FINDINGS)
def test_the_page_says_each_verdict_in_the_words_of_the_tool(name):
    """Whom to use and whom not to, as `graders compare` said it."""
    said = " ".join(page().split())
    verdicts = findings(name)["verdicts"]

    assert {"recommendation", "gameable"} <= {one["code"] for one in verdicts}
    for one in verdicts:
        assert f"- {one['tone']}: {one['text']}" in said


def test_the_embedders_agree_with_people_as_was_noted():
    """Spearman's rho on sentence pairs; MiniLM's takes too long for a test."""
    found = findings("stsb")["contestants"]
    rho = [found[name]["measures"]["spearman"]["value"] for name in ("wordllama", "minilm")]
    assert rho == pytest.approx([0.759, 0.820], abs=0.00051)


@pytest.mark.parametrize("name", FINDINGS)
@pytest.mark.skipif(not DATA.is_dir(), reason="the folder with the real rows is not here")
def test_no_row_is_among_the_findings(name):
    """Nor a question, a reference or an output of one."""
    text = (HERE / f"{name}.json").read_text("utf-8")
    words = json.dumps(findings(name), ensure_ascii=False)
    assert len(text) < 300_000
    texts = set[str]()
    for row in read_rows(DATA / findings(name)["rows"]["file"]):
        values = [row.sample["output_text"], *row.item.values()]
        texts |= {x for x in values if isinstance(x, str) and len(x) > 20}

    assert len(texts) > 100
    assert not [one for one in texts if json.dumps(one, ensure_ascii=False)[1:-1] in words]
    assert not re.search(r"/(home|root|tmp|work)\b", words)
