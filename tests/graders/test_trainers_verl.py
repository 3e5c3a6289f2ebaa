"""`compute_score`, called as verl calls it, raises a failure and never gives a number for it.

Calls are copied from verl 0.9.1: `get_custom_reward_fn` (trainer/ppo/reward.py), the reward
managers `naive` and `gdpo` (experimental/reward_loop), `main_eval`, and 0.6's manager `prime`.
0.9.1's own managers were run with the same results, and in actors of Ray: see benchmarks/README.md.
"""

import asyncio
import inspect
import json
import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from rewarding import BOTH, CODE, EXACT

from graders.errors import ConfigError, GradersError, GradingError
from graders.trainers import process, verl

EXTRA = {"answer": "4", "index": 7}
OF_LOOPS = {
    "raw_prompt": [{"role": "user", "content": [{"type": "image", "image": object()}]}],
    "turn_scores": [],
    "tool_rewards": [],
    "global_steps": 3,
    "min_global_steps": 3,
    "max_global_steps": 3,
    "num_cached_tokens": None,
    "prompt_ids": np.array([[1, 2]]),
    "prompt_logprobs": [[float("-inf")]],
}
"""`tool_extra_fields`: what the agent loop and the engine keep of a sample, images and all."""


@pytest.fixture(scope="module", autouse=True)
def _close():
    yield
    process.close_all()


@pytest.fixture
def path(tmp_path):
    """Writes a config, and gives its path."""

    def written(config, name="grader.json"):
        file = tmp_path / name
        file.write_text(json.dumps(config))
        return str(file)

    return written


def _call_with_kwargs(raw_fn, extra_kwargs, *args, **kwargs):
    merged_kwargs = {**kwargs, **extra_kwargs}
    return raw_fn(*args, **merged_kwargs)


async def _call_with_kwargs_async(raw_fn, extra_kwargs, *args, **kwargs):
    merged_kwargs = {**kwargs, **extra_kwargs}
    return await raw_fn(*args, **merged_kwargs)


def custom_reward_fn(name, **reward_kwargs):
    """What `get_custom_reward_fn` makes of `reward.custom_reward_function`."""
    raw_fn = getattr(verl, name)
    if not inspect.iscoroutinefunction(raw_fn):
        return partial(_call_with_kwargs, raw_fn, reward_kwargs)
    return partial(_call_with_kwargs_async, raw_fn, reward_kwargs)


class Naive:
    """The part of `NaiveRewardManager` that asks; `router` is there with a reward model."""

    def __init__(self, compute_score, router=None):
        self.compute_score = compute_score
        self.is_async_reward_score = inspect.iscoroutinefunction(self.compute_score)
        self.reward_router_address = router
        self.reward_model_tokenizer = object()

    async def run_single(self, response_str, ground_truth="4", extra_info=EXTRA):
        extra_info = {**extra_info}
        extra_info.update(OF_LOOPS.items())
        extra_info["num_turns"] = 2
        extra_info["rollout_reward_scores"] = {}
        extra_reward_kwargs = (
            {
                "reward_router_address": self.reward_router_address,
                "reward_model_tokenizer": self.reward_model_tokenizer,
            }
            if self.reward_router_address is not None
            else {}
        )
        call = partial(
            self.compute_score,
            data_source="openai/gsm8k",
            solution_str=response_str,
            ground_truth=ground_truth,
            extra_info=extra_info,
            **extra_reward_kwargs,
        )
        if self.is_async_reward_score:
            result = await call()
        else:
            result = await asyncio.get_running_loop().run_in_executor(None, call)
        reward_extra_info = {}
        if isinstance(result, dict):
            score = result["score"]
            reward_extra_info.update(result)
        else:
            score = result
            reward_extra_info["acc"] = score
        return {"reward_score": score, "reward_extra_info": reward_extra_info}


def batch(reward_fn, *responses, **given):
    """`compute_score_batch` of a worker: a task for each sample, all at once."""
    manager = Naive(reward_fn, given.pop("router", None))

    async def worker():
        tasks = [asyncio.create_task(manager.run_single(one, **given)) for one in responses]
        return await asyncio.gather(*tasks)

    return asyncio.run(worker())


