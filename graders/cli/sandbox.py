"""Options of the commands that run python graders, and the sandbox that they describe."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from graders.config.parse import Document
    from sandbox.limits import Limits
    from sandbox.pool import Pool
    from sandbox.unsafe import Processes

F = TypeVar("F", bound=Callable[..., object])

_LIMITS: Final[Mapping[str, str]] = {
    "wall": "wall_seconds",
    "cpu": "cpu_seconds",
    "memory": "memory_bytes",
    "disk": "disk_bytes",
    "cores": "cores",
}
_UNITS: Final[Mapping[str, float]] = {
    "": 1, "s": 1, "min": 60, "kb": 1000, "mb": 1000**2, "gb": 1000**3,
    "kib": 1024, "mib": 1024**2, "gib": 1024**3,
}  # fmt: skip


def sandbox_options(command: F) -> F:
    """`--sandbox --isolation --sandbox-limit --python`, for commands that run python graders."""
    command = click.option(
        "--python",
        metavar="PATH|TAG",
        help="The interpreter for python graders, or the tag of a built image.",
    )(command)
    command = click.option(
        "--sandbox-limit",
        "sandbox_limits",
        metavar="NAME=VALUE",
        multiple=True,
        help="What a python grader may use: wall=120s cpu=240s memory=2GiB disk=1GiB cores=2.",
    )(command)
    command = click.option(
        "--isolation",
        default="row",
        show_default=True,
        metavar="row|batch:N",
        help="A process for each row, or for N rows, which then can see each other's state.",
    )(command)
    return click.option(
        "--sandbox",
        "level",
        type=click.Choice(["strict", "standard", "unsafe"]),
        default="standard",
        show_default=True,
        help="How isolated python graders run; `graders doctor` says what this machine can do.",
    )(command)


@contextmanager
def sandbox_for(document: Document, given: Mapping[str, Any]) -> Iterator[Pool | Processes | None]:
    """The sandbox that a config needs, closed at the end; None where it runs no Python.

    Raises:
        click.ClickException: An option is wrong, or the machine cannot isolate.
    """
    opener = sandbox_opener(document, given)
    if opener is None:
        yield None
        return
    from sandbox.doctor import IsolationError

    _warn_of_unsafe(given)
    try:
        box = opener()
    except IsolationError as error:
        raise click.ClickException(str(error)) from None
    try:
        yield box
    finally:
        box.close()


def sandbox_opener(
    document: Document, given: Mapping[str, Any], **settings: Any
) -> Callable[[], Pool | Processes] | None:
    """What opens the sandbox that a config needs, anywhere; None where it runs no Python.

    Args:
        document: The config.
        given: The command's options.
        settings: Further ones of `open_sandbox`.

    Raises:
        click.ClickException: An option is wrong.
    """
    from graders.config.graders import PythonConfig, walk
    from graders.images import preloads

    sources = [part.source for _, part in walk(document.grader) if isinstance(part, PythonConfig)]
    if not sources:
        return None
    preload = {source: preloads(source) for source in sources}
    return _opener(given, preload=preload, **settings)


@contextmanager
def changed_sandbox(
    document: Document, given: Mapping[str, Any], *, wall_seconds: float | None = None
) -> Iterator[Pool | Processes | None]:
    """The sandbox for changed sources of a config; None where it runs no Python.

    Args:
        document: The config as it is; what its sources import is imported ahead for all of them.
        given: The command's options.
        wall_seconds: What a call may take, no more than the options allow; where it is given, the
            user was warned before.

    Raises:
        click.ClickException: An option is wrong, or the machine cannot isolate.
    """
    from graders.config.graders import PythonConfig, walk
    from graders.images import preloads
    from sandbox.doctor import IsolationError

    sources = [part.source for _, part in walk(document.grader) if isinstance(part, PythonConfig)]
    if not sources:
        yield None
        return
    limits = _limits(given["sandbox_limits"])
    if wall_seconds is None:
        _warn_of_unsafe(given)
    else:
        limits = replace(limits, wall_seconds=min(wall_seconds, limits.wall_seconds))
    modules = sorted({name for source in sources for name in preloads(source)})
    try:
        box = _open(given, limits=limits, preload=modules)
    except IsolationError as error:
        raise click.ClickException(str(error)) from None
    try:
        yield box
    finally:
        box.close()


@contextmanager
def server_sandbox(given: Mapping[str, Any], **settings: Any) -> Iterator[Pool | Processes | None]:
    """The sandbox for whatever python graders a server is sent; None where there can be none.

    Args:
        given: The command's options.
        settings: Further ones of `open_sandbox`.
    """
    from sandbox.doctor import IsolationError

    _warn_of_unsafe(given)
    try:
        box = _open(given, **settings)
    except IsolationError as error:
        click.echo(f"warning: python graders are refused: {error}", err=True)
        yield None
        return
    try:
        yield box
    finally:
        box.close()


def _warn_of_unsafe(given: Mapping[str, Any]) -> None:
    if given["level"] == "unsafe":
        click.echo("warning: --sandbox unsafe: python graders run with your own rights", err=True)


def _open(
    given: Mapping[str, Any], *, limits: Limits | None = None, **settings: Any
) -> Pool | Processes:
    """Open the sandbox that the options describe, or one with other limits.

    Raises:
        click.ClickException: An option is wrong.
        IsolationError: The machine cannot isolate.
    """
    return _opener(given, limits=limits, **settings)()


def _opener(
    given: Mapping[str, Any], *, limits: Limits | None = None, **settings: Any
) -> Callable[[], Pool | Processes]:
    from sandbox.opening import open_sandbox

    return partial(
        open_sandbox,
        given["level"],
        limits=limits or _limits(given["sandbox_limits"]),
        python=chosen_python(given["python"]),
        batch=_batch(given["isolation"]),
        **settings,
    )


def chosen_python(python: str | None) -> str | None:
    """The interpreter that `--python` means; None where it was not given.

    Raises:
        click.ClickException: It is the tag of an image that is not built, or nothing at all.
    """
    from graders.images import IMAGES, image_python

    if python is None:
        return None
    if python in IMAGES:
        built = image_python(python)
        if built is None:
            raise click.ClickException(f"no image {python}; graders image build {python} makes it")
        return str(built)
    found = shutil.which(python)
    if found is None:
        raise click.BadParameter(
            f"{python!r} is no program here, and no image to build (there is {', '.join(IMAGES)})",
            param_hint="--python",
        )
    return str(Path(found).absolute())  # and not resolved: a link makes a virtual environment


def _batch(isolation: str) -> int:
    if isolation == "row":
        return 1
    match = re.fullmatch(r"batch:([1-9]\d{0,5})", isolation)
    if not match:
        raise click.BadParameter(
            f"{isolation!r} is neither row nor batch:N", param_hint="--isolation"
        )
    return int(match[1])


def _limits(settings: tuple[str, ...]) -> Limits:
    from sandbox.limits import Limits

    return Limits(**dict(_limit(setting) for setting in settings))


def _limit(setting: str) -> tuple[str, Any]:
    """One limit in our words and units.

    Example:
        >>> _limit("memory=512MiB")
        ('memory_bytes', 536870912)
    """
    name, _, text = setting.partition("=")
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    field = _LIMITS.get(name.strip())
    if field is None or not match or match[2] not in _UNITS or not float(match[1]):
        raise click.BadParameter(
            f"{setting!r} is not one of wall, cpu, memory, disk, cores = a positive amount, "
            "such as wall=30s or memory=512MiB",
            param_hint="--sandbox-limit",
        )
    value = float(match[1]) * _UNITS[match[2]]
    return field, value if field.endswith("_seconds") else max(1, int(value))
