"""`graders run` beside what people use: OpenJudge's runner and promptfoo, on the same rows.

Three tasks over EVOUNA's samples (benchmarks/README.md): "text", half a case-insensitive contains
and half fuzzy_match; and a python grader, "lean" (one line of the standard library) and "heavy"
(imports numpy, pandas, scikit-learn and rapidfuzz). Every contestant is a process that reads a
file of one sample a line in the form it likes best, grades, and writes a file. Its start-up is
the same command over one sample, and samples per second are the others over the time beyond it;
slow contestants get fewer samples. Scores are compared, sample by sample, with the first
contestant's. Median of interleaved rounds.

    PYTHONPATH=. python benchmarks/engine/peers.py --peers FOLDER [--rounds 3] [--workers N]

FOLDER is made where it is absent (2.3 GB, some minutes), by these commands with the versions
below; every user must be able to read it, since the sandbox runs its interpreter:

    python -m venv FOLDER/venv; FOLDER/venv/bin/pip install PIP...
    npm install --prefix FOLDER NPM...
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from measured import CONFIG, GRADERS, Taken, data, taken_by

PIP = [
    "py-openjudge==0.2.4",
    # What the heavy grader imports; all three contestants run it with this interpreter.
    *("numpy==2.4.6", "pandas==2.3.3", "scikit-learn==1.9.1", "rapidfuzz==3.14.6"),
]
NPM = ["promptfoo@0.123.1", "node@22.23.3"]  # promptfoo wants Node 22.22, systems have older ones
HERE = Path(__file__).parent
# Like the graders of benchmarks/sandbox/speed.py, by the names of these rows.
SOURCES = {
    "lean": (
        "def grade(sample, item):\n"
        "    return float(item['reference_answer'].lower() in sample['output_text'].lower())\n"
    ),
    "heavy": (
        "import numpy, pandas, sklearn.metrics, rapidfuzz.fuzz\n"
        "def grade(sample, item):\n"
        "    return rapidfuzz.fuzz.ratio(sample['output_text'], item['reference_answer']) / 100\n"
    ),
}
GET_ASSERT = (
    "def get_assert(output, context):\n"
    "    item = {'reference_answer': context['vars']['reference_answer']}\n"
    "    return grade({'output_text': output}, item)\n"
)
CONTAINS = {"type": "icontains", "value": "{{reference_answer}}"}
RATIO = {"type": "javascript", "value": f"file://{HERE / 'ratio.cjs'}"}
NEAR = {"type": "levenshtein", "value": "{{reference_answer}}"}
PROMPTFOO = {
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "PROMPTFOO_FAILED_TEST_EXIT_CODE": "0",  # a low score is no failure of the run
}
QUIET = ["--no-cache", "--no-write", "--no-table", "--no-progress-bar", "--no-share"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command over some samples, and how its scores are read."""

    command: list[str]
    scores: Callable[[], list[float]]
    env: Mapping[str, str] | None = None


class Place(NamedTuple):
    """Where a job is made: its own folder, the peers' folder, and what `--workers` said."""

    folder: Path
    peers: Path
    workers: list[str]

    @property
    def python(self) -> str:
        return str(self.peers / "venv/bin/python")


class Contestant(NamedTuple):
    """One way to do one task; `settings` are options or assertions of its own."""

    task: str
    name: str
    isolation: str
    samples: int
    prepare: Callable[[Place, str, list[dict], list], Job]
    settings: list


def ours(place: Place, task: str, samples: list[dict], settings: list[str]) -> Job:
    """`graders run`: rows as they are, the multi or the source."""
    config = place.folder / ("grader.json" if task == "text" else "grader.py")
    config.write_text(SOURCES.get(task) or json.dumps(CONFIG))
    rows, results = write_lines(place.folder / "rows.jsonl", samples), place.folder / "out.jsonl"
    python = ["--python", place.python] if task == "heavy" else []
    options = [*python, *place.workers, *settings]
    return Job(
        command=[*GRADERS, "run", str(config), str(rows), "-o", str(results), *options],
        scores=lambda: [one["score"] for one in read_lines(results)],
    )


