"""Two configs that grade the same rows: read, checked, and compiled with the tools they share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graders.cli.clients import judges, with_judge
from graders.cli.grading import sound, tools_for
from graders.cli.options import show_findings

if TYPE_CHECKING:
    from graders.config.parse import Document
    from graders.errors import Finding
    from graders.ledger import Ledger
    from graders.profile import Profile
    from graders.testing.both import Both


def read_two(
    paths: tuple[Path, Path], given: dict[str, Any], profile: Profile
) -> tuple[Document, Document]:
    """Read both, and say what there is to say of them, once where it is the same.

    Raises:
        click.ClickException: One cannot be used; says which.
    """
    old, new = (_read(path) for path in paths)
    if given["judge"] is not None:
        asking = [bool(judges(document)) for document in (old, new)]
        if not any(asking):
            problem = "no grader of either config asks a model"
            raise click.UsageError(f"--judge {given['judge']}: {problem}.")
        old, new = (
            with_judge(document, given["judge"]) if asks else document
            for document, asks in zip((old, new), asking, strict=True)
        )
    found: dict[Finding, Finding] = {}
    for path, document in zip(paths, (old, new), strict=True):
        for finding in [*document.findings, *_sound(path, document, profile, given["python"])]:
            found.setdefault(finding, replace(finding, path=_place(path, finding.path)))
    show_findings(found.values())
    return old, new


def _place(path: Path, place: str) -> str:
    return f"{path}: {place}" if place else str(path)


def _read(path: Path) -> Document:
    from graders.config.parse import load_config
    from graders.errors import ConfigError

    try:
        return load_config(path)
    except ConfigError as error:
        raise _unusable(path, error) from None


def _sound(path: Path, document: Document, profile: Profile, python: str | None) -> list[Finding]:
    from graders.errors import ConfigError

    try:
        return sound(document, profile, python)
    except ConfigError as error:
        raise _unusable(path, error) from None


def _unusable(path: Path, error: Exception) -> click.ClickException:
    said = str(error)
    return click.ClickException(said if said.startswith(str(path)) else f"{path}: {said}")


@contextmanager
def both_graders(
    documents: tuple[Document, Document], profile: Profile, given: dict[str, Any], ledger: Ledger
) -> Iterator[tuple[Both, list[str] | None]]:
    """Both graders, in one sandbox and asking through one client; and what isolates them.

    Raises:
        click.ClickException: An option is wrong, a judge cannot be reached, or the machine cannot
            isolate.
    """
    from graders.compile import compile_grader
    from graders.testing.both import Both

    with tools_for(_together(documents), profile, given, ledger) as (tools, asking):
        old, new = (compile_grader(document, tools=tools, profile=asking) for document in documents)
        yield Both(old, new), sorted(tools.sandbox.layers) if tools.sandbox else None


def _together(documents: Sequence[Document]) -> Document:
    """All graders of several configs as members of one, which says what tools they need."""
    from graders.config.graders import EvalConfig, MultiConfig, walk
    from graders.config.parse import Document

    parts = [part for document in documents for _, part in walk(document.grader)]
    single = [part for part in parts if not isinstance(part, (MultiConfig, EvalConfig))]
    members = {f"member_{i}": part for i, part in enumerate(single)}
    whole = MultiConfig(type="multi", name="together", graders=members, calculate_output="member_0")
    return Document(kind="grader", value=whole)
