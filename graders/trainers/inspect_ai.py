"""A scorer for Inspect, for `scorer=` of its tasks.

    from graders.trainers.inspect_ai import scorer
    Task(dataset=..., solver=..., scorer=scorer("grader.json"))

A failure is `Score.unscored`, Inspect's own word: the sample is left out of every metric and
counted under `unscored_samples`, with the message as its explanation. Its reason is
`grader_failed` where a judge failed, else `scoring_failed`. Or have it raised: then the sample is
an error, and `fail_on_error` decides what becomes of the eval.

Tested with Inspect 0.3.285, on asyncio and on trio. To score a log again, give the scorer to
`inspect_ai.score`; the command `inspect score` looks for it by a name that it has not.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, Unpack, get_args

from graders.errors import Failure, FailureKind, GradingError
from graders.grades import Grade
from graders.rows import Row
from graders.strict_json import encode
from graders.trainers.failures import reward_or_raise
from graders.trainers.grading import Grading, open_grading
from graders.trainers.recipe import Options, refused
from graders.trainers.rows import spoken, to_item
from sandbox import JSON

if TYPE_CHECKING:
    from inspect_ai.scorer import Score, Scorer, Target
    from inspect_ai.solver import TaskState
    from inspect_ai.tool import ToolCall

Failures = Literal["unscored", "raise"]
_OF_JUDGES: Final = frozenset(
    {
        FailureKind.MODEL_SERVER,
        FailureKind.MODEL_REFUSAL,
        FailureKind.MODEL_PARSE,
        FailureKind.MODEL_MAX_TOKENS,
    }
)


def scorer(
    config: str | os.PathLike[str], *, failures: Failures = "unscored", **options: Unpack[Options]
) -> Scorer:
    """A scorer with the grader's name; its metrics are the mean and its standard error.

    The item has the sample's `input`, its `target` and its metadata; what is None there is left
    out, so that a template that names it fails. Members' scores are in the score's metadata.

    Args:
        config: The path of a config. Inspect writes it, and the options, into its log.
        failures: What a failure is.
        **options: See `graders.trainers.recipe.Options`.

    Raises:
        ConfigError: The config or an option cannot be used.
        GradersError: Judges cannot be asked: a package or a key is missing.
        OSError: The config cannot be read.
    """
    from inspect_ai.scorer import mean, stderr
    from inspect_ai.scorer import scorer as registered

    if failures not in get_args(Failures):
        raise refused("failures", f"{failures!r:.60} is not one of {', '.join(get_args(Failures))}")
    if not isinstance(config, (str, os.PathLike)):
        raise refused("config", f"a {type(config).__name__} would be in every log; give a path")
    name = open_grading(config, **options).name

    def made(config: str, failures: Failures = "unscored", **options: Unpack[Options]) -> Scorer:
        grading = open_grading(config, **options)

        async def score(state: TaskState, target: Target) -> Score:
            (grade,) = await _grade(grading, [_row(state, target)])
            return _score(grade, state.output.completion, failures)

        return score

    register = registered(metrics=[mean(), stderr()], name=f"graders/{name}")
    return register(made)(os.fspath(config), failures, **options)


async def _grade(grading: Grading, rows: Sequence[Row | Failure]) -> list[Grade]:
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # Inspect runs on trio
        from anyio.to_thread import run_sync

        return await run_sync(grading.grade, rows, abandon_on_cancel=True)
    return await grading.agrade(rows)


def _row(state: TaskState, target: Target) -> Row | Failure:
    if not state.output.choices:
        problem = "the sample has no output"
        return Failure(kind=FailureKind.SAMPLE_PARSE, reason="no_output", message=problem)
    message = {
        "role": "assistant",
        "content": state.output.completion,
        "tool_calls": [_call(call) for call in state.output.message.tool_calls or []],
    }
    try:
        given = to_item(state.metadata, "metadata", absent=True)
        item = {"input": state.input_text, "target": target.text, **given}
        return Row(item=item, sample=spoken([message], "the output"), row=1)
    except GradingError as error:
        return error.failure


def _call(call: ToolCall) -> dict[str, JSON]:
    """A tool call as the hosted API has it."""
    arguments = encode(call.arguments).decode()
    called: dict[str, JSON] = {"name": call.function, "arguments": arguments}
    return {"id": call.id, "type": "function", "function": called}


def _score(grade: Grade, answer: str, failures: Failures) -> Score:
    from inspect_ai.scorer import Score

    members = {key: part.score for key, part in grade.parts.items()}
    if grade.failure is None or failures == "raise":
        value = reward_or_raise(grade)
        return Score(value=value, answer=answer, metadata={"members": members})
    kind, reason = grade.failure.kind, grade.failure.reason
    return Score.unscored(
        reason="grader_failed" if kind in _OF_JUDGES else "scoring_failed",
        answer=answer,
        explanation=grade.failure.message,
        metadata={"members": members, "kind": str(kind), "reason": reason},
    )
