"""The engine's own cost: grading a file against doing only what cannot be left out.

Rows: Natural Questions answers with human judgements (EVOUNA, see benchmarks/README.md), read
ten times over. Grader: a multi of string_check and fuzzy_match. Two floors parse each line and
compute the same comparison and metric: one writes three numbers a sample, the other the very
bytes of the engine's results and an equally long line of times. `graders run` is a process of its
own, less what it takes for the file's first row. Median of interleaved rounds.

    PYTHONPATH=. python benchmarks/engine/floor.py [--rounds 5] [--copies 10] [--workers N]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from measured import CONFIG, GRADERS, Taken, data, taken_by
from rapidfuzz import fuzz

DECODE = msgspec.json.Decoder().decode
ENCODE = msgspec.json.Encoder().encode


class Part(msgspec.Struct):
    """A member's grade in a result line."""

    score: float
    passed: bool | None = None
    failure: None = None
    parts: dict[str, float] = {}
    detail: None = None


class Line(msgspec.Struct):
    """A result line."""

    schema: int
    row: int
    group: int
    sample_index: int
    score: float
    reward: float
    passed: None
    failure: None
    parts: dict[str, Part]
    usage: None
    signature: str
    output_chars: int
    reference_chars: int
    detail: None


class Times(msgspec.Struct):
    """A line of times."""

    row: int
    sample_index: int
    seconds: float


def three_numbers(rows: Path, results: Path) -> None:
    """The floor that writes the least: parse, compare, measure, write."""
    with rows.open("rb") as lines, results.open("wb") as out:
        for line in lines:
            row = DECODE(line)
            reference = row["item"]["reference_answer"]
            for sample in row["samples"]:
                text = sample["output_text"]
                exact = float(reference.lower() in text.lower())
                fuzzy = fuzz.ratio(text, reference) / 100
                score = 0.5 * exact + 0.5 * fuzzy
                out.write(ENCODE({"score": score, "exact": exact, "fuzzy": fuzzy}) + b"\n")


def same_lines(rows: Path, results: Path, signature: str) -> None:
    """The floor that writes what the engine writes, and shares no code, so as to call nothing."""
    times_path = results.with_suffix(".times")
    with rows.open("rb") as lines, results.open("wb") as out, times_path.open("wb") as times:
        for number, line in enumerate(lines, 1):
            row = DECODE(line)
            reference = row["item"]["reference_answer"]
            for index, sample in enumerate(row["samples"]):
                text = sample["output_text"]
                exact = float(reference.lower() in text.lower())
                fuzzy = fuzz.ratio(text, reference) / 100
                score = 0.5 * exact + 0.5 * fuzzy
                parts = {"exact": Part(exact, exact == 1), "fuzzy": Part(fuzzy)}
                head, lengths = (1, number, number, index), (len(text), len(reference))
                made = Line(*head, score, score, None, None, parts, None, signature, *lengths, None)
                out.write(ENCODE(made) + b"\n")
                times.write(ENCODE(Times(number, index, 0.000012345)) + b"\n")


def taken_here(work: Callable[[], None]) -> Taken:
    """What a pass in this process takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Taken(time.perf_counter() - wall, time.process_time() - cpu)


def measure(folder: Path, rows: Path, args: argparse.Namespace) -> dict[str, Taken]:
    """Medians of every way, by name, and the check that the lines are the same."""
    config, first = folder / "grader.json", folder / "first.jsonl"
    config.write_text(json.dumps(CONFIG))
    first.write_bytes(data().split(b"\n")[0] + b"\n")
    results, floor = folder / "results.jsonl", folder / "floor.jsonl"
    workers = ["--workers", args.workers] if args.workers else []

    def run(rows: Path) -> Taken:
        return taken_by([*GRADERS, "run", str(config), str(rows), "-o", str(results), *workers])

    run(first)
    signature = json.loads(results.read_bytes().split(b"\n")[0])["signature"]
    rounds: dict[str, list[Taken]] = {}
    for _ in range(args.rounds):
        for name, taken in {
            "start-up": run(first),
            "floor, three numbers": taken_here(lambda: three_numbers(rows, floor)),
            "floor, the same lines": taken_here(lambda: same_lines(rows, floor, signature)),
            "graders run": run(rows),
        }.items():
            rounds.setdefault(name, []).append(taken)
    if results.read_bytes() != floor.read_bytes():
        raise SystemExit("the floor does not write what the engine writes: bring it up to date")
    return {
        name: Taken(*map(statistics.median, zip(*seen, strict=True)))
        for name, seen in rounds.items()
    }


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--workers", help="passed on to graders run")
    args = parser.parse_args()
    rows_bytes = data() * args.copies
    samples = rows_bytes.count(b'"output_text"')
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder, "rows.jsonl")
        rows.write_bytes(rows_bytes)
        took = measure(Path(folder), rows, args)
    start = took.pop("start-up")
    engine = took["graders run"]
    took["graders run"] = Taken(engine.wall - start.wall, engine.cpu - start.cpu)
    print(f"\n{samples:,} samples, {platform.python_version()}, {platform.machine()}")
    print(f"start-up of graders run: {start.wall:.2f} s, {start.cpu:.2f} s of CPU\n")
    least, same = (took[f"floor, {which}"].cpu for which in ("three numbers", "the same lines"))
    print("| | s | CPU s | samples per CPU s | CPU of the least | CPU of the same lines |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, (wall, cpu) in took.items():
        ratios = f"{cpu / least:.2f} | {cpu / same:.2f}"
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {samples / cpu:,.0f} | {ratios} |")


if __name__ == "__main__":
    main()
