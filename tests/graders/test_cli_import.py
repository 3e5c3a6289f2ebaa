"""`graders import`: dumps of the hosted API become a config and rows with the same numbers."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from eval_runs import EXACT, JUDGE, ROWS, SIMILAR, GatedJudge, graded, inline, make
from hosted_dumps import HIT, ONE, item
from sdk_asked import EVAL, JOB, SHORT, request
from serving import jsonl, serving

from graders.cli import main
from graders.compile import Tools
from graders.server.settings import Settings
from sandbox import open_sandbox

GRADED = [*ROWS, {"item": {}, "sample": {"output_text": "x"}}, {"item": {"answer": ""}}]


@pytest.fixture(scope="module")
def walked():
    """An eval by several kinds of graders, its run over rows of which two fail, and its items."""
    with (
        closing(open_sandbox()) as sandbox,
        serving(Settings(tools=Tools(sandbox=sandbox))) as served,
    ):
        one = make(served, EXACT, SIMILAR, SHORT)
        told, items = graded(served, one, inline(GRADED))
        page = served.openai.evals.runs.output_items.list(told.id, eval_id=one.id)
        retrieved = served.openai.evals.retrieve(one.id)
        return retrieved.model_dump(), told.to_dict(), [i.to_dict() for i in items], page.to_dict()


def test_what_a_server_graded_is_graded_the_same_from_its_dump(imported, run, walked):
    one, told, items, page = walked
    code, said, files = imported(one, jsonl(*items), options=["--check"])

    assert code == 0
    assert "checked 15 hosted scores of 5 rows: all are the same here, to the last digit" in said
    assert [row["item"] for row in files["rows.jsonl"]] == [row["item"] for row in GRADED]
    assert said.endswith("next: graders run out/grader.json out/rows.jsonl\n")
    code, _, _ = run("out/grader.json", "out/rows.jsonl", "-o", "results.jsonl")
    assert code == 1  # two rows failed, as they did there
    lines = Path("results.jsonl").read_text("utf-8").splitlines()
    parts = [json.loads(line)["parts"].values() for line in lines]
    ours = [[part["score"] or 0.0 for part in one] for one in parts]
    assert ours == [[result["score"] for result in item["results"]] for item in items]
    for dumps in ([page, one], [[one, told], items]):  # in another form, the same
        assert imported(*dumps, options=["--overwrite"])[2] == files


def test_a_judges_scores_are_compared_too(imported, judged_by):
    row = {"item": {"answer": "4"}, "sample": {"output_text": "yes"}}
    with serving(Settings(tools=Tools(client=GatedJudge()))) as served:
        one = make(served, JUDGE)
        _, items = graded(served, one, inline([row]))
        dumps = [one.to_dict(), [item.to_dict() for item in items]]
    code, said, _ = imported(*dumps, options=["--check", *judged_by("GatedJudge")])

    assert (code, "checked 1 hosted score of 1 row: all" in said) == (0, True), said


@pytest.fixture
def judged_by():
    return lambda name: ["--client", f"eval_runs:{name}"]


@pytest.mark.parametrize(
    ("results", "line"),
    [
        ([{**HIT, "score": 0.25}], "row 1, exact: 1.0 passed here, 0.25 passed hosted"),
        ([{**HIT, "passed": False}], "row 1, exact: 1.0 passed here, 1.0 not passed hosted"),
        (
            [{**HIT, "sample": {"error": {"message": "away"}}}],
            "row 1, exact: 1.0 passed here, failed (away) hosted",
        ),
        ([{**HIT, "score": None}], "row 1, exact: 1.0 passed here, no score hosted"),
        (
            [{**HIT, "score": None, "passed": None, "label": "error"}],
            "row 1, exact: 1.0 passed here, failed (error) hosted",
        ),
        (
            [{**HIT, "score": None, "label": "error", "sample": {"error": {"message": "away"}}}],
            "row 1, exact: 1.0 passed here, failed (away) hosted",
        ),
        ([{**HIT, "name": "other"}], "row 1, other: no such grader here, 1.0 passed hosted"),
        ([HIT, HIT], "row 1, exact: no such grader here, 1.0 passed hosted"),
    ],
)
def test_a_score_that_is_not_the_hosted_one_is_named(imported, results, line):
    code, said, _ = imported(ONE, item(results), options=["--check"])

    assert code == 1
    assert f"  {line}\n" in said


@pytest.mark.parametrize("result", [{"score": None}, {"score": None, "label": "error"}])
def test_no_score_there_and_a_failure_here_are_the_same(imported, result):
    """And what failed there hides nothing of the others."""
    failed = item([{**HIT, "passed": None, **result}], datasource_item={"other": "4"})
    code, said, files = imported(ONE, failed, item([HIT], id="b"), options=["--check"])

    assert (code, "checked 2 hosted scores of 2 rows: all are the same" in said) == (0, True), said
    (kept,) = files["rows.jsonl"][0]["hosted"]["results"]
    error = {"error": result["label"]} if "label" in result else {}
    assert kept == {"name": "exact", "score": None, "passed": None, **error}


def test_a_failure_here_is_no_score_of_zero_there(imported):
    missed = item([{**HIT, "score": 0.0, "passed": False}], datasource_item={"other": "4"})
    code, said, _ = imported(ONE, missed, options=["--check"])

    assert code == 1
    assert "0 are the same here" in said
    assert "row 1, exact: failed ({{ item.answer }}: item has no field 'answer'." in said


def test_a_criterion_without_a_result_is_a_difference(imported):
    two = {**ONE, "testing_criteria": [EXACT, {**EXACT, "name": "again"}]}
    code, said, _ = imported(two, item([HIT]), options=["--check"])

    assert (code, "row 1, again: 1.0 passed here, no result hosted" in said) == (1, True)


def test_criteria_of_one_name_are_told_apart_by_their_ids(imported):
    ids = [f"exact-{i * 8}-0000-4000-8000-000000000000" for i in "ab"]
    criteria = [{**EXACT, "id": ids[0]}, {**EXACT, "operation": "ne", "id": ids[1]}]
    results = [{**HIT, "name": ids[1], "score": 0.0, "passed": False}, {**HIT, "name": ids[0]}]
    code, said, files = imported(
        {**ONE, "testing_criteria": criteria}, item(results), options=["--check"]
    )

    assert (code, "checked 2 hosted scores of 1 row: all" in said) == (0, True), said
    assert "id" not in files["grader.json"]["testing_criteria"][0]


def test_an_output_item_becomes_a_row_with_its_scores_beside_the_sample(imported):
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = {"role": "assistant", "content": [{"type": "output_text", "text": "a"}], "name": None}
    sample = {
        "error": None,
        "finish_reason": "tool_calls",
        "input": [{"role": "user", "content": "q"}],
        "model": "gpt-4o",
        "output": [{"role": "tool", "content": "no"}, {**said, "tool_calls": [call]}],
        "usage": {"total_tokens": 0},
    }
    nested = {"item": {"answer": "4"}, "sample": {"output_json": {"b": 1}}}
    other = item([], id="outputitem_2", datasource_item=nested, sample={"output": []})
    dumps = [item([HIT], sample=sample), other]
    code, out, files = imported(dumps)

    first, second = files["rows.jsonl"]
    assert (code, "next: graders run CONFIG out/rows.jsonl" in out) == (0, True)
    assert first["item"] == second["item"] == {"answer": "4"}
    assert first["hosted"]["results"] == [HIT]
    assert first["sample"]["output_text"] == "a"
    assert first["sample"]["choices"][0]["message"]["tool_calls"] == [call]
    assert first["sample"]["choices"][0]["finish_reason"] == "tool_calls"
    assert "usage" not in first["sample"]
    assert second["sample"] == {"output_json": {"b": 1}}


WITHOUT_SAMPLE = {"item": {"answer": "4"}}
METHOD = JOB["method"]
SEVERAL = {"item": {"answer": "4"}, "samples": ["4", "5"]}


@pytest.mark.parametrize(
    ("dumps", "found", "config", "rows"),
    [
        ([EVAL], "1 eval", "an Evals body with 4 criteria", None),
        ([EVAL, {"data_source": inline(ROWS)}], "1 eval, 1 run of an eval", "an Evals body", ROWS),
        ([EVAL, *ROWS], "1 eval, 3 rows", "an Evals body with 4 criteria", ROWS),
        ([EXACT, SEVERAL], "1 grader, 1 row", "a string_check grader", [SEVERAL]),
        ([JOB], "1 fine-tuning job", "a reinforcement method with a string_check", None),
        ([METHOD], "1 method", "a reinforcement method with a string_check", None),
        ([METHOD["reinforcement"]], "1 method", "a reinforcement method with", None),
        ([{"grader": EXACT}], "1 grader", "a string_check grader named 'exact'", None),
        ([{"kwargs": JOB}], "1 fine-tuning job", "a reinforcement method", None),
        (
            [jsonl(*({"json_data": request(EXACT, text)} for text in "ab"))],
            "2 run requests",
            "a string_check grader named 'exact'",
            [{"item": {"answer": "woolly"}, "sample": text} for text in "ab"],
        ),
    ],
)
def test_each_form_is_told_by_its_content(imported, dumps, found, config, rows):
    code, said, files = imported(*dumps)

    assert code == 0
    assert said.startswith(f"found {found}\n")
    assert f"wrote out/grader.json: {config}" in said
    assert files.get("rows.jsonl") == rows
    assert main(["validate", "out/grader.json"]) == 0


def test_rows_without_samples_are_to_be_sampled_first(imported):
    source = {"type": "completions", "source": inline([WITHOUT_SAMPLE])["source"]}
    _, said, files = imported(EVAL, {"data_source": source})

    assert files["rows.jsonl"] == [WITHOUT_SAMPLE]
    assert "next: graders sample out/rows.jsonl --model MODEL -o out/samples.jsonl\n" in said


def test_requests_of_several_graders_are_several_configs(imported):
    other = {**EXACT, "operation": "ne"}
    dump = [request(EXACT, "a"), request(other, "b"), request(EXACT, "c")]
    _, said, files = imported(dump)

    assert [row["sample"] for row in files["rows-1.jsonl"]] == ["a", "c"]
    assert [row["sample"] for row in files["rows-2.jsonl"]] == ["b"]
    assert files["grader-2.json"]["operation"] == "ne"
    assert "next: graders run out/grader-2.json out/rows-2.jsonl" in said


def test_credentials_stay_behind_unless_they_are_wanted(imported):
    url, secret = "https://me:pw@host/grade?code=s3cret#s3cret", "Bearer s3cret"
    endpoint = {"type": "endpoint", "name": "e", "url": url, "headers": {"Authorization": secret}}
    tool = {"name": "t", "server_url": "https://host/?code=s3cret", "headers": {"x-key": "s3cret"}}
    method = {"grader": endpoint, "tools": [tool], "hyperparameters": {}}
    job = {"model": "o4-mini", "method": {"type": "reinforcement", "reinforcement": method}}
    logged = {"url": "https://r.openai.azure.com/x", "headers": {"api-key": "s3cret"}, "body": job}
    code, said, files = imported(logged)

    assert code == 0
    assert "s3cret" not in json.dumps(files) + said
    path = "out/grader.json: reinforcement.grader.headers.Authorization"
    assert f"warning: {path}: a credential was left behind" in said
    assert "warning: out/grader.json: reinforcement.tools[0].headers" in said
    code, said, files = imported(logged, options=["--overwrite", "--with-secrets"])
    assert files["grader.json"]["reinforcement"]["grader"] == endpoint
    assert "left behind" not in said


@pytest.mark.parametrize("key", ["data_source_config", "metadata"])
def test_credentials_beside_the_criteria_of_an_eval_stay_behind(imported, key):
    body = {"testing_criteria": [EXACT], key: {"type": "custom", "headers": {"key": "s3cret"}}}
    code, said, files = imported(body)

    assert code == 0
    assert "s3cret" not in json.dumps(files) + said
    assert f"warning: out/grader.json: {key}.headers.key: a credential was left behind" in said


@pytest.mark.parametrize(
    ("metric", "profiles"),
    [("bleu", ["azure"]), ("rouge_l", ["azure-docs"]), ("fuzzy_match", [])],
)
def test_what_is_azures_names_the_profiles_that_change_its_numbers(imported, metric, profiles):
    grader = {**SIMILAR, "evaluation_metric": metric}
    method = {"type": "reinforcement", "reinforcement": {"grader": grader}}
    _, said, _ = imported({"model": "o4-mini", "trainingType": "globalStandard", "method": method})

    assert "it is Azure's" in said
    assert [
        p for p in ("azure", "azure-docs") if f"--profile {p} may be nearer" in said
    ] == profiles


def test_a_judge_of_azure_is_a_deployment(imported):
    _, said, _ = imported({"url": "https://r.openai.azure.com/v1", "body": {"grader": JUDGE}})

    assert "the judge 'gpt-4o' is a deployment's name in Azure; --judge names another" in said


def test_files_that_are_there_are_kept(imported, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "rows.jsonl").write_text('{"kept": 1}\n', encoding="utf-8")
    code, said, files = imported(EVAL, *ROWS)

    assert (code, files) == (2, {"rows.jsonl": [{"kept": 1}]})
    assert "graders: out/rows.jsonl exists; --overwrite replaces it.\n" in said
    code, _, files = imported(EVAL, *ROWS, options=["--overwrite"])
    assert (code, files["rows.jsonl"]) == (0, ROWS)


@pytest.mark.parametrize("lines", [False, True])
def test_what_python_printed_is_read_as_json_is(imported, lines):
    """A log of `print(request)`, whole or a dict on each line."""
    dumps = [ONE, item([HIT]), {**item([HIT]), "sample": {"output": [{"content": "it's \x1b\n"}]}}]
    printed = "\n".join(map(repr, dumps)) if lines else repr(dumps)

    assert imported(printed.encode())[2] == imported(dumps)[2]


def test_names_in_a_dump_are_no_paths(imported, tmp_path):
    name = "../../evil\x1b[2J"
    one = {**ONE, "id": name, "name": name, "testing_criteria": [{**EXACT, "name": name}]}
    code, said, files = imported(one, item([{**HIT, "name": name}], eval_id=name))

    assert (code, sorted(files)) == (0, ["grader.json", "rows.jsonl"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dump0.json", "dump1.json", "out"]
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("dumps", "message"),
    [
        ([b"{"], "dump0.json:1:2: not JSON: Expecting property name enclosed in double quotes"),
        ([b"Eval(id='eval_1')"], "dump0.json:1:1: not JSON: it is what Python prints; write "
         "JSON: json.dumps(VALUE), or VALUE.model_dump_json() of an SDK's object"),
        ([b"{'type': 'x', 'at': datetime.datetime(2024, 5, 1)}"], "dump0.json:1:2: not JSON: it is "
         "what Python prints; write JSON: json.dumps(VALUE)"),
        ([b"{'id': b'x'}"], "dump0.json:1:2: not JSON: it is what Python prints"),
        ([b"{'id': float('nan'), 'type': nan}"], "dump0.json:1:2: not JSON: it is what Python"),
        ([b"{'type': 'multi', 'type': 'python'}"], "dump0.json:1:2: not JSON: it is what Python"),
        ([b"[None, ('a',)]"], "dump0.json:1:2: not JSON: it is what Python prints"),
        ([b"['a' 'b']"], "dump0.json:1:2: not JSON: it is what Python prints"),
        ([b"{'a': '\\x'}"], "dump0.json:1:2: not JSON: it is what Python prints"),
        ([b"<html>"], "dump0.json:1:1: not JSON: Expecting value"),
        ([b'{"type": 1}\n{"a": }\n'], "dump0.json:1: is an object with 'type', and not an eval"),
        ([jsonl(EXACT) + b"{]\n"], "dump0.json:2:2: not JSON: Expecting property name"),
        ([{"data": [EXACT, {"object": "file"}]}], "dump0.json: data[1]: is an object with 'obj"),
        ([[3]], "dump0.json: [0]: is a number, and not an eval, an output item, a run of an e"),
        ([item([{"score": 1}])], "dump0.json: results[0] lacks a name, or a number or null as"),
        ([item([{"name": "a"}])], "dump0.json: results[0] lacks a name, or a number or null as"),
        ([item([], sample=None)], "dump0.json: sample is null, and must be an object"),
        ([item([], datasource_item=[])], "dump0.json: datasource_item is a list, and must be an"),
        ([item(None)], "dump0.json: results is null, and must be a list"),
        ([{"data_source": inline([3])}], "dump0.json: data_source.source.content[0]: is no row: "),
        ([{"item": {}, "sample": 3}], "dump0.json: sample: is a number"),
        ([{"grader": EXACT, "model_sample": 3}], "dump0.json: model_sample: is a number"),
        ([{**EVAL, "testing_criteria": 3}], "dump0.json: testing_criteria: must be a list of obj"),
        (
            [{**ONE, "testing_criteria": [{**EXACT, "operation": "neq"}]}],
            "dump0.json: testing_criteria[0].operation: 'neq' is not one of eq, ne, like, ilike.",
        ),
        (
            [{**ONE, "testing_criteria": [{"type": "azure_ai_evaluator", "name": "f"}]}],
            "dump0.json: testing_criteria: all are criteria that only Azure runs, such as "
            "'azure_ai_evaluator'. Ask the same of a judge, in a score_model.",
        ),
        (
            [{**ONE, "testing_criteria": [{"type": "azure_ai_evaluator"}, {**EXACT, "type": "x"}]}],
            "dump0.json: testing_criteria[1].type: 'x' is not one of string_check, ",
        ),
        ([{"type": "dpo", "dpo": {}}], "dump0.json: method: only reinforcement methods have a "),
        ([{"object": "fine_tuning.job", "method": None}], "dump0.json: fine-tuning job: only rein"),
        (
            [{"object": "eval.run", "data_source": {"type": "jsonl", "source": {"type": "file_id",
                                                                                "id": "file-1"}}}],
            "dump0.json: run of an eval: its rows are in the file 'file-1': download it",
        ),
        (
            [ONE, {**ONE, "id": "eval_2", "name": "other"}, item([], eval_id="eval_3")],
            "dump2.json: this output item is of 'eval_3', and there are 2 configs: 'eval_1', ",
        ),
        (
            [ONE, item([HIT]), item([{**HIT, "score": 0.5}])],
            "dump2.json: output item 'outputitem_1' says something else than at dump1.json. Import "
            "one of both.",
        ),
        ([ONE, item([], eval_id="eval_3")], "dump1.json: this output item is of 'eval_3', and the"),
        ([ONE, {**ONE, "id": "b", "name": "b"}, *ROWS], "dump2.json: this row does not say who"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_with_its_place(imported, dumps, message):
    code, said, files = imported(*dumps)

    assert (code, files) == (2, {})
    assert f"graders: {message}" in said


def test_what_is_read_is_never_replaced(imported, capsys):
    assert imported(EVAL, *ROWS)[0] == 0
    before = Path("out/rows.jsonl").read_bytes()
    assert main(["import", "out/grader.json", "out/rows.jsonl", "-o", "out", "--overwrite"]) == 2
    assert "would overwrite the input out/grader.json" in capsys.readouterr().err
    assert Path("out/rows.jsonl").read_bytes() == before


def test_check_wants_hosted_scores(imported):
    code, said, files = imported(EVAL, options=["--check"])

    assert (code, files) == (2, {})
    assert (
        "--check compares with hosted scores, and FILES have no config with output items." in said
    )
