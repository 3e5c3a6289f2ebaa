"""Run untrusted Python with limits, and report what it did.

Importing this costs nothing and works everywhere; the parts that need Linux load when used.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # see sandbox.inside: importing typing costs each row
if TYPE_CHECKING:
    from sandbox.doctor import IsolationError, examine
    from sandbox.inside.nested import run_code
    from sandbox.limits import Level, Limits
    from sandbox.opening import open_sandbox
    from sandbox.pool import Pool
    from sandbox.types import JSON, Call, Outcome, Sandbox, Status

_HOMES = {
    **dict.fromkeys(("JSON", "Call", "Outcome", "Sandbox", "Status"), "sandbox.types"),
    **dict.fromkeys(("Level", "Limits"), "sandbox.limits"),
    **dict.fromkeys(("IsolationError", "examine"), "sandbox.doctor"),
    "Pool": "sandbox.pool",
    "open_sandbox": "sandbox.opening",
    "run_code": "sandbox.inside.nested",
}

__all__ = [
    "JSON",
    "Call",
    "IsolationError",
    "Level",
    "Limits",
    "Outcome",
    "Pool",
    "Sandbox",
    "Status",
    "examine",
    "open_sandbox",
    "run_code",
]


def __getattr__(name: str) -> object:
    """Load a public name from its module, when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sandbox' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
