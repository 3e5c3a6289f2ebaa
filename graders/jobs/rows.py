"""The rows of the three methods: chats, preference pairs, and prompts with what graders need."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from graders.config.explain import shown
from graders.errors import near_miss
from graders.jobs.bounds import Kind, Target
from graders.jobs.messages import (
    Problem,
    Size,
    check_messages,
    check_tools,
    roles_of,
    size_of,
)
from graders.lines import kind_of
from sandbox import JSON

_Row = dict[str, JSON]
_CHAT_KEYS: Final = ("messages", "tools", "parallel_tool_calls", "functions")
_PAIR_KEYS: Final = ("input", "preferred_output", "non_preferred_output")
_INPUT_KEYS: Final = ("messages", "tools", "parallel_tool_calls")
_OUTPUTS: Final = _PAIR_KEYS[1:]
_MOST_NAMES, _LONGEST_NAME = 64, 64
_NOT_IN_A_PATH: Final = re.compile(r"[.\[\]{}]")

_OTHER_FORMATS: Final[tuple[tuple[frozenset[str], str], ...]] = (
    (
        frozenset(_PAIR_KEYS),
        "This is a preference pair, for a dpo method.",
    ),
    (
        frozenset(("prompt", "chosen", "rejected")),
        "Write a pair as input.messages, preferred_output and non_preferred_output.",
    ),
    (
        frozenset(("prompt", "completion")),
        "This is the old completions format; write messages, the last one from the assistant.",
    ),
    (
        frozenset(("item", "sample")),
        "This is a row of `graders run`; a training row has messages, and its item's keys beside.",
    ),
    (
        frozenset(("item", "samples")),
        "This is a row of `graders run`; a training row has messages, and its item's keys beside.",
    ),
)
"""Rows that are meant for something else, by the keys they have."""


class Format(NamedTuple):
    """The row format of a method.

    Attributes:
        name: What a row of it is called.
        check: Everything that is wrong with a row, for a service.
        size: About how long a row is.
    """

    name: str
    check: Callable[[_Row, Target], Iterator[Problem]]
    size: Callable[[_Row], Size]


def _missing(row: _Row, key: str, form: str) -> Iterator[Problem]:
    if key in row:
        return
    keys = row.keys()
    meant = next((fix for has, fix in _OTHER_FORMATS if keys >= has and key not in has), "")
    said = f"has no {key}, and {form} has some"
    names = tuple(name for name in islice(keys, _MOST_NAMES) if len(name) <= _LONGEST_NAME)
    yield Problem(f"no-{key.replace('_', '-')}", said, meant or _misspelt(key, names))


@lru_cache(maxsize=256)  # the same keys are often in each of 50,000 rows
def _misspelt(key: str, names: tuple[str, ...]) -> str:
    close = get_close_matches(key, names, n=1)
    return f"Did you mean {key!r} where it says {shown(close[0])}?" if close else ""


def _unknown_keys(row: _Row, known: tuple[str, ...], where: str) -> Iterator[Problem]:
    for key in sorted(row.keys() - known):
        said = f"{shown(key)} is no key of {where}"
        rest = [name for name in known if name not in row]
        yield Problem("unknown-row-key", said, near_miss(key, rest), "warning")


def _check_chat(row: _Row, _: Target) -> Iterator[Problem]:
    """Supervised: the last message is the assistant's, and something of it is trained on."""
    yield from _missing(row, "messages", "a chat row")
    yield from _unknown_keys(row, _CHAT_KEYS, "a chat row")
    yield from check_tools(row, "")
    if "messages" not in row:
        return
    messages = row["messages"]
    yield from check_messages(messages, "messages")
    roles = roles_of(messages)
    if roles and roles[-1] != "assistant":
        said = f"messages[{len(roles) - 1}], the last one, is from {shown(roles[-1])}"
        yield Problem("last-not-assistant", f"{said}, and must be from 'assistant'")
    yield from _nothing_trained(messages)


def _nothing_trained(messages: JSON) -> Iterator[Problem]:
    said = [
        one
        for one in (messages if isinstance(messages, list) else [])
        if isinstance(one, dict) and one.get("role") == "assistant"
    ]
    if said and all(one.get("weight", 1) == 0 for one in said):
        message = "every message of the assistant has weight 0, so that nothing is trained on"
        yield Problem("nothing-trained", message, "Leave the row out, or a weight.")
    elif said and said[-1].get("content") == "" and not said[-1].get("tool_calls"):
        yield Problem("empty-answer", "the assistant's last message is empty", "", "warning")


