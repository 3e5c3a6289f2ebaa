"""Codes about what a target (`--for`) does not take."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from graders.lint.codes.code import ENDPOINT, EXACT, SIMILAR, Code, Example, judge, python, similar

_RFT, _EVALS, _AZURE = "openai-rft", "openai-evals", "azure-rft"
_POOL: Final = "import multiprocessing\ndef grade(sample, item): return 1.0"

CODES: Final = (
    Code(
        name="target-ends",
        severity="note",
        title="The service is being switched off.",
        bad=Example(config=dict(EXACT), target=_RFT),
        good=Example(config=dict(EXACT), target="local"),
    ),
    Code(
        name="target-form",
        severity="error",
        title="The target takes no config of this form.",
        bad=Example(config={"testing_criteria": [dict(EXACT)]}, target=_RFT),
        good=Example(config={"testing_criteria": [dict(EXACT)]}, target=_EVALS),
    ),
    Code(
        name="target-type",
        severity="error",
        title="The target takes no grader of this type there.",
        bad=Example(config=dict(ENDPOINT), target=_RFT),
        good=Example(config=dict(ENDPOINT), target=_AZURE),
    ),
    Code(
        name="target-metric",
        severity="error",
        title="The target has not this metric; only Evals have cosine.",
        bad=Example(config={**SIMILAR, "evaluation_metric": "cosine"}, target=_RFT),
        good=Example(config={**SIMILAR, "evaluation_metric": "fuzzy_match"}, target=_RFT),
    ),
    Code(
        name="target-judge",
        severity="warning",
        title="A judge that the target is not known to take.",
        bad=replace(judge(model="gpt-4o"), target=_RFT),
        good=replace(judge(model="gpt-4o-2024-08-06"), target=_RFT),
    ),
    Code(
        name="target-threshold",
        severity="error",
        title="The target needs a pass_threshold.",
        bad=replace(similar(), target=_EVALS),
        good=replace(similar(pass_threshold=0.8), target=_EVALS),
    ),
    Code(
        name="target-extension",
        severity="warning",
        title="A field of ours, which the target does not know.",
        bad=replace(similar(references="item.answers"), target=_RFT),
        good=replace(similar(), target=_RFT),
    ),
    Code(
        name="target-cores",
        severity="note",
        title="More processes than the target gives a python grader.",
        bad=replace(python(_POOL), target=_AZURE),
        good=replace(python(_POOL), target=_RFT),
    ),
)
