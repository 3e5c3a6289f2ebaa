"""Coverage of a grader, taken in the sandbox: what it tells, and what it leaves as it is."""

import asyncio
import re

import pytest

from graders.testing.coverage import (
    Branch,
    Covering,
    coverage_of,
    to_coverage,
    to_lines,
    union,
    with_marks,
)
from sandbox import Call, Limits, Status, open_sandbox


@pytest.fixture(scope="module")
def box():
    """A sandbox whose calls may take three seconds."""
    box = open_sandbox(limits=Limits(wall_seconds=3))
    yield box
    box.close()


def cover(box, source, *samples):
    """The outcomes of a source's calls, and what they ran."""
    covering = Covering(box)
    outcomes = asyncio.run(covering.run([Call(source, "grade", [one, {}]) for one in samples]))
    return outcomes, covering.coverage(source)


ONE_LINE = """
def grade(sample, item):
    if sample == "a": return 1
    kind = "long" if len(sample) > 3 else "short"
    return {"long": 2}.get(kind, 3 if item else 4)
"""


def test_decisions_on_one_line_have_branches_too(box):
    """Where coverage.py sees one line, and graders are full of them."""
    _, found = cover(box, ONE_LINE, "bb")

    assert found.missing == ()
    assert [(one.line, one.outcome) for one in found.executed_branches] == [
        (3, "false"),
        (4, "false"),
        (5, "false"),
    ]
    assert found.missing_branches == (
        Branch(3, 3, "true"),
        Branch(4, 4, "true"),
        Branch(5, 5, "true"),
    )


ENDINGS = {
    "a value": "return 0.25",
    "an error": "raise ValueError(sample)",
    "an error further down": "return (lambda x: 1 / x)(0)",
    "an exit": "raise SystemExit(3)",
    "no number": "return {}.get",
    "prints": "import sys\n    print('o')\n    print('e', file=sys.stderr, end='')\n    return 1",
    "a chain": "try:\n        {}['k']\n    except KeyError as e:\n        raise OSError from e",
    "its own source": "import inspect\n    return inspect.getsource(grade)",
    "its names": "return sorted(globals())",
    "no memory": "return len(bytearray(1 << 40))",
    "a closed stream": "import os\n    os.close(2)\n    return 1 if sample else 0",
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("place", ["in grade", "in the module"])
def test_what_a_grader_comes_to_is_the_same_with_marks(box, ending, place):
    """Value, status, traceback to the caret, and what it printed."""
    body = ENDINGS[ending]
    source = f"'''doc'''\nsample = 'x'\ndef grade(sample, item):\n    {body}\n"
    if place == "in the module":
        source += "VALUE = grade('module', {})\n"
    calls = [Call(source, "grade", ["s", {}])]
    (bare,) = asyncio.run(box.run(calls))
    (marked,) = asyncio.run(Covering(box).run(calls))

    for name in ("status", "value", "stdout", "stderr"):
        assert getattr(marked, name) == getattr(bare, name), name
    assert without_address(marked.error) == without_address(bare.error)


def without_address(text):
    return re.sub(r"0x[0-9a-f]+", "0x", text)


@pytest.mark.long
@pytest.mark.parametrize(
    ("last", "status"),
    [
        ("while True: pass", Status.TIMED_OUT),
        ("import os\n    os._exit(0)", Status.NO_RESULT),
        ("import ctypes\n    ctypes.string_at(0)", Status.SIGNALED),
    ],
)
def test_a_call_that_is_killed_has_told_what_it_ran(box, last, status):
    """Marks are told when they are first seen, and not at the end."""
    source = (
        f"def grade(sample, item):\n    if sample:\n        item = 1\n    {last}\n    return 1\n"
    )
    (outcome,), found = cover(box, source, "x")

    assert outcome.status is status
    assert {1, 2, 3, 4} <= {*found.executed}
    assert found.missing == (len(source.splitlines()),)


def test_what_a_source_does_happens_in_the_sandbox_alone(box, tmp_path):
    """The host parses it and knows its lines; it executes nothing of it."""
    trap = tmp_path / "trap"
    source = f"open({str(trap)!r}, 'w').close()\ndef grade(sample, item):\n    return 1.0\n"
    (outcome,), found = cover(box, source, "x")

    assert not trap.exists()
    assert outcome.status is Status.RAISED  # the sandbox has no such folder
    assert (found.executed, found.missing) == ((1,), (2, 3))
    exec(source, {})  # the control: it would have been written
    assert trap.exists()


LIES = [
    "import os\n    os.write(2, b'\\x1e99999\\n\\x1e1\\n')\n    return 1",
    "import builtins\n    builtins.__seen__ = {}\n    return 1",
    "import os\n    os.write = None\n    return 1",
]


@pytest.mark.parametrize("lie", LIES)
def test_a_grader_can_lie_about_its_own_coverage_and_nothing_else(box, lie):
    """What comes out is coverage of its lines, whatever it says."""
    source = f"def grade(sample, item):\n    {lie}\n"
    _, found = cover(box, source, "x")

    assert {*found.executed, *found.missing} == set(range(1, len(source.splitlines()) + 1))


def test_a_source_that_cannot_be_marked_runs_as_it_is(box):
    """Hundreds of branches within one another; a source that does not parse."""
    deep = "def grade(s, i):\n    if s: return 1\n" + "    elif i: return 2\n" * 900
    broken = "def grade(s, i) return 1"

    assert with_marks(broken) == broken
    assert to_coverage(broken, []) is None
    (outcome,), found = cover(box, deep, "x")
    assert (outcome.value, found) == (1, None)


def test_what_a_flood_hides_is_not_known(box):
    """Rather than reported as never run."""
    source = (
        "import sys\ndef grade(sample, item):\n    print('x' * 100_000, file=sys.stderr)\n"
        "    return 1 if item else 2\n"
    )
    (outcome,), found = cover(box, source, "x")

    assert (outcome.value, found) == (2, None)
    assert [*to_lines(found, "g.py")] == [
        "g.py: not known what ran: it is nested too deeply, or prints too much on stderr"
    ]


def test_runs_of_a_source_add_up(box):
    """Line by line and branch by branch; an unknown one makes all unknown."""
    _, one = cover(box, ONE_LINE, "a")
    _, other = cover(box, ONE_LINE, "bb")
    _, both = cover(box, ONE_LINE, "a", "bb")

    assert union([one, other]) == union([other, one, one]) == both
    assert union([one, None]) is None
    assert union([]) is None


def test_nothing_to_run_is_all_covered(box):
    """No statement, no branch, no division by zero."""
    found = asyncio.run(coverage_of("'''Nothing.'''", [], box))

    assert list(to_lines(found, "empty.py")) == [
        "empty.py: 100% covered, 0 of 0 lines and 0 of 0 branches"
    ]
