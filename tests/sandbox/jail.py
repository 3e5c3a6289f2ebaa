"""An outer jail: where attacks may succeed, to show that they are attacks.

python jail.py FOLDER PROGRAM ARGUMENT...

A user, process, mount, network, host-name and IPC namespace of its own, a root folder in memory
with read-only binds of the interpreter, resource limits, and no capability. The folder is copied
in; nothing comes out but what is printed. Made by an ordinary user, with nothing of the sandbox
but its way to make a system call. When the program has ended, a line says how, and which processes
it left.
"""

import fcntl
import json
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

USER = 1000
ROOT = "/mnt"
_NEW = 0x10000000 | 0x20000000 | 0x00020000 | 0x40000000 | 0x08000000 | 0x04000000
_RDONLY, _NOSUID, _NODEV, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
_BOUNDS = {
    resource.RLIMIT_AS: 8 << 30,
    resource.RLIMIT_FSIZE: 200 << 20,
    resource.RLIMIT_NPROC: 3000,
    resource.RLIMIT_NOFILE: 1024,
    resource.RLIMIT_CPU: 60,
    resource.RLIMIT_CORE: 0,
}


def main(folder, program, *arguments):
    """Make the jail around this process and run a program in it."""
    sys.path.insert(0, folder)
    from sandbox import linux

    for which, value in _BOUNDS.items():
        resource.setrlimit(which, (value, value))
    user, group = os.getuid(), os.getgid()
    if user == 0:
        raise PermissionError("nothing hostile runs as root, in a jail or not")
    linux.syscall("unshare", _NEW)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{USER} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{USER} {group} 1")
    first = os.fork()
    if first:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]))
    linux.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    _make_root(linux, folder)
    _raise_loopback()
    done = subprocess.run([program, *arguments], cwd="/", check=False)  # exec drops capabilities
    print(json.dumps(["ended", [done.returncode, _left()]]), flush=True)


def _left():
    """Which processes stay; those that were killed may take a moment to end."""
    until = time.monotonic() + 30
    while True:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        left = [int(path.name) for path in Path("/proc").glob("[0-9]*") if path.name != "1"]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.01)


def _make_root(linux, folder):
    linux.mount("none", "/", None, _REC | _PRIVATE)
    linux.mount("tmpfs", ROOT, "tmpfs", _NOSUID | _NODEV, "size=300m,nr_inodes=60000")
    shutil.copytree(folder, ROOT + folder)
    os.mkdir(f"{ROOT}{folder}/sandbox/mounted")
    linux.mount("tmpfs", f"{ROOT}{folder}/sandbox/mounted", "tmpfs", _NODEV, "size=1m")
    for path in ("/usr", "/bin", "/lib", "/lib64"):
        if os.path.islink(path):
            os.symlink(os.readlink(path), ROOT + path)
        elif os.path.exists(path):
            os.mkdir(ROOT + path)
            linux.mount(path, ROOT + path, None, _BIND | _REC)
            kept = os.statvfs(path).f_flag & (_NODEV | _NOSUID)
            linux.mount("none", ROOT + path, None, _BIND | _REMOUNT | _RDONLY | kept)
    for path in ("etc", "proc", "dev", "dev/pts", "tmp", "srv"):
        os.mkdir(f"{ROOT}/{path}")
    Path(f"{ROOT}/etc/passwd").write_text("nobody:x:1000:1000::/:\n")
    for name in ("null", "zero", "full", "random", "urandom"):
        Path(f"{ROOT}/dev/{name}").touch()
        linux.mount(f"/dev/{name}", f"{ROOT}/dev/{name}", None, _BIND)
    linux.mount("devpts", f"{ROOT}/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666")
    os.symlink("pts/ptmx", f"{ROOT}/dev/ptmx")
    linux.mount("proc", f"{ROOT}/proc", "proc", 0)
    os.chdir(ROOT)
    linux.syscall("pivot_root", b".", b".")
    linux.syscall("umount2", b".", 2)  # MNT_DETACH
    os.chdir("/")


def _raise_loopback():
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1 | 64))  # UP, RUNNING


if __name__ == "__main__":
    main(*sys.argv[1:])
