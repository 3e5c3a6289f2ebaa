"""OpenJudge's own runner over a file of rows; peers.py starts it with OpenJudge's interpreter.

    python openjudge_run.py text|GRADER.py ROWS RESULTS

The runner takes a list and gives a list; reading rows and writing a small line for each is ours.
A grader of one's own is a FunctionGrader: a function in this process. It is a coroutine function,
as in OpenJudge's documentation; a plain one would be sent to a thread for each row.
"""

import asyncio
import json
import runpy
import sys
from pathlib import Path

from openjudge.graders.function_grader import FunctionGrader
from openjudge.graders.schema import GraderScore
from openjudge.graders.text.similarity import SimilarityGrader
from openjudge.graders.text.string_match import StringMatchGrader
from openjudge.runner.aggregator.weighted_sum_aggregator import WeightedSumAggregator
from openjudge.runner.grading_runner import GradingRunner

MAPPER = {"response": "sample.output_text", "reference_response": "item.reference_answer"}


def text_runner():
    """The built-in graders nearest to a multi of string_check (ilike) and fuzzy_match."""
    graders = {
        "exact": (StringMatchGrader(algorithm="substring_match", case_sensitive=False), MAPPER),
        "fuzzy": (SimilarityGrader(algorithm="fuzzy_match"), MAPPER),
    }
    both = WeightedSumAggregator("score", {"exact": 0.5, "fuzzy": 0.5})
    return GradingRunner(graders, aggregators=both, show_progress=False)


def function_runner(source):
    """A file's `grade(sample, item)` as a FunctionGrader."""
    grade = runpy.run_path(source)["grade"]

    async def graded(sample, item):
        return GraderScore(name="score", score=grade(sample, item), reason="")

    return GradingRunner({"score": FunctionGrader(graded, name="score")}, show_progress=False)


def main(what, rows, results):
    """Read, run, write."""
    runner = text_runner() if what == "text" else function_runner(what)
    with Path(rows).open("rb") as lines:
        dataset = [json.loads(line) for line in lines]
    graded = asyncio.run(runner.arun(dataset))
    with Path(results).open("w") as out:
        out.writelines(json.dumps({"score": result.score}) + "\n" for result in graded["score"])


if __name__ == "__main__":
    main(*sys.argv[1:])
