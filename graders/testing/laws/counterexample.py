"""What breaks a law, as cases to paste into the case file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from graders.terminal import printable, shorten
from graders.testing.laws.bench import Bench, Variant

_LONGEST: Final = 4_000
"""Characters of a case that anybody pastes."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A law that does not hold.

    Attributes:
        said: What the law wants, and what came, in a sentence.
        cases: What shows it: entries for `cases` of the case file.
        note: What else there is to know of them.
    """

    said: str
    cases: tuple[dict[str, Any], ...]
    note: str = ""

    @property
    def size(self) -> int:
        """Characters to read; fewer are easier to understand."""
        return len(json.dumps(self.cases))


def one(bench: Bench, variant: Variant, expect: object) -> dict[str, Any]:
    """A case of one sample."""
    return {**_given(bench, variant), "sample": variant.sample, **_judge(bench, variant, expect)}


def two(bench: Bench, named: dict[str, Variant], relation: str) -> dict[str, Any]:
    """A case that compares two samples on one item."""
    samples = {name: variant.sample for name, variant in named.items()}
    last = [*named.values()][-1]
    order = f" {relation} ".join(named)
    return {**_given(bench, last), "samples": samples, **_judge(bench, last, order)}


def to_text(broken: Broken) -> str:
    """The sentence, and the cases as they are pasted."""
    lines = [printable(broken.said), ""]
    for case in broken.cases:
        text = json.dumps(case)  # in ASCII: what looks alike, or like nothing, is told apart
        if len(text) <= _LONGEST:
            lines.append(f"  {text}")
        else:
            lines.append(f"  {shorten(text, 200)}")
            lines.append(f"  ({len(text):,} characters, too long to paste)")
    return "\n".join([*lines, "", broken.note] if broken.note else lines)


def _given(bench: Bench, variant: Variant) -> dict[str, Any]:
    item = bench.item(variant)
    return {"item": item} if item else {}


def _judge(bench: Bench, variant: Variant, expect: object) -> dict[str, Any]:
    """What the judge answers, and what is expected; the case's own names are not in the new one."""
    case = bench.case(variant)
    answer = case.judge
    if isinstance(answer, dict) and case.samples and answer.keys() == case.samples.keys():
        answer = answer[[*case.samples][variant.index]]
    return {"expect": expect} if answer is None else {"judge": answer, "expect": expect}
