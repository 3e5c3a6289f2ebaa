"""Reward functions for TRL's `GRPOTrainer`.

    from graders.trainers import trl
    trainer = GRPOTrainer(..., reward_funcs=trl.reward("grader.json"))

A row that could not be graded has the reward None, which TRL leaves out: it gets the advantage 0
and is no part of its group's baseline. So it is from TRL 1.6 on; before, it is a 0 that trains,
and such a TRL is refused. Beside other reward functions None is left out of their sum, so that it
counts as 0 there: put all that is to count into one multi grader.

What a grader sees as `item` is the row's column `item`, an object or a text of JSON; where there is
none, all columns but the prompt and its images. What Arrow adds to them as None is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Unpack, get_args

from graders.config.parse import ConfigSource, Document
from graders.errors import Failure, GradersError
from graders.grades import Grade
from graders.rows import Row
from graders.trainers.failures import Failures, rewards
from graders.trainers.grading import Grading, open_grading
from graders.trainers.recipe import Options, refused
from graders.trainers.rows import ColumnError, column_rows

LogExtra = Callable[[str, list[str]], None]
LogMetric = Callable[[str, float], None]

_NONE_SINCE: Final = (1, 6)
"""The first version to which None is no 0 (huggingface/trl#5902)."""
_OBJECTS_SINCE: Final = (1, 14)
"""The first version that sees that an object is to be awaited."""
_NO_COLUMNS: Final = frozenset(
    {"prompts", "completion_ids", "trainer_state", "environments", "image", "images"}
)
"""What TRL hands over that is no part of an item."""
_READS_ITEMS: Final = re.compile(rb"\bitem\s*[.\[]")


class Reward:
    """A reward function: called as TRL calls one, gives a reward or None for each completion.

    It can be pickled, and shares what is open with its copies. TRL logs it by its `__name__`.

    Args:
        grading: What grades.
        name: What TRL logs it by.
        failures: What a row without a score is.
        prompt: Whether items have the prompt.

    Raises:
        ConfigError: `failures` is no such word.
    """

    def __init__(self, grading: Grading, name: str, failures: Failures, *, prompt: bool) -> None:
        if failures not in get_args(Failures):
            choices = ", ".join(get_args(Failures))
            raise refused("failures", f"{failures!r:.60} is not one of {choices}")
        self.grading, self.failures, self.prompt = grading, failures, prompt
        self.__name__ = name

    def __call__(
        self,
        *,
        completions: Sequence[object],
        log_extra: LogExtra | None = None,
        log_metric: LogMetric | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """The rewards of completions.

        Args:
            completions: Texts, or lists of messages.
            log_extra: Gets a column with the message of each failure, "" where there is none.
            log_metric: Gets the share of failures, in [0, 1].
            columns: The columns of the dataset, with an entry for each completion, and what else
                TRL hands over.

        Returns:
            A reward each, in order; None for a failure.

        Raises:
            ColumnError: No item can be read from a column.
            GradingError: The first failure, where `failures` is "raise".
        """
        grades = self.grading.grade(self._rows(completions, columns))
        return self._rewards(grades, log_extra, log_metric)

    def _rows(self, completions: Sequence[object], given: dict[str, Any]) -> list[Row | Failure]:
        columns = {name: column for name, column in given.items() if name not in _NO_COLUMNS}
        if self.prompt and "prompts" in given:
            columns["prompt"] = given["prompts"]
        if not columns and _READS_ITEMS.search(self.grading.recipe.config):
            raise ColumnError(
                f"the grader {self.grading.name!r} reads the item, and no column of the dataset "
                "arrives beside the prompt: set remove_unused_columns=False in GRPOConfig, or look "
                "at the dataset's columns"
            )
        return column_rows(completions, columns)

    def _rewards(
        self, grades: Sequence[Grade], log_extra: LogExtra | None, log_metric: LogMetric | None
    ) -> list[float | None]:
        said = [grade.failure.message if grade.failure else "" for grade in grades]
        if log_extra is not None:  # at every call: the column is to be as long as the others
            log_extra(f"{self.__name__}/failure", said)
        if log_metric is not None and said:
            log_metric(f"{self.__name__}/failed", sum(map(bool, said)) / len(said))
        return rewards(grades, self.failures)


class AsyncReward(Reward):
    """The same to be awaited: TRL has all such rewards of a step at work together."""

    async def __call__(  # type: ignore[override]
        self,
        *,
        completions: Sequence[object],
        log_extra: LogExtra | None = None,
        log_metric: LogMetric | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """See `Reward`."""
        grades = await self.grading.agrade(self._rows(completions, columns))
        return self._rewards(grades, log_extra, log_metric)


def reward(
    config: ConfigSource | Document,
    *,
    name: str | None = None,
    failures: Failures = "none",
    prompt: bool = False,
    **options: Unpack[Options],
) -> Reward:
    """A reward function for `GRPOTrainer(reward_funcs=...)`.

    Args:
        config: A grader's config: a path, a dict, an SDK object. It is read and checked now.
        name: What TRL logs it by; the grader's name by default. Two rewards of one trainer need
            two names.
        failures: What a row without a score is: None; or, with "raise", the end of the training.
        prompt: Whether items that are made of columns have the prompt, as `item.prompt`.
        **options: See `graders.trainers.recipe.Options`.

    Raises:
        ConfigError: The config or an option cannot be used.
        GradersError: The TRL that is installed takes None for 0; or judges cannot be asked.
        OSError: The file cannot be read.

    Example:
        >>> exact = reward({"type": "string_check", "name": "exact", "operation": "eq",
        ...     "input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"})
        >>> exact(prompts=["2+2?"] * 2, completions=["4", "5"], answer=["4", "4"])
        [1.0, 0.0]
        >>> exact.grading.close()
    """
    if failures == "none":
        _need(_NONE_SINCE, "takes a reward of None for 0, and trains on it", 'failures="raise"')
    grading = open_grading(config, **options)
    return Reward(grading, name or grading.name, failures, prompt=prompt)


def async_reward(
    config: ConfigSource | Document,
    *,
    name: str | None = None,
    failures: Failures = "none",
    prompt: bool = False,
    **options: Unpack[Options],
) -> AsyncReward:
    """The same to be awaited: for judges, who then answer beside the other rewards of a step.

    Args:
        config: See `reward`, as for the others.
        name: See there.
        failures: See there.
        prompt: See there.
        **options: See there.

    Raises:
        ConfigError: As for `reward`.
        GradersError: As for `reward`; or the TRL that is installed would not await it.
        OSError: The file cannot be read.
    """
    _need(_OBJECTS_SINCE, "does not see that this reward is to be awaited", "reward")
    grading = open_grading(config, **options)
    return AsyncReward(grading, name or grading.name, failures, prompt=prompt)


def _need(since: tuple[int, int], problem: str, instead: str) -> None:
    """Refuse a TRL that is installed and too old.

    Raises:
        GradersError: It is; says what would go wrong.
    """
    try:
        installed = version("trl")
    except PackageNotFoundError:  # the reward may be for a process elsewhere
        return
    numbers = re.match(r"(\d+)\.(\d+)", installed)
    if numbers and (int(numbers[1]), int(numbers[2])) < since:
        wanted = ".".join(map(str, since))
        raise GradersError(f"TRL {installed} {problem}; install trl>={wanted}, or use {instead}")
