"""Messages of training rows: roles, contents, tool calls and weights, and how long they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from graders.config.explain import shown
from graders.dry_run import CHARS_PER_TOKEN
from graders.errors import Severity, near_miss
from graders.lines import kind_of
from graders.strict_json import NotJSONError, decode, encode
from sandbox import JSON

ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")
_KEYS: Final = frozenset(
    {
        *("role", "content", "name", "weight", "refusal", "audio"),
        *("tool_calls", "tool_call_id", "function_call"),
    }
)
_SAYS_NOTHING: Final = ("tool_calls", "function_call", "refusal", "audio")
"""What an assistant's message may have in place of a content."""

TOKENS_PER_MESSAGE: Final = 3
"""What a message takes beside its text, and the answer's beginning again [D]."""


class Problem(NamedTuple):
    """Something that is wrong in a row.

    Attributes:
        code: Stable and short.
        message: What, with its place in the row and the value.
        fix: What to do; may be empty.
        severity: An error costs the row, or the job.
    """

    code: str
    message: str
    fix: str = ""
    severity: Severity = "error"


class Size(NamedTuple):
    """How long messages are.

    Attributes:
        tokens: About how many tokens of text: a token is taken for 4 characters.
        media: Images and audio clips, which are in no estimate.
    """

    tokens: int
    media: int


def check_messages(given: JSON, where: str) -> Iterator[Problem]:
    """Everything that is wrong with a list of messages, wherever its last one is from.

    Args:
        given: What stands there.
        where: Its place in the row: `input.messages`.

    Example:
        >>> for problem in check_messages([{"role": "bot", "content": "Hi"}], "messages"):
        ...     print(problem.message)
        messages[0].role is 'bot', and none of system, developer, user, assistant, tool, function
    """
    if not isinstance(given, list) or not given:
        said = "is an empty list" if given == [] else f"is {kind_of(given)}"
        yield Problem("no-messages", f"{where} {said}, and must be a list with a message in it")
        return
    called: set[str] = set()
    for i, message in enumerate(given):
        yield from _check_message(message, f"{where}[{i}]", called)


def _check_message(given: JSON, where: str, called: set[str]) -> Iterator[Problem]:
    if not isinstance(given, dict):
        yield Problem("message-form", f"{where} is {kind_of(given)}, and must be an object")
        return
    role = given.get("role")
    if role not in ROLES:
        said = f"{where}.role is {shown(role)}" if "role" in given else f"{where} has no role"
        hint = near_miss(role, ROLES) if isinstance(role, str) else ""
        yield Problem("message-role", f"{said}, and none of {', '.join(ROLES)}", hint)
    yield from _content(given, where)
    yield from _weight(given, where)
    if "tool_calls" in given:
        yield from _tool_calls(given["tool_calls"], f"{where}.tool_calls", called)
    answered = given.get("tool_call_id")
    if role == "tool" and not (isinstance(answered, str) and answered in called):
        said = f"{where}.tool_call_id is {shown(answered)}"
        yield Problem("tool-call-id", f"{said}, and no tool call before it has that id")
    for key in sorted(given.keys() - _KEYS):
        said = f"{where} has a key {shown(key)}, which a message does not have"
        yield Problem("unknown-message-key", said, near_miss(key, _KEYS), "warning")


def _content(given: dict[str, JSON], where: str) -> Iterator[Problem]:
    content = given.get("content")
    match content:
        case str():
            return
        case None if any(given.get(key) for key in _SAYS_NOTHING):
            return
        case [_, *_] if all(isinstance(block, dict) and "type" in block for block in content):
            return
    said = f"{where} has no content"
    if "content" in given:
        said = f"{where}.content is {'an empty list' if content == [] else kind_of(content)}"
    yield Problem("message-content", f"{said}, and must be text or a list of blocks with a type")


def _weight(given: dict[str, JSON], where: str) -> Iterator[Problem]:
    if "weight" not in given:
        return
    weight = given["weight"]
    if isinstance(weight, bool) or weight not in (0, 1):
        yield Problem("weight", f"{where}.weight is {shown(weight)}, and must be 0 or 1")
    elif given.get("role") != "assistant":
        said = f"{where} has a weight, and is from {shown(given.get('role'))}"
        yield Problem("weight", said, "Only what the assistant says is trained on.")


def _tool_calls(given: JSON, where: str, called: set[str]) -> Iterator[Problem]:
    if not isinstance(given, list):
        yield Problem("tool-calls", f"{where} is {kind_of(given)}, and must be a list")
        return
    for i, call in enumerate(given):
        match call:
            case {"id": str(name), "type": "function", "function": dict(function)} if isinstance(
                function.get("name"), str
            ):
                called.add(name)
                place = f"{where}[{i}].function.arguments"
                yield from _arguments(function.get("arguments"), place)
            case _:
                wanted = '{"id": ..., "type": "function", "function": {"name": ...}}'
                yield Problem("tool-calls", f"{where}[{i}] is no call like {wanted}")


def _arguments(given: JSON, where: str) -> Iterator[Problem]:
    if not isinstance(given, str):
        said = f"{where} is {kind_of(given)}, and must be a text that holds JSON"
        yield Problem("tool-arguments", said)
        return
    try:
        decode(given)
    except NotJSONError as error:
        yield Problem("tool-arguments", f"{where} is not JSON: {error.problem}")


def check_tools(row: dict[str, JSON], where: str) -> Iterator[Problem]:
    """What is wrong with the `tools` and `parallel_tool_calls` of a row or of its input.

    Args:
        row: What holds them.
        where: Its place in the row: "" or `input.`.
    """
    tools = row.get("tools", [])
    if not isinstance(tools, list):
        yield Problem("tools", f"{where}tools is {kind_of(tools)}, and must be a list")
        tools = []
    for i, tool in enumerate(tools):
        match tool:
            case {"type": "function", "function": {"name": str()}}:
                continue
        wanted = '{"type": "function", "function": {"name": ...}}'
        yield Problem("tools", f"{where}tools[{i}] is no tool like {wanted}")
    if not isinstance(row.get("parallel_tool_calls", True), bool):
        said = f"{where}parallel_tool_calls is {shown(row['parallel_tool_calls'])}"
        yield Problem("tools", f"{said}, and must be true or false")


def roles_of(messages: JSON) -> list[JSON]:
    """The roles of messages, as far as they are some; a message without one has None."""
    if not isinstance(messages, list):
        return []
    return [one.get("role") if isinstance(one, dict) else None for one in messages]


def size_of(messages: JSON, tools: JSON = None) -> Size:
    """About how long messages are, with the tools they may call.

    Example:
        >>> size_of([{"role": "user", "content": "What is 2 + 2?"}])
        Size(tokens=7, media=0)
    """
    chars, media = len(encode(tools)) if tools else 0, 0
    count = 0
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, dict):
            more = _length(message)
            chars, media, count = chars + more[0], media + more[1], count + 1
    return Size(-(-chars // CHARS_PER_TOKEN) + TOKENS_PER_MESSAGE * count, media)


def _length(message: dict[str, JSON]) -> tuple[int, int]:
    """Characters of a message, and its images and clips."""
    chars = len(encode(message["tool_calls"])) if message.get("tool_calls") else 0
    content = message.get("content")
    blocks: Sequence[JSON] = content if isinstance(content, list) else [content]
    media = 0
    for block in blocks:
        text = block.get("text") if isinstance(block, dict) else block
        if isinstance(text, str):
            chars += len(text)
        elif isinstance(block, dict):
            media += 1
    return chars, media
