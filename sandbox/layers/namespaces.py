"""Namespaces: a machine of its own, with no other process, no network and almost no files.

Root makes them directly and becomes another user afterwards; anyone else makes them inside a
user namespace. The root folder is an empty tmpfs with read-only binds of what Python needs.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from contextlib import suppress

from sandbox import linux

_NEW = {
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "ipc": 0x08000000,
    "uts": 0x04000000,
    "mnt": 0x00020000,
}
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND = 1, 2, 4, 8, 32, 4096
_REC, _PRIVATE, _NOATIME = 16384, 1 << 18, 1024
_DETACH = 2
_HERE, _RECURSIVE = -100, 0x8000  # AT_FDCWD, AT_RECURSIVE
_READ_ONLY_ATTRIBUTE, _NO_SUID_ATTRIBUTE = 1, 2
_DEVICES = ("null", "zero", "full", "random", "urandom")
_PLACES = ("/mnt", "/srv", "/opt", "/media", "/home", "/var", "/run", "/tmp")  # noqa: S108
SCRATCH = "/tmp"  # noqa: S108 - a tmpfs of the row's own
INNER_ID = 1000
MAX_FILES = 20_000


def enter(*, isolated: bool, network: bool) -> None:
    """Leave the host's namespaces; the next fork is process 1 of the new ones.

    Args:
        isolated: Processes, mounts, System V objects and names.
        network: Network interfaces, routes and abstract sockets.

    Raises:
        OSError: The kernel refuses.
    """
    names = [*(("pid", "mnt", "ipc", "uts") if isolated else ()), *(("net",) if network else ())]
    if not names:
        return
    user, group = os.getuid(), os.getgid()
    if user != 0:
        names.append("user")
    flags = sum(_NEW[name] for name in names)
    linux.syscall("unshare", flags)
    if user != 0:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{INNER_ID} {user} 1")
        _write("/proc/self/gid_map", f"{INNER_ID} {group} 1")


def mount_root(*, readable: Iterable[str], disk_bytes: int) -> None:
    """Make an own root folder the root: read-only binds, /dev, /proc, and /tmp to write in.

    Raises:
        OSError: A mount fails.
    """
    paths = list(readable)
    root = next(p for p in _PLACES if os.path.isdir(p) and not _holds(p, paths))
    linux.mount("none", "/", None, _REC | _PRIVATE)
    linux.mount("tmpfs", root, "tmpfs", _NOSUID | _NODEV, "size=1m,mode=755")
    os.makedirs(root + SCRATCH)
    size = f"size={disk_bytes},nr_inodes={MAX_FILES},mode=1777"
    # A time of access would tell the next row that this one looked.
    linux.mount("tmpfs", root + SCRATCH, "tmpfs", _NOSUID | _NODEV | _NOATIME, size)
    inside = {"/".join(p.split("/")[:3]) for p in paths if p.startswith(f"{SCRATCH}/")}
    for folder in inside:  # an interpreter in /tmp: its folders are not the row's to write in
        os.makedirs(root + folder, exist_ok=True)
        linux.mount(root + folder, root + folder, None, _BIND)
    for path in paths:
        _bind(path, root)
    for folder in inside:
        linux.mount("none", root + folder, None, _BIND | _REMOUNT | _RDONLY | _NOSUID | _NODEV)
    os.makedirs(f"{root}/dev")
    for device in _DEVICES:
        _touch(f"{root}/dev/{device}")
        linux.mount(f"/dev/{device}", f"{root}/dev/{device}", None, _BIND)
    os.makedirs(f"{root}/proc")
    with suppress(PermissionError):  # a container hides parts of /proc: then it stays empty
        linux.mount("proc", f"{root}/proc", "proc", _NOSUID | _NODEV | _NOEXEC | _RDONLY)
    _pivot(root)


def _pivot(root: str) -> None:
    os.chdir(root)
    linux.syscall("pivot_root", b".", b".")  # the old root now lies on top of the new one
    linux.syscall("umount2", b".", _DETACH)
    os.chdir("/")
    linux.mount("none", "/", None, _BIND | _REMOUNT | _RDONLY | _NOSUID | _NODEV)


def _bind(path: str, root: str) -> None:
    if os.path.islink(path):
        if not os.path.lexists(root + path):
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            os.symlink(os.readlink(path), root + path)
        return
    if not os.path.exists(path):
        return
    if os.path.isdir(path):
        os.makedirs(root + path, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        _touch(root + path)
    linux.mount(path, root + path, None, _BIND | _REC)
    # With what is mounted below it, such as a volume of a container among the packages.
    attributes = struct.pack("QQQQ", _READ_ONLY_ATTRIBUTE | _NO_SUID_ATTRIBUTE, 0, 0, 0)
    place = os.fsencode(root + path)
    linux.syscall("mount_setattr", _HERE, place, _RECURSIVE, attributes, len(attributes))


def _holds(folder: str, paths: list[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for path in paths)


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC, 0o644))


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def drop_capabilities() -> None:
    """Give up every capability, those a program could get back included."""
    for capability in range(64):
        try:
            linux.prctl(24, capability)  # PR_CAPBSET_DROP
        except OSError:
            break  # past the last one, or no right to: then there is none to lose
    with suppress(OSError):
        linux.prctl(47, 4)  # PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    linux.syscall("capset", bytes(header), bytes(24))
