"""Resource limits of a process, as the kernel enforces them.

Soft and hard limits are equal, so a row cannot raise them. Memory is limited twice: what it may
write to (RLIMIT_DATA), and twice that for the whole address space (RLIMIT_AS), which also holds
shared mappings and what libraries reserve without touching it.
"""

from __future__ import annotations

import math
import resource

_DESCRIPTORS, _PROCESSES = 256, 64


def limit_zygote(*, memory_bytes: int, disk_bytes: int, processes: bool) -> None:
    """Limits that rows inherit. `processes` where the count is not shared with other programs."""
    _limit(resource.RLIMIT_DATA, memory_bytes)
    _limit(resource.RLIMIT_AS, 2 * memory_bytes)
    _limit(resource.RLIMIT_FSIZE, disk_bytes)
    _limit(resource.RLIMIT_NOFILE, _DESCRIPTORS)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_MEMLOCK, 0)
    _limit(resource.RLIMIT_MSGQUEUE, 0)
    if processes:
        _limit(resource.RLIMIT_NPROC, _PROCESSES)


def limit_row(*, cpu_seconds: float) -> None:
    """A row's own limit: the zygote's CPU time grows with every row it forks."""
    seconds = max(1, math.ceil(cpu_seconds))
    # At the first a signal that names the reason, a second later the one nobody can ignore.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def _limit(which: int, value: int) -> None:
    ceiling = resource.getrlimit(which)[1]
    if ceiling not in (resource.RLIM_INFINITY, -1):
        value = min(value, ceiling)
    resource.setrlimit(which, (value, value))
