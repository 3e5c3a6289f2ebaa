"""An Inspect task that grades what a config grades, as Python source.

What a config holds goes in by `repr`, and into comments only as printable text behind the first
two lines, where Python would read an encoding out of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from graders.moving.carried import Carried, carry
from graders.moving.exported import Exported, Source, comments
from graders.template import Slot

_OF_US: Final = (
    "The item has Inspect's input and target beside its own keys, and none of those that are null.",
    "A grading that failed is unscored there: it is left out of every metric, and counted.",
)
_OF_NATIVE: Final = "An item without the key stops the task there, and is one failure here."
_ALWAYS: Final = (
    "The mean of scores is reported; pass_threshold and what passes are not known there.",
    "Inspect asks its own model: samples in rows are not read.",
    "It runs a task in the task's folder: rows= takes an absolute path, or one from there.",
)


def to_inspect(source: Source, name: str) -> Exported:
    """A file with a task.

    Args:
        source: What is exported.
        name: Of the file.
    """
    how = carry(source.document.grader, "inspect", source.profile)
    lost = [*_ALWAYS, *([_OF_NATIVE] if how.native else _OF_US)]
    text = _source(source, how, lost)
    command = ["inspect", "eval", name, "--model", "MODEL", "-T", f"rows={source.rows_path}"]
    return Exported(files={name: text}, carried=[how], lost=lost, next=command)


def _source(source: Source, how: Carried, lost: Sequence[str]) -> str:
    options = "".join(f", {key}={value!r}" for key, value in source.options.items())
    if how.native:
        imports, scorer = ["from inspect_ai.scorer import includes"], "includes(ignore_case=False)"
        target = " + ".join(map(_expression, how.reference))
    else:
        imports, scorer = [], f"scorer(str(CONFIG){options})"
        target = "text(item.get('target', ''))"
    lines = [
        '"""A task for Inspect; written by `graders export`."""',
        "",
        "".join(comments(source, [how], lost)),
        "import json",
        *([] if how.native else ["from pathlib import Path"]),
        "",
        "from inspect_ai import Task, task",
        "from inspect_ai.dataset import Sample, json_dataset",
        *imports,
        "from inspect_ai.solver import generate",
        *([] if how.native else ["", "from graders.trainers.inspect_ai import scorer"]),
        "",
        *([] if how.native else [f"CONFIG = Path(__file__).parent / {source.path!r}", ""]),
        "",
        "def text(value):",
        "    if isinstance(value, str):",
        "        return value",
        '    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))',
        *("", "", "@task"),
        'def graded(rows="rows.jsonl", ask="question"):',
        '    """Answer what stands at `ask` in each item, or its messages, and grade it.',
        "",
        "    A relative path of rows starts where this file is.",
        '    """',
        "",
        "    def sample(record):",
        '        item = record.get("item", record)',
        '        asked = item["messages"] if "messages" in item else text(item[ask])',
        f"        return Sample(input=asked, target={target}, metadata=item)",
        "",
        f"    scored = {scorer}",
        "    return Task(dataset=json_dataset(rows, sample), solver=generate(), scorer=scored)",
        "",
    ]
    return "\n".join(lines)


def _expression(piece: str | Slot) -> str:
    return f"text(item[{piece.steps[0]!r}])" if isinstance(piece, Slot) else repr(piece)
