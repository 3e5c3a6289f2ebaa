"""The law that every sample gets a score, however it came about."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from graders.errors import near_miss
from graders.grades import Grade
from graders.testing.laws import hostile
from graders.testing.laws.bench import Bench, UncheckedError, Variant, told
from graders.testing.laws.counterexample import Broken, one
from graders.testing.laws.declared import Law
from graders.testing.laws.scores import ends
from graders.testing.laws.search import Trial
from graders.testing.laws.variants import odd_documents, texts_of, variants

_ITEMS: Final = 100
"""Items that each hostile sample is tried on, at most."""


def robust(bench: Bench, law: Law) -> Trial[Variant]:
    """Every sample gets a score: hostile ones, and those on an item that lacks what it may."""
    ranged = next((other for other in bench.cases.laws if other.name == "in_range"), None)
    expect = [*ends(bench, ranged)]

    def broken(rows: Sequence[Variant]) -> Broken | None:
        for row, grade in zip(rows, bench.grade(rows), strict=True):
            if _breaks(grade):
                small = _smaller(bench, row)
                case = one(bench, small, expect)
                return Broken(f"every sample gets a score; this one gets {told(grade)}", (case,))
        return None

    sound = bench.sound
    return Trial(
        always=[*_hostile(bench), *_lacking(bench, law)],
        drawn=lambda: variants(bench, sound),
        broken=broken,
    )


def _hostile(bench: Bench) -> Iterator[Variant]:
    """Every hostile sample on the items, the large ones on the first; odd documents on their own.

    What a file with very many cases tries grows with it, and no faster.
    """
    items: dict[str, int] = {}
    for i in bench.sound:
        items.setdefault(repr(bench.cases.file.cases[i].item), i)
    for i in [*items.values()][:_ITEMS]:
        for sample in hostile.SAMPLES.values():
            yield Variant(case=i, sample=sample)
    for i in bench.sound:
        for document in odd_documents(texts_of(bench, [i])):
            yield Variant(case=i, sample=json.dumps(document))
    for i in [*items.values()][:1]:
        for sized in hostile.SIZED.values():
            yield Variant(case=i, sample=sized.make(sized.size))


def _lacking(bench: Bench, law: Law) -> Iterator[Variant]:
    """The samples of the file without a key of their item, for each key it may lack."""
    samples = bench.samples(bench.sound)
    for key in law.argument or ():
        without = [v for v in samples if key in bench.item(v)]
        if not without:
            known = {name for variant in samples for name in bench.item(variant)}
            hint = near_miss(str(key), known)
            raise UncheckedError(f"robust: no item has the key {key!r} to lack. {hint}".rstrip())
        for variant in without:
            yield replace(variant, lacks=str(key))


def _breaks(grade: Grade) -> bool:
    """Whether the grader broke; that a judge gave no answer is no fault of the sample."""
    failure = grade.failure
    return failure is not None and not failure.kind.startswith(("model_", "endpoint_"))


def _smaller(bench: Bench, variant: Variant) -> Variant:
    """One that is hostile by its size, at the smallest size that still is."""
    for sized in hostile.SIZED.values():
        if variant.sample == sized.make(sized.size):
            enough, breaking = -1, sized.size
            while breaking - enough > 1:
                middle = (enough + breaking) // 2
                tried = replace(variant, sample=sized.make(middle))
                if _breaks(bench.grade([tried])[0]):
                    breaking = middle
                else:
                    enough = middle
            return replace(variant, sample=sized.make(breaking))
    return variant
