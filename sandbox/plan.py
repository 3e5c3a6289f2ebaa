"""What a zygote is told: plain data, as `sandbox.inside.zygote` reads it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import SystemRandom
from typing import Any, Final

from sandbox.inside.calling import FILE, RUNNER_FILE
from sandbox.interpreter import Interpreter
from sandbox.limits import Limits

_ORDINARY: Final = 60_000  # ids below belong to people and services
_NOBODY: Final = 65_534
_FAR: Final = range(1 << 30, 1 << 31)  # ids that no one hands out


def make_plan(
    python: Interpreter,
    layers: Iterable[str],
    limits: Limits,
    *,
    slot: int = 0,
    runner: bool = False,
) -> dict[str, Any]:
    """The plan of one zygote.

    Args:
        python: What runs in it.
        layers: Names of the layers to put on.
        limits: What each of its rows may use.
        slot: The worker it is for, which decides the processors.
        runner: Whether it runs what rows ask for.
    """
    layers = sorted(layers)
    return {
        "layers": layers,
        "limits": {name: getattr(limits, name) for name in Limits.__slots__},
        "readable": python.readable,
        "user": free_user() if "user" in layers else None,
        "slot": slot,
        "nested": False,
        "row_tasks": None,
        "file": RUNNER_FILE if runner else FILE,
    }


def free_user(mapped: str = "/proc/self/uid_map") -> int:
    """A user id that nobody has: rows of two zygotes, of other pools too, share none.

    The kernel counts processes by user, and lets users signal themselves. In a container with few
    ids it is one of those above the ordinary, and may be taken.
    """
    highest = 0
    for line in Path(mapped).read_text(encoding="ascii").splitlines():
        first, _, count = map(int, line.split())
        highest = max(highest, first + count - 1)
    far = highest >= _FAR[-1]
    near = range(_ORDINARY, max(min(highest + 1, _NOBODY), _ORDINARY + 1))
    return SystemRandom().choice(_FAR if far else near)
