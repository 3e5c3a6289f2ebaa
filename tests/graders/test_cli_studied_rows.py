"""The rows that `graders study` is given: their references, and whether they were graded."""

import json
from pathlib import Path

import pytest
from taught_rows import MULTI, ROWS, SAME, line, write


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


MORE = "Places and lengths of texts agree, and more cannot be checked"


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


# --- references


TEXTS = ["a", "abc", "ab"]
RATIOS = [  # of an item and the options, where the reference is found
    ({"gold": "it", "answer": "abcd"}, [], "item.answer"),
    ({"gold": "it"}, [], "item.gold"),
    ({"answer": "", "label": "abcd"}, [], "item.label"),
    ({"label": True}, [], None),
    ({"label": 1}, [], None),
    ({"label": [0, 1], "answers": "abc"}, [], "item.answers"),
    ({"label": True}, ["--reference", "item.label"], "item.label"),
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


# --- whether they are the rows that were graded


GRADED = [{"item": {"a": "x", "n": n}, "samples": ["x", "y"]} for n in range(3)]
FLAT = [{"a": "x", "n": n // 2, "output_text": "xy"[n % 2]} for n in range(6)]
MISTAKEN = [*FLAT[:4], {**FLAT[4], "a": "z"}, FLAT[5]]  # a label divides, mending joins


@pytest.mark.parametrize(
    ("graded", "other", "problem"),
    [
        (
            GRADED,
            [*GRADED[:2], {**GRADED[2], "samples": ["x"]}],
            "row 3, sample 1: it was graded, and the line has no such sample here. Name the file "
            "that was graded, with --outputs as then",
        ),
        (
            FLAT,
            [FLAT[0], *FLAT[:5]],
            "row 3, sample 0: its item began in line 3 when it was graded and begins in line 1 "
            "here. Name the file that was graded, with --column as then; if items of it were "
            "edited since, name it as it was, or grade it again",
        ),
        (
            MISTAKEN,
            [{**row, "a": "x", "label": int(n == 1)} for n, row in enumerate(MISTAKEN)],
            "row 2, sample 0: its item began in line 1 when it was graded and begins in line 2 "
            "here. Name the file that was graded, with --column as then; if items of it were "
            "edited since, name it as it was, or grade it again",
        ),
    ],
)
def test_other_rows_with_texts_of_one_length_are_refused(graders, graded, other, problem):
    """By the samples of a line, and by where an item begins."""
    write("rows.jsonl", *graded)
    write("other.jsonl", *other)
    write("grader.json", SAME)
    graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl")
    code, out, err = graders("study", "out.jsonl", "--rows", "other.jsonl")

    assert (code, out) == (2, "")
    assert err == f"graders: other.jsonl: {problem}\n"


def test_labels_that_were_added_to_flat_rows_since_divide_items_and_are_read(graders):
    """A flat line is the item, so that each label makes its own; results know what they were."""
    write("rows.jsonl", *FLAT)
    write("grader.json", SAME)
    graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl")
    write("rows.jsonl", *[{**row, "human": i} for i, row in enumerate(FLAT)])
    options = ("--rows", "rows.jsonl", "--human", "item.human", "--json")
    code, out, err = graders("study", "out.jsonl", *options)

    assert code == 0
    assert json.loads(out)["human"]["samples"] == 6
    assert json.loads(out)["groups"]["groups"] == 3
    assert (
        err == f"warning: rows.jsonl is not rows.jsonl as it was graded, by its SHA-256. {MORE}\n"
    )


def test_groups_that_are_named_by_a_value_are_no_lines(graders):
    """And what was drawn or filtered is studied as it is."""
    write("rows.jsonl", *FLAT)
    write("grader.json", SAME)
    graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl", "--group-by", "item.n")
    named = study(graders, "--rows", "rows.jsonl")
    kept = Path("out.jsonl").read_text().splitlines(keepends=True)
    write("out.jsonl", *kept[1:4])
    filtered = study(graders, "--rows", "rows.jsonl")

    assert named["texts"] == {"found": 6, "bad_lines": 0}
    assert filtered["texts"] == {"found": 3, "bad_lines": 0}


def test_earlier_results_of_items_that_begin_elsewhere_are_refused(graders):
    """Though every output is as long as it was."""
    write("grader.json", SAME)
    write("rows.jsonl", *FLAT)
    graders("run", "grader.json", "rows.jsonl", "-o", "old.jsonl")
    write("rows.jsonl", FLAT[0], *FLAT[:5])
    graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl")
    code, out, err = graders("study", "out.jsonl", "--against", "old.jsonl")

    assert (code, out) == (2, "")
    assert err == (
        "graders: old.jsonl: row 3, sample 0: its item began in line 3 and begins in line 1 now. "
        "Name earlier results of the same rows; if items of them were edited since, grade them "
        "again\n"
    )


def test_a_file_of_other_bytes_is_told_where_the_run_knows_them(graders):
    """One letter for another changes no length; and labels may have been added."""
    write("rows.jsonl", *ROWS)
    write("grader.json", MULTI)
    graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl")
    write("other.jsonl", *[{**row, "item": {**row["item"], "a": "efgh"}} for row in ROWS])
    graders("run", "grader.json", "other.jsonl", "-o", "new.jsonl")
    same = graders("study", "out.jsonl", "--rows", "rows.jsonl", "--against", "out.jsonl")
    other = graders("study", "out.jsonl", "--rows", "other.jsonl")
    against = graders("study", "new.jsonl", "--against", "out.jsonl")
    Path("out.run/manifest.json").write_text("{oops")
    damaged = graders("study", "out.jsonl", "--rows", "other.jsonl")

    assert [code for code, _, _ in (same, other, against, damaged)] == [0] * 4
    assert (same[2], damaged[2]) == ("", "")
    what = "other.jsonl is not rows.jsonl as it was graded, by its SHA-256"
    assert other[2] == f"warning: {what}. {MORE}\n"
    assert against[2] == f"warning: out.jsonl: {what}. {MORE}\n"


def test_a_group_may_be_any_number(graders):
    """Also where the rows of a run are read again, for their texts."""
    values = [10**30, -(10**30), 7]
    write("rows.jsonl", *[{"item": {"a": "x", "n": n}, "samples": ["x", "y"]} for n in values])
    write("grader.json", SAME)
    code, out, _ = graders("run", "grader.json", "rows.jsonl", "--json", "--group-by", "item.n")

    assert code == 0
    assert json.loads(out)["signal"]["noise"]["equal_outputs"] is not None


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
