"""Walks through a part of the API with the official SDK, as set up by the environment alone.

Reads what to ask as JSON from standard input and prints what it was told; `sdk_walk.mjs` is the
same in JavaScript. Run with `sync` or `async`, for the one client or the other, and the part.
"""

import asyncio
import inspect
import io
import json
import sys
import time

import openai

FINAL = {"completed", "failed", "canceled", "succeeded", "cancelled"}
PATIENCE_SECONDS = 60


def to_json(model):
    """What came; also where it is not what the SDK's types say, as with a multi's graders."""
    return model.to_dict(warnings=False)


async def settled(answer):
    """What a call gives, whichever client was called."""
    value = await answer if inspect.isawaitable(answer) else answer
    return to_json(value) if isinstance(value, openai.BaseModel) else value


async def every(pages):
    """The entries of all pages of a list."""
    if hasattr(pages, "__aiter__"):
        return [to_json(entry) async for entry in pages]
    return [to_json(entry) for entry in pages]


async def told(call, *arguments, **named):
    """Which exception a call ends in, and what it carries."""
    try:
        value = await settled(call(*arguments, **named))
    except openai.APIStatusError as error:
        return {
            "exception": type(error).__name__,
            "status": error.status_code,
            "param": error.param,
            "code": error.code,
            "type": error.type,
            "message": error.body["message"],
        }
    return value


async def final(retrieve):
    """A run or a job when it has come to its end."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (state := await settled(retrieve()))["status"] not in FINAL:
        assert time.monotonic() < deadline, state
    return state


async def graders(client, asked):
    """The routes of run and validate."""
    api = client.fine_tuning.alpha.graders
    return {
        "runs": {name: await settled(api.run(**body)) for name, body in asked["runs"].items()},
        "validated": {
            name: await settled(api.validate(grader=body))
            for name, body in asked["validated"].items()
        },
        "refused": {
            name: await told(api.validate, grader=body) for name, body in asked["refused"].items()
        },
        "refused_runs": {
            name: await told(api.run, **body) for name, body in asked["refused_runs"].items()
        },
    }


async def files(client, asked):
    """The life of a file."""
    api, data = client.files, asked["jsonl"].encode()
    made = await settled(api.create(file=("rows.jsonl", data), purpose="evals"))
    other = await settled(api.create(file=("more.jsonl", io.BytesIO(data)), purpose="fine-tune"))
    content = api.content(made["id"])
    content = await content if inspect.isawaitable(content) else content
    return {
        "made": made,
        "other": other,
        "retrieved": await settled(api.retrieve(made["id"])),
        "content": content.read().decode(),
        "listed": await every(api.list(limit=1, order="asc")),
        "of_purpose": await every(api.list(purpose="evals")),
        "deleted": [await settled(api.delete(one["id"])) for one in (made, other)],
        "gone": await told(api.retrieve, made["id"]),
    }


async def evals(client, asked):
    """An eval, a run over rows in the request and one over a file, and their output items."""
    api = client.evals
    made = await settled(api.create(**asked["eval"]))
    seen = {
        "made": made,
        "retrieved": await settled(api.retrieve(made["id"])),
        "updated": await settled(api.update(made["id"], name="renamed", metadata={"a": "b"})),
        "listed": await every(api.list(limit=1)),
        "refused": {
            name: await told(api.create, **body) for name, body in asked["refused_evals"].items()
        },
    }
    rows = {"type": "file_content", "content": asked["rows"]}
    seen["by_content"] = await one_run(client, made["id"], rows)
    file = await settled(
        client.files.create(file=("rows.jsonl", asked["jsonl"].encode()), purpose="evals")
    )
    seen["by_file"] = await one_run(client, made["id"], {"type": "file_id", "id": file["id"]})
    seen["runs"] = await every(api.runs.list(made["id"], limit=1, order="asc"))
    run_id = seen["by_content"]["run"]["id"]
    seen["canceled"] = await told(api.runs.cancel, run_id, eval_id=made["id"])
    seen["run_deleted"] = await settled(api.runs.delete(run_id, eval_id=made["id"]))
    seen["run_gone"] = await told(api.runs.retrieve, run_id, eval_id=made["id"])
    seen["deleted"] = await settled(api.delete(made["id"]))
    seen["gone"] = await told(api.retrieve, made["id"])
    await settled(client.files.delete(file["id"]))
    return seen


async def one_run(client, eval_id, source):
    """A run, from its start to its output items."""
    api = client.evals.runs
    data_source = {"type": "jsonl", "source": source}
    made = await settled(api.create(eval_id, name="walk", data_source=data_source))
    run = await final(lambda: api.retrieve(made["id"], eval_id=eval_id))
    items = await every(api.output_items.list(made["id"], eval_id=eval_id, limit=2, order="asc"))
    where = {"run_id": made["id"], "eval_id": eval_id}
    return {
        "made": made,
        "run": run,
        "items": items,
        "failed_items": await every(api.output_items.list(**where, status="fail")),
        "one": await settled(api.output_items.retrieve(items[0]["id"], **where)),
    }


async def jobs(client, asked):
    """A job's dry run, with its events."""
    api = client.fine_tuning.jobs
    file = await settled(
        client.files.create(file=("t.jsonl", asked["training"].encode()), purpose="fine-tune")
    )
    made = await settled(api.create(training_file=file["id"], **asked["job"]))
    return {
        "file": file,
        "made": made,
        "final": await final(lambda: api.retrieve(made["id"])),
        "events": await every(api.list_events(made["id"], limit=2)),
        "checkpoints": await every(api.checkpoints.list(made["id"])),
        "listed": await every(api.list(limit=1)),
        "refused": {
            name: await told(api.create, **{"training_file": file["id"], **body})
            for name, body in asked["refused_jobs"].items()
        },
        "canceled": await told(api.cancel, made["id"]),
        "gone": await told(api.retrieve, "ftjob-absent"),
    }


PARTS = {"graders": graders, "files": files, "evals": evals, "jobs": jobs}


def main():
    """Only the environment says where the API is."""
    kind, part = sys.argv[1:]
    client = {"sync": openai.OpenAI, "async": openai.AsyncOpenAI}[kind]()
    seen = asyncio.run(PARTS[part](client, json.load(sys.stdin)))
    json.dump({"version": openai.__version__, **seen}, sys.stdout)


if __name__ == "__main__":
    main()
