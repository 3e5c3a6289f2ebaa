"""The tables of metrics/README.md that are computed: run this module to print them.

The values come from the libraries themselves where there is one, so the page shows what each
library says and not what we say it says; `test_readme` holds the page to them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from nltk.tokenize.destructive import NLTKWordTokenizer
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from nltk.translate.gleu_score import sentence_gleu
from nltk.translate.meteor_score import meteor_score
from rapidfuzz import fuzz, utils
from rapidfuzz.distance import Levenshtein
from rouge import Rouge
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU
from test_meteor import READERS

from metrics import METRICS

CANDIDATE = "The quick fox jumped over a lazy dog's car."
REFERENCE = "A quick brown fox jumps over the lazy dog's auto!"
SAME = ["", "red", "red fox", "red fox ran", "red fox ran far", "red fox ran far away"]


def edges() -> str:
    """Scores of texts against themselves, and of a text against none."""
    columns = [f"{len(text.split())} tokens" if text else "empty" for text in SAME]
    lines = [
        f"| identical texts of | {' | '.join(columns)} | one empty |",
        "| --- |" + " ---: |" * (len(SAME) + 1),
    ]
    for name, metric in METRICS.items():
        scores = [metric.pair(text, text) for text in SAME] + [metric.pair("red", "")]
        lines.append(f"| {name} | {' | '.join(f'{score:.3g}' for score in scores)} |")
    return "\n".join(lines)


class Row(NamedTuple):
    """What one library says of the pair, and the settings with which we say the same."""

    metric: str
    library: str
    variant: str
    value: float
    settings: Mapping[str, str]


def many_numbers() -> str:
    """Every library's value of every metric for one pair."""
    lines = [
        "| metric | library | variant | value | our settings |",
        "| --- | --- | --- | ---: | --- |",
    ]
    for row in rows():
        settings = ", ".join(f"{name}={value}" for name, value in row.settings.items())
        lines.append(
            f"| {row.metric} | {row.library} | {row.variant} | {row.value:.4f} | "
            f"{f'`{settings}`' if settings else 'default'} |"
        )
    return "\n".join(lines)


def rows() -> list[Row]:
    """The rows of `many_numbers`, by metric."""
    found = [*_fuzzy(), *_nltk(), *_rouge()]
    score = BLEU(effective_order=True).sentence_score(CANDIDATE, [REFERENCE]).score / 100
    found.append(Row("bleu", "sacrebleu", "exp, effective order", score, {"bleu": "sacrebleu"}))
    return sorted(found, key=lambda row: list(METRICS).index(row.metric))


def _fuzzy() -> Iterator[Row]:
    for name, function in {
        "ratio": fuzz.ratio,
        "wratio": fuzz.WRatio,
        "token_set": fuzz.token_set_ratio,
        "token_sort": fuzz.token_sort_ratio,
        "partial": fuzz.partial_ratio,
        "levenshtein": Levenshtein.normalized_similarity,
    }.items():
        scorer: Callable[..., float] = function
        best = 1 if name == "levenshtein" else 100
        for suffix, processor in (("", None), ("_dp", utils.default_process)):
            value = scorer(CANDIDATE, REFERENCE, processor=processor) / best
            variant = scorer.__name__ + (", default_process" if processor else "")
            settings = {"fuzzy_match": name + suffix} if name + suffix != "ratio" else {}
            yield Row("fuzzy_match", "rapidfuzz", variant, value, settings)


def _nltk() -> Iterator[Row]:
    for label, split, tokens in (
        ("word tokens", NLTKWordTokenizer().tokenize, {}),
        ("`str.split`", str.split, {"tokens": "split"}),
    ):
        ours, theirs = split(CANDIDATE), split(REFERENCE)
        for method in range(5):
            smoothing = getattr(SmoothingFunction(), f"method{method}")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = sentence_bleu([theirs], ours, smoothing_function=smoothing)
            bleu = {0: {"bleu": "none"}, 4: {}}.get(method, {"bleu": f"method{method}"})
            yield Row("bleu", "nltk", f"method{method}, {label}", value, {**bleu, **tokens})
        yield Row("gleu", "nltk", label, sentence_gleu([theirs], ours), tokens)
        for variant, reader in READERS.items():
            value = meteor_score([theirs], ours, wordnet=reader)
            meteor = {} if variant == "wordnet" else {"meteor": variant}
            yield Row("meteor", "nltk", f"{variant}, {label}", value, {**meteor, **tokens})


def _rouge() -> Iterator[Row]:
    kinds = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}
    for stem, settings in ((False, {}), (True, {"rouge": "stem"})):
        scorer = RougeScorer(list(kinds.values()), use_stemmer=stem)
        scores = scorer.score(REFERENCE, CANDIDATE)
        for name, kind in kinds.items():
            variant = "stemmed" if stem else "not stemmed"
            yield Row(name, "rouge-score", variant, scores[kind].fmeasure, settings)
    for name in kinds:
        kind = name.replace("_", "-")
        value = Rouge(metrics=[kind]).get_scores(CANDIDATE, REFERENCE)[0][kind]["f"]
        yield Row(name, "rouge", "pltrdy", value, {"rouge": "pltrdy"})


if __name__ == "__main__":
    print(edges(), many_numbers(), sep="\n\n")  # noqa: T201 - that is what it is for
