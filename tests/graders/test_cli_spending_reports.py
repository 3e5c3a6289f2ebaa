"""What judges took, where graders are compared or probed: in lines, in JSON, and on the page."""

import json
import sys
from pathlib import Path

import pytest
from html_reading import Reader
from stand_ins import JUDGE, write

from graders.cli import main

CLIENT = """
from graders.clients import ModelReply
from graders.grades import Usage

class Judge:
    asked = 0
    async def complete(self, request):
        Judge.asked += 1
        usage = Usage(prompt_tokens=90, completion_tokens=10, total_tokens=100)
        return ModelReply(text=f'{{"steps": [], "result": {Judge.asked % 7 / 7}}}', usage=usage)
"""
ASKING = ("--client", "reported_judge:Judge")
COMPARE = ("compare", "rows.jsonl", "--reference", "item.answer", "--human", "sample.human")
COMPARE = (*COMPARE, "--resamples", "100", "--metrics")
COMMANDS = {
    "compare": (*COMPARE, "none", "--graders", "judge.json", *ASKING),
    "probe": ("probe", "judge.json", "rows.jsonl", "--reference", "item.answer", *ASKING),
}
WITHOUT = {
    "compare": (*COMPARE, "rouge_l,partial", "--probe", "0"),
    "probe": ("probe", "exact.json", "rows.jsonl", "--budget", "0"),
}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "reported_judge", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    write("reported_judge.py", CLIENT)
    message = {"role": "user", "content": "Rate {{ sample.output_text }}"}
    write("judge.json", {**JUDGE, "input": [message]})
    exact = {"type": "string_check", "name": "x", "operation": "eq"}
    texts = {"input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"}
    write("exact.json", {**exact, **texts})
    rows = [
        {
            "item": {"answer": answer},
            "samples": [{"output_text": text, "human": text == answer} for text in (answer, "no")],
        }
        for answer in ("Leo Tolstoy", "Jan Vermeer", "Ella Fitzgerald")
    ]
    write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def graders(capsys):
    """Run `graders ...`; gives standard output."""

    def command(*arguments):
        assert main([*arguments]) in {0, 1}
        return capsys.readouterr().out

    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_what_judges_took_is_said(graders, name):
    found = json.loads(graders(*COMMANDS[name], "--json", "--report", "r.json"))
    page = json.loads(Path("r.json").read_bytes())
    out = graders(*COMMANDS[name], "--report", "r.html")
    said = Reader(Path("r.html").read_text("utf-8")).text()
    ((model, used),) = found["usage"].items()
    calls = used["calls"]

    for key in ("usage", "cost_usd", "answers_without_usage"):
        assert page[key] == found[key]
    assert used["prompt_tokens"] == 90 * calls > 0
    assert found["cost_usd"] == used["cost_usd"]
    assert f"  asked    {model}: {calls:,} calls, {90 * calls:,} + {10 * calls:,} tokens, " in out
    assert "What models were asked" in said
    assert f"{100 * calls:,} tokens" in said


@pytest.mark.parametrize("name", WITHOUT)
def test_where_no_judge_is_asked_nothing_is_said(graders, name):
    found = json.loads(graders(*WITHOUT[name], "--json", "--report", "r.html"))

    assert "usage" not in found
    assert "What models were asked" not in Path("r.html").read_text("utf-8")
    assert "  asked " not in graders(*WITHOUT[name])
