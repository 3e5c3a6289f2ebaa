"""Each layer is proved by a canary, and a machine that lacks one is told so."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import sandbox
from sandbox import Call, IsolationError, Limits, Status, open_sandbox
from sandbox.doctor import LAYERS, as_json, examine, layers_for
from sandbox.limits import Level
from sandbox.pool import Pool

HALF = "def half(x):\n    return x / 2\n"


def without(*names):
    """The proofs of this machine, as if it lacked some layers."""
    return [
        replace(proof, active=False, seen="Operation not permitted")
        if proof.layer.name in names
        else proof
        for proof in examine()
    ]


def test_every_canary_is_held_and_gets_through_without_its_layer():
    """A canary that is always held would prove nothing."""
    proofs = {proof.layer.name: proof for proof in examine(controls=True)}

    assert {name for name, proof in proofs.items() if not proof.active} == set()
    assert {name for name, proof in proofs.items() if proof.control is False} == set()
    assert {"seccomp", "row_filter", "landlock", "network", "rlimits"} <= {
        name for name, proof in proofs.items() if proof.control
    }


@pytest.mark.parametrize(
    ("level", "missing", "complaint"),
    [
        (Level.STRICT, ["network"], "  network: Operation not permitted. Allow user namespaces"),
        (Level.STANDARD, ["seccomp"], "  seccomp: Operation not permitted. A kernel with"),
        (Level.STANDARD, ["landlock", "namespaces"], "  landlock: Operation not permitted. Linux"),
        (Level.STANDARD, ["row_filter"], "  row_filter: Operation not permitted. The same"),
    ],
)
def test_a_machine_that_gives_too_little_is_refused(level, missing, complaint):
    """The message names each missing layer and how to get it."""
    with pytest.raises(IsolationError) as caught:
        layers_for(level, without(*missing))

    first, *rest = str(caught.value).splitlines()
    assert first == f"the sandbox level {level} needs what this machine does not give:"
    assert any(line.startswith(complaint) for line in rest)


@pytest.mark.parametrize("missing", [["network", "namespaces"], ["landlock"], ["network"]])
def test_standard_does_without_what_another_layer_stops(missing):
    """Seccomp refuses sockets; files are hidden by Landlock or by mounts."""
    layers = layers_for(Level.STANDARD, without(*missing))

    assert layers == {proof.layer.name for proof in examine()} - set(missing)


@pytest.mark.skipif(os.getuid() != 0, reason="is about root")
def test_where_nothing_starts_the_one_cause_is_named():
    """Root without the right to become someone else; not eight layers that seem to be missing."""
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c"]
    code = "import sys; from graders.cli import main; sys.exit(main(['doctor']))"
    done = subprocess.run([*command, code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "graders: no sandbox starts here: [Errno 1] user: Operation not permitted. As root it "
        "becomes another user first, and that one must be able to read "
    )


def test_the_findings_are_data_too():
    """Every layer is there with what it stops; programs read this form."""
    findings = as_json(examine())

    assert [finding["layer"] for finding in findings] == [
        layer.name for layer in LAYERS if layer.name in {p.layer.name for p in examine()}
    ]
    assert all(finding["stops"] for finding in findings)


@pytest.mark.parametrize("level", ["strict", "standard"])
def test_a_level_opens_a_pool_with_the_layers_that_hold(level):
    """And the pool records them."""
    box = open_sandbox(level, workers=1)
    try:
        (outcome,) = box.run_now([Call(HALF, "half", [3])])
    finally:
        box.close()

    assert outcome.value == 1.5
    assert box.layers == {proof.layer.name for proof in examine()}


UNSAFE = [
    (HALF, [3], Status.OK, 1.5, ""),
    ("def half(x):\n    return x.y\n", [3], Status.RAISED, None, "line 2, in half"),
    ("def half(x) return", [3], Status.RAISED, None, "SyntaxError: expected ':'"),
    ("import os\nos._exit(4)", [3], Status.NO_RESULT, None, "exit code 4"),
    ("import os\nos.abort()", [3], Status.SIGNALED, None, "SIGABRT"),
    ("while True: pass", [3], Status.TIMED_OUT, None, "timed out after 2 s"),
    ("def half(x):\n    return 'x' * 2**21\n", [3], Status.OUTPUT_TOO_LARGE, None, "larger than"),
    ("def half(x):\n    return half\n", [3], Status.BAD_VALUE, None, "(function)"),
]


@pytest.mark.parametrize(("source", "args", "status", "value", "error"), UNSAFE)
def test_unsafe_is_a_process_per_row(source, args, status, value, error):
    """The fallback for other systems says the same of each end, without isolation."""
    seconds = 2 if status is Status.TIMED_OUT else 60
    box = open_sandbox("unsafe", workers=1, limits=Limits(wall_seconds=seconds))
    (outcome,) = asyncio.run(box.run([Call(source, "half", args)]))
    asyncio.run(box.aclose())

    assert (outcome.status, outcome.value, box.layers) == (status, value, frozenset())
    assert error in outcome.error


def test_what_unsafe_code_prints_is_kept():
    """As in a sandbox."""
    box = open_sandbox("unsafe", workers=1)
    source = "import sys\ndef half(x):\n    print(x)\n    print('e', file=sys.stderr)\n    return 1"
    (outcome,) = asyncio.run(box.run([Call(source, "half", [3])]))
    box.close()

    assert (outcome.stdout, outcome.stderr) == ("3\n", "e\n")


ELSEWHERE = """
import asyncio, subprocess, sys, sysconfig, tempfile
import click, multiprocessing.connection, numpy, pydantic, rapidfuzz, rich.progress  # these know the real one
sysconfig.get_config_vars()
sys.platform = {platform!r}
sys.modules["resource"] = None
import os
for name in ("sched_getaffinity", "fork", "getuid"):
    if hasattr(os, name):
        delattr(os, name)
