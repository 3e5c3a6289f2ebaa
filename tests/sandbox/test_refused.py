"""Where the kernel refuses namespaces, the sandbox finds that by itself and says so.

The refusal is the kernel's: a filter like Docker's, or a user namespace that may have no others.
"""

import json
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest
import refusing

import sandbox

ROOT = os.getuid() == 0
NOBODY = 60_001
SYSTEM_PYTHON = "/usr/bin/python3"
SCRIPT = """
import json, sys
sys.path.insert(0, {folder!r})
from sandbox import Call, IsolationError, examine, open_sandbox
seen = {{proof.layer.name: [proof.active, proof.seen] for proof in examine()}}
box = open_sandbox("standard", workers=1)
source = "import os\\ndef grade(sample, item):\\n    return [sample['x'] / 2, os.getuid(), os.listdir('/usr/lib') != []]\\n"
(outcome,) = box.run_now([Call(source, "grade", [{{"x": 3}}, {{}}])])
box.close()
try:
    open_sandbox("strict")
    strict = "opened"
except IsolationError as error:
    strict = str(error)
print(json.dumps([seen, sorted(box.layers), outcome.value, strict]))
"""
# How the kernel refuses, who runs, and what unshare answers.
WAYS = {
    "as Docker does": ("filter", False, "Operation not permitted"),
    "by a limit": ("limit", False, "No space left on device"),
    **({"to root, as Docker does": ("filter", True, "Operation not permitted")} if ROOT else {}),
}


@cache
def told(way):
    """What the script prints where namespaces are refused in one way."""
    how, as_root, _ = WAYS[way]
    with tempfile.TemporaryDirectory(prefix="sandbox-", dir="/var/tmp") as folder:
        shutil.copytree(Path(sandbox.__file__).parent, Path(folder, "sandbox"))
        program = shutil.copy(refusing.__file__, folder)
        Path(folder).chmod(0o755)
        someone = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        code = SCRIPT.format(folder=folder)
        done = subprocess.run(
            [SYSTEM_PYTHON, program, how, folder, SYSTEM_PYTHON, "-c", code],
            capture_output=True,
            check=False,
            cwd="/",
            timeout=120,
            **(someone if ROOT and not as_root else {}),
        )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.mark.parametrize("way", WAYS)
def test_layers_that_the_kernel_refuses_are_not_active(way):
    """With its answer; all the others are."""
    seen, *_ = told(way)

    assert {name for name, (active, _) in seen.items() if not active} == {"namespaces", "network"}
    assert all(WAYS[way][2] in said for active, said in seen.values() if not active)


@pytest.mark.parametrize("way", WAYS)
def test_standard_opens_without_them_and_grades(way):
    """Landlock hides files there; as root, a row is still another user."""
    _, layers, (half, user, libraries_are_there), _ = told(way)
    becomes = ["user"] if WAYS[way][1] else []

    assert layers == sorted(["process", "rlimits", "seccomp", "row_filter", "landlock", *becomes])
    assert (half, libraries_are_there) == (1.5, True)
    assert user != 0


@pytest.mark.parametrize("way", WAYS)
def test_strict_refuses_and_says_what_is_missing(way):
    """Each layer, the kernel's answer, and what to do."""
    *_, strict = told(way)

    first, *rest = strict.splitlines()
    assert first == "the sandbox level strict needs what this machine does not give:"
    assert [line.split(":")[0].strip() for line in rest] == ["network", "namespaces"]
    assert WAYS[way][2] in rest[0]
    assert "Allow user namespaces" in rest[1]
