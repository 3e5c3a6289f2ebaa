"""From a path to the characters of a file: every value, every key, every character of a string."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.config.explain import show_path
from graders.lint.locate import Lines, Literal, locate, to_location

KEYS = st.text(max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
)


def everything(value, location=()):
    yield location, value
    pairs = {dict: dict.items, list: enumerate}.get(type(value), lambda _: ())
    for step, entry in pairs(value):
        yield from everything(entry, (*location, step))


@pytest.mark.parametrize("layout", [{}, {"indent": 2}, {"indent": "\t", "ensure_ascii": False}])
@given(value=VALUES)
def test_what_stands_at_a_location_is_its_value(layout, value):
    """In any layout, and a key is found where it stands too."""
    text = json.dumps(value, **layout)
    spans = locate(text)

    for location, wanted in everything(value):
        start, end = spans.find(location)
        assert json.loads(text[start:end]) == wanted
        if location and isinstance(location[-1], str):
            start, end = spans.keys[location]
            assert json.loads(text[start:end]) == location[-1]
    assert len(spans.values) == len(list(everything(value)))


@pytest.mark.parametrize("ascii_only", [True, False])
@given(text=st.text(min_size=1), data=st.data())
def test_a_character_of_a_string_is_found_in_its_literal(ascii_only, text, data):
    """Whatever is escaped before it, and however."""
    written = json.dumps(text, ensure_ascii=ascii_only)
    literal = Literal(written)
    position = data.draw(st.integers(0, len(text) - 1))
    start, end = literal.offset(position), literal.offset(position + 1)

    assert literal.value == text
    assert json.loads(f'"{written[start:end]}"') == text[position]


@given(location=st.lists(st.integers(0, 99) | st.text(), max_size=5))
def test_a_path_leads_back_to_its_location(location):
    """Those that findings have, with or without the line of a source behind them."""
    path = show_path(tuple(location), {})

    assert to_location(path) == (tuple(location), None)
    assert to_location(f"{path}.line 12") == (tuple(location), 12)
    assert to_location(f"{path}: line 12" if path else "line 12") == (tuple(location), 12)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("a", "missing"), '{"b": 1}'),
        (("a", "b", "missing", 0), "1"),
        (("missing",), '{"a": {"b": 1}}'),
    ],
)
def test_what_is_missing_is_missing_from_what_is_there(path, text):
    """The nearest value around it."""
    spans = locate('{"a": {"b": 1}}')

    assert spans.text[slice(*spans.find(path))] == text


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [("ab", 1, (1, 2)), ("a\nb", 2, (2, 1)), ("a\r\nb\rc", 5, (3, 1)), ("", 0, (1, 1))],
)
def test_lines_end_as_editors_end_them(text, offset, place):
    """Both count from 1."""
    assert Lines.of(text).place(offset) == place


@pytest.mark.parametrize(
    ("text", "line", "offset"),
    [("a\n  b\n", 2, 4), ("a\r\n\tb", 2, 4), ("x", 1, 0), ("x", 9, 0), ("a\n   ", 2, 5)],
)
def test_a_line_begins_at_its_first_letter(text, line, offset):
    """Or at its end, where it has none; a line too far is the last one."""
    assert Lines.of(text).first_letter(line) == offset


def test_a_text_as_deep_as_json_goes_is_located():
    """Without recursion."""
    depth = 900
    spans = locate("[" * depth + "]" * depth)

    assert spans.find((0,) * (depth - 1)) == (depth - 1, depth + 1)
