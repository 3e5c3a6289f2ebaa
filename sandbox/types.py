"""The vocabulary of running code we do not trust."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]
"""What crosses the border: plain data, never objects."""


class Status(StrEnum):
    """How a call ended. Only `OK` has a value; only `BROKEN` is our fault, and worth a retry.

    `NO_RESULT` is a process that ended, or spoiled its way back, without an answer;
    `BAD_VALUE` an answer that is no plain data.
    """

    OK = "ok"
    RAISED = "raised"
    SIGNALED = "signaled"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_TOO_LARGE = "output_too_large"
    NO_RESULT = "no_result"
    BAD_VALUE = "bad_value"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Call:
    """One function call: `entry(*args)` in the module that `source` defines."""

    source: str
    entry: str
    args: Sequence[JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened, as data.

    Attributes:
        status: How the call ended.
        value: What it returned; only where `status` is OK.
        error: The traceback, or what else there is to say of a call that did not end well.
        stdout: What it printed, capped.
        stderr: The same for standard error.
        wall_seconds: From start to end.
        cpu_seconds: User and system time. Of a call that answered it is the process' own word;
            None where it could not be measured.
        peak_bytes: The most memory it held at once, what it shares with its warm parent
            included; None where it could not be measured.
    """

    status: Status
    value: JSON = None
    error: str = ""
    stdout: str = ""
    stderr: str = ""
    wall_seconds: float = 0.0
    cpu_seconds: float | None = None
    peak_bytes: int | None = None


class Sandbox(Protocol):
    """Runs calls in isolation. Safe to share between tasks; bounds its own concurrency.

    Runs under way at once take turns, a batch each, and how one ends is nothing to the others.
    `run` gives as many outcomes as calls, in the same order, and never raises for what the code
    did.

    Attributes:
        layers: What stands between the code and the machine, by name; for the record.
        batch: Calls that may share a process, and so each other's state.
    """

    @property
    def layers(self) -> frozenset[str]: ...

    @property
    def batch(self) -> int: ...

    async def run(self, calls: Sequence[Call]) -> list[Outcome]: ...

    async def aclose(self) -> None: ...
