"""`graders export`: other tools grade the same, or are told to ask us, and what is lost is said.

Their definitions are written here again, from promptfoo 0.123.1 and Inspect 0.3.285: both were run
on rows like these, with the files that are written, and agreed on every one.
"""

import ast
import json
import re
import sys
from types import ModuleType, SimpleNamespace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sample_configs import EXACT, JUDGE, PYTHON

import graders
from graders.cli import main

OUTPUT, ANSWER = "{{ sample.output_text }}", "{{ item.answer }}"
PROMPTFOO = {
    "equals": lambda text, value: text == value,
    "not-equals": lambda text, value: text != value,
    "contains": lambda text, value: value in text,
    "icontains": lambda text, value: value.lower() in text.lower(),
}
TEXTS = [
    ("four", "four"),
    ("Four", "four"),
    (" four", "four"),
    ("a FOUR b", "four"),
    ("four.", "four"),
    ("straße", "STRASSE"),
    ("STRASSE", "ß"),
    ("ΟΔΟΣ", "οδος"),
    ("İ", "i̇"),
    ("4", "4"),
    ("$& \\ \"q\" 'q'", "$& \\ \"q\" 'q'"),
    ("<b>&amp;", "<b>&amp;"),
    ("a\nb", "a\nb"),
    ("", "four"),
]


@pytest.fixture
def exported(tmp_path, monkeypatch, capsys):
    """Write a config, and run `graders export` on it; gives the code, what it said, and files."""
    monkeypatch.chdir(tmp_path)

    def command(config, tool, *options, name="out.yaml"):
        (tmp_path / "grader.json").write_text(json.dumps(config), encoding="utf-8")
        code = main(["export", "grader.json", "--to", tool, "-o", f"made/{name}", *options])
        said = capsys.readouterr()
        files = {path.name: path.read_text("utf-8") for path in (tmp_path / "made").glob("*")}
        return code, said.out + said.err, files

    return command


def check(operation, reference=ANSWER, **more):
    return {**EXACT, "operation": operation, "reference": reference, **more}


def rendered(value, item):
    """A text of promptfoo's templates, which know nothing here but variables."""
    return re.sub(r"\{\{ (\w+) \}\}", lambda slot: item[slot[1]], value)


def asserts_of(files):
    return yaml.safe_load(files["out.yaml"])["defaultTest"]["assert"]


@pytest.mark.parametrize("operation", ["eq", "ne", "like", "ilike"])
@pytest.mark.parametrize("reference", [ANSWER, 'a "{{item.answer}}" \\ %}é\n', "FOUR }}"])
def test_promptfoo_compares_texts_alike(exported, operation, reference):
    config = check(operation, reference)
    code, said, files = exported(config, "promptfoo")

    (one,) = asserts_of(files)
    assert (code, list(files), one["metric"]) == (0, ["out.yaml"], "exact")
    assert f"exact: {one['type']}, the same on texts" in said
    texts = [*TEXTS, ('a "four" \\ %}é\n', "four"), ("four }} ", "x"), ("FOUR }}", "x")]
    rows = [{"item": {"answer": answer}, "sample": text} for text, answer in texts]
    theirs = [
        float(PROMPTFOO[one["type"]](row["sample"], rendered(one["value"], row["item"])))
        for row in rows
    ]
    assert theirs == [grade.score for grade in graders.grade(config, rows)]
    assert {0.0, 1.0} == set(theirs)


class _Inspect:
    """What a written task needs of Inspect: it keeps what it is made of."""

    def __enter__(self):
        def includes(*, ignore_case=True):
            def score(text, target):
                if ignore_case:
                    text, target = text.casefold(), target.casefold()
                return target in text

            return score

        modules = {
            "inspect_ai": {"Task": SimpleNamespace, "task": lambda made: made},
            "inspect_ai.dataset": {
                "Sample": SimpleNamespace,
                "json_dataset": lambda rows, sample: [sample(row) for row in rows],
            },
            "inspect_ai.scorer": {"includes": includes},
            "inspect_ai.solver": {"generate": lambda: None},
        }
        self.before = {name: sys.modules.get(name) for name in modules}
        for name, content in modules.items():
            sys.modules[name] = ModuleType(name)
            vars(sys.modules[name]).update(content)

    def __exit__(self, *_):
        for name, module in self.before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def inspect_task(source, rows):
    namespace = {"__file__": "made/out.py"}
    with _Inspect():
        exec(compile(source, "out.py", "exec"), namespace)
        return namespace["graded"](rows=rows, ask="q")


