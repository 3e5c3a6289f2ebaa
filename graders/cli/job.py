"""What `graders run` is asked to do: a grader, how it is run, and where results go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from graders.grades import Grader
from graders.ledger import Ledger
from graders.runs.grading import Work
from graders.runs.opening import Way
from sandbox import JSON

if TYPE_CHECKING:
    from graders.config.graders import AnyConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A grader and how it is to be run.

    Attributes:
        grader: What judges.
        recipe: Makes another of it, in a worker; None where it waits for somebody.
        work: What to do with each row.
        config: What the grader was made of.
        profile: The name of its settings, for the record.
        title: What the summary says was run.
        as_json: Whether output is for programs.
        settings: What else decides a result: limits of the sandbox.
        workers: How many processes grade; None is one for each core.
        on_ray: Whether a cluster grades.
        address: Where that is; None starts one here.
        layers: What isolates python graders; None where none runs.
        ledger: What models were asked, and what it took; None where none is asked.
    """

    grader: Grader
    recipe: Callable[[], Grader]
    work: Work
    config: AnyConfig
    profile: str
    title: str
    as_json: bool
    settings: Mapping[str, JSON] = field(default_factory=dict)
    workers: int | None = None
    on_ray: bool = False
    address: str | None = None
    layers: list[str] | None = None
    ledger: Ledger | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What `--report` asks of a run.

    Attributes:
        path: Where the page goes.
        config: The config's file, as it was named.
        base_url: As `--base-url` has it.
        apart: Whether standard output is for something else.
    """

    path: str
    config: Path
    base_url: str | None
    apart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where results go, and how a run into them begins.

    Attributes:
        results: The path, `-` for standard output, or None.
        way: Whether to begin or go on.
        again: The command that goes on with it.
        report: The page to write at its end; None for none.
        upload: An address to copy the results to at the end; None for none.
    """

    results: str | None
    way: Way
    again: str
    report: RunReport | None = None
    upload: str | None = None

    @property
    def has_folder(self) -> bool:
        """Whether the run can be gone on with: its results are a file."""
        return is_kept(self.results)


def is_kept(results: str | None) -> bool:
    """Whether results go to a file, not to a stream or a device.

    Example:
        >>> is_kept("-"), is_kept("/dev/null"), is_kept("out.jsonl")
        (False, False, True)
    """
    if results is None or results == "-":
        return False
    return not Path(results).exists() or Path(results).is_file()
