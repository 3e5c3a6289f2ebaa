"""TRL's `GRPOTrainer` and our rewards: the calls that it makes, and what it makes of the answers.

The calls are copied from trl 1.16.0 (`trainer/grpo_trainer.py:1584-1662`, and
`experimental/async_grpo/async_rollout_worker.py:1026`); 0.29 has no log_extra and log_metric.
"""

import asyncio
import functools
import inspect
import json
import math
import pickle
import threading
from array import array

import pytest
from rewarding import ASKED, BOTH, CODE, EXACT, JUDGE, Judge

from graders.errors import ConfigError, GradersError, GradingError
from graders.trainers import process, trl
from graders.trainers.rows import ColumnError


@pytest.fixture(scope="module", autouse=True)
def _close():
    yield
    process.close_all()


class Trainer:
    """What of the trainer calls rewards, line by line; float32 in place of a tensor."""

    def __init__(self, *reward_funcs):
        self.reward_funcs, self.extra, self.metrics = reward_funcs, {}, {}
        self.async_loop = asyncio.new_event_loop()
        self.async_loop_thread = threading.Thread(target=self.async_loop.run_forever, daemon=True)

    def rewards(self, inputs, completions):
        """The rewards of the first function, NaN for None."""
        prompts = [example["prompt"] for example in inputs]
        keys = [k for k in inputs[0] if k not in ["prompt", "completion", "completion_ids"]]
        reward_kwargs = {key: [example[key] for example in inputs] for key in keys}
        reward_kwargs["trainer_state"] = object()
        reward_kwargs["log_extra"] = self.extra.__setitem__
        reward_kwargs["log_metric"] = self.metrics.__setitem__
        completion_ids_list = [[5, 6] for _ in completions]
        (reward_func,) = self.reward_funcs
        given = dict(
            prompts=prompts,
            completions=completions,
            completion_ids=completion_ids_list,
            **reward_kwargs,
        )
        if is_async_callable(reward_func):
            output_reward_func = self.awaited(reward_func, given)
        else:
            output_reward_func = reward_func(**given)
        output_reward_func = [r if r is not None else math.nan for r in output_reward_func]
        assert len(output_reward_func) == len(prompts)
        return list(array("f", output_reward_func))

    def awaited(self, reward_func, given):
        """On the trainer's own loop, in a thread."""

        async def _run_async_funcs():
            return await asyncio.gather(reward_func(**given))

        self.async_loop_thread.start()
        try:
            (output,) = asyncio.run_coroutine_threadsafe(
                _run_async_funcs(), self.async_loop
            ).result()
        finally:
            self.async_loop.call_soon_threadsafe(self.async_loop.stop)
            self.async_loop_thread.join()
        return output

    def close(self):
        """End it."""
        self.async_loop.close()


def is_async_callable(func):
    """Copied from trl 1.16.0 `trainer/utils.py`."""
    while isinstance(func, functools.partial):
        func = func.func
    return inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(func.__call__)


def rewards_of(reward, inputs, completions):
    """And what the trainer logs."""
    trainer = Trainer(reward)
    got = trainer.rewards(inputs, completions)
    trainer.close()
    return got, trainer.extra, trainer.metrics


NAN = pytest.approx(math.nan, nan_ok=True)
PLAIN = [{"prompt": "2+2?", "answer": "4"}] * 3
CHAT = [{"prompt": [{"role": "user", "content": "2+2?"}], "answer": "4"}] * 3
TOOLS = [
    {"role": "assistant", "content": "", "tool_calls": [{"type": "function"}]},
    {"role": "tool", "name": "add", "content": "4"},
]


def assistant(content):
    """A message."""
    return {"role": "assistant", "content": content}


