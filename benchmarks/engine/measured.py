"""What both scripts share: the rows, the multi that grades them, and what a command takes."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parents[3] / "shared" / "data" / "evouna_nq.jsonl"
GRADERS = [sys.executable, "-c", "import sys; from graders.cli import main; sys.exit(main())"]
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


class Taken(NamedTuple):
    """Seconds of a pass, by the clock and of all its processes' CPU time."""

    wall: float
    cpu: float


def data() -> bytes:
    """The rows as they stand, or the end of the script where they are absent."""
    if not DATA.exists():
        raise SystemExit(f"{DATA} is not there; benchmarks/README.md says where it comes from")
    return DATA.read_bytes()


def taken_by(command: Sequence[str], env: Mapping[str, str] | None = None) -> Taken:
    """What a command takes, start-up included; a command that fails ends the script."""
    before, started = _children_cpu(), time.perf_counter()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    taken = Taken(time.perf_counter() - started, _children_cpu() - before)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")
    return taken


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
