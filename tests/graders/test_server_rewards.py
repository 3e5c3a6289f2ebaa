"""`/get_reward` answers OpenRLHF as its own servers do, and a failure is no reward there.

What is sent is what `RemoteRewardModel` and `SingleTurnAgentExecutor` of OpenRLHF 0.5.9 to 0.11.2
send: `{"query", "prompts", "labels"}` by POST, tried five times on any status from 400 up.
"""

import asyncio
import json

import httpx2
import pytest
from asking import EXACT, SIMILAR, asking, post
from served import serving

from graders.compile import Tools
from graders.config.parse import parse_config
from graders.errors import FailureKind, GradingError
from graders.server.settings import Limits, Rewards
from graders.trainers.queries import END_TOKENS

MULTI = {
    "type": "multi",
    "name": "both",
    "graders": {"exact": EXACT, "similar": SIMILAR},
    "calculate_output": "0.5 * exact + 0.5 * similar",
}
SERVED = {"exact": parse_config(EXACT)}
PROMPT = "<|im_start|>user\nThe capital of France?<|im_end|>\n<|im_start|>assistant\n"
BODY = {
    "query": [PROMPT + "Paris<|im_end|>"],
    "prompts": [PROMPT],
    "labels": ['{"answer": "Paris"}'],
}


def asked(body=BODY, *, path="/get_reward", graders=SERVED, **settings):
    return asyncio.run(post(path, body, graders=graders, **settings))


def sequences(*responses, label='{"answer": "Paris"}'):
    """The body for some responses to one prompt."""
    return {
        "query": [PROMPT + response for response in responses],
        "prompts": [PROMPT] * len(responses),
        "labels": [label] * len(responses),
    }


def test_rewards_scores_and_logs_are_lists_with_an_entry_for_each_query():
    """A single query, which is what current versions send, or many."""
    status, answer = asked(sequences("Paris<|im_end|>", "Rome<|im_end|>", "Paris"))

    assert (status, answer) == (
        200,
        {
            "rewards": [1.0, 0.0, 1.0],
            "scores": [1.0, 0.0, 1.0],
            "extra_logs": {"graders/failed": [0.0, 0.0, 0.0]},
        },
    )


def test_members_are_logged():
    """By their keys, the same for each request."""
    status, answer = asked(sequences("Paris</s>", "Pari"), graders={"m": parse_config(MULTI)})

    assert status == 200
    assert answer["extra_logs"].keys() == {"exact", "similar", "graders/failed"}
    assert answer["extra_logs"]["exact"] == [1.0, 0.0]
    assert answer["rewards"][1] == pytest.approx(answer["extra_logs"]["similar"][1] / 2)


def test_no_query_is_answered_with_nothing():
    """OpenRLHF 0.9 sends empty shares to further servers."""
    empty = {"rewards": [], "scores": [], "extra_logs": {"graders/failed": []}}

    assert asked({"query": [], "prompts": [], "labels": []}) == (200, empty)
    assert asked({"query": []}) == (200, empty)


def test_labels_may_be_missing():
    """As in 0.5.9; a grader that needs none still grades."""
    config = parse_config({**EXACT, "reference": "Paris"})
    body = {key: BODY[key] for key in ("query", "prompts")}

    assert asked(body, graders={"exact": config})[1]["rewards"] == [1.0]


@pytest.mark.parametrize(
    ("label", "reference"),
    [
        ("Paris", "{{ item.label }}"),
        ('"Paris"', "{{ item.label }}"),
        ("7", "{{ item.label }}"),
        ({"answer": "Paris"}, "{{ item.answer }}"),
        ('{"answer": "Paris"}', "{{ item.answer }}"),
    ],
)
def test_a_label_is_the_item_where_it_is_an_object(label, reference):
    """Else it is the item's `label`, as it was written."""
    config = parse_config({**EXACT, "reference": reference})
    said = label if isinstance(label, str) and not label.startswith("{") else "Paris"

    assert asked(sequences(said, label=label), graders={"e": config})[1]["rewards"] == [1.0]


