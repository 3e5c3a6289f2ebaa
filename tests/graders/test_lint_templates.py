"""Templates that compile and say something else than was meant."""

import pytest
from linting import codes, found, linted, said
from sample_configs import EXACT, JUDGE, SIMILAR

from graders.lint.templates import meant_namespace

TEMPLATE = {
    *("template-namespace", "template-brace", "stray-brace", "sample-field", "same-templates"),
    *("constant-reference", "constant-input", "no-sample", "swapped", "answer-from-messages"),
}


def template_codes(folder, config):
    return [code for code in codes(folder, config) if code in TEMPLATE]


@pytest.mark.parametrize(
    "text",
    [
        "{{ sample.output_text }}",
        "{{sample.output_json.a[0].b}} and {{ item.x }}",
        '{"a": {"b": {{ sample.output_text }}}}',
        '{"a": "{{ sample.output_text }}"}',
        "a set {1, 2} and {{ sample.choices[0].message.content }}",
        "```json\n{}\n``` {{ sample.output_tools[0].function.name }}",
    ],
)
def test_braces_that_belong_together_are_left_alone(tmp_path, text):
    """JSON in templates is in real use, with a slot in it or beside it."""
    assert template_codes(tmp_path, {**EXACT, "input": text}) == []


@pytest.mark.parametrize(
    ("text", "code", "column", "message"),
    [
        ("{{ items.x }}", "template-namespace", 0, "Did you mean {{ item.x }}?"),
        ("a {{Sample.output_text}}", "template-namespace", 2,
         "Did you mean {{ sample.output_text }}?"),
        ("{{ output_text }}", "template-namespace", 0, "Did you mean {{ sample.output_text }}?"),
        ("{{ data.x }}", "template-namespace", 0, "Of the row, write {{ item.data.x }}."),
        ("{{ }}", "template-namespace", 0, "Of the row, write {{ item.KEY }}."),
        ("${item.x} y", "template-brace", 0, "Write {{ item.x }}."),
        ("{{ item.x }}}", "stray-brace", 12, "a '}' stands alone here"),
        ("{{{ item.x }}", "stray-brace", 0, "a '{' stands alone here"),
        ("{{{ item.x }}}", "stray-brace", 0, "a '{' stands alone here"),
        ("é\U0001f600 }{{ item.x }}", "stray-brace", 3, "a '}' stands alone here"),
    ],
)  # fmt: skip
def test_a_brace_that_is_no_slot_is_pointed_at(tmp_path, text, code, column, message):
    """In the file, whatever is escaped before it."""
    report = linted(tmp_path, {**EXACT, "reference": text})
    (placed,) = [p for p in report.findings if p.finding.code == code]

    assert message in str(placed.finding)
    assert placed.finding.position == column
    shown = placed.source[placed.place.column - 1 :]
    assert shown[0] == text[column]


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({**EXACT, "reference": "yes"}, ["constant-reference"]),
        ({**EXACT, "input": "yes"}, ["constant-input", "no-sample"]),
        ({**EXACT, "reference": "{{ items.answer }}"}, ["template-namespace"]),
        ({**EXACT, "input": "{{ output_text }}"}, ["template-namespace"]),
        ({**EXACT, "input": "{ sample.output_text }"}, ["template-brace"]),
        ({**SIMILAR, "input": "a", "reference": "b"},
         ["constant-input", "no-sample", "constant-reference"]),
        ({**EXACT, "input": "{{ item.answer }}"}, ["same-templates"]),
        ({**EXACT, "input": "{{ item.question }}"}, ["no-sample"]),
        ({**EXACT, "input": "{{ item.a }}", "reference": "{{ sample.output_text }}"}, []),
        ({**EXACT, "input": "{{ item.a }}", "reference": "{{ sample.output_text }}",
          "operation": "like"}, ["swapped"]),
        ({**EXACT, "reference": "{{ item.messages[1].content }}"}, ["answer-from-messages"]),
        ({**EXACT, "input": "{{ sample.content }}"}, ["sample-field"]),
        ({**EXACT, "input": "{{ sample }}"}, []),
        ({**SIMILAR, "input": "{{ sample.output_text }}", "reference": "x",
          "references": "item.answers"}, []),
        ({**JUDGE, "input": [{"role": "user", "content": "Rate {{ item.answer }}"}]},
         ["no-sample"]),
        ({**JUDGE, "input": [{"role": "user", "content": [
            {"type": "input_text", "text": "Rate"}, "{{ sample.output_text }}"]}]}, []),
    ],
)  # fmt: skip
def test_what_is_compared_is_looked_at(tmp_path, config, found):
    """Both sides together."""
    assert template_codes(tmp_path, config) == found


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({"reference": "yes"}, "warning"),
        ({"reference": "</answer>", "operation": "like"}, "note"),
        ({"reference": "I don't know", "operation": "ne"}, "note"),
        ({"input": "{{ sample.output_tools[0].function.name }}", "reference": "search"}, "note"),
        ({"input": "{{ sample.choices[0].finish_reason }}", "reference": "stop"}, "note"),
        ({"input": "{{ sample.choices[0].message.content }}", "reference": "yes"}, "warning"),
    ],
)
def test_one_reference_for_all_rows_may_make_sense(tmp_path, changes, severity):
    """Of the form of an answer, though not of what it says."""
    (finding,) = found(tmp_path, {**EXACT, **changes})

    assert (finding.code, finding.severity) == ("constant-reference", severity)


def test_a_template_that_does_not_compile_is_said_once(tmp_path):
    """And not a second time in the words of these checks."""
    assert codes(tmp_path, {**EXACT, "reference": "{{ item.answer"}) == ["template"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("Item", "item"), ("items", "item"), ("SAMPLES", "sample"), ("row", None), ("", None)],
)
def test_a_slip_of_the_hand_is_told_from_another_name(name, meant):
    """Only the former is put right."""
    assert meant_namespace(name) == meant


def test_the_message_of_a_field_that_no_sample_has(tmp_path):
    """With the near miss."""
    assert said("sample-field", tmp_path, {**EXACT, "input": "{{ sample.output_txt }}"}) == [
        "input: {{ sample.output_txt }}: a sample has no field 'output_txt'. Did you mean "
        "'output_text'?"
    ]


@pytest.mark.parametrize(
    ("method", "found"),
    [
        ({"grader": EXACT}, []),
        ({"grader": {**EXACT, "input": "{{ sample.output_json.a }}"}}, ["no-response-format"]),
        ({"grader": {**EXACT, "input": "{{ sample.output_json.a }}"},
          "response_format": {"type": "json_object"}}, []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("bare", [True, False])
def test_json_is_counted_on_where_nothing_asks_for_it(tmp_path, method, found, bare):
    """A method says what the model is asked for; a grader alone does not."""
    config = method if bare else {"type": "reinforcement", "reinforcement": method}

    assert codes(tmp_path, config) == found
    assert codes(tmp_path, method["grader"]) == []
