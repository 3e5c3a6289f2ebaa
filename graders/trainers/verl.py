"""Rewards for verl: `compute_score`, and the same for its event loop.

verl finds them by name, and the grader among the keywords that it hands on:

    reward.custom_reward_function.path=pkg://graders.trainers.verl
    reward.custom_reward_function.name=compute_score_async
    +reward.custom_reward_function.reward_kwargs.grader=/abs/grader.json

A failure is raised. Verl 0.9 then leaves that sample out of the step (its async trainer all samples
of that prompt, and takes another prompt); its older loop ends the step. A number in its place would
be trained on, and None or NaN costs the whole batch.

Not every reward manager passes a failure on: `rate_limited`, and `prime` of the older loop, make a
0.0 of every exception, so use neither. `remote` takes `compute_score` alone, and `batch` none.

Called as verl 0.7 to 0.9 call rewards; once for each sample, from many threads or one loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import NoneType
from typing import Final, NamedTuple

from graders.compile import member_keys
from graders.config.parse import read_config
from graders.grades import Grade
from graders.rows import Row, to_sample
from graders.strict_json import decode, encode
from graders.trainers.failures import reward_or_raise
from graders.trainers.grading import Grading, open_grading
from graders.trainers.recipe import refused
from graders.trainers.rows import plain

_PUT_INTO_EXTRA_INFO: Final = frozenset(
    {
        *("num_turns", "rollout_reward_scores", "experiment_name"),
        *("raw_prompt", "turn_scores", "tool_rewards", "reward_extra_info"),
        *("global_steps", "min_global_steps", "max_global_steps", "num_cached_tokens"),
        *("prompt_ids", "prompt_logprobs", "teacher_ids", "teacher_logprobs"),
        *("spec_num_draft_tokens", "spec_num_accepted_tokens", "spec_num_verify_steps"),
        "kv_transfer_params",
    }
)
"""By verl itself, its agent loops and engines: what they count, and prompts with their images."""
_OF_REWARD_MODELS: Final = frozenset({"reward_router_address", "reward_model_tokenizer"})
"""Keywords that come with each call where there is a reward model."""
_SCORE: Final = "score"
"""The key of a dict under which verl finds the reward."""


class _Opened(NamedTuple):
    grading: Grading
    members: tuple[str, ...]


def compute_score(  # noqa: PLR0913 - in verl's order: it is called by position, too
    data_source: object,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, object] | None = None,
    *,
    grader: str,
    detail: bool = False,
    **options: object,
) -> float | dict[str, float]:
    """The reward of one sample.

    The item has what `extra_info` has, without what verl put there, and `ground_truth` and
    `data_source`. What tools left for the reward is there, too, and has to be what JSON has. Keys
    with None are left out: Arrow gives every row all the keys of a column.

    Args:
        data_source: The dataset's name.
        solution_str: What the model said.
        ground_truth: What the dataset says is right.
        extra_info: What else it says; it is not changed.
        grader: The path of a config. It is read once in a process.
        detail: Give a dict of `score` and every member's score, with the same keys each time;
            verl logs them, and GDPO can weigh them. A member that the profile counts as 0.0
            where it fails is 0.0.
        **options: See `graders.trainers.recipe.Options`.

    Raises:
        GradingError: There is no score; says why.
        GradersError: The grader, an option or the type of a value cannot be used.
        OSError: The config cannot be read.
    """
    opened = _opened(grader, options)
    (grade,) = opened.grading.grade([_row(data_source, solution_str, ground_truth, extra_info)])
    return _told(grade, opened, detail=detail)


async def compute_score_async(  # noqa: PLR0913
    data_source: object,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, object] | None = None,
    *,
    grader: str,
    detail: bool = False,
    **options: object,
) -> float | dict[str, float]:
    """The same, without blocking the event loop that it is awaited in."""
    opened = _opened(grader, options)
    row = _row(data_source, solution_str, ground_truth, extra_info)
    (grade,) = await opened.grading.agrade([row])
    return _told(grade, opened, detail=detail)


def _opened(grader: str, options: Mapping[str, object]) -> _Opened:
    if not isinstance(grader, str):
        raise refused("grader", f"{grader!r:.60} is not the path of a config")
    ours = {name: value for name, value in options.items() if name not in _OF_REWARD_MODELS}
    return _read(str(Path(grader).absolute()), encode(plain(ours, "reward_kwargs")))


@lru_cache(maxsize=64)  # verl loads a user's file again and again, and calls for each sample
def _read(grader: str, options: bytes) -> _Opened:
    document = read_config(grader)
    return _Opened(open_grading(document, **decode(options)), member_keys(document.grader))  # type: ignore[arg-type]


def _row(
    data_source: object,
    solution_str: str,
    ground_truth: object,
    extra_info: object,
) -> Row:
    if not isinstance(extra_info, (Mapping, NoneType)):
        problem = f"a {type(extra_info).__name__} is no dict"
        raise refused("extra_info", problem, "Where the dataset has JSON, decode it.")
    given = {k: v for k, v in (extra_info or {}).items() if k not in _PUT_INTO_EXTRA_INFO}
    given |= {"ground_truth": ground_truth, "data_source": data_source}
    item = {
        key: plain(value, f"extra_info, key {key!r}", absent=True)
        for key, value in given.items()
        if value is not None
    }
    return Row(item=item, sample=to_sample(solution_str), row=1)


def _told(grade: Grade, opened: _Opened, *, detail: bool) -> float | dict[str, float]:
    reward = reward_or_raise(grade)
    if not detail:
        return reward
    if _SCORE in opened.members:
        problem = "a member is called 'score', where verl looks for the reward; rename it"
        raise refused("graders", problem)
    return {_SCORE: reward} | {key: grade.parts[key].score or 0.0 for key in opened.members}
