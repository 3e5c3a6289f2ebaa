"""What a call is told and what it tells: values, prints, tracebacks, batches, nested runs."""

import asyncio
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox import Call, Limits, Pool, Status, examine, run_code

LAYERS = [proof.layer.name for proof in examine()] if os.name == "posix" else []


@pytest.fixture(scope="module")
def pool():
    pool = Pool(layers=LAYERS, workers=2, limits=Limits(wall_seconds=60, memory_bytes=512 << 20))
    yield pool
    pool.close()


def run(pool, source, *args):
    """One call of `grade`."""
    (outcome,) = pool.run_now([Call(source, "grade", list(args))])
    return outcome


def grade(body):
    """A source with a function of one argument."""
    return f"def grade(x):\n    {body}\n"


VALUES = [
    ("return 0.1 + 0.2", 0.1 + 0.2),
    ("return -0.0", -0.0),
    ("return 7", 7),
    ("return True", True),
    ("return None", None),
    ("return 'é\\ud800'", "é\ud800"),
    ("return [1, {'a': None}]", [1, {"a": None}]),
    ("return 10 ** 400", 10**400),
    ("import numpy; return numpy.float32(0.5)", 0.5),
    ("import numpy; return numpy.float64(0.1)", 0.1),
    ("import numpy; return numpy.int64(3)", 3),
    ("import numpy; return numpy.bool_(True)", True),
    ("return x", {"a": [1.5, "b", None, True]}),
]


@pytest.mark.parametrize(("body", "value"), VALUES)
def test_plain_values_come_back_as_they_are(pool, body, value):
    """And a numpy scalar as the number it is."""
    outcome = run(pool, grade(body), {"a": [1.5, "b", None, True]})

    assert (outcome.status, outcome.error) == (Status.OK, "")
    assert outcome.value == value
    assert type(outcome.value) is type(value)


OTHERS = [
    ("return 1j", "1j (complex)"),
    ("return {1, 2}", "{1, 2} (set)"),
    ("import decimal; return decimal.Decimal('0.5')", "Decimal('0.5') (Decimal)"),
    ("import numpy; return numpy.ones(2)", "array([1., 1.]) (ndarray)"),
    ("return [{1}]", "[{1}] (list)"),
    ("return 10 ** 5000", "an object of type int"),
    ("a = []; a.append(a); return a", "[[...]] (list)"),
]


@pytest.mark.parametrize(("body", "said"), OTHERS)
def test_other_values_are_described(pool, body, said):
    """They are no scores, and whoever reads it wants to know what came back."""
    outcome = run(pool, grade(body), {})

    assert (outcome.status, outcome.error) == (Status.BAD_VALUE, said)


def test_a_traceback_begins_with_the_graders_own_line(pool):
    """With its source, and nothing of ours."""
    outcome = run(pool, "import json\ndef grade(x):\n    return json.loads(x)\n", "{")

    lines = outcome.error.splitlines()
    assert lines[:3] == [
        "Traceback (most recent call last):",
        '  File "grade.py", line 3, in grade',
        "    return json.loads(x)",
    ]
    assert lines[-1].startswith("json.decoder.JSONDecodeError: Expecting property name")
    assert "calling.py" not in outcome.error


def test_what_is_printed_is_kept_by_row_and_capped(pool):
    """By Python, by the descriptor, and before a crash; the rest is dropped, with a note."""
    source = (
        "import os, sys\ndef grade(n):\n    print('out', n)\n    print('err', n, file=sys.stderr)\n"
        "    os.write(1, b'raw')\n    if n == 2:\n        os.abort()\n"
        "    if n == 3:\n        print('x' * 10**6)\n    return n\n"
    )
    one, two, three = pool.run_now([Call(source, "grade", [n]) for n in (1, 2, 3)])

    assert (one.stdout, one.stderr) == ("out 1\nraw", "err 1\n")
    assert (two.status, two.stdout, two.stderr) == (Status.SIGNALED, "out 2\nraw", "err 2\n")
    assert three.value == 3
    assert len(three.stdout) < 70_000
    assert three.stdout.endswith("x\n[... the rest was dropped]")


def test_what_a_call_takes_is_measured(pool):
    """Wall and processor time, and the most memory at once."""
    outcome = run(pool, grade("y = b'x' * (64 << 20); return sum(range(10**6))"), {})

    assert 0 < outcome.cpu_seconds < 60
    assert 0 < outcome.wall_seconds < 60
    assert outcome.peak_bytes > 64 << 20


def test_order_is_kept_over_sources_and_workers(pool):
    """Two sources in turn, on two workers."""
    sources = [grade("return x + 1"), grade("return -x")]
    outcomes = pool.run_now([Call(sources[n % 2], "grade", [n]) for n in range(40)])

    assert [o.value for o in outcomes] == [n + 1 if n % 2 == 0 else -n for n in range(40)]


