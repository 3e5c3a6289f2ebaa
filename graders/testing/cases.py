"""Case files: what a grader should make of some samples, as data.

    {
      "grader": "grade.py",
      "laws": ["deterministic", "in_range"],
      "cases": [
        {"name": "exact", "item": {"answer": "4"}, "sample": "4", "expect": 1.0},
        {"item": {"answer": "4"}, "sample": "five", "expect": {"range": [0, 0.2]}},
        {"item": {}, "sample": "4", "expect": "python_grader_runtime_error"},
        {"item": {"answer": "4"}, "samples": {"right": "4", "close": "4.1", "wrong": "9"},
         "expect": "right > close >= wrong"}
      ]
    }

`grader` is a path beside the file (a config or a .py), a config itself, or left out: then it is the
file of the same name, `grade.py` or `grade.json` for `grade.cases.json`. `expect` is an object, or
short for one: a number is a score, two numbers are a range, `pass` and `fail` say what they say, a
failure's kind is that, and names with `>`, `>=` or `=` between them are an order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from graders.config.content import Frozen
from graders.config.explain import explain
from graders.config.graders import Location
from graders.config.parse import Document, decode_config, load_config, parse_config
from graders.errors import ConfigError, FailureKind, Finding, near_miss
from graders.lint.locate import Lines, locate, to_location
from graders.strict_json import decode
from sandbox import JSON

SUFFIXES: Final = (".cases.json", ".cases.yaml", ".cases.yml")
_KINDS: Final = frozenset(kind.value for kind in FailureKind)
_RELATION: Final = re.compile(r"\s*(>=|>|=)\s*")


class Expect(Frozen):
    """What a grading must come to. What is left out is not looked at.

    Attributes:
        score: The score, up to `tolerance`.
        tolerance: How far off it may be.
        range: The lowest and the highest score, both allowed.
        passed: Whether it passes.
        failure: The kind of failure, by its hosted name.
        reason: The failure's finer word, such as `timeout`.
        message: Words that the failure's message holds.
        parts: The same for members of a multi, by key.
        order: Of a case with several samples: their names from best to worst, `a > b >= c = d`.
    """

    score: float | None = None
    tolerance: float = Field(default=1e-9, ge=0)
    range: Annotated[tuple[float, float], Field(strict=False)] | None = None
    passed: bool | None = None
    failure: str | None = None
    reason: str | None = None
    message: str | None = None
    parts: dict[str, Expect] = Field(default_factory=dict)
    order: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        """The object that a short form stands for."""
        match value:
            case bool():
                return value
            case int() | float():
                return {"score": value}
            case [_, _]:
                return {"range": value}
            case "pass" | "fail":
                return {"passed": value == "pass"}
            case str() if _RELATION.search(value):
                return {"order": value}
            case str():
                return {"failure": value}
        return value

    @field_validator("failure")
    @classmethod
    def _is_a_kind(cls, kind: str | None) -> str | None:
        if kind is None or kind in _KINDS:
            return kind
        hint = near_miss(kind, _KINDS) or f"Kinds are {', '.join(sorted(_KINDS))}."
        message = "{shown} is no kind of failure, nor pass, fail or an order. {hint}"
        raise PydanticCustomError("failure", message, {"shown": repr(kind)[:60], "hint": hint})

    @model_validator(mode="after")
    def _says_something(self) -> Expect:
        if self.model_fields_set <= {"tolerance"} and not self.model_extra:
            raise PydanticCustomError("expect", "expects nothing, so that nothing can be wrong")
        if self.failure is not None and (self.score is not None or self.range is not None):
            raise PydanticCustomError("expect", "expects a score and a failure, and there is one")
        return self


class Case(Frozen):
    """An item, one sample or several, and what the grader should make of them.

    Attributes:
        name: What the test is called; by default its number.
        item: The dataset's row.
        sample: The model's output, a text or a sample object.
        samples: Several by name, to be compared.
        expect: What their grading must come to; of several samples, of each.
        judge: What a judge answers: a score, a label or its whole text; by member, an object.
    """

    name: str | None = Field(default=None, min_length=1)
    item: dict[str, Any] = Field(default_factory=dict)
    sample: Any = None
    samples: dict[str, Any] = Field(default_factory=dict)
    expect: Expect
    judge: Any = None

    @model_validator(mode="after")
    def _has_samples(self) -> Case:
        given = "sample" in self.model_fields_set
        if given == bool(self.samples):
            raise PydanticCustomError("case", "needs a sample, or several under samples")
        for one in self.samples.values() if self.samples else [self.sample]:
            if not isinstance(one, (str, dict)):
                shown = {"shown": repr(one)[:60]}
                raise PydanticCustomError(
                    "case", "{shown} is no sample: a text or an object", shown
                )
        if (self.expect.order is not None) != bool(self.samples):
            raise PydanticCustomError("case", "several samples and an order go together")
        if self.expect.order is not None:
            parse_order(self.expect.order, self.samples)
        return self


class CaseFile(Frozen):
    """What a case file holds; the module describes it.

    Attributes:
        grader: The config, or where it is.
        cases: At least one.
        laws: What must hold for every case; `graders.testing.laws` knows which there are.
        judge: A recording to replay: `{"replay": "judge.jsonl"}`.
        profile: The settings' name.
        settings: Overrides of it.
    """

    grader: Any = None
    cases: Annotated[tuple[Case, ...], Field(strict=False, min_length=1)]
    laws: Any = None
    judge: dict[str, str] | None = None
    profile: str = "openai"
    settings: dict[str, str] = Field(default_factory=dict, alias="set")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """A case file that was read, with the grader it is about.

    Attributes:
        path: Where it is.
        file: What it holds.
        document: The grader's config.
        lines: The line of each case, from 1.
    """

    path: Path
    file: CaseFile
    document: Document
    lines: tuple[int, ...]

    def name(self, index: int) -> str:
        """What a case is called: its name, or its number from 1."""
        return self.file.cases[index].name or f"case-{index + 1}"


def parse_order(order: str, names: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """The comparisons of an order: `a > b >= c` is a > b and b >= c.

    Args:
        order: Names with `>`, `>=` or `=` between them.
        names: Those that there are.

    Raises:
        PydanticCustomError: A name is unknown, or there is nothing to compare.

    Example:
        >>> parse_order("a > b >= c", {"a": 1, "b": 1, "c": 1})
        [('a', '>', 'b'), ('b', '>=', 'c')]
    """
    words = _RELATION.split(order.strip())
    for name in words[::2]:
        if name not in names:
            hint = near_miss(name, names) or f"Samples are {', '.join(map(repr, names))}."
            message = "the order has {shown}, which is no sample. {hint}"
            raise PydanticCustomError("order", message, {"shown": repr(name)[:60], "hint": hint})
    return [(words[i], words[i + 1], words[i + 2]) for i in range(0, len(words) - 2, 2)]


def read_cases(path: Path) -> Cases:
    """Read a case file, and the config of its grader.

    Raises:
        ConfigError: Something in it is wrong; each problem has its line: `grade.cases.json:7`.
        OSError: It or the grader's file cannot be read.
    """
    value, lines = _read_yaml(path) if path.suffix in {".yaml", ".yml"} else _read_json(path)
    try:
        file = CaseFile.model_validate(value)
    except ValidationError as error:
        raise ConfigError(*(_placed(one, path, lines) for one in explain(error, {}))) from None
    return Cases(
        path=path,
        file=file,
        document=_grader(file.grader, path),
        lines=tuple(lines.get(("cases", i), 1) for i in range(len(file.cases))),
    )


def _placed(finding: Finding, path: Path, lines: Mapping[Location, int]) -> Finding:
    """A finding with its line before its path: `grade.cases.json:7: cases[1].expect`."""
    location, _ = to_location(finding.path)
    while location not in lines:
        location = location[:-1]
    place = f"{path}:{lines[location]}"
    return replace(finding, path=f"{place}: {finding.path}" if finding.path else place)


def _read_json(path: Path) -> tuple[JSON, Mapping[Location, int]]:
    data = path.read_bytes()
    value = decode_config(data, str(path))
    text = data.decode("utf-8-sig")
    places = Lines.of(text)
    spans = locate(text).values
    return value, {at: places.place(span.start).line for at, span in spans.items()}


def _read_yaml(path: Path) -> tuple[JSON, Mapping[Location, int]]:
    """The value of a YAML file, of which only what JSON has too is taken."""
    try:
        import yaml
    except ImportError:
        raise _refused(path, "no-package", "YAML is read by pyyaml: pip install pyyaml") from None
    text = path.read_text("utf-8-sig")
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        value = decode(json.dumps(yaml.safe_load(text), allow_nan=False))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise _refused(f"{path}{place}", "not-yaml", f"not YAML: {error.problem}") from None
    except (ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
        raise _refused(path, "not-yaml", f"not what JSON could hold: {error}") from None
    return value, dict(_yaml_lines(root, ()))


def _yaml_lines(node: Any, location: Location) -> Iterator[tuple[Location, int]]:
    """The line of each value below a YAML node."""
    if node is None:
        yield location, 1
        return
    yield location, node.start_mark.line + 1
    if node.id == "mapping":
        for key, child in node.value:
            yield from _yaml_lines(child, (*location, str(key.value)))
    elif node.id == "sequence":
        for i, child in enumerate(node.value):
            yield from _yaml_lines(child, (*location, i))


def _refused(path: Path | str, code: str, message: str) -> ConfigError:
    return ConfigError(Finding(code=code, severity="error", path=str(path), message=message))


def _grader(given: object, path: Path) -> Document:
    """The config that a case file is about.

    Raises:
        ConfigError: There is none, or it is wrong.
        OSError: Its file cannot be read.
    """
    if isinstance(given, dict):
        return parse_config({"grader": given, "model_sample": ""})
    if isinstance(given, str):
        return load_config(path.parent / given)
    if given is not None:
        raise _refused(path, "wrong-type", "grader is neither a path nor a config")
    stem = next(path.name.removesuffix(end) for end in SUFFIXES if path.name.endswith(end))
    beside = [path.with_name(f"{stem}.{kind}") for kind in ("py", "json")]
    for one in beside:
        if one.is_file():
            return load_config(one)
    names = " nor ".join(one.name for one in beside)
    raise _refused(path, "missing", f"names no grader, and neither {names} stands beside it")
