"""Results as they were before failed rows are graded again, given back to the parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from graders.lines import open_lines
from graders.results import timing_path
from graders.runs.parts import Pair, Part, place_of


class Earlier:
    """A results file and its times, read once, from the front."""

    def __init__(self, results: Path, per_shard: int) -> None:
        """Open them.

        Args:
            results: A results file whose rows are in order; its times stand beside it.
            per_shard: Lines of a shard.
        """
        self._per_shard = per_shard
        self._files = ExitStack()
        self._pairs = self._read(results)
        self._next = next(self._pairs, None)

    def _read(self, results: Path) -> Iterator[tuple[int, Pair]]:
        lines = self._files.enter_context(open_lines(results))
        times = self._files.enter_context(open_lines(timing_path(results)))
        for pair in map(Pair, lines, times):
            yield (place_of(pair.result).row - 1) // self._per_shard, pair

    def fill(self, part: Part, shard: int) -> None:
        """Put the rows of a shard into its part, if it is not begun; shards come in order."""
        kept = []
        while self._next is not None and self._next[0] <= shard:
            if self._next[0] == shard:
                kept.append(self._next[1])
            self._next = next(self._pairs, None)
        if kept and not part.size:
            part.fill(kept)

    def close(self) -> None:
        """Close the files."""
        self._files.close()
