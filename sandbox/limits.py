"""What one call may use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much isolation there must be, or the sandbox refuses to start.

    Attributes:
        STRICT: Every layer that this kind of user can have.
        STANDARD: A process of its own, limits, seccomp, the row filter, and Landlock or a mount
            namespace.
        UNSAFE: A process per row and limits where the system has them; for code you wrote.
    """

    STRICT = "strict"
    STANDARD = "standard"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one call may use before it is stopped; the defaults are the hosted service's.

    Attributes:
        wall_seconds: From sending the row to its answer. It catches sleepers.
        cpu_seconds: User plus system time (RLIMIT_CPU). The kernel takes whole seconds, so
            fractions round up.
        memory_bytes: Private writable memory (RLIMIT_DATA), imported packages included; the
            address space may be twice that.
        disk_bytes: Size of /tmp, the only place to write. Without namespaces there is none.
        cores: Processors it may run on.
    """

    wall_seconds: float = 120.0
    cpu_seconds: float = 240.0
    memory_bytes: int = 2 * 1024**3
    disk_bytes: int = 1024**3
    cores: int = 2

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be more than 0, got {getattr(self, name)}")
