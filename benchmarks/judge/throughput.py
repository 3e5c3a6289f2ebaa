"""How near a judge comes to the throughput that latency and bound allow.

The server takes 100 to 300 ms an answer, 200 on the mean, by row. Ideal: the sum of those times
divided by the requests in flight. Measured: the client alone, asked everything at once, and
`grade_stream`, which is what `graders run` uses. Wall time, median of interleaved rounds.

    PYTHONPATH=. python benchmarks/judge/throughput.py [--rounds 3] [--rows 2560] [--in-flight 64]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time

from overhead import CONFIG, Recorder, rows
from server import jittered_latency, serving_in_a_process

from graders.clients.openai_compatible import OpenAICompatible
from graders.compile import Tools, compile_grader
from graders.engine import RunOptions, grade_stream

TARGET = 0.9


async def client_alone(url: str, count: int, in_flight: int) -> float:
    """Seconds for all requests at once through the client."""
    recorder = Recorder()
    await compile_grader(CONFIG, tools=Tools(client=recorder)).grade(rows(count))
    client = OpenAICompatible(base_url=url, in_flight=in_flight)
    started = time.perf_counter()
    await asyncio.gather(*map(client.complete, recorder.asked))
    return time.perf_counter() - started


async def stream(url: str, count: int, in_flight: int) -> float:
    """Seconds for the rows through the engine, in order and all graded."""
    client = OpenAICompatible(base_url=url, in_flight=in_flight)
    grader = compile_grader(CONFIG, tools=Tools(client=client))
    asked = rows(count)
    started, seen = time.perf_counter(), []
    async for batch in grade_stream(grader, asked, RunOptions(), bad_line=lambda _: None):
        seen += [(row.row, grade.score) for row, grade, _ in batch]
    taken = time.perf_counter() - started
    assert seen == [(i, 0.75) for i in range(count)]
    return taken


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=2560)
    parser.add_argument("--in-flight", type=int, default=64)
    args = parser.parse_args()
    ideal = sum(map(jittered_latency, range(args.rows))) / args.in_flight
    ways = {"the client alone": client_alone, "grade_stream": stream}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    with serving_in_a_process(jittered_latency) as url:
        for _ in range(args.rounds):
            for name, work in ways.items():
                taken[name].append(asyncio.run(work(url, args.rows, args.in_flight)))
    print(f"\n{args.rows:,} rows, {args.in_flight} in flight, ideal {ideal:.2f} s\n")
    print("| | s | rows per s | of the ideal |\n| --- | ---: | ---: | ---: |")
    for name, rounds in taken.items():
        middle = statistics.median(rounds)
        share = ideal / middle
        print(f"| {name} | {middle:.2f} | {args.rows / middle:.0f} | {share:.1%} |")
    print(f"\nthe target is {TARGET:.0%}")


if __name__ == "__main__":
    main()
