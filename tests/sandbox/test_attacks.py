"""Every attack of the table is refused, in each mode, and gets through where its layers are off.

Nothing here runs bare: modes are run as another user, and controls in an outer jail. The modes:
root with every layer; an ordinary user with every layer; the same user where the kernel refuses
namespaces, as in most containers.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import attacks
import pytest
from attacks import ATTACKS, WAITING
from listed import LISTED

import sandbox

LAYERS = ["rlimits", "seccomp", "row_filter", "landlock", "network", "namespaces"]
ROOT = os.getuid() == 0
NOBODY = 60_001  # a user that owns nothing
ALSO_NOBODY = 60_002  # modes run side by side, and each counts what its user leaves
SYSTEM_PYTHON = "/usr/bin/python3"
MODES = {"an ordinary user": LAYERS, "no namespaces": LAYERS[:4]}
MODES |= {"root": [*LAYERS, "user"]} if ROOT else {}
DEADLINES = {"an ordinary user": [2, 3], "no namespaces": [2], "root": [2]}
QUICK = [name for name in ATTACKS if name not in WAITING]
# After these whoever tries attacks cannot go on: each has a jail of its own.
ALONE = {"files: remove the root", "control: kill everyone"}


def run(mode, *program, **want):
    """Try attacks in a copy of the sandbox, as the user of a mode; every line that is said."""
    with tempfile.TemporaryDirectory(prefix="sandbox-", dir="/var/tmp") as folder:
        for path in (Path(sandbox.__file__).parent, *Path(attacks.__file__).parent.glob("*.py")):
            copy = shutil.copytree if path.is_dir() else shutil.copy
            copy(path, Path(folder, path.name))
        Path(folder).chmod(0o755)
        nobody = ALSO_NOBODY if mode == "no namespaces" else NOBODY
        user = nobody if ROOT and mode != "root" else None
        for path in [Path(folder), *Path(folder).rglob("*")] if user else []:
            os.chown(path, user, user)  # what the user may not do is not what stops an attack
        python = sys.executable if mode == "root" else SYSTEM_PYTHON
        given = json.dumps({"path": folder, "folder": f"{folder}/around", **want})
        program = [arg.format(folder=folder) for arg in program]
        done = subprocess.run(
            [python, *program, *([python] if program else []), f"{folder}/attacks.py", given],
            capture_output=True,
            check=False,
            cwd="/",
            timeout=300,
            env={**os.environ, "LG_SECRET": "1"},
            **({"user": user, "group": user, "extra_groups": []} if user else {}),
        )
    said = dict(map(json.loads, done.stdout.splitlines()))
    assert said, done.stderr.decode()
    return {**said, "stderr": done.stderr.decode()}


FULL = "root" if ROOT else "an ordinary user"
TWICE = [mode for mode in MODES if mode != FULL]
"""Modes whose layers another one has too; tried where there is time for it."""
IN_EACH_MODE = [pytest.param(m, marks=[pytest.mark.long] if m in TWICE else []) for m in MODES]


def outcomes(mode):
    """The outcomes of the whole table in a mode."""
    return _tried(mode in TWICE)[mode]


@cache
def _tried(twice):
    """The outcomes of the whole table in several modes."""
    modes = [mode for mode in MODES if (mode in TWICE) is twice]

    def tried(mode):
        want = {"deadlines": DEADLINES[mode], "state": True, "faults": True}
        if mode == "no namespaces":  # it finds by itself that there are none
            return run(mode, "{folder}/refusing.py", "filter", "{folder}", **want)
        return run(mode, layers=MODES[mode], **want)

    with ThreadPoolExecutor() as threads:
        return dict(zip(modes, threads.map(tried, modes), strict=True))


@cache
def every_jail():
    """The outcomes of attacks in an outer jail, by the layers that are off and the one that is not."""
    groups = {}
    for name, attack in ATTACKS.items():
        for kept in (None, *(attack.off if len(attack.off) > 1 else ())) if attack.off else ():
            layers = [layer for layer in LAYERS if layer not in attack.off or layer == kept]
            key = (tuple(layers), name if name in ALONE else None)
            groups.setdefault(key, {})[name] = kept

    def tried(key):
        layers, _ = key
        jail = ("{folder}/jail.py", "{folder}")
        said = run("an ordinary user", *jail, layers=layers, names=[*groups[key]])
        return {(name, kept): said.get(name, said["ended"]) for name, kept in groups[key].items()}

    with ThreadPoolExecutor(3) as threads:
        return {name: what for said in threads.map(tried, groups) for name, what in said.items()}


@cache
def planted():
    """The outcomes of attacks that look for what their own row has planted."""
    names = [name for name, attack in ATTACKS.items() if attack.plant]
    return run("an ordinary user", layers=LAYERS, names=names, planted=True)


def test_nothing_of_the_list_is_missing_from_the_table():
    """Each item of the design's list has its attacks."""
    wanted = {
        f"{group}: {name}" if ": " not in name and name != "state" else name
        for group, items in LISTED.items()
        for names in items.values()
        for name in names
    }

    assert wanted - ATTACKS.keys() == {"state"}
    assert all(names for items in LISTED.values() for names in items.values())


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_is_without_a_control(name):
    """One kind: layers off, a plant, the kernel's own word, or the way it ends its row."""
    attack = ATTACKS[name]

    assert [bool(k) for k in (attack.off, attack.plant, attack.errno, attack.ends)].count(True) == 1
    assert not attack.witness or attack.off


