"""An environment of verifiers with a reward of ours, whole: its agent, interception and scoring.

The model is a server here that says the last word of what it is asked, and the harness a program
that asks once; nothing is fetched. Of four tasks the grader cannot grade two: it breaks on an
answer, and one task has none. Checked: their traces are not ok and have no reward.

    python3 -m venv venv && venv/bin/pip install verifiers==0.4.0 -e .
    PYTHONPATH=benchmarks/trainers venv/bin/python benchmarks/trainers/verifiers_run.py
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import verifiers.v1 as vf
from verifiers.v1.clients import EvalClientConfig, ModelContext
from verifiers.v1.runtimes import ProgramResult

from graders.trainers.verifiers import reward

__all__ = ["Once", "Words"]

GRADER = {
    "type": "python",
    "name": "code",
    "source": "def grade(sample, item):\n"
    "    if sample['output_text'] == 'die':\n"
    "        raise ValueError('died')\n"
    "    return float(sample['output_text'] == item['answer'])\n",
}
TASKS = [("say 4", "4"), ("say 5", "4"), ("say die", "4"), ("say 4", None)]
EXPECTED = [(True, 1.0), (True, 0.0), (False, None), (False, None)]
grader = reward(GRADER)


class WordData(vf.TaskData):
    """What is right."""

    answer: str | None = None


class Word(vf.Task[WordData]):
    """As the README says."""

    @vf.reward
    async def grade(self, trace: vf.Trace) -> float:
        """Ours."""
        return await grader(self.data, trace)


class Words(vf.Taskset[Word, vf.TasksetConfig]):
    """Four tasks."""

    def load(self) -> list[Word]:
        """See there."""
        data = [WordData(prompt=prompt, answer=answer) for prompt, answer in TASKS]
        return [Word(one, self.config.task) for one in data]


class Once(vf.Harness[vf.HarnessConfig]):
    """Asks the model once."""

    NEEDS_CONTAINER = EXECUTES_CODE = False

    async def launch(  # noqa: PLR0917
        self,
        ctx: ModelContext,
        trace: vf.Trace,  # noqa: ARG002
        runtime: vf.Runtime,  # noqa: ARG002
        endpoint: str,
        secret: str,
        mcp_urls: Mapping[str, str],  # noqa: ARG002
        data: vf.TaskData,
        tool_interception_url: str | None = None,  # noqa: ARG002
    ) -> ProgramResult:
        body = {"model": ctx.model, "messages": [{"role": "user", "content": data.prompt}]}
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(timeout=30) as client:
            told = await client.post(f"{endpoint}/chat/completions", headers=headers, json=body)
        return ProgramResult(int(told.status_code != 200), told.text, "")


class Model(BaseHTTPRequestHandler):
    """Says the last word that it is told."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        said = {"role": "assistant", "content": asked["messages"][-1]["content"].split()[-1]}
        choice = {"index": 0, "message": said, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
        told = json.dumps(whole | {"choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: Any) -> None:
        pass


async def episodes(port: int, task: dict[str, Any]) -> list[vf.Episode]:
    """All tasks, at once."""
    taskset = {"id": "verifiers_run", "task": task}
    agent = {"harness": {"id": "verifiers_run"}, "runtime": {"type": "subprocess"}}
    config = vf.env_config_type("verifiers_run")
    env = vf.load_environment(config.model_validate({"taskset": taskset, "agent": agent}))
    client = EvalClientConfig(base_url=f"http://127.0.0.1:{port}/v1", api_key_var="NO_KEY")
    context = ModelContext(model="m", client=client)
    async with env.serving():
        slots = [slot for one in env.taskset.load() for slot in env.slots(one)]
        return await asyncio.gather(*[env.run_slot(slot, context) for slot in slots])


def main() -> None:
    """By the method of a task, and plugged in by a config beside it."""
    os.environ["NO_KEY"] = "none"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("verifiers", version("verifiers"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rewards.py"
        path.write_text("from verifiers_run import grader\n", "utf-8")
        for task in ({}, {"rewards": {"plugged": {"fn": f"{path}:grader"}}}):
            told = asyncio.run(episodes(server.server_port, task))
            traces = [trace for episode in told for trace in episode.traces]
            for (prompt, _), (ok, score), trace in zip(TASKS, EXPECTED, traces, strict=True):
                scores = {key: one and one.score for key, one in trace.rewards.items()}
                print(f"  {prompt:8}ok={trace.ok!s:6}{scores} {last_line(trace)}")
                if (trace.ok, {*scores.values()}) != (ok, {score}):
                    sys.exit(f"not what was expected: {ok}, {score}")


def last_line(trace: vf.Trace) -> str:
    """Of its error."""
    return trace.errors[-1].message.splitlines()[-1] if trace.errors else ""


if __name__ == "__main__":
    main()
