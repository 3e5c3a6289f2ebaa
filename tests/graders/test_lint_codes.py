"""The table of codes is true: its examples, its page, the mistakes that real users make."""

import ast
import re
from pathlib import Path

import pytest
from linting import codes, found, linted
from sample_configs import EXACT, JUDGE, LABEL, PYTHON, SIMILAR

import graders
from graders.lint.codes import CODES, SUBJECTS
from graders.lint.page import page
from graders.starter import CONFIGS, FILES

PACKAGE = Path(graders.__file__).parent
SHOWN = [code for code in CODES.values() if not code.here]
ENDPOINT = {"type": "endpoint", "name": "far", "url": "https://example.com/grade"}
QUIET = "def grade(sample, item):\n    return 0.5"


def outcome(folder, example):
    options = {"target": example.target, "split": example.split}
    return codes(folder, example.config, example.rows, **options)


# --- the table


@pytest.mark.parametrize("code", SHOWN, ids=lambda code: code.name)
def test_a_bad_example_has_its_code_and_a_good_one_has_not(tmp_path, code):
    """And what is bad about the bad one is as grave as the table says."""
    options = {"target": code.bad.target, "split": code.bad.split}
    bad = found(tmp_path, code.bad.config, code.bad.rows, **options)

    assert code.severity in {finding.severity for finding in bad if finding.code == code.name}
    assert code.name not in outcome(tmp_path, code.good)


@pytest.mark.parametrize("code", SHOWN, ids=lambda code: code.name)
def test_a_good_example_has_no_error(tmp_path, code):
    """What the page holds up is good altogether."""
    options = {"target": code.good.target, "split": code.good.split}
    good = found(tmp_path, code.good.config, code.good.rows, **options)

    assert [str(finding) for finding in good if finding.severity == "error"] == []


def test_a_code_without_an_example_says_why():
    assert all(code.here for code in CODES.values() if code.bad is None)
    assert all(code.bad and code.good for code in SHOWN)


def test_no_code_stands_in_two_subjects():
    assert sum(map(len, SUBJECTS.values())) == len(CODES)