def test_a_source_that_does_not_compile_fails_each_row(pool):
    """With the compiler's words."""
    outcomes = pool.run_now([Call("def grade(x) return 1", "grade", [n]) for n in range(3)])

    assert {outcome.status for outcome in outcomes} == {Status.RAISED}
    assert all("SyntaxError: expected ':'" in outcome.error for outcome in outcomes)


def test_a_batch_shares_a_process_and_is_resumed_after_a_crash():
    """Faster, and said so; what a crash takes with it is run again."""
    source = (
        "import os\nseen = []\ndef grade(n):\n    seen.append(n)\n"
        "    if n == 5:\n        os._exit(1)\n"
        "    print(n)\n    return seen\n"
    )
    pool = Pool(layers=LAYERS, workers=1, batch=4)
    outcomes = pool.run_now([Call(source, "grade", [n]) for n in range(10)])
    pool.close()

    assert [o.value for o in outcomes[:5]] == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [4]]
    assert outcomes[5].status is Status.NO_RESULT
    assert [o.value for o in outcomes[6:]] == [[6], [6, 7], [8], [8, 9]]
    assert [o.stdout for o in outcomes if o.value] == [f"{n}\n" for n in range(10) if n != 5]


NESTED = [
    ("print(6 * 7)", "", ("ok", "42\n", "", None)),
    ("6 * 7", "", ("ok", "", "", 42)),
    ("print(input()[::-1])", "abc", ("ok", "cba\n", "", None)),
    ("import sys; sys.exit(3)", "", ("raised", "", "SystemExit: 3", None)),
    ("def f(:", "", ("raised", "", "SyntaxError: invalid syntax", None)),
    ("while True: pass", "", ("timed_out", "", "timed out after 1 s", None)),
    ("bytearray(1 << 30)", "", ("out_of_memory", "", "MemoryError", None)),
    ("import os; os._exit(0)", "", ("no_result", "", "exit code 0", None)),
    ("import os; os.fork()", "", ("raised", "", "PermissionError", None)),
    ("import sandbox; sandbox.run_code('1')", "", ("raised", "", "inside a sandboxed", None)),
    ("import gc; any('meti eht'[::-1] in str(o)[:99] for o in gc.get_objects())", "", ("ok", "", "", False)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "stdin", "wanted"), NESTED)
def test_code_runs_in_a_second_sandbox(pool, code, stdin, wanted):
    """It sees neither the item nor the grader, and comes back as plain data."""
    source = (
        "import sandbox\ndef grade(sample, item):\n"
        "    code, stdin = sample['code'], sample['stdin']\n"
        "    seconds = 1 if 'while' in code else 20\n"
        "    return sandbox.run_code(code, stdin, timeout=seconds, memory=200 << 20)\n"
    )
    outcome = run(pool, source, {"code": code, "stdin": stdin}, {"secret": "the item"})
    ran = outcome.value

    status, stdout, stderr, value = wanted
    assert (ran["status"], ran["stdout"], ran["value"]) == (status, stdout, value)
    assert stderr in ran["stderr"]


def test_each_row_has_its_own_connection_to_nested_runs(pool):
    """Garbage in one hurts that row alone."""
    source = (
        "import os, sandbox\ndef grade(n):\n    if n % 2:\n        os.write(6, b'\\xff' * 99)\n"
        "    return sandbox.run_code(f'print({n})')['stdout']\n"
    )
    outcomes = pool.run_now([Call(source, "grade", [n]) for n in range(8)])

    assert [o.value for o in outcomes if o.status is Status.OK] == ["0\n", "2\n", "4\n", "6\n"]
    assert {o.status for o in outcomes[1::2]} == {Status.RAISED}


def test_run_code_needs_a_sandboxed_grader():
    """Outside there is nothing to ask."""
    with pytest.raises(RuntimeError, match=r"works inside a sandboxed grader only"):
        run_code("1")


def test_a_module_that_cannot_be_preloaded_is_no_failure():
    """The grader that needs it says so itself, with its line."""
    pool = Pool(layers=LAYERS, workers=1, preload=["json", "no_such_module"])
    fine = run(pool, grade("return 1"), {})
    fails = run(pool, "import no_such_module\n" + grade("return 1"), {})
    pool.close()

    assert fine.value == 1
    assert 'File "grade.py", line 1' in fails.error


