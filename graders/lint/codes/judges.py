"""Codes about judges: models that score or label."""

from __future__ import annotations

from typing import Final

from graders.lint.codes.code import Code, judge, label, prompted

_SAMPLE: Final = "{{ sample.output_text }}"

CODES: Final = (
    Code(
        name="model-unknown",
        severity="warning",
        title="A judge's name that we do not know.",
        bad=judge(model="gpt-4o-2024-08-07"),
        good=judge(model="gpt-4o-2024-08-06"),
    ),
    Code(
        name="parameter-refused",
        severity="warning",
        title="A parameter that the judge does not take, such as temperature of one that reasons.",
        bad=judge(model="o3-mini-2025-01-31", sampling_params={"temperature": 0}),
        good=judge(model="o3-mini-2025-01-31", sampling_params={"reasoning_effort": "low"}),
        fixable=True,
    ),
    Code(
        name="equal-repeats",
        severity="warning",
        title="Repeats that will all be the same.",
        bad=judge(repeats=3, sampling_params={"seed": 1}),
        good=judge(repeats=3),
    ),
    Code(
        name="our-extension",
        severity="note",
        title="A field that the hosted service does not know.",
        bad=judge(repeats=3),
        good=judge(),
    ),
    Code(
        name="few-tokens",
        severity="warning",
        title="A limit of tokens that cuts the judge off before its verdict.",
        bad=judge(sampling_params={"max_completions_tokens": 8}),
        good=judge(sampling_params={"max_completions_tokens": 1024}),
    ),
    Code(
        name="range-prompt",
        severity="warning",
        title="The judge is asked for a scale that is not within range, and is clamped.",
        bad=prompted(f"Rate from 1 to 10:\n{_SAMPLE}"),
        good=prompted(f"Rate from 1 to 10:\n{_SAMPLE}", range=[0, 10]),
    ),
    Code(
        name="range-above-zero",
        severity="note",
        title="The range begins above 0, and a failed grading counts as 0 on the hosted service.",
        bad=prompted(f"Rate from 1 to 5:\n{_SAMPLE}", range=[1, 5]),
        good=prompted(f"Rate from 0 to 5:\n{_SAMPLE}", range=[0, 5]),
    ),
    Code(
        name="label-twice",
        severity="warning",
        title="A label stands twice in labels.",
        bad=label(labels=["good", "bad", "good"]),
        good=label(),
        fixable=True,
    ),
    Code(
        name="labels-alike",
        severity="warning",
        title="Labels that differ in case or spaces alone.",
        bad=label(labels=["good", "Good", "bad"]),
        good=label(),
    ),
    Code(
        name="labels-all-pass",
        severity="warning",
        title="Every label passes, so that the score is always 1.",
        bad=label(passing_labels=["good", "bad"]),
        good=label(),
    ),
    Code(
        name="label-unexplained",
        severity="note",
        title="A label that no message of the judge mentions.",
        bad=label(labels=["good", "bad", "unsure"]),
        good=label(),
    ),
)
