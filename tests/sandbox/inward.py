"""Attacks on the row's own process: time, memory, crashes, floods, and what it does to itself.

Most of them end their own row and no more: how it must end is their control.
"""

from hostile import Attack, body, call, tries

TIME = {
    "a loop": body("while True: pass", ends="timed_out"),
    "a long sleep": body("import time; time.sleep(99)", ends="timed_out"),
    "a pattern": body("import re; re.match('(a+)+$', 'a' * 60 + 'b')", ends="timed_out"),
    "a power": body("str(9 ** 9 ** 9)", ends="timed_out"),
    "a number that loops": Attack(
        "class X:\n    dtype = 1\n    def item(self):\n        while True: pass\n"
        "X.__module__ = 'numpy'\ndef attack():\n    return X()\n",
        ends="timed_out",
    ),
    "a float that loops": body(
        "class X(float):",
        "    def __float__(self):",
        "        while True: pass",
        "import math; math.sqrt(X.__new__(type('Y', (), {'__float__': X.__float__})) if 0 else type('Y', (), {'__float__': X.__float__})())",
        ends="timed_out",
    ),
    "half a frame": body("os.write(4, b'LGS1'); import time; time.sleep(99)", ends="timed_out"),
    "a frame that never ends": body(
        "os.write(4, b'LGS1\\x82' + bytes(16) + b'\\xff' * 4); import time; time.sleep(99)",
        ends="timed_out",
    ),
    "signals ignored": body(
        "import signal",
        "for n in set(range(1, 65)) - {9, 19, 32, 33}: signal.signal(n, signal.SIG_IGN)",
        "while True: pass",
        ends="timed_out",
    ),
    "stop oneself": body("os.kill(os.getpid(), 19); import time; time.sleep(99)", ends="timed_out"),
    "an endless import": Attack("import time\ntime.sleep(99)", ends="timed_out", top=True),
    "the first thread ends and another stays": body(
        "import threading, time",
        "threading.Thread(target=time.sleep, args=(99,)).start()",
        "syscall(60, 0)",
        ends="timed_out",
    ),
    "prints without end": body("while True: os.write(1, b'x' * 65536)", ends="timed_out"),
    "prints of a thread without end": body(
        "import threading",
        "def flood():",
        "    while True: os.write(1, b'x' * 65536)",
        "for _ in range(4): threading.Thread(target=flood, daemon=True).start()",
        "os.write(4, b'LGS1'); flood()",
        ends="timed_out",
    ),
    # The zygote waits for bytes that were there; the deadline does not.
    "a result that is taken back": body(
        "f = os.open('/proc/self/fd/4', 0) if os.path.exists('/proc/self/fd/4') else None",
        "while True: os.write(4, b'LGS1'); f is not None and os.read(f, 4)",
        ends="timed_out output_too_large",
    ),
}

MEMORY = {
    "bytes": body("bytearray(400 << 20)", off=("rlimits",)),
    "a list": body("[0] * (60 << 20)", off=("rlimits",)),
    "shared pages": body("import mmap; mmap.mmap(-1, 700 << 20)", off=("rlimits",)),
    "memory that is locked": call(149, "buffer(1 << 20)", 1 << 20, errno="EPERM ENOMEM"),
    # 64 MB of pipes for each user is the kernel's own limit.
    "pipes' buffers": Attack(
        """
def attack():
    import fcntl
    keep, total = [], 0
    try:
        while total < 128 << 20:
            keep += os.pipe()
            total += fcntl.fcntl(keep[-1], 1031, 1 << 20)
    except OSError as error:
        return "refused " + errno.errorcode[error.errno]
    return "through"
""",
        errno="EPERM EMFILE",
    ),
    "threads": body(
        "import threading; e = threading.Event()",
        "for _ in range(300): threading.Thread(target=e.wait, daemon=True).start()",
        off=("rlimits",),
    ),
    "small threads": body(
        "import threading; e = threading.Event(); threading.stack_size(32 << 10)",
        "for _ in range(900): threading.Thread(target=e.wait, daemon=True).start()",
        off=("rlimits",),
    ),
    "timers": Attack(
        """
def attack():
    for _ in range(1000):
        said = syscall(222, 1, 0, buffer(8))
        if said != "through":
            return said
    return "through"
""",
        off=("rlimits",),
    ),
    "a giant message": body("raise ValueError('x' * (150 << 20))", ends="raised out_of_memory"),
    "recursion": Attack("def attack():\n    return attack()\n", ends="raised"),
    "recursion in C": body(
        "sys.setrecursionlimit(10 ** 9); a = []",
        "for _ in range(10 ** 6): a = [a]",
        "repr(a)",
        ends="signaled raised",
    ),
    "recursion in a thread": body(
        "import threading; sys.setrecursionlimit(10 ** 9); threading.stack_size(64 << 10)",
        "def deep(): return repr(type('X', (), {'__repr__': lambda s: repr(s)})())",
        "t = threading.Thread(target=deep); t.start(); t.join()",
        ends="signaled raised",
    ),
    "a large file": body(
        "with open('/tmp/large', 'wb') as f:",
        "    for _ in range(20): f.write(bytes(1 << 20))",
        off=("rlimits", "landlock", "namespaces"),
    ),
    "two large files": body(
        "for n in 'ab':",
        "    with open('/tmp/' + n, 'wb') as f: f.write(bytes(6 << 20))",
        off=("landlock", "namespaces"),
    ),
    "room for a large file": body(
        "os.posix_fallocate(os.open('/tmp/room', os.O_CREAT | os.O_RDWR), 0, 30 << 20)",
        off=("rlimits", "landlock", "namespaces"),
    ),
    "files without a name": body(
        "for _ in range(3): os.write(os.open('/tmp', os.O_TMPFILE | os.O_RDWR), bytes(6 << 20))",
        off=("landlock", "namespaces"),
    ),
    "many files": body(
        "for n in range(25000): os.close(os.open(f'/tmp/{n}', os.O_CREAT))",
        off=("landlock", "namespaces"),
    ),
    "many descriptors": body(
        "keep = [os.open('/dev/null', 0) for _ in range(400)]", off=("rlimits",)
    ),
}

