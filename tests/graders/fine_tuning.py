"""Fine-tuning jobs as the SDK starts them and waits for them, and rows for them."""

import json
import time

from sample_configs import EXACT
from serving import jsonl

MODEL = "o4-mini-2025-04-16"
JOBS = "/v1/fine_tuning/jobs"
GOOD = [
    {"messages": [{"role": "user", "content": f"What is {n} + 1?"}], "answer": str(n + 1)}
    for n in range(12)
]
CHATS = [
    {"messages": [*row["messages"], {"role": "assistant", "content": row["answer"]}]}
    for row in GOOD
]
PAIRS = [
    {
        "input": {"messages": row["messages"]},
        "preferred_output": [{"role": "assistant", "content": row["answer"]}],
        "non_preferred_output": [{"role": "assistant", "content": "no idea"}],
    }
    for row in GOOD
]
MANY = jsonl(*GOOD) * 20_000
"""Seconds of work."""


def method(grader=EXACT, **hyperparameters):
    inside = {"grader": grader, "hyperparameters": hyperparameters}
    return {"type": "reinforcement", "reinforcement": inside}


def upload(server, rows, name="train.jsonl", purpose="fine-tune"):
    data = rows if isinstance(rows, bytes) else jsonl(*rows)
    return server.openai.files.create(file=(name, data), purpose=purpose).id


def start(server, rows, **body):
    """Start a job; of what it says nothing, something is chosen."""
    chosen = {"model": MODEL, "method": method(), **body}
    return server.openai.fine_tuning.jobs.create(training_file=upload(server, rows), **chosen)


def ended(server, job):
    """A job at its end."""
    patience = time.monotonic() + 60
    while job.finished_at is None:
        assert time.monotonic() < patience, job
        job = server.openai.fine_tuning.jobs.retrieve(job.id)
    return job


def events(server, job, **query):
    """The oldest first."""
    return [*server.openai.fine_tuning.jobs.list_events(job.id, **query)][::-1]


def findings(server, job):
    """Code, severity and place of each finding that the events of a job tell of."""
    told = [one.data for one in events(server, job, limit=100) if one.data]
    return {(one["code"], one["severity"], one["path"]) for one in told}


def is_of_type(kind, value):
    """Whether JSON is what the SDK declares, whose objects are made without a look."""
    kind.model_validate_json(json.dumps(value), strict=True)
    return set(kind.model_fields) <= set(value)
