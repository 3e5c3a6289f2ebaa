"""Laws by which a grader gives the same: whatever was before, and whatever does not matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from graders.grades import Grade
from graders.testing.laws import changes
from graders.testing.laws.bench import Bench, Variant, expected, outcome, text_of, told, with_text
from graders.testing.laws.counterexample import Broken, one, two
from graders.testing.laws.declared import Law
from graders.testing.laws.search import Trial
from graders.testing.laws.variants import variants

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_SEEDS: Final = (1, 2, 3)
"""Of hashes, beside the usual 0: two texts in a set stand alike under half of them."""
_BATCH: Final = 32
"""Calls that share a process, where a grader must not mind."""
_KEEP_THE_LAW: Final = (
    "Each case is graded alone, and always under one hash seed: only the law tries more of it."
)
_UNNOTICED: Final[Mapping[str, str]] = {
    "case": "upper or lower case",
    "whitespace": "whitespace",
    "key_order": "the order of keys",
    "unicode_form": "whether an accent is a character of its own",
}

Pair = tuple[Variant, Variant]


def deterministic(bench: Bench, _: Law) -> Trial[Variant]:
    """A sample gets the same twice, in any order, and whatever the order of sets is."""
    every = range(len(bench.cases.file.cases))

    def broken(rows: Sequence[Variant]) -> Broken | None:
        first = bench.grade_anew(rows)
        for how, again in _again(bench, rows):
            for row, grade, other in zip(rows, first, again, strict=True):
                if outcome(grade) != outcome(other):
                    came = f"it gets {told(grade)}, and {told(other)} {how}"
                    case = two(bench, {"once": row, "again": row}, "=")
                    said = f"a sample gets the same every time; {came}"
                    return Broken(said, (case,), _KEEP_THE_LAW)
        return None

    always = bench.samples(every)
    return Trial(
        always=always,
        drawn=lambda: variants(bench, every),
        broken=broken,
        times=3 + len(_SEEDS) * bench.runs_code,
    )


def _again(bench: Bench, rows: Sequence[Variant]) -> Iterator[tuple[str, list[Grade]]]:
    yield "a second time", bench.grade_anew(rows)
    yield "in another order", bench.grade_anew(rows[::-1])[::-1]
    if bench.runs_code:
        for seed in _SEEDS:
            yield f"with PYTHONHASHSEED={seed}", bench.grade_anew(rows, hash_seed=seed)


def row_independent(bench: Bench, _: Law) -> Trial[Variant]:
    """A sample gets the same alone and in any batch, where code keeps what it remembers."""
    every = range(len(bench.cases.file.cases))

    def broken(rows: Sequence[Variant]) -> Broken | None:
        alone = [bench.grade_anew([row], batch=_BATCH)[0] for row in rows]
        together = bench.grade_anew(rows, batch=_BATCH)
        for i, (grade, other) in enumerate(zip(alone, together, strict=True)):
            if outcome(grade) != outcome(other):
                if (fewer := two_will_do(rows[: i + 1])) is not None:
                    return fewer
                came = f"the last gets {told(grade)} alone, and {told(other)} after the others"
                pairs = zip(rows[: i + 1], alone, strict=False)
                cases = tuple(one(bench, row, expected(grade)) for row, grade in pairs)
                said = f"a sample gets the same in any batch; {came}"
                return Broken(said, cases, _KEEP_THE_LAW)
        return None

    def two_will_do(rows: Sequence[Variant]) -> Broken | None:
        couples = ([row, rows[-1]] for row in rows[:-1]) if len(rows) > 2 else ()
        return next(filter(None, map(broken, couples)), None)

    always = bench.samples(every)
    return Trial(always=always, drawn=lambda: variants(bench, every), broken=broken, times=2)


def invariant_to(bench: Bench, law: Law) -> Trial[Pair]:
    """A change that means nothing changes nothing."""
    change, sound = str(law.argument), bench.sound

    def pair(variant: Variant, texts: tuple[str, str]) -> Pair:
        left, right = (replace(variant, sample=with_text(variant.sample, t)) for t in texts)
        return left, right

    def broken(pairs: Sequence[Pair]) -> Broken | None:
        grades = bench.grade([variant for pair in pairs for variant in pair])
        for (left, right), before, after in zip(pairs, grades[::2], grades[1::2], strict=True):
            if outcome(before) != outcome(after):
                came = f"this one gets {told(before)}, and {told(after)} changed"
                case = two(bench, {"as it is": left, "changed": right}, "=")
                return Broken(f"{_UNNOTICED[change]} makes no difference; {came}", (case,))
        return None

    def drawn() -> SearchStrategy[Pair]:
        from hypothesis import strategies as st

        some = st.one_of(st.sampled_from(bench.samples(sound)), variants(bench, sound))
        return some.flatmap(
            lambda v: changes.drawn(change, text_of(v.sample) or "").map(partial(pair, v))
        )

    always = [
        pair(variant, texts)
        for variant in bench.samples(sound)
        for texts in changes.exemplars(change, text_of(variant.sample) or "")
    ]
    return Trial(always=always, drawn=drawn, broken=broken)
