"""Landlock: which files a process may touch, without any privilege.

Rules name folders by an open descriptor, so a later rename or link changes nothing. From ABI 4 on
TCP is refused too, from ABI 6 on signals and abstract sockets across the border.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable

from sandbox import linux

_EXECUTE, _WRITE, _READ, _READ_DIR = 1, 2, 4, 8
_MAKE_CHAR, _MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 10, 1 << 11
_TRUNCATE, _IOCTL_DEVICE = 1 << 14, 1 << 15
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # ABI: how many file rights it knows
_TCP, _SCOPES = 3, 3


def abi() -> int:
    """Version of Landlock in this kernel.

    Raises:
        OSError: There is none.
    """
    return linux.syscall("landlock_create_ruleset", None, 0, 1)


def restrict(*, readable: Iterable[str], writable: Iterable[str], devices: Iterable[str]) -> None:
    """Refuse every file but these, for the calling process and all it starts, for good.

    Args:
        readable: Folders to read from; what does not exist is left out.
        writable: Folders to write in as well.
        devices: Files to read and write, such as /dev/null.

    Raises:
        OSError: The kernel has no Landlock.
    """
    version = abi()
    known = (1 << _RIGHTS[min(version, 5)]) - 1
    fields = [known, *([_TCP] if version >= 4 else []), *([_SCOPES] if version >= 6 else [])]
    attributes = struct.pack(f"{len(fields)}Q", *fields)
    read = _READ | _READ_DIR
    special = _MAKE_CHAR | _MAKE_SOCK | _MAKE_FIFO | _MAKE_BLOCK | _IOCTL_DEVICE
    ruleset = linux.syscall("landlock_create_ruleset", attributes, len(attributes), 0)
    try:
        _allow(ruleset, readable, read)
        _allow(ruleset, writable, known & ~_EXECUTE & ~special)
        _allow(ruleset, devices, (_READ | _WRITE | _TRUNCATE) & known)
        linux.syscall("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, paths: Iterable[str], rights: int) -> None:
    for path in paths:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            linux.syscall("landlock_add_rule", ruleset, 1, struct.pack("<Qi", rights, place), 0)
        finally:
            os.close(place)