def _check_pair(row: _Row, target: Target) -> Iterator[Problem]:
    """Dpo: one prompt, and the better and the worse answer to it."""
    for key in _PAIR_KEYS:
        yield from _missing(row, key, "a preference pair")
    yield from _unknown_keys(row, _PAIR_KEYS, "a preference pair")
    if "input" in row:
        yield from _check_input(row["input"])
    for key in _OUTPUTS:
        if key in row:
            yield from _check_output(row[key], key, target)
    if all(key in row for key in _OUTPUTS) and row[_OUTPUTS[0]] == row[_OUTPUTS[1]]:
        said = "preferred_output and non_preferred_output are equal, so that nothing is preferred"
        yield Problem("equal-outputs", said, "Leave the row out.", "warning")


def _check_input(given: JSON) -> Iterator[Problem]:
    if not isinstance(given, dict):
        yield Problem("input-form", f"input is {kind_of(given)}, and must be an object")
        return
    yield from _unknown_keys(given, _INPUT_KEYS, "its input")
    yield from check_tools(given, "input.")
    yield from check_messages(given.get("messages"), "input.messages")
    if roles_of(given.get("messages"))[-1:] == ["assistant"]:
        said = "the last message of input.messages is the assistant's, before both outputs"
        yield Problem("input-answered", said, "Move it into the outputs, or out.", "warning")


def _check_output(given: JSON, where: str, target: Target) -> Iterator[Problem]:
    yield from check_messages(given, where)
    roles = roles_of(given)
    if not roles:
        return
    if target == "azure-rft":
        if "assistant" not in roles or not {"assistant", "tool"}.issuperset(map(str, roles)):
            said = f"{where} is from {', '.join(map(shown, roles[:4]))}"
            yield Problem("output-roles", f"{said}, and must be from assistant and tool alone")
    elif roles != ["assistant"]:
        said = f"{where} is from {', '.join(map(shown, roles[:4]))}"
        yield Problem("output-roles", f"{said}, and must be one message from 'assistant'")


def _check_prompt(row: _Row, _: Target) -> Iterator[Problem]:
    """Reinforcement: the last message is the user's; other keys are the grader's item."""
    yield from _missing(row, "messages", "a training row")
    yield from check_tools({key: row[key] for key in ("tools",) if key in row}, "")
    for key in sorted(row.keys() - {"messages", "tools"}):
        if _NOT_IN_A_PATH.search(key):
            said = f"no template can name the key {shown(key)}: it has one of . [ ] {{ }}"
            yield Problem("unreachable-key", said, "Rename it.", "warning")
    if "messages" not in row:
        return
    yield from check_messages(row["messages"], "messages")
    roles = roles_of(row["messages"])
    if roles and roles[-1] != "user":
        said = f"messages[{len(roles) - 1}], the last one, is from {shown(roles[-1])}"
        fix = "The model answers it while it trains; put a reference answer into a key of its own."
        yield Problem("last-not-user", f"{said}, and must be from 'user'", fix)
    if "system" in roles:
        said = f"messages[{roles.index('system')}] is a system message, which such jobs do not have"
        yield Problem("system-message", said, "Make it a developer message.", "warning")


def _size_of_chat(row: _Row) -> Size:
    return size_of(row.get("messages"), row.get("tools"))


def _size_of_pair(row: _Row) -> Size:
    """The prompt with either answer: the model reads it twice."""
    prompt = row.get("input")
    given = prompt if isinstance(prompt, dict) else {}
    size = size_of(given.get("messages"), given.get("tools"))
    outputs = [size_of(row.get(key)) for key in _OUTPUTS]
    return Size(
        2 * size.tokens + sum(one.tokens for one in outputs),
        2 * size.media + sum(one.media for one in outputs),
    )


FORMATS: Final[Mapping[Kind, Format]] = {
    "supervised": Format("chat row", _check_chat, _size_of_chat),
    "dpo": Format("preference pair", _check_pair, _size_of_pair),
    "reinforcement": Format("training row", _check_prompt, _size_of_chat),
}
"""The row format of each method."""
