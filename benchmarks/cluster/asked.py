"""A billion gradings on paper, of the kinds that ask a model or a service.

Measured: CPU seconds of a row, the whole command over many rows less the same over few, each in a
control group, which takes root. A server in this program, outside of that group, answers at once.
How long it takes is arithmetic: quotas, rates and prices decide, and not processors.

    PYTHONPATH=. python benchmarks/cluster/asked.py [--count 6000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from typing import Any

from engines import _samples
from scale import MEMBERS, row_seconds
from service import DIMENSIONS, Service, serving

_CHARACTERS_A_TOKEN = 4
TEXTS = {"input": "{{ sample.output_text }}", "reference": "{{ item.reference_answer }}"}
ASK = [
    {"role": "developer", "content": "Compare the answer with the reference."},
    {"role": "user", "content": "{{ item.question }}: " + " / ".join(TEXTS.values())},
]
KINDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "score_model": (
        {"type": "score_model", "name": "judge", "model": "judge", "input": ASK},
        [],
    ),
    "label_model": (
        {
            "type": "label_model",
            "name": "labeller",
            "model": "labeller",
            "input": ASK,
            "labels": ["good", "bad"],
            "passing_labels": ["good"],
        },
        [],
    ),
    "endpoint": ({"type": "endpoint", "name": "service", "url": "URL/grade"}, []),
    "text_similarity, cosine by a server": (
        {**MEMBERS["fuzzy"], "evaluation_metric": "cosine"},
        ["--set", "cosine=server:embedder"],
    ),
}


def main() -> None:
    """Measure, reckon and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000_000)
    parser.add_argument("--count", type=int, default=6000, help="Of rows that are measured.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quotas", type=int, nargs="+", default=[10_000, 30_000])
    parser.add_argument("--tokens", type=int, nargs=2, default=[500, 50], help="In and out.")
    parser.add_argument("--prices", type=float, nargs=2, default=[0.4, 1.6], help="Of a million.")
    parser.add_argument("--rates", type=int, nargs="+", default=[100, 1000], help="A second.")
    parser.add_argument("--embedded", type=float, nargs=2, default=[10e6, 0.02],
                        help="Tokens a minute, and $ of a million.")  # fmt: skip
    args = parser.parse_args()
    samples = list(_samples())
    os.environ["OPENAI_API_KEY"] = "none"
    loads = []
    took: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory() as folder, serving() as service:
        os.chdir(folder)
        for _ in range(args.rounds):
            for kind in KINDS:
                loads.append(os.getloadavg()[0])
                took[kind].append(_seconds(kind, args.count, service, samples))
    print(f"{args.count:,} rows, {args.rounds} rounds, load {min(loads):.1f} to {max(loads):.1f}\n")
    print("| a billion rows of | ms a row | core-hours | rows a minute by one process |")
    print("| --- | ---: | ---: | ---: |")
    for kind, rounds in took.items():
        seconds = statistics.median(rounds)
        hours = args.rows * seconds / 3600
        print(f"| {kind} | {seconds * 1000:.2f} | {hours:,.0f} | {60 / seconds:,.0f} |")
    _reckon(args, service)


def _seconds(kind: str, count: int, service: Service, samples: list[bytes]) -> float:
    config, options = KINDS[kind]
    if "url" in config:
        config = {**config, "url": config["url"].replace("URL", service.url)}
    else:
        options = [*options, "--base-url", service.url]
    return row_seconds(config, count, options, samples)


def _reckon(args: argparse.Namespace, service: Service) -> None:
    """How long quotas and rates take, and what is paid."""
    million = args.rows / 1e6
    money = million * (args.tokens[0] * args.prices[0] + args.tokens[1] * args.prices[1])
    print(f"\nscore_model and label_model, {args.tokens[0]} and {args.tokens[1]} tokens a row at "
          f"${args.prices[0]} and ${args.prices[1]} a million: ${money:,.0f}")  # fmt: skip
    for quota in args.quotas:
        print(f"  {quota:,} requests a minute: {args.rows / quota / 1440:,.1f} days")
    for rate in args.rates:
        print(f"endpoint, {rate:,} a second: {args.rows / rate / 86400:,.1f} days")
    graded = args.rounds * (args.count + args.count // 20)
    asked = service.asked
    tokens = asked["characters"] / graded / _CHARACTERS_A_TOKEN
    limit, price = args.embedded
    print(f"embeddings of {DIMENSIONS} numbers: {asked['texts'] / graded:.2f} texts, "
          f"{asked['embeddings'] / graded:.4f} requests and {tokens:.0f} tokens a row; "
          f"{limit:,.0f} tokens a minute: {args.rows * tokens / limit / 1440:,.1f} days, "
          f"${million * tokens * price:,.0f}")  # fmt: skip


if __name__ == "__main__":
    main()
