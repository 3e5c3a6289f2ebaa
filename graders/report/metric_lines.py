"""Where the score of a similarity comes from, as facts for a screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from metrics.explanation import Explanation, MeteorMatch, NgramMatch


def to_facts(found: Explanation) -> Iterator[tuple[str, str]]:
    """Names of at most eleven characters, and what there is to say under them."""
    yield "metric", found.signature
    has_tokens = found.meteor or found.ngrams or "rouge" in found.signature
    if has_tokens:
        yield "tokens", f"{len(found.candidate)} of the input: {' | '.join(found.candidate)}"
        yield "", f"{len(found.reference)} of the reference: {' | '.join(found.reference)}"
    for match in found.ngrams:
        yield f"{match.n}-grams", _ngrams(match)
    if found.brevity_penalty not in {None, 1.0}:
        yield "too short", f"times {found.brevity_penalty:.6g}, the brevity penalty"
    if found.lcs:
        words = " | ".join(found.candidate[i] for i, _ in found.lcs)
        yield "in order", f"{len(found.lcs)} tokens of both: {words}"
    if found.meteor:
        yield from _meteor(found.meteor, found.candidate)
    if found.edits is not None:
        size = sum(map(len, (*found.candidate, *found.reference)))
        yield "edits", f"{found.edits:,} characters to insert or delete, of {size:,} in both texts"
    if found.cosine is not None:
        yield "cosine", f"{found.cosine:.6g}"
    for note in found.notes:
        yield "note", note


def _ngrams(match: NgramMatch) -> str:
    shared = sum(match.shared.values())
    said = f"{shared} shared, of {match.candidate} in the input and {match.reference}"
    return f"{said}: {' | '.join(_counted(match.shared))}" if shared else said


def _counted(shared: Mapping[str, int]) -> Iterator[str]:
    for words, times in shared.items():
        yield words if times == 1 else f"{words} (x{times})"


def _meteor(match: MeteorMatch, candidate: Sequence[str]) -> Iterator[tuple[str, str]]:
    for how in ("exact", "stem", "synonym"):
        pairs = getattr(match, how)
        if pairs:
            yield how, f"{len(pairs)}: {' | '.join(candidate[i] for i, _ in pairs)}"
    yield "F mean", f"{match.f_mean:.6g}, recall weighing nine times"
    yield "penalty", f"{match.penalty:.6g}, for {match.chunks} runs of matches"
