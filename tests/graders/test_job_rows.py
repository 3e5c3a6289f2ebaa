"""The rows of fine-tuning jobs: chats, pairs and prompts, each mistake with its words."""

import pytest

from graders.jobs.rows import FORMATS

USER = {"role": "user", "content": "What is 2 + 2?"}
ANSWER = {"role": "assistant", "content": "4"}
CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}}
CALLS = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "4"}
TOOL = {"type": "function", "function": {"name": "add", "parameters": {}}}
PAIR = {
    "input": {"messages": [USER]},
    "preferred_output": [ANSWER],
    "non_preferred_output": [{**ANSWER, "content": "5"}],
}


def chat(*messages, **more):
    return {"messages": [*messages], **more}


def called(**more):
    return {**CALLS, "tool_calls": [{**CALL, **more}]}


def problems(kind, row, target="openai-rft"):
    """Everything that is wrong with a row: code, severity and message with its fix."""
    return [
        (one.code, one.severity, f"{one.message}. {one.fix}" if one.fix else one.message)
        for one in FORMATS[kind].check(row, target)
    ]


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("supervised", chat(USER, ANSWER)),
        ("supervised", chat({"role": "system", "content": "Be brief."}, USER, ANSWER)),
        ("supervised", chat({"role": "developer", "content": "Be brief."}, USER, ANSWER)),
        ("supervised", chat(USER, {**ANSWER, "weight": 0}, USER, {**ANSWER, "weight": 1})),
        ("supervised", chat(USER, CALLS, RESULT, ANSWER, tools=[TOOL])),
        ("supervised", chat(USER, CALLS, tools=[TOOL], parallel_tool_calls=False)),
        ("supervised", chat({**USER, "content": [{"type": "text", "text": "Hi"}]}, ANSWER)),
        ("supervised", chat(USER, {"role": "assistant", "refusal": "No."})),
        ("dpo", PAIR),
        ("dpo", {**PAIR, "input": {"messages": [USER], "tools": [TOOL]}}),
        ("reinforcement", chat(USER)),
        ("reinforcement", chat(USER, ANSWER, USER, answer="4", meta={"id": 7}, tools=[])),
        ("reinforcement", chat(USER, sample="a key like another", item={"nested": 1})),
    ],
)
def test_a_right_row_has_no_problem(kind, row):
    """What the guides show is right, with tools, weights, images and keys for the grader."""
    assert problems(kind, row) == []


ERROR, WARNING = "error", "warning"
ROLES = "none of system, developer, user, assistant, tool, function"
CALL_FORM = '{"id": ..., "type": "function", "function": {"name": ...}}'
RUN_ROW = "This is a row of `graders run`; a training row has messages, and its item's keys beside."


