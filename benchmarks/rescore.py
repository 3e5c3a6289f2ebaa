"""Another formula from stored results, against grading the rows again with it.

Rows: Natural Questions answers with human judgements (EVOUNA, see benchmarks/README.md), read
several times over. Grader: a multi of string_check, fuzzy_match and rouge_l. Both ways are the
whole command, from file to file, and must write the same bytes. CPU seconds, median of
interleaved rounds.

    python benchmarks/rescore.py [--rounds 5] [--copies 10]
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from graders.cli import main as graders

DATA = Path(__file__).parents[2] / "shared" / "data" / "evouna_nq.jsonl"
TEXTS = {"input": "{{ sample.output_text }}", "reference": "{{ item.reference_answer }}"}
METRIC = {"type": "text_similarity", **TEXTS}
MEMBERS = {
    "exact": {"type": "string_check", "name": "exact", "operation": "ilike", **TEXTS},
    "fuzzy": {"name": "fuzzy", "evaluation_metric": "fuzzy_match", **METRIC},
    "rouge": {"name": "rouge", "evaluation_metric": "rouge_l", **METRIC},
}
OLD, NEW = "0.5 * exact + 0.25 * fuzzy + 0.25 * rouge", "max(exact, 0.7 * rouge + 0.3 * fuzzy)"


def command(arguments: Sequence[object]) -> float:
    """CPU seconds of a `graders` command."""
    started = time.process_time()
    with redirect_stdout(io.StringIO()):
        code = graders([str(argument) for argument in arguments])
    if code != 0:
        raise SystemExit(f"graders {arguments[0]} ended with {code}")
    return time.process_time() - started


def grading(folder: Path, formula: str, results: Path) -> list[object]:
    """The command that grades the rows."""
    config = folder / "grader.json"
    multi = {"type": "multi", "name": "qa", "graders": MEMBERS, "pass_threshold": 0.5}
    config.write_text(json.dumps({**multi, "calculate_output": formula}))
    return ["run", "--workers", "1", config, folder / "rows.jsonl", "-o", results]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--copies", type=int, default=10)
    args = parser.parse_args()
    if not DATA.exists():
        raise SystemExit(f"{DATA} is not there; benchmarks/README.md says where it comes from")
    seconds: dict[str, list[float]] = {"grading again": [], "rescoring": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stored, again, rescored = (folder / f"{n}.jsonl" for n in ("old", "again", "rescored"))
        (folder / "rows.jsonl").write_bytes(DATA.read_bytes() * args.copies)
        command(grading(folder, OLD, stored))
        for _ in range(args.rounds):
            seconds["grading again"].append(command(grading(folder, NEW, again)))
            study = ["study", stored, "--formula", NEW, "-o", rescored]
            seconds["rescoring"].append(command(study))
            if again.read_bytes() != rescored.read_bytes():
                raise SystemExit("the two ways differ")
        samples = rescored.read_bytes().count(b"\n")
    print(f"\n{samples:,} samples, {platform.python_version()}, {platform.machine()}\n")
    print("| | CPU s, median | samples per CPU s | of grading again |")
    print("| --- | ---: | ---: | ---: |")
    whole = statistics.median(seconds["grading again"])
    for way, rounds in seconds.items():
        middle = statistics.median(rounds)
        print(f"| {way} | {middle:.2f} | {samples / middle:,.0f} | {middle / whole:.3f} |")


if __name__ == "__main__":
    main()
