"""`pltrdy` equals the PyPI package `rouge` 1.0.1 to the last bit; where that raises, it is 0.0."""

import pytest
from hypothesis import given
from metric_texts import ADVERSARIAL, TEXTS, TRAPS, differing, pairs
from rouge import Rouge

from metrics import Settings, metric, similarities
from metrics.families import ROUGE

_STATISTICS = {"f1": "f", "precision": "p", "recall": "r"}
_LIBRARY = Rouge(metrics=[name.replace("_", "-") for name in ROUGE])


def _library(statistic):
    def scores(candidate, reference):
        try:
            found = _LIBRARY.get_scores(candidate, reference)[0]
        except ValueError:
            return dict.fromkeys(ROUGE, 0.0)
        return {name: found[name.replace("_", "-")][_STATISTICS[statistic]] for name in ROUGE}

    return scores


def _ours(statistic):
    settings = Settings(rouge=f"pltrdy+{statistic}")
    return lambda candidate, reference: {
        name: scores[0]
        for name, scores in similarities(ROUGE, [candidate], [reference], settings).items()
    }


@pytest.mark.long
@pytest.mark.parametrize(
    ("file", "step"), [("evouna_nq", 7), ("stsb_en_test", 1), ("summeval", 11)]
)
def test_equals_the_library_on_real_rows(file, step):
    assert differing(_ours("f1"), _library("f1"), pairs(file)[::step]) == []


@pytest.mark.parametrize("statistic", _STATISTICS)
def test_equals_the_library_on_adversarial_pairs(statistic):
    assert differing(_ours(statistic), _library(statistic), TRAPS) == []


@given(candidate=TEXTS, reference=TEXTS)
def test_equals_the_library_on_random_pairs(candidate, reference):
    assert _ours("f1")(candidate, reference) == _library("f1")(candidate, reference)


@pytest.mark.long
def test_sentences_too_long_for_the_librarys_recursion():
    """The package recurses once a word and overflows; the number it would give is this one."""
    text = " ".join(f"word{i}" for i in range(1_100))

    with pytest.raises(RecursionError):
        _LIBRARY.get_scores(text, text)
    assert metric("rouge_l", Settings(rouge="pltrdy")).pair(text, text) == 2.0 / (2.0 + 1e-8)


@pytest.mark.parametrize("text", [text for text in ADVERSARIAL if not text.strip(".")])
def test_what_the_library_refuses_is_zero(text):
    with pytest.raises(ValueError, match="empty"):
        _LIBRARY.get_scores(text, "a")
    assert _ours("f1")(text, "a") == dict.fromkeys(ROUGE, 0.0)
