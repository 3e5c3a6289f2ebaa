"""What python graders may import: the packages of the hosted images, and what to load ahead."""

from __future__ import annotations

import ast
import sys
import warnings
from typing import Final

IMPORTABLE: Final = frozenset(
    {
        *("numpy", "scipy", "sympy", "pandas", "rapidfuzz", "sklearn", "rouge_score", "deepdiff"),
        *("jsonschema", "pydantic", "yaml", "nltk", "sqlparse", "rdkit", "skbio", "ast_grep_py"),
    }
)
"""Import names of the packages in the hosted image 2025-05-08."""

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
    return tuple(sorted({m for m in _imports(source) if m.partition(".")[0] in allowed}))


def _imports(source: str) -> set[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()  # said where it is compiled
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.add(node.module)
    return modules
