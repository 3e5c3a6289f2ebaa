"""What a hostile row tries: a table of sources, and a runner that tries them all in one pool.

Each source defines `attack()`, which raises, dies or returns a text beginning with "refused" where
it is stopped, and returns "through" where it is not. Run as a script (by another user, in another
interpreter) it prints the outcomes as JSON; it imports the standard library and `sandbox` only.

`off` names the one layer without which the attack gets through, in what remains of the jail: that
is its positive control. Where no control is harmless, `errno` names the refusal that must be seen.
"""

import json
import sys
from typing import NamedTuple

PRELUDE = '''
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def syscall(number, *arguments):
    """Make a system call; "through", or the refusal by its name."""
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in arguments])
    return "through" if result >= 0 else "refused " + errno.errorcode[ctypes.get_errno()]
def grade(sample, item):
    return attack()
'''


class Attack(NamedTuple):
    """One attempt."""

    source: str
    off: str | None = None  # the layer whose absence lets it through
    errno: str | None = None  # what the refused call must have said


def call(number, *arguments, errno="EPERM", off=None):
    """An attack that is one system call (x86_64 numbers)."""
    values = ", ".join(map(str, (number, *arguments)))
    return Attack(f"def attack():\n    return syscall({values})", off=off, errno=errno)


NETWORK = {
    "tcp socket": Attack("def attack():\n    import socket\n    socket.socket()\n    return 'through'", off="seccomp"),
    "udp socket": Attack("def attack():\n    import socket\n    socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n    return 'through'", off="seccomp"),
    "name lookup": Attack("def attack():\n    import socket\n    socket.getaddrinfo('example.com', 80)\n    return 'through'"),
    "unix socket": call(41, 1, 1, 0, off="seccomp"),
    "datagram pair": call(53, 1, 2, 0, "ctypes.addressof(ctypes.create_string_buffer(8))", off="seccomp"),
    "netlink": call(41, 16, 3, 0, off="seccomp"),
    "packet socket": call(41, 17, 3, 0),
    "vsock": call(41, 40, 1, 0),
    "alg socket": call(41, 38, 5, 0),
    "io_uring": call(425, 1, "ctypes.addressof(ctypes.create_string_buffer(256))"),
}  # fmt: skip

FILES = {
    "read a world-readable file": Attack("def attack():\n    open('/etc/passwd').close()\n    return 'through'"),
    "list the root folder": Attack("def attack():\n    os.listdir('/')\n    return 'through'", off="landlock"),
    "write beside the packages": Attack("def attack():\n    open(os.path.dirname(os.__file__) + '/x.pth', 'w')\n    return 'through'"),
    "write to /usr": Attack("def attack():\n    open('/usr/lib/x', 'w')\n    return 'through'"),
    "write to the root": Attack("def attack():\n    open('/x', 'w')\n    return 'through'"),
    "remove the root": Attack("def attack():\n    import shutil\n    shutil.rmtree('/usr')\n    return 'through'"),
    "a link to a file outside": Attack("def attack():\n    os.symlink('/etc/passwd', '/tmp/x')\n    open('/tmp/x').close()\n    return 'through'"),
    "a hard link to a file outside": Attack("def attack():\n    os.link('/etc/passwd', '/tmp/x')\n    return 'through'"),
    "up and out": Attack("def attack():\n    open('../' * 40 + 'etc/passwd').close()\n    return 'through'"),
    "the old root by /proc": Attack("def attack():\n    os.listdir('/proc/1/root')\n    return 'through'"),
    "a device node": call(133, "id(b'/tmp/dev') + 32", 0o020666, 0x103),
    "mount": call(165, 0, 0, 0, 0, 0),
    "chroot": call(161, 0),
    "pivot_root": call(155, 0, 0),
    "open by handle": call(304, 0, 0, 0),
    "/proc/sys": Attack("def attack():\n    open('/proc/sys/kernel/core_pattern', 'w')\n    return 'through'"),
    "memfd": call(319, "id(b'x') + 32", 0, off="seccomp"),
}  # fmt: skip

