"""Python graders for the common verifiable rewards, to copy: what `graders init --example` writes.

Each is a folder with the grader, a case file that says what it should make of good, near, wrong,
malformed and cheating answers, and a few rows. They are files to read, and no modules to import.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

NAMES: Final = ("math", "numeric", "json", "code", "extract")
"""The examples that there are."""
FILES: Final = ("grade.py", "grade.cases.json", "rows.jsonl")
"""What each of them consists of."""


def read_example(name: str) -> Mapping[str, str]:
    """The files of an example: names, and what stands in them.

    Args:
        name: One of `NAMES`.
    """
    folder = files(__name__) / name
    return {file: (folder / file).read_text("utf-8") for file in FILES}


def title(name: str) -> str:
    """What an example is, in a sentence: the first line of its grader.

    Example:
        >>> title("extract")
        'A short answer behind a mark, compared with a list of accepted ones: 1.0 or 0.0.'
    """
    documented = ast.get_docstring(ast.parse(read_example(name)["grade.py"])) or ""
    return documented.partition("\n")[0]
