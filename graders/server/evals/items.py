"""The output items of a run, kept: lines on disk, found again by their position."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from graders.server.storage import Paging, Room
from graders.server.transport.answers import ApiError

_STATUSES: Final[Mapping[str, bytes]] = {"fail": b"\0", "pass": b"\1"}
_PREFIX: Final = "outputitem_"


class Items:
    """The output items of one run, in the order of its rows.

    Memory holds nine bytes of each.

    Args:
        run: The id of the run.
        path: Of the file that keeps them.
        room: Counts their bytes.
    """

    def __init__(self, run: str, path: Path, room: Room) -> None:
        self._stem = f"{_PREFIX}{run.rpartition('_')[2]}_"
        self._path, self._room = path, room
        self._ends = array("Q", [0])
        self._passed = bytearray()

    def __len__(self) -> int:
        return len(self._passed)

    def name(self, position: int) -> str:
        """The id of the one at a position."""
        return f"{self._stem}{position}"

    def position(self, name: str) -> int | None:
        """Where the one of an id is; None where there is no such."""
        digits = name.removeprefix(self._stem)
        position = int(digits) if digits.isdecimal() and len(digits) < 12 else len(self)
        return position if position < len(self) and self.name(position) == name else None

    def add(self, lines: Sequence[bytes], passed: Sequence[bool]) -> None:
        """Keep some more.

        Raises:
            ApiError: There is no room for them.
            OSError: Nor has the disk any.
        """
        data = b"".join(lines)
        self._room.take(len(data))
        try:
            with self._path.open("r+b" if len(self) else "wb") as file:
                file.seek(self._ends[-1])  # over what a full disk may have left
                file.write(data)
        except OSError:
            self._room.give_back(len(data))
            raise
        for line, one in zip(lines, passed, strict=True):
            self._ends.append(self._ends[-1] + len(line))
            self._passed.append(one)

    def page(self, query: Mapping[str, str]) -> tuple[list[int], bool]:
        """The positions on a page, and whether there are more.

        Raises:
            ApiError: 400, the query is wrong.
        """
        limit, falls = Paging().read(query)
        status, after = query.get("status"), query.get("after")
        if status is not None and status not in _STATUSES:
            raise ApiError(400, f"status is {status!r:.80}, and must be pass or fail", "status")
        start = None if after is None else self.position(after)
        if after is not None and start is None:
            raise ApiError(400, f"after is {after!r:.80}, and no such output item", "after")
        found: list[int] = []
        while len(found) <= limit:
            start = self._next(start, status, falls=falls)
            if start is None:
                return found, False
            found.append(start)
        return found[:limit], True

    def _next(self, position: int | None, status: str | None, *, falls: bool) -> int | None:
        """The next position with a status."""
        if falls:
            end = len(self) if position is None else position
            found = end - 1 if status is None else self._passed.rfind(_STATUSES[status], 0, end)
            return found if found >= 0 else None
        begin = 0 if position is None else position + 1
        found = begin if status is None else self._passed.find(_STATUSES[status], begin)
        return found if 0 <= found < len(self) else None

    def read(self, positions: Sequence[int]) -> Iterator[bytes]:
        """The lines at some positions."""
        if not positions:  # there may be no file yet
            return
        with self._path.open("rb") as file:
            for position in positions:
                begin, end = self._ends[position : position + 2]
                file.seek(begin)
                yield file.read(end - begin)

    def remove(self) -> None:
        """Remove them from the disk."""
        self._path.unlink(missing_ok=True)
        self._room.give_back(self._ends[-1])
