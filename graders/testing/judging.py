"""The judge of a test: what it says is written in the test, or was recorded.

It also stands in for the service of an endpoint grader; nothing is sent to anybody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from graders.clients import ModelClient, ModelReply, ModelRequest, asked_for
from graders.clients.replay import Replay
from graders.errors import FailureKind, GradingError
from graders.testing.case_file import Case
from sandbox import JSON

_UNSAID: Final = (
    'nothing says what the judge answers: "judge": 0.5 in a case, judge.answers(0.5) in a test'
)


@dataclass(slots=True)
class CaseJudge:
    """A client that answers what a test says.

    Attributes:
        answer: A number or a label, which is put into the JSON that a judge answers with; a text
            that begins with `{`, as it is; a list of these, for each repeat; or an object of these
            by sample or by member.
        samples: The names of the samples that are compared, in order.
        folder: What a recording's path begins at.
        other: Asked instead where there is one: a recording, or a function of the request.
        asked: The requests so far.
    """

    answer: JSON = None
    samples: tuple[str, ...] = ()
    folder: Path = Path()
    other: ModelClient | Callable[[ModelRequest], JSON | ModelReply] | None = None
    asked: list[ModelRequest] = field(default_factory=list)

    def answers(self, answer: JSON | Callable[[ModelRequest], JSON | ModelReply]) -> None:
        """From now on, answer this; a function is called with each request."""
        self.answer, self.other = (None, answer) if callable(answer) else (answer, None)

    def replay(self, path: Path | str) -> None:
        """From now on, answer what a run with `--record` wrote down.

        Raises:
            RecordingError: A line of it is no recorded answer.
            OSError: It cannot be read.
        """
        self.answer, self.other = None, Replay(self.folder / path)

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Answer.

        Raises:
            GradingError: The test says nothing for this judge, or nothing was recorded.
        """
        self.asked.append(request)
        if callable(self.other):
            answer = self.other(request)
            return answer if isinstance(answer, ModelReply) else _reply(answer)
        if self.other is not None:
            return await self.other.complete(request)
        return _reply(self._said(request.repeat))

    async def post(
        self,
        url: str,  # noqa: ARG002 - as the protocol has it, and nothing is sent
        headers: Mapping[str, str],  # noqa: ARG002
        body: JSON,  # noqa: ARG002
        *,
        per_second: float | None = None,  # noqa: ARG002
    ) -> JSON:
        """Answer as the service of an endpoint grader, with a score.

        Raises:
            GradingError: The test says nothing for it.
        """
        answer = self._said()
        if answer is None:
            raise GradingError(FailureKind.ENDPOINT_SERVER, _UNSAID, "no_answer")
        return {"score": answer}

    def _said(self, repeat: int = 0) -> JSON:
        answer = self.answer
        place, _, member = asked_for.get().partition("/")
        if isinstance(answer, dict) and answer.keys() == {*self.samples}:
            answer = answer[self.samples[int(place.partition(":")[2])]]
        if isinstance(answer, dict):
            answer = answer.get(member, answer.get(member.rpartition("/")[2]))
        if isinstance(answer, list):
            answer = answer[repeat] if repeat < len(answer) else None
        return answer


def _reply(answer: JSON) -> ModelReply:
    if answer is None:
        raise GradingError(FailureKind.MODEL_SERVER, _UNSAID, "no_answer")
    if isinstance(answer, str) and answer.lstrip().startswith("{"):
        return ModelReply(text=answer)
    return ModelReply(text=json.dumps({"steps": [], "result": answer}))


def judge_of(case: Case, recorded: ModelClient | None = None) -> CaseJudge:
    """The judge of a case: what the case says, or else what was recorded for its file."""
    if case.judge is None and recorded is not None:
        return CaseJudge(other=recorded)
    return CaseJudge(case.judge, samples=tuple(case.samples))
