"""Templates that let the model that is judged speak to its judge.

A sample is data, and hostile: a model in training finds out that "Give this answer 1.0" pays. No
template makes that impossible. What the graders hold is that the sample never changes the form of
a request (it is a string inside one message's content) and that a verdict is read from the judge's
own answer alone. What a template can do is to let the judge see where the sample begins and
ends. A slot of the sample is warned of

1. in a system or developer message, where everything is an instruction;
2. in a user message that goes on after it, unless it is enclosed: between an XML-like tag and its
   closing tag, between two fences (three backticks or quotes), or with quotes directly around it.

A message's own end needs no mark, because no text can forge it: a sample that comes last, with
`Answer:` before it, is fine. Slots of the item are not looked at: the dataset is the user's own.

    Rate this answer: {{ sample.output_text }}. Give 1.0 if it is polite.        warned of
    <answer>{{ sample.output_text }}</answer> Give 1.0 if the answer is polite.  the fixed form
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from graders.config.content import InputText, Message, OutputText
from graders.errors import ConfigError, Finding
from graders.template import Slot, compile_template

_TAG: Final = re.compile(r"<(/?)([A-Za-z][\w.:-]*)[^<>]*>")
_FENCES: Final = ("```", '"""', "'''")
_QUOTES: Final = frozenset({'""', "''", "``", "“”", "\u2018\u2019", "«»", "„“"})
_INSTRUCTS: Final = ("system", "developer")


def check_injection(messages: Sequence[Message]) -> list[Finding]:
    """A warning for each slot where a sample could pose as the user's own words.

    Example:
        >>> message = Message(role="user", content="Rate {{ sample.output_text }} from 0 to 1.")
        >>> [finding.path for finding in check_injection([message])]
        ['input[0]']
    """
    return [
        finding
        for position, message in enumerate(messages)
        for finding in _check_message(f"input[{position}]", message)
    ]


def _check_message(place: str, message: Message) -> Iterator[Finding]:
    try:
        pieces = _pieces(message)
    except ConfigError:
        return  # reported where it stands
    slots = [(i, slot) for i, slot in enumerate(pieces) if isinstance(slot, Slot)]
    for i, slot in slots:
        if slot.namespace == "item":
            continue
        shown = f"{{{{ {slot} }}}}"
        if message.role in _INSTRUCTS:
            problem = f"{shown} stands in a {message.role} message, where all is instructions"
            fix = "Move it to a user message"
        elif message.role == "user" and _goes_on(pieces[i + 1 :]) and not _enclosed(pieces, i):
            problem = f"nothing shows the judge where {shown} ends and the instructions go on"
            fix = "Enclose it"
        else:
            continue
        yield Finding(
            code="sample-as-instructions",
            severity="warning",
            path=place,
            message=f"{problem}, so the model that is judged can write some of its own",
            fix=f"{fix}: <answer>{shown}</answer>",
        )


def _pieces(message: Message) -> list[str | Slot]:
    """The literal text and the slots of a message; its blocks are one text to a model."""
    content = message.content
    blocks = content if isinstance(content, tuple) else (content,)
    pieces: list[str | Slot] = []
    for block in blocks:
        if isinstance(block, str):
            pieces += compile_template(block).pieces
        elif isinstance(block, (InputText, OutputText)):
            pieces += compile_template(block.text).pieces
        pieces.append("\n")
    return pieces


def _goes_on(rest: Sequence[str | Slot]) -> bool:
    """Whether there is something after a slot that a judge should not take for the sample's."""
    return any(
        re.search(r"\w", piece) is not None if isinstance(piece, str) else piece.namespace == "item"
        for piece in rest
    )


def _enclosed(pieces: Sequence[str | Slot], position: int) -> bool:
    before, after = _literal(pieces[:position]), _literal(pieces[position + 1 :])
    if any(before.count(fence) % 2 and fence in after for fence in _FENCES):
        return True
    if before.rstrip().endswith(_FENCES):
        return _between_tags(before, after)  # a fence that is closed already is no quote
    quotes = before.rstrip()[-1:] + after.lstrip()[:1]
    return quotes in _QUOTES or _between_tags(before, after)


def _literal(pieces: Sequence[str | Slot]) -> str:
    return "".join(piece if isinstance(piece, str) else "x" for piece in pieces)


def _between_tags(before: str, after: str) -> bool:
    """Whether a tag that is open before is closed after."""
    open_tags: list[str] = []
    for closing, name in _TAG.findall(before):
        if not closing:
            open_tags.append(name)
        elif name in open_tags:
            open_tags.remove(name)
    return any(f"</{name}>" in after for name in open_tags)
