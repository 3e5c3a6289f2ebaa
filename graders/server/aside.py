"""Grading in processes beside the server, where what graders compute by themselves may take long.

A metric over two long texts computes for seconds. What is small is done where it is.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from graders.compile import compile_grader
from graders.config.graders import AnyConfig, StringCheckConfig, TextSimilarityConfig
from graders.errors import Failure, FailureKind
from graders.grades import Grade, Grader, Waits
from graders.profile import Profile
from graders.rows import Row
from graders.server.processes import ProcessDiedError, Processes
from graders.strict_json import encode

HERE_BYTES: Final = 32_768
"""What a row's templates may come to, to be graded in the server itself: some milliseconds."""
_CUBIC_BYTES: Final = 1_024
"""The same where a metric's time grows with the cube of a text."""


class Aside(Processes):
    """Processes that grade.

    Args:
        profile: Settings that decide numbers.
        seconds: After which a process is ended, and what it graded has failed.
        processes: How many at a time.
    """

    def __init__(self, profile: Profile, *, seconds: float, processes: int) -> None:
        super().__init__(seconds=seconds, most=processes)
        self._profile = profile

    def take(self, config: AnyConfig, grader: Grader) -> Grader:
        """A grader that grades what may take long in another process."""
        assert isinstance(config, StringCheckConfig | TextSimilarityConfig), "others wait"
        slots = sum(text.count("{{") for _, text in config.templates())
        cubic = self._profile.metrics.fuzzy_match != "ratio"
        here = _CUBIC_BYTES if cubic else HERE_BYTES
        return _Taken(grader, config, self, most_bytes=here // max(slots, 1))

    async def grade(self, config: AnyConfig, rows: Sequence[Row]) -> Sequence[Grade]:
        """Grade rows in another process; all of them fail where it does not come to an end."""
        recipe = pickle.dumps((config, self._profile))
        try:
            return await self.call(_grade, recipe, list(rows))
        except TimeoutError:
            problem = f"computing took longer than {self.seconds:g} s"
            failure = Failure(kind=FailureKind.OTHER, reason="timeout", message=problem)
        except ProcessDiedError:
            problem = "the process that computed it died: it may take too much memory"
            failure = Failure(kind=FailureKind.OTHER, reason="worker_died", message=problem)
        return [Grade(name=config.name, failure=failure) for _ in rows]


@dataclass(frozen=True, slots=True)
class _Taken:
    """A grader that computes, with what may take long done in another process."""

    grader: Grader
    config: AnyConfig
    aside: Aside
    most_bytes: int = field(kw_only=True)

    @property
    def name(self) -> str:
        return self.grader.name

    @property
    def signature(self) -> str:
        return self.grader.signature

    @property
    def waits(self) -> Waits:
        return "batches"

    async def grade(self, rows: Sequence[Row]) -> Sequence[Grade]:
        if len(encode(list(rows))) <= self.most_bytes:
            return await self.grader.grade(rows)
        return await self.aside.grade(self.config, rows)


# --- in the other process


def _grade(recipe: bytes, rows: Sequence[Row]) -> Sequence[Grade]:
    return asyncio.run(_graded(_compiled(recipe), rows))


@lru_cache(maxsize=32)
def _compiled(recipe: bytes) -> Grader:
    config, profile = pickle.loads(recipe)  # noqa: S301 - our own
    return compile_grader(config, profile=profile)


async def _graded(grader: Grader, rows: Sequence[Row]) -> Sequence[Grade]:
    return list(await grader.grade(rows))
