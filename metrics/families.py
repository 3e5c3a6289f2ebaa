"""From metric names and settings to what computes them, grouped so that one pass does for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from metrics import bleu, gleu, meteor, rouge, rouge_rs
from metrics.cosine import cosine
from metrics.fuzzy import FuzzyMatch
from metrics.interning import encoder
from metrics.overlap import Formula, Overlap
from metrics.pltrdy import Pltrdy
from metrics.settings import RougeVariant, Settings, check_choice, rouge_variant
from metrics.types import Family, Metric

ROUGE: Final = (*(f"rouge_{n}" for n in range(1, 6)), "rouge_l")
NAMES: Final = ("cosine", "fuzzy_match", "bleu", "gleu", "meteor", *ROUGE)


def families(names: Iterable[str], settings: Settings) -> list[Family]:
    """What computes the metrics, each metric in one of them.

    Raises:
        ValueError: A name is no metric's.
        ImportError: A setting needs an extra that is not installed.
    """
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        check_choice("metric", name, NAMES)
    found: list[Family] = []
    formulas: dict[str, list[Formula]] = {}
    for name in wanted:
        match name:
            case "cosine":
                found.append(Alone(cosine(settings.cosine)))
            case "fuzzy_match":
                found.append(Alone(FuzzyMatch(settings.fuzzy_match, settings.work_limit)))
            case "meteor":
                found.append(Alone(meteor.metric(settings.meteor, settings.tokens)))
            case "bleu":
                tokens = str(settings.tokens_for(name))
                formulas.setdefault(tokens, []).append(bleu.formula(settings.bleu, tokens))
            case "gleu":
                formulas.setdefault(settings.tokens, []).append(gleu.formula(settings.tokens))
    found += [_overlap(tokens, members, settings) for tokens, members in formulas.items()]
    rouges = [name for name in wanted if name in ROUGE]
    return found + _rouge_families(rouges, rouge_variant(settings.rouge), settings)


def _rouge_families(
    names: Sequence[str], variant: RougeVariant, settings: Settings
) -> list[Family]:
    if not names:
        return []
    signatures = {name: variant.signature(name) for name in names}
    if variant.library == "rouge-1.0.1":
        return [
            Pltrdy(
                signatures=signatures,
                statistic=variant.statistic,
                work_limit=settings.work_limit,
            )
        ]
    if settings.backend == "fast":
        stem = variant.tokens == "google_stem"
        return [
            rouge_rs.load(
                signatures,
                variant.statistic,
                stem=stem,
                lsum=variant.lsum,
                work_limit=settings.work_limit,
            )
        ]
    found: list[Family] = []
    formulas = []
    for name, signature in signatures.items():
        if name != "rouge_l":
            formulas.append(rouge.rouge_n(int(name[-1]), variant.statistic, signature))
        elif variant.lsum:
            lsum = rouge.RougeLsum(
                signature=signature,
                encoder=encoder(variant.tokens),
                statistic=variant.statistic,
                work_limit=settings.work_limit,
            )
            found.append(Alone(lsum))
        else:
            formulas.append(rouge.rouge_l(variant.statistic, signature))
    if formulas:
        found.append(_overlap(variant.tokens, formulas, settings))
    return found


def _overlap(tokens: str, formulas: Sequence[Formula], settings: Settings) -> Overlap:
    return Overlap(encoder=encoder(tokens), formulas=formulas, work_limit=settings.work_limit)


@dataclass(frozen=True, slots=True)
class Alone:
    """A metric that shares nothing with others, as a `Family`."""

    metric: Metric

    @property
    def signatures(self) -> Mapping[str, str]:
        return {self.metric.name: self.metric.signature}

    def pair(self, candidate: str, reference: str) -> list[float]:
        return [self.metric.pair(candidate, reference)]

    def batch(self, candidates: Sequence[str], references: Sequence[str]) -> list[list[float]]:
        return [self.metric.batch(candidates, references)]


@dataclass(frozen=True, slots=True)
class Only:
    """The only member of a family, as a `Metric`."""

    name: str
    signature: str
    family: Family

    def pair(self, candidate: str, reference: str) -> float:
        return self.family.pair(candidate, reference)[0]

    def batch(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        return list(self.family.batch(candidates, references)[0])


def metric(name: str, settings: Settings) -> Metric:
    """The metric of that name."""
    (family,) = families([name], settings)
    if isinstance(family, Alone):
        return family.metric
    return Only(name, family.signatures[name], family)
