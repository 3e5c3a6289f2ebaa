"""The whole table of attacks, and a runner that tries them in one pool.

Run as a script (by another user, in another interpreter, in a jail) it prints an outcome a line, as
JSON; it imports the standard library and `sandbox` only.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
import answers
import inward
import outward
from hostile import PRELUDE

GROUPS = {
    "network": outward.NETWORK,
    "files": outward.FILES,
    "secrets": outward.SECRETS,
    "control": outward.CONTROL,
    "processes": outward.PROCESSES,
    "kernel": outward.KERNEL,
    "time": inward.TIME,
    "memory": inward.MEMORY,
    "no result": inward.NO_RESULT,
    "values": answers.VALUES,
    "channel": answers.CHANNEL,
    "floods": inward.FLOODS,
    "itself": inward.ITSELF,
    "nested": answers.NESTED,
}
ATTACKS = {f"{group}: {name}": a for group, table in GROUPS.items() for name, a in table.items()}
# What only the deadline ends; the others have time, however busy the machine is.
WAITING = [name for name, a in ATTACKS.items() if a.ends.startswith("timed_out")]
MARK = "MARK-OF-" + "THE-ROW-BEFORE"

# The first leaves something, and the second looks for it, in one zygote.
LEAVE = """
import builtins, fcntl, gc, json, os, random, resource, signal, sys, threading
random_before = random.random()
def grade(sample, item):
    builtins.left = 1; sys.modules["left"] = json; sys.meta_path.append(None); random.seed(7)
    os.environ["LEFT"] = "1"; json.left = 1; globals()["left"] = 1; gc.left = sample
    type.mro(bool); sys.path.append("left"); os.umask(0o777); sys.setrecursionlimit(77)
    signal.signal(signal.SIGTERM, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99))
    for d in (0, 1, 2):
        fcntl.fcntl(d, fcntl.F_SETFL, os.O_NONBLOCK | os.O_APPEND)
        fcntl.flock(d, fcntl.LOCK_EX)
    try:
        if not item["files"]: raise OSError
        os.makedirs("/tmp/a/b"); open("/tmp/a/b/c", "w").close(); os.chmod("/tmp/a", 0)
        os.setxattr("/tmp", "user.left", b"1"); os.utime("/tmp", (7, 7)); os.chmod("/tmp", 0o700)
    except OSError:
        pass
    os.chdir("/"); threading.Thread(target=threading.Event().wait, daemon=True).start()
    return 1.0
def look():
    found = [n for n in ("left",) if hasattr(builtins, n) or n in sys.modules or hasattr(json, n)]
    found += ["global"] if "left" in globals() else []
    found += ["environment"] if "LEFT" in os.environ else []
    found += ["meta_path"] if None in sys.meta_path or "left" in sys.path else []
    found += ["threads"] if threading.active_count() > 1 else []
    found += ["random"] if random.random() == random.Random(7).random() else []
    for d in (0, 1, 2):
        flags = fcntl.fcntl(d, fcntl.F_GETFL)
        found += [f"flags of {d}"] if flags & (os.O_NONBLOCK | os.O_APPEND) else []
    if os.getcwd() == "/tmp":
        found += ["time of access"] if os.stat("/tmp").st_atime != os.stat("/tmp").st_mtime else []
        found += os.listdir("/tmp") + os.listxattr("/tmp")
        found += ["time"] if os.stat("/tmp").st_mtime == 7 else []
    found += [os.umask(0o22), os.getcwd(), sys.getrecursionlimit()]
    found += [str(signal.getsignal(signal.SIGTERM)), resource.getrlimit(resource.RLIMIT_NOFILE)]
    return found
