"""A reward of `verifiers.v1` is raised where it has no score, which leaves the trace unscored.

Calls are copied from verifiers 0.4.0: `Task.score` (v1/task.py), `invoke` and the decorators
(v1/utils/decorators.py), `load_plugged_fn` (v1/utils/loaders.py). A trace and its messages have
the fields of v1/trace.py and v1/types.py that a reward reads.
"""

import asyncio
import functools
import inspect
from collections.abc import Mapping

import pytest
from pydantic import BaseModel, ConfigDict
from rewarding import ASKED, BOTH, CODE, EXACT, JUDGE, Judge

from graders.errors import ConfigError, GradingError
from graders.trainers import process
from graders.trainers.verifiers import reward


@pytest.fixture(scope="module", autouse=True)
def _close():
    yield
    process.close_all()


class ToolCall(BaseModel):
    """Arguments are JSON, as the model wrote it."""

    id: str
    type: str = "function"
    name: str
    arguments: str


class AssistantMessage(BaseModel):
    """What the model wrote."""

    role: str = "assistant"
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[ToolCall] | None = None


class TaskData(BaseModel):
    """A task's data, with a field of its own."""

    model_config = ConfigDict(frozen=True)

    idx: int | None = None
    prompt: str | None = "2 + 2?"
    answer: str | None = "4"


class Trace:
    """What is known of a rollout, of messages or their texts."""

    def __init__(self, *messages, root_reply=None):
        self.assistant_messages = [
            AssistantMessage(content=one) if one is None or isinstance(one, str) else one
            for one in messages
        ]
        self.root_reply = root_reply
        self.rewards, self.metrics, self.errors = {}, {}, []

    @property
    def ok(self):
        return not self.errors

    def record_metric(self, name, value):
        self.metrics[name] = float(value)

    def record_reward(self, name, value, weight=1.0):
        self.rewards[name] = float(value) * float(weight)


class TaskError(Exception):
    """What `boundary` makes of whatever scoring raises."""


def invoke(fn, available):
    params = inspect.signature(fn).parameters
    kwargs = {name: available[name] for name in params if name in available}
    return fn(**kwargs)


async def score(rewards, data, trace):
    """`Task.score` without its metrics, judges and runtime."""
    available = {"task": data, "trace": trace}
    try:
        for fn in rewards:
            trace.rewards[fn.__name__] = None
        results = await asyncio.gather(*(invoke(fn, available) for fn in rewards))
        for fn, result in zip(rewards, results, strict=True):
            weight = getattr(fn, "_vf_weight", 1.0)
            assert not isinstance(result, Mapping)
            trace.record_reward(fn.__name__, result, weight)
    except Exception as e:  # noqa: BLE001 - as `boundary` does
        trace.errors.append(TaskError(f"task Sum scoring: {type(e).__name__}: {e}"))


def plugged(name, fn, weight):
    """What `load_plugged_fn` makes of `[env.taskset.task.rewards.NAME]`."""

    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        return fn(*args, **kwargs)

    wrapper.__name__ = name
    wrapper._vf_weight = weight  # noqa: SLF001 - its name there
    return wrapper


def scored(fn, trace, data=None):
    """A trace after its task has scored it, with a plugged-in reward."""
    asyncio.run(score([plugged("grade", fn, 2.0)], data or TaskData(), trace))
    return trace


def test_a_plugged_in_reward_is_the_score():
    """With the weight of its entry; members are metrics."""
    trace = scored(reward(BOTH), Trace("4"))

    assert trace.ok
    assert trace.rewards == {"grade": 2.0}
    assert trace.metrics == {"both/exact": 1.0, "both/code": 1.0}


def test_a_method_of_a_task_awaits_it():
    """As the README shows; `verifiers` binds the method and injects the trace."""
    grader = reward(EXACT)

    class Sum:
        data = TaskData()

        async def grade(self, trace):
            return await grader(self.data, trace)

    trace = Trace("5")
    asyncio.run(score([Sum().grade], Sum.data, trace))

    assert (trace.ok, trace.rewards) == (True, {"grade": 0.0})


