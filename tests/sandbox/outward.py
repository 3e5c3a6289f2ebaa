"""Attacks on what is outside of the row: the network, files, secrets, processes, the kernel.

FOLDER is a folder with a secret of the row's own user in it, SIBLING another process of that user,
with a secret in its environment and at ADDRESS in its memory; TCP, UDP, PATH and ABSTRACT are
where somebody listens. See witness.py.
"""

from hostile import Attack, body, call, tries

# Who is root in a user namespace of its own may look at nothing outside of it: as an ordinary user
# a zygote is in one even for the network alone.
LOOK = ("landlock", "network", "namespaces")
# Mounts hide a file, and Landlock refuses it: either is enough.
FILE = ("landlock", "namespaces")
# A process of the same user is out of sight, and out of reach of signals in two ways.
SIGNAL = ("row_filter", "landlock", "namespaces")

NETWORK = {
    "tcp socket": body("import socket; socket.socket()", off=("seccomp",)),
    "udp socket": body("import socket; socket.socket(2, 2)", off=("seccomp",)),
    "a connection": body(
        "import socket; socket.create_connection(('127.0.0.1', TCP), 5).send(b'x')",
        off=("seccomp", "network", "landlock"),
        witness="a connection came",
    ),
    "a query to a name server": body(
        "import socket; socket.socket(2, 2).sendto(b'\\x12\\x34\\1\\0\\0\\1', ('127.0.0.1', UDP))",
        off=("seccomp", "network"),
        witness="a datagram came",
    ),
    "name lookup": tries(
        "__import__('socket').getaddrinfo('example.com', 80)",
        errno="-2 -3 -4",
    ),
    "unix socket": body(
        "import socket; socket.socket(1, 1).connect(PATH)",
        off=("seccomp", "namespaces"),
        witness="a connection came by its path",
    ),
    "abstract socket": body(
        "import socket; socket.socket(1, 1).connect(ABSTRACT)",
        off=("seccomp", "network", "landlock"),
        witness="a connection came by its name",
    ),
    "datagram pair": call(53, 1, 2, 0, "buffer(8)", off=("seccomp",)),
    "netlink": call(41, 16, 3, 0, off=("seccomp",)),
    "packet socket": call(41, 17, 3, 0),
    "vsock": call(41, 40, 1, 0),
    "alg socket": call(41, 38, 5, 0),
    "io_uring": call(425, 1, "buffer(256)"),
    "descriptors through a socket": body(
        "import socket; a, b = socket.socketpair()",
        "socket.send_fds(a, [b'x'], [1])",
        off=("row_filter",),
    ),
}

