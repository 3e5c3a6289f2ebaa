"""What a request looks like on the wire: the body of an OpenAI-style chat completion.

Pure, so that each of a server's peculiarities is a row in a table. Parameters that are absent
or null are not sent, because servers refuse or misread what they do not know.

Rows may hold lone surrogates, which UTF-8 has not: U+FFFD is sent in their place, as what a
judge reads is the same, and a row that a model made ill-formed is to be judged, not lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar, cast

from graders.clients import Message, ModelRequest
from graders.strict_json import encode
from sandbox import JSON

T = TypeVar("T")
_SYSTEM_ROLES: Final = ("system", "developer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """How a server wants to be spoken to.

    Attributes:
        max_tokens: What it calls the bound on an answer's tokens. Old servers know `max_tokens`
            only, and reasoning models only the other.
        developer: The role that a developer message is sent under. "auto" begins with developer
            and leaves it to the client to send system where that is refused.
        format: How it is held to the answer's schema. Under "json_object" (any JSON) and "none"
            the schema is told in words, in the first system message.
    """

    max_tokens: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    developer: Literal["auto", "developer", "system"] = "auto"
    format: Literal["json_schema", "json_object", "none"] = "json_schema"


def to_body(request: ModelRequest, wire: Wire) -> dict[str, JSON]:
    """The body to post to `/chat/completions`.

    Example:
        >>> question = ModelRequest(model="m", messages=(Message("developer", "Hi"),),
        ...     schema=None, sampling={"max_completions_tokens": 9, "seed": None})
        >>> to_body(question, Wire(developer="system"))  # doctest: +NORMALIZE_WHITESPACE
        {'model': 'm', 'messages': [{'role': 'system', 'content': 'Hi'}],
         'max_completion_tokens': 9}
    """
    messages = list(request.messages)
    if request.schema is not None and wire.format != "json_schema":
        messages = _told_in_words(messages, request.schema)
    body: dict[str, JSON] = {
        "model": request.model,
        "messages": [_message(message, wire) for message in messages],
    }
    if request.schema is not None and wire.format == "json_schema":
        body["response_format"] = {"type": "json_schema", "json_schema": dict(request.schema)}
    elif request.schema is not None and wire.format == "json_object":
        body["response_format"] = {"type": "json_object"}
    names = {"max_completions_tokens": wire.max_tokens}
    set_ = {names.get(key, key): value for key, value in request.sampling.items()}
    body |= {key: value for key, value in set_.items() if value is not None}
    return {key: to_sendable(value) for key, value in body.items()}


def to_sendable(value: T) -> T:
    r"""A JSON value whose texts UTF-8 can carry.

    Example:
        >>> to_sendable({"text": ["a\ud83d", 1]}) == {"text": ["a\ufffd", 1]}
        True
    """
    made: object = value
    if isinstance(value, str) and not value.isascii():
        made = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    elif isinstance(value, dict):
        made = {to_sendable(key): to_sendable(entry) for key, entry in value.items()}
    elif isinstance(value, list | tuple):
        made = [to_sendable(entry) for entry in value]
    return cast("T", made)


def _told_in_words(messages: Sequence[Message], schema: Mapping[str, JSON]) -> list[Message]:
    # Into the system message where there is one: chat templates of many local models take only
    # one, and only in front.
    shown = encode(schema.get("schema")).decode()
    words = f"Answer with one JSON object, and nothing else, that matches this JSON Schema: {shown}"
    first = messages[0] if messages else None
    if first is None or first.role not in _SYSTEM_ROLES:
        return [Message("system", words), *messages]
    if isinstance(first.content, str):
        return [Message(first.role, f"{first.content}\n\n{words}"), *messages[1:]]
    return [Message(first.role, [*first.content, words]), *messages[1:]]


def _message(message: Message, wire: Wire) -> JSON:
    refused = message.role == "developer" and wire.developer == "system"
    content = message.content
    return {
        "role": "system" if refused else message.role,
        "content": content if isinstance(content, str) else [_part(block) for block in content],
    }


def _part(block: JSON) -> JSON:
    match block:
        case str():
            return {"type": "text", "text": block}
        case {"type": "input_text" | "output_text", "text": text}:
            return {"type": "text", "text": text}
        case {"type": "input_image", "image_url": url, "detail": str(detail)}:
            return {"type": "image_url", "image_url": {"url": url, "detail": detail}}
        case {"type": "input_image", "image_url": url}:
            return {"type": "image_url", "image_url": {"url": url}}
        case {"type": "input_audio", "input_audio": {"data": data, "format": format_}}:
            return {"type": "input_audio", "input_audio": {"data": data, "format": format_}}
    raise ValueError(f"a message cannot hold {encode(block)[:80]!r}; the hosted blocks are wanted")