@pytest.mark.parametrize(
    ("query", "grader", "found"),
    [
        ("/get_reward", {"exact"}, 200),
        ("/get_reward?grader=exact", {"exact"}, 200),
        ("/get_reward?grader=exact", {"exact", "other"}, 200),
        ("/get_reward", {"exact", "other"}, "choose a grader with ?grader=NAME. Known names: 'exa"),
        ("/get_reward?grader=exakt", {"exact"}, "there is no grader 'exakt' here. Did you mean 'e"),
        ("/get_reward?grader=", {"exact"}, "there is no grader '' here. Known names: 'exact'"),
        ("/get_reward", set(), "no grader is served here; start the server with --grader NAME=CON"),
    ],
)
def test_the_grader_is_named_or_the_only_one(query, grader, found):
    """Never another one."""
    status, answer = asked(path=query, graders=dict.fromkeys(grader, SERVED["exact"]))

    if found == 200:
        assert (status, answer["rewards"]) == (200, [1.0])
    else:
        assert (status, answer["error"]["param"]) == (404, "grader")
        assert found in answer["error"]["message"]


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ({}, "query", "query is missing, or no list of texts"),
        ({**BODY, "query": [4]}, "query", "query is missing, or no list of texts"),
        ({**BODY, "query": "text"}, "query", "query is missing, or no list of texts"),
        ({"query": BODY["query"]}, "prompts", "prompts is missing, or no list of texts"),
        ({**BODY, "prompts": []}, "prompts", "there are 0 for 1 queries; each needs its own"),
        ({**BODY, "labels": []}, "labels", "there are 0 for 1 queries; each needs its own"),
        ({**BODY, "labels": "Paris"}, "labels", "labels is no list"),
        (sequences("a", "b", "c"), "query", "there are more than the 2 that may be sent"),
    ],
)
def test_what_openrlhf_would_not_send_is_a_400(body, param, message):
    """With the field that is wrong."""
    status, answer = asked(body, limits=Limits(batch_gradings=2))

    assert (status, answer["error"]["param"]) == (400, param)
    assert message in answer["error"]["message"]


CUT = {**BODY, "query": ["capital of France?<|im_end|>\nParis"]}
NO_ANSWER = sequences("Paris", label="{}")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (CUT, "does not begin with its prompt"),
        (NO_ANSWER, "query[0]: "),
        (sequences("Paris") | {"labels": ["Paris"]}, "item.answer"),
        ({key: [*BODY[key], *CUT[key]] for key in BODY}, "query[1]: the query 'capital of Fran"),
    ],
)
def test_a_failure_is_no_reward(body, message):
    """But an error, which says why; no other row of the request has a reward then, either."""
    status, answer = asked(body)

    assert status == 422
    assert message in answer["error"]["message"]
    assert "rewards" not in answer


@pytest.mark.parametrize("number", [-1.0, 0.0])
def test_a_failure_is_the_number_that_the_operator_names(number):
    """The log tells it from a score."""
    body = {key: [*BODY[key], *CUT[key], *NO_ANSWER[key]] for key in BODY}
    config = parse_config(MULTI)
    status, answer = asked(body, graders={"m": config}, rewards=Rewards(failed=number))

    assert (status, answer["rewards"]) == (200, [1.0, number, number])
    assert answer["scores"] == answer["rewards"]
    assert answer["extra_logs"] == {
        "exact": [1.0, number, number],
        "similar": [1.0, number, number],
        "graders/failed": [0.0, 1.0, 1.0],
    }


def test_the_log_has_the_first_failure_of_each_kind(caplog):
    """OpenRLHF shows its user the status alone, five times for each."""
    graders = {"m": parse_config(MULTI)}

    async def ask():
        async with asking(graders=graders) as client:
            for body in (NO_ANSWER, NO_ANSWER, CUT, BODY):
                await client.post("/get_reward", json=body)

    asyncio.run(ask())

    first, second = (record.message for record in caplog.records)
    assert first.startswith("no reward by m, for the first time: exact: {{ item.answer }}: item")
    assert second.startswith("no reward by m, for the first time: the query 'capital of")