@pytest.mark.parametrize("reference", [ANSWER, "fo", "a '{{ item.answer }}' \\ {%\n"])
def test_inspect_looks_for_texts_alike(exported, reference):
    config = check("like", reference)
    code, said, files = exported(config, "inspect", name="out.py")

    assert (code, list(files)) == (0, ["out.py"])
    assert "exact: includes, the same on texts" in said
    texts = [*TEXTS, ("a 'four' \\ {%\n", "four"), ("4.0", 4.0), ("null", None), ("[1]", [1])]
    rows = [{"item": {"q": "?", "answer": answer}, "sample": text} for text, answer in texts]
    task = inspect_task(files["out.py"], rows)
    theirs = [
        float(task.scorer(row["sample"], sample.target))
        for row, sample in zip(rows, task.dataset, strict=True)
    ]
    assert theirs == [grade.score for grade in graders.grade(config, rows)]
    assert {0.0, 1.0} == set(theirs)


def test_a_task_asks_messages_or_a_key_of_an_item_and_keeps_it(exported):
    _, _, files = exported(check("like"), "inspect", name="out.py")
    messages = [{"role": "user", "content": "?"}]
    items = [{"answer": "4", "messages": messages}, {"answer": "4", "q": 2}]
    task = inspect_task(files["out.py"], [{"item": items[0], "sample": "4"}, items[1]])

    assert [sample.input for sample in task.dataset] == [messages, "2"]
    assert [sample.metadata for sample in task.dataset] == items


def match_exact(text, target):
    """Inspect's `match(location="exact", ignore_case=False)`, for ASCII punctuation."""
    strip = " \t\n.,!?'\""
    return text.strip().strip(strip) == target.strip().strip(strip)


@pytest.mark.parametrize(
    ("operation", "theirs", "text", "answer"),
    [
        ("eq", match_exact, " Paris.", "Paris"),
        ("ilike", lambda text, part: part.casefold() in text.casefold(), "STRASSE", "ß"),
    ],
)
def test_what_inspect_compares_otherwise_is_not_mapped(exported, operation, theirs, text, answer):
    (grade,) = graders.grade(check(operation), [{"item": {"answer": answer}, "sample": text}])
    assert theirs(text, answer) != bool(grade.score)

    _, said, files = exported(check(operation), "inspect", name="out.py")
    assert "exact: asks local-graders: " in said
    assert "scorer(str(CONFIG))" in files["out.py"]


@pytest.mark.parametrize(
    ("metric", "score", "why"),
    [  # what promptfoo 0.123.1 gave "Don't stop." against "don't stop"
        ("bleu", 0.00022360679774997909, "its bleu splits words at spaces"),
        ("gleu", 1.0, "its gleu drops case and punctuation"),
        ("rouge_1", 0.8571428571428571, "its rouge-n splits words as treebanks do"),
        ("rouge_2", None, "it has rouge-n for n = 1 alone"),
        ("rouge_l", None, "it has rouge-n for n = 1 alone"),
        ("meteor", None, "its meteor needs another package"),
        ("fuzzy_match", None, "its levenshtein counts edits"),
    ],
)
def test_what_promptfoo_measures_otherwise_is_not_mapped(exported, metric, score, why):
    config = similar(metric)
    row = {"item": {"answer": "don't stop"}, "sample": "Don't stop."}
    (grade,) = graders.grade(config, [row])
    assert grade.score != score

    _, said, files = exported(config, "promptfoo")
    assert f"near: asks local-graders: {why}" in said.replace("\n  ", " ")
    assert asserts_of(files)[0]["value"] == "file://out_assert.py:get_assert"


def similar(metric, **more):
    return {
        "type": "text_similarity",
        "name": "near",
        "input": OUTPUT,
        "reference": ANSWER,
        "evaluation_metric": metric,
        "pass_threshold": 0.5,
        **more,
    }


MULTI = {
    "type": "multi",
    "name": "both",
    "graders": {"a": EXACT, "b": similar("bleu")},
    "calculate_output": "max(a, b)",
    "pass_threshold": 0.5,
}
ENDPOINT = {"type": "endpoint", "name": "e", "url": "http://127.0.0.1:9/", "pass_threshold": 1}
LABELS = {**JUDGE, "type": "label_model", "labels": ["a", "b"], "passing_labels": ["a"]}


