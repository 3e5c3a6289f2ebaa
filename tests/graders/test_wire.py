"""The body that goes over the wire, peculiarity by peculiarity."""

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.clients import Message, ModelRequest
from graders.clients.wire import Wire, to_body

SCHEMA = {"name": "score", "strict": True, "schema": {"type": "object", "required": ["result"]}}
IN_WORDS = (
    "Answer with one JSON object, and nothing else, that matches this JSON Schema: "
    '{"type":"object","required":["result"]}'
)
WIRES = [
    Wire(max_tokens=tokens, developer=developer, format=format_)
    for tokens, developer, format_ in product(
        ("max_completion_tokens", "max_tokens"),
        ("auto", "developer", "system"),
        ("json_schema", "json_object", "none"),
    )
]


def request(*messages, schema=None, **sampling):
    return ModelRequest(model="judge", messages=messages, schema=schema, sampling=sampling)


def content(value, wire=Wire()):  # noqa: B008 - frozen
    (message,) = to_body(request(Message("user", value)), wire)["messages"]
    return message["content"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("plain", "plain"),
        (["bare"], [{"type": "text", "text": "bare"}]),
        ([{"type": "input_text", "text": "in"}], [{"type": "text", "text": "in"}]),
        ([{"type": "output_text", "text": "out"}], [{"type": "text", "text": "out"}]),
        (
            [{"type": "input_image", "image_url": "https://x.example/1.png", "detail": "low"}],
            [{"type": "image_url",
              "image_url": {"url": "https://x.example/1.png", "detail": "low"}}],
        ),
        (
            [{"type": "input_image", "image_url": "data:image/png;base64,iVBORw0K"}],
            [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}}],
        ),
        (
            [{"type": "input_image", "image_url": "https://x.example", "detail": None,
              "file_id": None}],
            [{"type": "image_url", "image_url": {"url": "https://x.example"}}],
        ),
        (
            [{"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}}],
            [{"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}}],
        ),
        (
            ["a", {"type": "input_text", "text": "b"}],
            [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        ),
    ],
)  # fmt: skip
def test_a_block_becomes_what_chat_completions_call_it(ours, theirs):
    """A message of nothing but text stays a string, which every server takes."""
    assert content(ours) == theirs


@pytest.mark.parametrize("block", [{"type": "input_file", "file_id": "f"}, 7, {}, None])
def test_a_block_that_no_config_can_hold_is_a_bug_of_the_caller(block):
    """It is not sent half-understood."""
    with pytest.raises(ValueError, match=r"a message cannot hold .* the hosted blocks are wanted"):
        content([block])


@pytest.mark.parametrize(
    ("sampling", "max_tokens", "sent"),
    [
        ({}, "max_completion_tokens", {}),
        ({"max_completions_tokens": 9}, "max_completion_tokens", {"max_completion_tokens": 9}),
        ({"max_completions_tokens": 9}, "max_tokens", {"max_tokens": 9}),
        ({"max_completions_tokens": None, "seed": None, "top_p": None, "temperature": None,
          "reasoning_effort": None}, "max_completion_tokens", {}),
        ({"seed": 0, "temperature": 0, "top_p": 0.5, "reasoning_effort": "none"}, "max_tokens",
         {"seed": 0, "temperature": 0, "top_p": 0.5, "reasoning_effort": "none"}),
    ],
)  # fmt: skip
def test_only_parameters_that_are_set_are_sent_and_by_the_servers_names(sampling, max_tokens, sent):
    """Zero is a value, null is none."""
    body = to_body(request(Message("user", "hi"), **sampling), Wire(max_tokens=max_tokens))

    assert body == {
        "model": "judge",
        "messages": [{"role": "user", "content": "hi"}],
        **sent,
    }


@pytest.mark.parametrize(
    ("developer", "roles"),
    [
        ("auto", ["developer", "system", "user", "assistant"]),
        ("developer", ["developer", "system", "user", "assistant"]),
        ("system", ["system", "system", "user", "assistant"]),
    ],
)
def test_a_developer_message_goes_under_the_role_the_wire_says(developer, roles):
    """The other roles are theirs in any case."""
    messages = [Message(role, "x") for role in ("developer", "system", "user", "assistant")]
    body = to_body(request(*messages), Wire(developer=developer))

    assert [message["role"] for message in body["messages"]] == roles


@pytest.mark.parametrize(
    ("format_", "sent"),
    [
        ("json_schema", {"type": "json_schema", "json_schema": SCHEMA}),
        ("json_object", {"type": "json_object"}),
        ("none", None),
    ],
)
def test_the_answers_form_is_asked_for_in_the_servers_way(format_, sent):
    """A request for free text asks for none."""
    free, held = request(Message("user", "hi")), request(Message("user", "hi"), schema=SCHEMA)

    assert to_body(held, Wire(format=format_)).get("response_format") == sent
    assert "response_format" not in to_body(free, Wire(format=format_))
    assert to_body(free, Wire(format=format_))["messages"] == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize("format_", ["json_object", "none"])
@pytest.mark.parametrize(
    ("first", "sent"),
    [
        (Message("user", "hi"),
         [{"role": "system", "content": IN_WORDS}, {"role": "user", "content": "hi"}]),
        (Message("system", "Fair."), [{"role": "system", "content": f"Fair.\n\n{IN_WORDS}"}]),
        (Message("developer", "Fair."), [{"role": "developer", "content": f"Fair.\n\n{IN_WORDS}"}]),
        (Message("system", ["Fair."]),
         [{"role": "system", "content": [{"type": "text", "text": "Fair."},
                                         {"type": "text", "text": IN_WORDS}]}]),
    ],
)  # fmt: skip
def test_a_judge_that_takes_no_schema_is_told_it_in_words(format_, first, sent):
    """Else it could not know what an answer looks like; the one system message stays one."""
    body = to_body(request(first, schema=SCHEMA), Wire(format=format_))

    assert body["messages"] == sent


def test_by_default_the_schema_is_not_repeated_in_words():
    """The messages are the config's, and nothing else."""
    body = to_body(request(Message("user", "hi"), schema=SCHEMA), Wire())

    assert body["messages"] == [{"role": "user", "content": "hi"}]


blocks = st.one_of(
    st.text(max_size=9),
    st.builds(lambda text: {"type": "input_text", "text": text}, st.text(max_size=9)),
    st.builds(lambda url: {"type": "input_image", "image_url": url}, st.text(max_size=9)),
)
messages = st.builds(
    Message,
    st.sampled_from(["system", "user", "assistant", "developer"]),
    st.text(max_size=9) | st.lists(blocks, max_size=3),
)


@given(st.lists(messages, max_size=4), st.sampled_from(WIRES), st.none() | st.just(SCHEMA))
def test_making_a_body_changes_no_request_and_gives_json(sent, wire, schema):
    """The same request makes the same body, whatever was made of it before."""
    asked = request(*sent, schema=schema, max_completions_tokens=5)
    before = repr(asked)
    body = to_body(asked, wire)

    assert json.loads(json.dumps(body)) == body == to_body(asked, wire)
    assert repr(asked) == before