SECRETS = {
    "the environment": Attack("def attack():\n    return 'through' if any('SECRET' in k for k in os.environ) else 'refused'"),
    "environments in /proc": Attack("""
def attack():
    for pid in range(1, 400):
        try:
            if b'LG_SECRET' in open(f'/proc/{pid}/environ', 'rb').read():
                return 'through'
        except OSError:
            pass
    return 'refused'
"""),
    "the parent's memory": Attack("def attack():\n    open(f'/proc/{os.getppid()}/mem', 'rb')\n    return 'through'"),
    "ptrace": call(101, 16, "os.getppid()", 0, 0),
    "process_vm_readv": call(310, "os.getppid()", 0, 0, 0, 0, 0),
    "pidfd_getfd": call(438, 0, 0, 0),
    "inherited descriptors": Attack("""
def attack():
    for d in range(6, 300):
        try:
            os.fstat(d)
        except OSError:
            continue
        return f'through: {d}'
    return 'refused'
"""),
    "an earlier row in the heap": Attack("""
import gc
def attack():
    mark = 'MARK-OF-' + 'THE-ROW-BEFORE'
    for thing in gc.get_objects():
        if isinstance(thing, dict) and mark in map(str, thing.values()):
            return 'through'
    return 'refused'
"""),
}  # fmt: skip

CONTROL = {
    "kill the parent": call(62, "os.getppid()", 9),
    "stop the parent": call(62, "os.getppid()", 19),
    "kill everyone": call(62, -1, 0),
    "kill the group": call(62, 0, 0),
    "tkill the parent": call(200, "os.getppid()", 0),
    "tgkill the parent": call(234, "os.getppid()", "os.getppid()", 0),
    "a pidfd of the parent": call(434, "os.getppid()", 0),
    "a queued signal": call(129, "os.getppid()", 0, 0),
    "the parent's limits": call(302, "os.getppid()", 0, 0, 0),
    "affinity": call(203, "os.getppid()", 8, 0),
    "niceness": call(141, 0, "os.getppid()", 19),
    "the scheduler": call(144, 0, 0, 0),
    "a signal by a pipe's owner": call(72, 0, 8, "os.getppid()"),
    "a signal of choice by a pipe": call(72, 0, 10, 9),
    "a signal by ioctl": call(16, 0, 0x8901, 0),
    "typing into the terminal": call(16, 0, 0x5412, 0),
    "undo the leash": call(157, 1, 0, 0, 0, 0),
    "raise a limit": Attack("def attack():\n    import resource\n    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))\n    return 'through'"),
    "become root": call(105, 0),
}  # fmt: skip

PROCESSES = {
    "fork": Attack("def attack():\n    if os.fork() == 0:\n        os._exit(0)\n    return 'through'", off="row_filter"),
    "vfork": call(58),
    "clone": call(56, 17, 0, 0, 0, 0),
    "a program": Attack("def attack():\n    import subprocess\n    subprocess.run(['/bin/true'])\n    return 'through'"),
    "become a program": Attack("def attack():\n    os.execv(sys.executable, [sys.executable, '-c', ''])"),
    "posix_spawn": Attack("def attack():\n    os.posix_spawn('/bin/true', ['true'], {})\n    return 'through'"),
    "a fork bomb": Attack("def attack():\n    for _ in range(20):\n        os.fork()\n    return 'through'"),
    "a daemon": Attack("def attack():\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n            import time; time.sleep(60)\n        os._exit(0)\n    return 'through'", off="row_filter"),
}  # fmt: skip

KERNEL = {
    "new user namespace": call(272, 0x10000000),
    "clone with a namespace": call(56, 0x10000011, 0, 0, 0, 0),
    "clone3": call(435, 0, 0, errno="ENOSYS"),
    "bpf": call(321, 0, 0, 0),
    "perf": call(298, 0, 0, -1, -1, 0),
    "userfaultfd": call(323, 0),
    "keyctl": call(250, 0, -3, 1),
    "add_key": call(248, 0, 0, 0, 0, 0),
    "fanotify": call(300, 0, 0),
    "shared memory": call(29, 0, 4096, 0o1600, off="seccomp"),
    "message queue": call(68, 0, 0o1600),
    "posix message queue": call(240, 0, 0, 0, 0),
    "semaphores": call(64, 0, 1, 0o1600),
    "the clock": call(227, 0, 0),
    "the host's name": call(170, 0, 0),
    "personality": call(135, 0x0040000),
    "modify_ldt": call(154, 0, 0, 0),
    "another seccomp filter": call(317, 0, 0, 0),
    "kexec": call(246, 0, 0, 0, 0),
    "a module": call(175, 0, 0, 0),
    "reboot": call(169, 0, 0, 0, 0),
    "syslog": call(103, 10, 0, 0),
    "a call from the future": call(471, 0, errno="ENOSYS"),
    "an x32 call": Attack("def attack():\n    return syscall(0x40000000 + 39)"),
}  # fmt: skip

