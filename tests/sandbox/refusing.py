"""Run a program where the kernel refuses namespaces, in one of the ways that kernels do.

python refusing.py HOW FOLDER PROGRAM ARGUMENT...

- `filter`: a seccomp filter like Docker's: unshare, setns and mount give EPERM, and so does clone
  with a new namespace.
- `limit`: a user namespace that may have no further ones: ENOSPC.
"""

import ctypes
import errno
import os
import struct
import sys
from pathlib import Path

_NEW_USER = 0x10000000
_NEW_ANY = 0x7E020000
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS


def main(how, folder, program, *arguments):
    """Refuse namespaces to this process, and become the program."""
    sys.path.insert(0, folder)
    from sandbox import linux

    if how == "filter":
        linux.prctl(38, 1)  # PR_SET_NO_NEW_PRIVS
        steps = _program(linux.number)
        code = ctypes.create_string_buffer(steps, len(steps))
        header = struct.pack("HxxxxxxP", len(steps) // 8, ctypes.addressof(code))
        linux.syscall("seccomp", 1, 0, header)
    else:
        user, group = os.getuid(), os.getgid()
        linux.syscall("unshare", _NEW_USER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
    os.execv(program, [program, *arguments])


def _program(number):
    """The filter: a list of (code, steps to skip if so, if not, value)."""
    steps = [
        (_LOAD, 0, 0, 0),
        (_EQUAL, 5, 0, number("unshare")),  # so many steps on to EPERM
        (_EQUAL, 4, 0, number("setns")),
        (_EQUAL, 3, 0, number("mount")),
        (_EQUAL, 0, 3, number("clone")),  # on to the question for clone3
        (_LOAD, 0, 0, 16),
        (_ANY_BIT, 0, 3, _NEW_ANY),  # on to ALLOW
        (_RETURN, 0, 0, _EPERM),
        (_EQUAL, 0, 1, number("clone3")),
        (_RETURN, 0, 0, _ENOSYS),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


if __name__ == "__main__":
    main(*sys.argv[1:])
