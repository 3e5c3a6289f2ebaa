"""A `reward_func`, called as OpenRLHF calls it, never makes a number of a failure by itself.

Calls and what is read of the answer are copied from `SingleTurnAgentExecutor` of OpenRLHF 0.9 to
0.11.2, and from 0.8's workers, which ask for many rows at once.
"""

import asyncio
import logging
import sys
from types import SimpleNamespace

import pytest
from rewarding import BOTH, CODE, EXACT, JUDGE, Judge

from graders.errors import ConfigError, GradersError, GradingError
from graders.trainers import process
from graders.trainers.openrlhf import reward
from graders.trainers.queries import END_TOKENS, response_of

PROMPT = "<|im_start|>user\n2 + 2?<|im_end|>\n<|im_start|>assistant\n"
LABEL = '{"answer": "4"}'


@pytest.fixture(scope="module", autouse=True)
def _close():
    yield
    process.close_all()


class Executor:
    """The part of `SingleTurnAgentExecutor` that asks for a reward (0.11.2, utils/agent.py)."""

    def __init__(self, reward_func):
        self.reward_func = reward_func
        self.logged = []

    async def execute(self, response, prompt=PROMPT, label=LABEL):
        output = {"reward": None, "scores": None, "extra_logs": {}}
        try:
            query = prompt + response
            rewards_info_list = await self._fetch_rewards_via_func([query], [prompt], [label])
            rewards_info = rewards_info_list[0] if rewards_info_list else None
            if rewards_info:
                score_value = rewards_info.get("scores")
                if score_value is None:
                    score_value = rewards_info.get("rewards")
                output.update(
                    reward=rewards_info.get("rewards"),
                    scores=score_value,
                    extra_logs=rewards_info.get("extra_logs") or {},
                )
        except Exception as e:  # noqa: BLE001 - as OpenRLHF does
            self.logged.append(str(e))
        return output

    async def _fetch_rewards_via_func(self, queries_list, prompts_list, labels_list):
        tasks = [
            asyncio.to_thread(
                self.reward_func,
                queries_list[i : i + 1],
                prompts_list[i : i + 1],
                labels_list[i : i + 1],
            )
            for i in range(len(queries_list))
        ]
        return await asyncio.gather(*tasks)


def executed(reward_func, *responses, **given):
    """What an engine keeps of each response, all of them in flight at once."""
    executor = Executor(reward_func)

    async def engine():
        return await asyncio.gather(*(executor.execute(one, **given) for one in responses))

    return asyncio.run(engine())


def test_the_response_is_graded_without_its_prompt_and_its_end():
    """The numbers are those of the grader."""
    right, wrong, thought = executed(
        reward(EXACT), "4<|im_end|>", "5<|im_end|>", "<think>2 + 2</think>4<|im_end|>"
    )

    assert right == {"reward": [1.0], "scores": [1.0], "extra_logs": {"graders/failed": [0.0]}}
    assert (wrong["reward"], thought["reward"]) == ([0.0], [0.0])


def test_a_batch_has_an_entry_for_each_row():
    """As 0.8 asks, which reads the logs' keys of the first batch in all others."""
    told = reward(BOTH)([PROMPT + "4", PROMPT + "5"], [PROMPT] * 2, [LABEL] * 2)

    assert told == {
        "rewards": [1.0, 0.0],
        "scores": [1.0, 0.0],
        "extra_logs": {"exact": [1.0, 0.0], "code": [1.0, 0.0], "graders/failed": [0.0, 0.0]},
    }


def test_many_threads_ask_at_once():
    """An engine has hundreds of samples in flight; each gets its own reward."""
    said = [str(i % 5) for i in range(200)]
    told = executed(reward(BOTH), *said)

    assert [one["reward"] for one in told] == [[float(text == "4")] for text in said]


FAILING = [
    ("4", {"prompt": PROMPT, "label": "{}"}, "item.answer"),
    ("4", {"prompt": PROMPT, "label": "4"}, "item.answer"),
    ("4", {"prompt": PROMPT, "label": None}, "item.answer"),
    ("4", {"prompt": PROMPT, "label": float("nan")}, "the label: is nan"),
]


