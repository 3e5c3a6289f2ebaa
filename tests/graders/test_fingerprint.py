"""A request's fingerprint: equal where requests are equal, different where anything differs."""

import dataclasses
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.clients import Message, ModelRequest
from graders.clients.fingerprint import fingerprint

texts = st.text(st.characters(), max_size=8)  # lone surrogates among them, as rows have them
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(texts, values, max_size=4)
requests = st.builds(
    ModelRequest,
    model=texts,
    messages=st.lists(
        st.builds(Message, texts, texts | st.lists(values, max_size=2)), max_size=3
    ).map(tuple),
    schema=st.none() | objects,
    sampling=objects,
    repeat=st.integers(0, 9),
)
ONE = ModelRequest(
    model="m",
    messages=(Message("user", "a"), Message("user", [{"type": "input_text", "text": "b"}])),
    schema={"name": "s", "schema": {"type": "number"}},
    sampling={"seed": 1, "top_p": 0.5},
)


def turned(value):
    """The same JSON value with the keys of each object in the other order."""
    if isinstance(value, dict):
        return {key: turned(entry) for key, entry in reversed(value.items())}
    return [turned(entry) for entry in value] if isinstance(value, list | tuple) else value


def plain(request, base_url):
    """A request as text that is equal exactly for equal requests; the oracle."""
    return json.dumps([dataclasses.asdict(request), base_url], sort_keys=True)


@given(request=requests)
def test_the_order_of_keys_does_not_matter(request):
    """At any depth; nor does whether content is a list or a tuple."""
    messages = tuple(Message(m.role, turned(m.content)) for m in request.messages)
    same = dataclasses.replace(
        request,
        messages=messages,
        schema=turned(request.schema),
        sampling=turned(request.sampling),
    )

    assert fingerprint(same) == fingerprint(request)


@given(one=requests, two=requests, here=texts, there=texts)
def test_two_requests_share_a_fingerprint_only_if_they_are_equal(one, two, here, there):
    """Whatever they hold, and wherever they are sent."""
    same = plain(one, here) == plain(two, there)

    assert (fingerprint(one, here) == fingerprint(two, there)) == same


@pytest.mark.parametrize(
    "change",
    [
        {"model": "n"},
        {"messages": ONE.messages[::-1]},
        {"messages": ONE.messages[:1]},
        {"messages": (Message("system", "a"), ONE.messages[1])},
        {"messages": (Message("user", "a "), ONE.messages[1])},
        {"messages": (ONE.messages[0], Message("user", "b"))},
        {"schema": None},
        {"schema": {}},
        {"schema": {**ONE.schema, "strict": True}},
        {"sampling": {}},
        {"sampling": {"seed": 2, "top_p": 0.5}},
        {"sampling": {"seed": None, "top_p": 0.5}},
        {"repeat": 1},
    ],
)
def test_everything_counts(change):
    """Each part of a request, down to one space of one message."""
    assert fingerprint(dataclasses.replace(ONE, **change)) != fingerprint(ONE)


def test_where_it_is_sent_counts():
    """The same model name on another server is another model."""
    assert len({fingerprint(ONE), fingerprint(ONE, "http://a"), fingerprint(ONE, "http://b")}) == 3


def test_a_fingerprint_stays_what_it_is():
    """Caches and recordings outlive versions: to change this text is to lose them all."""
    canonical = (
        '{"base_url":"http://a/v1","request":{"model":"m","messages":[{"role":"user","content":"a"},'
        '{"role":"user","content":[{"text":"b","type":"input_text"}]}],'
        '"schema":{"name":"s","schema":{"type":"number"}},"sampling":{"seed":1,"top_p":0.5},'
        '"repeat":0}}'
    )

    assert fingerprint(ONE, "http://a/v1") == hashlib.sha256(canonical.encode()).hexdigest()
