"""Evals of Inspect with scorers of ours, run by a test in a process of its own.

Reads from its arguments a folder; prints a JSON object for each eval. The model is Inspect's own
`mockllm`, and whoever would connect to anything fails.
"""

import json
import socket
import sys
from pathlib import Path

from inspect_ai import Task, eval, score  # noqa: A004 - its name there
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageAssistant, ModelOutput, ModelUsage, get_model
from inspect_ai.solver import generate, solver
from inspect_ai.tool import ToolCall
from rewarding import BOTH, CODE, EXACT, JUDGE

from graders.errors import FailureKind, GradingError
from graders.trainers.inspect_ai import scorer

FOLDER = Path(sys.argv[1])
USAGE = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)  # else it is counted by a net's
HOSTILE = "\x00{{ item.answer }}\x1b[31m" + "x" * 100_000


class Refusing:
    """A judge that refuses."""

    async def complete(self, _):
        raise GradingError(FailureKind.MODEL_REFUSAL, "I would rather not")


def nowhere(*_, **__):
    raise AssertionError("an eval tried to connect")


def config(name, value):
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(value))
    return str(path)


def echoed(messages, *_):
    """The model says what it is told."""
    made = ModelOutput.from_content("mockllm/model", messages[-1].text)
    made.usage = USAGE
    return made


@solver
def calls_a_tool():
    """Ends with a tool call."""

    async def solve(state, _):
        call = ToolCall(id="1", function="add", arguments={"a": 2})
        message = ChatMessageAssistant(content="", tool_calls=[call])
        state.output = ModelOutput.from_message(message)
        return state

    return solve


@solver
def says_nothing():
    """Ends before the model was asked."""

    async def solve(state, _):
        return state

    return solve


def run(scorers, metadata, said, solving=None):
    """An eval whose model says something about each sample."""
    model = get_model("mockllm/model", custom_outputs=echoed)
    dataset = [
        Sample(input=text, target="4", metadata=one)
        for one, text in zip(metadata, said, strict=True)
    ]
    task = Task(dataset=dataset, solver=solving or generate(), scorer=scorers)
    (log,) = eval(task, model=model, log_dir=str(FOLDER / "logs"), display="none")
    return log


def told(log):
    results = [] if log.results is None else log.results.scores
    samples = [
        {name: score.model_dump(exclude={"history"}) for name, score in (one.scores or {}).items()}
        for one in sorted(log.samples or [], key=lambda sample: sample.id)
    ]
    return {
        "status": log.status,
        "error": log.error and log.error.message,
        "scores": {
            one.name: {
                "scored": one.scored_samples,
                "unscored": one.unscored_samples,
                **{name: metric.value for name, metric in one.metrics.items()},
            }
            for one in results
        },
        "samples": samples,
        "scorers": [one.options for one in log.eval.scorers or []],
    }


def main():
    socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = nowhere
    four, none, odd = {"answer": "4"}, {"answer": None}, {"answer": float("nan")}
    both, exact = config("both", BOTH), config("exact", EXACT)
    named = config("named", {**EXACT, "reference": "{{ item.target }}", "name": "match"})
    tool = {**EXACT, "input": "{{ sample.output_tools[0].function.name }}", "reference": "add"}
    first = run([scorer(both), scorer(named)], [four, four, none], ["4", "5", "4"])
    evals = {
        "scores": first,
        "hostile": run([scorer(both)], [four], [HOSTILE]),
        "unread": run([scorer(exact)], [odd], ["4"]),
        "breaks": run([scorer(config("code", CODE), deadline=5.0)], [four, four], ["die", "wait"]),
        "judge": run([scorer(config("judge", JUDGE), client=Refusing)], [four], ["4"]),
        "raises": run([scorer(exact, failures="raise")], [none], ["4"]),
        "many": run([scorer(both)], [four] * 100, [str(i % 2 + 3) for i in range(100)]),
        "tool": run([scorer(config("tool", tool))], [four], ["x"], calls_a_tool()),
        "nothing": run([scorer(exact)], [four], ["x"], says_nothing()),
        "again": score(first, scorer(exact), action="overwrite", display="none"),
    }
    sys.stdout.write(json.dumps({name: told(log) for name, log in evals.items()}))


if __name__ == "__main__":
    main()
