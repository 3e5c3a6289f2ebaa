"""What is exported, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graders.config.parse import Document
from graders.errors import RowError
from graders.moving.carried import Carried
from graders.profile import Profile
from graders.rows import Row
from graders.terminal import broken, printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What is written for another tool.

    Attributes:
        files: Texts by file name; all stand in one folder.
        carried: How each grader goes over.
        lost: What does not, or is otherwise there.
        next: The command to run.
        before: What must be done before it can be run; "" where nothing must.
        left_out: For each row that does not go over, its number and why.
    """

    files: Mapping[str, str]
    carried: Sequence[Carried]
    lost: Sequence[str]
    next: Sequence[str]
    before: str = ""
    left_out: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is exported.

    Attributes:
        document: The config.
        path: Of its file, from the folder that is written to.
        profile: Settings that decide numbers.
        options: The same as keyword arguments of what asks us; nothing where they are the usual.
        threshold: The least score that passes, where a config does not say.
        rows_path: Of the file of rows, absolute; there need be none.
        rows: Its rows, where they are wanted.
    """

    document: Document
    path: str
    profile: Profile
    options: Mapping[str, Any]
    threshold: float | None = None
    rows_path: str = "rows.jsonl"
    rows: Iterable[Row | RowError] | None = None


def comments(source: Source, carried: Sequence[Carried], lost: Sequence[str]) -> Iterator[str]:
    """How each grader goes over and what is lost, as comment lines."""
    said = [f"From {source.path}: {source.document.describe()}."]
    for how in carried:
        same = f"{how.native}, the same on texts" if how.native else "asks local-graders:"
        said.append(f"{how.name}: {same} {how.why}".rstrip() + ".")
    said += ["Otherwise than here:", *(f"- {one}" for one in lost)]
    for one in said:
        for line in broken(printable(one), 90):
            yield f"# {line}".rstrip() + "\n"
