"""The folder of a run: what it was made with, how far it is, and the parts that are not joined.

    results.jsonl            shards 0 to n, joined; `state.json` says how many bytes of it are sure
    results.timing.jsonl     their times
    results.run/
        manifest.json        what decides every byte of the results
        state.json           how far the run is, and the summary so far
        parts/               shards that are not joined yet
        judges.db            answers that were paid, by row
        before/              while failed rows are graded again: the results as they were
        results.jsonl        where results are to be columns: their lines, and beside them the times

A shard is appended to the results, then counted in `state.json`, then deleted from `parts`, each
step on the disk before the next. So whatever dies, and whenever, each row is in the sure bytes of
the results, or in a part, or it is graded again; never in two of them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from io import FileIO
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Final

import msgspec
from msgspec.structs import replace

from graders.report.summary import SAMPLES, Summary
from graders.results import Result, read_results
from graders.runs.earlier import Earlier
from graders.runs.output import NOTHING, Output, Sizes, write_all
from graders.runs.parts import Part, summary_of
from graders.runs.undisturbed import undisturbed
from graders.strict_json import encode
from graders.studies.teach.observed import Observed

_SAVED_EVERY_SECONDS: Final = 1.0
_AT_ONCE: Final = 256  # lines


class State(msgspec.Struct, kw_only=True):
    """How far a run is.

    Attributes:
        joined: Shards whose results are joined.
        sizes: Bytes of the joined results and times.
        summary: Of the joined shards.
        seconds: Wall time spent, all sessions together.
        complete: Whether there is nothing left of what was asked.
        retrying: Whether this is a second time for what failed the first time.
    """

    joined: int = 0
    sizes: Sizes = NOTHING
    summary: Summary = msgspec.field(default_factory=Summary)
    seconds: float = 0.0
    complete: bool = False
    retrying: bool = False


def _lean(state: State) -> State:
    """A state without what its results hold anyway."""
    return replace(state, summary=state.summary.lean)


class Folder:
    """Parts, and the output that they are joined into.

    Attributes:
        path: The folder.
        parts: Where its part files are.
        state: How far the run is.
    """

    def __init__(
        self,
        path: Path,
        output: Output,
        state: State,
        *,
        earlier: Earlier | None = None,
        durable: bool = True,
    ) -> None:
        """Go on from a state.

        Args:
            path: The folder; it is there.
            output: What to append to, from where the state says.
            state: How far the run is.
            earlier: Results as they were, where failed rows are graded again.
            durable: Whether it is to outlive the process.
        """
        self.path, self.state = path, state
        self.parts = path / "parts"
        self.parts.mkdir(exist_ok=True)
        self._output, self._earlier, self._durable = output, earlier, durable
        state.summary.observed = Observed(SAMPLES)
        self._joined: list[Part] = []
        self._saved = self._begun = perf_counter()
        self._spent_before = state.seconds

    def observe_again(self, results: Path) -> None:
        """See the samples that are joined already, in a results file of just these."""
        lines = (line for line in read_results(results) if isinstance(line, Result))
        while batch := list(islice(lines, _AT_ONCE)):
            self.state.summary.see_again(batch)

    def fill(self, shard: int) -> None:
        """Give a part what is known of its shard, where failed rows are graded again."""
        if self._earlier is not None:
            self._earlier.fill(Part(self.parts, shard), shard)

    @property
    def seconds(self) -> float:
        """Wall time spent, all sessions together."""
        return self._spent_before + perf_counter() - self._begun

    @undisturbed()
    def join(self, shard: int, summary: Summary) -> None:
        """Append a shard that is whole to the output; those before it are joined."""
        part = Part(self.parts, shard)
        self._append(part)
        self._joined.append(part)
        self.state.summary.merge(summary)
        self.state.joined = shard + 1
        if perf_counter() - self._saved > _SAVED_EVERY_SECONDS:
            self.save()

    def _append(self, part: Part) -> None:
        results, times = part.columns()
        self._output.append(results, times)

    @undisturbed()
    def save(self) -> None:
        """Make sure of what is joined, and drop its parts."""
        self.state.sizes = self._output.sync()
        self.state.seconds = self.seconds
        if self._durable:
            write_whole(self.path / "state.json", encode(_lean(self.state)))
        for part in self._joined:
            part.remove()
        self._joined.clear()
        self._saved = perf_counter()

    @undisturbed()
    def complete(self) -> Summary:
        """End a run that has nothing left to grade.

        Raises:
            OSError: The disk is full; the run is as it was.
        """
        self._output.finish()
        self.state.complete, self.state.retrying = True, False
        self.save()
        for name in ("parts", "before"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        return self.state.summary

    @undisturbed()
    def leave(
        self, unjoined: Mapping[int, Summary], *, last: int | None = None, as_asked: bool = False
    ) -> Summary:
        """End a run that may go on later; returns the summary of all that is graded.

        The rows of shards that are not joined stay in their parts. So that nobody has to look
        for them, they stand behind the joined ones in the output too, until the run goes on.

        Args:
            unjoined: What is known of shards that are not joined: a summary of their rows, or
                of some of them, and of their lines that are no rows.
            last: The last shard whose rows are results; None for all.
            as_asked: Whether it ends where its options say.
        """
        self.state.complete = as_asked
        summary = deepcopy(self.state.summary)
        with suppress(OSError):  # a full disk; then the parts have what is not sure
            self.save()
        for shard in sorted({*self._begun_shards(), *unjoined}):
            if shard < self.state.joined or (last is not None and shard > last):
                continue
            part = Part(self.parts, shard)
            summary.merge(_summary(part, unjoined.get(shard)))
            with suppress(OSError):  # a full disk; they are in the parts
                self._append(part)
        with suppress(OSError):  # the lines have it
            self._output.finish()
        return summary

    def _begun_shards(self) -> Iterator[int]:
        for path in self.parts.iterdir():
            if path.suffix in {".part", ".partial"}:
                yield int(path.stem)


def _summary(part: Part, known: Summary | None) -> Summary:
    rows = part.ordered()
    if known is not None and known.samples == len(rows):
        return known
    summary = summary_of(rows)
    if known is not None:
        summary.take_bad_lines(known)
    return summary


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole, or as it was, whatever dies.

    Raises:
        OSError: It cannot be written; names the file.
    """
    beside = path.with_name(f"{path.name}.new")
    with FileIO(beside, "w") as file:
        write_all(file, beside, data)
        os.fsync(file.fileno())
    beside.replace(path)
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows keeps names by itself
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
