"""How fast `hash_char` is against scikit-learn, and how well each embedder agrees with people.

    python benchmarks/metrics/embed.py [--data ../shared/data] [--rounds 5]

Needs scikit-learn, and for all rows the extra `embeddings`. Rates are pairs per CPU-second of one
thread, median of interleaved rounds; `first` is a pass with an empty memo. One side's tokens are
the other's: both start from text.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import process_time
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402 - after the path, like the next two
from sklearn.feature_extraction.text import HashingVectorizer  # noqa: E402

from metrics.cosine import cosine  # noqa: E402
from metrics.embed import EMBEDDERS, EmbedderMissingError  # noqa: E402
from metrics.embed.hash_char import HashChar  # noqa: E402

Scorer = Callable[[Sequence[str], Sequence[str]], Sequence[float]]


class Rows(NamedTuple):
    """One of the real files: a candidate, a reference and a person's judgement per row."""

    candidates: Sequence[str]
    references: Sequence[str]
    human: Sequence[float]


def read_rows(path: Path) -> Rows:
    """Read a file of ../shared/data."""
    with path.open(encoding="utf-8") as lines:
        rows = [
            (sample["output_text"], row["item"]["reference_answer"], sample["human"])
            for row in map(json.loads, lines)
            for sample in row["samples"]
        ]
    return Rows(*zip(*rows, strict=True))


def scikit_learn() -> Scorer:
    """Return the cosine as one would write it with scikit-learn."""
    vectorizer = HashingVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), n_features=2**18, alternate_sign=False
    )

    def score(candidates: Sequence[str], references: Sequence[str]) -> Sequence[float]:
        ours, theirs = vectorizer.transform(candidates), vectorizer.transform(references)
        scores: list[float] = ours.multiply(theirs).sum(axis=1).A1.tolist()
        return scores

    return score


def one_by_one(embedder: HashChar) -> Scorer:
    """Return a scorer that never sees more than a pair."""
    return lambda candidates, references: [
        embedder.cosines([candidate], [reference])[0]
        for candidate, reference in zip(candidates, references, strict=True)
    ]


def seconds(scorer: Scorer, rows: Rows) -> float:
    """Return the CPU time of one pass."""
    start = process_time()
    scorer(rows.candidates, rows.references)
    return process_time() - start


def rates(make: Mapping[str, Callable[[], Scorer]], rows: Rows, rounds: int) -> dict[str, float]:
    """Return pairs per CPU-second of each scorer, first pass and warm."""
    warm = {name: maker() for name, maker in make.items()}
    first = {name: [seconds(maker(), rows) for _ in range(rounds)] for name, maker in make.items()}
    for scorer in warm.values():
        seconds(scorer, rows)
    again: dict[str, list[float]] = {name: [] for name in make}
    for _ in range(rounds):
        for name, scorer in warm.items():
            again[name].append(seconds(scorer, rows))
    count = len(rows.candidates)
    return {f"{name}, first": count / statistics.median(first[name]) for name in make} | {
        name: count / statistics.median(again[name]) for name in make
    }


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the correlation of ranks; equal values share the mean of their ranks."""
    ranks = []
    for values in (one, other):
        _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(sizes) - (sizes - 1) / 2)[group])
    return float(np.corrcoef(*ranks)[0, 1])


def main() -> None:
    """Print two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    makers: dict[str, Callable[[], Scorer]] = {
        "scikit-learn": scikit_learn,
        "hash_char": lambda: HashChar().cosines,
        "hash_char, pair by pair": lambda: one_by_one(HashChar()),
    }
    print("| pairs per CPU-second |", " | ".join(["rows", *makers, "hash_char, first"]), "|")
    print("| --- |" + " ---: |" * (len(makers) + 2))
    for name in ("evouna_nq", "stsb_en_test", "summeval"):
        rows = read_rows(options.data / f"{name}.jsonl")
        measured = rates(makers, rows, options.rounds)
        cells = [f"{measured[column]:,.0f}" for column in (*makers, "hash_char, first")]
        print(f"| {name} | {len(rows.candidates):,} |", " | ".join(cells), "|")

    rows = read_rows(options.data / "stsb_en_test.jsonl")
    print("\n| embedder | Spearman with people, STS-B | pairs per CPU-second |")
    print("| --- | ---: | ---: |")
    for name in EMBEDDERS:
        try:
            metric = cosine(name)
        except EmbedderMissingError as error:
            print(f"| {name} | {error} | |")
            continue
        start = process_time()
        scores = metric.batch(rows.candidates, rows.references)
        rate = len(scores) / (process_time() - start)
        print(f"| {metric.embedder.name} | {spearman(scores, rows.human):.3f} | {rate:,.0f} |")


if __name__ == "__main__":
    main()
