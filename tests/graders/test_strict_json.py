r"""JSON as the standard has it: what is read, what is refused and where, and what survives."""

from contextlib import suppress
from json import loads

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.strict_json import NotJSONError, decode, decode_or_none, encode

TOO_LARGE = "is too large for a double"
characters = st.characters(exclude_categories=()) | st.sampled_from('\ud800\udfff\0"\\\n')
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(characters, max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(characters, max_size=5), inner)
    ),
    max_leaves=12,
)


def exactly(value):
    """A form in which `True`, `1` and `1.0` differ, and `-0.0` and `0.0` too."""
    if isinstance(value, dict):
        return {key: exactly(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [exactly(entry) for entry in value]
    return (type(value), repr(value))


# --- reading


@pytest.mark.parametrize("unique_keys", [False, True])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("null", None),
        ("true", True),
        ("-0.0", -0.0),
        ("1.0", 1.0),
        ("1", 1),
        (' {"a": [1, 2.5, "x"]}\n', {"a": [1, 2.5, "x"]}),
        ("1180591620717411303424", 2**70),
        ("-1180591620717411303424", -(2**70)),
        ("1e308", 1e308),
        ("1e-999", 0.0),
        (r'"\ud800"', "\ud800"),
        (r'{"\udfff": 1}', {"\udfff": 1}),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\u0000"', "\0"),
        ("[" * 200 + "]" * 200, None),
    ],
)
def test_the_value_is_the_same_whichever_reader_it_takes(text, expected, unique_keys):
    """What msgspec cannot carry is read all the same, with its type."""
    value = decode(text, unique_keys=unique_keys)

    if expected is None and text != "null":
        assert encode(value).decode() == text
    else:
        assert exactly(value) == exactly(expected)
        assert exactly(decode(text.encode(), unique_keys=unique_keys)) == exactly(expected)


@pytest.mark.parametrize("unique_keys", [False, True])
@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        ("NaN", "1:1", "NaN is not a JSON number"),
        ('{"a": [1,\n  NaN]}', "2:3", "NaN is not a JSON number"),
        ('{"é": NaN}', "1:7", "NaN is not a JSON number"),  # characters, not bytes
        ("Infinity", "1:1", "Infinity is not a JSON number"),
        ("-Infinity", "1:1", "-Infinity is not a JSON number"),
        ("[-NaN]", "1:2", "Expecting value"),
        ("9e1234567abc", "1:1", "the number 9e1234567"),  # a git hash, once the end of a run
        ('{"a": 1e999x}', "1:7", "the number 1e999"),
        ("1e999", "1:1", f"the number 1e999 {TOO_LARGE}"),
        ('{"a":\n  -1e999}', "2:3", f"the number -1e999 {TOO_LARGE}"),
        ('["1e999", 1e999]', "1:11", f"the number 1e999 {TOO_LARGE}"),
        (f"[{'9' * 50}e999]", "1:2", f"the number {'9' * 40} {TOO_LARGE}"),
        ("9" * 5000, "1:1", "digits"),
        ("[1,\n" + "9" * 5000 + "]", "2:1", "digits"),
        ("[" * 100_000, "1:1", "nested too deeply"),
        ("[" * 257 + "]" * 257, "1:1", "nested too deeply, in more than 256 levels"),
        ('{"a":' * 256 + "[1]" + "}" * 256, "1:1", "nested too deeply, in more than 256 levels"),
        (
            "[" * 256 + r'"\ud800",[]' + "]" * 256,
            "1:1",
            "nested too deeply, in more than 256 levels",
        ),
        ('{"a":' * 100_000, "1:1", "nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, "1:1", "nested too deeply"),
        (b"\xff", "1:1", "byte 0xff is not UTF-8"),
        (b'{"a":\n "\xc3\xa9\xff"}', "2:4", "byte 0xff is not UTF-8"),
        (b'"\xed\xa0\x80"', "1:2", "byte 0xed is not UTF-8"),  # a surrogate in raw bytes
        ("", "1:1", "Expecting value"),
        ("  ", "1:3", "Expecting value"),
        ("[1 2]", "1:4", "Expecting ',' delimiter"),
        ('{"a" 1}', "1:6", "Expecting ':' delimiter"),
        ("{'a': 1}", "1:2", "Expecting property name enclosed in double quotes"),
        ('{"a": 1} x', "1:10", "Extra data"),
        ('"a\nb"', "1:3", "Invalid control character"),
        ("nan", "1:1", "Expecting value"),
        ("01", "1:2", "Extra data"),
        ("\ufeff1", "1:1", "Unexpected UTF-8 BOM"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(data, place, problem, unique_keys):
    """The message says where, in characters from 1, and what stands there."""
    with pytest.raises(NotJSONError) as caught:
        decode(data, unique_keys=unique_keys)

    assert str(caught.value).startswith(f"{place}: not JSON: ")
    assert problem in caught.value.problem
    assert f"{caught.value.line}:{caught.value.column}" == place


def test_a_message_about_a_long_number_is_short():
    """Nobody wants 5,000 digits on the screen, or advice about the interpreter's settings."""
    with pytest.raises(NotJSONError) as caught:
        decode("9" * 5000)

    assert len(str(caught.value)) < 200
    assert "set_int_max_str_digits" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', '[{"b": {"a": 1, "c": 0, "a": 1}}]', r'{"a": 1, "\u0061": 2}']
)
def test_a_key_that_stands_twice_is_refused_on_request(text):
    """In a config the first `a` would silently not count; in a row the last one wins."""
    with pytest.raises(NotJSONError, match="the key 'a' stands twice in one object"):
        decode(text, unique_keys=True)

    assert decode('{"a": 1, "a": 2}') == {"a": 2}


def test_equal_keys_in_different_objects_are_no_problem():
    """Only one object's own keys must differ."""
    text = '{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}'

    assert decode(text, unique_keys=True) == decode(text)


# --- reading what may be no JSON at all


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ("  [1]\n", [1]),
        ("7", 7),
        ("-7.5", -7.5),
        ('"text"', "text"),
        ("true", True),
        ("null", None),
        ("plain text", None),
        ("", None),
        ("{", None),
        ("NaN", None),
        ("1e999", None),
        ("-Infinity", None),
        ("[" * 100_000, None),
        ("9" * 5000, None),
        ('{"a": 1} and more', None),
        ("none", None),
        ('```json\n{"a": 1}\n```', None),
        (r'["\ud800"]', ["\ud800"]),
        ("1180591620717411303424", 2**70),
    ],
)
def test_a_text_holds_a_json_value_or_none(text, expected):
    """Any strict JSON value counts; a model's prose, NaN and half an object do not."""
    assert exactly(decode_or_none(text)) == exactly(expected)


