"""Codes about templates."""

from __future__ import annotations

from typing import Final

from graders.lint.codes.code import EXACT, Code, Example, exact, judge, prompted, similar

_RATE: Final = "Rate the answer from 0 to 1."
_OUTPUT, _ANSWER = "{{ sample.output_text }}", "{{ item.answer }}"
_JSON: Final = {**EXACT, "input": "{{ sample.output_json.answer }}"}

CODES: Final = (
    Code(
        name="template",
        severity="error",
        title="A slot begins with item or sample and is not a path.",
        bad=exact(reference="{{ item.answer"),
        good=exact(),
    ),
    Code(
        name="template-namespace",
        severity="warning",
        title="Double braces around something that begins with neither item nor sample.",
        bad=exact(reference="{{ items.answer }}"),
        good=exact(),
        fixable=True,
    ),
    Code(
        name="template-brace",
        severity="warning",
        title="A path in single braces, which stays as text.",
        bad=prompted("{sample.output_text}\n{{ sample.output_text }}"),
        good=prompted("{{ sample.output_text }}"),
    ),
    Code(
        name="stray-brace",
        severity="warning",
        title="A brace that belongs to no slot and to no other brace.",
        bad=exact(reference="{{ item.answer }}}"),
        good=exact(),
        fixable=True,
    ),
    Code(
        name="sample-field",
        severity="error",
        title="A field that no sample has.",
        bad=exact(input="{{ sample.text }}"),
        good=exact(),
    ),
    Code(
        name="same-templates",
        severity="warning",
        title="Input and reference are the same, so that every row scores alike.",
        bad=exact(input="{{ item.answer }}"),
        good=exact(),
    ),
    Code(
        name="constant-reference",
        severity="warning",
        title="The reference has no slot: one text for every row. A note where that makes sense.",
        bad=exact(reference="item.answer"),
        good=exact(reference="{{ item.answer }}"),
    ),
    Code(
        name="constant-input",
        severity="warning",
        title="The input has no slot: it is the same text for every row.",
        bad=similar(input="output_text"),
        good=similar(),
    ),
    Code(
        name="no-sample",
        severity="warning",
        title="Nothing reads the sample, so that no answer can change the score.",
        bad=judge(input=[{"role": "user", "content": _RATE}]),
        good=judge(),
    ),
    Code(
        name="swapped",
        severity="warning",
        title="The sample is the reference and the item the input; like asks whether the input "
        "contains the reference.",
        bad=exact(input=_ANSWER, reference=_OUTPUT, operation="like"),
        good=exact(input=_OUTPUT, reference=_ANSWER, operation="like"),
    ),
    Code(
        name="answer-from-messages",
        severity="warning",
        title="The answer is looked for in messages, which are the prompt.",
        bad=exact(reference="{{ item.messages[0].content }}"),
        good=exact(),
    ),
    Code(
        name="no-response-format",
        severity="warning",
        title="A template reads sample.output_json of a model that nothing asks for JSON.",
        bad=Example(config={"grader": _JSON}),
        good=Example(config={"grader": _JSON, "response_format": {"type": "json_object"}}),
    ),
    Code(
        name="sample-as-instructions",
        severity="warning",
        title="The model that is judged can write to its judge as if it were you.",
        bad=prompted("Rate {{ sample.output_text }} from 0 to 1."),
        good=prompted("Rate from 0 to 1:\n{{ sample.output_text }}"),
    ),
)