class Gone:
    """An endpoint client whose service is away."""

    async def post(self, *_, **__):
        raise GradingError(FailureKind.ENDPOINT_SERVER, "nobody is there", "connection")


def test_what_may_recover_is_a_503():
    """OpenRLHF tries again after a second."""
    far = {"type": "endpoint", "name": "far", "url": "http://far.example/score"}
    status, answer = asked(graders={"far": parse_config(far)}, tools=Tools(endpoint=Gone()))

    assert (status, answer["error"]["message"]) == (503, "query[0]: nobody is there")
    assert answer["error"]["code"] == "endpoint_grader_server_error"


class Slow:
    """An endpoint client whose service answers what is right, and nothing else."""

    async def post(self, _, __, body, **___):
        if body["sample"]["output_text"] != "Paris":
            await asyncio.get_running_loop().create_future()
        return {"score": 1.0}


def test_what_takes_too_long_is_a_failure():
    """OpenRLHF would ask again for what is still under way; what is finished is kept."""
    far = {"type": "endpoint", "name": "far", "url": "http://far.example/score"}
    given = {"graders": {"far": parse_config(far)}, "tools": Tools(endpoint=Slow())}
    body = sequences("Paris", "Rome", "Paris")
    status, answer = asked(body, **given, rewards=Rewards(seconds=0.5))
    numbered = asked(body, **given, rewards=Rewards(seconds=0.5, failed=-1))

    assert (status, answer["error"]["message"]) == (
        422,
        "query[1]: took longer than the 0.5 s that OpenRLHF may wait",
    )
    assert numbered[1]["rewards"] == [1.0, -1.0, 1.0]
    assert numbered[1]["extra_logs"] == {"graders/failed": [0.0, 1.0, 0.0]}


@pytest.mark.parametrize("end", END_TOKENS)
def test_the_token_at_the_end_is_no_part_of_the_response(end):
    """Whichever it is, and however often; what stands inside stays."""
    assert asked(sequences(f"Paris{end}", f"Paris{end}{end}"))[1]["rewards"] == [1.0, 1.0]
    assert asked(sequences(f"{end}Paris", f"Par{end}is"))[1]["rewards"] == [0.0, 0.0]


def test_other_tokens_are_taken_off_where_the_operator_names_them():
    """And the usual ones then are text."""
    rules = Rewards(end_tokens=("[END]",))

    assert asked(sequences("Paris[END]", "Paris</s>"), rewards=rules)[1]["rewards"] == [1.0, 0.0]


def test_a_response_that_ends_in_an_unknown_token_is_warned_of_once(caplog):
    """It is graded with it, and OpenRLHF's user sees a 0.0."""

    async def ask():
        async with asking(graders=SERVED) as client:
            for _ in range(2):
                await client.post("/get_reward", json=sequences("Paris<|done|>"))

    asyncio.run(ask())

    (record,) = caplog.records
    assert record.message == (
        "exact: a response ends in '<|done|>' and is graded with it; "
        "if that is an end token, name it in --end-token"
    )


def test_many_ask_at_once():
    """As the executors of an engine do; each is told its own."""

    async def ask():
        async with asking(graders=SERVED) as client:
            bodies = [sequences("Paris" if i % 3 else "Rome") for i in range(60)]
            told = await asyncio.gather(*(client.post("/get_reward", json=b) for b in bodies))
            return [one.json()["rewards"] for one in told]

    assert asyncio.run(ask()) == [[1.0 if i % 3 else 0.0] for i in range(60)]


def test_the_command_serves_it(tmp_path):
    """With the number and the tokens that its options name."""
    config = tmp_path / "exact.json"
    config.write_text(json.dumps(EXACT))
    options = ("--grader", f"exact={config}", "--failed-reward", "-1", "--end-token", "[END]")
    with serving(*options) as url:
        body = {key: [*sequences("Paris[END]")[key], *CUT[key]] for key in BODY}
        answer = httpx2.post(f"{url.removesuffix('/v1')}/get_reward", json=body)

    assert answer.json()["rewards"] == [1.0, -1.0]
