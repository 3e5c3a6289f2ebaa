"""Rows, and two graders of them that differ: one takes what holds the answer, one the answer."""

import json
from pathlib import Path

from probing import CONTAINS, EXACT

ANSWERS = ("Leo Tolstoy", "Jan Vermeer", "Ella Fitzgerald")
ROWS = [
    {"item": {"answer": answer}, "samples": [answer, f"It is {answer}.", "I do not know"]}
    for answer in ANSWERS
]


def write(name, *lines):
    """A file of JSON lines."""
    Path(name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def write_all():
    """The rows and both graders, here."""
    write("rows.jsonl", *ROWS)
    write("like.json", {**CONTAINS, "operation": "like"})
    write("eq.json", EXACT)