FILES = {
    "a world-readable file": body("open('/etc/passwd').close()", off=FILE),
    "a secret of the same user": body(
        "assert 'secret' in open(FOLDER + '/secret').read()", off=FILE
    ),
    "a link to it": body(
        "os.symlink(FOLDER + '/secret', '/tmp/link')",
        "assert 'secret' in open('/tmp/link').read()",
        off=FILE,
    ),
    "a hard link to it": body(
        "os.link(FOLDER + '/secret', '/tmp/hard')",
        "assert 'secret' in open('/tmp/hard').read()",
        off=FILE,
    ),
    "up and out": body("assert 'secret' in open('../' * 40 + FOLDER + '/secret').read()", off=FILE),
    "list the root folder": body("os.listdir('/')", off=("landlock",)),
    "write beside the packages": body(
        "import sandbox; open(sandbox.__path__[0] + '/x.pth', 'w')", off=FILE, witness="a new file"
    ),
    "write outside": body("open(FOLDER + '/new', 'w')", off=FILE, witness="a new file"),
    "a file without a name outside": body("os.open(FOLDER, os.O_TMPFILE | os.O_RDWR)", off=FILE),
    "remove the root": body(
        "os.stat(FOLDER); import shutil; shutil.rmtree('/', ignore_errors=True)",
        "assert not os.path.exists(FOLDER + '/secret')",
        off=FILE,
        witness="the secret is gone",
    ),
    "empty it": body(
        "os.truncate(FOLDER + '/secret', 0)", off=FILE, witness="the secret has changed"
    ),
    # Landlock knows nothing of modes, owners, times and attributes.
    "open it to all": body(
        "os.chmod(FOLDER + '/secret', 0o666)",
        off=("seccomp", "namespaces"),
        witness="the secret's mode has changed",
    ),
    "close the folder to all": body(
        "os.chmod(FOLDER, 0)",
        off=("seccomp", "namespaces"),
        witness="the folder's mode has changed",
    ),
    "its times": body(
        "os.utime(FOLDER + '/secret', (7, 7))",
        off=("seccomp", "namespaces"),
        witness="the secret's time has changed",
    ),
    "its owner": body(
        "os.chown(FOLDER + '/secret', os.getuid(), os.getgid())", off=("seccomp", "namespaces")
    ),
    "its attributes": tries(
        "os.setxattr(FOLDER + '/secret', 'user.x', b'1')", off=("seccomp", "namespaces")
    ),
    "watch its folder": body(
        "libc.inotify_add_watch.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]",
        "watch = libc.inotify_init()",
        "if watch < 0: return 'refused ' + errno.errorcode[ctypes.get_errno()]",
        "if libc.inotify_add_watch(watch, FOLDER.encode(), 0xfff) < 0: return 'refused'",
        off=("seccomp", "namespaces"),
    ),
    # Whoever opens a file that is leased waits for 45 seconds.
    "a lease on a package": body(
        "import sandbox, fcntl; f = os.open(sandbox.__path__[0] + '/py.typed', 0)",
        "fcntl.fcntl(f, 1024, fcntl.F_WRLCK)",
        off=("seccomp",),
    ),
    "flags of a package": body(
        "import sandbox, fcntl; f = os.open(sandbox.__path__[0] + '/py.typed', 0)",
        "flags = fcntl.ioctl(f, 0x80086601, bytes(8)); fcntl.ioctl(f, 0x40086602, flags)",
        off=("seccomp", "namespaces"),
    ),
    # As a volume of a container may be: only jail.py has one there.
    "write to a mount below the packages": body(
        "import sandbox; open(sandbox.__path__[0] + '/mounted/x', 'w')", off=FILE
    ),
    "open a mount below the packages to all": body(
        "import sandbox; os.chmod(sandbox.__path__[0] + '/mounted', 0o777)",
        off=("seccomp", "namespaces"),
    ),
    "the old root by /proc": tries("os.listdir('/proc/1/root')", errno="EACCES ENOENT EPERM"),
    "the zygote's descriptors": tries(
        "os.listdir(f'/proc/{os.getppid()}/fd')", errno="EACCES ENOENT EPERM"
    ),
    "a device": body("os.close(os.open('/dev/ptmx', 0))", off=FILE),
    "a device node": call(133, "b'/tmp/dev'", "0o020666", 0x103),
    "mount": call(165, 0, 0, 0, 0, 0),
    "chroot": call(161, 0),
    "pivot_root": call(155, 0, 0),
    "open by handle": call(304, 0, 0, 0),
    "/proc/sys": tries(
        "os.open('/proc/sys/kernel/core_pattern', 1)", errno="EACCES EROFS ENOENT EPERM"
    ),
    "memfd": call(319, "b'x'", 0, off=("seccomp",)),
}

