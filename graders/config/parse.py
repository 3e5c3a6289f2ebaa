"""From what a user has (a file, a dict, an SDK object) to checked, frozen data.

A file may hold a grader, a fine-tuning method, a run request or an Evals body; `Document` says
which. Every error is reported at once, and what is tolerated but worth knowing (an unknown key,
a missing name, a `multi` in list form) travels beside the value as findings.
"""

from __future__ import annotations

import os
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from graders.config.content import Frozen
from graders.config.explain import METHODS, MOST_FINDINGS, Renames, explain, show_path
from graders.config.further import SCHEMA_KEY, further_problems, unknown_key
from graders.config.graders import AnyConfig, EvalConfig, GraderConfig, Location, RunRequest
from graders.config.methods import DPO, Method, Reinforcement, ReinforcementMethod, Supervised
from graders.config.normalise import normalise
from graders.errors import ConfigError, Finding, findings_of
from graders.strict_json import NotJSONError, decode
from sandbox import JSON

Kind = Literal["grader", "method", "request", "eval"]
_LONGEST_NAME: Final = 200
"""Characters of a grader's name that a sentence has."""

ConfigSource = AnyConfig | Mapping[str, object] | str | os.PathLike[str] | BaseModel

_ADAPTERS: Final[Mapping[Kind, TypeAdapter[Any]]] = {
    "grader": TypeAdapter(GraderConfig),
    "method": TypeAdapter(Method),
    "request": TypeAdapter(RunRequest),
    "eval": TypeAdapter(EvalConfig),
}
_BARE_METHOD: Final[TypeAdapter[Any]] = TypeAdapter(ReinforcementMethod)
_LOCATIONS: Final[Mapping[type, Location]] = {
    Reinforcement: ("reinforcement", "grader"),
    ReinforcementMethod: ("grader",),
    RunRequest: ("grader",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a config file holds.

    Attributes:
        kind: Which of the four forms it has.
        value: The checked form itself.
        findings: What is worth saying; no errors, those are raised.
        location: Where the grader stands in it: (), or `("reinforcement", "grader")`.
        renames: Where members of a multi stood before they became a map.
    """

    kind: Kind
    value: AnyConfig | Method | ReinforcementMethod | RunRequest
    findings: tuple[Finding, ...] = ()
    location: Location = ()
    renames: Mapping[Location, Location] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where the grader stands: "", `grader` or `reinforcement.grader`."""
        return self.place(())

    def place(self, location: Location) -> str:
        """A place below the grader, as it is written in the file: `graders[0]`."""
        return show_path((*self.location, *location), self.renames)

    @property
    def has_grader(self) -> bool:
        """Whether there is something to compile."""
        return not isinstance(self.value, (Supervised, DPO))

    def describe(self) -> str:
        """What it is, in a few words: `a method (reinforcement) with a multi grader`."""
        if not self.has_grader:
            return f"a {self.value.type} method"  # type: ignore[union-attr]
        config = self.grader
        if isinstance(config, EvalConfig):
            count = len(config.testing_criteria)
            return f"an Evals body with {count} {'criterion' if count == 1 else 'criteria'}"
        name = config.name
        shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
        place = {"method": "a reinforcement method with ", "request": "a run request with "}
        article = "an" if config.type == "endpoint" else "a"
        return f"{place.get(self.kind, '')}{article} {config.type} grader named {shown!r}"

    @property
    def grader(self) -> AnyConfig:
        """What there is to compile.

        Raises:
            ConfigError: It is a supervised or dpo method, which has no grader.
        """
        match self.value:
            case Reinforcement():
                return self.value.reinforcement.grader
            case RunRequest() | ReinforcementMethod():
                return self.value.grader
            case Supervised() | DPO():
                message = f"a {self.value.type} method has no grader"
                raise ConfigError(
                    Finding(code="no-grader", severity="error", path="type", message=message)
                )
            case _:
                return self.value


def read_config(source: ConfigSource) -> Document:
    """Check a config in any of the forms it may have in Python.

    Args:
        source: A dict, a path to a JSON file, a config of ours, or an object of the `openai` SDK.

    Raises:
        ConfigError: It is not a config; holds every problem with its path.
        OSError: A file cannot be read.
    """
    if isinstance(source, (str, os.PathLike)):
        return load_config(Path(source))
    return parse_config(source)


def load_config(path: Path) -> Document:
    """Read and check a config file; a .py file is the source of a python grader.

    Raises:
        ConfigError: The file is not JSON or not a config; says where.
        OSError: It cannot be read.
    """
    if path.suffix == ".py":
        return parse_config({"type": "python", "name": path.stem, "source": read_python(path)})
    return parse_config(decode_config(path.read_bytes(), str(path)))


def decode_config(data: bytes, name: str) -> JSON:
    """The JSON value of a config's bytes; no key may stand twice in one object.

    Raises:
        ConfigError: They are not JSON; says where in the file called `name`.
    """
    try:
        return decode(data.removeprefix(b"\xef\xbb\xbf"), unique_keys=True)
    except NotJSONError as error:
        place = f"{name}:{error.line}:{error.column}" if error.line else name
        message = f"not JSON: {error.problem}" if error.line else error.problem
        raise ConfigError(
            Finding(code="not-json", severity="error", path=place, message=message)
        ) from None


def read_python(path: Path) -> str:
    """The text of a Python file, in the encoding that it declares.

    Raises:
        ConfigError: It is not text in that encoding, or it declares one that nobody knows.
        OSError: It cannot be read.
    """
    try:
        with tokenize.open(path) as file:
            return file.read()
    except (SyntaxError, UnicodeDecodeError) as error:
        message = f"not a Python source: {error}"
        raise ConfigError(
            Finding(code="not-python", severity="error", path=str(path), message=message)
        ) from None


def parse_config(value: object) -> Document:
    """Check a config that came from JSON, or an SDK object.

    Raises:
        ConfigError: It is none of the four forms; holds every problem with its path.

    Example:
        >>> parse_config({"type": "string_check", "name": "n", "input": "", "operation": "eq"})
        Traceback (most recent call last):
        graders.errors.ConfigError: reference: is missing
    """
    try:
        return _parse(to_plain(value))
    except RecursionError:
        raise ConfigError(
            Finding(code="depth", severity="error", path="", message="is nested too deeply")
        ) from None


def _parse(plain: object) -> Document:
    if not isinstance(plain, dict):
        raise ConfigError(
            Finding(
                code="not-a-config",
                severity="error",
                path="",
                message=f"a config is a JSON object, and this is a {type(plain).__name__}",
            )
        )
    body = cast("dict[str, object]", plain)
    kind = _kind_of(body)
    adapter = _BARE_METHOD if kind == "method" and "type" not in body else _ADAPTERS[kind]
    notes: list[Finding] = []
    renames: Renames = {}
    full = normalise(body, kind, notes, renames)
    errors = findings_of("error", notes)
    try:
        checked = adapter.validate_python(full)
    except ValidationError as error:
        further = islice(further_problems(full, renames), MOST_FINDINGS)
        raise ConfigError(*errors, *explain(error, renames), *further) from None
    if errors:
        raise ConfigError(*errors)
    notes += islice(_unknown_keys(checked, (), renames), MOST_FINDINGS)
    return Document(
        kind=kind,
        value=checked,
        findings=tuple(notes),
        location=_LOCATIONS.get(type(checked), ()),
        renames=renames,
    )


def _kind_of(plain: Mapping[str, object]) -> Kind:
    if "testing_criteria" in plain:
        return "eval"
    if "grader" in plain and ("model_sample" in plain or "item" in plain):
        return "request"
    if any(plain.get("type") == method for method in METHODS):
        return "method"
    return "method" if "grader" in plain and "type" not in plain else "grader"


def to_plain(value: object) -> object:
    """Dicts and lists all the way down, from SDK objects (anything with `model_dump`) too."""
    if isinstance(value, BaseModel):
        return to_plain(value.model_dump(exclude_unset=True, by_alias=True, warnings=False))
    if isinstance(value, Mapping):
        return {key: to_plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(entry) for entry in value]
    return value


def _unknown_keys(
    value: object, location: tuple[str | int, ...], renames: Renames
) -> Iterator[Finding]:
    """A warning for each key that no field of ours reads."""
    match value:
        case Frozen():
            known = type(value).model_fields
            for key in value.model_extra or {}:
                if key == SCHEMA_KEY:
                    continue
                path = show_path((*location, key), renames)
                yield unknown_key(key, type(value), value.model_fields_set, path)
            for key in known:
                yield from _unknown_keys(getattr(value, key), (*location, key), renames)
        case dict():
            for key, entry in value.items():
                yield from _unknown_keys(entry, (*location, key), renames)
        case tuple():
            for i, entry in enumerate(value):
                yield from _unknown_keys(entry, (*location, i), renames)
