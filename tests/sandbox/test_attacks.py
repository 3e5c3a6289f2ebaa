"""Every attack of the table is refused, in each mode, and gets through where its layer is off.

Nothing here runs bare: modes are run as another user, and controls inside what is left of the
jail. The modes: root with every layer; an ordinary user with every layer; the same user where
there are no namespaces, as in most containers.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import attacks
import pytest

import sandbox
from sandbox import Limits, Pool

LAYERS = ["rlimits", "seccomp", "row_filter", "landlock", "network", "namespaces"]
NO_NAMESPACES = LAYERS[:4]
ROOT = os.getuid() == 0
NOBODY = 60_001  # a user that owns nothing
SYSTEM_PYTHON = "/usr/bin/python3"
MODES = {
    "an ordinary user": LAYERS,
    "no namespaces": NO_NAMESPACES,
    **({"root": [*LAYERS, "user"]} if ROOT else {}),
}
LIMITS = Limits(wall_seconds=30, memory_bytes=200 << 20, disk_bytes=10 << 20)

# With these the score stays the row's own affair, or it has none: what counts is the next row.
ENDS = {"ok", "raised", "signaled", "timed_out", "out_of_memory", "output_too_large"}
ENDS |= {"no_result", "bad_value"}


@cache
def tried(mode):
    """The outcomes of a whole table in one mode, as the user of that mode."""
    with tempfile.TemporaryDirectory(prefix="sandbox-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(Path(sandbox.__file__).parent, Path(folder, "sandbox"))
        script = shutil.copy(attacks.__file__, folder)
        shutil.copy(Path(attacks.__file__).with_name("crashes.py"), folder)
        python = sys.executable if mode == "root" else SYSTEM_PYTHON
        someone = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        done = subprocess.run(
            [python, script, folder, " ".join(MODES[mode])],
            capture_output=True,
            check=False,
            cwd="/",
            env={**os.environ, "LG_SECRET": "1"},
            **(someone if ROOT and mode != "root" else {}),
        )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", attacks.ATTACKS)
def test_an_attack_is_refused_and_the_next_row_is_graded(mode, name):
    """No attack reaches what it is after, and none changes the row that follows."""
    status, value, error, after = tried(mode)[name]

    assert status in ENDS
    assert not str(value).startswith("through"), error
    if errno := attacks.ATTACKS[name].errno:
        assert value == f"refused {errno}"
    assert after == 1.5


@pytest.mark.parametrize("mode", MODES)
def test_nothing_of_a_row_is_left_for_the_next(mode):
    """Globals, modules, environment, threads, files, modes, attributes and times."""
    before, first, after, second, at_the_end = tried(mode)["state"]

    assert (first, second) == (1.0, 1.0)
    assert before == after == at_the_end


@pytest.mark.parametrize("mode", MODES)
def test_crashes_and_killed_mothers_cost_no_row(mode):
    """200 rows: each has the outcome of its kind, and no process is left."""
    assert tried(mode)["faults"] == {"wrong": [], "left": False}


@pytest.mark.parametrize(
    ("name", "off"), [(name, a.off) for name, a in attacks.ATTACKS.items() if a.off]
)
def test_an_attack_gets_through_where_its_layer_is_off(name, off):
    """What is refused for another reason than its layer would prove nothing."""
    layers = {*LAYERS, *(["user"] if ROOT else [])} - {off}
    pool = Pool(layers=layers, limits=LIMITS, workers=1)
    try:
        ((status, value, error, after),) = attacks.outcomes(pool, [name]).values()
    finally:
        pool.close()

    assert (status, value, after) == ("ok", "through", 1.5), error


TELLS = {
    "time: a loop": ("timed_out", "timed out after 0.7 s"),
    "memory: bytes": ("out_of_memory", "MemoryError"),
    "memory: many files": ("raised", "No space left on device"),
    "no result: exit": ("no_result", "exit code 0"),
    "no result: sys.exit": ("raised", "SystemExit: 0"),
    "no result: kill oneself": ("signaled", "SIGKILL"),
    "no result: a bad pointer": ("signaled", "SIGSEGV"),
    "no result: abort": ("signaled", "SIGABRT"),
    "no result: a forged frame on every descriptor": ("no_result", "something else into the"),
    "no result: a giant frame": ("output_too_large", "larger than 1,048,576 bytes"),
    "no result: closed descriptors": ("no_result", "without a result"),
    "no result: a coroutine": ("bad_value", "(coroutine)"),
    "no result: a hostile error": ("raised", "<exception str() failed>"),
    "no result: no grade": ("raised", "defines no grade"),
    "no result: a syntax error": ("raised", "SyntaxError: invalid syntax"),
}


@pytest.mark.parametrize("name", TELLS)
def test_each_end_says_what_happened(name):
    """The status and the words are the same wherever it runs."""
    status, _, error, _ = tried("an ordinary user")[name]

    wanted, words = TELLS[name]
    assert status == wanted
    assert words in error
