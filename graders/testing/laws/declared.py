"""The laws that a case file declares: their names, and what each may be told.

    "laws": ["deterministic", "in_range", "robust"]
    "laws": {"deterministic": true, "in_range": [0, 5], "reference_is_best": "item.answer",
             "invariant_to": ["case", "whitespace"], "robust": ["hint"]}

`graders.testing.laws.check` has what each of them says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from graders.config.explain import show_path, shown
from graders.config.graders import Location
from graders.errors import ConfigError, Finding, TemplateError, near_miss
from graders.grades import finite_number
from graders.template import compile_template

CHANGES: Final = ("case", "whitespace", "key_order", "unicode_form")
"""What a grader may be invariant to."""

Argument = str | tuple[str, ...] | tuple[float, float] | None
"""What a law is told: a template, keys, two ends, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A law of a case file.

    Attributes:
        name: Which.
        argument: Of in_range the ends, if they are said; of reference_is_best and
            monotone_under_truncation a template of the reference; of invariant_to the one change;
            of robust the keys that an item may lack.
        location: Where in the file it stands.
    """

    name: str
    argument: Argument = None
    location: Location = ()

    def __str__(self) -> str:
        change = f":{self.argument}" if self.name == "invariant_to" else ""
        return f"{self.name}{change}"


class _WrongError(Exception):
    """What a law cannot be told."""


def _nothing(value: object) -> Argument:
    if value is not True:
        raise _WrongError(f"takes true and nothing else, got {shown(value)}")
    return None


def _ends(value: object) -> Argument:
    match value:
        case True:
            return None
        case [int() | float() as first, int() | float() as last]:
            low, high = finite_number(first), finite_number(last)
            if low is not None and high is not None and low < high:
                return low, high
    raise _WrongError(f"takes true or [lowest, highest], got {shown(value)}")


def _reference(value: object) -> Argument:
    if not isinstance(value, str):
        hint = '{"reference_is_best": "item.answer"}'
        raise _WrongError(f"must be told where the reference stands: {hint}")
    template = value if "{{" in value else f"{{{{ {value.strip()} }}}}"
    try:
        pieces = compile_template(template).pieces
    except TemplateError as error:
        raise _WrongError(f"has no path: {error.findings[0].message}") from None
    if all(isinstance(piece, str) or piece.namespace != "item" for piece in pieces):
        raise _WrongError(f"reads nothing of the item: {shown(value)}; a path is item.answer")
    return template


def _text(value: object) -> Argument:
    if value is True:
        return None
    if isinstance(value, str):
        return _reference(value)
    raise _WrongError(f"takes true, for the samples, or a reference's path, got {shown(value)}")


def _changes(value: object) -> Argument:
    names = [value] if isinstance(value, str) else value
    known = f"of {', '.join(CHANGES)}"
    if not isinstance(names, list) or not names:
        raise _WrongError(f'must be told which changes, {known}: {{"invariant_to": ["case"]}}')
    for name in names:
        if name not in CHANGES:
            hint = near_miss(str(name), CHANGES) or f"It is one {known}."
            raise _WrongError(f"knows no change {shown(name)}. {hint}")
    return tuple(dict.fromkeys(names))


def _keys(value: object) -> Argument:
    match value:
        case True:
            return ()
        case [_, *_] if all(isinstance(key, str) for key in value):
            return tuple(dict.fromkeys(map(str, value)))
    raise _WrongError(f"takes true, or the keys that an item may lack, got {shown(value)}")


_ARGUMENTS: Final[Mapping[str, Callable[[object], Argument]]] = {
    "deterministic": _nothing,
    "row_independent": _nothing,
    "in_range": _ends,
    "reference_is_best": _reference,
    "empty_is_worst": _nothing,
    "monotone_under_truncation": _text,
    "invariant_to": _changes,
    "robust": _keys,
}


def parse_laws(value: object) -> tuple[Law, ...]:
    """The laws that stand under `laws`: names in a list, or what each is told in an object.

    Raises:
        ConfigError: Something there is no law, or is told what it does not take; has all of it.

    Example:
        >>> [str(law) for law in parse_laws({"robust": True, "invariant_to": ["case"]})]
        ['robust', 'invariant_to:case']
    """
    match value:
        case None:
            return ()
        case dict():
            given = [(name, argument, ("laws", name)) for name, argument in value.items()]
        case list():
            given = [(name, True, ("laws", i)) for i, name in enumerate(value)]
        case _:
            message = f"{shown(value)} is neither a list of laws nor an object of them"
            raise ConfigError(_finding(("laws",), message, ""))
    laws: list[Law] = []
    findings: list[Finding] = []
    for name, argument, location in given:
        try:
            laws += _parsed(name, argument, location)
        except ConfigError as error:
            findings += error.findings
    findings += _twice(laws)
    if findings:
        raise ConfigError(*findings)
    return tuple(laws)


def _parsed(name: object, argument: object, location: Location) -> Iterator[Law]:
    if not isinstance(name, str) or name not in _ARGUMENTS:
        hint = near_miss(str(name), _ARGUMENTS) or f"Laws are {', '.join(_ARGUMENTS)}."
        raise ConfigError(_finding(location, f"{shown(name)} is no law", hint))
    try:
        told = _ARGUMENTS[name](argument)
    except _WrongError as error:
        raise ConfigError(_finding(location, f"{name} {error}", "")) from None
    if name == "invariant_to" and isinstance(told, tuple):  # each change is a test of its own
        for change in told:
            yield Law(name=name, argument=str(change), location=location)
    else:
        yield Law(name=name, argument=told, location=location)


def _twice(laws: list[Law]) -> Iterator[Finding]:
    seen = set[str]()
    for law in laws:
        if str(law) in seen:
            yield _finding(law.location, f"{law} stands here twice", "")
        seen.add(str(law))


def _finding(location: Location, message: str, fix: str) -> Finding:
    path = show_path(location, {})
    return Finding(code="law", severity="error", path=path, message=message, fix=fix)