SECRETS = {
    "the environment": Attack(
        "def attack():\n    return 'through' if any('SECRET' in k for k in os.environ) else 'refused'",
        plant="def plant():\n    os.environ['LG_SECRET'] = '1'",
    ),
    "environments in /proc": Attack(
        """
def attack():
    for pid in [SIBLING, *range(1, 400)]:
        try:
            if b'LG_SECRET' in open(f'/proc/{pid}/environ', 'rb').read():
                return 'through'
        except OSError:
            pass
    return 'refused'
""",
        off=LOOK,
    ),
    "a sibling's memory": body("open(f'/proc/{SIBLING}/mem', 'rb')", off=LOOK),
    "the parent's memory": tries(
        "os.open(f'/proc/{os.getppid()}/mem', 0)", errno="EACCES ENOENT EPERM"
    ),
    "ptrace": call(101, 0x4206, "SIBLING", 0, 0, off=("seccomp", *LOOK)),
    "process_vm_readv": Attack(
        """
def attack():
    import struct
    place = buffer(16)
    here, there = struct.pack("QQ", place, 6), struct.pack("QQ", ADDRESS, 6)
    said = syscall(310, SIBLING, here, 1, there, 1, 0)
    return "through" if kept.raw[:6] == b"secret" else said
""",
        off=("seccomp", *LOOK),
    ),
    "pidfd_getfd": call(438, 0, 0, 0),
    "kcmp": call(312, "SIBLING", "SIBLING", 1, 0, 0),
    "inherited descriptors": Attack(
        """
def attack():
    for d in range(6, 300):
        try:
            os.fstat(d)
        except OSError:
            continue
        return f'through: {d}'
    return 'refused'
""",
        plant="def plant():\n    os.dup2(1, 77)",
    ),
    "an earlier row among objects": Attack(
        """
import gc
def attack():
    for thing in gc.get_objects():
        if isinstance(thing, (dict, list)) and 'THE-ROW-BEFORE' in str(thing)[:9999].replace('OF-', '').partition('MARK-')[2]:
            return 'through'
    return 'refused'
""",
        plant="def plant():\n    global left\n    left = {'text': '-'.join(['MARK', 'OF', 'THE', 'ROW', 'BEFORE'])}",
    ),
    # The whole mark is never a constant here: it would find itself.
    "an earlier row in the memory, byte by byte": Attack(
        """
import gc
PAGE = 4096
def mapped(address):
    return libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(PAGE), ctypes.byref(here)) == 0
here = ctypes.create_string_buffer(1)
def attack():
    starts = {id(thing) & ~(PAGE - 1) for thing in gc.get_objects()}
    libc.sbrk.restype = libc.mmap.restype = ctypes.c_void_p
    starts |= {libc.sbrk(0) - PAGE, ctypes.addressof(here) & ~(PAGE - 1)}
    starts |= {libc.mmap(None, ctypes.c_size_t(PAGE), 3, 0x22, -1, 0)}
    seen = set()
    for start in sorted(starts):
        for step in (PAGE, -PAGE):
            place = start if step > 0 else start - PAGE
            while place not in seen and mapped(place) and len(seen) < 50_000:
                seen.add(place)
                place += step
    if len(seen) < 1000:
        return f"through: only {len(seen)} pages were looked at"
    first, rest = b"MARK-OF-", [b"THE-", b"ROW-", b"BEFORE"]
    pipe = os.pipe()
    for place in seen:  # by a pipe, as a page may be mapped and not readable
        if libc.write(pipe[1], ctypes.c_void_p(place), ctypes.c_size_t(PAGE)) != PAGE:
            continue
        page = os.read(pipe[0], PAGE)
        at = page.find(first)
        while at >= 0:
            if page[at + 8:at + 12] == rest[0] and page[at + 16:at + 22] == rest[2]:
                return 'through'
            at = page.find(first, at + 1)
    return 'refused'
""",
        plant="def plant():\n    global left\n    left = bytearray(b'-'.join([b'MARK', b'OF', b'THE', b'ROW', b'BEFORE'])) * 99",
    ),
}

CONTROL = {
    "kill a sibling": call(62, "SIBLING", 9, off=SIGNAL, witness="the sibling is gone"),
    "stop a sibling": call(62, "SIBLING", 19, off=SIGNAL, witness="the sibling is stopped"),
    "kill everyone": call(62, -1, 9, off=SIGNAL, witness="everyone is gone"),
    "kill the parent": call(62, "os.getppid()", 9),
    "stop the parent": call(62, "os.getppid()", 19),
    "kill the group": call(62, 0, 0),
    "tkill the parent": call(200, "os.getppid()", 0),
    "tgkill the parent": call(234, "os.getppid()", "os.getppid()", 0),
    "a pidfd of the parent": call(434, "os.getppid()", 0),
    "a queued signal": call(129, "os.getppid()", 0, 0),
    "a sibling's limits": call(
        302,
        "SIBLING",
        7,
        "__import__('struct').pack('QQ', 9, 9)",
        0,
        off=("seccomp", "namespaces"),
        witness="the sibling's limits changed",
    ),
    "a sibling's affinity": call(
        203,
        "SIBLING",
        8,
        "bytes([1]) + bytes(7)",
        off=("seccomp", "namespaces"),
        witness="the sibling's affinity changed",
    ),
    "a sibling's niceness": call(
        141,
        0,
        "SIBLING",
        19,
        off=("seccomp", "namespaces"),
        witness="the sibling's niceness changed",
    ),
    "the parent's limits": call(302, "os.getppid()", 0, 0, 0),
    "the scheduler": call(144, 0, 0, 0),
    "a signal by a pipe's owner": call(72, 0, 8, "os.getppid()"),
    "a signal of choice by a pipe": call(72, 0, 10, 9),
    "a signal by a folder": call(72, 0, 1026, 1),
    "a signal by ioctl": call(16, 0, 0x8901, 0),
    "typing into the terminal": call(16, 0, 0x5412, 0),
    "undo the leash": call(157, 1, 0, 0, 0, 0),
    # Where a program handles core dumps, a limit of 0 does not stop them; this does.
    "be dumped": call(157, 4, 1, 0, 0, 0, off=("row_filter",)),
    "raise a limit": call(302, 0, 9, "__import__('struct').pack('qq', -1, -1)", 0),
    "become root": call(105, 0),
}

