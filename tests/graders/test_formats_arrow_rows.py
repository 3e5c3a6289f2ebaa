"""Rows of Arrow's columns are those that pyarrow itself gives, of every type and at every depth."""

from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.formats.arrow_rows import rows_of
from graders.formats.cells import to_json

pytestmark = pytest.mark.needs("pyarrow")


def kinds_of_columns():
    import pyarrow as pa

    plain = st.sampled_from([
        (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
        (pa.uint8(), st.integers(0, 255)),
        (pa.float64(), st.floats(allow_nan=False)),
        (pa.float32(), st.floats(allow_nan=False, width=32)),
        (pa.float16(), st.floats(allow_nan=False, width=16)),
        (pa.bool_(), st.booleans()),
        (pa.string(), st.text(st.characters(exclude_categories=["Cs"]), max_size=3)),
        (pa.large_string(), st.text("a\0é", max_size=3)),
        (pa.string_view(), st.text("ab", max_size=3)),
        (pa.dictionary(pa.int8(), pa.string()), st.text("ab", max_size=1)),
        (pa.date32(), st.dates()),
        (pa.null(), st.none()),
        (pa.struct([]), st.just({})),
    ])  # fmt: skip

    def nested(inner):
        several = inner.map(lambda one: (pa.list_(one[0]), st.lists(maybe(one[1]), max_size=3)))
        large = inner.map(lambda one: (pa.large_list(one[0]), st.lists(maybe(one[1]), max_size=3)))
        pair = st.tuples(inner, inner).map(
            lambda two: (
                pa.struct([("a", two[0][0]), ("b", two[1][0])]),
                st.fixed_dictionaries({"a": maybe(two[0][1]), "b": maybe(two[1][1])}),
            )
        )
        return several | large | pair

    return st.recursive(plain, nested, max_leaves=4)


def maybe(values):
    return st.none() | values


@given(data=st.data())
@settings(max_examples=60)
def test_rows_of_columns_are_those_of_pyarrow(data):
    """Of every type, with nulls at every depth, and of any part of a batch."""
    import pyarrow as pa

    kind, values = data.draw(kinds_of_columns())
    drawn = data.draw(st.lists(maybe(values), max_size=6))
    start = data.draw(st.integers(0, len(drawn)))
    batch = pa.record_batch({"x": pa.array(drawn, kind)}).slice(start)

    expected = [to_json(row) if finite(row) else None for row in batch.to_pylist()]
    found = [None if isinstance(row, str) else row for row in rows_of(batch)]
    assert repr(found) == repr(expected)


def finite(value):
    inside = value.values() if isinstance(value, dict) else value if type(value) is list else ()
    return all(map(finite, inside)) and (type(value) is not float or isfinite(value))
