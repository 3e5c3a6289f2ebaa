"""Bytes packed by gzip or Zstandard: unpacked as they are read, packed piece by piece."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from graders.formats.forms import form_of, missing_extra
from graders.formats.remote import open_raw

_ZSTD: Final = ("compression.zstd", "backports.zstd")
"""Of the standard library from Python 3.14 on, and the same for those before."""
_WORDS: Final = {".gz": "gzip", ".zst": "Zstandard"}


class CutShortError(OSError):
    """A packed file that ends before its end: what a killed writer leaves."""


@contextmanager
def open_packed(path: Path | str) -> Iterator[BinaryIO]:
    """A file to read, unpacked as it goes if its name says that it is packed.

    Reading from it raises `CutShortError` at a missing end and `OSError` at damage, with the path.

    Raises:
        FormatError: It needs an extra that is not installed.
        OSError: It cannot be opened.
    """
    packing = form_of(path).packing
    if not packing:
        with open_raw(path) as plain:
            yield plain
    elif packing == ".gz":
        with open_raw(path) as raw, gzip.open(raw, "rb") as file:
            yield _Unpacked(path, packing, file, (gzip.BadGzipFile, zlib.error)).buffered()
    else:
        zstd = _zstd(path)
        with open_raw(path) as raw, zstd.open(raw, "rb") as file:
            yield _Unpacked(path, packing, file, (zstd.ZstdError,)).buffered()


class _Unpacked(RawIOBase):
    """What stands in a packed file, whose errors say which one: several may be read at once."""

    def __init__(
        self, path: Path | str, packing: str, file: Any, damage: tuple[type[Exception], ...]
    ) -> None:
        self._path, self._word, self._file, self._damage = path, _WORDS[packing], file, damage

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            # At most one read below it: what stands before a cut is given first.
            return cast("int", self._file.readinto1(buffer))
        except EOFError:
            raise CutShortError(f"{self._path}: the {self._word} data is cut short") from None
        except self._damage as error:
            problem = f"{self._path}: the {self._word} data is damaged: {error}"
            raise OSError(problem) from None

    def buffered(self) -> BinaryIO:
        return BufferedReader(self, 1 << 16)


def packer(path: Path | str) -> Callable[[bytes], bytes]:
    """What packs a piece of a file by its name. Pieces one after another are a file.

    Equal pieces give equal bytes: nothing in them says when or where they were packed.

    Raises:
        FormatError: It needs an extra that is not installed.

    Example:
        >>> packer("out.jsonl")(b"as it is")
        b'as it is'
    """
    packing = form_of(path).packing
    if packing == ".gz":
        return lambda data: gzip.compress(data, mtime=0)
    if packing == ".zst":
        return cast("Callable[[bytes], bytes]", _zstd(path).compress)
    return lambda data: data


@contextmanager
def packing(file: BinaryIO, path: Path | str) -> Iterator[BinaryIO]:
    """The file, or what packs into it, by a name; equal lines give equal bytes."""
    packed = form_of(path).packing
    if not packed:
        yield file
    elif packed == ".gz":
        with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as into:
            yield cast("BinaryIO", into)
    else:
        with _zstd(path).ZstdFile(file, "wb") as into:
            yield into


def _zstd(path: Path | str) -> Any:
    for name in _ZSTD:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise missing_extra(path, "zstd")
