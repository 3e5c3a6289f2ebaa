"""Porter stems equal nltk's, for every word."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from metric_texts import FILES, some_pairs
from nltk.stem.porter import PorterStemmer

from metrics.porter import stem

_NLTK = PorterStemmer().stem
SUFFIXES = (
    *("", "s", "sses", "ies", "ied", "eed", "ed", "ing", "y", "ational", "tional", "enci", "anci"),
    *("izer", "bli", "alli", "entli", "eli", "ousli", "ization", "ation", "ator", "alism", "logi"),
    *("iveness", "fulness", "ousness", "aliti", "iviti", "biliti", "fulli", "icate", "ative"),
    *("alize", "iciti", "ical", "ful", "ness", "al", "ance", "ence", "er", "ic", "able", "ible"),
    *("ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti", "ous", "ive", "ize", "e"),
    *("ll", "at", "bl", "iz", "*d"),
)
words = st.builds(
    "".join,
    st.tuples(
        st.text("abeilostyzwx", max_size=6),
        st.lists(st.sampled_from(SUFFIXES), min_size=1, max_size=3).map("".join),
    ),
)


@given(words)
@example("vocationalli")
@example("sky")
@example("yyyyying")
@example("a*ding")
@example("ies")
@example("theologi")
def test_words_of_suffixes(word):
    """Whatever suffixes a word piles up."""
    assert stem(word) == _NLTK(word)


@given(st.text().map(str.lower))
def test_any_text(word):
    """Whatever a tokenizer lets through."""
    assert stem(word) == _NLTK(word)


@pytest.mark.parametrize("file", FILES)
def test_words_of_real_rows(file):
    """Each of them, once."""
    found = {
        word
        for pair in some_pairs(file)
        for text in pair
        for word in re.findall(r"\w+|\S+", text.lower())
    }

    assert len(found) > 100
    assert [word for word in found if stem(word) != _NLTK(word)] == []
