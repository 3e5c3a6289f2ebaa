"""Texts that a metric cannot see are found, with the setting that sees them."""

import re
from itertools import product

import pytest
from hypothesis import given
from metric_texts import TEXTS

from metrics import Settings, lost_tokens
from metrics.families import NAMES

CHINESE, EMOJI = "我们都喜欢", "😀 ❤\ufe0f"


@pytest.mark.parametrize(
    ("name", "text", "values", "message"),
    [
        ("rouge_l", CHINESE, {}, "google leaves no token.*rouge='unicode'"),
        ("rouge_1", CHINESE, {"rouge": "stem+recall"}, r"google_stem .*rouge='unicode\+recall'"),
        ("rouge_1", EMOJI, {}, "google leaves no token.*rouge='char'"),
        ("rouge_1", EMOJI, {"rouge": "unicode"}, "unicode leaves no token.*rouge='char'"),
        ("rouge_2", "...", {"rouge": "pltrdy"}, "pltrdy leaves no token.*rouge='char'"),
        ("bleu", EMOJI, {"tokens": "unicode"}, "unicode leaves no token.*tokens='nltk_word'"),
        ("meteor", "!?", {"tokens": "unicode"}, "tokens='nltk_word'"),
        ("gleu", "<skipped>", {"tokens": "nist_intl"}, "nist_intl .*tokens='nltk_word'"),
        ("bleu", "<skipped>", {"bleu": "sacrebleu"}, "13a leaves no token.*bleu='method4'"),
        ("fuzzy_match", "?!", {"fuzzy_match": "ratio_dp"}, "default_process.*fuzzy_match='ratio'"),
    ],
)
def test_lost(name, text, values, message):
    lost = lost_tokens(name, text, Settings(**values))

    assert lost is not None
    assert re.search(message, str(lost))
    assert lost_tokens(name, text, Settings(**{**values, lost.setting: lost.value})) is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["", " \n", "word"])
def test_blank_texts_and_words_are_not_lost(name, text):
    assert lost_tokens(name, text) is None


@given(text=TEXTS)
def test_the_suggestion_always_helps(text):
    for name, tokens in product(NAMES, ["nltk_word", "13a", "azure", "unicode"]):
        values = {"tokens": tokens, "rouge": "stem", "fuzzy_match": "ratio_dp"}
        if lost := lost_tokens(name, text, Settings(**values)):
            helped = Settings(**{**values, lost.setting: lost.value})

            assert lost_tokens(name, text, helped) is None
