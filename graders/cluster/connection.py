"""Being connected to a cluster: one that is there, or one of this machine for as long as it takes.

Ray tells its makers how it is used unless it is told not to. Whoever can connect to a cluster can
run code as its user, so one that we start takes nobody without a token that only we know.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any, Final

from graders.cluster.node import ClusterError
from graders.terminal import shorten

_QUIET: Final[Mapping[str, str | None]] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # as it will be; else it warns
}
_SHOWN: Final = 400
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
    with ExitStack() as stack:
        # Before Ray is imported, because that is when it looks.
        stack.enter_context(_environment(_QUIET))
        if address is None:
            stack.enter_context(_token())
        ray = _ray()
        if ray.is_initialized():
            raise ClusterError("this process is connected to a cluster already: ray.shutdown()")
        settings: dict[str, Any] = {"address": address}
        if address is None:
            settings = {
                "address": "local",  # and not the one of RAY_ADDRESS
                "num_cpus": cores,
                "include_dashboard": False,
                "object_store_memory": _STORE_BYTES,
                "_node_ip_address": "127.0.0.1",
            }
        # Ray prints there that a node has died, and results or a summary for programs may be there.
        stack.enter_context(redirect_stdout(sys.stderr))
        stack.callback(ray.shutdown)
        with _own_signals():
            try:
                ray.init(**settings, log_to_driver=False, logging_level="ERROR")
            except (ray.exceptions.RayError, OSError, RuntimeError, ValueError) as error:
                said = shorten(" ".join(str(error).split()), _SHOWN)
                where = f"--address {address}" if address else "a cluster on this machine"
                raise ClusterError(f"{where}: Ray does not connect: {said}") from None
        yield


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
def _token() -> Iterator[None]:
    """Have Ray ask everybody for a token, which is in a file that only we can read."""
    with tempfile.TemporaryDirectory(prefix="graders-") as folder:
        path = Path(folder) / "token"
        path.touch(mode=0o600)
        path.write_text(_secret(), "ascii")
        with _environment(
            {
                "RAY_AUTH_MODE": "token",
                "RAY_AUTH_TOKEN_PATH": str(path),
                "RAY_AUTH_TOKEN": None,
            }
        ):
            yield


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
