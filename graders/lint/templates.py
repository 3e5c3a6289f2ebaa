"""What a template says that its writer did not mean: all of it compiles, and is wrong all the same.

What is no slot stays as text, on the hosted service too, so that a misspelt namespace or a single
brace is no error anywhere: the grader compares with the words `{{ items.answer }}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from graders.config.graders import (
    AnyConfig,
    LabelModelConfig,
    ScoreModelConfig,
    StringCheckConfig,
    TextSimilarityConfig,
)
from graders.errors import ConfigError, Finding, Severity, near_miss
from graders.lint.codes import say
from graders.template import Slot, compile_template

_DOUBLE: Final = re.compile(r"\{\{([^{}]*+)\}\}")
_SINGLE: Final = re.compile(r"(?<!\{)\$?\{\s*+(?:item|sample)\s*+[.\[][^{}]*+\}(?!\})")
_TRIPLE: Final = re.compile(r"\{\0++\}")
_WORD: Final = re.compile(r"\w+")
_SHOWN: Final = 60
_NAMESPACES: Final = ("item", "sample")
_SAMPLE_FIELDS: Final = (
    *("output_text", "output_json", "output_tools", "choices", "model"),
    *("output_reasoning_summary", "output_audio", "input_tools"),
)
"""What a hosted sample has, and ours."""
_COMPARES: Final = (StringCheckConfig, TextSimilarityConfig)


def check_templates(part: AnyConfig) -> Iterator[Finding]:
    """Findings about one grader's templates, with paths below the grader."""
    if not isinstance(part, (*_COMPARES, ScoreModelConfig, LabelModelConfig)):
        return
    slots: list[Slot] = []
    for place, text in part.templates():
        path, found = place.removeprefix("."), _slots(text)
        if found is None:
            return  # reported where it is compiled
        yield from _literal(path, text)
        for slot in found:
            yield from _sample_field(path, text, slot)
        slots += found
    if isinstance(part, _COMPARES):
        yield from _compared(part)
    elif not any(slot.namespace == "sample" for slot in slots):
        message = "no message shows the judge the sample, so its verdict is not about the answer"
        yield say("no-sample", "input", message, "Put {{ sample.output_text }} in a user message.")


def _slots(text: str) -> list[Slot] | None:
    """The slots of a template; None where it does not compile."""
    try:
        return [piece for piece in compile_template(text).pieces if isinstance(piece, Slot)]
    except ConfigError:
        return None


def _literal(path: str, text: str) -> Iterator[Finding]:
    """What stays as text and looks as if it should not."""
    for found in _DOUBLE.finditer(text):
        inner = found[1].strip()
        word = _WORD.match(inner)
        if word is None or word[0] not in _NAMESPACES:
            fix = _as_a_slot(inner)
            shown = found[0] if len(found[0]) <= _SHOWN else f"{found[0][:_SHOWN]} ..."
            message = f"{shown!r} is no slot, for slots begin with item or sample; stays as text"
            yield say("template-namespace", path, message, fix, position=found.start())
    for found in _SINGLE.finditer(text):
        inner = found[0].strip("${}").strip()
        message = f"{found[0]!r} has single braces, and stays as text"
        yield say(
            "template-brace", path, message, f"Write {{{{ {inner} }}}}.", position=found.start()
        )
    yield from _stray(path, text)


def _as_a_slot(inner: str) -> str:
    first = _WORD.match(inner)
    name = first[0] if first else ""
    if name in _SAMPLE_FIELDS:
        return f"Did you mean {{{{ sample.{inner} }}}}?"
    if near := meant_namespace(name):
        return f"Did you mean {{{{ {near}{inner[len(name) :]} }}}}?"
    return f"Of the row, write {{{{ item.{inner or 'KEY'} }}}}."


def meant_namespace(name: str) -> str | None:
    """The namespace that a name is a slip of the hand for; None for any other name.

    Example:
        >>> meant_namespace("Items"), meant_namespace("data")
        ('item', None)
    """
    return next((known for known in _NAMESPACES if name.lower().rstrip("s") == known), None)


def _stray(path: str, text: str) -> Iterator[Finding]:
    """Braces that belong to no slot, where there are more of one kind than of the other."""
    rest = _DOUBLE.sub(lambda found: "\0" * len(found[0]), text)
    opened, closed = rest.count("{"), rest.count("}")
    if opened == closed and not _TRIPLE.search(rest):
        return
    wrong = "{" if opened >= closed else "}"
    position = rest.find(wrong) if wrong == "{" else rest.rfind(wrong)
    message = f"a {wrong!r} stands alone here, and stays as text"
    yield say("stray-brace", path, message, "Leave it out.", position=position)


def _sample_field(path: str, text: str, slot: Slot) -> Iterator[Finding]:
    if slot.namespace != "sample" or not slot.steps or slot.steps[0] in _SAMPLE_FIELDS:
        return
    message = f"{{{{ {slot} }}}}: a sample has no field {str(slot.steps[0])!r}"
    hint = near_miss(str(slot.steps[0]), _SAMPLE_FIELDS)
    hint = hint or f"It has {', '.join(_SAMPLE_FIELDS)}."
    yield say("sample-field", path, message, hint, position=max(text.find("sample"), 0))


def _compared(part: StringCheckConfig | TextSimilarityConfig) -> Iterator[Finding]:
    left, right = _slots(part.input) or [], _slots(part.reference) or []
    several = isinstance(part, TextSimilarityConfig) and part.references is not None
    if part.input.strip() == part.reference.strip() and not several:
        message = "is the same as input, so every row scores alike"
        yield say("same-templates", "reference", message, "Compare the sample with the item.")
        return
    if not right and not several:
        message = f"{part.reference[:40]!r} has no slot, so it is the same for every row"
        fix = "Take it from the row: {{ item.KEY }}, with the row's own key."
        grave: Severity | None = "note" if _asks_of_form(part, left) else None
        yield say("constant-reference", "reference", message, fix, severity=grave)
    if not left:
        message = f"{part.input[:40]!r} has no slot, so it is the same for every row"
        yield say("constant-input", "input", message, "Write {{ sample.output_text }}.")
    if not _reads([*left, *right], "sample"):
        message = "neither input nor reference reads the sample, so no answer can change the score"
        yield say("no-sample", "input", message, "Write {{ sample.output_text }}.")
    elif _is_asymmetric(part) and _reads(right, "sample") and not _reads(left, "sample"):
        message = "the sample is the reference and the item the input"
        yield say("swapped", "input", message, "Let input read the sample, reference the item.")
    if any(_from_messages(slot) for slot in right):
        message = "reads item.messages, which is the prompt and has no answer in it"
        yield say("answer-from-messages", "reference", message, "Give the row a key of its own.")


def _asks_of_form(part: StringCheckConfig | TextSimilarityConfig, left: Sequence[Slot]) -> bool:
    """Whether one text for all rows makes sense: a tag that answers have, a tool that is called."""
    loose = isinstance(part, StringCheckConfig) and part.operation != "eq"
    return loose or any("output_tools" in s.steps or "finish_reason" in s.steps for s in left)


def _is_asymmetric(part: StringCheckConfig | TextSimilarityConfig) -> bool:
    """Whether it matters which side is which."""
    how = part.operation if isinstance(part, StringCheckConfig) else part.evaluation_metric
    return how in {"like", "ilike", "bleu", "gleu", "meteor"}


def _reads(slots: Sequence[Slot], namespace: str) -> bool:
    return any(slot.namespace == namespace for slot in slots)


def _from_messages(slot: Slot) -> bool:
    return slot.namespace == "item" and slot.steps[:1] == ("messages",)
