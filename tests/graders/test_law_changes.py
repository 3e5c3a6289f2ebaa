"""Changes that mean nothing: what they change, and what they leave alone."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.testing.laws import changes
from graders.testing.laws.declared import CHANGES

EXEMPLARS = [
    ("case", "a 1", [("a 1", "A 1"), ("a 1", "A 1")]),
    ("case", "4 + 4", []),
    ("case", "ß", []),  # its capitals are SS, which few graders take for the same
    ("whitespace", "a  b", [("a  b", "a\nb"), ("a  b", " a  b\n")]),
    ("whitespace", "a", [("a", " a\n")]),
    ("key_order", '{"a": 1}', []),
    ("key_order", "plain", []),
    (
        "key_order",
        '[{"b":1,"a":{"d":0,"c":0}}]',
        [('[{"b": 1, "a": {"d": 0, "c": 0}}]', '[{"a": {"c": 0, "d": 0}, "b": 1}]')] * 2,
    ),
    ("unicode_form", "e", []),
    ("unicode_form", "e\u0301", [("\u00e9", "e\u0301")]),
]


@pytest.mark.parametrize(("change", "text", "pairs"), EXEMPLARS)
def test_what_is_always_tried(change, text, pairs):
    """Nothing where the change does nothing to the text."""
    assert changes.exemplars(change, text) == pairs


def test_a_document_is_laid_out_anew_and_its_strings_stay():
    text = '{"a": "x  y"}'

    assert [other for _, other in changes.exemplars("whitespace", text)] == [
        '{"a":"x  y"}',
        '{\n  "a": "x  y"\n}',
        ' {"a": "x  y"}\n',
    ]


MEANING = {
    "case": str.casefold,
    "whitespace": lambda text: changes.decode_or_none(text) or text.split(),
    "key_order": json.loads,
    "unicode_form": lambda text: unicodedata.normalize("NFC", text),
}
documents = st.dictionaries(st.text(max_size=2), st.integers() | st.text(max_size=3), max_size=4)
texts = st.text(max_size=12) | st.text("aß ΣéK\n", max_size=12) | documents.map(json.dumps)


def test_every_change_has_a_meaning():
    assert MEANING.keys() == {*CHANGES}


@pytest.mark.parametrize("change", CHANGES)
@given(text=texts, data=st.data())
def test_a_change_leaves_the_meaning(change, text, data):
    """Of any text, and however it is drawn."""
    drawn = data.draw(changes.drawn(change, text))

    for one, other in [drawn, *changes.exemplars(change, text)]:
        assert MEANING[change](one) == MEANING[change](other)
