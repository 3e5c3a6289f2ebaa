"""What a forked child does with what its parent has open: lets go of it, and begins anew.

A child holds copies of its parent's descriptors, and locks in whatever state they were. It must
neither use them nor keep them: a mother ends when nobody holds her socket any more.
"""

from __future__ import annotations

import os
import threading
from typing import Final, Protocol
from weakref import WeakSet


class Forked(Protocol):
    """Is told in a forked child, where no other thread runs, and before anything else uses it.

    It closes its descriptors, makes its locks anew, and ends no process: they are the parent's.
    """

    def after_fork(self) -> None: ...


opening: Final = threading.RLock()
"""Held while descriptors are open that nobody could close in a child. Forks wait for it."""
_told: Final[WeakSet[Forked]] = WeakSet()


def tell(forked: Forked) -> None:
    """Tell something of each fork, as long as it is used."""
    _told.add(forked)


def _after_in_child() -> None:
    opening.release()
    for forked in list(_told):
        forked.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=opening.acquire, after_in_parent=opening.release, after_in_child=_after_in_child
    )
