"""Folders for temporary files that grading on a cluster takes, and what killed processes leave.

On a node each shard has one while it is graded; where a cluster is started there is one more, for
its token and for Ray. Whoever uses a folder holds the lock in it. One that was killed leaves it,
and whoever comes to the machine later removes it when it is a day old.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_OF_A_CLUSTER: Final = "graders-r-"
_NAMES: Final = re.compile(r"graders-([0-9a-f]{32}-[0-9a-f]{12}-\d+|r-[a-z0-9_]{8})")
"""Of a run, a node and a shard's number; or of a cluster."""
_ABANDONED_SECONDS: Final = 24 * 60 * 60.0
"""How long nobody has been at a folder that no run needs: a task that died may wait to be begun
again for as long as others are busy."""
_SHORT: Final = Path("/tmp")  # noqa: S108 - names in it are made apart
_LONGEST_PLACE: Final = 18
"""Bytes of a folder's name that leave room for those of Ray's sockets, 103 with all."""


def shard_folder(run: str, node: str, shard: int) -> Path:
    """Where a shard is graded on a node.

    Args:
        run: A name for the run, which nobody can guess.
        node: The node's id.
        shard: Its number.
    """
    return Path(tempfile.gettempdir()) / f"graders-{run}-{node[:12]}-{shard}"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """A folder while it is needed, without whoever has the same shard, should Ray think us dead."""
    import fcntl

    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        folder.mkdir(mode=0o700, exist_ok=True)  # whoever was here before has removed it
        try:
            yield
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def cluster_folder() -> Iterator[Path]:
    """A folder that only we can look into, for a cluster that is started here."""
    import fcntl

    with tempfile.TemporaryDirectory(
        prefix=_OF_A_CLUSTER, dir=_cluster_place(), ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        with (folder / "lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield folder


def _cluster_place() -> Path:
    place = Path(tempfile.gettempdir())
    too_long = len(os.fsencode(place)) > _LONGEST_PLACE
    return _SHORT if too_long and _SHORT.is_dir() else place


def sweep(run: str) -> None:
    """Remove what the tasks of a run that was ended have left on this node."""
    for folder in Path(tempfile.gettempdir()).glob(f"graders-{run}-*"):
        if folder.stat().st_uid == os.getuid():
            shutil.rmtree(folder, ignore_errors=True)


def sweep_abandoned() -> None:
    """Remove what killed processes have left on this machine: folders of ours, nobody at them."""
    for place in {Path(tempfile.gettempdir()), _cluster_place()}:
        for folder in place.glob("graders-*"):
            with suppress(OSError):  # others may sweep at the same time
                found = folder.lstat()  # and not what somebody has linked there
                ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
                old = time.time() - found.st_mtime > _ABANDONED_SECONDS
                if ours and old and _NAMES.fullmatch(folder.name):
                    _remove_unless_locked(folder)


def _remove_unless_locked(folder: Path) -> None:
    """Remove a folder, as its owner does at the end.

    Raises:
        BlockingIOError: Somebody is at it.
    """
    import fcntl

    with (folder / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
