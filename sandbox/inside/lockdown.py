"""The lock-down: every layer put on, in the one order in which each still can be."""

from __future__ import annotations

import os
from contextlib import contextmanager

from sandbox import linux
from sandbox.layers import landlock, namespaces, rlimits, seccomp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Plan = dict[str, Any]

_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38


@contextmanager
def _named(layer: str) -> Iterator[None]:
    """Say which layer it was that the kernel refused."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"{layer}: {error.strerror or error}") from None


def enter(layers: set[str]) -> None:
    """Leave the host's namespaces, those that the layers are about."""
    with _named("namespaces"):
        namespaces.enter(isolated="namespaces" in layers, network="network" in layers)


def lock_down(plan: Plan, layers: set[str]) -> None:
    """Put the layers on, in the one order in which each still can be."""
    limits, inside = plan["limits"], "namespaces" in layers
    with _named("namespaces"):
        if inside:
            namespaces.mount_root(readable=plan["readable"], disk_bytes=limits["disk_bytes"])
        os.chdir(namespaces.SCRATCH if inside else "/")
    with _named("user"):
        if plan["user"] is not None:
            _become(plan["user"])
    _pin(limits["cores"], plan["slot"])
    namespaces.drop_capabilities()
    linux.prctl(_PR_SET_NO_NEW_PRIVS, 1)
    with _named("rlimits"):
        if "rlimits" in layers:
            own = plan["user"] is not None or inside  # a user with no programs but ours
            rlimits.limit_zygote(
                memory_bytes=limits["memory_bytes"], disk_bytes=limits["disk_bytes"], processes=own
            )
            if not own:
                plan["row_tasks"] = rlimits.count_tasks() + rlimits.SHARED_TASKS
    with _named("landlock"):
        if "landlock" in layers:
            landlock.restrict(
                readable=[*plan["readable"], *(["/proc"] if inside else [])],
                writable=[namespaces.SCRATCH] if inside else [],
                devices=[f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")],
            )
    linux.prctl(_PR_SET_DUMPABLE, 0)
    with _named("seccomp"):
        if "seccomp" in layers:
            seccomp.install(seccomp.filter_for_all(scratch=inside))


def _become(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    os.stat(os.__file__)  # an interpreter that only root can read fails here, not in a row


def _pin(cores: int, slot: int) -> None:
    """Stay on so many processors, on others than the slots beside it where there are enough."""
    there = sorted(os.sched_getaffinity(0))
    first = slot * cores % len(there)
    os.sched_setaffinity(0, (there[first:] + there)[:cores])