NO_RESULT = {
    "exit": body("os._exit(0)", ends="no_result"),
    "sys.exit": body("sys.exit(0)", ends="raised"),
    "an interrupt": body("raise KeyboardInterrupt", ends="raised"),
    "a base exception": body("raise type('X', (BaseException,), {})", ends="raised"),
    "kill oneself": body("os.kill(os.getpid(), 9)", ends="signaled"),
    "an alarm": body("syscall(37, 1); import time; time.sleep(99)", ends="signaled"),
    "too large a file": body(
        "import signal, resource; signal.signal(25, 0); resource.setrlimit(1, (1, 1))",
        "f = os.open('/tmp/x', os.O_CREAT | os.O_RDWR); os.write(f, b'xx'); os.write(f, b'xx')",
        ends="signaled raised",
    ),
    "a bad pointer": body("ctypes.string_at(0)", ends="signaled"),
    "abort": body("os.abort()", ends="signaled"),
    "at exit": body("import atexit; atexit.register(os._exit, 9); sys.exit(1)", ends="raised"),
    "no grade": Attack("del grade\ndef attack(): ...", ends="raised", top=True),
    "a syntax error": Attack("def attack(:", ends="raised", top=True),
    "deep parentheses": Attack("x = " + "(" * 5000 + ")" * 5000, ends="raised", top=True),
    "deep attributes": Attack("x = a" + ".b" * 100_000, ends="raised", top=True),
    # Each `finally` is compiled twice: 2 ** 12 times the innermost, in each of 300 functions.
    "a compile bomb": Attack(
        "".join(
            f"def f{n}():\n"
            + "".join(f"{' ' * d}try: pass\n{' ' * d}finally:\n" for d in range(1, 13))
            + " " * 13
            + "x = 1\n"
            for n in range(300)
        ),
        ends="timed_out raised",
        top=True,
    ),
    "a null byte": Attack("x = 1\0", ends="raised", top=True),
    "a source of 256 kB": Attack(
        "x = 0\n" * 43_000 + "def attack():\n    return 'did'\n", ends="ok"
    ),
    "half a character": Attack("x = '\ud800'", ends="raised", top=True),
}

FLOODS = {
    "of prints": Attack("def attack():\n    print('x' * (50 << 20)); return 'did'\n", ends="ok"),
    "of bytes": Attack(
        "def attack():\n    for _ in range(500):\n        for d in (1, 2): os.write(d, b'x' * 65536)\n    return 'did'\n",
        ends="ok",
    ),
    "of yields": Attack(
        "def attack():\n    for _ in range(100_000): os.sched_yield()\n    return 'did'\n",
        ends="ok",
    ),
    "of barriers": Attack(
        "def attack():\n    for _ in range(1000): libc.syscall(324, 8, 0)\n    return 'did'\n",
        ends="ok",
    ),
}

# What a row may do to itself; it must be over with the row.
ITSELF = {
    "a session": Attack("def attack():\n    os.setpgid(0, 0); return 'did'\n", ends="ok"),
    "a timer": Attack(
        "def attack():\n    import signal; signal.setitimer(signal.ITIMER_REAL, 60); return 'did'\n",
        ends="ok",
    ),
    "a lock on a package": Attack(
        "def attack():\n    import fcntl, sandbox\n"
        "    fcntl.flock(os.open(sandbox.__path__[0] + '/py.typed', 0), fcntl.LOCK_EX); return 'did'\n",
        ends="ok",
    ),
    "a strict mode": call(157, 22, 1, 0, 0, 0, errno="EINVAL"),
    "rules of its own": Attack(
        "def attack():\n    libc.syscall(444, (ctypes.c_ulong * 1)(1), 8, 0); return 'did'\n",
        ends="ok",
    ),
    "a name": Attack("def attack():\n    libc.prctl(15, b'init'); return 'did'\n", ends="ok"),
    "its own memory by /proc": tries(
        "os.open('/proc/self/mem', 2)", errno="EACCES ENOENT EPERM EROFS"
    ),
    "signals and timers as descriptors": Attack(
        "def attack():\n    libc.syscall(289, -1, bytes(8), 8, 0); libc.syscall(283, 1, 0); return 'did'\n",
        ends="ok",
    ),
    "pages of a file in a pipe": Attack(
        "def attack():\n    r, w = os.pipe(); f = os.open(os.__file__, 0)\n"
        "    os.splice(f, w, 9); os.sendfile(w, f, 0, 9); return 'did'\n"
        if hasattr(__import__("os"), "splice")
        else "def attack():\n    return 'did'\n",
        ends="ok",
    ),
}
