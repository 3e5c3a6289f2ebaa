"""A judge that answers when a test lets it, and runs of the engine on top of it."""

import asyncio
import json

from graders.clients import ModelReply
from graders.compile import Tools, compile_grader
from graders.engine import RunOptions, grade_stream
from graders.grades import Usage
from graders.rows import Row, to_sample

JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o",
    "range": [0, 1000],
    "input": [{"role": "user", "content": "{{ item.n }}"}],
}
SIZE = 3


def row(number):
    return Row(item={"n": number}, sample=to_sample("x"), row=number)


def reply(number):
    usage = Usage(prompt_tokens=8, completion_tokens=2, total_tokens=10)
    return ModelReply(text=json.dumps({"steps": [], "result": number}), usage=usage)


class Held:
    """A judge that answers a row when it is let, with the row's number."""

    def __init__(self):
        self.waiting, self.cancelled, self.changed = {}, [], asyncio.Event()

    async def complete(self, request):
        number = int(request.messages[0].content)
        self.waiting[number] = asyncio.get_running_loop().create_future()
        self.changed.set()
        try:
            answer = await self.waiting[number]
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        return answer

    def let(self, number, answer=None):
        """Answer a row: with its number, or with something else, an exception among them."""
        future = self.waiting.pop(number)
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer or reply(number))

    async def until(self, *numbers):
        """Wait until these rows and no others are waiting."""
        while set(self.waiting) != set(numbers):
            self.changed.clear()
            await self.changed.wait()


def run(work, rows, *, config=JUDGE, client=None, ledger=None, **options):
    """Grade rows while `work` lets answers go; the batches, bad lines, and what ended the run."""
    batches, bad = [], []

    async def consume(held):
        grader = compile_grader(config, tools=Tools(client=client(held) if client else held))
        stream = grade_stream(
            grader,
            rows,
            RunOptions(**{"batch_size": SIZE, **options}),
            bad_line=bad.append,
            ledger=ledger,
        )
        async for batch in stream:
            scores = [(graded.row, grade_.score) for graded, grade_, _ in batch]
            batches.append(scores)
            held.changed.set()

    async def both():
        held = Held()
        consuming = asyncio.create_task(consume(held))
        await work(held, batches, consuming)
        (ended,) = await asyncio.gather(consuming, return_exceptions=True)
        return ended, held

    ended, held = asyncio.run(both())
    return batches, [str(error) for error in bad], ended, held


def numbers(batches):
    """The rows that were handed on, however many at a time."""
    return [number for batch in batches for number, _ in batch]
