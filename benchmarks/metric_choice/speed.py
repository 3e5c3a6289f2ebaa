"""CPU seconds to score rows with metrics, and to resample them: the work of `graders compare`.

Rows: Natural Questions answers with human judgements (EVOUNA, see benchmarks/README.md). A process
of its own each round, from its start on: imports, reading, best of references, every statistic with
1,000 paired resamples of items. The median of the rounds, and of each part.

    python benchmarks/metric_choice/speed.py [--rows 8000] [--resamples 1000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from time import process_time

DATA = Path(__file__).parents[3] / "shared" / "data" / "evouna_nq.jsonl"
METRICS = (  # 24
    *("hash_char", "ratio", "bleu", "gleu", "meteor", "rouge_1", "rouge_2", "rouge_3"),
    *("rouge_4", "rouge_5", "rouge_l", "partial", "token_set", "token_set_dp", "token_sort"),
    *("wratio_dp", "levenshtein", "bleu_none", "bleu_sacrebleu", "meteor_no_synonyms"),
    *("rouge_1_stem", "rouge_l_stem", "rouge_1_unicode", "rouge_l_unicode"),
)


def one_round(rows: int, resamples: int) -> dict[str, float]:
    """CPU seconds of this process by part; what came before is its start."""
    from graders.row_files import read_rows
    from graders.studies.choice.compare import CompareOptions, Judged, compare
    from graders.template import parse_path
    from graders.testing.contest import score_metrics
    from graders.testing.contestants import contestants, packs
    from graders.testing.labelled import read_labelled
    from metrics import Settings

    took = {"start": process_time()}
    labelled = read_labelled(
        read_rows(DATA),
        file=DATA.name,
        reference=parse_path("item.reference_answer"),
        human=parse_path("sample.human"),
        limit=rows,
    )
    took["reading"] = process_time()
    settings = Settings()
    columns = score_metrics(packs(contestants(METRICS, settings), settings), labelled, settings)
    took["scoring"] = process_time()
    judged = Judged(
        labels=labelled.labels,
        items=labelled.items,
        lengths=labelled.lengths,
        reference_lengths=labelled.reference_lengths,
    )
    scores = {name: column.scores for name, column in columns.items()}
    compare(scores, judged, CompareOptions(resamples=resamples))
    took["statistics"] = process_time()
    ends = list(took.values())
    return {
        name: end - before for name, end, before in zip(took, ends, [0.0, *ends[:-1]], strict=True)
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=8_000)
    parser.add_argument("--resamples", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one_round(args.rows, args.resamples)))
        return
    command = [sys.executable, __file__, "--one", "--rows", str(args.rows)]
    command += ["--resamples", str(args.resamples)]
    paths = [str(Path(__file__).parents[2]), *sys.path[1:]]
    # One thread: what is measured is work, not how many cores share it.
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    environment = {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths)}
    rounds = [
        json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
        for _ in range(args.rounds)
    ]
    print(f"Python {platform.python_version()}, {len(METRICS)} metrics, {args.rows:,} rows,")
    print(f"{args.resamples:,} resamples; CPU seconds, median of {args.rounds} rounds")
    for part in rounds[0]:
        print(f"  {part:<12}{statistics.median(one[part] for one in rounds):8.2f}")
    total = [sum(one.values()) for one in rounds]
    print(f"  {'all':<12}{statistics.median(total):8.2f}  (rounds: {min(total):.2f} to ", end="")
    print(f"{max(total):.2f})")


if __name__ == "__main__":
    main()