@pytest.mark.parametrize(
    ("row", "code", "severity", "message"),
    [
        ({}, "no-messages", ERROR, "has no messages, and a chat row has some"),
        (
            {"mesages": [USER, ANSWER]},
            "no-messages",
            ERROR,
            "has no messages, and a chat row has some. Did you mean 'messages' where it says "
            "'mesages'?",
        ),
        (
            {"prompt": "2 + 2", "completion": "4"},
            "no-messages",
            ERROR,
            "has no messages, and a chat row has some. This is the old completions format; "
            "write messages, the last one from the assistant.",
        ),
        (
            PAIR,
            "no-messages",
            ERROR,
            "has no messages, and a chat row has some. This is a preference pair, for a dpo "
            "method.",
        ),
        (
            {"item": {}, "sample": "4"},
            "no-messages",
            ERROR,
            f"has no messages, and a chat row has some. {RUN_ROW}",
        ),
        (
            chat(),
            "no-messages",
            ERROR,
            "messages is an empty list, and must be a list with a message in it",
        ),
        (
            {"messages": "2 + 2"},
            "no-messages",
            ERROR,
            "messages is a string, and must be a list with a message in it",
        ),
        (
            chat("2 + 2", ANSWER),
            "message-form",
            ERROR,
            "messages[0] is a string, and must be an object",
        ),
        (
            chat({"role": "asistant", "content": "4"}, ANSWER),
            "message-role",
            ERROR,
            f"messages[0].role is 'asistant', and {ROLES}. Did you mean 'assistant'?",
        ),
        (
            chat({"content": "4"}, ANSWER),
            "message-role",
            ERROR,
            f"messages[0] has no role, and {ROLES}",
        ),
        (
            chat({"role": ["user"], "content": "4"}, ANSWER),
            "message-role",
            ERROR,
            f"messages[0].role is a list, and {ROLES}",
        ),
        (
            chat({"role": "user"}, ANSWER),
            "message-content",
            ERROR,
            "messages[0] has no content, and must be text or a list of blocks with a type",
        ),
        (
            chat({"role": "user", "content": None}, ANSWER),
            "message-content",
            ERROR,
            "messages[0].content is null, and must be text or a list of blocks with a type",
        ),
        (
            chat({"role": "user", "content": []}, ANSWER),
            "message-content",
            ERROR,
            "messages[0].content is an empty list, and must be text or a list of blocks with a "
            "type",
        ),
        (
            chat({"role": "user", "content": 4}, ANSWER),
            "message-content",
            ERROR,
            "messages[0].content is a number, and must be text or a list of blocks with a type",
        ),
        (
            chat(USER, {**ANSWER, "weight": 0.5}),
            "weight",
            ERROR,
            "messages[1].weight is 0.5, and must be 0 or 1",
        ),
        (
            chat(USER, {**ANSWER, "weight": True}),
            "weight",
            ERROR,
            "messages[1].weight is True, and must be 0 or 1",
        ),
        (
            chat({**USER, "weight": 1}, ANSWER),
            "weight",
            ERROR,
            "messages[0] has a weight, and is from 'user'. Only what the assistant says is "
            "trained on.",
        ),
        (
            chat(USER, {**ANSWER, "weight": 0}),
            "nothing-trained",
            ERROR,
            "every message of the assistant has weight 0, so that nothing is trained on. Leave "
            "the row out, or a weight.",
        ),
        (
            chat(USER, {**ANSWER, "content": ""}),
            "empty-answer",
            WARNING,
            "the assistant's last message is empty",
        ),
        (
            chat(USER),
            "last-not-assistant",
            ERROR,
            "messages[0], the last one, is from 'user', and must be from 'assistant'",
        ),
        (
            chat(USER, {**CALLS, "tool_calls": CALL}),
            "tool-calls",
            ERROR,
            "messages[1].tool_calls is an object, and must be a list",
        ),
        (
            chat(USER, {**ANSWER, "tool_calls": None}),
            "tool-calls",
            ERROR,
            "messages[1].tool_calls is null, and must be a list",
        ),
        (
            chat(USER, {**CALLS, "tool_calls": ["add"]}),
            "tool-calls",
            ERROR,
            f"messages[1].tool_calls[0] is no call like {CALL_FORM}",
        ),
        (
            chat(USER, called(function={"name": None})),
            "tool-calls",
            ERROR,
            f"messages[1].tool_calls[0] is no call like {CALL_FORM}",
        ),
        (
            chat(USER, called(function={"name": "add", "arguments": {"a": 2}})),
            "tool-arguments",
            ERROR,
            "messages[1].tool_calls[0].function.arguments is an object, and must be a text that "
            "holds JSON",
        ),
        (
            chat(USER, called(function={"name": "add", "arguments": "{a}"})),
            "tool-arguments",
            ERROR,
            "messages[1].tool_calls[0].function.arguments is not JSON: Expecting property name "
            "enclosed in double quotes",
        ),
        (
            chat(USER, CALLS, {**RESULT, "tool_call_id": "c2"}, ANSWER),
            "tool-call-id",
            ERROR,
            "messages[2].tool_call_id is 'c2', and no tool call before it has that id",
        ),
        (
            chat(USER, CALLS, {**RESULT, "tool_call_id": ["c1"]}, ANSWER),
            "tool-call-id",
            ERROR,
            "messages[2].tool_call_id is a list, and no tool call before it has that id",
        ),
        (
            chat(USER, {**ANSWER, "wieght": 1}),
            "unknown-message-key",
            WARNING,
            "messages[1] has a key 'wieght', which a message does not have. Did you mean 'weight'?",
        ),
        (
            chat(USER, ANSWER, tool=[]),
            "unknown-row-key",
            WARNING,
            "'tool' is no key of a chat row. Did you mean 'tools'?",
        ),
        (chat(USER, ANSWER, tools={}), "tools", ERROR, "tools is an object, and must be a list"),
        (
            chat(USER, ANSWER, tools=[{"name": "add"}]),
            "tools",
            ERROR,
            'tools[0] is no tool like {"type": "function", "function": {"name": ...}}',
        ),
        (
            chat(USER, ANSWER, parallel_tool_calls="no"),
            "tools",
            ERROR,
            "parallel_tool_calls is 'no', and must be true or false",
        ),
    ],
)
def test_a_wrong_chat_row_says_what_and_where(row, code, severity, message):
    """Each mistake has its code, its place in the row and the value."""
    assert (code, severity, message) in problems("supervised", row)


