"""What can still be said of a config whose form is wrong, so that one look shows every problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final, get_args

from graders.config.content import Frozen
from graders.config.explain import Renames, show_path
from graders.config.graders import GraderConfig, Location, StringCheckConfig, TextSimilarityConfig
from graders.errors import ConfigError, Finding, near_miss
from graders.formula import compile_formula
from graders.template import compile_template

_CONFIGS: Final[Mapping[str, type[Frozen]]] = {
    config.model_fields["type"].annotation.__args__[0]: config
    for config in (get_args(member)[0] for member in get_args(get_args(GraderConfig)[0]))
}
SCHEMA_KEY: Final = "$schema"
"""Where an editor is told what a file is to look like; no field of a grader."""
_HOLD_GRADERS: Final = frozenset({"grader", "graders", "reinforcement", "testing_criteria"})
_COMPARED: Final = (StringCheckConfig, TextSimilarityConfig)


def further_problems(body: object, renames: Renames) -> Iterator[Finding]:
    """Templates and formulas that do not parse, and keys nobody reads, of each grader in a body."""
    for location, grader, config in _graders(body, ()):
        for key, value in grader.items():
            place = (*location, key)
            if key == SCHEMA_KEY:
                continue
            if key not in config.model_fields:
                yield unknown_key(key, config, grader, show_path(place, renames))
            elif isinstance(value, str):
                for finding in _problems(key, value, grader, config):
                    yield replace(finding, path=show_path(place, renames))


def unknown_key(
    key: str, config: type[Frozen], given: Mapping[str, object] | set[str], path: str
) -> Finding:
    """The warning for a key that no field of ours reads; the service tolerates them."""
    field = config.model_fields.get("type")
    kinds = get_args(field.annotation) if field else ()
    reader = f"a {kinds[0]} reads" if kinds else "is read here"
    return Finding(
        code="unknown-key",
        severity="warning",
        path=path,
        message=f"{key!r} is not a field that {reader}, and is ignored (as on the hosted service)",
        fix=near_miss(key, [name for name in config.model_fields if name not in given]),
    )


def _graders(
    value: object, location: Location
) -> Iterator[tuple[Location, Mapping[str, object], type[Frozen]]]:
    """Every grader in a body, by its type."""
    if isinstance(value, list):
        for i, entry in enumerate(value):
            yield from _graders(entry, (*location, i))
    elif isinstance(value, dict):
        kind = value.get("type")
        if isinstance(kind, str) and kind in _CONFIGS:
            yield location, value, _CONFIGS[kind]
        members = location[-1:] == ("graders",)
        for key, entry in value.items():
            if key in _HOLD_GRADERS or members:
                yield from _graders(entry, (*location, key))


def _problems(
    key: str, value: str, grader: Mapping[str, object], config: type[Frozen]
) -> tuple[Finding, ...]:
    members = grader.get("graders")
    if key in ("input", "reference") and config in _COMPARED:
        return _findings_of(lambda: compile_template(value))
    if key == "calculate_output" and isinstance(members, dict):
        return _findings_of(lambda: compile_formula(value, members))
    return ()


def _findings_of(compiling: Callable[[], object]) -> tuple[Finding, ...]:
    try:
        compiling()
    except ConfigError as error:
        return error.findings
    return ()
