"""Why this number: the tokens a metric saw, what it matched, and the traps the texts fell into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from rapidfuzz.distance import Indel

from metrics import bleu, gleu, lcs
from metrics.cosine import Cosine
from metrics.families import ROUGE, metric
from metrics.fuzzy import FuzzyMatch
from metrics.limits import check_work, kept_cells
from metrics.lost import lost_tokens
from metrics.meteor import Matches, Meteor, align, chunks, f_mean, lowered, penalty
from metrics.overlap import Shared
from metrics.pltrdy import sentences
from metrics.settings import DEFAULT, Settings, rouge_variant
from metrics.tokens import TOKENIZERS


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramMatch:
    """One order of n-grams.

    Attributes:
        n: Tokens per n-gram.
        candidate: N-grams the candidate has.
        reference: N-grams the reference has.
        shared: The matched ones, words joined by spaces, and how often each counts.
    """

    n: int
    candidate: int
    reference: int
    shared: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteorMatch:
    """METEOR's alignment: positions (candidate, reference) by stage, and what follows from it.

    Attributes:
        exact: Same word.
        stem: Same stem.
        synonym: Stem and a synonym of it.
        chunks: Runs of matches adjacent in both texts.
        f_mean: Mean of precision and recall, recall weighing nine times.
        penalty: The share of it that scattered matches cost.
    """

    exact: Matches
    stem: Matches
    synonym: Matches
    chunks: int
    f_mean: float
    penalty: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A score and where it comes from. Fields a metric has no use for are empty.

    Attributes:
        signature: The metric and its settings.
        score: As the metric gives it.
        candidate: Its tokens; the text itself, as compared, for metrics without tokens.
        reference: Likewise.
        ngrams: Matched n-grams by order: bleu, gleu, rouge_1 .. rouge_5.
        brevity_penalty: What bleu multiplies with for a candidate shorter than the reference.
        lcs: Positions (candidate, reference) of a longest common subsequence: rouge_l.
        meteor: The alignment: meteor.
        edits: Characters to insert or delete, from one text to the other: fuzzy_match as `ratio`.
        cosine: The cosine before negative ones become 0.0: cosine.
        notes: Traps, in words.
    """

    signature: str
    score: float
    candidate: Sequence[str]
    reference: Sequence[str]
    ngrams: Sequence[NgramMatch] = ()
    brevity_penalty: float | None = None
    lcs: Sequence[tuple[int, int]] = ()
    meteor: MeteorMatch | None = None
    edits: int | None = None
    cosine: float | None = None
    notes: Sequence[str] = ()


# The lengths of n-grams a metric looks at.
_ORDERS: Final[Mapping[str, Sequence[int]]] = {
    "bleu": range(1, bleu.ORDERS + 1),
    "gleu": range(1, gleu.ORDERS + 1),
    **{name: [int(name[-1])] for name in ROUGE[:-1]},
}


def explain(name: str, candidate: str, reference: str, settings: Settings = DEFAULT) -> Explanation:
    """Score one pair and show what the score is made of.

    Raises:
        ValueError: There is no such metric.
        TooMuchWork: The texts are too long to keep the table that shows the path.

    Example:
        >>> explain("rouge_l", "a b c", "b c a").lcs
        [(1, 0), (2, 1)]
    """
    chosen = metric(name, settings)
    lines = [_lines(name, text, settings) for text in (candidate, reference)]
    ours, theirs = (list(chain.from_iterable(text)) for text in lines)
    found = Explanation(
        signature=chosen.signature,
        score=chosen.pair(candidate, reference),
        candidate=ours,
        reference=theirs,
        notes=[
            *_lost(name, candidate, reference, settings),
            *_too_short(name, len(ours), len(theirs), settings),
        ],
    )
    match chosen:
        case Cosine():
            found = replace(found, cosine=chosen.raw(candidate, reference))
        case FuzzyMatch() if settings.fuzzy_match in {"ratio", "ratio_dp"}:
            found = replace(found, edits=Indel.distance(ours[0], theirs[0]))
        case Meteor():
            found = replace(found, meteor=_meteor(ours, theirs, chosen))
        case _ if name == "rouge_l":
            found = replace(found, lcs=_paths(lines[0], lines[1], settings))
        case _ if name in _ORDERS:
            once = settings.tokens_for(name) == "pltrdy"
            found = replace(found, ngrams=_ngrams(ours, theirs, _ORDERS[name], once=once))
    if name == "bleu":
        lengths = Shared(len(ours), len(theirs), (), 0)
        found = replace(found, brevity_penalty=bleu.brevity_penalty(lengths))
    return found


