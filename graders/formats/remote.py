"""Files behind an address, such as s3://bucket/rows.jsonl: read as they come, written whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import SEEK_SET, BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, Final

from graders.formats.forms import FormatError

_URL: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_QUERY: Final = re.compile(r"\?[^\s'\"]+")
_CONTAINER: Final = re.compile(r"abfss?://[a-z0-9$-]+@[a-z0-9.-]+")
"""A container of an account of Azure's storage, which is written as a user of a host is."""
_READ_ONLY: Final = ("http", "https")
_AT_ONCE: Final = 1 << 20
_NOT_FOUND: Final = 404


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
    _check_secrets(url)
    _filesystem(url)


def _check_secrets(url: str) -> None:
    if "?" in url or any(map(_has_user, url.split("::"))):
        shown = url.partition("://")[0]
        raise FormatError(
            f"{shown}://...: an address with a password or a query would stand in results and "
            "logs; give credentials in the way of that storage (its environment or its files)"
        )


def _has_user(link: str) -> bool:
    """Whether an address names somebody at its host, and perhaps a password.

    Example:
        >>> _has_user("https://me:pw@host/r"), _has_user("https://host/a@b")
        (True, False)
        >>> _has_user("abfs://box@account.dfs.core.windows.net/r"), _has_user("abfs://me:pw@host/r")
        (False, True)
    """
    kind, _, rest = link.partition("://")
    host = rest.partition("/")[0]
    return "@" in host and not _CONTAINER.fullmatch(f"{kind}://{host}")


def check_target(url: str) -> None:
    """Look whether a file can be made at an address, without asking for one.

    Raises:
        FormatError: See `check_url`; or it is of a kind that is only read.
    """
    _check_secrets(url)
    if "::" in url or url.partition("://")[0].lower() in _READ_ONLY:
        raise FormatError(f"{url} can be read, and not be written to; name a file of a storage")
    _filesystem(url)


def is_same(one: Path | str, other: Path | str) -> bool:
    """Whether two addresses or paths are one file, however they are spelled.

    Raises:
        FormatError: See `check_url`.
    """
    return _place(one) == _place(other)


def _place(path: Path | str) -> tuple[Any, str]:
    if not is_url(path):
        return "file", str(Path(path).resolve())
    system, inside = _filesystem(str(path))
    names = [system.protocol] if isinstance(system.protocol, str) else system.protocol
    return ("file", str(Path(inside).resolve())) if "file" in names else (system, inside)


def beside(url: str, name: str) -> str:
    """The address of another file in the same folder.

    Example:
        >>> beside("s3://bucket/results.jsonl", "results.timing.jsonl")
        's3://bucket/results.timing.jsonl'
    """
    return f"{url.rpartition('/')[0]}/{name}"


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
    with _named(url):
        file = system.open(path, "rb")
    with file:
        yield BufferedReader(_File(file, url), _AT_ONCE)


def upload(source: Path, url: str) -> None:
    """Copy a file of this machine to an address; it is there whole, or not at all.

    Raises:
        FormatError: See `check_url`.
        OSError: It cannot be read or written; names it.
    """
    system, path = _filesystem(url)
    with (
        source.open("rb") as file,
        _named(f"{source} to {url}"),
        system.transaction,
        system.open(path, "wb") as there,
    ):
        while data := file.read(_AT_ONCE):
            there.write(data)


class _File(RawIOBase):
    """A file behind an address, whose errors name it."""

    def __init__(self, file: Any, url: str) -> None:
        super().__init__()
        self._file, self._url = file, url

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def readinto(self, buffer: Any) -> int:
        with _named(self._url):
            return int(self._file.readinto(buffer))

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        with _named(self._url):
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Errors name what they are of; a storage's own, such as of missing credentials, too."""
    try:
        yield
    except OSError as error:
        raise OSError(f"{what}: {_QUERY.sub('?...', _reason(error))}") from None
    except Exception as error:  # noqa: BLE001 - each storage has its own
        said = _QUERY.sub("?...", " ".join(str(error).split()))
        raise OSError(f"{what}: {type(error).__name__}: {said}") from None


def _reason(error: OSError) -> str:
    """Why a file cannot be had. HTTP takes it for missing whatever is wrong, and says its name."""
    if error.strerror or not isinstance(error, FileNotFoundError):
        return error.strerror or str(error)
    cause = error.__cause__
    if cause is None or getattr(cause, "status", None) == _NOT_FOUND:
        return "there is no such file"
    return " ".join(str(cause).split())


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
