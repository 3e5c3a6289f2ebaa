"""What a line has for a model's output: a text, an object, a chat, or several of them in a list.

A chat is a list of messages, as trainers and chat APIs have it. Its output is the last message of
the assistant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeGuard

from graders.lines import kind_of
from graders.rows import to_sample
from graders.terminal import shorten
from sandbox import JSON

_SAID: Final = ("content", "tool_calls")
_OF_SAMPLES: Final = ("choices", "output_text")


class OutputError(ValueError):
    """Nothing that is one output or several."""


class ContentError(OutputError):
    """A message's content of a type that no text is read from."""


def samples_of(given: JSON) -> list[str | Mapping[str, JSON]]:
    """The samples that a line has: one, unless it has a list of them.

    Raises:
        OutputError: It has none, or what may be two things; says what is wrong.

    Example:
        >>> samples_of("4"), samples_of(["4", "5"])
        (['4'], ['4', '5'])
        >>> chat = [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]
        >>> [sample["output_text"] for sample in samples_of(chat)]
        ['4']
        >>> len(samples_of([chat, chat]))
        2
    """
    if not isinstance(given, list):
        return [_sample(given)]
    if not given:
        raise OutputError("there are no samples in it")
    messages = [one for one in given if is_message(one)]
    if not messages:
        return [_sample(one) for one in given]
    count = len(messages)
    if count < len(given):
        problem = f"{count} of the {len(given)} in its list are messages, and the others are not"
        raise OutputError(f"{problem}; a chat is a list of messages, and samples may be chats")
    if count > 1 and all(message["role"] == "assistant" for message in messages):
        problem = f"its {count} messages are all the assistant's: {count} samples, or one chat?"
        raise OutputError(f"{problem} Write [[...], [...]] for samples, [[..., ...]] for a chat")
    return [_of_chat(messages)]


def is_message(value: JSON) -> TypeGuard[dict[str, JSON]]:
    """Whether something is a message of a chat, rather than a sample.

    What is null says nothing: beside a sample, Arrow gives a message the sample's keys so.
    """
    if not isinstance(value, dict) or not isinstance(value.get("role"), str):
        return False
    is_said = any(key in value for key in _SAID)
    return is_said and all(value.get(key) is None for key in _OF_SAMPLES)


def chat_sample(messages: Sequence[Mapping[str, JSON]]) -> Mapping[str, JSON] | None:
    """The sample of a chat, of which the last message of the assistant counts; None without one.

    Its content may be a text, parts with texts among them, or missing; tool calls are kept.

    Raises:
        ContentError: Its content is something else.
    """
    message = next((one for one in reversed(messages) if one.get("role") == "assistant"), None)
    if message is None:
        return None
    text = _text(message.get("content"))
    whole: dict[str, JSON] = {
        **message,
        "content": text,
        "tool_calls": message.get("tool_calls") or [],
    }
    choice: dict[str, JSON] = {"index": 0, "message": whole, "finish_reason": "stop"}
    return to_sample({"choices": [choice], "output_text": text})


def _sample(one: JSON) -> str | Mapping[str, JSON]:
    if isinstance(one, (str, dict)):
        return one
    if isinstance(one, list) and one:
        messages = [entry for entry in one if is_message(entry)]
        if len(messages) == len(one):
            return _of_chat(messages)
    problem = "a sample is text, an object or messages"
    raise OutputError(f"{problem}, and this is {kind_of(one)}")


def _of_chat(messages: Sequence[Mapping[str, JSON]]) -> Mapping[str, JSON]:
    sample = chat_sample(messages)
    if sample is None:
        roles = shorten(", ".join(str(message["role"]) for message in messages), 60)
        raise OutputError(f"none of its messages is the assistant's; they are of {roles}")
    return sample


def _text(content: JSON) -> str:
    match content:
        case None:
            return ""
        case str():
            return content
        case [*parts] if all(isinstance(part, (str, dict)) for part in parts):
            texts = [part.get("text", "") if isinstance(part, dict) else part for part in parts]
            return "".join(text for text in texts if isinstance(text, str))
    shown = shorten(repr(content), 60)
    raise ContentError(f"has the content {shown}, and content is a text or parts")
