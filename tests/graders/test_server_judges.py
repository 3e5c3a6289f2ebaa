"""Judges that a request asks: whom, with how much, and how often."""

import asyncio

from asking import EXACT, RUN, post

from graders.clients import ModelReply, ScriptedClient
from graders.compile import Tools
from graders.server.settings import Limits

JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4.1-2025-04-14",
    "input": [{"role": "user", "content": "Grade {{ sample.output_text }}"}],
}
MULTI = {"type": "multi", "name": "all", "graders": {"exact": EXACT}, "calculate_output": "exact"}


def test_judges_are_asked_through_the_servers_client():
    """Whatever address a request names."""
    client = ScriptedClient(lambda _: ModelReply(text='{"steps": [], "result": 0.5}'))
    grader = {**JUDGE, "base_url": "http://evil.example"}
    body = {"grader": grader, "model_sample": "x"}
    _, answer = asyncio.run(post(RUN, body, tools=Tools(client=client)))

    assert answer["reward"] == 0.5
    assert [request.model for request in client.asked] == ["gpt-4.1-2025-04-14"]


def test_a_judge_is_asked_with_so_many_texts_at_most():
    """Each takes its time to be written into the prompt."""
    client = ScriptedClient(lambda _: ModelReply(text='{"steps": [], "result": 1}'))

    def answered(texts):
        grader = {**JUDGE, "input": [{"role": "user", "content": ["x"] * texts}]}
        body = {"grader": grader, "model_sample": ""}
        return asyncio.run(post(RUN, body, tools=Tools(client=client)))

    assert answered(20_000)[0] == 200
    status, answer = answered(20_001)
    assert (status, answer["error"]["code"], answer["error"]["param"]) == (400, "texts", "grader")
    assert answer["error"]["message"] == "there are 20,001 texts in it, and 20,000 are allowed"


def test_judges_are_asked_for_so_many_answers_at_most():
    """Each is paid. Those of all members of a multi count, and those of all rows of a batch."""
    client = ScriptedClient(lambda _: ModelReply(text='{"steps": [], "result": 1}'))
    three = {key: {**JUDGE, "name": key, "repeats": 5} for key in "abc"}
    multi = {**MULTI, "graders": three, "calculate_output": "a + b + c"}
    limits = Limits(answers=14)

    def answered(path, body):
        return asyncio.run(post(path, body, tools=Tools(client=client), limits=limits))

    status, answer = answered(RUN, {"grader": multi, "model_sample": "x"})
    assert (status, answer["error"]["code"], answer["error"]["param"]) == (400, "answers", "grader")
    assert answer["error"]["message"] == (
        "judges would be asked for 15 answers about one sample, and 14 are allowed"
    )
    assert answered("/grade", {"grader": multi, "rows": []})[0] == 400
    source = {"type": "custom", "item_schema": {"type": "object"}}
    criteria = [{**one, "pass_threshold": 0.5} for one in three.values()]
    created = {"data_source_config": source, "testing_criteria": criteria}
    assert answered("/v1/evals", created)[1]["error"]["param"] == "testing_criteria"
    assert client.asked == []

    limits = Limits(batch_gradings=14)
    rows = [{"item": {}, "sample": "x"}]
    assert answered("/grade", {"grader": three["a"], "rows": rows * 2})[0] == 200
    assert answered("/grade", {"grader": three["a"], "rows": rows * 3})[0] == 400
    assert len(client.asked) == 10
