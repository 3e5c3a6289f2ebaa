"""What is attacked: the rows of a data set, each with its reference, its prompt and honest samples.

Where the reference stands is told, or found in the config, or looked for under the usual keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from operator import attrgetter
from random import Random

from graders.config.graders import (
    LabelModelConfig,
    ScoreModelConfig,
    StringCheckConfig,
    TextSimilarityConfig,
    walk,
)
from graders.config.parse import Document
from graders.errors import ConfigError, Finding, GradingError
from graders.lint.shape import PROMPT_KEYS, prompt_of
from graders.rows import REFERENCE_KEYS, Row, output_texts
from graders.strict_json import decode_or_none
from graders.template import Slot, compile_template, look_up, parse_path, to_text
from graders.testing.probe.forms import Form, forms_in, forms_of
from sandbox import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A row to attack.

    Attributes:
        line: Of its first sample, from 1.
        item: The data set's fields.
        honest: What models answered.
        references: Texts that are right, the first of each place before further ones.
        controls: How many of them are the first of a place.
        reference_slot: Where the first stands.
        prompt: What the model was asked; "" where the item does not say.
        keys: Of the honest samples where they are JSON objects; else of a reference that is one;
            else that under which the reference stands.
        forms: That an answer can stand in, besides as it is; of honest samples that are all JSON
            objects the only one, because other text is no answer there.
    """

    line: int
    item: Mapping[str, JSON]
    honest: tuple[Row, ...]
    references: tuple[str, ...]
    controls: int
    reference_slot: Slot
    prompt: str
    keys: tuple[str, ...]
    forms: tuple[Form, ...]

    @property
    def reference(self) -> str:
        """The text that attacks are made of."""
        return self.references[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The rows that are attacked, out of all.

    Attributes:
        targets: In the order of the file.
        rows: How many there are in all.
        without_reference: How many of those that were drawn have none, and are left out.
        slots: Where the references stand.
    """

    targets: tuple[Target, ...]
    rows: int
    without_reference: int
    slots: tuple[Slot, ...]


def draw_targets(
    rows: Iterable[Row], slots: Sequence[Slot], *, limit: int | None, seed: int
) -> Drawn:
    """Draw rows to attack; samples of one group are one row.

    Args:
        rows: Honest samples, those of a group side by side.
        slots: Where the references stand; none, and the usual keys are looked through.
        limit: How many rows at most; None takes all.
        seed: Decides which.

    Raises:
        ConfigError: No row has a reference.
    """
    groups, seen = _drawn(rows, limit, Random(f"{seed}/rows"))  # noqa: S311 - no secret
    slots = tuple(slots) or _usual_slots([group[0].item for group in groups])
    targets = [target for group in groups if (target := _target(group, slots))]
    if groups and not targets:
        names = ", ".join(map(str, slots))
        raise _no_reference(f"no row has a text or a number at {names}", groups[0][0].item)
    return Drawn(
        targets=_with_forms(targets),
        rows=seen,
        without_reference=len(groups) - len(targets),
        slots=slots,
    )


def _drawn(
    rows: Iterable[Row], limit: int | None, random: Random
) -> tuple[list[tuple[Row, ...]], int]:
    """Groups, each with the same chance, in their order; and how many there were."""
    kept: list[tuple[int, tuple[Row, ...]]] = []
    seen = 0
    for _, group in groupby(rows, attrgetter("group")):
        place = seen if limit is None or seen < limit else random.randrange(seen + 1)
        if limit is None or seen < limit:
            kept.append((seen, tuple(group)))
        elif place < limit:
            kept[place] = (seen, tuple(group))
        seen += 1
    return [group for _, group in sorted(kept, key=lambda one: one[0])], seen


def reference_slots(document: Document) -> tuple[Slot, ...]:
    """Where a config says that references stand: in its comparisons, each place once.

    A `reference` counts where it is one slot of the item and nothing else; `references` does too.
    """
    found: dict[Slot, None] = {}
    for _, part in walk(document.grader):
        if isinstance(part, TextSimilarityConfig) and part.references is not None:
            found[parse_path(part.references)] = None
        elif isinstance(part, StringCheckConfig | TextSimilarityConfig):
            for text in (part.reference, part.input):  # some have them the other way round
                match compile_template(text).pieces:
                    case (Slot(namespace="item", steps=(_, *_)) as slot,):
                        found[slot] = None
    return tuple(found)


def best_verdict(document: Document) -> float | str:
    """What the first judge of a config answers at best; 1 where there is none."""
    for _, part in walk(document.grader):
        if isinstance(part, ScoreModelConfig):
            top = part.range[1]
            return int(top) if top.is_integer() else top
        if isinstance(part, LabelModelConfig):
            return part.passing_labels[0]
    return 1


def _usual_slots(items: Sequence[Mapping[str, JSON]]) -> tuple[Slot, ...]:
    """The first usual key that any row has a reference under.

    Raises:
        ConfigError: No row has any of them.
    """
    for key in REFERENCE_KEYS:
        slot = Slot("item", (key,))
        if any(_texts(Row(item=item, sample={}), slot) for item in items):
            return (slot,)
    if not items:
        return ()
    keys = f"{', '.join(REFERENCE_KEYS[:4])}, ..."
    raise _no_reference(f"the config names none, and items have none of {keys}", items[0])


def _no_reference(problem: str, item: Mapping[str, JSON]) -> ConfigError:
    has = ", ".join(key[:40] for key in sorted(item)[:12]) or "no keys"
    finding = Finding(
        code="no-reference",
        severity="error",
        path="",
        message=f"where does the reference answer stand? {problem}; the first has {has}",
        fix="Say it: --reference item.KEY",
    )
    return ConfigError(finding)


def _target(group: tuple[Row, ...], slots: Sequence[Slot]) -> Target | None:
    """The row that samples are of; None where it has no reference."""
    first = group[0]
    found = [(slot, texts) for slot in slots if (texts := _texts(first, slot))]
    if not found:
        return None
    controls = [texts[0] for _, texts in found]
    slot = found[0][0]
    keys = _keys(group)
    return Target(
        line=first.row,
        item=first.item,
        honest=group,
        references=(*controls, *(text for _, texts in found for text in texts[1:])),
        controls=len(controls),
        reference_slot=slot,
        prompt=_prompt(first.item, slot),
        keys=keys or _object_keys(controls[0]) or (_name(slot),),
        forms=(Form(keys=keys),) if keys else (),
    )


def _with_forms(targets: Sequence[Target]) -> tuple[Target, ...]:
    """The same, each with the forms of its own text samples and of other rows'."""
    own = [
        [] if target.forms else [*forms_in(texts_of(target.honest), target.references)]
        for target in targets
    ]
    common = Counter(chain.from_iterable(own))
    return tuple(
        target
        if target.forms
        else replace(target, forms=forms_of(forms, common, target.references))
        for target, forms in zip(targets, own, strict=True)
    )


def texts_of(rows: Sequence[Row]) -> list[str]:
    """What samples say in words."""
    return [text for text in output_texts(rows) if isinstance(text, str)]


def _texts(row: Row, slot: Slot) -> list[str]:
    """The references at a slot: a text, a number or an object; of a list, each entry is one."""
    try:
        value = look_up(slot, row)
        values = value if isinstance(value, list) else [value]
        texts = [to_text(one, slot, "json") for one in values if one is not None]
    except GradingError:
        return []
    return [text for text in dict.fromkeys(texts) if text and not text.isspace()]


def _prompt(item: Mapping[str, JSON], slot: Slot) -> str:
    """What is asked, without the reference where that has a key that prompts have."""
    if slot.steps[0] in PROMPT_KEYS:
        item = {key: value for key, value in item.items() if key != slot.steps[0]}
    return prompt_of(item)


def _keys(group: Sequence[Row]) -> tuple[str, ...]:
    """The keys of samples that are all JSON objects, as the first has them."""
    texts = [text if isinstance(text, str) else "" for text in output_texts(group)]
    keys = [_object_keys(text) for text in texts]
    return keys[0] if all(keys) else ()


def _object_keys(text: str) -> tuple[str, ...]:
    value = decode_or_none(text)
    return tuple(value) if isinstance(value, dict) else ()


def _name(slot: Slot) -> str:
    names: Iterator[str] = (step for step in reversed(slot.steps) if isinstance(step, str))
    return next(names, "answer")
