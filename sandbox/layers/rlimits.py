"""Resource limits of a process, as the kernel enforces them.

Soft and hard limits are equal, so a row cannot raise them. Memory is limited twice: what it may
write to (RLIMIT_DATA), and twice that for the whole address space (RLIMIT_AS), which also holds
shared mappings and what libraries reserve without touching it.
"""

from __future__ import annotations

import math
import os
import resource
from contextlib import suppress

_DESCRIPTORS, _TASKS = 256, 64


def limit_zygote(*, memory_bytes: int, disk_bytes: int, others: int) -> None:
    """Limits that rows inherit; `others` is how many tasks the same user has elsewhere."""
    _limit(resource.RLIMIT_DATA, memory_bytes)
    _limit(resource.RLIMIT_AS, 2 * memory_bytes)
    _limit(resource.RLIMIT_FSIZE, disk_bytes)
    _limit(resource.RLIMIT_NOFILE, _DESCRIPTORS)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_MEMLOCK, 0)
    _limit(resource.RLIMIT_MSGQUEUE, 0)
    # The user's other programs come and go, and at the limit no row could be forked.
    _limit(resource.RLIMIT_NPROC, _TASKS if not others else others + 8 * _TASKS)


def tasks_of_user() -> int:
    """How many processes and threads this user has, itself included, as far as /proc shows."""
    count, user = 0, os.getuid()
    for name in os.listdir("/proc"):
        with suppress(OSError):  # not a process, or no longer one
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == user:
                count += len(os.listdir(f"/proc/{name}/task"))
    return max(count, 1)


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
