"""Cases and graders that laws are tried on, for tests to use."""

from asyncio import run

from graders.testing.check import check_case
from graders.testing.judging import judge_of
from graders.testing.laws.check import check_law


def grade(*lines):
    """A source whose sample and answer are at hand."""
    before = ["def grade(sample, item):", "text, answer = sample['output_text'], item['answer']"]
    return "\n    ".join([*before, *lines])


def check(bench, **how):
    """What breaks the only law of a file."""
    (law,) = bench.cases.laws
    return check_law(law, bench, **how)


def fails(bench):
    """Whether a case of the file does not hold."""
    problems = []
    for case in bench.cases.file.cases:
        grader = bench.compiling(judge_of(case))
        problems += run(check_case(grader, case)).problems
    return bool(problems)


FOUR = {"answer": "four"}
CASES = [
    {"item": FOUR, "sample": "four", "expect": [0, 1]},
    {"item": {"answer": "Nine"}, "sample": "It is nine, or ten", "expect": [0, 1]},
]
OBJECT = [{"item": FOUR, "sample": '{"answer": "four", "why": "2 + 2"}', "expect": [0, 1]}]
ACCENT = [{"item": {"answer": "café"}, "sample": "café", "expect": [0, 1]}]
EXACTLY = grade("return float(text == answer)")
READS = grade("import json", "return float(json.loads(text)['answer'] == answer)")
