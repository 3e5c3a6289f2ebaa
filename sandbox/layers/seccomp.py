"""System calls that a row cannot make, as BPF programs for seccomp.

Two filters. `filter_for_all` is installed once in the zygote and inherited. `filter_for_row` is
put on by each child, because the zygote itself must go on forking and killing.

A refused call gives EPERM, so that code sees an error and not a crash; a call newer than our
tables gives ENOSYS, and so does clone3, whose flags a filter cannot read (EPERM there would break
threads in glibc, ENOSYS makes it use clone). Another architecture's calls (int 0x80, x32) kill.
"""

from __future__ import annotations

import ctypes
import errno
import struct

from sandbox import linux

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Final

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_NUMBER, _ARCHITECTURE, _X32 = 0, 4, 0x40000000
_ARGUMENT = (16, 24, 32, 40, 48, 56)  # offsets of the low halves, little-endian

_CLONE_THREAD = 0x00010000
_NEW_NAMESPACES = 0x7E020000  # NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET

_REFUSED: Final = """
    ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd process_madvise process_mrelease
    move_pages migrate_pages mbind set_mempolicy setpriority ioprio_set
    sched_setaffinity sched_setscheduler sched_setattr sched_setparam
    mount umount2 pivot_root chroot setns unshare open_tree move_mount fsopen fsconfig fsmount
    fspick mount_setattr statmount listmount mknod mknodat name_to_handle_at open_by_handle_at
    bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register fanotify_init
    add_key request_key keyctl kexec_load kexec_file_load init_module finit_module delete_module
    create_module reboot swapon swapoff acct syslog sethostname setdomainname iopl ioperm
    modify_ldt uselib _sysctl quotactl quotactl_fd nfsservctl lookup_dcookie personality
    settimeofday clock_settime clock_adjtime adjtimex
    memfd_create memfd_secret shmget shmat shmctl shmdt semget semop semtimedop semctl
    msgget msgsnd msgrcv msgctl mq_open mq_unlink vmsplice
    inotify_init inotify_init1 io_setup io_submit sync syncfs open_tree_attr file_setattr
    socket connect accept accept4 bind listen setuid setgid capset
""".split()  # noqa: SIM905 - a list of this length reads best as text
_REFUSED_TO_ROWS: Final = [
    "fork",
    "vfork",
    "execve",
    "execveat",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "pidfd_open",
    "pidfd_send_signal",
    "seccomp",
    "sendmmsg",
    "sendmsg",  # which carries descriptors; those in flight count for all of a user's processes
    "tkill",
]

# Modes, owners, times and attributes, which Landlock lets anyone change who owns a file. With a
# mount namespace all but the scratch folder is read-only, and without one no file is written.
_REFUSED_WITHOUT_SCRATCH: Final = """
    chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat
    setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat
""".split()  # noqa: SIM905 - as above

# What may be asked of a descriptor. Other commands send signals to any process of the same user
# (F_SETOWN, FIOSETOWN), make whoever opens a file wait (F_SETLEASE), type for the user (TIOCSTI)
# or change a file that is open for reading (FS_IOC_SETFLAGS).
_COMMANDS: Final = {
    # F_DUPFD to F_SETLKW, locks of open files, F_DUPFD_CLOEXEC, sizes of pipes, F_GET_SEALS
    "fcntl": (*range(8), 36, 37, 38, 1030, 1031, 1032, 1034),
    # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
    "ioctl": (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451),
}
# A row that outlives its zygote would be an orphan: it may not undo the leash. A process that may
# be dumped is, even with a limit of 0, where the host has a program that handles dumps: what it
# held would outlive it. A cookie for core scheduling keeps others off the other half of a core.
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SCHED_CORE = 1, 4, 62
_PID: Final = struct.Struct("I")
_ITSELF: Final = 0x7FFFFFFF  # stands for a process id, and is none


