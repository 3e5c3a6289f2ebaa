"""`{{ item.path }}` templates: parsed once, rendered per row, never re-scanned.

    slot  = "{{" ("item" | "sample") step* "}}"
    step  = "." key | "[" digits "]"
    key   = any characters but . [ ] { }, trimmed

Everything else is literal text: `${data.item.query}`, `{"a": {}}` and a stray `}}` stay as they
are, as on the hosted service. Rendering joins literal text and looked-up values; a value that
itself contains `{{ ... }}` is inserted as it is, because a model's output must not be able to
read the reference answer. A path may go on into a string that holds JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Final, Literal, cast

from graders.errors import FailureKind, GradingError, TemplateError
from graders.rows import Row
from graders.strict_json import decode_or_none
from sandbox import JSON

Rendering = Literal["json", "python"]
"""How values that are not strings become text: `true` and `null`, or `True` and `None`."""

_NAMES_COMPARED: Final = 1_000
_LONGEST_KEPT: Final = 16_384
"""Keys of a row looked through for a near miss; a model may write more than a person would."""

Namespace = Literal["item", "sample"]
Step = str | int

_NAMES: Final[Mapping[str, Namespace]] = {"item": "item", "sample": "sample"}
_NAMESPACE = re.compile(r"(item|sample)\b")
_OPENING = re.compile(r"\{\{\s*(item|sample)\b")
_CLOSING = re.compile(r"\s*\}\}")
_STEP = re.compile(r"\s*(?:\.([^.\[\]{}]+)|\[\s*([0-9]{1,9})\s*\])")


def _as_json(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_RENDER: Final[Mapping[Rendering, Callable[[JSON], str]]] = {"json": _as_json, "python": str}


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a template: a namespace, and the steps down from there."""

    namespace: Namespace
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        """The path as one would write it: `item.answers[0]`."""
        return self.namespace + "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps
        )


@dataclass(frozen=True, slots=True)
class Template:
    """Literal text and slots, in order. Made by `compile_template`."""

    pieces: tuple[str | Slot, ...]
    rendering: Rendering = "json"

    def render(self, row: Row) -> str:
        """Fill the slots from a row.

        Raises:
            GradingError: The row has no value at some slot's path (`invalid_variable_error`).

        Example:
            >>> template = compile_template("{{ item.a[0] }} is {{ sample.output_json.ok }}")
            >>> template.render(Row(item={"a": ["it"]}, sample={"output_json": {"ok": True}}))
            'it is true'
        """
        if len(self.pieces) == 1:
            return self._text(self.pieces[0], row)
        return "".join([self._text(piece, row) for piece in self.pieces])

    def _text(self, piece: str | Slot, row: Row) -> str:
        if isinstance(piece, str):
            return piece
        return to_text(look_up(piece, row), piece, self.rendering)


def compile_template(text: str, rendering: Rendering = "json") -> Template:
    """Parse a template. Equal ones are one object, so that they can be rendered together.

    Very long ones are not: a server would keep whatever it is sent.

    Raises:
        TemplateError: A slot begins with `item` or `sample` and is not a path.
    """
    return _kept(text, rendering) if len(text) <= _LONGEST_KEPT else _parsed(text, rendering)


@lru_cache(maxsize=1024)
def _kept(text: str, rendering: Rendering) -> Template:
    return _parsed(text, rendering)


def _parsed(text: str, rendering: Rendering) -> Template:
    pieces: list[str | Slot] = []
    end = 0
    while opening := _OPENING.search(text, end):
        pieces.append(text[end : opening.start()])
        slot, end = _parse_slot(text, opening)
        pieces.append(slot)
    pieces.append(text[end:])
    return Template(tuple(piece for piece in pieces if piece != "") or ("",), rendering)


def parse_path(text: str) -> Slot:
    """Read a path such as `item.answers[0]`, with or without `{{ }}` around it.

    Raises:
        TemplateError: It is not one.

    Example:
        >>> parse_path("item.answers[0]").steps
        ('answers', 0)
    """
    text = text.strip()
    if text.startswith("{{") and text.endswith("}}"):
        text = text[2:-2].strip()
    opening = _NAMESPACE.match(text)
    if opening is None:
        raise TemplateError("a path begins with item or sample", text, 0)
    steps, end = _parse_steps(text, opening.end())
    if text[end:].strip():
        raise TemplateError(_not_a_step(text[end:]), text, end)
    return Slot(_NAMES[opening[1]], steps)


