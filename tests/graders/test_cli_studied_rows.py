"""The rows that `graders study` is given: their references."""

import json
from pathlib import Path

import pytest
from taught_rows import line, write


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def study(graders, *options):
    code, out, err = graders("study", "out.jsonl", "--json", *options)
    assert (code, err) == (0, "")
    return json.loads(out)


def results(*texts, reference=None):
    """Results of one row with so many samples, without a reference or with one of a length."""
    lines = [
        {
            **json.loads(line(1, i / 4, group=1, output_chars=len(text))),
            "sample_index": i,
            "reference_chars": reference,
        }
        for i, text in enumerate(texts)
    ]
    write("out.jsonl", *lines)


TEXTS = ["a", "abc", "ab"]
RATIOS = [  # of an item and the options, where the reference is found
    ({"gold": "it", "answer": "abcd"}, [], "item.answer"),
    ({"gold": "it"}, [], "item.gold"),
    ({"answer": "", "label": True}, [], "item.label"),
    ({"answers": ["ab", "abc"]}, [], "item.answers"),
    ({"label": 1, "answers": "abc"}, ["--human", "item.label"], "item.answers"),
    ({"answer": None, "answers": []}, [], None),
    (
        {"answer": "x", "deep": {"er": ["abc"]}},
        ["--reference", "item.deep.er[0]"],
        "item.deep.er[0]",
    ),
    ({"right": "it"}, [], None),
    ({}, [], None),
]


@pytest.mark.parametrize(("item", "options", "where"), RATIOS)
def test_a_reference_is_found_where_it_is_said_or_usual(graders, item, options, where):
    """And the study says where; lengths of a python grader's results have none."""
    write("rows.jsonl", {"item": item, "samples": TEXTS})
    results(*TEXTS)
    length = study(graders, "--rows", "rows.jsonl", *options)["length"]
    _, out, _ = graders(
        "study", "out.jsonl", "--rows", "rows.jsonl", *options, "--report", "r.html"
    )
    page = Path("r.html").read_text("utf-8")

    assert length["reference"] == where
    assert length["without_reference"] == (3 if where is None else 0)
    if where is None:
        assert length["with_ratio"]["undefined"] == "there is no reference, or all are empty"
        assert "  --reference PATH says where rows have the reference, for its length\n" in out
    else:
        assert length["with_ratio"]["value"] == length["with_length"]["value"] == 0.5
        assert f"      with length / reference      0.5  of {where}\n" in out
        assert f"With length over the reference&#x27;s, {where}" in page.replace("&#39;", "&#x27;")
        assert "--reference PATH" not in out


def test_what_results_say_of_references_stands_where_no_path_is_named(graders):
    """Whatever usual key the item has."""
    write("rows.jsonl", {"item": {"answer": "abcd", "gold": "xy"}, "samples": TEXTS})
    results(*TEXTS, reference=7)

    assert study(graders, "--rows", "rows.jsonl")["length"]["reference"] is None
    assert study(graders)["length"]["with_ratio"]["value"] == 0.5
    named = study(graders, "--rows", "rows.jsonl", "--reference", "item.gold")
    assert named["length"]["reference"] == "item.gold"


def test_a_run_of_a_grader_without_a_reference_finds_it_in_its_rows(graders):
    """Its rows are read again for their texts."""
    rows = [{"item": {"n": n, "gold": "a" * (n + 1)}, "samples": ["a", "bbb"]} for n in range(9)]
    write("rows.jsonl", *rows)
    source = "def grade(sample, item):\n    return len(sample['output_text']) / 9"
    write("grader.json", {"type": "python", "name": "p", "source": source})
    signal = json.loads(graders("run", "grader.json", "rows.jsonl", "--json")[1])["signal"]

    assert signal["length"]["reference"] == "item.gold"
    assert signal["length"]["with_ratio"]["value"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--reference", "item.a"], "--reference says how --rows is read, and there is no --rows."),
        (["--rows", "rows.jsonl", "--reference", "a"], "--reference: a path begins with item or s"),
        (
            ["--rows", "rows.jsonl", "--reference", "item.b"],
            "--reference: no row has a text at ite",
        ),
        (["--formula", "same", "--reference", "item.a"], "--reference is for a study"),
    ],
)
def test_a_reference_that_is_none(graders, arguments, message):
    """Exit code 2, and a sentence that says what is wrong with it."""
    write("rows.jsonl", {"item": {"a": "abcd"}, "samples": TEXTS})
    results(*TEXTS)
    code, out, err = graders("study", "out.jsonl", *arguments)

    assert (code, out) == (2, "")
    assert message in err