SHAPES = {
    "plain": (PLAIN, ["4", "5", "4"]),
    "chat": (CHAT, [[assistant("4")], [assistant("5")], [assistant("4")]]),
    "tools": (CHAT, [[*TOOLS, assistant("4")], [*TOOLS, assistant("5")], [assistant("4")]]),
    "parts": (CHAT, [[assistant([{"type": "text", "text": text}])] for text in "454"]),
    "no content": (CHAT, [[assistant("4")], [{"role": "assistant"}], [assistant("4")]]),
}


@pytest.mark.parametrize("make", [trl.reward, trl.async_reward])
@pytest.mark.parametrize("shape", SHAPES)
def test_completions_of_every_shape_are_graded(make, shape):
    """By both functions, and a multi with a python grader."""
    rewards, extra, metrics = rewards_of(make(BOTH), *SHAPES[shape])

    assert rewards == [1.0, 0.0, 1.0]
    assert (extra, metrics) == ({"both/failure": [""] * 3}, {"both/failed": 0.0})


@pytest.mark.parametrize("make", [trl.reward, trl.async_reward])
def test_a_failure_is_none_and_said_and_never_a_zero(make):
    """One that the grader has, one of a row that cannot be read; the others keep their rewards."""
    inputs = [
        {"prompt": "a", "answer": "4"},
        {"prompt": "b", "answer": float("nan")},
        {"prompt": "c", "answer": "4"},
        {"prompt": "d", "answer": "4"},
    ]
    rewards, extra, metrics = rewards_of(make(CODE), inputs, ["4", "4", "die", "5"])

    assert rewards == [1.0, NAN, NAN, 0.0]
    assert metrics == {"code/failed": 0.5}
    fine, unread, died, wrong = extra["code/failure"]
    assert (fine, wrong) == ("", "")
    assert unread == "column 'answer': is nan, which JSON has not"
    assert "SIGABRT" in died


def test_a_failure_can_be_the_end_of_the_training():
    """Where that is asked for, with its message."""
    reward = trl.reward(JUDGE, client=Judge, failures="raise")

    assert reward(completions=["4"]) == [0.5]
    with pytest.raises(GradingError, match=r"^completion\[1\]: (?s:.*)KeyError: 'a bug'"):
        reward(completions=["4", "raise"])


def test_a_call_of_older_and_of_experimental_trainers():
    """0.29 has no log_extra; async_grpo, in a process of its own, columns only."""
    reward = trl.reward(EXACT)
    older = reward(
        prompts=["a", "a"],
        completions=["4", "5"],
        completion_ids=[[5, 6], [7]],
        answer=["4", "4"],
        trainer_state=object(),
    )

    async def worker():
        given = {"prompts": ["a"], "completion_ids": [[5]], "answer": ["4"]}
        return await asyncio.to_thread(reward, completions=["4"], **given)

    assert (older, asyncio.run(worker())) == ([1.0, 0.0], [1.0])


ITEMS = [
    ({"item": {"answer": "4", "more": None}}, {}, [1.0]),
    ({"item": '{"answer": "4"}', "answer": "5"}, {}, [1.0]),
    ({"answer": "4", "image": object(), "images": [object()]}, {}, [1.0]),
    ({"answer": None}, {}, [None]),
    ({"item": "{"}, {}, [None]),
]


@pytest.mark.parametrize(("columns", "options", "expected"), ITEMS)
def test_an_item_is_a_column_or_all_of_them(columns, options, expected):
    """What Arrow has as None is missing, and so a failure where the grader reads it."""
    given = {name: [value] for name, value in columns.items()}

    assert trl.reward(EXACT, **options)(prompts=["a"], completions=["4"], **given) == expected


def test_an_item_has_the_prompt_where_that_is_asked_for():
    """As it stands in the dataset."""
    reward = trl.reward({**EXACT, "reference": "{{ item.prompt }}"}, prompt=True)

    assert reward(prompts=["a", "b"], completions=["a", "a"]) == [1.0, 0.0]