@given(st.text(characters))
def test_looking_for_json_in_a_text_never_raises(text):
    """It is asked of every model output there is."""
    try:
        expected = decode(text)
    except NotJSONError:
        expected = None

    assert exactly(decode_or_none(text)) == exactly(expected)


# --- writing


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"text": "é", "n": [1, 2.0, None, True]}, '{"text":"é","n":[1,2.0,null,true]}'),
        ("\ud800", r'"\ud800"'),
        ({"\udfff": "é"}, r'{"\udfff":"\u00e9"}'),
        (2**70, "1180591620717411303424"),
        (["\ud800", 2**70], r'["\ud800",1180591620717411303424]'),
    ],
)
def test_writing_is_compact_and_carries_what_rows_hold(value, expected):
    """Lone surrogates and integers beyond 64 bits are written, not lost."""
    assert encode(value).decode("utf-8") == expected


@given(values)
def test_what_is_written_is_read_back_exactly(value):
    """Every JSON value survives, lone surrogates and odd numbers included."""
    assert exactly(decode(encode(value))) == exactly(value)
    assert exactly(decode(encode(value), unique_keys=True)) == exactly(value)


@given(st.text() | st.text(alphabet='{}[]":,0123456789eE+-. truefalsnNaIity\\'))
def test_any_text_is_read_or_refused(text):
    """No input makes the reader fail in a way of its own; a model's output gets here unread."""
    with suppress(NotJSONError):
        decode(text)
    with suppress(NotJSONError):
        decode(text, unique_keys=True)
    decode_or_none(text)


@pytest.mark.parametrize(
    "text",
    ["[" * 256 + "]" * 256, '{"a":' * 256 + "1" + "}" * 256, '"' + "[" * 999 + '"', "[[],[]]"],
)
def test_what_is_just_not_too_deep_is_read(text):
    """However deep the stack is that reads it; brackets inside a string are no levels."""
    assert decode(text) == decode(text.encode()) == loads(text)


def test_siblings_are_no_levels():
    """A long list of lists is shallow."""
    assert len(decode("[" + ",".join(["[]"] * 1_000) + "]")) == 1_000
