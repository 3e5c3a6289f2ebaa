"""One way in: the sandbox for a level of isolation, on whatever machine this is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sandbox.doctor import examine, layers_for
from sandbox.limits import Level, Limits
from sandbox.pool import Pool
from sandbox.unsafe import Processes


def open_sandbox(  # noqa: PLR0913 - each is a choice of its own
    level: Level | str = Level.STANDARD,
    *,
    limits: Limits | None = None,
    workers: int | None = None,
    python: str | None = None,
    preload: Mapping[str, Sequence[str]] | Sequence[str] = (),
    batch: int = 1,
    idle: int = 16,
    hash_seed: int = 0,
) -> Pool | Processes:
    """Open a sandbox with every layer that this machine has, if they are enough.

    Args:
        level: How much isolation there must be.
        limits: What a call may use.
        workers: Calls at once; the number of processors by default.
        python: The interpreter for the code; the one that runs this by default.
        preload: Modules to import once, for all sources or by source.
        batch: Calls that share a process; more than 1 is faster and lets them share state.
        idle: Warm sandboxes to keep beside those that are busy, each a few processes and one
            source's memory; the least recently used go. `unsafe` has none.
        hash_seed: PYTHONHASHSEED of the code: by default always the same, so that numbers repeat
            where they depend on the order of a set.

    Raises:
        IsolationError: The machine cannot give the level; says what is missing.
        ValueError: The level is unknown, `idle` is less than 0, or `hash_seed` none.

    Example:
        >>> from sandbox import Call
        >>> box = open_sandbox("unsafe", workers=1)
        >>> import asyncio
        >>> calls = [Call("def double(x): return 2 * x", "double", [21])]
        >>> [outcome.value for outcome in asyncio.run(box.run(calls))]
        [42]
        >>> asyncio.run(box.aclose())
    """
    level = Level(level)
    if level is Level.UNSAFE:
        return Processes(limits=limits, workers=workers, python=python, hash_seed=hash_seed)
    layers = layers_for(level, examine(python))
    return Pool(
        layers=layers,
        limits=limits,
        workers=workers,
        python=python,
        preload=preload,
        batch=batch,
        idle=idle,
        hash_seed=hash_seed,
    )