@pytest.mark.parametrize(
    ("config", "tool", "why"),
    [
        (check("eq", "{{ item.a.b }}"), "promptfoo", "only keys of the item are compared with the"),
        (check("eq", "{{ item }}"), "promptfoo", "only keys of the item are compared with there"),
        (check("eq", input="x {{ sample.output_text }}"), "promptfoo", "only a sample's whole out"),
        (check("eq", "{{ item.is }}"), "promptfoo", "'is' is no variable in its templates"),
        (check("eq", "{{ item.env }}"), "promptfoo", "'env' is no variable in its templates"),
        (check("eq", "{{ item.a-b }}"), "promptfoo", "'a-b' is no variable in its templates"),
        (check("eq", "{{ env.KEY }}"), "promptfoo", "its reference holds what is a template there"),
        (check("eq", "{% if %}"), "promptfoo", "its reference holds what is a template there"),
        (check("eq", "{# a"), "promptfoo", "its reference holds what is a template there"),
        (check("eq", "{{{ item.answer }}"), "promptfoo", "its reference holds what is a template "),
        (check("eq", "file://secret"), "promptfoo", "its reference names what promptfoo would loa"),
        (check("like", ""), "promptfoo", "contains refuses an empty reference"),
        (similar("cosine"), "promptfoo", "its similar asks embeddings of its own provider"),
        (JUDGE, "promptfoo", "its llm-rubric asks in its own words, on its own scale"),
        (LABELS, "promptfoo", "its llm-rubric asks in its own words, and knows no labels"),
        (PYTHON, "promptfoo", "it would run the source bare, without a sandbox"),
        (ENDPOINT, "promptfoo", "its webhook sends another body"),
        (MULTI, "promptfoo", "it makes one score of several by weights, not by a formula"),
        (check("ne"), "inspect", "it has no scorer for texts that must differ"),
        (similar("bleu"), "inspect", "it has no scorer of this metric"),
        (JUDGE, "inspect", "model_graded_qa() asks in its own words for a C or an I, not a number"),
        (LABELS, "inspect", "model_graded_qa() asks in its own words for a C or an I, not a label"),
        (PYTHON, "inspect", "a scorer would run the source bare, without a sandbox"),
        (ENDPOINT, "inspect", "it has no scorer that asks a service"),
        (MULTI, "inspect", "it reports several scorers side by side, and computes no formula"),
        ({"testing_criteria": [EXACT]}, "inspect", "a sample has one target there"),
    ],
)
def test_the_rest_asks_us_and_says_why(exported, config, tool, why):
    threshold = ("--pass-threshold", "0.5") if tool == "promptfoo" else ()
    code, said, files = exported(config, tool, *threshold)

    name = "out_assert.py" if tool == "promptfoo" else "out.yaml"
    said = said.replace("\n  ", " ")
    assert (code, f"asks local-graders: {why}" in said) == (0, True), said
    assert "CONFIG = Path(__file__).parent / '../grader.json'" in files[name]
    ast.parse(files[name])


def test_criteria_go_over_one_by_one(exported):
    criteria = [EXACT, similar("bleu"), check("like", name="in"), {**PYTHON, "pass_threshold": 1.0}]
    code, said, files = exported({"testing_criteria": criteria}, "promptfoo")

    asked = "file://out_assert.py:criterion_"
    assert code == 0
    assert asserts_of(files) == [
        {"type": "equals", "value": ANSWER.replace("item.", ""), "metric": "exact"},
        {"type": "python", "value": f"{asked}2", "metric": "near"},
        {"type": "contains", "value": ANSWER.replace("item.", ""), "metric": "in"},
        {"type": "python", "value": f"{asked}4", "metric": PYTHON["name"]},
    ]
    assert "its score is their mean" in said.replace("\n  ", " ")
    tree = ast.parse(files["out_assert.py"])
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert defined == ["criterion_2", "criterion_4"]
    assert "assertion(CRITERIA[1])(output, context)" in files["out_assert.py"]


def test_what_is_written_asks_as_we_grade(exported, monkeypatch, tmp_path):
    """Through the assertion that these files import."""
    monkeypatch.syspath_prepend(tmp_path / "made")
    criteria = [EXACT, similar("bleu"), similar("gleu", name="other")]
    _, _, files = exported({"testing_criteria": criteria}, "promptfoo")
    namespace = {"__file__": str(tmp_path / "made" / "out_assert.py")}
    exec(compile(files["out_assert.py"], "out_assert.py", "exec"), namespace)
    for text, answer in TEXTS:
        item = {"answer": answer}
        for number, criterion in ((2, criteria[1]), (3, criteria[2])):
            theirs = namespace[f"criterion_{number}"](text, {"vars": item})
            (ours,) = graders.grade(criterion, [{"item": item, "sample": text}])
            assert (theirs["score"], theirs["pass"]) == (ours.score, ours.passed)


