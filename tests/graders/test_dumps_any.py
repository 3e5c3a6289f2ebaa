"""Dumps with anything in them: each is taken, or refused with a reason."""

import ast
import json
import tracemalloc
from contextlib import suppress

from eval_runs import EXACT, ROWS, inline
from hosted_dumps import HIT, ONE, item
from hypothesis import example, given
from hypothesis import strategies as st
from sdk_asked import JOB, request

import graders
from graders.errors import ConfigError
from graders.moving.imported import criteria_names, put_together
from graders.moving.literals import decode_either
from graders.moving.recognised import recognise
from graders.moving.same_numbers import compare
from graders.strict_json import NotJSONError, decode

DUMPS = [
    item([{**HIT, "sample": {"error": {"message": "away"}}}], hosted=1),
    {**ONE, "testing_criteria": [{**EXACT, "id": "a"}]},
    {"id": "evalrun_1", "eval_id": "eval_1", "data_source": inline(ROWS)},
    {"url": "https://r.azure.com/", "json_data": request(EXACT)},
    {**JOB, "trainingType": "x"},
    {"object": "list", "data": [EXACT]},
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "item", "data", "name", "grader", "method", "id"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=4,
)


def places(value, at=()):
    """Where something stands in a value."""
    yield at
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        yield from places(value[key], (*at, key))


def with_other(value, at, other):
    if not at:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = with_other(value[at[0]], at[1:], other)
    return copy


@given(st.data())
def test_any_dump_is_taken_or_refused(data):
    """Whatever stands anywhere in one; what is taken can be compared."""
    dump = data.draw(st.sampled_from(DUMPS))
    changed = with_other(dump, data.draw(st.sampled_from(list(places(dump)))), data.draw(VALUES))
    taken = []
    with suppress(ConfigError):
        taken = put_together(recognise([ONE, changed], "dump.json"))
    for one in taken:
        if one.document is None:
            continue
        rows = [row for _, row in one.scored]
        grades = graders.grade(one.document, rows)
        members = one.document.kind == "eval"
        agreement = compare(one.scored, grades, criteria_names(one), members=members)
        assert all(map(str, agreement.differences))


@given(VALUES)
def test_what_python_prints_of_json_is_that_json(value):
    """And so is JSON."""
    assert repr(decode_either(repr(value).encode())) == repr(value)
    assert repr(decode_either(json.dumps(value).encode())) == repr(value)


@example("{'a': [,]}")
@example("{'a': [ , ]}")
@example("{'a': [[],]\n,}")
@given(st.text("'\"\\(){}[],:TruefalsNo19.e-x \n", max_size=24))
def test_any_text_is_read_as_python_reads_it_or_refused(text):
    """Nothing is read out of a text that Python would not write so."""
    with suppress(NotJSONError):
        found = decode_either(text.encode())
        try:
            assert decode(text, unique_keys=True) == found
        except NotJSONError:
            assert ast.literal_eval(" ".join(text.split("\n")).strip()) == found


def test_a_long_text_that_python_printed_takes_little_memory():
    """A few copies of it, and nothing for each of its characters."""
    data = repr({"a": "x" * 1_000_000, "b": "it's\n" * 10_000}).encode()
    tracemalloc.start()
    try:
        decode_either(data)
        assert tracemalloc.get_traced_memory()[1] < 20 * len(data)
    finally:
        tracemalloc.stop()
