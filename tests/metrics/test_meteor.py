"""METEOR equals nltk's to the last bit, given the same synonyms.

nltk's own WordNet must be downloaded; that our table gives the same synonyms is test_wordnet's.
"""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_texts import FILES, LONG, TEXTS, TRAPS, differing, some_pairs
from nltk.translate.meteor_score import meteor_score

from metrics import Settings, metric
from metrics.meteor import Meteor
from metrics.tokens import TOKENIZERS
from metrics.wordnet import synonyms


def _reader(lookup):
    """A WordNet reader, as far as nltk's METEOR uses one."""

    def synsets(word):
        lemmas = [SimpleNamespace(name=lambda name=name: name) for name in lookup(word)]
        return [SimpleNamespace(lemmas=lambda: lemmas)]

    return SimpleNamespace(synsets=synsets)


READERS = {"wordnet": _reader(synonyms), "no_synonyms": _reader(lambda _: ())}


def _nltk(variant, tokens="nltk_word"):
    split = TOKENIZERS[tokens]
    return lambda candidate, reference: meteor_score(
        [split(reference)], split(candidate), wordnet=READERS[variant]
    )


def _ours(variant, tokens="nltk_word"):
    return metric("meteor", Settings(meteor=variant, tokens=tokens)).pair


@pytest.mark.long
@pytest.mark.parametrize("variant", READERS)
@pytest.mark.parametrize("file", FILES)
def test_equals_nltk_on_real_rows(file, variant):
    assert differing(_ours(variant), _nltk(variant), some_pairs(file)) == []


@pytest.mark.parametrize("variant", READERS)
@pytest.mark.parametrize("tokens", ["nltk_word", "char"])
def test_equals_nltk_on_adversarial_pairs(variant, tokens):
    assert differing(_ours(variant, tokens), _nltk(variant, tokens), TRAPS) == []


@pytest.mark.parametrize("variant", READERS)
@given(candidate=TEXTS, reference=TEXTS)
def test_equals_nltk_on_random_pairs(variant, candidate, reference):
    assert _ours(variant)(candidate, reference) == _nltk(variant)(candidate, reference)


# Words that share forms, stems and synonyms in many ways.
_RELATED = st.lists(
    st.sampled_from(
        ["car", "cars", "auto", "automobile", "run", "runs", "running", "ran", "go", "went", "the"]
    ),
    max_size=12,
).map(" ".join)


@given(candidate=_RELATED, reference=_RELATED)
def test_equals_nltk_where_stages_compete(candidate, reference):
    assert _ours("wordnet")(candidate, reference) == _nltk("wordnet")(candidate, reference)


def test_long_texts_take_no_time():
    """10,000 tokens against 10,000 others: positions are indexed, not searched."""
    assert 0.0 < _ours("wordnet")(LONG[0], LONG[0][5000:]) < 1.0
    assert _ours("wordnet")(*LONG) == 0.0


def test_without_the_table_the_signature_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("metrics.meteor.files", lambda _: tmp_path)

    with pytest.warns(UserWarning, match="no synonyms"):
        found = metric("meteor")

    assert found == Meteor(variant="no_synonyms", tokens="nltk_word")
    assert found.signature == "meteor|v:no_synonyms|tok:nltk_word|lib:nltk-3.10"
