"""`graders run` over a judge whose answers are all in a cache: rows a second.

A first run asks an instant judge and fills the cache, further ones answer from it; each is the
whole command: rows, prompts, fingerprints, SQLite, results, times, ledger and summary. Wall
time is what the command itself reports; CPU time is that of the whole process.

    PYTHONPATH=. python benchmarks/judge/cached.py [--rows 100000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import statistics
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from graders.cli import main as graders
from graders.clients import ModelReply, ModelRequest
from graders.grades import Usage

STEPS = [{"description": "Compare the two answers.", "conclusion": "They name the same city."}] * 3
CONFIG = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o-mini-2024-07-18",
    "pass_threshold": 0.5,
    "input": [
        {"role": "system", "content": "You compare an answer with a reference. " * 10},
        {
            "role": "user",
            "content": "Question {{ item.n }}: {{ item.question }}\nReference: "
            "{{ item.reference }}\nAnswer: {{ sample.output_text }}",
        },
    ],
    "sampling_params": {"temperature": 0, "seed": 1},
}


class Instant:
    """A judge that takes no time, and counts."""

    asked = 0

    async def complete(self, _request: ModelRequest) -> ModelReply:
        """The same answer for everybody."""
        Instant.asked += 1
        usage = Usage(prompt_tokens=120, completion_tokens=60, total_tokens=180)
        return ModelReply(text=json.dumps({"steps": STEPS, "result": 0.75}), usage=usage)


def write_rows(path: Path, count: int) -> None:
    """Rows of about the length of real ones, each with a prompt of its own."""
    with path.open("w", encoding="utf-8") as file:
        for n in range(count):
            item = {"n": n, "question": "What is the capital of France? " * 3, "reference": "Paris"}
            sample = f"The capital of France is Paris, and this is answer number {n}."
            file.write(json.dumps({"item": item, "sample": sample}) + "\n")


def rows_per_second(*arguments: str) -> tuple[float, float]:
    """Run the command; samples by the seconds it reports, and by CPU seconds."""
    out, started = io.StringIO(), time.process_time()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = graders(["run", *arguments, "--json"])
    cpu_seconds = time.process_time() - started
    report = json.loads(out.getvalue())
    assert code == 0
    assert report["graded"] == report["samples"]
    return report["samples"] / report["seconds"], report["samples"] / cpu_seconds


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("instant.py").write_text("from __main__ import Instant\n", encoding="utf-8")
        Path("judge.json").write_text(json.dumps(CONFIG), encoding="utf-8")
        write_rows(Path("rows.jsonl"), args.rows)
        command = ["judge.json", "rows.jsonl", "--client", "instant:Instant"]
        bare = rows_per_second(*command, "-o", "bare.jsonl")
        command += ["--cache", "kept.db"]
        filled = rows_per_second(*command, "-o", "filled.jsonl")
        assert Instant.asked == 2 * args.rows
        cached = [rows_per_second(*command, "-o", "cached.jsonl") for _ in range(args.rounds)]
        assert Instant.asked == 2 * args.rows
        results = {Path(f"{name}.jsonl").read_bytes() for name in ("bare", "filled", "cached")}
        assert len(results) == 1
        megabytes = Path("kept.db").stat().st_size / 1e6
    print(f"\n{args.rows:,} rows, {platform.python_version()}, {platform.machine()}\n")
    print("| | rows per second | per CPU-second |\n| --- | ---: | ---: |")
    print(f"| an instant judge, no cache | {bare[0]:,.0f} | {bare[1]:,.0f} |")
    print(
        f"| the same, filling a cache ({megabytes:.0f} MB) | {filled[0]:,.0f} | {filled[1]:,.0f} |"
    )
    wall, cpu = (statistics.median(column) for column in zip(*cached, strict=True))
    print(f"| answered from the cache, median of {args.rounds} | {wall:,.0f} | {cpu:,.0f} |")


if __name__ == "__main__":
    main()