@pytest.mark.parametrize("mode", IN_EACH_MODE)
@pytest.mark.parametrize("name", QUICK)
def test_an_attack_is_refused_and_the_next_row_is_graded(mode, name):
    """No attack reaches what it is after or does any harm, and none changes the row that follows."""
    attack = ATTACKS[name]
    status, value, error, _, harm, short = outcomes(mode)[name]

    assert not str(value).startswith("through"), error
    assert (harm, short, status == "broken") == ([], [], False), error
    if attack.errno:
        refused, _, said = str(value).partition(" ")
        assert (refused, said in attack.errno.split()) == ("refused", True), (value, error)
    if attack.ends:
        assert status in attack.ends.split(), error
        assert (
            status != "ok" or name.startswith("values:") or str(value).split()[0] in ("did", "9.0")
        )


@pytest.mark.parametrize(
    ("mode", "seconds"),
    [
        pytest.param(mode.values[0], seconds, marks=mode.marks)
        for mode in IN_EACH_MODE
        for seconds in DEADLINES[mode.values[0]]
    ],
)
@pytest.mark.parametrize("name", WAITING)
def test_what_does_not_end_is_ended_by_the_deadline(mode, seconds, name):
    """Whatever the deadline is: with a later one it is still running."""
    status, value, error, took, harm, short = outcomes(mode)[f"{name}, {seconds:g} s"]

    assert (value, harm, short) == (None, [], [])
    assert status in ATTACKS[name].ends.split(), error
    if status == "timed_out":
        assert f"more than {seconds:g} s" in error or f"timed out after {seconds:g} s" in error
        assert took >= seconds or ATTACKS[name].top
        assert took < 60  # on a machine as busy as this makes it


@pytest.mark.parametrize("mode", IN_EACH_MODE)
def test_a_mode_has_the_layers_that_it_is_named_for(mode):
    """Without namespaces they are what `standard` finds on a kernel that refuses them."""
    assert {*outcomes(mode)["layers"]} - {"process"} == {*MODES[mode]}


@pytest.mark.parametrize("mode", IN_EACH_MODE)
@pytest.mark.parametrize("leaves", ["state", "state without files"])
def test_nothing_of_a_row_is_left_for_the_next(mode, leaves):
    """Globals, modules, environment, threads, files, modes, attributes, times, flags and locks."""
    before, first, after, second, at_the_end = outcomes(mode)[leaves]

    assert (first, second) == (1.0, 1.0)
    assert before
    assert before == after == at_the_end