@pytest.mark.parametrize(("response", "given", "message"), FAILING)
def test_a_failure_is_raised_and_logged_as_an_error(response, given, message, caplog):
    """OpenRLHF itself would log it at INFO; what it keeps is no number."""
    (told,) = executed(reward(EXACT), response, **given)

    assert told == {"reward": None, "scores": None, "extra_logs": {}}
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.message.startswith("no reward: query[0]: ")
    assert message in record.message


@pytest.mark.parametrize(("response", "given", "message"), FAILING)
@pytest.mark.parametrize("number", [-1, 0.0])
def test_a_failure_is_the_number_that_the_user_names(response, given, message, number, caplog):
    """The logs tell it from a score, with the keys of every other row."""
    (told,) = executed(reward(BOTH, on_failure=number), response, **given)

    logs = {"exact": [number], "graders/failed": [1.0]}
    assert told["reward"] == told["scores"] == [number]
    assert told["extra_logs"].keys() == {"exact", "code", "graders/failed"}
    assert {key: told["extra_logs"][key] for key in logs} == logs
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert message in record.message


def test_a_grader_that_breaks_is_no_zero():
    """Nor one that takes too long."""
    for said in ("die", "wait"):
        (told,) = executed(reward(CODE, deadline=1.0), said)
        assert told["reward"] is None


def test_a_query_that_does_not_begin_with_its_prompt_is_no_response():
    """OpenRLHF cuts long prompts from the left. The whole query is never graded in its stead."""
    grade = reward({**EXACT, "input": "x", "reference": "x"})
    with pytest.raises(GradingError, match=r"does not begin with its prompt .* was the prompt too"):
        grade([PROMPT[10:] + "4"], [PROMPT], [LABEL])


@pytest.mark.parametrize(
    ("query", "prompt", "end_tokens", "response"),
    [
        ("ab", "a", END_TOKENS, "b"),
        ("a", "a", END_TOKENS, ""),
        ("a</s>", "a", END_TOKENS, ""),
        ("a b </s><|im_end|></s>", "a", END_TOKENS, " b "),
        ("a</s>b", "a", END_TOKENS, "</s>b"),
        ("a</s></s>", "a</s>", END_TOKENS, ""),
        ("a</s>", "a</s>", END_TOKENS, ""),  # the prompt's own end stays the prompt's
        ("ab</s>", "a", (), "b</s>"),
        ("ab[X]", "a", ("[X]",), "b"),
        ("abXX", "a", ("X", "XX"), "b"),
        ("ab", "a", ("",), "b"),
    ],
)
def test_response(query, prompt, end_tokens, response):
    """Only what stands at the very end is taken off, however often."""
    assert response_of(query, prompt, end_tokens) == response


def test_a_model_that_only_ends_takes_no_time():
    """Tokens at the end are counted, not cut off one by one."""
    assert response_of("p" + "</s>" * 500_000, "p") == ""


@pytest.mark.parametrize(
    "said", ["\x00", "\ud800", "{{ item.answer }}", "x" * 1_000_000, "\x1b[31m", "", "[4]" * 9999]
)
def test_hostile_text_is_text(said):
    """It is compared, and nothing else."""
    (told,) = executed(reward(BOTH), said)

    assert told["reward"] == [0.0]


@pytest.mark.parametrize(
    ("label", "item", "reference"),
    [
        ({"answer": "4", "none": None}, None, "{{ item.answer }}"),
        ("4", None, "{{ item.label }}"),
        ("4", lambda prompt, label: {"answer": label, "prompt": prompt}, "{{ item.answer }}"),
    ],
)
def test_a_label_makes_the_item(label, item, reference):
    """By itself where it is an object, or as the user says."""
    grade = reward({**EXACT, "reference": reference}, item=item)

    assert grade([PROMPT + "4"], [PROMPT], [label])["rewards"] == [1.0]


def test_labels_may_be_missing_and_further_keywords_come():
    """As in 0.5.9, and in the examples since 0.9."""
    grade = reward({**EXACT, "reference": "4"})

    assert grade([PROMPT + "4"], [PROMPT])["rewards"] == [1.0]
    assert grade([PROMPT + "4"], [PROMPT], [LABEL], images=None)["rewards"] == [1.0]
    assert grade([], [], [])["rewards"] == []


