"""Which layers hold on this machine, each proved by trying what it should stop.

A layer's canary is code that runs in a sandbox with that layer alone and tries something harmless
that the layer forbids. That a system call succeeded is no proof; that the canary was held is. With
`controls` the same canary also runs without the layer, where it must get through: a canary that
is always held would prove nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from sandbox.limits import Level, Limits
from sandbox.types import Call, Outcome, Status

if TYPE_CHECKING:
    from sandbox.interpreter import Interpreter
    from sandbox.mother import Mother

_CANARY_LIMITS: Final = Limits(memory_bytes=256 << 20, wall_seconds=10)
_REFUSES: Final = """
def canary():
    try:
        attempt()
    except (OSError, MemoryError) as error:
        return f"held: {type(error).__name__}: {error}"
    return "got through"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One isolation mechanism.

    Attributes:
        name: What results call it.
        stops: What it is for.
        missing: What it means where it is not there.
        remedy: How to get it.
        canary: Source with `canary()`, which says "held" or not.
    """

    name: str
    stops: str
    missing: str
    remedy: str
    canary: str


LAYERS: Final[Sequence[Layer]] = (
    Layer(
        name="process",
        stops="secrets in the environment, the host's memory, forged results on stdout",
        missing="",
        remedy="",
        canary="""
import os
KNOWN = {"PATH", "HOME", "LANG", "TZ", "PYTHONHASHSEED", "LC_CTYPE", "OPENBLAS_NUM_THREADS",
         "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NLTK_DATA"}
def is_open(descriptor):
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
def canary():
    foreign = set(os.environ) - KNOWN
    extra = [d for d in range(6, 256) if is_open(d)]
    return f"got through: {foreign} {extra}" if foreign or extra else "held: clean environment"
""",
    ),
    Layer(
        name="rlimits",
        stops="memory, CPU time, file size, descriptors",
        missing="one row can take the machine's memory",
        remedy="Linux has them always.",
        canary=f"def attempt():\n    bytearray(400 << 20)\n{_REFUSES}",
    ),
    Layer(
        name="seccomp",
        stops="sockets, io_uring, ptrace, bpf, keys, new namespaces, other processes' limits",
        missing="too much of the kernel is in reach: nothing runs without it",
        remedy="A kernel with CONFIG_SECCOMP_FILTER, on x86_64 or aarch64.",
        canary=f"import socket\ndef attempt():\n    socket.socket().close()\n{_REFUSES}",
    ),
    Layer(
        name="row_filter",
        stops="new processes, other programs, signals to others",
        missing="a row could leave processes behind",
        remedy="The same as seccomp.",
        canary=f"""
import os
def attempt():
    if os.fork() == 0:
        os._exit(0)
{_REFUSES}""",
    ),
    Layer(
        name="landlock",
        stops="the host's files; from ABI 6 on also signals and abstract sockets",
        missing="only the mount namespace hides files",
        remedy="Linux 5.13 or newer with landlock among the active security modules.",
        # A folder that is there with and without a root of our own, and never among the allowed.
        canary=f"import os\ndef attempt():\n    os.listdir('/')\n{_REFUSES}",
    ),
    Layer(
        name="network",
        stops="all network, the loopback included",
        missing="seccomp alone refuses sockets",
        remedy="Allow user namespaces (see namespaces).",
        canary=f"""
import socket
def attempt():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"x", ("127.0.0.1", 9))
{_REFUSES}""",
    ),
    Layer(
        name="namespaces",
        stops="leftover processes, /proc, host files, disk and inode use (a /tmp of its own)",
        missing="no row can write files: there is no scratch folder with a limit",
        remedy="Allow user namespaces: sysctl kernel.apparmor_restrict_unprivileged_userns=0 on "
        "Ubuntu; in Docker --security-opt seccomp=unconfined, or --cap-add SYS_ADMIN.",
        canary="""
import os
def canary():
    if os.getppid() == 1 and not os.path.exists("/etc/passwd"):
        return "held: its parent is process 1, and there is no /etc"
    return "got through"
""",
    ),
    Layer(
        name="user",
        stops="what root may do without asking; RLIMIT_NPROC is void for root",
        missing="as root, nothing runs without it",
        remedy="An interpreter that other users can read, or run as an ordinary user.",
        canary="""
import os
def canary():
    try:
        os.setuid(0)
    except OSError as error:
        return f"held: user {os.getuid()}, {error}"
    return "got through"
""",
    ),
)
NAMES: Final = tuple(layer.name for layer in LAYERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a canary showed.

    Attributes:
        layer: What was tried.
        active: Whether it holds here.
        seen: What the canary met, or why the layer could not be put on.
        control: Whether the canary gets through without the layer; None where not tried.
    """

    layer: Layer
    active: bool
    seen: str
    control: bool | None = None


class IsolationError(Exception):
    """This machine cannot give the isolation that was asked for; says what is missing."""


