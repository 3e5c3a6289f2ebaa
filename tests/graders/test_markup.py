"""Nothing gets into a page as markup but markup, and nothing hides in it."""

import json
import re

import pytest
from html_gallery import HOSTILE
from html_reading import Reader
from hypothesis import given
from hypothesis import strategies as st

from graders.markup import Markup, cut, el, many, seen
from graders.report.html.embedded import embedded, written

ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.sampled_from(HOSTILE)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=8,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", "plain"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("\"it's\"", "&quot;it&#x27;s&quot;"),
        ("</script>", "&lt;/script&gt;"),
        ("<!-- ]]>", "&lt;!-- ]]&gt;"),
        ("line\n\tnext", "line\n\tnext"),
        ("né 漢字 שלום \xa0", "né 漢字 שלום \xa0"),
        ("56 % of 5 %, 5 x", "56\xa0% of 5\xa0%, 5 x"),
        ("-0.2 [-0.24, -0.17], 31 % [30 %, 33 %] of [2, 3, 4e-05]",
         "-0.2 [-0.24,\xa0-0.17], 31\xa0% [30\xa0%,\xa033\xa0%] of [2, 3,\xa04e-05]"),
        ("\x00", '<span class="hidden-character">\\x00</span>'),
        ("\r", '<span class="hidden-character">\\r</span>'),
        ("a\u202eb", 'a<span class="hidden-character">\\u202e</span>b'),
        ("\u2028", '<span class="hidden-character">\\u2028</span>'),
        ("\ud800", '<span class="hidden-character">\\ud800</span>'),
        ("\U000e0041", '<span class="hidden-character">\\U000e0041</span>'),
        ("\u200b\ufeff", '<span class="hidden-character">\\u200b</span>'
                         '<span class="hidden-character">\\ufeff</span>'),
    ],
)  # fmt: skip
def test_text_is_escaped_and_what_hides_is_shown(text, html):
    assert many(text).html == html


@given(ANY_TEXT)
def test_any_text_is_one_text_again(text):
    html = el("pre", [text], title=text).html
    html.encode()  # lone halves of pairs are escapes by now
    reader = Reader(html)

    assert {tag for tag, _ in reader.tags} <= {"pre", "span"}
    assert "".join(reader.texts) == seen(text)
    assert reader.tags[0] == ("pre", {"title": seen(text)})


@given(st.lists(st.sampled_from(["5 %", "% ", "7", " ", "\xa0", "<"])).map("".join) | ANY_TEXT)
def test_words_differ_from_a_text_by_spaces_that_do_not_break_alone(text):
    reader = Reader(el("p", text).html)

    assert reader.text() == seen(text).replace("\xa0", " ")
    assert re.search("[0-9] %", "".join(reader.texts)) is None


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//host", "https://host", "", "data:,"])
@pytest.mark.parametrize("attribute", ["href", "src", "action"])
def test_an_address_leads_to_a_place_of_the_page(attribute, address):
    with pytest.raises(ValueError, match="leads out of the page; a place in it begins with #"):
        el("a", "text", **{attribute: address})


def test_attributes_are_named_as_in_html():
    made = el("input", "left out", class_="a", aria_label="b", hidden=True, id=None, checked=False)

    assert made == Markup('<input class="a" aria-label="b" hidden>')


@given(JSON)
def test_embedded_json_is_the_same_and_cannot_end_its_element(data):
    text = embedded(data)

    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text.encode()) == data


@given(st.dictionaries(ANY_TEXT, JSON))
def test_a_file_of_data_is_the_same(data):
    assert json.loads(written(data)) == data


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_have_is_refused(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        embedded({"x": number})


def test_a_long_text_says_how_long_it_is():
    assert cut("x" * 1_000_000, 2) == "xx... (1,000,000 characters)"
