"""Walks through a part of the API with the official SDK, as set up by the environment alone.

Reads what to ask as JSON from standard input and prints what it was told; `sdk_walk.mjs` is the
same in JavaScript. Run with `sync` or `async`, for the one client or the other, and the part.
"""

import asyncio
import inspect
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


async def upload(client, text, name, purpose):
    """A new file."""
    return await settled(client.files.create(file=(name, text.encode()), purpose=purpose))


async def content_of(client, file_id):
    """What a file holds."""
    content = client.files.content(file_id)
    return (await content if inspect.isawaitable(content) else content).read().decode()


async def files(client, asked):
    """The life of a file."""
    api = client.files
    made = await upload(client, asked["jsonl"], "rows.jsonl", "evals")
    other = await upload(client, asked["jsonl"], "more.jsonl", "fine-tune")
    return {
        "made": made,
        "other": other,
        "retrieved": await settled(api.retrieve(made["id"])),
        "content": await content_of(client, made["id"]),
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
    file = await upload(client, asked["jsonl"], "rows.jsonl", "evals")
    seen["by_file"] = await one_run(client, made["id"], {"type": "file_id", "id": file["id"]})
    seen["runs"] = await every(api.runs.list(made["id"], limit=1, order="asc"))
    run_id = seen["by_content"]["run"]["id"]
    seen["canceled"] = await one_canceled(client, asked)
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


async def one_canceled(client, asked):
    """A run that would take long, ended."""
    api, source = client.evals, {"type": "file_content", "content": asked["rows"]}
    slow = await settled(api.create(**asked["slow_eval"]))
    data_source = {"type": "jsonl", "source": source}
    run = await settled(api.runs.create(slow["id"], name="slow", data_source=data_source))
    where = {"run_id": run["id"], "eval_id": slow["id"]}
    canceled = await settled(api.runs.cancel(**where))
    ended = await final(lambda: api.runs.retrieve(**where))
    await settled(api.delete(slow["id"]))
    return {"told": canceled, "final": ended}


async def jobs(client, asked):
    """A job's dry run, with its events and its plan; and one that is cancelled."""
    api = client.fine_tuning.jobs
    file = await upload(client, asked["training"], "t.jsonl", "fine-tune")
    long = await upload(client, asked["long_training"], "long.jsonl", "fine-tune")
    made = await settled(api.create(training_file=file["id"], **asked["job"]))
    ended = await final(lambda: api.retrieve(made["id"]))
    other = await settled(api.create(training_file=long["id"], **asked["job"]))
    return {
        "cancelled": await settled(api.cancel(other["id"])),
        "file": file,
        "made": made,
        "final": ended,
        "plan": await content_of(client, ended["result_files"][0]),
        "events": await every(api.list_events(made["id"], limit=2)),
        "checkpoints": await every(api.checkpoints.list(made["id"])),
        "listed": await every(api.list(limit=1)),
        "refused": {
            name: await told(api.create, **{"training_file": file["id"], **body})
            for name, body in asked["refused_jobs"].items()
        },
        "too_late": await told(api.cancel, made["id"]),
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