def test_what_is_wrong_with_a_dataset_is_said():
    """It would be wrong for every row of it."""
    reward = trl.reward(EXACT)
    with pytest.raises(ColumnError, match=r"column 'answer': .* is nothing that JSON has"):
        reward(prompts=["a"], completions=["4"], answer=[object()])
    with pytest.raises(ColumnError) as error:
        reward(prompts=["a"], completions=["4"], trainer_state=object())

    assert str(error.value) == (
        "the grader 'exact' reads the item, and no column of the dataset arrives beside the "
        "prompt: set remove_unused_columns=False in GRPOConfig, or look at the dataset's columns"
    )


def test_a_reward_can_be_pickled_and_has_a_name():
    """As async_grpo does, and logs do; the copy shares what is open."""
    for reward in (trl.reward(CODE), trl.async_reward(EXACT, name="second")):
        copy = pickle.loads(pickle.dumps(reward))

        assert copy.__name__ == reward.__name__
        assert copy.grading == reward.grading
        assert is_async_callable(copy) == is_async_callable(reward)
    assert (trl.reward(CODE).__name__, reward.__name__) == ("code", "second")
    assert not is_async_callable(trl.reward(CODE))


@pytest.mark.long
def test_an_awaited_reward_does_not_hold_up_others():
    """Two of a step wait together; one that never comes is None at the deadline."""
    slow = trl.async_reward(JUDGE, client=Judge, deadline=3.0)
    quick = trl.async_reward(EXACT)
    ASKED.clear()

    async def step():
        assert await quick(completions=["4"], answer=["5"]) == [0.0]  # it is open
        waiting = asyncio.create_task(slow(completions=["wait", "4"]))
        await asyncio.to_thread(ASKED.wait, 60)
        fine = await quick(completions=["4"], answer=["4"])
        return fine, waiting.done(), await waiting

    assert asyncio.run(step()) == ([1.0], False, [None, 0.5])


VERSIONS = [
    ("1.5.0", trl.reward, {}, "TRL 1.5.0 takes a reward of None for 0, and trains on it; install "
     'trl>=1.6, or use failures="raise"'),
    ("0.29.1", trl.reward, {}, "TRL 0.29.1 takes a reward of None for 0"),
    ("1.13.0", trl.async_reward, {}, "TRL 1.13.0 does not see that this reward is to be awaited; "
     "install trl>=1.14, or use reward"),
    ("1.5.0", trl.reward, {"failures": "raise"}, None),
    ("1.6.0", trl.reward, {}, None),
    ("1.14.0.dev0", trl.async_reward, {}, None),
    ("2.0", trl.async_reward, {}, None),
]  # fmt: skip


@pytest.mark.parametrize(("installed", "make", "options", "message"), VERSIONS)
def test_a_trl_that_would_train_on_failures_is_refused(
    monkeypatch, tmp_path, installed, make, options, message
):
    """By what is installed; TRL itself is not imported."""
    folder = tmp_path / f"trl-{installed}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: trl\nVersion: {installed}\n")
    monkeypatch.syspath_prepend(tmp_path)
    if message is None:
        assert make(EXACT, **options).__name__ == "exact"
        return
    with pytest.raises(GradersError) as error:
        make(EXACT, **options)

    assert str(error.value).startswith(message)


def test_a_config_file_is_enough(tmp_path):
    """And one that is wrong is refused where it is made."""
    path = tmp_path / "grader.json"
    path.write_text(json.dumps(EXACT), encoding="utf-8")

    assert trl.reward(path)(completions=["4"], answer=["4"]) == [1.0]
    with pytest.raises(GradersError, match="operation"):
        trl.reward({**EXACT, "operation": "is"})


@pytest.mark.parametrize("make", [trl.reward, trl.async_reward])
def test_a_word_for_failures_that_it_does_not_know_is_refused(make):
    """Else a misspelt "raise" would be None, and to an old TRL a zero."""
    with pytest.raises(ConfigError, match=r"^failures: 'Raise' is not one of none, raise$"):
        make(EXACT, failures="Raise")
