"""What pydantic found wrong, in our words: where, what, with the value, and what is allowed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from graders.clients.masked import masked_url
from graders.config.content import TAG
from graders.config.graders import GraderConfig, Location
from graders.errors import Finding, near_miss

Renames = dict[Location, Location]
"""Where members stood before a list or a single grader became a map."""

_QUOTED = re.compile(r"'([^']*)'")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

MOST_FINDINGS: Final = 1_000
"""Of one kind that a config gets; who has more does not read them, and each takes its time."""
_MOST_LISTED: Final = 10_000
"""Errors that pydantic is asked to list, which it does in one call that lets no other thread run: a
megabyte of a server's request can hold half a million, and they took it two seconds."""
_SHOWN: Final = 60
_LONGEST_KEY: Final = 200
"""Characters of a key in a path: each of thousands of findings below a key has it in its own."""
_FIELDS: Final = frozenset(
    name
    for member in get_args(get_args(GraderConfig)[0])
    for name in get_args(member)[0].model_fields
)
"""Keys that mean something in some grader, so that they are no misspelling of another."""

_EXPECTED: Final[Mapping[str, str]] = {
    "string_type": "a string",
    "float_type": "a number",
    "int_type": "an integer",
    "bool_type": "true or false",
    "dict_type": "an object",
    "model_type": "an object",
    "tuple_type": "a list",
    "none_required": "null",
    "finite_number": "a finite number",
    "string_pattern_mismatch": "an http:// or https:// address",
}
_LENGTHS: Final[Mapping[str, str]] = {
    "too_short": "has {length} entries, and must have at least {min_length}",
    "too_long": "has {length} entries, and must have at most {max_length}",
    "string_too_short": "is empty",
    "string_too_long": "has {length} characters, and may have {max_length}",
}
_CODES: Final[Mapping[str, str]] = {
    **dict.fromkeys((*_EXPECTED, "sample"), "wrong-type"),
    **dict.fromkeys(
        ("greater_than", "greater_than_equal", "less_than", "less_than_equal"), "out-of-bounds"
    ),
    **dict.fromkeys(
        ("too_short", "too_long", "string_too_short", "string_too_long"), "wrong-length"
    ),
    "literal_error": "not-one-of",
    "union_tag_invalid": "unknown-type",
    "union_tag_not_found": "no-type",
    "missing": "missing",
    "extra_forbidden": "unknown-key",
    "range": "range",
    "passing_labels": "passing-labels",
    "hyperparameter": "hyperparameter",
}
"""What we call pydantic's kinds of errors and our own; the rest is `schema`."""
_TAG: Final = repr(TAG)[1:-1]  # as pydantic's messages have it
OPERATIONS_ELSEWHERE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("equals", "equal", "==", "exact", "exact_match", "is"), "eq"),
    **dict.fromkeys(("neq", "not_equals", "not_equal", "!=", "<>", "is_not"), "ne"),
    **dict.fromkeys(("contains", "includes", "in", "substring", "has"), "like"),
    **dict.fromkeys(("icontains", "contains_ignore_case"), "ilike"),
}
"""What other tools call the operations of a string_check."""
_NO_OPERATION: Final = frozenset(
    {"starts_with", "startswith", "ends_with", "endswith", "regex", "matches", "not_contains"}
)
METHODS: Final = ("supervised", "dpo", "reinforcement")
_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}


def explain(error: ValidationError, renames: Renames) -> list[Finding]:
    """Every problem of a config as a finding of severity error; one for all where none is told."""
    if (count := error.error_count()) > _MOST_LISTED:
        said = f"has {count:,} errors, which are too many to say where they are"
        fix = f"Give a part of it; of up to {_MOST_LISTED:,} the first {MOST_FINDINGS:,} are told."
        return [Finding(code="schema", severity="error", path="", message=said, fix=fix)]
    details = error.errors(include_url=False)[:MOST_FINDINGS]
    return [_finding(detail, renames) for detail in details if not _is_echo(detail)]


def _is_echo(detail: ErrorDetails) -> bool:
    # Pydantic drops list entries that fail and then finds the list too short.
    return (
        detail["type"] == "too_short"
        and isinstance(detail["input"], (list, tuple, dict))
        and len(detail["input"]) >= detail["ctx"]["min_length"]
    )


def _finding(detail: ErrorDetails, renames: Renames) -> Finding:
    message, fix = _words(detail)
    # Here alone, and not in `show_path`: a file's own key may begin as pydantic's tags do.
    location: Location = tuple(x for x in detail["loc"] if not str(x).startswith(TAG))
    if detail["type"].startswith("union_tag") and isinstance(detail["input"], dict):
        location = (*location, "type")
    return Finding(
        code=_CODES.get(detail["type"], "schema"),
        severity="error",
        path=show_path(location, renames),
        message=message,
        fix=fix,
    )