@given(name=st.text(min_size=1), literal=st.text())
def test_any_name_and_text_is_only_a_text_in_what_is_written(name, literal):
    """Nothing of a config becomes code, a template, or a line of its own."""
    from graders.config.parse import parse_config
    from graders.moving.exported import Source
    from graders.moving.to_inspect import to_inspect
    from graders.moving.to_promptfoo import to_promptfoo
    from graders.profile import OPENAI

    for operation in ("like", "ne"):
        config = check(operation, f"{literal.replace('{', '(')}{ANSWER}", name=name)
        document = parse_config(config)
        source = Source(document=document, path=name, profile=OPENAI, options={"profile": name})
        made = to_promptfoo(source, "out.yaml")
        (one,) = asserts_of(made.files)
        assert "{{" not in one["metric"]
        if one["type"] != "python":
            assert one["value"] == config["reference"].replace("item.", "")
        for files in (made.files, to_inspect(source, "out.py").files):
            for python in (text for file, text in files.items() if file.endswith(".py")):
                tree = ast.parse(python)
                named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
                assert named <= _NAMES
        tree = ast.parse(to_inspect(source, "out.py").files["out.py"].encode("utf-8", "replace"))
        if operation == "like":
            (target,) = (
                word.value for word in ast.walk(tree)
                if isinstance(word, ast.keyword) and word.arg == "target"
            )  # fmt: skip
            said = [n.value for n in ast.walk(target) if isinstance(n, ast.Constant)]
            assert said == [*([config["reference"][: -len(ANSWER)]] if literal else []), "answer"]


_NAMES = {
    *("CONFIG", "CRITERIA", "Path", "Sample", "Task", "__file__", "ask", "asked", "assertion"),
    *("generate", "includes", "isinstance", "item", "json", "json_dataset", "record", "rows"),
    *("sample", "scored", "scorer", "str", "task", "text", "value"),
}


def test_settings_go_along(exported):
    options = ("--profile", "azure", "--set", "member_failure=zero", "--pass-threshold", "0.25")
    _, _, files = exported(MULTI, "promptfoo", *options)

    given = "profile='azure', settings={'member_failure': 'zero'}"
    assert f"get_assert = assertion(CONFIG, {given}, threshold=0.25)" in files["out_assert.py"]
    _, said, _ = exported(check("eq"), "promptfoo", "--overwrite", "--set", "render=python")
    assert "asks local-graders: it knows no render=python" in said


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {**PYTHON, "pass_threshold": None},
            "pass_threshold: 'short' does not say when a score passes, and promptfoo asks. Give it "
            "a pass_threshold, or give --pass-threshold.",
        ),
        (check("neq"), "operation: 'neq' is not one of eq, ne, like, ilike"),
        (check("eq", "{{ item..a }}"), "reference: a path goes on with .key or [0]"),
    ],
)
def test_what_cannot_be_exported_is_refused(exported, config, message):
    code, said, files = exported({**config, "name": "short"}, "promptfoo")

    assert (code, files) == (2, {})
    assert f"graders: {message}" in said


def test_inspect_knows_no_threshold(exported):
    code, said, _ = exported(EXACT, "inspect", "--pass-threshold", "0.5")

    assert (code, "--pass-threshold is for promptfoo; Inspect knows none." in said) == (2, True)


@pytest.mark.parametrize("threshold", ["nan", "inf"])
def test_a_threshold_is_a_number(exported, threshold):
    code, said, files = exported(PYTHON, "promptfoo", "--pass-threshold", threshold)

    assert (code, files) == (2, {})
    assert f"Invalid value for --pass-threshold: {threshold} is not a number" in said


def test_files_that_are_there_are_kept(exported, tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "out_assert.py").write_text("kept", encoding="utf-8")
    code, said, files = exported(MULTI, "promptfoo")

    assert (code, files) == (2, {"out_assert.py": "kept"})
    assert "graders: made/out_assert.py exists; --overwrite replaces it.\n" in said
    assert exported(MULTI, "promptfoo", "--overwrite")[0] == 0
