"""`graders import`: what a dump holds and cannot be taken is left out by name, never silently."""

import pytest
from eval_runs import EXACT
from hosted_dumps import HIT, ONE, item
from sdk_asked import JOB

COHERENT = {"type": "azure_ai_evaluator", "name": "coherent", "evaluator_name": "builtin.coherence"}


@pytest.mark.parametrize("ids", [{}, {"id": "coherent-1"}])
def test_criteria_that_only_azure_runs_are_left_out_by_name(imported, ids):
    """The others are compared as ever, and what the service says of all of them is not."""
    evaluator = {**COHERENT, **ids}
    told = {"name": ids.get("id", "coherent"), "score": 5.0, "passed": False}
    one = {**ONE, "data_source_config": {"type": "azure_ai_source", "scenario": "responses"}}
    criteria = [evaluator, EXACT]
    dumps = [{**one, "testing_criteria": criteria}, item([told, told, HIT], status="fail")]
    code, said, files = imported(*dumps, options=["--check"])

    assert code == 0
    assert files["grader.json"]["testing_criteria"] == [EXACT]
    assert (
        "  left out: criterion 1, 'coherent': only Azure runs azure_ai_evaluator\n"
        "  warning: whether a whole item passes is not comparable without what is left out\n"
    ) in said
    assert "not compared: 2 results of criteria that are left out\n" in said
    assert "checked 1 hosted score of 1 row: all are the same here, to the last digit" in said


def test_an_eval_without_what_is_left_out_is_another_eval(imported):
    """One of both says less than the service did, and the other does not."""
    both = {**ONE, "id": "eval_2", "testing_criteria": [COHERENT, EXACT]}
    code, _, files = imported(ONE, both, item([HIT]), item([HIT], eval_id="eval_2", run_id="b"))

    assert (code, files["grader-1.json"] == files["grader-2.json"]) == (0, True)
    assert [len(files[f"rows-{i}.jsonl"]) for i in (1, 2)] == [1, 1]


def test_a_run_over_a_file_is_left_out_beside_its_items(imported):
    source = {"type": "jsonl", "source": {"type": "file_id", "id": "file-1"}}
    code, said, files = imported(ONE, {"object": "eval.run", "data_source": source}, item([HIT]))

    assert (code, len(files["rows.jsonl"])) == (0, 1)
    assert "left out: dump1.json: its rows are in the file 'file-1'" in said


def test_jobs_without_a_grader_are_left_out_of_a_page(imported):
    supervised = {"object": "fine_tuning.job", "method": {"type": "supervised"}}
    code, said, _ = imported({"object": "list", "data": [supervised, JOB]})

    assert (code, said.startswith("found 2 fine-tuning jobs\n")) == (0, True)
    assert "left out: dump0.json: data[0]: only reinforcement methods have a grader" in said


def page(*entries, more):
    return {"object": "list", "data": list(entries), "has_more": more}


@pytest.mark.parametrize(
    ("dumps", "places"),
    [
        ([page(item([HIT]), more=False)], []),
        ([page(item([HIT]), more=True)], ["dump1.json"]),
        ([[page(item([HIT]), more=True)] * 2], ["dump1.json: [1]"]),
        ([page(item([HIT]), more=True), page(item([HIT]), more=False)], []),
        (
            [page(item([HIT], run_id="a"), more=True), page(item([HIT], run_id="b"), more=False)],
            ["dump1.json"],
        ),
        ([page({**ONE, "object": "eval"}, more=True)], ["dump1.json"]),
    ],
)
def test_a_list_without_its_last_page_is_not_whole(imported, dumps, places):
    """Rows are missing there, and nobody would see it."""
    code, said, files = imported(ONE, *dumps)

    assert (code, "grader.json" in files) == (0, True)
    warned = [line for line in said.splitlines() if "has_more" in line]
    assert [line.split(": has_more")[0] for line in warned] == [f"  warning: {p}" for p in places]


@pytest.mark.parametrize(
    ("dumps", "left_out", "rows"),
    [
        ([item([HIT]), item([HIT])], "1 output item told once more, the first at dump2.json", 1),
        (
            [page(item([HIT]), item([HIT], id="b"), more=True), page(item([HIT]), more=False)],
            "1 output item told once more, the first at dump2.json: data[0]",
            2,
        ),
        ([[item([HIT])] * 3], "2 output items told once more, the first at dump1.json: [1]", 1),
        ([item([HIT]), item([HIT], run_id="b")], None, 2),
        ([item([HIT]), item([HIT], id="b")], None, 2),
        ([item([HIT], id=None), item([HIT], id=None)], None, 2),
    ],
)
def test_an_output_item_that_is_told_twice_is_one_row(imported, dumps, left_out, rows):
    """Pages overlap, and files are given twice; the same item of another run is another row."""
    code, said, files = imported(ONE, *dumps, options=["--check"])

    assert (code, len(files["rows.jsonl"])) == (0, rows)
    of = f"{rows} hosted score{'s' * (rows > 1)} of {rows} row{'s' * (rows > 1)}"
    assert f"checked {of}: all are the same here" in said
    assert [line for line in said.splitlines() if "left out" in line] == (
        [f"  left out: {left_out}"] if left_out else []
    )


def test_items_of_two_evals_with_the_same_ids_are_rows_of_both(imported):
    """Also where they do not say of which run they are."""
    two = {**ONE, "id": "eval_2", "name": "theirs", "testing_criteria": [COHERENT, EXACT]}
    items = [item([HIT], answer, eval_id=f"eval_{answer}", run_id=None) for answer in "12"]
    code, _, files = imported(ONE, two, items)

    assert code == 0
    assert [len(files[f"rows-{i}.jsonl"]) for i in (1, 2)] == [1, 1]