TIME = {
    "a loop": Attack("def attack():\n    while True:\n        pass"),
    "a long sleep": Attack("def attack():\n    import time\n    time.sleep(99)"),
    "a pattern": Attack("def attack():\n    import re\n    re.match('(a+)+$', 'a' * 60 + 'b')"),
    "a power": Attack("def attack():\n    return str(9 ** 9 ** 9)"),
    "half a frame": Attack("def attack():\n    os.write(4, b'LGS1')\n    import time\n    time.sleep(99)"),
    "signals ignored": Attack("def attack():\n    import signal\n    for n in set(range(1, 65)) - {9, 19, 32, 33}:\n        signal.signal(n, signal.SIG_IGN)\n    while True:\n        pass"),
    "stop oneself": Attack("def attack():\n    os.kill(os.getpid(), 19)\n    import time\n    time.sleep(99)"),
    "an endless import": Attack("import time\ntime.sleep(99)"),
}  # fmt: skip

MEMORY = {
    "bytes": Attack("def attack():\n    bytearray(400 << 20)\n    return 'through'", off="rlimits"),
    "a list": Attack("def attack():\n    [0] * (60 << 20)\n    return 'through'", off="rlimits"),
    "shared pages": Attack("def attack():\n    import mmap\n    mmap.mmap(-1, 700 << 20)\n    return 'through'", off="rlimits"),
    "threads": Attack("def attack():\n    import threading\n    e = threading.Event()\n    for _ in range(500):\n        threading.Thread(target=e.wait, daemon=True).start()\n    return 'through'"),
    "a giant message": Attack("def attack():\n    raise ValueError('x' * (150 << 20))"),
    "recursion": Attack("def attack():\n    return attack()"),
    "recursion without a limit": Attack("def attack():\n    sys.setrecursionlimit(10 ** 9)\n    a = []\n    for _ in range(10 ** 6):\n        a = [a]\n    return repr(a)"),
    "a large file": Attack("def attack():\n    with open('/tmp/x', 'wb') as f:\n        for _ in range(20):\n            f.write(bytes(1 << 20))\n    return 'through'"),
    "two large files": Attack("def attack():\n    for n in 'ab':\n        with open('/tmp/' + n, 'wb') as f:\n            f.write(bytes(6 << 20))\n    return 'through'"),
    "many files": Attack("def attack():\n    for n in range(30000):\n        os.close(os.open(f'/tmp/{n}', os.O_CREAT))\n    return 'through'"),
    "many descriptors": Attack("def attack():\n    keep = [os.open('/dev/null', 0) for _ in range(1000)]\n    return 'through'"),
}  # fmt: skip

NO_RESULT = {
    "exit": Attack("def attack():\n    os._exit(0)"),
    "sys.exit": Attack("def attack():\n    sys.exit(0)"),
    "an interrupt": Attack("def attack():\n    raise KeyboardInterrupt"),
    "a base exception": Attack("def attack():\n    raise type('X', (BaseException,), {})"),
    "kill oneself": Attack("def attack():\n    os.kill(os.getpid(), 9)"),
    "a bad pointer": Attack("def attack():\n    ctypes.string_at(0)"),
    "abort": Attack("def attack():\n    os.abort()"),
    "a forged frame on every descriptor": Attack("def attack():\n    for d in range(1, 200):\n        try:\n            os.write(d, b'LGS1\\x01' + bytes(16) + b'\\x08\\0\\0\\0' + bytes(9))\n        except OSError:\n            pass"),
    "garbage for a frame": Attack("def attack():\n    os.write(4, b'garbage' * 100)"),
    "a giant frame": Attack("def attack():\n    while True:\n        os.write(4, b'x' * 65536)"),
    "closed descriptors": Attack("def attack():\n    os.closerange(0, 300)"),
    "a patched json": Attack("import json\nclass Evil:\n    pass\ndef attack():\n    json.dumps = lambda *a: 1 / 0\n    return Evil()"),
    "a patched os.write": Attack("def attack():\n    os.write = lambda *a: 0\n    os._exit(5)"),
    "a hostile object": Attack("class X:\n    def __repr__(self): raise SystemExit\n    __str__ = __float__ = __eq__ = __hash__ = __repr__\ndef attack():\n    return X()"),
    "a hostile class": Attack("class M(type):\n    def __getattribute__(c, n): raise SystemExit\nclass X(metaclass=M): pass\ndef attack():\n    return X()"),
    "a hostile error": Attack("class X(Exception):\n    def __str__(self): raise SystemExit\ndef attack():\n    raise X"),
    "a coroutine": Attack("async def attack():\n    return 1.0"),
    "no grade": Attack("del grade\ndef attack(): ..."),
    "a syntax error": Attack("def attack(:"),
    "deep parentheses": Attack("x = " + "(" * 5000 + ")" * 5000),
}  # fmt: skip

