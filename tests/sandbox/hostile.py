"""What an attack is: a source, and what shows that it is one.

Each source defines `attack()`, which raises, dies or returns a text that begins with "refused"
where it is stopped, "through" where it is not, and "did" where it did something that is its own
row's affair. Everything here is the standard library's: other users run it in other interpreters.

An attack that is refused for another reason than its layer proves nothing, so each has a control:

- `off`: the layers that stop it, each of them alone. Without them all it gets through, inside an
  outer jail (see jail.py); with any one of them back it does not.
- `plant`: it looks for something; where its own row plants that, it finds it.
- `errno`: one system call; what the kernel must have answered. For what no control can be harmless
  for, or what an ordinary user may not do in any case.
- `ends`: it ends its own row, in the way it means to: that status is the control. For loops it is
  the deadline, which is no layer: the time shows that it was still running.
"""

from typing import NamedTuple

PRELUDE = '''
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def syscall(number, *arguments):
    """Make a system call; "through", or the refusal by its name."""
    values = [ctypes.c_char_p(a) if isinstance(a, bytes) else ctypes.c_long(a) for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *values)
    return "through" if result >= 0 else "refused " + errno.errorcode[ctypes.get_errno()]
def tries(action):
    try:
        action()
    except OSError as error:
        return "refused " + str(errno.errorcode.get(error.errno, error.errno))
    return "through"
def buffer(size):
    global kept
    kept = ctypes.create_string_buffer(size)
    return ctypes.addressof(kept)
def plant():
    pass
def grade(sample, item):
    if "go" in sample:
        plant()
        return attack()
    keep = [bytes(sample["text"], "ascii") * 9, sample["text"] * 99]
    for stream in (sys.stdout, sys.stderr):
        print(keep[1] * 32, file=stream)  # more than is kept
        for _ in range(50):
            print(keep[1][:300], file=stream)
    return {"text": keep[1]}
'''


class Attack(NamedTuple):
    """One attempt, and its control."""

    source: str
    off: tuple[str, ...] = ()  # the layers without which it gets through, in an outer jail
    errno: str = ""  # what the refused call must have said: one of these
    ends: str = ""  # how it must end its own row: one of these statuses
    plant: str = ""  # source of a `plant()` with which it finds what it looks for
    witness: str = ""  # the harm that is seen where it gets through
    top: bool = False  # the module itself is the attack: no row of this source can be graded


def body(*lines, **control):
    """An attack of some lines that gets through if all of them run."""
    text = "\n    ".join([*lines, "return 'through'"])
    return Attack(f"def attack():\n    {text}\n", **control)


def call(number, *arguments, **control):
    """An attack that is one system call (x86_64 numbers)."""
    values = ", ".join(map(str, (number, *arguments)))
    if not control.keys() & {"off", "errno"}:
        control["errno"] = "EPERM"
    return Attack(f"def attack():\n    return syscall({values})\n", **control)


def tries(expression, **control):
    """An attack that is one expression, and its refusal an error's name."""
    return Attack(f"def attack():\n    return tries(lambda: {expression})\n", **control)
