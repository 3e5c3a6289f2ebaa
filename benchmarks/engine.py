"""The engine's own cost: grading a file against doing only what cannot be left out.

Rows: Natural Questions answers with human judgements (EVOUNA, see benchmarks/README.md), read
ten times over. Grader: a multi of string_check and fuzzy_match. The floor parses each line,
computes the same comparison and metric, and writes one small line per sample, and nothing else.
CPU seconds, median of interleaved rounds.

    python benchmarks/engine.py [--rounds 5] [--copies 10]
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from rapidfuzz import fuzz

from graders import compile_grader
from graders.cli.job import Job, grade_file
from graders.engine import RunOptions
from graders.row_files import RowFormat

DATA = Path(__file__).parents[2] / "shared" / "data" / "evouna_nq.jsonl"
TEXTS = {"input": "{{ sample.output_text }}", "reference": "{{ item.reference_answer }}"}
CONFIG = {
    "type": "multi",
    "name": "qa",
    "graders": {
        "exact": {"type": "string_check", "name": "exact", "operation": "ilike", **TEXTS},
        "fuzzy": {
            "type": "text_similarity",
            "name": "fuzzy",
            "evaluation_metric": "fuzzy_match",
            **TEXTS,
        },
    },
    "calculate_output": "0.5 * exact + 0.5 * fuzzy",
}


def floor(rows: Path, results: Path) -> int:
    """Parse, compare, measure, write."""
    count = 0
    with rows.open("rb") as lines, results.open("wb") as out:
        for line in lines:
            row = msgspec.json.decode(line)
            reference = row["item"]["reference_answer"]
            for sample in row["samples"]:
                text = sample["output_text"]
                exact = float(reference.lower() in text.lower())
                fuzzy = fuzz.ratio(text, reference) / 100
                score = 0.5 * exact + 0.5 * fuzzy
                out.write(msgspec.json.encode({"score": score, "exact": exact, "fuzzy": fuzzy}))
                out.write(b"\n")
                count += 1
    return count


def engine(rows: Path, results: Path) -> int:
    """What `graders run` does: rows, grades, results, times and the summary."""
    grader = compile_grader(CONFIG)
    job = Job(
        grader=grader,
        profile="openai",
        signature=grader.signature,
        options=RunOptions(),
        title="benchmark",
        as_json=True,
    )
    return grade_file(job, str(rows), RowFormat(), str(results))


def cpu_seconds(work: Callable[[Path, Path], int], rows: Path, results: Path) -> float:
    """CPU time of one pass over the file."""
    started = time.process_time()
    work(rows, results)
    return time.process_time() - started


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--copies", type=int, default=10)
    args = parser.parse_args()
    if not DATA.exists():
        raise SystemExit(f"{DATA} is not there; benchmarks/README.md says where it comes from")
    with tempfile.TemporaryDirectory() as folder:
        rows, results = Path(folder, "rows.jsonl"), Path(folder, "results.jsonl")
        rows.write_bytes(DATA.read_bytes() * args.copies)
        samples = floor(rows, results)
        seconds: dict[str, list[float]] = {"floor": [], "engine": []}
        for _ in range(args.rounds):
            seconds["floor"].append(cpu_seconds(floor, rows, results))
            seconds["engine"].append(cpu_seconds(engine, rows, results))
    print(f"\n{samples:,} samples, {platform.python_version()}, {platform.machine()}\n")
    print("| | CPU s, median | samples per CPU s | of the floor |\n| --- | --- | --- | --- |")
    least = statistics.median(seconds["floor"])
    for name, rounds in seconds.items():
        middle = statistics.median(rounds)
        print(f"| {name} | {middle:.2f} | {samples / middle:,.0f} | {middle / least:.2f} |")


if __name__ == "__main__":
    main()
