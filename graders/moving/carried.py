"""What another tool computes alike, and why the rest goes through local-graders there.

Only comparisons of texts are the same elsewhere, and not all of them: each that is mapped, and each
reason below that is about numbers, has rows in the tests, graded by both definitions. Read in, and
run with, promptfoo 0.123.1 and Inspect 0.3.285.

| string_check | promptfoo | Inspect |
| --- | --- | --- |
| eq | `equals` | none: `match(location="exact")` and `exact()` drop spaces and punctuation |
| ne | `not-equals` | none |
| like | `contains` | `includes(ignore_case=False)` |
| ilike | `icontains` | none: `includes()` folds case (`ß` is `ss`), ilike lower-cases |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from graders.config.graders import AnyConfig, StringCheckConfig, TextSimilarityConfig
from graders.profile import Profile
from graders.template import Slot, Template, compile_template

Tool = Literal["promptfoo", "inspect"]

NATIVE: Final[Mapping[Tool, Mapping[str, str]]] = {
    "promptfoo": {
        "eq": "equals",
        "ne": "not-equals",
        "like": "contains",
        "ilike": "icontains",
    },
    "inspect": {"like": "includes"},
}
"""What a tool calls an operation that it has."""

_WHY_NOT: Final[Mapping[Tool, Mapping[str, str]]] = {
    "promptfoo": {
        "fuzzy_match": "its levenshtein counts edits and scores 1 up to 5 of them; this is a ratio",
        "bleu": "its bleu splits words at spaces and leaves out orders that a text is too short "
        "for",
        "gleu": "its gleu drops case and punctuation, and splits words at spaces",
        "meteor": "its meteor needs another package with other stems and synonyms",
        "rouge_1": "its rouge-n splits words as treebanks do; rouge_1 at all but letters and "
        "digits",
        "rouge": "it has rouge-n for n = 1 alone",
        "cosine": "its similar asks embeddings of its own provider",
        "python": "it would run the source bare, without a sandbox",
        "score_model": "its llm-rubric asks in its own words, on its own scale",
        "label_model": "its llm-rubric asks in its own words, and knows no labels",
        "endpoint": "its webhook sends another body, waits 5 seconds, and counts failures as 0",
        "multi": "it makes one score of several by weights, not by a formula",
    },
    "inspect": {
        "eq": "match() and exact() drop spaces and punctuation before they compare",
        "ne": "it has no scorer for texts that must differ",
        "ilike": "includes() folds case, so that ss is in ß; ilike lower-cases",
        "text_similarity": "it has no scorer of this metric",
        "python": "a scorer would run the source bare, without a sandbox",
        "score_model": "model_graded_qa() asks in its own words for a C or an I, not a number",
        "label_model": "model_graded_qa() asks in its own words for a C or an I, not a label",
        "endpoint": "it has no scorer that asks a service",
        "multi": "it reports several scorers side by side, and computes no formula",
        "eval": "a sample has one target there, and no scorer says whether all criteria pass",
    },
}

_TEMPLATES_THERE: Final = ("{{", "{%", "{#")
_LOADED_THERE: Final = ("file://", "package:")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_VARIABLES: Final = frozenset(
    {
        *("true", "false", "none", "null", "not", "and", "or", "in", "is", "if", "else"),
        *("env", "range", "cycler", "joiner", "loop", "super", "caller", "self"),
    }
)
"""Words that mean something else to promptfoo's templates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """How a grader goes over.

    Attributes:
        name: The grader's.
        native: What computes the same there; "" where local-graders is asked.
        reference: For what is native, the text to compare with: literals and keys of the item.
        why: For what is not, the reason.
    """

    name: str
    native: str = ""
    reference: tuple[str | Slot, ...] = ()
    why: str = ""


def carry(config: AnyConfig, tool: Tool, profile: Profile) -> Carried:
    """How a grader goes over to a tool.

    Args:
        config: A grader, a criterion, or a whole Evals body.
        tool: Where to.
        profile: Settings that decide numbers here.
    """
    kind = config.type if hasattr(config, "type") else "eval"
    if not isinstance(config, StringCheckConfig):
        return Carried(name=config.name, why=_why_not(config, kind, tool))
    native = NATIVE[tool].get(config.operation, "")
    if not native:
        return Carried(name=config.name, why=_WHY_NOT[tool][config.operation])
    text, reference = compile_template(config.input), compile_template(config.reference)
    why = _not_comparable(text, reference, profile) or (
        _not_a_value(reference, native) if tool == "promptfoo" else ""
    )
    if why:
        return Carried(name=config.name, why=why)
    return Carried(name=config.name, native=native, reference=reference.pieces)


def _why_not(config: AnyConfig, kind: str, tool: Tool) -> str:
    reasons = _WHY_NOT[tool]
    if isinstance(config, TextSimilarityConfig) and tool == "promptfoo":
        metric = config.evaluation_metric
        return reasons.get(metric) or reasons[metric.partition("_")[0]]
    return reasons[kind]


def _not_comparable(text: Template, reference: Template, profile: Profile) -> str:
    """Why another tool cannot be given these texts; "" where it can."""
    if text.pieces != (Slot("sample", ("output_text",)),):
        return "only a sample's whole output_text is compared there"
    if profile.render != "json":
        return f"it knows no render={profile.render}"
    for slot in reference.pieces:
        if isinstance(slot, Slot) and not (
            slot.namespace == "item" and len(slot.steps) == 1 and isinstance(slot.steps[0], str)
        ):
            return f"only keys of the item are compared with there, and {slot} is none"
    return ""


def _not_a_value(reference: Template, native: str) -> str:
    """Why promptfoo would read an assertion's value otherwise; "" where it would not."""
    first = reference.pieces[0]
    literals = [piece for piece in reference.pieces if isinstance(piece, str)]
    if any(mark in f"{literal}{{" for mark in _TEMPLATES_THERE for literal in literals):
        return "its reference holds what is a template there"
    if isinstance(first, str) and first.startswith(_LOADED_THERE):
        return "its reference names what promptfoo would load"
    if reference.pieces == ("",) and "contains" in native:
        return f"{native} refuses an empty reference"
    for slot in reference.pieces:
        if isinstance(slot, Slot):
            key = str(slot.steps[0])
            if not _VARIABLE.fullmatch(key) or key in _NOT_VARIABLES:
                return f"{key!r:.80} is no variable in its templates"
    return ""
