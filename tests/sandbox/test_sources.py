"""What a source may count on, and what one costs that is made to cost."""

import pytest

from sandbox import Call, Limits, Pool, Status, examine, open_sandbox

LAYERS = [proof.layer.name for proof in examine()]

# Each `finally` is compiled twice: 22 of them inside one another are four million times the body.
BOMB = "def grade(x):\n" + "".join(
    f"{' ' * (4 * n + 4)}try: pass\n{' ' * (4 * n + 4)}finally:\n" for n in range(19)
)
BOMB += " " * 80 + "x = (x, x, x, x)\n"

USES_ITS_MODULE = [
    (
        "from __future__ import annotations\nfrom dataclasses import KW_ONLY, dataclass\n"
        "@dataclass\nclass P:\n    a: int\n    _: KW_ONLY\n    b: float = 0.5\n"
        "def grade(x):\n    return P(x).b"
    ),
    (
        "import pickle\nclass P:\n    b = 0.5\n"
        "def grade(x):\n    return pickle.loads(pickle.dumps(P())).b"
    ),
    (
        "import sys, typing\nP = typing.NamedTuple('P', [('b', 'float')])\n"
        "def grade(x):\n    return float(sys.modules[P.__module__].P is P) / 2"
    ),
    "import inspect\ndef grade(x):\n    return 0.5 if 'return 0.5' in inspect.getsource(grade) else 0",
]


@pytest.mark.parametrize("level", ["standard", "unsafe"])
@pytest.mark.parametrize("source", USES_ITS_MODULE)
def test_a_source_is_a_module_like_any_other(source, level):
    """Dataclasses, pickle and inspect look their module up."""
    box = open_sandbox(level, workers=1)
    (outcome,) = run(box, Call(source, "grade", [1]))
    box.close()

    assert (outcome.value, outcome.error) == (0.5, "")


ORDER = "def grade(x):\n    return ''.join(set(x))\n"


@pytest.mark.parametrize("level", ["standard", "unsafe"])
def test_the_order_of_sets_is_the_seeds(level):
    """By default it is always the same; other seeds are for those who ask whether it matters."""
    orders = []
    for seed in (0, 0, 1, 2):
        box = open_sandbox(level, workers=1, hash_seed=seed)
        (outcome,) = run(box, Call(ORDER, "grade", ["abcdefgh"]))
        box.close()
        orders.append(outcome.value)

    assert orders[0] == orders[1]
    assert len(set(orders)) == 3


@pytest.mark.parametrize("level", ["standard", "unsafe"])
@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_hash_seed_is_one_that_python_takes(level, seed):
    with pytest.raises(ValueError, match=f"hash_seed is from 0 to 4294967295, got {seed}"):
        open_sandbox(level, hash_seed=seed)


def run(box, *calls):
    """Outcomes, whichever kind of sandbox."""
    import asyncio

    return asyncio.run(box.run(calls))


@pytest.mark.parametrize(
    ("limits", "status", "words"),
    [
        (Limits(wall_seconds=1), Status.TIMED_OUT, "timed out after 1 s, compiling the source"),
        (Limits(memory_bytes=100 << 20, wall_seconds=100), Status.RAISED, "MemoryError"),
    ],
)
def test_a_source_that_costs_too_much_to_compile_is_the_rows_failure(limits, status, words):
    """Compiling is under the limits of a row, and done once: the others get the same answer."""
    pool = Pool(layers=LAYERS, workers=1, limits=limits)
    outcomes = pool.run_now([Call(BOMB, "grade", [1])] * 50 + [Call("grade = abs", "grade", [-3])])
    pool.close()

    assert {outcome.status for outcome in outcomes[:-1]} == {status}
    assert all(words in outcome.error for outcome in outcomes[:-1])
    assert outcomes[-1].value == 3


NESTED = """
import sandbox
def grade(code):
    return sandbox.run_code(code, timeout=5)
"""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "def f():\n    return 1 / 0\nf()",
            'Traceback (most recent call last):\n  File "<code>", line 3, in <module>\n    f()\n'
            '  File "<code>", line 2, in f\n    return 1 / 0\n           ~~^~~\nZeroDivisionError',
        ),
        ("import pickle\nclass A: pass\npickle.loads(pickle.dumps(A())).x", "has no attribute 'x'"),
        ("import os\nopen('/tmp/x', 'wb').write(bytes(65 << 20))", "File too large"),
        ("import os\nassert len(os.sched_getaffinity(0)) == 2", "AssertionError"),
        ("import resource\nprint(resource.getrlimit(resource.RLIMIT_CPU)[1])\n1/0", "ZeroDivision"),
    ],
)
def test_nested_code_has_a_traceback_of_its_own_and_less_of_everything(code, said):
    """Neither our frames nor the standard library's code.py; one processor, a small disk."""
    pool = Pool(layers=LAYERS, workers=1)
    (outcome,) = pool.run_now([Call(NESTED, "grade", [code])])
    pool.close()

    assert outcome.value["status"] == "raised"
    assert said in outcome.value["stderr"]
    assert "runner" not in outcome.value["stderr"]
