"""BLEU equals nltk's and sacrebleu's to the last bit."""

import warnings

import pytest
from hypothesis import given
from metric_texts import FILES, TEXTS, TRAPS, differing, pairs, some_pairs
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from sacrebleu.metrics import BLEU

from metrics import Settings, metric
from metrics.bleu import SMOOTHINGS, sacrebleu
from metrics.interning import encoder
from metrics.ngrams import shared
from metrics.overlap import Shared
from metrics.tokens import TOKENIZERS

_SACREBLEU = BLEU(effective_order=True)
_METHODS = {name: name.replace("none", "method0") for name in SMOOTHINGS}


def _nltk(smoothing, tokens):
    split, smooth = TOKENIZERS[tokens], getattr(SmoothingFunction(), _METHODS[smoothing])

    def score(candidate, reference):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return sentence_bleu([split(reference)], split(candidate), smoothing_function=smooth)

    return score


def _ours(smoothing, tokens="nltk_word"):
    return metric("bleu", Settings(bleu=smoothing, tokens=tokens)).pair


def _unclamped_sacrebleu(candidate, reference):
    a, b = encoder("13a").pair(candidate, reference)
    return sacrebleu(Shared(len(a), len(b), shared(a, b, 4), 0))


def _library_sacrebleu(candidate, reference):
    return _SACREBLEU.sentence_score(candidate, [reference]).score / 100


@pytest.mark.long
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("file", FILES)
def test_equals_nltk_on_real_rows(file, smoothing):
    rows = some_pairs(file)[:: 1 if smoothing == "method4" else 3]

    assert differing(_ours(smoothing), _nltk(smoothing, "nltk_word"), rows) == []


@pytest.mark.long
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("tokens", ["nltk_word", "char", "unicode"])
def test_equals_nltk_on_adversarial_pairs(smoothing, tokens):
    assert differing(_ours(smoothing, tokens), _nltk(smoothing, tokens), TRAPS) == []


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@given(candidate=TEXTS, reference=TEXTS)
def test_equals_nltk_on_random_pairs(smoothing, candidate, reference):
    assert _ours(smoothing)(candidate, reference) == _nltk(smoothing, "nltk_word")(
        candidate, reference
    )


@pytest.mark.long
@pytest.mark.parametrize("file", FILES)
def test_equals_sacrebleu_on_real_rows(file):
    assert differing(_unclamped_sacrebleu, _library_sacrebleu, pairs(file)) == []


def test_equals_sacrebleu_on_adversarial_pairs():
    assert differing(_unclamped_sacrebleu, _library_sacrebleu, TRAPS) == []


def test_sacrebleu_is_clamped():
    """The library gives identical texts 1.0000000000000004."""
    text = "The quick brown fox jumps."

    assert _unclamped_sacrebleu(text, text) > 1.0
    assert metric("bleu", Settings(bleu="sacrebleu")).pair(text, text) == 1.0
