"""Rows of every form of file, and results as columns, against JSON Lines.

Rows: Natural Questions answers (EVOUNA, see benchmarks/README.md), flat, one sample each, read
several times over. CPU seconds of one process, median of interleaved rounds.

    python benchmarks/columns.py [--rounds 5] [--copies 10]
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path

import graders
from graders.cli import main as command
from graders.formats.packed import packer
from graders.result_table import write_table

DATA = Path(__file__).parents[2] / "shared" / "data" / "evouna_nq.jsonl"
FORMS = ("jsonl", "jsonl.gz", "jsonl.zst", "csv", "parquet", "arrow")
TEXTS = {"input": "{{ sample.output_text }}", "reference": "{{ item.reference_answer }}"}
EXACT = {"type": "string_check", "name": "exact", "operation": "ilike", **TEXTS}
FUZZY = {"type": "text_similarity", "name": "fuzzy", "evaluation_metric": "fuzzy_match", **TEXTS}
BOTH = {
    "type": "multi",
    "name": "both",
    "graders": {"exact": EXACT, "fuzzy": FUZZY},
    "calculate_output": "0.5 * exact + 0.5 * fuzzy",
}


def rows(copies: int) -> Iterator[dict[str, str]]:
    """Flat rows, one for each sample."""
    lines = [json.loads(line) for line in DATA.read_bytes().splitlines()]
    for _ in range(copies):
        for line in lines:
            item = {key: line["item"][key] for key in ("question", "reference_answer")}
            for sample in line["samples"]:
                yield {**item, "output_text": sample["output_text"]}


def write_forms(folder: Path, flat: list[dict[str, str]]) -> None:
    """The same rows in every form."""
    import pyarrow as pa
    from pyarrow import parquet

    lines = b"".join(json.dumps(row).encode() + b"\n" for row in flat)
    for name in ("jsonl", "jsonl.gz", "jsonl.zst"):
        path = folder / f"rows.{name}"
        path.write_bytes(packer(path)(lines))
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(flat[0]))
        writer.writeheader()
        writer.writerows(flat)
    table = pa.Table.from_pylist(flat)
    parquet.write_table(table, folder / "rows.parquet")
    with pa.ipc.new_file(folder / "rows.arrow", table.schema) as file:
        file.write_table(table)


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of some work."""
    started = time.process_time()
    work()
    return time.process_time() - started


def read(path: Path) -> Callable[[], object]:
    """Reading a file's rows."""
    return lambda: sum(1 for _ in graders.read_rows(path))


def run(folder: Path, source: str, results: str) -> Callable[[], object]:
    """The whole command, from file to file."""
    names = ("grader.json", f"rows.{source}", "-o", results, "--workers", "1", "--overwrite")
    arguments = ["run", *(str(folder / n) if "." in n else n for n in names)]

    def work() -> None:
        with redirect_stdout(io.StringIO()):
            if command(arguments) != 0:
                raise SystemExit(f"graders {arguments} failed")

    return work


def results_work(folder: Path) -> dict[str, Callable[[], object]]:
    """Results as lines and as columns, written and read."""
    lines, table = folder / "out.jsonl", folder / "out.parquet"
    return {
        "results as lines, read": lambda: sum(1 for _ in graders.read_results(lines)),
        "results as columns, made of lines": lambda: write_table(lines, folder / "made.parquet"),
        "results as columns, read": lambda: sum(1 for _ in graders.read_results(table)),
    }


def frame_work(flat: list[dict[str, str]]) -> dict[str, Callable[[], object]]:
    """Grading in memory: a list, and frames."""
    import pandas as pd
    import polars as pl

    listed: list[graders.Row | dict[str, object]] = [
        {"item": {"reference_answer": row["reference_answer"]}, "sample": row["output_text"]}
        for row in flat
    ]
    pandas, polars = pd.DataFrame(flat), pl.DataFrame(flat)
    return {
        "grade, a list": lambda: graders.grade(BOTH, listed),
        "grade, pandas": lambda: graders.grade(BOTH, pandas),
        "grade, polars": lambda: graders.grade(BOTH, polars),
        "grade, pyarrow": lambda: graders.grade(BOTH, polars.to_arrow()),
    }


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--copies", type=int, default=10)
    args = parser.parse_args()
    flat = list(rows(args.copies))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_forms(folder, flat)
        (folder / "grader.json").write_text(json.dumps(BOTH))
        run(folder, "jsonl", "out.jsonl")()
        run(folder, "jsonl", "out.parquet")()
        works = {
            **{f"rows.{form}, read": read(folder / f"rows.{form}") for form in FORMS},
            **{
                f"run, {source} to {to}": run(folder, source, f"again.{to}")
                for source in ("jsonl", "parquet")
                for to in ("jsonl", "parquet")
            },
            **results_work(folder),
            **frame_work(flat),
        }
        taken: dict[str, list[float]] = {what: [] for what in works}
        for _ in range(args.rounds):
            for what, work in works.items():
                taken[what].append(seconds(work))
        print(f"{len(flat):,} rows; Python {platform.python_version()}, {platform.machine()}\n")
        print("| what | rows per CPU-second |\n| --- | ---: |")
        for what, each in taken.items():
            print(f"| {what} | {len(flat) / statistics.median(each):,.0f} |")
        for path in sorted(folder.glob("*.*")):
            if path.is_file():
                print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
