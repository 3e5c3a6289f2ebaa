"""What python graders may import: the packages of the hosted images, and what to load ahead."""

from __future__ import annotations

import ast
import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Final

IMAGES: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "2025-05-08": {  # import name: distribution, version, as the service documents them
        "numpy": ("numpy", "2.2.4"),
        "scipy": ("scipy", "1.15.2"),
        "sympy": ("sympy", "1.13.3"),
        "pandas": ("pandas", "2.2.3"),
        "rapidfuzz": ("rapidfuzz", "3.10.1"),
        "sklearn": ("scikit-learn", "1.6.1"),
        "rouge_score": ("rouge-score", "0.1.2"),
        "deepdiff": ("deepdiff", "8.4.2"),
        "jsonschema": ("jsonschema", "4.23.0"),
        "pydantic": ("pydantic", "2.10.6"),
        "yaml": ("pyyaml", "6.0.2"),
        "nltk": ("nltk", "3.9.1"),
        "sqlparse": ("sqlparse", "0.5.3"),
        "rdkit": ("rdkit", "2024.9.6"),
        "skbio": ("scikit-bio", "0.6.3"),
        "ast_grep_py": ("ast-grep-py", "0.36.2"),
    }
}
"""The packages of each documented image tag."""

CORPORA: Final = ("names", "omw-1.4", "punkt", "stopwords", "wordnet")
"""The nltk data in the image."""

IMPORTABLE: Final = frozenset(name for image in IMAGES.values() for name in image)

_SIDE_EFFECTS: Final = frozenset(
    {
        *("__main__", "antigravity", "this", "idlelib", "turtle", "turtledemo", "tkinter", "test"),
        *("lib2to3", "pty", "readline", "rlcompleter", "sitecustomize", "usercustomize"),
    }
)


def preloads(source: str) -> tuple[str, ...]:
    """The modules of a source that a warm interpreter may import before it sees any code.

    Only the standard library and the packages of the hosted images: what else a source imports
    could be code that nobody has vouched for, and runs inside the sandbox.

    Example:
        >>> preloads("import mine, json; from sklearn.metrics import f1_score")
        ('json', 'sklearn.metrics')
    """
    allowed = (IMPORTABLE | sys.stdlib_module_names) - _SIDE_EFFECTS
    modules = imported_modules(source)
    return tuple(sorted(m for m in modules if m.partition(".")[0] in allowed))


def image_folder(tag: str) -> Path:
    """Where the environment of an image stands, built or not."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data, "local-graders", "images", tag)


def image_python(tag: str) -> Path | None:
    """The interpreter of a built image; None where the tag is unknown or not built."""
    python = image_folder(tag) / "bin" / "python"
    return python if tag in IMAGES and python.exists() else None


def imported_modules(source: str) -> Mapping[str, int]:
    """Every module that a source imports anywhere, with its first line.

    Example:
        >>> imported_modules("import numpy as np, json")
        {'numpy': 1, 'json': 1}
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}  # said where it is compiled
    modules: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                modules.setdefault(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.setdefault(node.module, node.lineno)
    return modules