PROCESSES = {
    "fork": body("if os.fork() == 0: os._exit(0)", off=("row_filter",)),
    "vfork": call(58),
    "clone": call(56, 17, 0, 0, 0, 0),
    "a program": body(
        "import subprocess; subprocess.run(['/lib64/ld-linux-x86-64.so.2', '--help'], check=True)",
        off=("row_filter", "landlock"),
    ),
    "become a program": tries(
        "os.execv('/lib64/ld-linux-x86-64.so.2', ['ld', '--help'])", errno="EPERM"
    ),
    "posix_spawn": body(
        "os.posix_spawn('/lib64/ld-linux-x86-64.so.2', ['ld', '--help'], {})",
        off=("row_filter", "landlock"),
    ),
    "a fork bomb": body(
        "import signal; me = os.getpid()",
        "for _ in range(4): os.fork()",
        "if os.getpid() != me: signal.pause()",
        off=("row_filter",),
    ),
    "a daemon": body(
        "if os.fork() == 0:",
        "    os.setsid()",
        "    if os.fork() == 0: import time; time.sleep(60)",
        "    os._exit(0)",
        off=("row_filter",),
    ),
    "five processes with the memory of two rows": body(
        "pipe = os.pipe()",
        "for _ in range(5):",
        "    if os.fork() == 0:",
        "        keep = bytearray(80 << 20); os.write(pipe[1], b'.'); import signal; signal.pause()",
        "got = b''",
        "while len(got) < 5: got += os.read(pipe[0], 1)",
        off=("row_filter",),
    ),
}

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
    "shared memory": call(29, 0, 4096, 0o1600, off=("seccomp",)),
    "message queue": call(68, 0, 0o1600),
    "posix message queue": call(240, 0, 0, 0, 0),
    "semaphores": call(64, 0, 1, 0o1600),
    "posix semaphores": tries(
        "os.open('/dev/shm/sem.x', os.O_CREAT | os.O_RDWR)", errno="EACCES ENOENT EROFS"
    ),
    "the clock": call(227, 0, 0),
    "the host's name": call(170, 0, 0),
    "personality": call(135, 0x0040000),
    "modify_ldt": call(154, 0, 0, 0),
    "another seccomp filter": call(317, 0, 0, 0),
    "notifications of another's calls": call(317, 1, 8, 0),
    "kexec": call(246, 0, 0, 0, 0),
    "a module": call(175, 0, 0, 0),
    "reboot": call(169, 0, 0, 0, 0),
    "syslog": call(103, 10, 0, 0),
    "pages of a pipe": call(278, 1, 0, 0, 0),
    "an area of one's own process": call(157, 35, 1, 0, 0, 0),
    # What all programs of the machine share.
    "asynchronous requests": call(206, 1, "buffer(8)", off=("seccomp",)),
    "sync everything": call(162),
    "a core of its own": call(157, 62, 1, 0, 0, 0),
    "a call from the future": call(471, 0, errno="ENOSYS"),
    "an x32 call": Attack("def attack():\n    return syscall(0x40000000 + 39)\n", ends="signaled"),
    # mov eax, 20 (getpid); int 0x80; ret
    "int 0x80": Attack(
        """
def attack():
    import mmap
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(b"\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3")
    pid = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    return "through" if pid == os.getpid() else f"refused {pid}"
""",
        off=("seccomp",),
    ),
}
