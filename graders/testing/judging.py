"""The judge of a case: what it says is written in the case, or was recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from graders.clients import ModelReply, ModelRequest, asked_for
from graders.errors import FailureKind, GradingError
from graders.testing.cases import Case
from sandbox import JSON


@dataclass(slots=True)
class CaseJudge:
    """A client that answers what a case says.

    Attributes:
        answer: A number or a label, which is put into the JSON that a judge answers with; a text
            that begins with `{`, as it is; or an object of these by member.
        asked: The requests so far.
    """

    answer: JSON
    asked: list[ModelRequest] = field(default_factory=list)

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Answer.

        Raises:
            GradingError: The case says nothing for this judge.
        """
        self.asked.append(request)
        answer = self.answer
        if isinstance(answer, dict):
            answer = answer.get(asked_for.get().rpartition("/")[2])
        if answer is None:
            message = 'the case does not say what its judge answers: "judge": 0.5'
            raise GradingError(FailureKind.MODEL_SERVER, message, "no_answer")
        if isinstance(answer, str) and answer.lstrip().startswith("{"):
            return ModelReply(text=answer)
        return ModelReply(text=json.dumps({"steps": [], "result": answer}))


def judge_of(case: Case) -> CaseJudge:
    """The judge of a case."""
    return CaseJudge(case.judge)