"""
PATIENCE = 30
"""Seconds for a row that ends by itself, however busy the machine is."""
ORDINARY = "def grade(sample, item):\n    return sample['x'] / 2\n"


def tried(pool, around, names, *, planted=False):
    """Try attacks one by one, each between ordinary rows of its own source and of another.

    Yields:
        The name, and: status, value, error and seconds of the attack; the harm that it did; what
        became of the rows after it, where they were not graded.
    """
    harm = []
    for name in names:
        if harm:
            around.restore()
        quiet, go, other = calls(name, around, planted=planted)
        top = ATTACKS[name].top
        rows = [go, other] if top else [quiet, go, quiet, other]
        attack, *after = pool.run_now(rows)[0 if top else 1 :]
        got_through = str(attack.value).startswith("through")
        harm = around.harm(ATTACKS[name].witness if got_through else "")
        yield name, [*told(attack), harm, short(after)]


def tried_together(pool, around, names):
    """The same for attacks that wait: as many at once as there are workers."""
    every = {name: calls(name, around) for name in names}
    attacks = pool.run_now([go for _, go, _ in every.values()])
    quiet = {name: quiet for name, (quiet, _, _) in every.items() if not ATTACKS[name].top}
    pool.limits = replace(pool.limits, wall_seconds=PATIENCE)  # these are not what is too slow
    after = dict(zip(quiet, pool.run_now([*quiet.values()]), strict=True))
    harm = around.harm()
    for name, attack in zip(every, attacks, strict=True):
        yield name, [*told(attack), harm, short([after[name]] if name in after else [])]


def calls(name, around, *, planted=False):
    """A row that is ordinary, one that attacks, and one of another source."""
    from sandbox import Call

    attack = ATTACKS[name]
    source = around.facts() + PRELUDE + attack.source + "\n" + (attack.plant if planted else "")
    quiet = Call(source, "grade", [{"text": MARK}, {}])
    go = Call(source, "grade", [{"go": 1, "text": ""}, {}])
    return quiet, go, Call(ORDINARY, "grade", [{"x": 3}, {}])


def told(outcome):
    """What counts of an outcome, as plain data."""
    seconds = round(outcome.wall_seconds, 3)
    return [outcome.status.value, outcome.value, outcome.error[-2000:], seconds]


def short(outcomes):
    """Of ordinary rows, those that were not graded."""
    graded = (1.5, {"text": MARK * 99})
    return [f"{o.status}: {o.error}" for o in outcomes if o.value not in graded]


def traces(pool, *, files):
    """What a row sees before and after another left all it could, and what that one gave.

    One that leaves files takes its zygote with it: what else it leaves is seen without.
    """
    from sandbox import Call

    source = f"{LEAVE}# a zygote of its own, as files are {files}\n"
    left, looked = Call(source, "grade", [{}, {"files": files}]), Call(source, "look", [])
    return [outcome.value for outcome in pool.run_now([looked, left, looked, left, looked])]


def processes_of(users):
    """Every process of some users that has not ended."""
    from crashes import state

    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            owner = int(path.joinpath("status").read_text().partition("Uid:")[2].split()[0])
        except OSError:
            continue
        if owner in users and state(int(path.name))[0] != "gone":
            found.add(int(path.name))
    return found


def main(given):
    """Try what is asked for as whoever runs this; an outcome a line."""
    want = json.loads(given)
    sys.path.insert(0, want["path"])
    from crashes import faults, gone
    from witness import Around

    from sandbox import Level, Limits, Pool
    from sandbox.doctor import examine, layers_for
    from sandbox.interpreter import interpreter
    from sandbox.pool import make_plan

    layers = want.get("layers") or layers_for(Level.STANDARD, examine())
    limits = Limits(wall_seconds=PATIENCE, memory_bytes=200 << 20, disk_bytes=10 << 20)
    user = make_plan(interpreter(), layers, limits)["user"]
    users = {user, os.getuid()} - {0, None}
    before = processes_of(users)
    around = Around(want["folder"], user)

    def pool(workers=1, **changed):
        return Pool(layers=layers, limits=replace(limits, **changed), workers=workers)

    def say(name, what):
        print(json.dumps([name, what]), flush=True)

    say("layers", sorted(layers))
    names = want.get("names") or ATTACKS
    one = pool()
    for name, what in tried(
        one,
        around,
        [name for name in names if name not in WAITING],
        planted=want.get("planted", False),
    ):
        say(name, what)
    if want.get("state"):
        say("state", traces(one, files=True))
        say("state without files", traces(one, files=False))
    one.close()
    for seconds in want.get("deadlines", []):
        many = pool(4, wall_seconds=seconds)
        for name, what in tried_together(many, around, WAITING):
            say(f"{name}, {seconds:g} s", what)
        many.close()
    if want.get("faults"):
        say("faults", faults(pool(2), 100))
    around.close()
    say("left", not gone(processes_of(users) - before))


if __name__ == "__main__":
    main(sys.argv[1])
