"""Being connected to a cluster: one that is there, or one of this machine for as long as it takes.

Ray tells its makers how it is used unless it is told not to. Whoever can connect to a cluster can
run code as its user, so one that we start takes nobody without a token that only we know.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any, Final

from graders.cluster.folders import cluster_folder
from graders.cluster.node import ClusterError
from graders.terminal import shorten

_QUIET: Final[Mapping[str, str | None]] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # as it will be; else it warns
}
_FEW_TRIES: Final[Mapping[str, str | None]] = {
    "RAY_NUM_REDIS_GET_RETRIES": "2",  # else 20 of half a minute, where something else listens
}
_SHOWN: Final = 400
_REACHED_SECONDS: Final = 10.0
"""Ray tries for minutes where nobody is."""
_STORE_BYTES: Final = 1 << 30
"""Shards and results on their way, in a cluster that we start."""


@contextmanager
def connected(address: str | None, cores: int) -> Iterator[None]:
    """Be connected to a cluster.

    Args:
        address: Where it is: HOST:PORT, ray://HOST:PORT, or `auto` for the one that this machine
            is a node of; None starts one here.
        cores: How many processes grade in one that is started.

    Raises:
        ClusterError: Ray is not installed, or no cluster answers there.
    """
    if address is not None:
        _reach(address)
    with ExitStack() as stack:
        # Before Ray is imported, because that is when it looks.
        stack.enter_context(_environment(_QUIET))
        if address is not None:
            stack.enter_context(_environment(_FEW_TRIES))
        folder = stack.enter_context(_own_folder()) if address is None else None
        ray = _ray()
        if ray.is_initialized():
            raise ClusterError("this process is connected to a cluster already: ray.shutdown()")
        settings: dict[str, Any] = {"address": address}
        if folder is not None:
            settings = {
                "address": "local",  # and not the one of RAY_ADDRESS
                "num_cpus": cores,
                "include_dashboard": False,
                "object_store_memory": _STORE_BYTES,
                "_node_ip_address": "127.0.0.1",
                # Ray lets everybody into it, and leaves it.
                "_temp_dir": str(folder / "r"),  # short, for its sockets
            }
        # Ray prints there that a node has died, and results or a summary for programs may be there.
        stack.enter_context(redirect_stdout(sys.stderr))
        stack.callback(ray.shutdown)
        with _own_signals():
            try:
                ray.init(**settings, log_to_driver=False, logging_level="ERROR")
            except (
                *(ray.exceptions.RayError, OSError, RuntimeError, ValueError),
                ImportError,  # ray:// needs more than Ray
            ) as error:
                said = shorten(" ".join(str(error).split()), _SHOWN)
                where = f"--address {address}" if address else "a cluster on this machine"
                raise ClusterError(f"{where}: Ray does not connect: {said}") from None
        yield


def _reach(address: str) -> None:
    """Look whether somebody listens at HOST:PORT.

    Raises:
        ClusterError: Nobody does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdecimal():
        return  # `auto`, or what Ray refuses
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACHED_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"--address {address}: nobody answers there: {error}") from None


def _ray() -> Any:
    try:
        import ray
        import ray.exceptions
    except ImportError:
        raise ClusterError(
            "--engine ray needs an extra: pip install 'local-graders[ray]', on every node"
        ) from None
    return ray


@contextmanager
def _environment(changed: Mapping[str, str | None]) -> Iterator[None]:
    """Change the environment, which Ray's processes take over, and put it back."""
    before = {name: os.environ.get(name) for name in changed}
    _set(changed)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextmanager
def _own_folder() -> Iterator[Path]:
    """A folder for Ray, and for a token that it asks everybody for."""
    with cluster_folder() as folder:
        path = folder / "token"
        path.touch(mode=0o600)
        path.write_text(_secret(), "ascii")
        with _environment(
            {
                "RAY_AUTH_MODE": "token",
                "RAY_AUTH_TOKEN_PATH": str(path),
                "RAY_AUTH_TOKEN": None,
            }
        ):
            yield folder


@cache
def _secret() -> str:
    """One for the process: Ray reads it once."""
    return secrets.token_hex(32)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what SIGTERM does, which Ray changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
