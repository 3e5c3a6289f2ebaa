"""Rewards for OpenRLHF: a `reward_func` for its engines. `graders serve` has `/get_reward`.

The file that `--reward.remote_url` names (`--remote_rm_url` before 0.10) needs two lines:

    from graders.trainers.openrlhf import reward
    reward_func = reward("/abs/grader.json")

OpenRLHF has no word for a missing score. Of what is raised it logs a line at INFO, and then fails
elsewhere for want of a reward; so the message is logged here, as an error, before it is raised. Or
name a number that stands for a missing score: it is trained on like any other, and
`graders/failed` among the extra logs says how often.

Called as OpenRLHF 0.8 to 0.11 call it, from many threads at once. Up to 0.7 it wanted one tensor
instead of a dict.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from math import isfinite
from typing import Any, Final, Literal, Unpack

from graders.compile import member_keys
from graders.config.parse import ConfigSource, read_config
from graders.terminal import printable
from graders.trainers.grading import open_grading
from graders.trainers.queries import (
    END_TOKENS,
    UNKNOWN_END,
    answer_of,
    label_item,
    rows_of,
    unknown_end,
)
from graders.trainers.recipe import Options, refused
from graders.trainers.rows import plain
from sandbox import JSON

RewardFunc = Callable[..., dict[str, Any]]
_log: Final = logging.getLogger(__name__)


def reward(
    config: ConfigSource,
    *,
    item: Callable[[str, Any], Mapping[str, object]] | None = None,
    end_tokens: Collection[str] = END_TOKENS,
    on_failure: float | Literal["raise"] = "raise",
    **options: Unpack[Options],
) -> RewardFunc:
    """A `reward_func(queries, prompts, labels)`.

    It gives `rewards` and `scores`, which are the same, and `extra_logs`: each member's scores,
    and `graders/failed`, 1.0 for a row without a score. They are tensors where torch is imported,
    and lists elsewhere.

    Args:
        config: The grader.
        item: Makes the item of a prompt and its label. Without it, a label that is an object or
            the JSON of one is the item, and any other is the item's `label`.
        end_tokens: What is taken off the end of a response. Where one ends in what looks like
            another, the log says so once: it is graded with it.
        on_failure: Raise the first failure, or give this number for each.
        **options: See `graders.trainers.recipe.Options`.

    Raises:
        ConfigError: The config or an option cannot be used.
        GradersError: Judges cannot be asked: a package or a key is missing.
        OSError: The config cannot be read.
    """
    failed_reward = None if on_failure == "raise" else _number(on_failure)
    tokens = _tokens(end_tokens)
    document = read_config(config)
    members, grading = member_keys(document.grader), open_grading(document, **options)

    warned = False

    def item_of(prompt: str, label: object) -> Mapping[str, JSON]:
        given = label if item is None else item(prompt, label)
        return label_item(prompt, plain(given, "the label", absent=True))

    def reward_func(
        queries: Sequence[str],
        prompts: Sequence[str],
        labels: Sequence[object] | None = None,
        **_: object,
    ) -> dict[str, Any]:
        nonlocal warned
        given = [None] * len(queries) if labels is None else labels
        try:
            rows = rows_of(queries, prompts, given, tokens, item=item_of)
            if not warned and (end := unknown_end(rows)):
                warned = True
                _log.warning(UNKNOWN_END, grading.name, end, "end_tokens")
            grades = grading.grade(rows)
            told = answer_of(grades, members, failed_reward)
        except Exception as error:
            _log.error("no reward: %s", printable(str(error)))
            raise
        for grade in grades:
            if grade.failure is not None:
                said = printable(grade.failure.message)
                _log.warning("%s in place of a score: %s", failed_reward, said)
        return _as_tensors(told)

    reward_func.__name__ = grading.name
    return reward_func


def _tokens(end_tokens: object) -> tuple[str, ...]:
    if isinstance(end_tokens, str) or not isinstance(end_tokens, Collection):
        problem = f"{end_tokens!r:.60} is not a list of texts"
        raise refused("end_tokens", problem, 'Write end_tokens=["</s>"].')
    for token in end_tokens:
        if not isinstance(token, str) or not token:
            problem = f"{token!r:.60} is not a text of one character at least"
            raise refused("end_tokens", problem)
    return tuple(end_tokens)


def _number(on_failure: object) -> float:
    if isinstance(on_failure, (int, float)) and not isinstance(on_failure, bool):
        number = float(on_failure)
        if isfinite(number):
            return number
    raise refused("on_failure", f"{on_failure!r:.60} is neither 'raise' nor a number")


def _as_tensors(told: dict[str, Any]) -> dict[str, Any]:
    torch = sys.modules.get("torch")
    if torch is None:
        return told
    logs = {key: torch.tensor(values) for key, values in told["extra_logs"].items()}
    rewards, scores = torch.tensor(told["rewards"]), torch.tensor(told["scores"])
    return {"rewards": rewards, "scores": scores, "extra_logs": logs}
