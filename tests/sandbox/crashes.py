"""Ways a row can crash, what each is called, and whether anything of it is left.

Imports the standard library and `sandbox` only: other users run this in other interpreters.
"""

import os
import random
import signal
from pathlib import Path
from time import monotonic

CRASHES = """
import os, sys
def grade(kind):
    if kind == "raise": raise ValueError(kind)
    if kind == "exit": os._exit(7)
    if kind == "abort": os.abort()
    if kind == "kill": os.kill(os.getpid(), 9)
    if kind == "close": os.closerange(0, 99)
    if kind == "large": return "x" * 2**21
    if kind == "memory": bytearray(2**40)
    if kind == "object": return sys
    if kind == "file": open("/tmp/x", "w").close()
    return kind
"""
ENDS = {
    "raise": "raised",
    "exit": "no_result",
    "abort": "signaled",
    "kill": "signaled",
    "close": "no_result",
    "large": "output_too_large",
    "memory": "out_of_memory",
    "object": "bad_value",
    "file": "ok",
    "fine": "ok",
}


def state(pid):
    """A process' state and session; a dead one that nobody has looked after counts as gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "gone", 0
    return "gone" if fields[0] in "ZX" else fields[0], int(fields[3])


def processes(pool):
    """Everything that the pool's mothers started and that still runs: their session is hers."""
    mothers = {mother.pid for mother in pool._warm.mothers.values()}
    pids = {int(path.name) for path in Path("/proc").glob("[0-9]*")}
    return {pid for pid in pids if state(pid)[1] in mothers and state(pid)[0] != "gone"}


def gone(pids):
    """Whether processes end; the kernel may take a moment over it."""
    until = monotonic() + 60
    while any(state(pid)[0] != "gone" for pid in pids):
        if monotonic() > until:
            return False
    return True


def faults(pool, rows):
    """Random crashes, the mothers killed in between: outcomes that differ, and what is left."""
    from sandbox import Call

    random.seed(rows)
    # Without a scratch folder writing is refused, and that is a different end.
    kinds = random.choices([kind for kind in ENDS if kind != "file"], k=rows)
    wrong = []
    for part in (kinds[: rows // 2], kinds[rows // 2 :]):
        outcomes = pool.run_now([Call(CRASHES, "grade", [kind]) for kind in part])
        got = zip(part, outcomes, strict=True)
        wrong += [(kind, o.status.value, o.error) for kind, o in got if o.status != ENDS[kind]]
        for mother in pool._warm.mothers.values():
            os.kill(mother.pid, signal.SIGKILL)
    left = processes(pool)
    pool.close()
    return {"wrong": wrong, "left": not gone(left)}