@cache
def examine(python: str | None = None, *, controls: bool = False) -> tuple[Proof, ...]:
    """Try every layer that this kind of user can have.

    Args:
        python: The interpreter to try it in; the one that runs this by default.
        controls: Whether to show that each canary gets through without its layer.

    Raises:
        IsolationError: The system is not Linux, or the interpreter does not start.
    """
    from sandbox.interpreter import interpreter

    if not sys.platform.startswith("linux"):
        raise IsolationError(not_linux())
    from sandbox.mother import BrokenSandboxError, Mother

    mother = None
    try:
        found = interpreter(python)
        mother = Mother(found, ())
        mother.wait()
        trials = _Trials(mother, found)
        return tuple(
            trials.prove(layer, controls=controls) for layer in LAYERS if trials.fits(layer)
        )
    except (OSError, BrokenSandboxError) as error:
        raise IsolationError(str(error)) from None
    finally:
        if mother is not None:
            mother.close()


class _Trials:
    """Canaries, in zygotes of one mother."""

    def __init__(self, mother: Mother, python: Interpreter) -> None:
        self._mother, self._python = mother, python
        self._root = os.getuid() == 0
        self._base = {"rlimits", *(["user"] if self._root else [])}
        first = self._try(LAYERS[0], self._base)
        if first.status is Status.BROKEN:
            # An interpreter that only root can read: others see it in a root of their own.
            self._base |= {"namespaces"}
            if self._try(LAYERS[0], self._base).status is Status.BROKEN:
                raise IsolationError(_nothing_starts(first.error, python, root=self._root))

    def fits(self, layer: Layer) -> bool:
        """An ordinary user is another user than root already."""
        return layer.name != "user" or self._root

    def prove(self, layer: Layer, *, controls: bool) -> Proof:
        outcome = self._try(layer, self._base | {layer.name})
        control = None
        if controls and layer.name not in ("process", "user"):
            # Never without another user: a control may do what its layer would have stopped.
            without = self._try(layer, self._base - {layer.name})
            if without.status is not Status.BROKEN:
                control = _value(without) == "got through"
        seen = _value(outcome)
        return Proof(
            layer=layer,
            active=seen.startswith("held"),
            seen=seen.removeprefix("held: "),
            control=control,
        )

    def _try(self, layer: Layer, layers: set[str]) -> Outcome:
        from sandbox.mother import BrokenSandboxError
        from sandbox.plan import make_plan
        from sandbox.zygote import Zygote

        try:
            zygote = Zygote(
                self._mother, make_plan(self._python, layers, _CANARY_LIMITS), layer.canary
            )
            try:
                zygote.start(_CANARY_LIMITS.wall_seconds)
                call = Call(layer.canary, "canary", [])
                (outcome,) = zygote.run([call], _CANARY_LIMITS.wall_seconds)
            finally:
                zygote.close()
        except BrokenSandboxError as error:
            return Outcome(status=Status.BROKEN, error=str(error))
        return outcome


def _value(outcome: Outcome) -> str:
    if outcome.status is Status.OK:
        return str(outcome.value)
    return outcome.error.strip().rpartition("\n")[2] or str(outcome.status)


def _nothing_starts(error: str, python: Interpreter, *, root: bool) -> str:
    """What to say where not even a process with limits comes up."""
    remedy = (
        f"As root it becomes another user first, and that one must be able to read {python.path}: "
        "run as an ordinary user, or with an interpreter that all can read (--python)."
        if root
        else f"It runs {python.path}."
    )
    return f"no sandbox starts here: {error}. {remedy}"


def not_linux() -> str:
    """What to say where isolation cannot be had."""
    return (
        f"python graders need Linux to run isolated, and this is {sys.platform}. Run them in a "
        "Linux container, or, for code you wrote yourself, with --sandbox unsafe"
    )


def layers_for(level: Level, proofs: Sequence[Proof]) -> frozenset[str]:
    """The layers to use: every one that holds, if they are enough for the level.

    Raises:
        IsolationError: They are not; says which are missing and how to get them.
    """
    holds = {proof.layer.name: proof.active for proof in proofs}
    missing = [name for name, active in holds.items() if not active]
    if level is Level.STANDARD:
        fatal = {"process", "rlimits", "seccomp", "row_filter", "user"}
        hidden = holds.get("landlock") or holds.get("namespaces")
        missing = [n for n in missing if n in fatal or not (hidden or n == "network")]
    if missing:
        raise IsolationError(_complaint(level, [p for p in proofs if p.layer.name in missing]))
    return frozenset(name for name, active in holds.items() if active)


def grades_a_row(level: Level, proofs: Sequence[Proof], python: str | None = None) -> bool:
    """Whether a row gets through with all the layers of a level together."""
    from sandbox.pool import Pool

    try:
        layers = layers_for(level, proofs)
    except IsolationError:
        return False
    pool = Pool(layers=layers, workers=1, python=python, limits=_CANARY_LIMITS)
    try:
        (outcome,) = pool.run_now([Call("def grade(x): return x", "grade", [1.0])])
    finally:
        pool.close()
    return outcome.value == 1.0


def _complaint(level: Level, proofs: Sequence[Proof]) -> str:
    lines = [f"the sandbox level {level} needs what this machine does not give:"]
    lines += [f"  {p.layer.name}: {p.seen}. {p.layer.remedy}" for p in proofs]
    return "\n".join(lines)


def as_json(proofs: Sequence[Proof]) -> list[Mapping[str, object]]:
    """The same for programs."""
    return [
        {
            "layer": proof.layer.name,
            "active": proof.active,
            "seen": proof.seen,
            "stops": proof.layer.stops,
            "if_missing": proof.layer.missing,
            "remedy": proof.layer.remedy,
            "control": proof.control,
        }
        for proof in proofs
    ]
