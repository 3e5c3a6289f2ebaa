"""What the service does to a grader before it reads it: members into a map, names filled in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from graders.config.explain import Renames, show_path
from graders.config.graders import Location
from graders.errors import Finding

_TYPES: Final = frozenset(
    ("string_check", "text_similarity", "python", "score_model", "label_model", "endpoint", "multi")
)


def normalise(
    plain: dict[str, object], kind: str, notes: list[Finding], renames: Renames
) -> dict[str, object]:
    """A document with every grader in it in its full form.

    Args:
        plain: The document as it came.
        kind: `grader`, `method`, `request` or `eval`.
        notes: Gets a finding for everything that is changed, or cannot be.
        renames: Gets, for members that change place, where they stood.
    """
    match kind, plain:
        case "eval", {"testing_criteria": list(criteria)}:
            full = [
                _grader(criterion, ("testing_criteria", i), notes, renames)
                for i, criterion in enumerate(criteria)
            ]
            return {**plain, "testing_criteria": full}
        case "request", {"grader": grader}:
            return {**plain, "grader": _grader(grader, ("grader",), notes, renames)}
        case "method", {"grader": grader}:
            return {**plain, "grader": _grader(grader, ("grader",), notes, renames)}
        case "method", {"reinforcement": {"grader": grader, **rest}}:
            inside = _grader(grader, ("reinforcement", "grader"), notes, renames)
            return {**plain, "reinforcement": {**rest, "grader": inside}}
        case "grader", _:
            full_grader = _grader(plain, (), notes, renames)
            assert isinstance(full_grader, dict)
            return full_grader
    return plain


def _grader(value: object, location: Location, notes: list[Finding], renames: Renames) -> object:
    if not isinstance(value, dict):
        return value
    if value.get("type") == "multi" and "graders" in value:
        members = _members(value["graders"], (*location, "graders"), notes, renames)
        value = {**value, "graders": members}
    if value.get("name") is None and any(value.get("type") == known for known in _TYPES):
        value = {**value, "name": default_name(value)}
        notes.append(
            Finding(
                code="filled-name",
                severity="note",
                path=show_path((*location, "name"), renames),
                message=f"there is no name; it is called {value['name']}",
            )
        )
    return value


def default_name(config: Mapping[str, object]) -> str:
    """The name of a grader that has none: `grader-` and 12 characters of its hash.

    The service draws 12 random characters; ours are the same on every run.
    """
    named = {key: value for key, value in config.items() if key != "name"}
    try:
        text = json.dumps(named, sort_keys=True, default=str)
    except (TypeError, ValueError):  # made in Python, of what JSON cannot hold
        text = " ".join(sorted(map(str, named)))
    return f"grader-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _members(value: object, location: Location, notes: list[Finding], renames: Renames) -> object:
    """`multi.graders` as the map that the formula's variables come from.

    The published schema has one single grader, its example a list, and real jobs a map.
    """
    match value:
        case {"type": str(), **rest}:
            entries, form = [(rest.get("name"), value, location)], "single grader"
        case [*graders]:
            entries = [
                (entry.get("name") if isinstance(entry, dict) else None, entry, (*location, i))
                for i, entry in enumerate(graders)
            ]
            form = "list"
        case dict():
            return {
                key: _grader(member, (*location, key), notes, renames)
                for key, member in value.items()
            }
        case _:
            return value
    members: dict[str, object] = {}
    for name, member, place in entries:
        full = _grader(member, place, notes, renames)
        key = name if isinstance(name, str) else _name_of(full)
        if key in members:
            notes.append(_twice(key, place, renames))
        members[key] = full
        renames[(*location, key)] = place
    keys = ", ".join(members)
    message = f"a {form}, read as the map the service uses, keyed by name: {keys}"
    notes.append(
        Finding(code="multi-form", severity="note", path=show_path(location, {}), message=message)
    )
    return members


def _name_of(member: object) -> str:
    return str(member["name"]) if isinstance(member, dict) and "name" in member else "grader"


def _twice(key: str, place: Location, renames: Renames) -> Finding:
    return Finding(
        code="same-name",
        severity="error",
        path=show_path(place, renames),
        message=f"a second member is called {key!r}, and the formula can only mean one",
        fix="Write graders as a map, with a key for each.",
    )