@pytest.mark.parametrize(
    ("change", "code", "severity", "message"),
    [
        (
            {"input": None},
            "input-form",
            ERROR,
            "input is null, and must be an object",
        ),
        (
            {"input": {"messages": []}},
            "no-messages",
            ERROR,
            "input.messages is an empty list, and must be a list with a message in it",
        ),
        (
            {"input": {"messages": [USER, ANSWER]}},
            "input-answered",
            WARNING,
            "the last message of input.messages is the assistant's, before both outputs. Move it "
            "into the outputs, or out.",
        ),
        (
            {"input": {"messages": [USER], "tool": []}},
            "unknown-row-key",
            WARNING,
            "'tool' is no key of its input. Did you mean 'tools'?",
        ),
        (
            {"preferred_output": [ANSWER, ANSWER]},
            "output-roles",
            ERROR,
            "preferred_output is from 'assistant', 'assistant', and must be one message from "
            "'assistant'",
        ),
        (
            {"non_preferred_output": [USER]},
            "output-roles",
            ERROR,
            "non_preferred_output is from 'user', and must be one message from 'assistant'",
        ),
        (
            {"non_preferred_output": "5"},
            "no-messages",
            ERROR,
            "non_preferred_output is a string, and must be a list with a message in it",
        ),
        (
            {"non_preferred_output": [ANSWER]},
            "equal-outputs",
            WARNING,
            "preferred_output and non_preferred_output are equal, so that nothing is preferred. "
            "Leave the row out.",
        ),
    ],
)
def test_a_wrong_pair_says_what_and_where(change, code, severity, message):
    """Both outputs are one answer each, to one prompt."""
    assert (code, severity, message) in problems("dpo", {**PAIR, **change})


def test_other_names_for_a_pair_are_translated():
    """The names of other trainers are the commonest mistake."""
    fix = "Write a pair as input.messages, preferred_output and non_preferred_output."
    row = {"prompt": "2 + 2", "chosen": "4", "rejected": "5"}

    assert ("no-input", ERROR, f"has no input, and a preference pair has some. {fix}") in problems(
        "dpo", row
    )


def test_azure_takes_tool_messages_among_the_outputs():
    """There, an output is of assistant and tool messages, one of them the assistant's."""
    several = {**PAIR, "preferred_output": [CALLS, RESULT, ANSWER]}
    without = {**PAIR, "preferred_output": [USER]}

    assert problems("dpo", several, "azure-rft") == []
    assert [code for code, _, _ in problems("dpo", several)] == ["output-roles"]
    assert problems("dpo", without, "azure-rft") == [
        (
            "output-roles",
            ERROR,
            "preferred_output is from 'user', and must be from assistant and tool alone",
        )
    ]


@pytest.mark.parametrize(
    ("row", "code", "severity", "message"),
    [
        (
            {"item": {}, "samples": ["4"]},
            "no-messages",
            ERROR,
            f"has no messages, and a training row has some. {RUN_ROW}",
        ),
        (
            chat(USER, ANSWER),
            "last-not-user",
            ERROR,
            "messages[1], the last one, is from 'assistant', and must be from 'user'. The model "
            "answers it while it trains; put a reference answer into a key of its own.",
        ),
        (
            chat({"role": "system", "content": "Be brief."}, USER),
            "system-message",
            WARNING,
            "messages[0] is a system message, which such jobs do not have. Make it a developer "
            "message.",
        ),
        (
            chat(USER, **{"answer.text": "4"}),
            "unreachable-key",
            WARNING,
            "no template can name the key 'answer.text': it has one of . [ ] { }. Rename it.",
        ),
        (chat(USER, tools="add"), "tools", ERROR, "tools is a string, and must be a list"),
    ],
)
def test_a_wrong_training_row_says_what_and_where(row, code, severity, message):
    """The last message is the user's, and all but messages and tools is the grader's."""
    assert (code, severity, message) in problems("reinforcement", row)
