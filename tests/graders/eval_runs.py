"""Evals and their runs on a server, for tests: what they are made of, and how they are awaited."""

import asyncio

from asking import EXACT
from asking import SIMILAR as UNDECIDED
from serving import jsonl

from graders.clients import ModelReply
from graders.grades import Usage

SIMILAR = {**UNDECIDED, "pass_threshold": 0.8}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o",
    "input": [{"role": "user", "content": "Rate {{ sample.output_text }}"}],
    "pass_threshold": 0.5,
}
CUSTOM = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
ROWS = [
    {"item": {"answer": "four"}, "sample": {"output_text": "four"}},
    {"item": {"answer": "four"}, "sample": {"output_text": "fourty"}},
    {"item": {"answer": "five"}, "sample": {"output_text": "six"}},
]


def make(served, *criteria, config=None):
    """An eval of these criteria."""
    return served.openai.evals.create(
        name="mine", data_source_config=config or CUSTOM, testing_criteria=criteria or [EXACT]
    )


def inline(rows):
    """Rows that come with the request."""
    return {"type": "jsonl", "source": {"type": "file_content", "content": list(rows)}}


def upload(served, rows, name="rows.jsonl"):
    """A file of rows, or of bytes."""
    data = rows if isinstance(rows, bytes) else jsonl(*rows)
    return served.openai.files.create(file=(name, data), purpose="evals")


def by_file(file):
    """Rows of a file that was uploaded."""
    return {"type": "jsonl", "source": {"type": "file_id", "id": file.id}}


def start(served, one, source):
    """A run that was just made."""
    return served.openai.evals.runs.create(one.id, data_source=source)


def until(served, run, *statuses):
    """The run as soon as it has one of these statuses."""
    while run.status not in statuses:
        run = served.openai.evals.runs.retrieve(run.id, eval_id=run.eval_id)
    return run


def ended(served, run):
    """The run when nothing more comes of it."""
    return until(served, run, "completed", "failed", "canceled")


def graded(served, one, source):
    """A run that came to its end, and its items."""
    run = ended(served, start(served, one, source))
    return run, items_of(served, run)


def items_of(served, run, **query):
    """All output items of a run, page by page."""
    listed = served.openai.evals.runs.output_items.list(run.id, eval_id=run.eval_id, **query)
    return list(listed)


def counts_of(run):
    """Passed, failed, errored; checks the total."""
    counts = run.result_counts
    assert counts.total == counts.passed + counts.failed
    return counts.passed, counts.failed, counts.errored


def clear(served):
    """Delete all that was made: evals take their runs with them, and runs what they have kept."""
    for one in served.openai.evals.list():
        served.openai.evals.delete(one.id)
    for file in served.openai.files.list():
        served.openai.files.delete(file.id)
    room = served.shared.room
    assert (room.used, list(room.path("x").parent.iterdir())) == (0, [])
    assert not served.shared.tasks


class GatedJudge:
    """Answers 1 to those that say "yes" and 0 to others; to "wait" not before it is let.

    Attributes:
        error: What it raises instead.
        answered: How many it has answered.
    """

    def __init__(self):
        self.error, self.answered = None, 0
        self._loop = None
        self._gate = asyncio.Event()

    async def complete(self, request):
        """Called by the server, in its thread."""
        if self.error is not None:
            raise self.error
        self._loop = asyncio.get_running_loop()
        text = request.messages[0].content
        if "wait" in text:
            await self._gate.wait()
        self.answered += 1
        score = float("yes" in text)
        usage = Usage(prompt_tokens=10, completion_tokens=5, total_tokens=15, cached_tokens=2)
        return ModelReply(text=f'{{"steps": [], "result": {score}}}', usage=usage)

    def let(self):
        """Let all go on."""
        self._loop.call_soon_threadsafe(self._gate.set)
