"""Where results end up: a file and its times, appended to shard by shard; a stream; or nowhere.

Columns are written whole, from lines that are kept in the run's folder until the run is over.
"""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from graders.formats.forms import form_of
from graders.formats.packed import packer
from graders.result_table import write_table
from graders.results import timing_path


class Sizes(NamedTuple):
    """Bytes of a results file and of its times."""

    results: int
    times: int


NOTHING: Final = Sizes(0, 0)


class Sink(Protocol):
    """Where bytes go: a stream, a file, or both."""

    def write(self, data: bytes, /) -> object: ...

    def flush(self) -> object: ...


class Output(Protocol):
    """What results and their times are appended to, in order."""

    def append(self, results: bytes, times: bytes) -> None: ...

    def sync(self) -> Sizes: ...

    def finish(self) -> None: ...

    def close(self) -> None: ...


class Files:
    """A results file and the file of its times. A packed one has a piece for each append."""

    def __init__(self, results: Path, sizes: Sizes) -> None:
        """Open both, and cut them to what is known to be right.

        Raises:
            OSError: They cannot be written.
        """
        self._paths = (results, timing_path(results))
        self._pack = packer(results)
        self._files = [_open(path, size) for path, size in zip(self._paths, sizes, strict=True)]

    def append(self, results: bytes, times: bytes) -> None:
        """Append both, or neither.

        Raises:
            OSError: There is no room; names the file.
        """
        before = [file.tell() for file in self._files]
        try:
            for file, path, data in zip(self._files, self._paths, (results, times), strict=True):
                if data:
                    write_all(file, path, self._pack(data))
        except OSError:
            for file, size in zip(self._files, before, strict=True):
                file.truncate(size)
                file.seek(size)
            raise

    def sync(self) -> Sizes:
        """Wait until all of it is on the disk."""
        for file in self._files:
            os.fsync(file.fileno())
        results, times = (file.tell() for file in self._files)
        return Sizes(results, times)

    def finish(self) -> None:
        """Make of the lines what was asked for: they are."""

    def close(self) -> None:
        for file in self._files:
            file.close()


def lines_path(results: Path, folder: Path) -> Path:
    """Where the lines of results go: to them, or to what their columns are made of at the end.

    Example:
        >>> lines_path(Path("out.parquet"), Path("out.parquet.run")).as_posix()
        'out.parquet.run/results.jsonl'
        >>> lines_path(Path("out.jsonl"), Path("out.run")).as_posix()
        'out.jsonl'
    """
    return folder / "results.jsonl" if form_of(results).is_columnar else results


def files_for(results: Path, folder: Path, sizes: Sizes) -> Files:
    """What makes a results file of any form.

    Args:
        results: The file.
        folder: Where lines are kept that columns are made of.
        sizes: What is known to be right of the lines and their times.

    Raises:
        OSError: It cannot be written.
    """
    lines = lines_path(results, folder)
    return Files(lines, sizes) if lines == results else TableFiles(lines, results, sizes)


class TableFiles(Files):
    """Lines that a file of columns is made of."""

    def __init__(self, lines: Path, table: Path, sizes: Sizes) -> None:
        """Open the lines; of a run that begins anew, no older table stays.

        Raises:
            OSError: They cannot be written.
        """
        super().__init__(lines, sizes)
        self._lines, self._table = lines, table
        if not sizes.results:
            table.unlink(missing_ok=True)

    def finish(self) -> None:
        """Write the table.

        Raises:
            OSError: It cannot be written; the lines are there.
        """
        write_table(self._lines, self._table)


def write_all(file: FileIO, path: Path, data: bytes) -> None:
    """Write to a file without a buffer, which would try again when it is closed.

    Raises:
        OSError: Not all of it can be written; names the file.
    """
    left = memoryview(data)
    try:
        while left:
            left = left[file.write(left) or 0 :]
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _open(path: Path, size: int) -> FileIO:
    file = FileIO(path, "r+" if size else "w")
    file.truncate(size)
    file.seek(size)
    return file


class Stream:
    """Results on standard output, a pipe or a device, which has no times beside it."""

    def __init__(self, out: Sink | None) -> None:
        """Write to `out`; nowhere, if it is None."""
        self._out = out

    def append(self, results: bytes, times: bytes) -> None:  # noqa: ARG002 - as in Output
        if self._out is not None:
            self._out.write(results)
            self._out.flush()

    def sync(self) -> Sizes:
        return NOTHING

    def finish(self) -> None:
        """Nothing is left to be made."""

    def close(self) -> None:
        """Leave it open: who opened it closes it."""
