"""The mutants of a grader: its config with one small change each, in order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from random import Random

from graders.config.graders import AnyConfig, EvalConfig, Location, MultiConfig, PythonConfig, walk
from graders.config.parse import Document
from graders.testing.config_changes import NOTICE, config_changes, formula_changes
from graders.testing.meaning import Meaning
from graders.testing.mutators import MUTATORS, changes
from graders.testing.python_text import PythonText

_CONTEXT = 2
"""Unchanged lines that a diff shows around the change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A grader with one change.

    Attributes:
        location: Of the config that is changed: (), or `("graders", "exact")`.
        mutator: The name of the change in its table.
        field: What of the config is changed, where that is a text of its own: `source`.
        line: Of a source, the line that must run for it to matter; None of a config.
        before: The text that is changed: a source, or a field's lines.
        start: The first character that is replaced.
        end: The one after the last.
        new: What it is replaced by.
        fields: Of a config, the fields that are changed, with what they hold then, where `field`
            names none.
    """

    location: Location
    mutator: str
    field: str = ""
    line: int | None = None
    before: str
    start: int
    end: int
    new: str
    fields: Mapping[str, object] | None = None

    @property
    def old(self) -> str:
        """What was there."""
        return self.before[self.start : self.end]

    @property
    def after(self) -> str:
        """The changed text."""
        return self.before[: self.start] + self.new + self.before[self.end :]

    @property
    def line_number(self) -> int:
        """The line of the text where the change is, from 1."""
        return self.before.count("\n", 0, self.start) + 1

    def of(self, config: AnyConfig) -> AnyConfig:
        """The changed config."""
        update = self.fields or {self.field: self.after}
        if not self.location:
            return config.model_copy(update=update)
        key = self.location[1]
        if isinstance(config, MultiConfig):
            member = config.graders[str(key)].model_copy(update=update)
            return config.model_copy(update={"graders": {**config.graders, key: member}})
        assert isinstance(config, EvalConfig), "only these have members"
        criteria = list(config.testing_criteria)
        criteria[int(key)] = criteria[int(key)].model_copy(update=update)
        return config.model_copy(update={"testing_criteria": tuple(criteria)})

    @property
    def notice(self) -> str:
        """What kind of case would notice it."""
        return MUTATORS[self.mutator].notice if self.line is not None else NOTICE[self.mutator]

    @property
    def says(self) -> str:
        """The change in a few words."""
        if not self.new:
            return f"{_shown(self.old)} is left out"
        return f"{_shown(self.old)} becomes {_shown(self.new)}"

    def diff(self, name: str) -> str:
        """The change as a unified diff of what is called `name`."""
        old, new = (text.removesuffix("\n").split("\n") for text in (self.before, self.after))
        lines = unified_diff(old, new, name, f"{name} (mutant)", n=_CONTEXT, lineterm="")
        return "\n".join(lines)


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return f"`{line if len(line) <= 60 else line[:57] + '...'}`"


def mutants_of(document: Document) -> list[Mutant]:
    """Every mutant of a grader. Nothing of a source is executed."""
    found: list[Mutant] = []
    for location, part in walk(document.grader):
        if isinstance(part, PythonConfig):
            found += _of_source(location, part.source)
        if isinstance(part, MultiConfig):
            found += _of_formula(location, part)
        found += _of_config(location, part)
    return found


def chosen(mutants: list[Mutant], limit: int | None, seed: int) -> list[Mutant]:
    """At most so many of them, drawn by a seed, in their order."""
    if limit is None or limit >= len(mutants):
        return mutants
    drawn = Random(seed).sample(range(len(mutants)), limit)  # noqa: S311 - no secret
    return [mutants[i] for i in sorted(drawn)]


def means_something(mutant: Mutant, meanings: dict[str, Meaning]) -> bool:
    """Whether a mutant is another program; `meanings` keeps what was found of each source."""
    if mutant.line is None:
        return True
    if mutant.before not in meanings:
        meanings[mutant.before] = Meaning(mutant.before)
    return meanings[mutant.before].changes_in(mutant.after)


def _of_source(location: Location, source: str) -> Iterator[Mutant]:
    text = PythonText(source).text
    for change in changes(source):
        yield Mutant(
            location=location,
            mutator=change.mutator,
            field="source",
            line=change.line,
            before=text,
            start=change.start,
            end=change.end,
            new=change.text,
        )


def _of_formula(location: Location, part: MultiConfig) -> Iterator[Mutant]:
    for change in formula_changes(part.calculate_output, part.graders):
        yield Mutant(
            location=location,
            mutator=change.mutator,
            field="calculate_output",
            before=part.calculate_output,
            start=change.start,
            end=change.end,
            new=change.text,
        )


def _of_config(location: Location, part: AnyConfig) -> Iterator[Mutant]:
    for mutator, fields in config_changes(part, decides=location[:1] != ("graders",)):
        old = _lines({name: getattr(part, name) for name in fields})
        yield Mutant(
            location=location,
            mutator=mutator,
            before=old,
            start=0,
            end=len(old),
            new=_lines(fields),
            fields=fields,
        )


def _lines(fields: Mapping[str, object]) -> str:
    """Fields of a config as their lines in a file."""
    return "\n".join(f'"{name}": {json.dumps(value)}' for name, value in fields.items())
