"""Files behind an address, such as s3://bucket/rows.jsonl: read as they come, written whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from graders.formats.forms import FormatError

_URL: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_AT_ONCE: Final = 1 << 20


def is_url(path: Path | str) -> bool:
    """Whether this is an address, and no path of this machine.

    Example:
        >>> is_url("s3://bucket/rows.jsonl"), is_url("rows.jsonl"), is_url("-")
        (True, False, False)
    """
    return _URL.match(str(path)) is not None


def check_url(url: str) -> None:
    """Look whether files behind an address can be had, without asking for one.

    Raises:
        FormatError: It carries a credential, or fsspec or what it needs for this kind of storage
            is not installed.
    """
    if "?" in url or "@" in url.partition("://")[2].partition("/")[0]:
        shown = url.partition("://")[0]
        raise FormatError(
            f"{shown}://...: an address with a password or a query would stand in results and "
            "logs; give credentials in the way of that storage (its environment or its files)"
        )
    _filesystem(url)


@contextmanager
def open_raw(path: Path | str) -> Iterator[BinaryIO]:
    """A file of this machine or behind an address, to read as it stands.

    Raises:
        FormatError: See `check_url`.
        OSError: It cannot be read; names it.
    """
    with open_url(str(path)) if is_url(path) else Path(path).open("rb") as file:
        yield file


@contextmanager
def open_url(url: str) -> Iterator[BinaryIO]:
    """A file behind an address, to read.

    Raises:
        FormatError: See `check_url`.
        OSError: It cannot be read; names it.
    """
    check_url(url)
    system, path = _filesystem(url)
    try:
        file = system.open(path, "rb")
    except OSError as error:
        raise _named(error, url) from None
    with file:
        yield cast("BinaryIO", BufferedReader(file, _AT_ONCE))


def upload(source: Path, url: str) -> None:
    """Copy a file of this machine to an address; it is there whole, or not at all.

    Raises:
        FormatError: See `check_url`.
        OSError: It cannot be read or written; names it.
    """
    system, path = _filesystem(url)
    with source.open("rb") as file:
        try:
            with system.transaction, system.open(path, "wb") as there:
                while data := file.read(_AT_ONCE):
                    there.write(data)
        except OSError as error:
            raise _named(error, f"{source} to {url}") from None


def _named(error: OSError, url: str) -> OSError:
    return OSError(f"{url}: {error.strerror or error}")


def _filesystem(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise FormatError(f"{url} needs an extra: pip install 'local-graders[remote]'") from None
    try:
        found: tuple[Any, str] = url_to_fs(url)
    except (ImportError, ValueError) as error:  # which says what to install, or what is known
        raise FormatError(f"{url} cannot be opened: {error}") from None
    return found
