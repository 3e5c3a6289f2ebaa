"""What all requests of a server share: its tools, its limits, and what it keeps."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from graders.compile import Tools, compile_grader, member_keys
from graders.grades import Grader
from graders.jobs.bounds import Target
from graders.profile import Profile
from graders.server.aside import Aside
from graders.server.processes import Processes
from graders.server.recent import Recent, Weight
from graders.server.settings import Limits, Rewards, Settings
from graders.server.storage import Objects, Room
from graders.server.transport.answers import ApiError

if TYPE_CHECKING:  # starlette is an extra; the others keep what they define here
    from starlette.requests import Request

    from graders.server.evals.evals import Eval
    from graders.server.evals.running import Run
    from graders.server.files import StoredFile
    from graders.server.jobs.stored import StoredJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all requests share.

    Attributes:
        tools: What graders need from outside, and where they compute what takes long.
        profile: Settings that decide numbers.
        limits: How much requests may take.
        checks: Where sources are checked.
        graders: Those that can be asked by name.
        members: The keys of their members.
        rewards: How trainers are answered.
        complaints: Graders, and kinds of their failures, of which the log has one; or of ends.
        recent: Those of the last requests.
        room: Where files and results are kept.
        files: Those that were uploaded.
        evals: Those that were made.
        runs: Of all evals.
        run_tools: The tools of runs. What they compute has processes of its own, so that no run
            holds up a request.
        turns: Lets a few runs be graded at a time.
        tasks: Of the runs that wait or are graded.
        jobs: Fine-tuning jobs.
        dry_runs: Of jobs that wait or are tried.
        plans: Where they are computed.
        target: The service that they are meant for.
    """

    tools: Tools
    profile: Profile
    limits: Limits
    checks: Processes
    graders: Mapping[str, Grader]
    members: Mapping[str, tuple[str, ...]]
    rewards: Rewards
    complaints: set[tuple[str, str]]
    recent: Recent
    room: Room
    files: Objects[StoredFile]
    evals: Objects[Eval]
    runs: Objects[Run]
    run_tools: Tools
    turns: asyncio.Semaphore
    tasks: set[asyncio.Task[None]]
    jobs: Objects[StoredJob]
    dry_runs: set[asyncio.Task[None]]
    plans: Processes
    target: Target

    def refuse_huge(self, weight: Weight, size: int) -> None:
        """Refuse a grading whose templates are too many, or could come to more than fits.

        And one that would ask judges too often: each answer is paid.

        Args:
            weight: Of the grader.
            size: Bytes of the row that it is to grade, at most.

        Raises:
            ApiError: 400.
        """
        if weight.texts > self.limits.texts:
            message = (
                f"there are {weight.texts:,} texts in it, and {self.limits.texts:,} are allowed"
            )
            raise ApiError(400, message, weight.path or None, "texts")
        if weight.answers > self.limits.answers:
            message = (
                f"judges would be asked for {weight.answers:,} answers about one sample, and "
                f"{self.limits.answers:,} are allowed"
            )
            raise ApiError(400, message, weight.path or None, "answers")
        most = weight.letters + weight.slots * size
        if most > self.limits.rendered_bytes:
            message = (
                f"the templates could come to {most:,} bytes with this row, and "
                f"{self.limits.rendered_bytes:,} are allowed"
            )
            raise ApiError(400, message, weight.path or None, "rendered-size")


def shared(request: Request) -> Shared:
    """What a request shares with the others."""
    found = request.app.state.shared
    assert isinstance(found, Shared), "put there when the server starts"
    return found


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Shared]:
    """What requests share, from the server's start to its end.

    Raises:
        ConfigError: A grader that is served by name needs a tool that the server has not.
    """
    limits, profile = settings.limits, settings.profile
    aside, aside_runs = (
        Aside(profile, seconds=limits.compute_seconds, processes=os.cpu_count() or 1)
        for _ in range(2)
    )
    checks = Processes(seconds=limits.check_seconds, most=os.cpu_count() or 1)
    tools = replace(settings.tools, aside=aside.take)
    tasks: set[asyncio.Task[None]] = set()
    dry_runs: set[asyncio.Task[None]] = set()
    room = Room(limits.stored_bytes)
    plans = Processes(seconds=limits.plan_seconds, most=limits.plans_at_once)
    try:
        yield Shared(
            tools=tools,
            profile=profile,
            limits=limits,
            checks=checks,
            graders={
                name: compile_grader(document, tools=tools, profile=profile)
                for name, document in settings.graders.items()
            },
            members={
                name: member_keys(document.grader) for name, document in settings.graders.items()
            },
            rewards=settings.rewards,
            complaints=set(),
            recent=Recent(),
            room=room,
            files=Objects("file", limits.stored_objects),
            evals=Objects("eval", limits.stored_objects, limits.eval_bytes),
            runs=Objects("run", limits.stored_objects),
            run_tools=replace(settings.tools, aside=aside_runs.take),
            turns=asyncio.Semaphore(limits.runs_at_once),
            tasks=tasks,
            jobs=Objects("fine-tuning job", limits.stored_objects),
            dry_runs=dry_runs,
            plans=plans,
            target=settings.target,
        )
    finally:
        await _end(tasks | dry_runs)
        await plans.close()
        room.close()
        await aside.close()
        await aside_runs.close()
        await checks.close()


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