def _words(detail: ErrorDetails) -> tuple[str, str]:
    """Message and fix of one problem."""
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "literal_error":
        message, hint = _not_one_of(value, _QUOTED.findall(context["expected"]))
        elsewhere = _meant(value) if detail["loc"][-1] == "operation" else ""
        return message, elsewhere or hint
    if kind == "union_tag_invalid":
        tags = [tag.removeprefix(_TAG) for tag in _QUOTED.findall(context["expected_tags"])]
        known = [tag for tag in tags if not tag.startswith(_TAG)]  # but for shapes without a type
        given = value.get("type")
        method = not detail["loc"] and isinstance(given, str) and near_miss(given, METHODS)
        return _not_one_of(given, [*known, *METHODS] if method else known)
    if kind == "union_tag_not_found":
        if isinstance(value, dict):
            job = not detail["loc"] and "method" in value
            fix = "Of a whole job, give what stands under method." if job else 'Add "type".'
            return "is missing, and says what this is", fix
        return f"{_show(value, detail)} is not an object with a type", ""
    if kind == "missing":
        return "is missing", _instead(str(detail["loc"][-1]), value)
    if kind in _EXPECTED:
        return f"{_show(value, detail)} is not {_EXPECTED[kind]}", ""
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"{_show(value, detail)} is not {words} {context[bound]:,.15g}", ""
    if kind in _LENGTHS:
        return _LENGTHS[kind].format(length=len(value), **context), ""
    if kind == "extra_forbidden":
        return "is a key that nobody reads", ""
    return detail["msg"], ""


def _instead(name: str, given: object) -> str:
    """Where a missing field stands under a misspelt key."""
    keys = [key for key in given if key not in _FIELDS] if isinstance(given, dict) else []
    names = [key for key in keys[:MOST_FINDINGS] if isinstance(key, str)]
    close = get_close_matches(name, names, n=1)
    return f"Did you mean {name!r} where it says {close[0]!r}?" if close else ""


def _not_one_of(value: object, allowed: list[str]) -> tuple[str, str]:
    hint = near_miss(value, allowed) if isinstance(value, str) else ""
    return f"{shown(value)} is not one of {', '.join(allowed)}", hint


def _meant(operation: object) -> str:
    """What an operation of another tool is here; "" where nobody knows it."""
    if not isinstance(operation, str):
        return ""
    word = operation.strip().lower().replace("-", "_").replace(" ", "_")
    if word in OPERATIONS_ELSEWHERE:
        return f"Did you mean {OPERATIONS_ELSEWHERE[word]!r}?"
    if word in _NO_OPERATION:
        return "No operation does that; a python grader can."
    return ""


def _show(value: object, detail: ErrorDetails) -> str:
    # Header values are credentials, and addresses may hold them.
    if "headers" in detail["loc"]:
        return "this value"
    return shown(masked_url(value) if "url" in detail["loc"] and isinstance(value, str) else value)


def shown(value: object) -> str:
    """A value as a message shows it: not at length, and no text from inside a container."""
    if isinstance(value, (dict, list, tuple)) and _holds_text(value):
        return "an object" if isinstance(value, dict) else "a list"
    try:
        text = repr(value)
    except ValueError:  # an integer of more than 4,300 digits
        return f"a very long {type(value).__name__}"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 4] + " ..."


def _holds_text(value: object) -> bool:
    if isinstance(value, (dict, list, tuple)):
        return any(map(_holds_text, value.values() if isinstance(value, dict) else value))
    return isinstance(value, str)


def show_path(location: Location, renames: Mapping[Location, Location]) -> str:
    """A location as one would write it, in the file's own terms.

    Example:
        >>> show_path(("graders", "my key", "input", 0), {})
        'graders["my key"].input[0]'
        >>> len(show_path(("k" * 100_000,), {}))
        204
    """
    plain = location
    for length in range(len(location) + 1) if renames else ():  # there may be thousands of renames
        if (place := renames.get(location[:length])) is not None:
            plain = place + location[length:]
            break
    path = ""
    for step in plain:
        part = step
        if isinstance(part, str) and len(part) > _LONGEST_KEY:
            part = part[: _LONGEST_KEY - 4] + " ..."
        if isinstance(part, int):
            path += f"[{part}]"
        elif _IDENTIFIER.fullmatch(part):
            path += f".{part}"
        else:
            path += f"[{json.dumps(part, ensure_ascii=False)}]"
    return path.removeprefix(".")
