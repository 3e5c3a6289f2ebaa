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
failure's kind is that, and names with `>`, `>=` or `=` between them are an order. A key that nobody
reads is an error, for what it says would not be checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from graders.config.content import Frozen
from graders.config.explain import shown
from graders.config.further import SCHEMA_KEY
from graders.errors import FailureKind, near_miss

_KINDS: Final = frozenset(kind.value for kind in FailureKind)
_RELATION: Final = re.compile(r"\s*(>=|>|=)\s*")
_FORMS: Final = 'a score, [low, high], "pass", "fail", a kind of failure, an order, or an object'


def _wrong(message: str, **said: str) -> PydanticCustomError:
    """What a validator raises: `{shown}` and the like are filled in and not read again."""
    return PydanticCustomError("case", message, said)


class Part(Frozen):
    """A part of a case file: the format is ours, so that nobody else's keys are in it."""

    model_config = ConfigDict(extra="forbid")


class Expect(Part):
    """What a grading must come to.

    What is left out is not looked at, but for failures: one that is not expected is wrong.

    Attributes:
        score: The score, up to `tolerance`.
        tolerance: How far off it may be.
        range: The lowest and the highest score, both allowed.
        passed: Whether it passes.
        failure: The kind of failure, by its hosted name.
        reason: The failure's finer word, such as `timeout`.
        message: Words that the failure's message holds.
        parts: The same for members of a multi, by key.
        order: Of a case with several samples: their names from best to worst, `a > b >= c = d`;
            then nothing else is looked at.
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
            case dict() | Expect():
                return value
            case int() | float() if not isinstance(value, bool):
                return {"score": value}
            case [_, _]:
                return {"range": value}
            case "pass" | "fail":
                return {"passed": value == "pass"}
            case str() if _RELATION.search(value):
                return {"order": value}
            case str():
                return {"failure": value}
        raise _wrong("{shown} is no expectation: {forms}", shown=shown(value), forms=_FORMS)

    @field_validator("failure")
    @classmethod
    def _is_a_kind(cls, kind: str | None) -> str | None:
        if kind is None or kind in _KINDS:
            return kind
        hint = (
            near_miss(kind, {*_KINDS, "pass", "fail"}) or f"Kinds are {', '.join(sorted(_KINDS))}."
        )
        message = "{shown} is no kind of failure, nor pass, fail or an order. {hint}"
        raise _wrong(message, shown=shown(kind), hint=hint)

    @field_validator("range")
    @classmethod
    def _is_a_range(cls, ends: tuple[float, float] | None) -> tuple[float, float] | None:
        if ends is not None and ends[0] > ends[1]:
            raise _wrong("{shown} holds no score: the lowest comes first", shown=repr([*ends]))
        return ends

    @field_validator("parts")
    @classmethod
    def _have_one_sample(cls, parts: dict[str, Expect]) -> dict[str, Expect]:
        for key, part in parts.items():
            if part.order is not None:
                raise _wrong("{shown} has an order, and a member has one score", shown=shown(key))
        return parts

    @model_validator(mode="after")
    def _says_something(self) -> Expect:
        said = {name for name in self.model_fields_set if getattr(self, name) not in (None, {})}
        if said <= {"tolerance"}:
            raise _wrong("expects nothing, so that nothing can be wrong")
        if "tolerance" in said and "score" not in said:
            raise _wrong("has a tolerance, and no score that it could be of")
        if "order" in said and len(said) > 1:
            other = min(said - {"order"})
            raise _wrong("has {other} beside an order, which is all that is looked at", other=other)
        fails = said & {"failure", "reason", "message"}
        scores = said & {"score", "range"} or ({"passed"} if self.passed else set())
        if fails and scores:
            both = f"{min(fails)} and {min(scores)}"
            raise _wrong("expects {both}, and a failure has no score", both=both)
        return self


class Case(Part):
    """An item, one sample or several, and what the grader should make of them.

    Attributes:
        name: What the test is called; by default `case-1` and so on.
        item: The dataset's row.
        sample: The model's output, a text or a sample object.
        samples: Several by name, to be compared.
        expect: What their grading must come to; of several samples, their order.
        judge: What a judge answers: a score, a label or its whole text; a list, for each repeat;
            an object, by the names of the samples or by member.
    """

    name: str | None = Field(default=None, min_length=1)
    item: dict[str, Any] = Field(default_factory=dict)
    sample: Any = None
    samples: dict[str, Any] = Field(default_factory=dict)
    expect: Expect
    judge: Any = None

    @field_validator("name")
    @classmethod
    def _can_be_selected(cls, name: str | None) -> str | None:
        if name is not None and ("::" in name or not name.isprintable()):
            message = "{shown} cannot be named to pytest: no :: and no line breaks"
            raise _wrong(message, shown=shown(name))
        if name is not None and name.startswith("law:"):
            raise _wrong("{shown} is what the test of a law is called", shown=shown(name))
        return name

    @model_validator(mode="after")
    def _has_samples(self) -> Case:
        given = "sample" in self.model_fields_set
        if given == bool(self.samples):
            raise _wrong("needs a sample, or several under samples, and not both")
        for one in self.samples.values() if self.samples else [self.sample]:
            if not isinstance(one, (str, dict)):
                raise _wrong("{shown} is no sample: a text or an object", shown=shown(one))
        if (self.expect.order is not None) != bool(self.samples):
            raise _wrong('several samples and an order go together: "expect": "good > bad"')
        if self.expect.order is not None:
            parse_order(self.expect.order, self.samples)
        return self


class Recorded(Part):
    """Where a judge's answers were recorded.

    Attributes:
        replay: The recording's path, beside the case file.
    """

    replay: str


class CaseFile(Part):
    """What a case file holds; the module describes it.

    Attributes:
        grader: The config, or where it is.
        cases: At least one.
        laws: What must hold for every case; `graders.testing.laws.declared` says which there are.
        judge: A recording to replay: `{"replay": "judge.jsonl"}`.
        profile: The settings' name.
        settings: Overrides of it.
    """

    grader: Any = None
    cases: Annotated[tuple[Case, ...], Field(strict=False, min_length=1)]
    laws: Any = None
    judge: Recorded | None = None
    profile: str = "openai"
    settings: dict[str, str] = Field(default_factory=dict, alias="set")
    editors: Any = Field(default=None, alias=SCHEMA_KEY)


def parse_order(order: str, names: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """The comparisons of an order: `a > b >= c` is a > b and b >= c.

    Args:
        order: Names with `>`, `>=` or `=` between them.
        names: Those that there are; each must be compared.

    Raises:
        PydanticCustomError: A name is unknown or left out, or there is nothing to compare.

    Example:
        >>> parse_order("a > b >= c", {"a": 1, "b": 1, "c": 1})
        [('a', '>', 'b'), ('b', '>=', 'c')]
    """
    words = _RELATION.split(order.strip())
    for name in words[::2]:
        if name not in names:
            hint = near_miss(name, names) or f"Samples are {', '.join(map(repr, names))}."
            raise _wrong("the order has {shown}, which is no sample. {hint}", shown=shown(name),
                         hint=hint)  # fmt: skip
    left_out = [name for name in names if name not in words[::2]]
    if left_out or len(words) < 3:
        raise _wrong("the order compares nothing with {shown}", shown=shown((left_out or words)[0]))
    return [(words[i], words[i + 1], words[i + 2]) for i in range(0, len(words) - 2, 2)]