def said_in(folder):
    """The codes that the modules of a folder give to findings."""
    for path in (PACKAGE / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            if name == "Finding":
                given = [word.value for word in node.keywords if word.arg == "code"]
            elif name in {"_finding", "say", "_say", "Tally"}:
                given = node.args[:1]
            else:
                continue
            for value in given:
                if isinstance(value, ast.Constant):
                    yield value.value


@pytest.mark.parametrize("folder", ["checks", "config", "lint"])
def test_every_code_that_is_said_is_in_the_table(folder):
    """`no-grader` is an error of Python callers alone: lint asks first."""
    assert set(said_in(folder)) - {"no-grader"} - CODES.keys() == set()


def test_every_code_of_the_table_is_said():
    """None is left over from a check that has gone."""
    texts = "".join(
        path.read_text("utf-8")
        for path in PACKAGE.rglob("*.py")
        if "codes" not in path.parts and path.name != "fixes.py"
    )

    assert [name for name in CODES if f'"{name}"' not in texts] == []


def test_the_page_is_made_of_the_table():
    """After a change: python -c "import graders.lint.page as p; print(p.page(), end='')"."""
    assert (PACKAGE / "lint" / "README.md").read_text("utf-8") == page()


# --- what is right


@pytest.mark.parametrize("name", sorted(CONFIGS))
@pytest.mark.parametrize("target", ["local", "openai-rft"])
def test_the_starter_has_no_error(tmp_path, name, target):
    """But for cosine, which a reinforcement job has not."""
    (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    config = FILES[name] if name.endswith(".json") else {**PYTHON, "source": FILES[name]}
    rows = FILES["rows.jsonl"].splitlines() if target == "local" else ()
    errors = [f for f in found(tmp_path, config, rows, target=target) if f.severity == "error"]

    cosine = name == "meaning.json" and target == "openai-rft"
    assert [finding.code for finding in errors] == ["target-metric"] * cosine


@pytest.mark.parametrize(
    "config",
    [
        EXACT,
        SIMILAR,
        PYTHON,
        JUDGE,
        LABEL,
        ENDPOINT,
        {"type": "multi", "name": "m", "graders": {"a": EXACT, "b": JUDGE, "c": LABEL},
         "calculate_output": "(a + b + c) / 3"},
        {"grader": EXACT, "model_sample": "x", "item": {"answer": "x"}},
        {"grader": EXACT},
        {"type": "reinforcement", "reinforcement": {"grader": PYTHON}},
        {"type": "supervised", "supervised": {}},
        {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}},
        {"testing_criteria": [EXACT, LABEL]},
    ],
)  # fmt: skip
def test_a_correct_config_has_no_error(tmp_path, config):
    """Of every kind."""
    assert [str(f) for f in found(tmp_path, config) if f.severity == "error"] == []


def test_a_good_grader_and_good_rows_are_met_with_silence(tmp_path):
    """Nothing at all is said where nothing is wrong."""
    rows = [{"item": {"answer": f"number {i}"}, "sample": "one"} for i in range(5)]

    assert found(tmp_path, EXACT, rows) == []
    assert found(tmp_path, {**PYTHON, "source": QUIET}, rows) == []


# --- what real users do wrong

MULTI = {"type": "multi", "name": "m", "graders": {"a": EXACT, "b": {**EXACT, "name": "other"}}}


def source(text):
    return {"type": "python", "name": "code", "source": text}


@pytest.mark.parametrize(
    ("config", "target", "message"),
    [
        (source("def grade(item, sample):\n    return 1.0"), "local",
         "source.line 1: grade(item, sample) gets the sample first, however named."),
        (source("def grade(sample_text, reference_text):\n    return 1.0"), "local",
         "source.line 1: grade(sample_text, reference_text) gets the sample and the item, both "
         "dicts."),
        (source('def grade(sample, item):\n    return {"score": 1.0}'), "local",
         "source: line 2: grade returns a dict here, and a score is a number."),
        ({**EXACT, "operation": "neq"}, "local",
         "operation: 'neq' is not one of eq, ne, like, ilike. Did you mean 'ne'?"),
        ({**EXACT, "operation": "contains"}, "local",
         "operation: 'contains' is not one of eq, ne, like, ilike. Did you mean 'like'?"),
        ({**EXACT, "operation": "starts_with"}, "local",
         "operation: 'starts_with' is not one of eq, ne, like, ilike. No operation does that; a "
         "python grader can."),
        ({**PYTHON, "input": "x"}, "local",
         "input: 'input' is not a field that a python reads, and is ignored (as on the hosted "
         "service)"),
        ({**PYTHON, "reference": "x"}, "local",
         "reference: 'reference' is not a field that a python reads, and is ignored"),
        ({**JUDGE, "image_tag": "2025-05-08"}, "local",
         "image_tag: 'image_tag' is not a field that a score_model reads, and is ignored"),
        ({**MULTI, "calculate_output": "0.5 * a + 0.5 * other"}, "local",
         "calculate_output: 'other' is a member's name, and the formula's variables are the keys. "
         "Write b."),
        ({**MULTI, "calculate_output": "0.5 * a +  0.5 * b)"}, "local",
         "calculate_output: the formula is complete, but ')' follows\n"
         "    0.5 * a +  0.5 * b)\n                      ^"),
        ({**EXACT, "reference": "{{ item.answer }}}"}, "local",
         "reference: a '}' stands alone here, and stays as text. Leave it out."),
        ({**EXACT, "reference": "{ item.answer }"}, "local",
         "reference: '{ item.answer }' has single braces, and stays as text. Write "
         "{{ item.answer }}."),
        (source('def grade(sample, item):\n    return len(item["messages"][-1]) / 9'), "local",
         'source: line 2: item["messages"] is the prompt, and has no answer in it. The answer is '
         'sample["output_text"]; the reference, a key of the row.'),
        (source('def grade(sample, item):\n    return sample["output_json"]["n"] / 9'), "local",
         "source: line 2: sample['output_json'] is None where the answer is no JSON."),
        (source("  def grade(sample, item):\n      return 1.0"), "local",
         "source.line 1: unexpected indent\n      def grade(sample, item):\n     ^\n"
         "    The whole source is indented as a block; dedent it."),
        (source(r"def grade(sample, item):\n    return 1.0"), "local",
         r"Its newlines are written as \\n, a backslash and an n; in JSON, write \n."),
        ({**JUDGE, "model": "o3-mini", "sampling_params": {"temperature": 0.5}}, "local",
         "sampling_params.temperature: 0.5 is not for o3-mini, which is a reasoning model. Leave "
         "it out."),
        ({**JUDGE, "model": "gpt-4.2"}, "local", "model: 'gpt-4.2' is no model that we know."),
        ({**EXACT, "reference": "Paris"}, "local",
         "reference: 'Paris' has no slot, so it is the same for every row."),
        ({**SIMILAR, "evaluation_metric": "cosine"}, "openai-rft",
         "evaluation_metric: OpenAI's reinforcement fine-tuning has no cosine; only Evals have."),
        (source(f"import torch\n{QUIET}"), "openai-rft",
         "source: line 1: torch is not in the image 2025-05-08."),
        ({**source(f"import torch\n{QUIET}"), "image_tag": "2025-05-08"}, "local",
         "source: line 1: torch is not in the image 2025-05-08."),
    ],
)  # fmt: skip
def test_a_mistake_of_real_users_has_its_own_message(tmp_path, config, target, message):
    """Those of the contract, section 5."""
    texts = [str(finding) for finding in found(tmp_path, config, target=target)]

    assert [text for text in texts if message in text], texts


def test_system_messages_in_training_rows_have_a_message_too(tmp_path):
    """The last of the contract's mistakes is one of rows."""
    message = {"role": "system", "content": "Be brief."}
    row = {"messages": [message, {"role": "user", "content": "Where?"}], "answer": "here"}
    report = linted(tmp_path, EXACT, [row], target="openai-rft")

    (placed,) = [p for p in report.findings if p.finding.code == "forbidden-role"]
    assert re.match("a system message, in 1 of 1 row .line 1., which", placed.finding.message)
    assert (placed.file, placed.place) == (str(tmp_path / "rows.jsonl"), (1, 1))