sys.path.insert(0, {root!r})
import sandbox, graders
from graders.cli import main
print(sorted(sandbox.__all__) == sorted(n for n in sandbox.__all__ if getattr(sandbox, n, None)))
try:
    sandbox.open_sandbox("standard")
except sandbox.IsolationError as error:
    print(error)
print(main(["run", {string_check!r}, "--sample", "x", "--item", '{{"a": "x"}}']))
print(main(["run", {python!r}, "--sample", "x", "--item", '{{"a": "x"}}']))
print(main(["run", {python!r}, "--sandbox", "unsafe", "--sample", "x", "--item", '{{"a": "x"}}']))
"""


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_on_other_systems_all_but_isolation_works(platform, tmp_path):
    """Other graders run, a python grader gets an honest message, and `unsafe` is there."""
    configs = {"string_check": tmp_path / "s.json", "python": tmp_path / "p.json"}
    text = {"input": "{{sample.output_text}}", "reference": "{{item.a}}", "operation": "eq"}
    configs["string_check"].write_text(json.dumps({"type": "string_check", "name": "s", **text}))
    source = "def grade(sample, item):\n    return 0.25"
    configs["python"].write_text(json.dumps({"type": "python", "name": "p", "source": source}))
    paths = {name: str(path) for name, path in configs.items()}
    root = str(Path(sandbox.__file__).parents[1])
    code = ELSEWHERE.format(platform=platform, root=root, **paths)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    message = (
        f"python graders need Linux to run isolated, and this is {platform}. Run them in a Linux "
        "container, or, for code you wrote yourself, with --sandbox unsafe"
    )
    assert done.stderr.splitlines() == [
        f"graders: {message}",
        "warning: --sandbox unsafe: python graders run with your own rights",
    ]
    first, said, _, reward, zero, refused, _, unsafe_reward, fine = done.stdout.splitlines()
    assert (first, said) == ("True", message)
    assert (reward.split(), zero) == (["reward", "1", "passed"], "0")
    assert (refused, unsafe_reward.split(), fine) == ("2", ["reward", "0.25"], "0")


@pytest.mark.parametrize("name", Limits.__slots__)
def test_a_limit_is_more_than_nothing(name):
    """0 would mean no limit to the kernel in some places, and no run in others."""
    with pytest.raises(ValueError, match=f"{name} must be more than 0, got 0"):
        Limits(**{name: 0})


def test_an_interpreter_that_does_not_run_is_named():
    """The path is the first thing one looks for."""
    with pytest.raises(OSError, match=r"does not run"):
        Pool(layers=[], python="/bin/false")