@pytest.mark.parametrize("mode", IN_EACH_MODE)
def test_crashes_and_killed_mothers_cost_no_row_and_no_process_is_left(mode):
    """100 rows: each has the outcome of its kind, and nothing runs when the pool is closed."""
    assert outcomes(mode)["faults"] == {"wrong": [], "left": False}
    assert outcomes(mode)["left"] is False


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.off])
def test_an_attack_gets_through_where_its_layers_are_off(name):
    """What is refused for another reason than its layers would prove nothing."""
    if name == "control: kill everyone":  # which told of no outcome: it was killed with the rest
        assert every_jail()[name, None] == [-9, []]
        return
    status, value, error, _, harm, short = every_jail()[name, None]

    assert (status, str(value)[:7], short) == ("ok", "through", []), error
    assert ATTACKS[name].witness in ["", *harm]


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "layer"),
    [(name, layer) for name, a in ATTACKS.items() if len(a.off) > 1 for layer in a.off],
)
def test_each_of_several_layers_is_enough(name, layer):
    """With one of them back on, the attack is refused, or reaches nothing that could be harmed."""
    _, value, error, _, harm, _ = every_jail()[name, layer]

    assert harm == []
    assert ATTACKS[name].witness or not str(value).startswith("through"), error


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.plant])
def test_a_search_finds_what_is_there(name):
    """One that finds nothing even then would prove nothing."""
    status, value, error, _, _, short = planted()[name]

    assert (status, str(value)[:7], short) == ("ok", "through", []), error


OUTSIDE = """
import json, os, socket
from pathlib import Path
status = Path("/proc/self/status").read_text()
def refused(action):
    try:
        action()
    except OSError:
        return True
    return False
capabilities = status.partition("CapEff:")[2].split()[0]
print(json.dumps(["jail", {
    "root": sorted(os.listdir("/")), "user": os.getuid(), "capabilities": int(capabilities, 16),
    "parent": os.getppid(), "passwd": Path("/etc/passwd").read_text(),
    "interfaces": [name for _, name in socket.if_nameindex() if name != "lo"],
    "reads only": refused(lambda: Path("/usr/x").write_text("x")),
}]))
"""


def test_the_outer_jail_is_one():
    """Nothing of this machine is in it but an interpreter and the folder."""
    with tempfile.TemporaryDirectory(prefix="sandbox-", dir="/var/tmp") as folder:
        shutil.copytree(Path(sandbox.__file__).parent, Path(folder, "sandbox"))
        jail = shutil.copy(Path(attacks.__file__).with_name("jail.py"), folder)
        Path(folder).chmod(0o755)
        done = subprocess.run(
            [SYSTEM_PYTHON, jail, folder, SYSTEM_PYTHON, "-c", OUTSIDE],
            capture_output=True,
            check=True,
            cwd="/",
            **({"user": NOBODY, "group": NOBODY, "extra_groups": []} if ROOT else {}),
        )
    seen = dict(map(json.loads, done.stdout.splitlines()))

    assert seen["jail"] == {
        "root": ["bin", "dev", "etc", "lib", "lib64", "proc", "srv", "tmp", "usr", "var"],
        "user": 1000,
        "capabilities": 0,
        "parent": 1,
        "passwd": "nobody:x:1000:1000::/:\n",
        "interfaces": [],
        "reads only": True,
    }
    assert seen["ended"] == [0, []]


TELLS = {
    "memory: bytes": ("out_of_memory", "MemoryError"),
    "memory: many files": ("raised", "No space left on device"),
    "no result: exit": ("no_result", "exit code 0"),
    "no result: sys.exit": ("raised", "SystemExit: 0"),
    "no result: kill oneself": ("signaled", "SIGKILL"),
    "no result: an alarm": ("signaled", "SIGALRM"),
    "no result: a bad pointer": ("signaled", "SIGSEGV"),
    "no result: abort": ("signaled", "SIGABRT"),
    "no result: no grade": ("raised", "defines no grade"),
    "no result: a syntax error": ("raised", "SyntaxError: invalid syntax"),
    "kernel: an x32 call": ("signaled", "SIGSYS"),
    "kernel: int 0x80": ("signaled", "SIGSYS"),
    "channel: a frame on every descriptor": ("no_result", "something else into the"),
    "channel: a giant frame": ("output_too_large", "larger than 1,048,576 bytes"),
    "channel: closed descriptors": ("no_result", "without a result"),
    "values: a coroutine": ("bad_value", "(coroutine)"),
    "values: a decimal": ("bad_value", "Decimal('0.5') (Decimal)"),
    "values: a hostile error": ("raised", "<exception str() failed>"),
}


@pytest.mark.parametrize("name", TELLS)
def test_each_end_says_what_happened(name):
    """The status and the words are the same wherever it runs."""
    status, _, error, *_ = outcomes(FULL)[name]

    wanted, words = TELLS[name]
    assert status == wanted
    assert words in error
