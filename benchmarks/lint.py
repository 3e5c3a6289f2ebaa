"""How long `graders lint` takes over 50,000 rows, as a process of its own, and what it holds.

PYTHONPATH=. python benchmarks/lint.py
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROWS = 50_000
RUNS = 5
COMMAND = [sys.executable, "-c", "import sys; from graders.cli import main; sys.exit(main())"]
OUTPUT, ANSWER = "{{ sample.output_text }}", "{{ item.answer }}"
WORDS = ("quick", "brown", "fox", "jumps", "over", "lazy", "dogs", "near", "some", "river", "bank")


def similar(name, metric):
    """A text_similarity of the answer and the reference."""
    body = {"type": "text_similarity", "name": name, "evaluation_metric": metric}
    return {**body, "input": OUTPUT, "reference": ANSWER}


CONFIG = {
    "type": "multi",
    "name": "all",
    "graders": {
        "exact": {"type": "string_check", "name": "exact", "operation": "eq",
                  "input": OUTPUT, "reference": ANSWER},
        "near": similar("near", "fuzzy_match"),
        "bleu": similar("bleu", "bleu"),
        "rouge": similar("rouge", "rouge_5"),
        "parsed": {"type": "string_check", "name": "parsed", "operation": "eq",
                   "input": "{{ sample.output_json.answer }}", "reference": "{{ item.meta.id }}"},
    },
    "calculate_output": "0.2 * exact + 0.2 * near + 0.2 * bleu + 0.2 * rouge + 0.2 * parsed",
}  # fmt: skip


def row(i):
    """A prompt of about 1,000 characters with its reference and an answer; 1 in 10 is flawed."""
    text = " ".join(WORDS[(i * 7 + j * 3) % len(WORDS)] for j in range(200))
    answer = " ".join(WORDS[(i + j) % len(WORDS)] for j in range(1 + i % 9)) + f" {i}"
    item = {"messages": [{"role": "user", "content": text}], "answer": answer, "meta": {"id": i}}
    if i % 10 == 0:
        del item["meta"]
    return {"item": item, "sample": json.dumps({"answer": answer}) if i % 3 else answer}


def training_row(i):
    """The same without an answer."""
    return row(i)["item"]


def measure(folder, name, make, *options):
    """Print a line of the table: wall and CPU seconds of the whole command."""
    lines, config = folder / f"{name}.jsonl", folder / "grader.json"
    config.write_text(json.dumps(CONFIG), encoding="utf-8")
    with lines.open("w", encoding="utf-8") as file:
        for i in range(ROWS):
            file.write(json.dumps(make(i)) + "\n")
    command = [*COMMAND, "lint", str(config), str(lines), *options]
    walls, cpus = [], []
    for _ in range(RUNS):
        wall, cpu = time.perf_counter(), children_seconds()
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        walls.append(time.perf_counter() - wall)
        cpus.append(children_seconds() - cpu)
    size = lines.stat().st_size / 1e6
    print(f"| {name} | {size:.0f} MB | {median(walls):.1f} | {median(cpus):.1f} |")


def children_seconds():
    """CPU time of the commands so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    """Print the table and the largest command's memory."""
    print(f"| {ROWS:,} rows | file | wall s | CPU s |")
    print("| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), "with a sample each", row)
        measure(Path(folder), "to train on", training_row, "--for", "openai-rft")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\nmost memory: {peak:.0f} MB")


if __name__ == "__main__":
    main()
