"""Resource limits of a process, as the kernel enforces them.

Soft and hard limits are equal, so a row cannot raise them. Memory is limited twice: what it may
write to (RLIMIT_DATA), and twice that for the whole address space (RLIMIT_AS), which also holds
shared mappings and what libraries reserve without touching it.
"""

from __future__ import annotations

import math
import os
import resource

_DESCRIPTORS, _PROCESSES, _SIGNALS = 256, 64, 256
SHARED_TASKS = 256  # that rows may add to those of the user's other programs


def limit_zygote(*, memory_bytes: int, disk_bytes: int, processes: bool) -> None:
    """Limits that rows inherit. `processes` where the count is not shared with other programs."""
    _limit(resource.RLIMIT_DATA, memory_bytes)
    _limit(resource.RLIMIT_AS, 2 * memory_bytes)
    _limit(resource.RLIMIT_FSIZE, disk_bytes)
    _limit(resource.RLIMIT_NOFILE, _DESCRIPTORS)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_MEMLOCK, 0)
    _limit(resource.RLIMIT_MSGQUEUE, 0)
    _limit(resource.RLIMIT_SIGPENDING, _SIGNALS)  # and timers
    if processes:
        _limit(resource.RLIMIT_NPROC, _PROCESSES)


def count_tasks() -> int:
    """How many threads this user's programs have, as the kernel counts them for RLIMIT_NPROC."""
    user, count = os.getuid(), 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{name}").st_uid == user:
                count += len(os.listdir(f"/proc/{name}/task"))
        except OSError:  # it has ended meanwhile
            continue
    return count


def limit_row(*, cpu_seconds: float, processes: int | None) -> None:
    """A row's own limits: the zygote's CPU time grows with every row it forks.

    Args:
        cpu_seconds: User and system time, rounded up.
        processes: Threads of the user at which a row makes no more of them; where the zygote has
            no such limit, since it must fork however busy the user's other programs are.
    """
    seconds = max(1, math.ceil(cpu_seconds))
    ceiling = resource.getrlimit(resource.RLIMIT_CPU)[1]
    last = seconds + 1 if ceiling == resource.RLIM_INFINITY else min(seconds + 1, ceiling)
    # At the first a signal that names the reason, a second later the one nobody can ignore.
    resource.setrlimit(resource.RLIMIT_CPU, (min(seconds, last), last))
    if processes is not None:
        _limit(resource.RLIMIT_NPROC, processes)


def _limit(which: int, value: int) -> None:
    ceiling = resource.getrlimit(which)[1]
    if ceiling not in (resource.RLIM_INFINITY, -1):
        value = min(value, ceiling)
    resource.setrlimit(which, (value, value))
