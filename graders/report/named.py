"""Groups that `--group-by` names, told apart in any order and in bounded memory.

They come in any order: a set of outputs that was made epoch by epoch has each item in every epoch.
So each name is kept, as a hash of 64 bits. Of more names than the limit those are kept whose hash,
as a number in [0, 1), is below a bound, which is halved until they fit: the same ones in any order
and on any number of workers, and how many there are in all is then known but for a thousandth.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, Generic, TypeVar

T = TypeVar("T")
LIMIT: Final = 1_000_000
"""Names that are counted one by one: about 100 MB of them."""
_ALL: Final = 2**64


@dataclass(slots=True)
class Named(Generic[T]):
    """What is known of each name.

    Attributes:
        limit: Names that are kept at most.
        share: About the share of all names that are kept; 1.0 as long as all are.
        kept: What is known, by the hash of the name.
    """

    limit: int = LIMIT
    share: float = 1.0
    kept: dict[int, T] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many names there were; about so many, where not all are kept.

        Example:
            >>> names = Named[None]()
            >>> names.see(["a", "b"])
            >>> names.see(["b", "c"])
            >>> names.count
            3
        """
        return round(len(self.kept) / self.share)

    def see(self: Named[None], names: Collection[str]) -> None:
        """Count names of which nothing else is to be known."""
        if not names:
            return
        most = self.share * _ALL
        self.kept |= dict.fromkeys(key for key in map(_hashed, names) if key < most)
        self._bound()

    def of(self, name: str, make: Callable[[], T]) -> T | None:
        """What is known of a name, made where it is new; None where it is not kept."""
        key = _hashed(name)
        if key not in self.kept:
            if key >= self.share * _ALL:
                return None
            self.kept[key] = make()
            self._bound()
        return self.kept.get(key)

    def merge(self, other: Named[T]) -> None:
        """Take in the names that another has, of the same limit."""
        self.kept |= other.kept
        if other.share != self.share:
            self.share = min(self.share, other.share)
            self._drop()
        self._bound()

    def _bound(self) -> None:
        while len(self.kept) > self.limit:
            self.share /= 2
            self._drop()

    def _drop(self) -> None:
        most = self.share * _ALL
        self.kept = {key: one for key, one in self.kept.items() if key < most}


def _hashed(name: str) -> int:
    data = name.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")
