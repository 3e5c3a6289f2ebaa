"""What an attack could harm, and whether it did: a folder, a process, and somebody who listens.

Set up by whoever runs attacks, as the user of the rows; looked at after each attack.
"""

import fcntl
import os
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from time import monotonic

import sandbox

_SIBLING = """
import ctypes, time
kept = ctypes.create_string_buffer(b"secret")
ctypes.CDLL(None).prctl(0x59616D61, -1, 0, 0, 0)  # PR_SET_PTRACER, where the kernel asks for it
print(ctypes.addressof(kept), flush=True)
time.sleep(600)
"""
PYTHON = "/usr/bin/python3"  # one that every user can run
_OLD = 1_000_000_000  # seconds since 1970: the secret's time


def _is_locked(path):
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


class Around:
    """A folder with a secret, a sibling process, and sockets, all of one user."""

    def __init__(self, folder, user=None):
        self.folder, self._user = Path(folder), user
        self._ports = [socket.socket(), socket.socket(type=socket.SOCK_DGRAM)]
        for port in self._ports:
            port.bind(("127.0.0.1", 0))
        self._name = socket.socket(socket.AF_UNIX)
        self._name.bind(f"\0attacks-{os.getpid()}")
        self._path = self._sibling = None
        self.restore()
        for one in (self._ports[0], self._name):
            one.listen()

    def facts(self):
        """What an attack is told, as lines of Python."""
        tcp, udp = (port.getsockname()[1] for port in self._ports)
        name = os.fsdecode(self._name.getsockname())
        return (
            f"FOLDER, SIBLING, ADDRESS = {str(self.folder)!r}, {self._sibling.pid}, {self._address}\n"
            f"TCP, UDP, PATH, ABSTRACT = {tcp}, {udp}, {str(self.folder / 'socket')!r}, {name!r}\n"
        )

    def harm(self, awaited=""):
        """What is not as it was, in words; what is awaited may take a busy machine a moment."""
        until = monotonic() + 60
        found = self._found()
        while awaited not in ["", *found] and monotonic() < until:
            found += self._found()
        return found

    def _found(self):
        return [*self._in_files(), *self._in_sibling(), *self._arrived()]

    def close(self):
        """End the sibling."""
        self._sibling.kill()
        self._sibling.communicate()
        for one in (*self._ports, self._name, self._path):
            one.close()

    def restore(self):
        """Make all as it was."""
        with suppress(FileNotFoundError):
            self.folder.chmod(0o755)
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        secret = self.folder / "secret"
        secret.write_text("secret")
        secret.chmod(0o600)
        os.utime(secret, (_OLD, _OLD))
        if self._path:
            self._path.close()
        self._path = socket.socket(socket.AF_UNIX)
        self._path.bind(str(self.folder / "socket"))
        self._path.listen()
        for path in (self.folder, secret, self.folder / "socket"):
            os.chown(path, self._user or -1, -1)
        with suppress(FileNotFoundError):
            Path(sandbox.__path__[0], "x.pth").unlink()
        if self._sibling:
            self._sibling.kill()
            self._sibling.communicate()
        self._sibling = subprocess.Popen(
            [PYTHON, "-c", _SIBLING],
            stdout=subprocess.PIPE,
            env={**os.environ, "LG_SECRET": "1"},
            **({"user": self._user, "group": self._user} if self._user else {}),
        )
        self._address = int(self._sibling.stdout.readline())
        self._before = self._limits()

    def _limits(self):
        pid = self._sibling.pid
        return {
            "limits": Path(f"/proc/{pid}/limits").read_text(),
            "affinity": os.sched_getaffinity(pid),
            "niceness": os.getpriority(os.PRIO_PROCESS, pid),
        }

    def _in_files(self):
        try:
            folder, secret = self.folder.stat(), (self.folder / "secret").stat()
        except FileNotFoundError:
            return ["the secret is gone"]
        except PermissionError:
            return ["the folder's mode has changed"]
        new = {path.name for path in self.folder.iterdir()} - {"secret", "socket"}
        new |= {path.name for path in Path(sandbox.__path__[0]).glob("*.pth")}
        seen = {
            "the folder's mode has changed": folder.st_mode & 0o777 != 0o755,
            "the secret's mode has changed": secret.st_mode & 0o777 != 0o600,
            "the secret's time has changed": secret.st_mtime != _OLD,
            "the secret has changed": secret.st_size != len("secret"),
            "a new file": bool(new),
            "the packages are locked": _is_locked(Path(sandbox.__path__[0], "py.typed")),
        }
        return [words for words, is_so in seen.items() if is_so]

    def _in_sibling(self):
        if self._sibling.poll() is not None:
            return ["the sibling is gone"]
        status = Path(f"/proc/{self._sibling.pid}/stat").read_text()
        if status.rpartition(")")[2].split()[0] == "T":
            return ["the sibling is stopped"]
        now = self._limits()
        return [
            f"the sibling's {n} changed" for n, value in self._before.items() if now[n] != value
        ]

    def _arrived(self):
        found = []
        for one, words in (
            (self._ports[0], "a connection came"),
            (self._ports[1], "a datagram came"),
            (self._name, "a connection came by its name"),
            (self._path, "a connection came by its path"),
        ):
            one.settimeout(0)
            with suppress(BlockingIOError):
                one.recv(99) if one is self._ports[1] else one.accept()[0].close()
                found.append(words)
        return found