def openjudge(place: Place, task: str, samples: list[dict], _: list) -> Job:
    """GradingRunner, in openjudge_run.py."""
    grader = place.folder / "grader.py"
    grader.write_text(SOURCES.get(task, ""))
    what = "text" if task == "text" else str(grader)
    rows, results = write_lines(place.folder / "rows.jsonl", samples), place.folder / "out.jsonl"
    return Job(
        command=[place.python, str(HERE / "openjudge_run.py"), what, str(rows), str(results)],
        scores=lambda: [one["score"] for one in read_lines(results)],
    )


def promptfoo(place: Place, task: str, samples: list[dict], settings: list[dict]) -> Job:
    """`promptfoo eval` with its echo provider: the prompt is the sample's output."""
    grader = place.folder / "grader.py"
    grader.write_text(SOURCES.get(task, "") + GET_ASSERT)
    variables = ({"vars": {**one["sample"], **one["item"]}} for one in samples)
    tests, results = write_lines(place.folder / "tests.jsonl", variables), place.folder / "o.jsonl"
    asserts = settings or [{"type": "python", "value": f"file://{grader}"}]
    config = {
        "prompts": ["{{output_text}}"],
        "providers": ["echo"],
        "tests": f"file://{tests}",
        "defaultTest": {"assert": asserts},
    }
    file = write_lines(place.folder / "config.json", [config])
    modules = place.peers / "node_modules"
    env = {
        **os.environ,
        **PROMPTFOO,
        "PATH": f"{modules / 'node/bin'}{os.pathsep}{os.environ['PATH']}",
        "PROMPTFOO_CONFIG_DIR": str(place.folder / "promptfoo"),
        "PROMPTFOO_PYTHON": place.python,
    }

    def scores() -> list[float]:
        graded = sorted(read_lines(results), key=lambda one: one["testIdx"])
        return [one["gradingResult"]["score"] for one in graded]

    command = [str(modules / ".bin/promptfoo"), "eval", "-c", str(file), "-o", str(results), *QUIET]
    return Job(command=command, scores=scores, env=env)


ROW, ROWS = "sandbox, a process a row", "sandbox, a process 32 rows"
BATCH = ["--isolation", "batch:32"]
IN_PROCESS, INTERPRETER = "none: in its process", "none: an interpreter a row"
CONTESTANTS = [  # the scores of a task are compared with those of its first
    Contestant("text", "graders run", "", 75_490, ours, []),
    Contestant("text", "OpenJudge", "", 75_490, openjudge, []),
    Contestant("text", "promptfoo, contains + javascript", "", 2_000, promptfoo, [CONTAINS, RATIO]),
    Contestant("text", "promptfoo, contains + levenshtein", "", 2_000, promptfoo, [CONTAINS, NEAR]),
    Contestant("lean", "graders run", ROW, 5_000, ours, []),
    Contestant("lean", "graders run", ROWS, 30_196, ours, BATCH),
    Contestant("lean", "OpenJudge, FunctionGrader", IN_PROCESS, 75_490, openjudge, []),
    Contestant("lean", "promptfoo, python assertion", INTERPRETER, 200, promptfoo, []),
    Contestant("heavy", "graders run", ROW, 1_500, ours, []),
    Contestant("heavy", "graders run", ROWS, 15_098, ours, BATCH),
    Contestant("heavy", "OpenJudge, FunctionGrader", IN_PROCESS, 75_490, openjudge, []),
    Contestant("heavy", "promptfoo, python assertion", INTERPRETER, 24, promptfoo, []),
]


def read_lines(path: Path) -> list[dict]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def write_lines(path: Path, objects: Iterable[object]) -> Path:
    """Make a JSON Lines file."""
    path.write_text("".join(json.dumps(one) + "\n" for one in objects), "utf-8")
    return path