def _parse_slot(text: str, opening: re.Match[str]) -> tuple[Slot, int]:
    """The slot that `opening` begins, and where the text goes on after it."""
    steps, end = _parse_steps(text, opening.end())
    close = _CLOSING.match(text, end)
    if close is None:
        rest = text[end:].lstrip()
        problem = _not_a_step(rest) if "}}" in rest else "this slot has no closing '}}'"
        raise TemplateError(problem, text, len(text) - len(rest))
    return Slot(_NAMES[opening[1]], steps), close.end()


def _parse_steps(text: str, position: int) -> tuple[tuple[Step, ...], int]:
    steps: list[Step] = []
    while step := _STEP.match(text, position):
        key, index = step.groups()
        if key is not None and not key.strip():
            raise TemplateError("a key is missing after '.'", text, step.end())
        steps.append(int(index) if key is None else key.strip())
        position = step.end()
    return tuple(steps), position


def _not_a_step(rest: str) -> str:
    if rest.startswith("["):
        return "only a number may stand in brackets, as in item.answers[0]; write item.key for keys"
    return "a path goes on with .key or [0], as in item.answer or sample.output_json.steps[0]"


def rendered(signature: str, rendering: Rendering) -> str:
    """A signature with the rendering, where it is not the usual one."""
    return signature if rendering == "json" else f"{signature}|render:{rendering}"


def to_text(value: JSON, slot: Slot, rendering: Rendering) -> str:
    """A value as templates insert it: text as it is, the rest rendered.

    Raises:
        GradingError: It is nested too deeply to be rendered.
    """
    if isinstance(value, str):
        return value
    try:
        return _RENDER[rendering](value)
    except RecursionError:
        message = f"{{{{ {slot} }}}}: its value is nested too deeply to be rendered"
        raise GradingError(FailureKind.OTHER, message, "nested_too_deeply") from None


def look_up(slot: Slot, row: Row) -> JSON:
    """The value at a slot's path.

    Raises:
        GradingError: There is none (`invalid_variable_error`); names the nearest existing path.
    """
    here: JSON = row.item if slot.namespace == "item" else row.sample  # type: ignore[assignment]
    for depth, step in enumerate(slot.steps):
        if isinstance(here, str):
            inside = decode_or_none(here)
            here = inside if isinstance(inside, (dict, list)) else here
        if isinstance(here, str):  # text can be indexed too, but has no parts to a template
            raise _missing(slot, depth, here)
        try:
            # A str step only fits a mapping and an int step only a list; the wrong pairing
            # raises TypeError or KeyError, as does stepping into a number or null.
            here = here[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            raise _missing(slot, depth, here) from None
    return here


def _missing(slot: Slot, depth: int, here: JSON) -> GradingError:
    step = slot.steps[depth]
    reached = Slot(slot.namespace, slot.steps[:depth])
    match here, step:
        case Mapping(), str():
            keys = cast("Mapping[object, JSON]", here)
            names = [key for key in islice(keys, _NAMES_COMPARED) if isinstance(key, str)]
            close = get_close_matches(step, names, n=1)
            hint = f"Did you mean {f'{reached}.{close[0]}'!r}?" if close else _fields(names)
            problem = f"{reached} has no field {step!r}. {hint}"
        case list(), int():
            problem = f"{reached} has {len(here)} entries, so there is no [{step}]"
        case list(), _:
            problem = f"{reached} is a list; write {reached}[0] for its first entry"
        case None, _:
            problem = f"{reached} is null, so there is nothing at {slot}"
        case str(), _:
            problem = f"{reached} is text that holds no JSON object or list to look into"
        case _:
            kind = "an object" if isinstance(here, Mapping) else f"the value {here!r}"
            problem = f"{reached} is {kind}, and {step!r} does not lead into it"
    return GradingError(FailureKind.INVALID_VARIABLE, f"{{{{ {slot} }}}}: {problem}")


def _fields(names: list[str]) -> str:
    shown = ", ".join(name[:40] for name in sorted(names)[:12]) + (
        ", ..." if len(names) > 12 else ""
    )
    return f"It has: {shown}." if names else "It is empty."
