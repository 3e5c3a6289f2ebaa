"""Rows of which half the items teach, and a multi grader with a member that says nothing."""

import json
from pathlib import Path

from graders.results import Result
from graders.strict_json import encode

SAME = {
    "type": "string_check",
    "name": "same",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
}
LIKE = {**SAME, "type": "text_similarity", "evaluation_metric": "fuzzy_match"}
del LIKE["operation"]
MULTI = {
    "type": "multi",
    "name": "m",
    "graders": {"same": SAME, "like": LIKE, "dead": {**SAME, "reference": "never this"}},
    "calculate_output": "0.5 * same + 0.5 * like + dead",
    "pass_threshold": 0.6,
}
ROWS = [
    {
        "item": {"a": "abcd", "n": n},
        "samples": [{"output_text": text, "human": human} for text, human in samples],
    }
    for n, samples in enumerate(
        [
            [("abcd", 1), ("abxy.", 0), ("abcd", 1), ("q", 0)],
            [("abcd", 1), ("abcd", 0), ("abcd", 1), ("abcd", 1)],
            [("no", 0), ("no", 0), ("no", 0), ("no", 0)],
            [("abcd", 1), ("ab.", 0), ("x", 0), ("- ab", 1)],
        ]
        * 4
    )
]  # fmt: skip


def write(name, *values):
    """A file of lines: texts as they are, and what else there is as JSON."""
    texts = [value if isinstance(value, str) else json.dumps(value) + "\n" for value in values]
    Path(name).write_text("".join(texts), encoding="utf-8")


def line(row, reward, **more):
    """A result line; four rows are an item."""
    result = Result(
        row=row,
        group=more.get("group", row // 4),
        sample_index=0,
        score=reward,
        reward=reward,
        passed=None,
        failure=None,
        parts={},
        usage=None,
        signature=more.get("signature", "s"),
        output_chars=more.get("output_chars"),
        reference_chars=None,
        detail=None,
    )
    return encode(result).decode() + "\n"
