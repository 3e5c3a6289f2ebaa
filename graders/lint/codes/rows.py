"""Codes about rows, and about a config in sight of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from graders.lint.codes.code import Code, Example, exact, similar

_ITEM: Final[Mapping[str, object]] = {"answer": "Paris is the capital of France"}


def _asked(text: str, role: str = "user", **item: object) -> dict[str, object]:
    return {"messages": [{"role": role, "content": text}], **_ITEM, **item}


def _with(example: Example, *rows: object, target: str = "local") -> Example:
    return replace(example, rows=rows, target=target)


_GOOD: Final = _with(exact(), {**_ITEM})
_TRAINED: Final = _with(exact(), _asked("Where?"), target="openai-rft")
_SHORT: Final = {"answer": "sam's club"}

CODES: Final = (
    Code(
        name="bad-line",
        severity="error",
        title="A line that is no row.",
        bad=_with(exact(), ["no", "object"]),
        good=_GOOD,
    ),
    Code(
        name="no-rows",
        severity="error",
        title="The file of rows has none.",
        bad=_with(exact(), ""),
        good=_GOOD,
    ),
    Code(
        name="missing-variable",
        severity="error",
        title="Rows have not what a template reads; a warning where a python grader reads it.",
        bad=_with(exact(reference="{{ item.anwser }}"), {**_ITEM}),
        good=_GOOD,
    ),
    Code(
        name="output-json-null",
        severity="warning",
        title="A template reads sample.output_json, and answers are no JSON.",
        bad=_with(exact(input="{{ sample.output_json.city }}"), {"item": _ITEM, "sample": "P."}),
        good=_with(exact(), {"item": _ITEM, "sample": "Paris"}),
    ),
    Code(
        name="empty-reference",
        severity="warning",
        title="References are empty.",
        bad=_with(exact(), {"answer": ""}),
        good=_GOOD,
    ),
    Code(
        name="leaking-row",
        severity="warning",
        title="The reference stands in the prompt.",
        bad=_with(exact(), _asked("Is it true that Paris is the capital of France?")),
        good=_with(exact(), _asked("What is the capital of France?")),
    ),
    Code(
        name="duplicate-row",
        severity="warning",
        title="A line stands twice in the file.",
        bad=_with(exact(), {**_ITEM}, {**_ITEM}),
        good=_with(exact(), {**_ITEM}, {**_ITEM, "id": 2}),
    ),
    Code(
        name="reserved-key",
        severity="error",
        title="messages or tools is something else than the service reserves it for; a warning "
        "where no service is asked.",
        bad=_with(exact(), {**_asked("Where?"), "tools": "hammer"}, target="openai-rft"),
        good=_TRAINED,
    ),
    Code(
        name="no-messages",
        severity="error",
        title="A row to train on has no messages.",
        bad=_with(exact(), {**_ITEM}, target="openai-rft"),
        good=_TRAINED,
    ),
    Code(
        name="row-shape",
        severity="warning",
        title="Rows with item and sample, and training wants the items alone.",
        bad=_with(exact(), {"item": _asked("Where?"), "sample": "Paris"}, target="openai-rft"),
        good=_TRAINED,
    ),
    Code(
        name="last-message",
        severity="error",
        title="The last message is not from the user; a warning where no service is asked.",
        bad=_with(exact(), _asked("Paris.", "assistant"), target="openai-rft"),
        good=_TRAINED,
    ),
    Code(
        name="forbidden-role",
        severity="warning",
        title="A message of a role that the target does not take: system, in reinforcement "
        "fine-tuning.",
        bad=_with(
            exact(),
            {"messages": [{"role": "system", "content": "Be brief."},
                          {"role": "user", "content": "Where?"}], **_ITEM},
            target="openai-rft",
        ),
        good=_TRAINED,
    ),
    Code(
        name="too-many-rows",
        severity="error",
        title="More rows than the target takes: 50,000 to train, 1,000 to test.",
        bad=replace(_with(exact(), *[_asked(f"Where is {i}?") for i in range(1_001)],
                          target="openai-rft"), split="test"),
        good=replace(_TRAINED, split="test"),
    ),
    Code(
        name="whole-as-real",
        severity="warning",
        title="Whole numbers are read as 5.0, for values are missing in their column: pandas made "
        "it real.",
        here="It is about a column of Parquet or Arrow.",
    ),
    Code(
        name="lost-tokens",
        severity="warning",
        title="The metric's tokenizer leaves nothing of a text, which then scores 0.",
        bad=_with(similar(evaluation_metric="rouge_l"), {"answer": "Париж"}),
        good=_with(similar(evaluation_metric="fuzzy_match"), {"answer": "Париж"}),
    ),
    Code(
        name="identical-text",
        severity="warning",
        title="The right answer, word for word, scores less than 1: bleu of two or three words.",
        bad=_with(similar(evaluation_metric="bleu", pass_threshold=0.8), _SHORT),
        good=_with(similar(evaluation_metric="rouge_l", pass_threshold=0.8), _SHORT),
    ),
    Code(
        name="dead-metric",
        severity="warning",
        title="No answer can score: rouge_5 of references of fewer than five words.",
        bad=_with(similar(evaluation_metric="rouge_5"), _SHORT),
        good=_with(similar(evaluation_metric="rouge_1"), _SHORT),
    ),
)  # fmt: skip