def test_tensors_are_given_where_torch_is_there(monkeypatch):
    """And nobody imports it: 0.8 concatenates what it gets."""
    assert "torch" not in sys.modules
    torch = SimpleNamespace(tensor=lambda values: ("tensor", values))
    monkeypatch.setitem(sys.modules, "torch", torch)
    told = reward(EXACT)([PROMPT + "4"], [PROMPT], [LABEL])

    assert told["rewards"] == told["scores"] == ("tensor", [1.0])
    assert told["extra_logs"] == {"graders/failed": ("tensor", [0.0])}


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ((["a"], [], ["x"]), "prompts: there are 0 for 1 queries; each needs its own"),
        ((["a"], ["a"], []), "labels: there are 0 for 1 queries; each needs its own"),
        ((["a"], ["a"], [{1, 2}]), "the label: {1, 2} (set) is nothing that JSON has"),
    ],
)
def test_what_no_row_can_be_made_of_is_an_error_whatever_the_number(lists, message, caplog):
    """It is a mistake of the setup, and no row's failure."""
    with pytest.raises(GradersError) as caught:
        reward(EXACT, on_failure=0.0)(*lists)

    assert message in str(caught.value)
    assert message in caplog.records[0].message


@pytest.mark.parametrize("number", [float("nan"), float("inf"), True, "Raise", None])
def test_only_a_number_stands_for_a_score(number):
    """NaN would cost the whole group its advantages."""
    with pytest.raises(ConfigError, match=r"on_failure: .* is neither 'raise' nor a number"):
        reward(EXACT, on_failure=number)


def test_a_judge_is_asked_as_options_say():
    """They are those of every trainer."""
    assert reward(JUDGE, client=Judge)([PROMPT + "4"], [PROMPT], [LABEL])["rewards"] == [0.5]
    with pytest.raises(ConfigError, match="there is no such option"):
        reward(EXACT, deadlin=5)


@pytest.mark.parametrize(
    ("end_tokens", "message"),
    [
        ("</s>", r"end_tokens: '</s>' is not a list of texts. Write end_tokens=\[\"</s>\"\]\."),
        (None, "end_tokens: None is not a list of texts"),
        (("</s>", ""), "end_tokens: '' is not a text of one character at least"),
        ([2], "end_tokens: 2 is not a text of one character at least"),
    ],
)
def test_end_tokens_are_a_list_of_texts(end_tokens, message):
    """One text would be taken letter by letter, off the end of what the model said."""
    with pytest.raises(ConfigError, match=message):
        reward(EXACT, end_tokens=end_tokens)
    assert reward(EXACT, end_tokens=["[X]"])(["Q: 4[X]"], ["Q: "], [LABEL])["rewards"] == [1.0]


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ("4<|done|>", "'<|done|>'"),
        ("4<|im_end|>\n", r"'<|im_end|>\n'"),
        ("4<bot:eos>", "'<bot:eos>'"),
        ("4[|end|]", "'[|end|]'"),
        ("4<｜end｜>", "'<｜end｜>'"),  # as DeepSeek writes bars
        ("4<|\x1b[2J|>", r"'<|\x1b[2J|>'"),
    ],
)
def test_a_response_that_ends_in_an_unknown_token_is_warned_of_once(said, end, caplog):
    """It is graded with it, so that every reward may be 0.0."""
    grade = reward(EXACT)
    for _ in range(2):
        assert grade([PROMPT + "4", PROMPT + said], [PROMPT] * 2, [LABEL] * 2)["rewards"] == [1, 0]

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message == (
        f"exact: a response ends in {end} and is graded with it; "
        "if that is an end token, name it in end_tokens"
    )


@pytest.mark.parametrize("said", ["4", "</think>4</answer>", "a <b>", "$[|x|]$", "<|a|> 4", "[4]"])
def test_a_response_that_ends_in_other_marks_is_not_warned_of(said, caplog):
    """Nor is one whose end is known."""
    reward(EXACT)([PROMPT + said, PROMPT + "4</s>"], [PROMPT] * 2, [LABEL] * 2)

    assert caplog.records == []


@pytest.mark.parametrize("on_failure", ["raise", 0.0])
def test_the_log_prints_no_control_characters(on_failure, caplog):
    """What a model or a grader's source says would move the cursor of whoever reads it."""
    source = "def grade(sample, item):\n    raise ValueError(sample['output_text'])\n"
    executed(reward({**CODE, "source": source}, on_failure=on_failure), "\x1b[2J\rfine\x07")

    (record,) = caplog.records
    assert "fine" in record.message
    assert record.message.isprintable()
