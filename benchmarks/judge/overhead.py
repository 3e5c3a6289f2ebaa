"""What a judge costs in CPU over the bare SDK call, against a server that answers at once.

CPU of the asking thread (the server has its own), per call, median of interleaved rounds; one
call after another, and 64 at a time. The bare call is measured over both of the SDK's transports,
and what ours costs more is counted against the cheaper, aiohttp, which is what it uses.

    PYTHONPATH=. python benchmarks/judge/overhead.py [--rounds 15] [--calls 256]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import platform
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import openai
from server import no_latency, serving_in_a_thread

from graders.clients import ModelReply, ModelRequest
from graders.clients.openai_compatible import OpenAICompatible
from graders.clients.wire import Wire, to_body
from graders.compile import Tools, compile_grader
from graders.rows import Row, to_sample

TEXT = "The quick brown fox jumps over the lazy dog, and the dog does not mind at all. " * 6
CONFIG = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o",
    "input": [
        {"role": "developer", "content": "Rate the answer against the reference, from 0 to 1."},
        {
            "role": "user",
            "content": "row {{ item.row }}: {{ sample.output_text }} / {{ item.reference }}",
        },
    ],
    "sampling_params": {"temperature": 0, "seed": 1, "max_completions_tokens": 512},
}
BARE = "bare SDK call, aiohttp"
OURS = "the client", "the grader, row to grade"
TARGET = 1.5


@dataclass
class Recorder:
    """Keeps what a grader asks, and answers without anyone."""

    asked: list[ModelRequest] = field(default_factory=list)

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.asked.append(request)
        return ModelReply(text='{"steps": [], "result": 1}')


def rows(count: int) -> list[Row]:
    """Rows with some text in them."""
    return [
        Row(item={"row": i, "reference": TEXT}, sample=to_sample(TEXT), row=i) for i in range(count)
    ]


async def cpu(work: Callable[[], Awaitable[object]], calls: int) -> float:
    """Milliseconds of this thread's CPU, per call."""
    started = time.thread_time()
    await work()
    return (time.thread_time() - started) * 1000 / calls


async def measure(url: str, rounds: int, calls: int, at_once: int) -> dict[str, list[float]]:
    """Each way to ask, round by round."""
    recorder = Recorder()
    batch = rows(calls)
    await compile_grader(CONFIG, tools=Tools(client=recorder)).grade(batch)
    requests = recorder.asked
    bodies = [to_body(request, Wire()) for request in requests]
    plain = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=6)
    lean = plain.with_options(http_client=openai.DefaultAioHttpClient())
    client = OpenAICompatible(base_url=url, in_flight=at_once)
    grader = compile_grader(CONFIG, tools=Tools(client=client))
    slots = asyncio.Semaphore(at_once)

    async def one(sdk: openai.AsyncOpenAI, body: dict[str, object]) -> None:
        async with slots:
            completion = await sdk.chat.completions.create(**body)  # type: ignore[call-overload]
            assert completion.choices[0].message.content

    async def bare(sdk: openai.AsyncOpenAI) -> None:
        await asyncio.gather(*(one(sdk, body) for body in bodies))

    async def ours() -> None:
        await asyncio.gather(*map(client.complete, requests))

    async def graded() -> None:
        assert all(grade.score == 0.75 for grade in await grader.grade(batch))

    ways = {
        "bare SDK call, httpx": partial(bare, plain),
        BARE: partial(bare, lean),
        OURS[0]: ours,
        OURS[1]: graded,
    }
    for work in ways.values():
        await work()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            taken[name].append(await cpu(work, calls))
    await plain.close()
    await lean.close()
    await client.aclose()
    return taken


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=256)
    args = parser.parse_args()
    print(f"\nopenai {openai.__version__}, {platform.python_version()}, {platform.machine()}\n")
    print("| ms of CPU per call | one at a time | over the bare call | 64 at once | over |")
    print("| --- | ---: | ---: | ---: | ---: |")
    with serving_in_a_thread(no_latency) as url:
        one, many = (
            asyncio.run(measure(url, args.rounds, args.calls, at_once)) for at_once in (1, 64)
        )
    worst = -math.inf
    for name in one:
        cells = []
        for taken in (one, many):
            pairs = zip(taken[name], taken[BARE], strict=True)
            over = statistics.median(ours - bare for ours, bare in pairs)
            if name in OURS:
                worst = max(worst, over)
            cells += [f"{statistics.median(taken[name]):.3f}", f"{over:+.3f}"]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"\nat most {worst:+.3f} ms over; the target is {TARGET}")


if __name__ == "__main__":
    main()