@pytest.mark.parametrize(
    ("trace", "data", "message"),
    [
        (Trace("4"), TaskData(answer=None), "item has no field 'answer'"),  # unset, and no null
        (Trace(), TaskData(), "GradingError: the trace has no reply"),
    ],
)
def test_a_failure_is_the_traces_error(trace, data, message):
    """Its rewards stay unset; nothing was recorded that a consumer could take for 0."""
    scored(reward(BOTH), trace, data)

    assert not trace.ok
    assert trace.rewards == {"grade": None}
    assert trace.metrics == {}
    assert message in str(trace.errors[0])


@pytest.mark.parametrize("said", ["die", "wait"])
def test_a_grader_that_breaks_or_hangs_is_the_traces_error_too(said):
    """Within its deadline."""
    trace = scored(reward(CODE, deadline=1.0), Trace(said))

    assert trace.rewards == {"grade": None}
    assert "GradingError" in str(trace.errors[0])


@pytest.mark.parametrize(
    ("trace", "text"),
    [
        (Trace("a", "b"), "b"),
        (Trace(" b\n"), " b\n"),  # `last_reply` is stripped
        (Trace("a", root_reply=" r "), " r "),
        (Trace(None), ""),
        (Trace("\ud800\x00{{ item.answer }}"), "\ud800\x00{{ item.answer }}"),
    ],
)
def test_the_last_reply_is_graded_as_it_was_written(trace, text):
    """Of the root agent, where there are several."""
    grade = reward({**EXACT, "reference": "{{ item.said }}"}, item=lambda _: {"said": text})

    assert scored(grade, trace).rewards == {"grade": 2.0}


def test_tool_calls_are_where_graders_look_for_them():
    """As the hosted API has them."""
    call = ToolCall(id="1", name="add", arguments='{"a": 2}')
    template = "{{ sample.output_tools[0].function.name }}"
    grade = reward({**EXACT, "input": template, "reference": "add"})

    assert scored(grade, Trace(AssistantMessage(tool_calls=[call]))).rewards == {"grade": 2.0}


def test_many_rollouts_share_an_event_loop():
    """Hundreds are scored at once, and each has its own reward."""
    grade = plugged("grade", reward(BOTH), 1.0)
    traces = [Trace(str(i % 5)) for i in range(200)]

    async def worker():
        await asyncio.gather(*(score([grade], TaskData(), trace) for trace in traces))

    asyncio.run(worker())

    assert [trace.rewards["grade"] for trace in traces] == [float(i % 5 == 4) for i in range(200)]


def test_the_deadline_of_a_task_stops_it():
    """`task.timeout.scoring` cancels; that is no score and no failure."""
    ASKED.clear()
    grade = reward(JUDGE, client=Judge)

    async def staged():
        scoring = asyncio.create_task(grade(TaskData(), Trace("wait")))
        assert await asyncio.to_thread(ASKED.wait, 30)
        scoring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await scoring
        return await grade(TaskData(), Trace("4"))

    assert asyncio.run(staged()) == 0.5


def test_it_is_found_by_name_and_asks_for_no_runtime():
    """What asks for one is left out where there is none."""
    grade = reward(EXACT)

    assert list(inspect.signature(grade).parameters) == ["task", "trace"]
    assert inspect.iscoroutinefunction(grade)
    with pytest.raises(ConfigError, match="there is no such option"):
        reward(EXACT, deadlin=5)


def test_an_item_that_is_none_is_an_error():
    """It says what was to be the item."""
    grade = reward(EXACT, item=lambda _: None)
    with pytest.raises(GradingError, match="the task's data: is None, and an item is an object"):
        asyncio.run(grade(TaskData(), Trace("4")))
