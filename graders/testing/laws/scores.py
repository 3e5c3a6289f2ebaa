"""Laws of scores: in their range, and in the order that they should be in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Final

from graders.errors import GradingError
from graders.rows import Row
from graders.template import compile_template
from graders.testing.laws.bench import Bench, Variant, text_of, told, with_text
from graders.testing.laws.counterexample import Broken, one, two
from graders.testing.laws.declared import Law
from graders.testing.laws.search import Trial
from graders.testing.laws.variants import variants

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_CROSSED: Final = 400
"""Samples tried on the items of other cases at most."""
_CUTS: Final = 64
"""Places at which a text is always cut; fewer where there are very many."""
_ALL_CUTS: Final = 2_000
_FEWEST_CUTS: Final = 4

Pair = tuple[Variant, Variant]


def in_range(bench: Bench, law: Law) -> Trial[Variant]:
    """Scores are in the range that the law says, or the grader, or else from 0 to 1."""
    low, high = ends(bench, law)

    def broken(rows: Sequence[Variant]) -> Broken | None:
        for row, grade in zip(rows, bench.grade(rows), strict=True):
            if grade.score is not None and not low <= grade.score <= high:
                wanted = f"scores are from {low!r} to {high!r}"
                case = one(bench, row, [low, high])
                return Broken(f"{wanted}; this one is {grade.score!r}", (case,))
        return None

    sound = bench.sound
    return Trial(always=bench.samples(sound), drawn=lambda: variants(bench, sound), broken=broken)


def ends(bench: Bench, law: Law | None) -> tuple[float, float]:
    """The range that the law or the grader says."""
    if law is None or law.argument is None:
        return bench.range
    low, high = map(float, law.argument)
    return low, high


def reference_is_best(bench: Bench, law: Law) -> Trial[Pair]:
    """No sample scores above the item's reference, the samples of other cases among them."""
    references = _references(bench, str(law.argument))

    def pair(other: Variant) -> Pair:
        return replace(other, sample=references[other.case]), other

    sound = [*references]
    own = bench.samples(sound)
    crossed = (
        replace(at, sample=other.sample) for at in own for other in own if other.case != at.case
    )
    return Trial(
        always=[pair(variant) for variant in [*own, *islice(crossed, _CROSSED)]],
        drawn=lambda: variants(bench, sound).map(pair),
        broken=partial(
            _in_order, bench, ("reference", "other"), "no sample scores above the reference"
        ),
    )


def _references(bench: Bench, template: str) -> dict[int, str]:
    """The reference of each case that has one, as a sample."""
    compiled = compile_template(template, bench.cases.profile.render)
    found = {}
    for i in bench.sound:
        try:
            found[i] = compiled.render(Row(item=bench.cases.file.cases[i].item, sample={}))
        except GradingError:
            continue
    return found


def empty_is_worst(bench: Bench, _: Law) -> Trial[Pair]:
    """No sample scores below an empty one."""
    sound = bench.sound

    def pair(other: Variant) -> Pair:
        return other, replace(other, sample="")

    return Trial(
        always=[pair(variant) for variant in bench.samples(sound)],
        drawn=lambda: variants(bench, sound).map(pair),
        broken=partial(_in_order, bench, ("other", "empty"), "no sample scores below an empty one"),
    )


def monotone_under_truncation(bench: Bench, law: Law) -> Trial[Pair]:
    """The beginning of a text, of each sample or the reference, scores no more than the text."""
    if law.argument is None:
        whole = [v for v in bench.samples(bench.sound) if text_of(v.sample)]
    else:
        references = _references(bench, str(law.argument))
        whole = [Variant(case=i, sample=text) for i, text in references.items() if text]
    times = max(_FEWEST_CUTS, min(_CUTS, _ALL_CUTS // max(1, len(whole))))
    always = [
        (_cut(variant, longer), _cut(variant, shorter))
        for variant in whole
        for shorter, longer in pairwise(_cuts(variant, times))
    ]

    def drawn() -> SearchStrategy[Pair]:
        from hypothesis import strategies as st

        def two_cuts(variant: Variant) -> SearchStrategy[Pair]:
            place = st.integers(0, len(text_of(variant.sample) or ""))
            return st.tuples(place, place).map(
                lambda ends: (_cut(variant, max(ends)), _cut(variant, min(ends)))
            )

        return st.sampled_from(whole).flatmap(two_cuts)

    broken = partial(
        _in_order, bench, ("longer", "shorter"), "the beginning of a text scores no more than it"
    )
    return Trial(always=always, drawn=drawn, broken=broken)


def _cuts(variant: Variant, times: int) -> list[int]:
    length = len(text_of(variant.sample) or "")
    return sorted({length * i // times for i in range(times + 1)})


def _cut(variant: Variant, length: int) -> Variant:
    return replace(
        variant, sample=with_text(variant.sample, (text_of(variant.sample) or "")[:length])
    )


def _in_order(
    bench: Bench, names: tuple[str, str], wanted: str, pairs: Sequence[Pair]
) -> Broken | None:
    """The first pair whose second scores more than its first.

    What is compared with, a reference or an empty sample, has to have a score; what becomes of
    the others is for other laws.
    """
    grades = bench.grade([variant for pair in pairs for variant in pair])
    for pair, left, right in zip(pairs, grades[::2], grades[1::2], strict=True):
        fails = {"reference": left, "empty": right}
        unscored = [name for name in names if name in fails and fails[name].score is None]
        scored = left.score is not None and right.score is not None
        if unscored or (scored and right.score > left.score):  # type: ignore[operator]
            came = " and ".join(
                f"{name} gets {told(grade)}"
                for name, grade in zip(names, (left, right), strict=True)
            )
            case = two(bench, dict(zip(names, pair, strict=True)), ">=")
            return Broken(f"{wanted}; {came}", (case,))
    return None