def filter_for_all(*, scratch: bool) -> bytes:
    """The program that every process of a zygote runs under.

    Args:
        scratch: Whether there is a folder to write in, and nothing else can be written.
    """
    program = [
        _op(_LOAD, _ARCHITECTURE),
        _op(_EQUAL, _ARCHITECTURES[linux.MACHINE], yes=1),
        _op(_RETURN, _KILL),
        _op(_LOAD, _NUMBER),
    ]
    if linux.MACHINE == "x86_64":
        program += [_op(_AT_LEAST, _X32, no=1), _op(_RETURN, _KILL)]
    program += [_op(_AT_LEAST, linux.LAST_KNOWN + 1, no=1), _refuse(errno.ENOSYS)]
    program += _when("clone3", [_refuse(errno.ENOSYS)])
    program += _when("clone", [_op(_LOAD, _ARGUMENT[0]), *_refuse_if(_ANY_BIT, _NEW_NAMESPACES)])
    # A pair of connected streams is all that asyncio needs; a datagram pair could reach others.
    stream_pair = [
        _op(_LOAD, _ARGUMENT[0]),
        *_refuse_unless(1),
        _op(_LOAD, _ARGUMENT[1]),
        _op(_AND, 0xF),
        *_refuse_unless(1),
    ]
    program += _when("socketpair", stream_pair)
    # The limits of any process but the caller's own, the host's included, are out of reach.
    program += _when("prlimit64", [_op(_LOAD, _ARGUMENT[0]), *_refuse_unless(0)])
    for name, commands in _COMMANDS.items():
        program += _when(name, [_op(_LOAD, _ARGUMENT[1]), *_refuse_unless(*commands)])
    refused = [*_REFUSED, *([] if scratch else _REFUSED_WITHOUT_SCRATCH)]
    return b"".join([*program, *_refuse_each(refused)])


def filter_for_row(pid: int) -> bytes:
    """The program a row adds: no new process, no other program, no signal but to itself."""
    program = [_op(_LOAD, _NUMBER)]
    threads_only = [_op(_LOAD, _ARGUMENT[0]), _op(_ANY_BIT, _CLONE_THREAD, yes=1)]
    program += _when("clone", [*threads_only, _refuse(errno.EPERM)])
    for name in ("kill", "tgkill"):
        program += _when(name, [_op(_LOAD, _ARGUMENT[0]), *_refuse_unless(pid)])
    options = [_op(_LOAD, _ARGUMENT[0])]
    for option in (_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SCHED_CORE):
        options += _refuse_if(_EQUAL, option)
    program += _when("prctl", options)
    return b"".join([*program, *_refuse_each(_REFUSED_TO_ROWS)])


def install(program: bytes) -> None:
    """Put a filter on the calling process, for good. Needs no_new_privs or CAP_SYS_ADMIN.

    Raises:
        OSError: The kernel refuses.
    """
    code = ctypes.create_string_buffer(program, len(program))
    linux.syscall("seccomp", 1, 0, _header(code))


def prepare_row_filter() -> Callable[[int], None]:
    """A function that puts the row filter on, with as little work as possible left to do.

    Every page that a child touches is copied for it, so all is laid out before the fork; what a
    child adds is its own process id.
    """
    program = filter_for_row(_ITSELF)
    code = ctypes.create_string_buffer(program, len(program))
    places = [
        i + 4 for i in range(0, len(program), 8) if program[i + 4 : i + 8] == _PID.pack(_ITSELF)
    ]
    install_it = linux.prepared("seccomp", 1, 0, _header(code))

    def install_for(pid: int) -> None:
        for place in places:
            _PID.pack_into(code, place, pid)
        install_it()

    return install_for


def _header(code: ctypes.Array[ctypes.c_char]) -> bytes:
    return struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(code))


def _op(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)


def _refuse(error: int) -> bytes:
    return _op(_RETURN, _ERRNO | error)


def _refuse_if(test: int, value: int) -> list[bytes]:
    return [_op(test, value, no=1), _refuse(errno.EPERM)]


def _refuse_unless(*values: int) -> list[bytes]:
    left = range(len(values), 0, -1)
    tests = [_op(_EQUAL, value, yes=n) for value, n in zip(values, left, strict=True)]
    return [*tests, _refuse(errno.EPERM)]


def _when(name: str, steps: list[bytes]) -> list[bytes]:
    """Steps for one system call, which is allowed where none of them refuses."""
    nr = linux.number(name)
    if nr is None:
        return []
    body = [*steps, _op(_RETURN, _ALLOW)]
    return [_op(_EQUAL, nr, no=len(body)), *body]


def _refuse_each(names: Iterable[str]) -> list[bytes]:
    numbers = sorted(nr for name in names if (nr := linux.number(name)) is not None)
    # One list of comparisons: the kernel keeps a bitmap of calls that are always allowed.
    tests = [_op(_EQUAL, nr, yes=len(numbers) - i) for i, nr in enumerate(numbers)]
    return [*tests, _op(_RETURN, _ALLOW), _refuse(errno.EPERM)]