BOTH_WAYS = pytest.mark.parametrize("name", ["compute_score", "compute_score_async"])


@BOTH_WAYS
def test_a_score_is_a_float(name, path):
    """The grader's, for each of many samples that threads or tasks ask for at once."""
    said = [str(i % 5) for i in range(100)]
    told = batch(custom_reward_fn(name, grader=path(BOTH)), *said)

    assert [one["reward_score"] for one in told] == [float(text == "4") for text in said]
    assert told[4]["reward_extra_info"] == {"acc": 1.0}


@BOTH_WAYS
def test_a_dict_has_the_members_under_the_same_keys(name, path):
    """Verl takes the keys of the first row for all; GDPO weighs members by key."""
    told = batch(custom_reward_fn(name, grader=path(BOTH), detail=True), "4", "5")

    infos = [one["reward_extra_info"] for one in told]
    assert infos == [{"score": s, "exact": s, "code": s} for s in (1.0, 0.0)]
    columns = {key: np.array([info[key] for info in infos]) for key in infos[0]}
    assert {column.dtype.kind for column in columns.values()} == {"f"}
    assert [list(info) for info in infos] == [["score", "exact", "code"]] * 2


@BOTH_WAYS
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"extra_info": {}}, "item.answer"),
        ({"extra_info": {"answer": None}}, "item.answer"),
        ({"extra_info": {"answer": float("nan")}}, "extra_info, key 'answer': is nan"),
        ({"extra_info": {"answer": "4", "tool": object()}}, "extra_info, key 'tool': <object"),
    ],
)
def test_a_failure_is_raised(name, given, message, path):
    """Which costs this trajectory; None or NaN would cost the batch, and 0.0 be trained on."""
    for detail in (False, True):
        with pytest.raises(GradersError) as caught:
            batch(custom_reward_fn(name, grader=path(EXACT), detail=detail), "4", **given)
        assert message in str(caught.value)


@BOTH_WAYS
@pytest.mark.parametrize("said", ["die", "wait"])
def test_a_grader_that_breaks_or_hangs_is_raised_too(name, said, path):
    """Within its deadline: verl itself waits for ever."""
    with pytest.raises(GradingError):
        batch(custom_reward_fn(name, grader=path(CODE), deadline=1.0), said)


def test_what_verl_puts_into_extra_info_is_no_part_of_the_item(path):
    """Nor does it fail the row; and what the dataset has, or a tool has said, is not changed."""
    source = "def grade(sample, item):\n    return float(len(item) == 5 and 'found' in item)\n"
    extra = {**EXTRA, **OF_LOOPS, "num_turns": 2, "rollout_reward_scores": {}, "found": [1]}
    extra["experiment_name"] = "x"
    before = {**extra}
    score = verl.compute_score(
        "gsm8k", "x", "4", extra, grader=path({"type": "python", "name": "n", "source": source})
    )

    assert (score, extra) == (1.0, before)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("{{ item.ground_truth }}", "42"),
        ("{{ item.data_source }}", "openai/gsm8k"),
        ("{{ item.answer }}", "4"),
        ("{{ item.number }}", "0.5"),
        ("{{ item.list[1] }}", "2"),
        ("{{ item.deep.text }}", "t"),
    ],
)
def test_the_item_is_what_the_dataset_has(reference, said, path):
    """Read from parquet: arrays and scalars of numpy, and None for keys of other rows."""
    extra = {
        "answer": "4",
        "number": np.float32(0.5),
        "list": np.array([1, 2]),
        "deep": {"text": "t", "of_others": None},
        "of_others": None,
    }
    grade = custom_reward_fn("compute_score", grader=path({**EXACT, "reference": reference}))

    assert batch(grade, said, ground_truth="42", extra_info=extra)[0]["reward_score"] == 1.0


