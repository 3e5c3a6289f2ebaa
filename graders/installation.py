"""Is the `metrics` that Python finds our own? Both our libraries have names others use too.

A `metrics.py` in the folder that `PYTHONPATH` names, or of another distribution, is found before
ours, and the first thing one would see of it is an ImportError deep inside.
"""

from __future__ import annotations

from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

_OURS: Final = ("metrics", "sandbox")


def foreign_module() -> str | None:
    """One line about a module that stands in the way of ours, or None where all is well."""
    home = Path(__file__).resolve().parents[1]
    for name in _OURS:
        spec = PathFinder.find_spec(name)
        origin = spec.origin if spec else None
        if origin is None:
            return f"the package {name!r} of local-graders is missing; install local-graders again"
        if Path(origin).resolve().parent != home / name:
            return (
                f"{origin} stands in the way of the package {name!r} of local-graders: "
                "rename it, or take its folder off PYTHONPATH"
            )
    return None
