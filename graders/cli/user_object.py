"""`--client module:attribute`: a client of the user's own."""

from __future__ import annotations

import sys
from importlib import import_module
from inspect import iscoroutinefunction
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, cast

import click

from graders.errors import did_you_mean

if TYPE_CHECKING:
    from graders.clients import ModelClient

_LACKS: Final = "no client, it lacks `async def complete(self, request)`"


def user_client(place: str) -> ModelClient:
    """Import a client, or what makes one: a class or a function without arguments.

    Modules of the current folder are found too, after those that are installed.

    Raises:
        click.BadParameter: There is none; says what was found instead.
    """
    name, colon, attributes = place.partition(":")
    if not (name and colon and attributes):
        _refuse(place, "is not MODULE:NAME, such as judges:client")
    value: object = _import(place, name)
    for attribute in attributes.split("."):
        if not hasattr(value, attribute):
            known = [known for known in dir(value) if not known.startswith("_")]
            _refuse(place, f"there is no {attribute!r}. {did_you_mean(attribute, known)}")
        value = getattr(value, attribute)
    if isinstance(value, type) or not hasattr(value, "complete"):
        value = _made(place, value)
    if not iscoroutinefunction(getattr(value, "complete", None)):
        _refuse(place, f"of type {type(value).__name__}: {_LACKS}")
    return cast("ModelClient", value)


def _import(place: str, name: str) -> object:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            _refuse(place, f"there is no module {error.name!r} here or installed")
        _refuse(place, f"importing {name!r} failed: {error}")
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        _refuse(place, f"importing {name!r} failed: {type(error).__name__}: {error}")


def _made(place: str, maker: object) -> object:
    if not callable(maker):
        _refuse(place, f"of type {type(maker).__name__}: {_LACKS}")
    try:
        return maker()
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        _refuse(place, f"calling it without arguments failed: {type(error).__name__}: {error}")


def _refuse(place: str, problem: str) -> NoReturn:
    raise click.BadParameter(f"{place}: {problem}", param_hint="--client")
