"""What a server keeps while it runs: objects by id, and their bytes in a folder of its own."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Generic, NamedTuple, TypeVar

from graders.server.transport.answers import ApiError, not_found
from graders.strict_json import encode
from sandbox import JSON

T = TypeVar("T")

_PREFIX: Final = "graders-serve-"
_PAGE_BYTES: Final = 16_000_000
"""After which a page ends, however few are on it."""


def new_id(prefix: str) -> str:
    """An id that nobody can guess, in the hosted form.

    Example:
        >>> len(new_id("file-"))
        29
    """
    return prefix + secrets.token_hex(12)


class Paging(NamedTuple):
    """How a list is cut into pages.

    Attributes:
        order: `asc` or `desc`, where the query names none.
        limit: How many are on a page, where the query says nothing.
        longest: How many there may be.
    """

    order: str = "asc"
    limit: int = 20
    longest: int = 100

    def read(self, query: Mapping[str, str]) -> tuple[int, bool]:
        """How many a query asks for, and whether the last made comes first.

        Raises:
            ApiError: 400, it asks for something else.
        """
        text = query.get("limit", str(self.limit))
        limit = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
        if not 1 <= limit <= self.longest:
            message = f"limit is {text!r:.80}, and must be a number from 1 to {self.longest:,}"
            raise ApiError(400, message, "limit", "limit")
        order = query.get("order", self.order)
        if order not in {"asc", "desc"}:
            raise ApiError(400, f"order is {order!r:.80}, and must be asc or desc", "order")
        return limit, order == "desc"


USUAL: Final = Paging()


class Objects(Generic[T]):
    """Objects of one kind by id, in the order in which they were made.

    Args:
        what: What one is called: `file`.
        most: How many there may be; none goes by itself.
        most_bytes: What they may come to, as far as memory holds them.
    """

    def __init__(self, what: str, most: int, most_bytes: int = 0) -> None:
        self._what, self._most, self._most_bytes = what, most, most_bytes
        self._objects: dict[str, T] = {}
        self._sizes: dict[str, int] = {}

    def add(self, name: str, one: T, size: int = 0) -> None:
        """Keep one more, of so many bytes.

        Raises:
            ApiError: 400, there are as many as there may be, or they are as large.
        """
        if size and sum(self._sizes.values()) + size > self._most_bytes:
            message = f"the server keeps {self._most_bytes:,} bytes of {self._what}s, and no more"
            raise ApiError(400, f"{message}; delete some", code="storage-full")
        if len(self._objects) >= self._most:
            message = f"the server keeps {self._most:,} {self._what}s, and no more; delete some"
            raise ApiError(400, message, code="storage-full")
        self._objects[name], self._sizes[name] = one, size

    def __len__(self) -> int:
        return len(self._objects)

    def __contains__(self, name: str) -> bool:
        return name in self._objects

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._objects.values()))

    def get(self, name: str) -> T:
        """The one of an id.

        Raises:
            ApiError: 404.
        """
        if name not in self._objects:
            raise not_found(self._what, name)
        return self._objects[name]

    def remove(self, name: str) -> T:
        """Forget the one of an id, and give it.

        Raises:
            ApiError: 404.
        """
        one = self.get(name)
        del self._objects[name], self._sizes[name]
        return one

    def page(
        self,
        query: Mapping[str, str],
        show: Callable[[T], dict[str, JSON]],
        *,
        where: Callable[[T], bool] = lambda _: True,
        paging: Paging = USUAL,
    ) -> dict[str, JSON]:
        """A page of them, in the shape of hosted lists.

        Args:
            query: `after`, the id of the last one seen; `limit`; `order`, asc or desc.
            show: The JSON of one; it has an `id`.
            where: Which of them are listed.
            paging: What holds where the query says nothing.

        Raises:
            ApiError: 400, the query is wrong.
        """
        names, more = self.names(query, where=where, paging=paging)
        return list_of([show(self._objects[name]) for name in names], more)

    def names(
        self,
        query: Mapping[str, str],
        *,
        where: Callable[[T], bool] = lambda _: True,
        by: Callable[[T], int] | None = None,
        paging: Paging = USUAL,
    ) -> tuple[list[str], bool]:
        """The ids on a page, and whether there are more.

        Args:
            query: As for `page`, and so are the others.
            where: Which of them are listed.
            by: What they are sorted by; as they were made where it is None.
            paging: What holds where the query says nothing.

        Raises:
            ApiError: 400, the query is wrong.
        """
        limit, falls = paging.read(query)
        names = [name for name, one in self._objects.items() if where(one)]
        if by is not None:
            names.sort(key=lambda name: by(self._objects[name]))
        if falls:
            names.reverse()
        if (after := query.get("after")) is not None:
            if after not in names:
                raise ApiError(400, f"after is {after!r:.80}, and no such {self._what}", "after")
            names = names[names.index(after) + 1 :]
        return names[:limit], len(names) > limit


def encoded_list(names: Sequence[str], shown: Iterable[bytes], has_more: bool) -> bytes:  # noqa: FBT001
    """A hosted list of objects that are written already; it ends where it becomes very long.

    Example:
        >>> encoded_list(["a"], [b'{"id":"a"}'], False)
        b'{"object":"list","data":[{"id":"a"}],"first_id":"a","last_id":"a","has_more":false}'
    """
    data: list[bytes] = []
    size = 0
    for one in shown:
        data.append(one)
        size += len(one)
        if size > _PAGE_BYTES:
            break
    ends = {
        "first_id": names[0] if data else None,
        "last_id": names[len(data) - 1] if data else None,
        "has_more": has_more or len(data) < len(names),
    }
    return b'{"object":"list","data":[%b],%b' % (b",".join(data), encode(ends)[1:])


def list_of(data: list[dict[str, JSON]], has_more: bool) -> dict[str, JSON]:  # noqa: FBT001
    """A hosted list of objects with ids."""
    ids = [one["id"] for one in data]
    return {
        "object": "list",
        "data": [*data],
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
        "has_more": has_more,
    }


def not_kept(error: OSError) -> ApiError:
    """The error for what the disk does not take."""
    return ApiError(400, f"this cannot be kept: {error.strerror}", code="storage-full")


class Room:
    """A folder that only this server can read, and the bytes that are left in it.

    Args:
        most: Bytes of all files in it together.

    Attributes:
        used: Bytes that are counted.
    """

    def __init__(self, most: int) -> None:
        self._most, self.used = most, 0
        self._folder = TemporaryDirectory(prefix=_PREFIX)

    def path(self, name: str) -> Path:
        """Where the file of an id stands. Ids are our own: no name of a user is a path."""
        return Path(self._folder.name) / name

    def take(self, size: int) -> None:
        """Count bytes that are about to be written.

        Raises:
            ApiError: 400, there is no room for them.
        """
        if self.used + size > self._most:
            message = f"the server keeps {self._most:,} bytes, and no more; delete some files"
            raise ApiError(400, message, code="storage-full")
        self.used += size

    def keep(self, name: str, data: bytes) -> None:
        """Write the file of an id.

        Raises:
            ApiError: 400, there is no room for it.
        """
        self.take(len(data))
        try:
            self.path(name).write_bytes(data)
        except OSError as error:
            self.path(name).unlink(missing_ok=True)
            self.give_back(len(data))
            raise not_kept(error) from None

    def drop(self, name: str) -> None:
        """Remove the file of an id, if there is one."""
        path = self.path(name)
        if path.exists():
            self.give_back(path.stat().st_size)
            path.unlink()

    def give_back(self, size: int) -> None:
        """Count bytes that are no longer there."""
        self.used -= size

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        self._folder.cleanup()
