"""Stand-ins for the clients that reach a network, and configs and rows to try them on."""

import asyncio
import dataclasses
import json
import os
import sys
import types
from pathlib import Path
from typing import ClassVar, Literal

from graders.clients import ModelReply
from graders.grades import Usage

JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o",
    "input": [{"role": "user", "content": "Rate {{ sample.output_text }}"}],
}
LABEL = {**JUDGE, "type": "label_model", "model": "o3", "labels": ["a"], "passing_labels": ["a"]}
EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
}
MULTI = {
    "type": "multi",
    "name": "both",
    "graders": {"j": JUDGE, "e": EXACT},
    "calculate_output": "j + e",
}
REMOTE = {"type": "endpoint", "name": "remote", "url": "http://a/grade"}
USAGE = Usage(prompt_tokens=80, completion_tokens=20, total_tokens=100)
KEY = "sk-MARKER-0123456789"


@dataclasses.dataclass(frozen=True)
class Wire:
    """The stand-in of the wire format."""

    max_tokens: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    format: Literal["json_schema", "json_object", "none"] = "json_schema"


class Server:
    """The stand-in of the built-in client: keeps its settings, answers with the prompt's length."""

    made: ClassVar[list["Server"]] = []

    def __init__(self, *, notify, **settings):
        self.notify, self.settings, self.asked = notify, settings, []
        environment = os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
        self.base_url = settings.get("base_url") or environment
        self.identity = f"{self.base_url} {settings.get('wire', '')}"
        Server.made.append(self)

    async def complete(self, request):
        self.asked.append(request)
        await asyncio.sleep(0)
        length = len(request.messages[0].content) / 100
        return ModelReply(text=json.dumps({"steps": [], "result": length}), usage=USAGE)


class Endpoint:
    """The stand-in of the HTTP client of endpoint graders."""

    async def post(self, _url, _headers, _body, **_rate):
        return {"score": 0.5}


def install(monkeypatch):
    """Put the stand-ins where the commands look for clients; gives the servers that are set up.

    The current folder gets configs and rows, and no environment says whom to ask.
    """
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, holds in [
        ("openai_compatible", {"OpenAICompatible": Server}),
        ("wire", {"Wire": Wire}),
        ("endpoint", {"HttpEndpoint": Endpoint}),
    ]:
        module = types.ModuleType(f"graders.clients.{name}")
        vars(module).update(holds)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(Server, "made", [])
    write("judge.json", JUDGE)
    write("multi.json", MULTI)
    rows = [{"item": {"a": "x"}, "sample": "x" * length} for length in (1, 2)]
    write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return Server.made


def write(name, content):
    """Write a text, or a value as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    Path(name).write_text(text, encoding="utf-8", newline="")


def results(name="out.jsonl"):
    """The lines of a results file."""
    return [json.loads(line) for line in Path(name).read_bytes().splitlines()]


def exits(*_):
    """What becomes of a process whose memory is at an end."""
    raise SystemExit


def breaks(*_):
    """What a bug of ours does."""
    raise ZeroDivisionError("a bug")