def test_a_module_that_starts_a_thread_is_not_preloaded(tmp_path):
    """A fork would take along whatever lock the thread holds: rows import it for themselves."""
    starts = (
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    (tmp_path / "starts_a_thread.py").write_text(starts)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    source = "import sys\n" + grade("return [m for m in ('json', x) if m in sys.modules]")
    pool = Pool(layers=LAYERS, workers=1, python=str(python), preload=["starts_a_thread"])
    outcome = run(pool, source, "starts_a_thread")
    (mother,) = pool._warm.mothers.values()
    threads = os.listdir(f"/proc/{mother.pid}/task")
    pool.close()

    assert (outcome.value, len(threads)) == (["json"], 1)


def test_an_interpreter_in_tmp_leaves_rows_nothing_to_write_beside_it():
    """Its folders stand in the row's own /tmp, and a file there would outlive the row."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        python = Path(folder, "deep", "python")
        python.parent.mkdir()
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        Path(folder).chmod(0o755)
        box = Pool(layers=LAYERS, workers=1, python=str(python))
        box._interpreter = replace(
            box._interpreter, readable=(*box._interpreter.readable, str(python.parent))
        )
        top = f"/tmp/{Path(folder).name}"
        tries = [f"open({top + place!r}, 'w')" for place in ("/x", "/deep/x")]
        tries += [f"os.rename({top!r}, '/tmp/y')", f"os.mkdir({top!r} + '/d')"]
        said = [run(box, f"import os\n{grade(each)}", 0).error for each in tries]
        seen = run(box, "import os\n" + grade(f"return os.listdir({top!r} + '/deep')"), 0)
        box.close()

    assert seen.value == ["python"]
    refusals = ("Read-only file system", "Operation not permitted")
    assert all(any(word in text for word in refusals) for text in said), said


def test_a_cancelled_run_stops_at_once():
    """Whoever waits is not kept until the deadline; the pool goes on."""
    pool = Pool(layers=LAYERS, workers=2, limits=Limits(wall_seconds=60))

    async def cancelled():
        calls = [Call("import time\n" + grade("time.sleep(50)"), "grade", [0])] * 4
        task = asyncio.create_task(pool.run(calls))
        while not any(run.busy for run in pool._turns.runs):  # noqa: ASYNC110
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await pool.run([Call(grade("return 5"), "grade", [0])])

    (outcome,) = asyncio.run(asyncio.wait_for(cancelled(), 40))
    asyncio.run(pool.aclose())
    asyncio.run(pool.aclose())

    assert outcome.value == 5


FORGED = """
import os, signal, struct, threading, time
def frame(last):
    return struct.pack("<4sBdQI", b"LGS1", 1 | (0x80 if last else 0), 0.0, 0, 8) + struct.pack("<d", 9.0)
def grade(kind):
    if kind == "more to come":
        os.write(4, frame(last=False))
        for _ in range(20):
            os.read(5, 1)
            os.write(4, frame(last=False))
    if kind == "the last":
        os.write(4, frame(last=True))
        while True:
            os.read(5, 1)
    if kind == "two":
        os.write(4, frame(last=True) * 2)
        os._exit(0)
    if kind == "no way on":
        os.close(5)
    if kind == "a full way on" and os.path.exists("/proc/self/fd/5"):
        way = os.open("/proc/self/fd/5", os.O_WRONLY | os.O_NONBLOCK)
        try:
            while True:
                os.write(way, b"." * 4096)
        except BlockingIOError:
            pass
    if kind in ("no way back, later", "half, later"):
        def later():
            time.sleep(0.05)
            os.write(4, b"LGS1") if kind == "half, later" else os.close(4)
        threading.Thread(target=later, daemon=True).start()
    if kind == "stopped, later":
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGSTOP))
        signal.setitimer(signal.ITIMER_REAL, 0.05)
    if kind == "fine":
        time.sleep(0.02)
    return 1.0
"""


@pytest.mark.long
@pytest.mark.parametrize(
    "kind",
    [
        "more to come",
        "the last",
        "two",
        "no way on",
        "a full way on",
        "no way back, later",
        "half, later",
        "stopped, later",
    ],
)
@pytest.mark.parametrize("batch", [1, 3])
def test_forged_answers_stay_within_their_batch(kind, batch):
    """A row owns its own outcome, and in a batch its batch's; no later row reads its bytes."""
    pool = Pool(layers=LAYERS, workers=1, batch=batch, limits=Limits(wall_seconds=2))
    kinds = ["fine"] * batch + [kind] + ["fine"] * (batch - 1) + ["fine"] * batch
    outcomes = pool.run_now([Call(FORGED, "grade", [kind]) for kind in kinds])
    pool.close()

    assert [o.value for o in outcomes[:batch]] == [1.0] * batch
    assert [o.value for o in outcomes[2 * batch :]] == [1.0] * batch
