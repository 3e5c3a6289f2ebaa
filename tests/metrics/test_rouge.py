"""ROUGE equals rouge-score 0.1.2 to the last bit, in both backends."""

import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from metric_texts import FILES, LONG, TEXTS, TRAPS, differing, some_pairs
from rouge_score.rouge_scorer import RougeScorer

from metrics import Settings, metric, similarities
from metrics.families import ROUGE
from metrics.tokens import TOKENIZERS

_KINDS = {name: name.replace("_l", "L").replace("_", "") for name in ROUGE}
_STATISTICS = {"f1": "fmeasure", "precision": "precision", "recall": "recall"}
VARIANTS = ["google", "stem", "precision", "recall", "lsum", "stem+recall", "lsum+stem+precision"]
BACKENDS = ["own", "fast"]


def _library(variant, tokens="google"):
    """All six scores of a pair, as the library has them."""
    parts = set(variant.split("+"))
    names = [_KINDS[name] + "sum" * (name == "rouge_l" and "lsum" in parts) for name in ROUGE]
    tokenizer = None if tokens == "google" else SimpleNamespace(tokenize=TOKENIZERS[tokens])
    scorer = RougeScorer(names, use_stemmer="stem" in parts, tokenizer=tokenizer)
    statistic = _STATISTICS[next(iter(parts & set(_STATISTICS)), "f1")]

    def scores(candidate, reference):
        # The library insists on UTF-8 in places; what it would do with a surrogate is drop it.
        found = scorer.score(reference, candidate)
        return {
            name: getattr(found[kind], statistic) for name, kind in zip(ROUGE, names, strict=True)
        }

    return scores


def _ours(variant, backend="own"):
    settings = Settings(rouge=variant, backend=backend)
    return lambda candidate, reference: {
        name: scores[0]
        for name, scores in similarities(ROUGE, [candidate], [reference], settings).items()
    }


@pytest.mark.long
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("file", FILES)
def test_equals_the_library_on_real_rows(file, variant, backend):
    rows = some_pairs(file)[:: 1 if variant == "google" else 3]

    assert differing(_ours(variant, backend), _library(variant), rows) == []


@pytest.mark.long
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_the_library_on_adversarial_pairs(variant, backend):
    assert differing(_ours(variant, backend), _library(variant), TRAPS) == []


@pytest.mark.parametrize("variant", ["google", "lsum+stem"])
@given(candidate=TEXTS, reference=TEXTS)
def test_equals_the_library_on_random_pairs(variant, candidate, reference):
    assert _ours(variant)(candidate, reference) == _library(variant)(candidate, reference)


@pytest.mark.parametrize("tokens", ["unicode", "char"])
def test_equals_the_library_with_our_tokens(tokens):
    """rouge-score takes a tokenizer; with ours in it, the formulas are still the same."""
    assert differing(_ours(tokens), _library(tokens, tokens), TRAPS) == []


def test_other_scripts_need_unicode_tokens():
    """rouge-score keeps [a-z0-9] only: identical Russian texts score 0."""
    text = "кошка сидит на окне"

    assert metric("rouge_l").pair(text, text) == 0.0
    assert metric("rouge_l", Settings(rouge="unicode")).pair(text, text) == 1.0


def test_long_texts_are_quick():
    """10,000 tokens against 10,000: rouge-score takes 13 seconds and a gigabyte."""
    assert metric("rouge_l").pair(LONG[0], LONG[0]) == 1.0
    assert metric("rouge_l").pair(*LONG) == 0.0


def test_a_missing_backend_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rouge_score_rs", None)

    with pytest.raises(ImportError, match="rouge-score-rs is not installed; pip install"):
        metric("rouge_l", Settings(backend="fast"))