def test_it_is_called_by_position_too(path):
    """By `main_eval`, without extra_info, and by 0.6's `prime`, with it."""
    of_truth = {**EXACT, "reference": "{{ item.ground_truth }}"}
    prime = custom_reward_fn("compute_score", grader=path(EXACT))
    main_eval = custom_reward_fn("compute_score", grader=path(of_truth, "truth.json"))

    assert prime("gsm8k", "4", "unused", EXTRA) == 1.0
    assert [main_eval("gsm8k", r, "4") for r in ("4", "5")] == [1.0, 0.0]


def test_a_path_is_of_the_folder_that_it_is_given_in(path, tmp_path, monkeypatch):
    """The same relative one, after a change of folder, is another grader."""
    (tmp_path / "b").mkdir()
    path(EXACT)
    path({**EXACT, "operation": "ne"}, "b/grader.json")
    rewards = []
    for folder in (tmp_path, tmp_path / "b"):
        monkeypatch.chdir(folder)
        rewards.append(verl.compute_score("d", "4", "4", EXTRA, grader="grader.json"))

    assert rewards == [1.0, 0.0]


def test_a_config_is_read_once(path):
    """Verl calls for each sample; what is graded by does not change in a run."""
    grader = path(EXACT)
    first = verl.compute_score("s", "4", "4", EXTRA, grader=grader)
    path({**EXACT, "reference": "5"})

    assert verl.compute_score("s", "4", "4", EXTRA, grader=grader) == first == 1.0


def test_keywords_of_a_reward_model_are_no_options(path):
    """They come with each call where one is set up."""
    reward_fn = custom_reward_fn("compute_score_async", grader=path(EXACT))

    assert batch(reward_fn, "4", router="http://127.0.0.1:1")[0]["reward_score"] == 1.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"deadlin": 5}, "deadlin: there is no such option. Known options: profile"),
        ({"deadline": -1}, "deadline: -1 is not a number of seconds above 0"),
        ({"settings": "render=json"}, "settings: 'render=json' is not a dict of texts"),
        ({"client": "http://127.0.0.1"}, "client: a str is neither settings nor a function"),
        ({"grader": {"type": "python"}}, "grader: {'type': 'python'} is not the path of a config"),
    ],
)
def test_options_that_are_none_are_refused(given, message, path):
    """And not swallowed among verl's own keywords."""
    with pytest.raises(ConfigError) as caught:
        verl.compute_score("s", "4", "4", EXTRA, **{"grader": path(EXACT), **given})

    assert message in str(caught.value)


@pytest.mark.parametrize("extra", ['{"answer": "4"}', [("answer", "4")]])
def test_extra_info_that_is_no_dict_is_refused(extra, path):
    """Verl itself puts things into it."""
    with pytest.raises(ConfigError, match=r"extra_info: a \w+ is no dict. Where the dataset has"):
        verl.compute_score("s", "4", "4", extra, grader=path(EXACT))


def test_a_member_called_score_is_refused(path):
    """Verl would take it for the reward."""
    config = {**BOTH, "graders": {"score": EXACT}, "calculate_output": "score"}
    with pytest.raises(ConfigError, match=r"graders: a member is called 'score', where verl looks"):
        verl.compute_score("s", "4", "4", EXTRA, grader=path(config), detail=True)

    assert verl.compute_score("s", "4", "4", EXTRA, grader=path(config)) == 1.0


@pytest.mark.parametrize(
    "said", ["\x00", "\ud800", "{{ item.answer }}", "x" * 1_000_000, "", '{"score": 1}', "NaN"]
)
def test_hostile_text_is_text(said, path):
    """It is compared, and nothing else."""
    score = verl.compute_score("s", said, "4", EXTRA, grader=path(BOTH))

    assert score == 0.0
    assert math.isfinite(score)


def test_threads_of_an_executor_share_one_grading(path):
    """32 call at once, as a default executor does."""
    grader = path(BOTH)
    with ThreadPoolExecutor(32) as threads:
        calls = [
            threads.submit(verl.compute_score, "s", str(i % 5), "", EXTRA, grader=grader)
            for i in range(200)
        ]

    assert [call.result() for call in calls] == [float(i % 5 == 4) for i in range(200)]
