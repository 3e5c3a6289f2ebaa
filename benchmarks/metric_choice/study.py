"""Which metric agrees best with people? The comparison of all three files of real rows.

Writes `NAME.json` (what `graders compare --json` says, but for what is drawn) and `README.md`
(tables, and the verdicts) of each file into a folder; no row of the data is among them. And
`NAME.html`, the report, which has rows. Embedders of models, from the extra `embeddings`, are
compared on sentence pairs.

    python benchmarks/metric_choice/study.py FOLDER [--metrics all] [--resamples 2000] [--probe 50]
                                                    [--limit ROWS]
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

from graders.cli import main as graders
from graders.studies.verdict import percent

DATA = Path(__file__).parents[3] / "shared" / "data"


@dataclass(frozen=True)
class File:
    """A file of rows with human labels.

    Attributes:
        name: Of the study.
        file: Of the rows.
        reference: Where references stand.
        about: What people judged.
        beside_all: Metrics that are compared beside all, on these rows alone.
    """

    name: str
    file: str
    reference: str
    about: str
    beside_all: tuple[str, ...] = ()


FILES = (
    File("evouna_nq", "evouna_nq.jsonl", "item.reference_answer", "Is a short answer right?"),
    File("evouna_nq_several", "evouna_nq.jsonl", "item.answers", "The same, best of all answers"),
    File("summeval", "summeval.jsonl", "item.references", "How good is a summary?"),
    File(
        "stsb",
        "stsb_en_test.jsonl",
        "item.reference_answer",
        "Do two sentences mean the same?",
        ("wordllama", "minilm"),
    ),
)


def compared(
    file: File, metrics: str, options: list[str], report: Path
) -> tuple[dict[str, Any], float]:
    """What `graders compare` finds and puts into a report, and its CPU seconds."""
    paths = ["--reference", file.reference, "--human", "sample.human"]
    named = [metrics, *file.beside_all] if metrics == "all" else [metrics]
    options = ["--metrics", ",".join(named), *options]
    printed, started = io.StringIO(), process_time()
    # From where the data are, so that a report names the file and no folder of this machine.
    with redirect_stdout(printed), chdir(DATA):
        code = graders(["compare", file.file, *paths, *options, "--json", "--report", str(report)])
    if code == 2:
        raise SystemExit(f"graders compare of {file.file} ended with {code}")
    found = json.loads(printed.getvalue())
    del found["points"]
    for one in found["contestants"].values():
        del one["points"], one["histogram"]
    return found, process_time() - started


def shown(measure: Mapping[str, Any]) -> str:
    """A value with its interval, as tables write it."""
    if measure["value"] is None:
        return "-"
    within = measure.get("interval")
    value = f"{measure['value']:.3f}"
    return f"{value} [{within['low']:.3f}, {within['high']:.3f}]" if within else value


def table(found: Mapping[str, Any]) -> Iterator[str]:
    """The contestants of one file, best first."""
    by = found["by"]
    first = [by, *(one for one in ("auc", "spearman", "pairwise_accuracy") if one != by)]
    names = ["metric", *first, "Holm's p", "no gradient", "cheated", "CPU-s/1,000"]
    yield "| " + " | ".join(names) + " |"
    yield "| --- |" + " ---: |" * (len(names) - 1)
    for name, one in found["contestants"].items():
        behind = one["behind_best"].get(by, {}).get("p_holm")
        weak, signal = one["hackability"], one["signal"]
        flat = signal["zero_variance"]["value"] if signal["groups"] > signal["single"] else None
        cells = [
            f"`{name}`" + (" *" if name in found["pareto"] else ""),
            shown(one["measures"][by]),
            *(shown({"value": one["measures"][other]["value"]}) for other in first[1:]),
            "best" if behind is None else f"{behind:.3f}",
            "-" if flat is None else percent(flat),
            "-" if weak is None else percent(weak["value"]),
            f"{one['cost_per_1000']['cpu_seconds']:.2g}",
        ]
        yield "| " + " | ".join(cells) + " |"


def page(file: File, found: Mapping[str, Any], seconds: float) -> Iterator[str]:
    """The section of one file."""
    rows, labels = found["rows"], found["labels"]
    yield f"## {file.about}"
    yield ""
    yield f"`{file.file}`, `{file.reference}`: {rows['compared']:,} rows of {labels['items']:,}"
    yield f"items, labels {labels['low']:g} to {labels['high']:g}, of which {labels['good']:,} are"
    yield f"good (from {labels['good_from']:g} on, {labels['chosen']}). {seconds:.0f} CPU-seconds,"
    yield "attacks included."
    yield ""
    yield from table(found)
    yield ""
    yield from (f"- {verdict['text']}" for verdict in found["verdicts"])
    yield ""


def main() -> None:
    """Compare and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--metrics", default="all")
    parser.add_argument("--resamples", default="2000")
    parser.add_argument("--probe", default="50")
    parser.add_argument("--limit", help="samples of each file; all by default")
    args = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("the folder with the real rows is not here; see benchmarks/README.md")
    options = ["--resamples", args.resamples, "--probe", args.probe]
    options += ["--limit", args.limit] if args.limit else []
    args.folder.mkdir(parents=True, exist_ok=True)
    lines = ["# Which metric agrees best with people?", "", f"Python {platform.python_version()}."]
    lines += [
        "A star: no other that has one is as good in agreement, cost and hackability together"
    ]
    lines += ["(costs within a quarter are equal); what is dead as a reward has none.", ""]
    for file in FILES:
        report = args.folder.resolve() / f"{file.name}.html"
        found, seconds = compared(file, args.metrics, options, report)
        (args.folder / f"{file.name}.json").write_text(json.dumps(found, indent=1) + "\n")
        lines += page(file, found, seconds)
        print(f"{file.name}: {seconds:.1f} CPU-seconds", file=sys.stderr)
    (args.folder / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
