"""How fast the metrics are against the libraries they equal, and against the fastest peers.

    python benchmarks/metrics/speed.py [--data ../shared/data] [--rounds 5] [--only rouge]

Prints a Markdown table. Rates are thousand pairs per CPU-second of one thread, the median of
interleaved rounds, warm; `first` is a pass in a new process that has imported everything and seen
no text. Contestants that are not installed are left out.
"""

import argparse
import gc
import json
import os
import random
import statistics
import subprocess
import sys
from pathlib import Path
from time import process_time

os.environ["RAYON_NUM_THREADS"] = "1"
ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from contestants import TASKS, Scorer, ours  # noqa: E402 - after the path

# File, and how many pairs of it: enough for the clock, few enough for the slowest.
CORPORA = {
    "short answers": ("evouna_nq", 3_000),
    "sentences": ("stsb_en_test", 1_379),
    "summaries": ("summeval", 800),
}
_ROUND_SECONDS = 0.2
Texts = tuple[list[str], list[str]]


def read(folder: Path, corpus: str) -> Texts:
    """Candidates and references: all samples of items in a random order."""
    name, most = CORPORA[corpus]
    rows = [json.loads(line) for line in (folder / f"{name}.jsonl").open(encoding="utf-8")]
    random.Random(7).shuffle(rows)
    candidates = [sample["output_text"] for row in rows for sample in row["samples"]]
    references = [row["item"]["reference_answer"] for row in rows for _ in row["samples"]]
    return candidates[:most], references[:most]


def seconds(score: Scorer, texts: Texts, at_least: float = 0.0) -> float:
    """CPU time of one pass, the mean of as many as take some time together."""
    gc.collect()
    gc.freeze()  # what others have loaded is not this one's to search for garbage
    passes, start = 0, process_time()
    while not passes or process_time() - start < at_least:
        score(*texts)
        passes += 1
    return (process_time() - start) / passes


def first_pass(task: str, corpus: str, folder: Path) -> float:
    """CPU time of our first pass in this process."""
    score = TASKS[task]["ours"]()
    # Loads numpy, nltk's stemmer and WordNet, and meets hardly a word.
    score(["Zzyzx roads"] * 9, ["zzyzxs road"] * 9)
    return seconds(score, read(folder, corpus))


def first_pass_elsewhere(task: str, corpus: str, folder: Path) -> float:
    """`first_pass`, in a process of its own."""
    command = [sys.executable, __file__, "--data", str(folder), "--first", task, corpus]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def importing() -> float:
    """CPU time of importing all metrics in a new process."""
    clock = "time.process_time()"
    code = f"import time; start = {clock}; import metrics; print({clock} - start)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return float(done.stdout)


def installed(task: str) -> dict[str, Scorer]:
    """Scorers of a task's contestants."""
    scorers = {}
    for name, load in TASKS[task].items():
        try:
            scorers[name] = load()
        except ImportError as error:
            print(f"<!-- {name}: {error} -->")
    return scorers


def measure(task: str, corpus: str, folder: Path, rounds: int) -> str:
    """One row of the table."""
    texts, scorers = read(folder, corpus), installed(task)
    times: dict[str, list[float]] = {name: [] for name in scorers}
    for _ in range(rounds + 1):  # the first warms up
        for name, score in scorers.items():
            times[name].append(seconds(score, texts, at_least=_ROUND_SECONDS))
    count = len(texts[0])
    rates = {name: count / statistics.median(taken[1:]) for name, taken in times.items()}
    own = rates.pop("ours")
    first = count / statistics.median(
        first_pass_elsewhere(task, corpus, folder) for _ in range(min(rounds, 3))
    )
    others = [f"{name} {rate / 1e3:.1f} ({own / rate:.1f}x)" for name, rate in rates.items()]
    cells = [task, corpus, f"{own / 1e3:.1f}", f"{first / 1e3:.1f}", ", ".join(others)]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="tasks whose name has this in it")
    parser.add_argument("--first", nargs=2, metavar=("TASK", "CORPUS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first:
        print(first_pass(*options.first, options.data))
        return
    print("| task | texts | ours | first | others (ours is so many times faster) |")
    print("| --- | --- | ---: | ---: | --- |")
    for task in TASKS:
        for corpus in CORPORA:
            if options.only in task:
                print(measure(task, corpus, options.data, options.rounds), flush=True)
    words = " ".join(f"w{number * number % 9973}" for number in range(100_000))
    taken = seconds(ours("rouge_l")(), ([words], [words[::-1]]))
    print(f"\nrouge_l of two texts of 100,000 tokens: {taken:.2f} s")
    taken = statistics.median(importing() for _ in range(options.rounds))
    print(f"importing all of them: {taken:.3f} s")


if __name__ == "__main__":
    main()
