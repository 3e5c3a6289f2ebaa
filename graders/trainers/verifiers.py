"""Rewards for verifiers: what `@vf.reward` marks, or the config of a taskset plugs in.

In a task of your own:

    from graders.trainers.verifiers import reward
    grader = reward("/abs/grader.json")

    class Sum(vf.Task[SumData]):
        @vf.reward
        async def grade(self, trace):
            return await grader(self.data, trace)

Or, without a class, as `fn = "path/to/rewards.py:grader"` under `[env.taskset.task.rewards.grade]`.

A failure is raised: verifiers records it as the trace's error, and leaves all its rewards unset.
`trace.reward`, a sum, is then 0.0: look at `trace.ok` first.

Called as `verifiers.v1` of verifiers 0.4 calls rewards. Those of its `Rubric`, up to 0.1.14, are
not for it: they made a 0.0 of every exception.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Unpack

from graders.compile import member_keys
from graders.config.parse import ConfigSource, read_config
from graders.errors import FailureKind, GradingError
from graders.rows import Row, to_sample
from graders.trainers.failures import reward_or_raise
from graders.trainers.grading import open_grading
from graders.trainers.recipe import Options
from graders.trainers.rows import spoken, to_item
from sandbox import JSON


def reward(
    config: ConfigSource,
    *,
    item: Callable[[Any], Mapping[str, object]] | None = None,
    **options: Unpack[Options],
) -> Callable[[Any, Any], Awaitable[float]]:
    """A reward of a task's data and a trace.

    What is graded is the root agent's reply, or else the last message that the model wrote, as
    it wrote it: `trace.last_reply` has no spaces at its ends. Members' scores are metrics of the
    trace, called `GRADER/MEMBER`.

    Args:
        config: The grader.
        item: Makes the item of a task's data. Without it, its fields are the item; those with
            None are left out, so that a template that names one fails.
        **options: See `graders.trainers.recipe.Options`.

    Raises:
        ConfigError: The config or an option cannot be used.
        GradersError: Judges cannot be asked: a package or a key is missing.
        OSError: The config cannot be read.
    """
    document = read_config(config)
    members, grading = member_keys(document.grader), open_grading(document, **options)

    async def grade(task: Any, trace: Any) -> float:
        """The score; raises GradingError where there is none."""
        row = Row(item=_item(task if item is None else item(task)), sample=_reply(trace), row=1)
        (graded,) = await grading.agrade([row])
        score = reward_or_raise(graded)
        for key in members:
            trace.record_metric(f"{grading.name}/{key}", graded.parts[key].score or 0.0)
        return score

    return grade


def _item(data: Any) -> dict[str, JSON]:
    dump = getattr(data, "model_dump", None)
    return to_item(data if dump is None else dump(mode="json"), "the task's data", absent=True)


def _reply(trace: Any) -> Mapping[str, JSON]:
    if trace.root_reply is not None:
        return to_sample(trace.root_reply)
    said = trace.assistant_messages
    if not said:
        raise GradingError(FailureKind.SAMPLE_PARSE, "the trace has no reply", "no_reply")
    calls = [_call(call) for call in said[-1].tool_calls or []]
    message = {"role": "assistant", "content": said[-1].content, "tool_calls": calls}
    return spoken([message], "the reply")


def _call(call: Any) -> dict[str, JSON]:
    """A tool call as the hosted API has it."""
    called = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": called}
