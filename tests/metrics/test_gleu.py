"""GLEU equals nltk's to the last bit."""

import pytest
from hypothesis import given
from metric_texts import FILES, TEXTS, TRAPS, differing, some_pairs
from nltk.translate.gleu_score import sentence_gleu

from metrics import Settings, metric
from metrics.tokens import TOKENIZERS


def _nltk(tokens):
    split = TOKENIZERS[tokens]
    return lambda candidate, reference: sentence_gleu([split(reference)], split(candidate))


def _ours(tokens="nltk_word"):
    return metric("gleu", Settings(tokens=tokens)).pair


@pytest.mark.parametrize("file", FILES)
def test_equals_nltk_on_real_rows(file):
    assert differing(_ours(), _nltk("nltk_word"), some_pairs(file)) == []


@pytest.mark.parametrize("tokens", ["nltk_word", "split", "13a", "azure", "unicode", "char"])
def test_equals_nltk_on_adversarial_pairs(tokens):
    assert differing(_ours(tokens), _nltk(tokens), TRAPS) == []


@given(candidate=TEXTS, reference=TEXTS)
def test_equals_nltk_on_random_pairs(candidate, reference):
    assert _ours()(candidate, reference) == _nltk("nltk_word")(candidate, reference)