def _lines(name: str, text: str, settings: Settings) -> list[list[str]]:
    """The tokens of a text, by the lines or sentences the metric looks at one by one."""
    tokens = settings.tokens_for(name)
    if tokens is None:
        metric_ = FuzzyMatch(settings.fuzzy_match, settings.work_limit)
        return [[metric_.process(text) if name == "fuzzy_match" else text]]
    if tokens == "pltrdy":
        return sentences(text)
    if name == "meteor":
        return [lowered(tokens)(text)]
    by_line = name == "rouge_l" and rouge_variant(settings.rouge).lsum
    return [TOKENIZERS[tokens](line) for line in (text.split("\n") if by_line else [text])]


def _ngrams(
    ours: Sequence[str], theirs: Sequence[str], orders: Iterable[int], *, once: bool = False
) -> list[NgramMatch]:
    matches = []
    for n in orders:
        a, b = (
            Counter(" ".join(text[i : i + n]) for i in range(len(text) - n + 1))
            for text in (ours, theirs)
        )
        if once:
            a, b = Counter(a.keys()), Counter(b.keys())
        shared = dict(a & b)
        matches.append(NgramMatch(n=n, candidate=a.total(), reference=b.total(), shared=shared))
    return matches


def _paths(
    ours: Sequence[Sequence[str]], theirs: Sequence[Sequence[str]], settings: Settings
) -> list[tuple[int, int]]:
    """Positions on the common subsequences of every two lines, counted through the whole texts."""
    check_work("explain rouge_l", kept_cells(ours, theirs), settings.work_limit)
    pltrdy = settings.tokens_for("rouge_l") == "pltrdy"
    found = []
    j = 0
    for theirs_line in theirs:
        i = 0
        for ours_line in ours:
            if pltrdy:  # which of several paths is found depends on which text is asked first
                path = [(place, at) for at, place in lcs.path(theirs_line, ours_line)]
            else:
                path = lcs.path(ours_line, theirs_line)
            found += [(i + place, j + at) for place, at in path]
            i += len(ours_line)
        j += len(theirs_line)
    return sorted(found)


def _meteor(ours: Sequence[str], theirs: Sequence[str], metric: Meteor) -> MeteorMatch:
    alignment = align(ours, theirs, metric.synonyms)
    matches = list(chain.from_iterable(alignment))
    if not matches:
        return MeteorMatch(exact=[], stem=[], synonym=[], chunks=0, f_mean=0.0, penalty=0.0)
    runs = chunks(matches)
    return MeteorMatch(
        exact=sorted(alignment.exact),
        stem=sorted(alignment.stem),
        synonym=sorted(alignment.synonym),
        chunks=runs,
        f_mean=f_mean(len(matches), len(ours), len(theirs)),
        penalty=penalty(runs, len(matches)),
    )


def _lost(name: str, candidate: str, reference: str, settings: Settings) -> Iterator[str]:
    for which, text in (("candidate", candidate), ("reference", reference)):
        if lost := lost_tokens(name, text, settings):
            yield f"the {which}: {lost}"


def _too_short(name: str, ours: int, theirs: int, settings: Settings) -> Iterator[str]:
    """Short texts that cannot reach 1.0, not even against themselves."""
    shorter = min(ours, theirs)
    if name in ROUGE[:-1] and 0 < shorter < int(name[-1]):
        yield f"a text of {shorter} tokens has no {name[-1]}-grams: 0.0, even against itself"
    if name == "meteor" and 0 < shorter <= 3:
        yield (
            f"identical texts of {shorter} tokens score {1 - penalty(1, shorter):.2f} under meteor:"
            " even one run of matches is penalised"
        )
    if name == "bleu" and settings.bleu != "sacrebleu" and 0 < ours < bleu.ORDERS:
        same = Shared(ours, ours, [max(ours - n, 0) for n in range(bleu.ORDERS)], 0)
        if (score := bleu.nltk_bleu(same, settings.bleu)) < 1:
            yield (
                f"the candidate has {ours} tokens and bleu looks at {bleu.ORDERS}-grams: identical "
                f"texts of this length score {score:.2f}; bleu=sacrebleu leaves out the orders "
                "that are not there"
            )