def flat_samples(copies: int) -> list[dict]:
    """EVOUNA with a line per sample, some times over."""
    rows = [json.loads(line) for line in data().splitlines()]
    return copies * [
        {
            "item": {"reference_answer": row["item"]["reference_answer"]},
            "sample": {"output_text": sample["output_text"]},
        }
        for row in rows
        for sample in row["samples"]
    ]


def make_peers(folder: Path) -> None:
    """Install what the folder lacks."""
    python, foo = folder / "venv/bin/python", folder / "node_modules/.bin/promptfoo"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PIP], check=True)
    if not foo.exists():
        subprocess.run(["npm", "install", "--prefix", folder, *NPM], check=True)


def agreement(scores: list[float], reference: list[float]) -> str:
    """How many scores are the very same, how many but for rounding, and the farthest apart."""
    apart = [abs(one - other) for one, other in zip(scores, reference, strict=False)]
    same = sum(one == 0 for one in apart) / len(apart)
    near = sum(one < 1e-9 for one in apart) / len(apart)
    return f"{same:.2%} | {near:.2%} | {max(apart):.1e}"


def measure(entrants: list[Contestant], place: Place, samples: list[dict], rounds: int) -> None:
    """Run the rounds, and print a line per contestant."""
    jobs = []
    for n, one in enumerate(entrants):
        pair = []
        for size, count in ("one", 1), ("all", one.samples):
            folder = place.folder / f"{n}-{size}"
            folder.mkdir()
            at = place._replace(folder=folder)
            pair.append(one.prepare(at, one.task, samples[:count], one.settings))
        jobs.append(pair)
    took: list[list[tuple[Taken, Taken]]] = [[] for _ in entrants]
    for _ in range(rounds):
        for seen, (first, whole) in zip(took, jobs, strict=True):
            seen.append((taken_by(first.command, first.env), taken_by(whole.command, whole.env)))
    reference: dict[str, list[float]] = {}
    for one, seen, (_, whole) in zip(entrants, took, jobs, strict=True):
        scores = whole.scores()
        if len(scores) != one.samples:
            raise SystemExit(f"{one.name}, {one.task}: {len(scores)} of {one.samples} samples")
        print(line(one, seen, agreement(scores, reference.setdefault(one.task, scores))))


def line(one: Contestant, seen: list[tuple[Taken, Taken]], agreed: str) -> str:
    """A contestant's line of the table: medians."""
    start = statistics.median(first.wall for first, _ in seen)
    seconds = statistics.median(whole.wall for _, whole in seen)
    cpu = statistics.median(whole.cpu - first.cpu for first, whole in seen)
    rate = (one.samples - 1) / (seconds - start)
    # The CPU time of what ends inside the sandbox is not counted to the command: no figure.
    each = "" if one.isolation in {ROW, ROWS} else f"{cpu / (one.samples - 1) * 1e3:.3f}"
    cells = [one.task, one.name, one.isolation, f"{one.samples:,}", f"{start:.2f}"]
    cells += [f"{seconds:.2f}", f"{rate:,.0f}" if rate > 100 else f"{rate:.1f}", each, agreed]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", nargs="+", default=["text", *SOURCES])
    parser.add_argument("--workers", help="passed on to graders run")
    args = parser.parse_args()
    samples = flat_samples(copies=5)
    peers = args.peers.absolute()
    make_peers(peers)
    print(f"\n{platform.python_version()}, {os.cpu_count()} processors, {', '.join(PIP + NPM)}\n")
    print(
        "| task | who | isolation | samples | start-up, s | all, s | samples per s "
        "| ms of CPU each | equal scores | within 1e-9 | farthest |"
    )
    print("| --- | --- | --- |" + " ---: |" * 8)
    with tempfile.TemporaryDirectory() as folder:
        workers = ["--workers", args.workers] if args.workers else []
        entrants = [one for one in CONTESTANTS if one.task in args.tasks]
        measure(entrants, Place(Path(folder), peers, workers), samples, args.rounds)


if __name__ == "__main__":
    main()
