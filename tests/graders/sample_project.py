"""A project whose graders are tested by case files, for tests of the pytest plugin."""

import re

from sample_configs import EXACT, JUDGE

SOURCE = """
def grade(sample, item):
    text = sample["output_text"]
    print("looking at", text)
    return 1.0 if text == item["answer"] else 0.1 * (item["answer"] in text)
"""
MULTI = {
    "type": "multi",
    "name": "both",
    "graders": {"exact": EXACT, "rated": JUDGE},
    "calculate_output": "0.5 * exact + 0.5 * rated",
    "pass_threshold": 0.75,
}
FOUR = {"answer": "4"}
PROJECT = {
    "grade.py": SOURCE,
    "grade.cases.json": {
        "cases": [
            {"name": "exact", "item": FOUR, "sample": "4", "expect": 1.0},
            {"name": "within", "item": FOUR, "sample": "it is 4", "expect": [0.05, 0.2]},
            {"name": "no answer", "sample": "4", "expect": "python_grader_runtime_error"},
            {
                "name": "order",
                "item": FOUR,
                "samples": {"right": "4", "near": "it is 4", "wrong": "5", "none": ""},
                "expect": "right > near > wrong = none",
            },
        ]
    },
    "both.json": MULTI,
    "both.cases.yaml": """
cases:
  - {name: pass, item: {answer: '4'}, sample: '4', judge: 0.6, expect: pass}
  - {name: parts, item: {answer: '4'}, sample: '5', judge: 0.6,
     expect: {score: 0.3, passed: false, parts: {exact: 0, rated: 0.6}}}
""",
}
WRONG = {
    "grade.py": SOURCE,
    "wrong.cases.json": """{
  "grader": "grade.py",
  "cases": [
    {"name": "score", "item": {"answer": "4"}, "sample": "5\\u001b[2J", "expect": 1.0},
    {"name": "raised", "item": {}, "sample": "4", "expect": 1.0},
    {"name": "fine", "item": {"answer": "4"}, "sample": "4", "expect": 1.0}
  ]
}
""",
}


def names(result, word):
    """The tests of a verbose run that came out in one way."""
    return [m[1] for line in result.outlines if (m := re.match(rf"(.*?) {word} +\[", line))]