GROUPS = {
    "network": NETWORK,
    "files": FILES,
    "secrets": SECRETS,
    "control": CONTROL,
    "processes": PROCESSES,
    "kernel": KERNEL,
    "time": TIME,
    "memory": MEMORY,
    "no result": NO_RESULT,
}
ATTACKS = {f"{group}: {name}": a for group, table in GROUPS.items() for name, a in table.items()}

# What only the deadline ends; the others have time, however busy the machine is.
WAITING = [name for name in ATTACKS if name.startswith("time:")] + [
    "no result: garbage for a frame"
]

# Each pair runs in one pool: the first leaves something, the second looks for it.
LEAVE = """
import builtins, gc, json, os, random, sys, threading
def grade(sample, item):
    builtins.left = 1; sys.modules["left"] = json; sys.meta_path.append(None); random.seed(7)
    os.environ["LEFT"] = "1"; json.left = 1; globals()["left"] = 1; gc.left = sample
    try:
        os.makedirs("/tmp/a/b"); open("/tmp/a/b/c", "w").close(); os.chmod("/tmp/a", 0)
        os.setxattr("/tmp", "user.left", b"1"); os.utime("/tmp", (7, 7)); os.chmod("/tmp", 0o700)
    except OSError:
        pass
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    return 1.0
def look():
    import stat
    found = [n for n in ("left",) if hasattr(builtins, n) or n in sys.modules or hasattr(json, n)]
    found += ["global"] if "left" in globals() else []
    found += ["environment"] if "LEFT" in os.environ else []
    found += ["meta_path"] if None in sys.meta_path else []
    found += ["threads"] if threading.active_count() > 1 else []
    if os.access("/tmp", os.W_OK):
        found += os.listdir("/tmp") + os.listxattr("/tmp")
        found += ["time"] if os.stat("/tmp").st_mtime == 7 else []
    return found
"""


def outcomes(pool, names=None):
    """Try attacks one by one, an ordinary row after each; what both gave, as plain data."""
    from sandbox import Call

    found = {}
    for name in names or ATTACKS:
        source = PRELUDE + ATTACKS[name].source
        row = [{"text": "MARK-OF-" + "THE-ROW-BEFORE"}, {}]
        pool.run_now([Call(source.replace("return attack()", "return 0.0"), "grade", row)])
        (tried,) = pool.run_now([Call(source, "grade", [{}, {}])])
        (after,) = pool.run_now(
            [Call("def grade(s, i): return s['x'] / 2", "grade", [{"x": 3}, {}])]
        )
        found[name] = [tried.status.value, tried.value, tried.error, after.value]
    return found


def traces(pool):
    """What a row sees before and after another left all it could, and what that one gave."""
    from sandbox import Call

    left, looked = Call(LEAVE, "grade", [{}, {}]), Call(LEAVE, "look", [])
    return [outcome.value for outcome in pool.run_now([looked, left, looked, left, looked])]


def main(folder, layers):
    """Try everything as whoever runs this, and print it."""
    sys.path.insert(0, folder)
    from sandbox import Limits, Pool

    found = {}
    for seconds, names in ((0.7, WAITING), (30, [name for name in ATTACKS if name not in WAITING])):
        limits = Limits(wall_seconds=seconds, memory_bytes=200 << 20, disk_bytes=10 << 20)
        pool = Pool(layers=layers.split(), limits=limits, workers=1)
        found |= {**outcomes(pool, names), "state": traces(pool)}
        pool.close()
    from crashes import faults

    pool = Pool(layers=layers.split(), limits=limits, workers=2)
    json.dump({**found, "faults": faults(pool, 200)}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
