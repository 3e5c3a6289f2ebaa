"""What python graders may import: the packages of the hosted images, and what to load ahead."""

from __future__ import annotations

import ast
import json
import os
import platform
import subprocess
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
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

AS_SOURCE: Final = ("rouge-score",)
"""Those that are published without a wheel and are pure Python, so that pip alone builds them."""

UNDOCUMENTED: Final = frozenset({"alpha"})
"""Tags that exist, and of whose packages nothing is known."""

CORPORA: Final[Mapping[str, str]] = {
    "names": "corpora",
    "omw-1.4": "corpora",
    "punkt": "tokenizers",
    "stopwords": "corpora",
    "wordnet": "corpora",
}
"""The nltk data in the image, each with the folder of nltk_data where it lies."""

NOTE: Final = "image.json"
"""The file that an environment has once it is built; written last."""

IMPORTABLE: Final = frozenset(name for image in IMAGES.values() for name in image)

_SIDE_EFFECTS: Final = frozenset(
    {
        *("__main__", "antigravity", "this", "idlelib", "turtle", "turtledemo", "tkinter"),
        *("lib2to3", "pty", "readline", "rlcompleter", "sitecustomize", "usercustomize"),
        *("test", "tests", "conftest"),
    }
)
"""Names, anywhere in a dotted one, of modules that do things when they are imported."""

# Runs in another interpreter. What comes first on its path is what it would import.
_LOOK: Final = """
import json, platform, re, sys
from importlib.metadata import distributions
found = [d for d in distributions() if d.name]
versions = {re.sub("[-_.]+", "-", d.name).lower(): d.version for d in reversed(found)}
print(json.dumps([platform.python_version(), sys.prefix, versions]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What an interpreter has to import and to read.

    Attributes:
        python: Its version, `3.11.7`.
        prefix: Its `sys.prefix`; for a built image, the image's folder.
        versions: Of each distribution, by its normalised name.
        data: For each of the nltk data of the image that is here, the folder that has it.
        shown: The nltk folders that a sandbox shows; the others only the host sees.
    """

    python: str
    prefix: Path
    versions: Mapping[str, str]
    data: Mapping[str, Path]
    shown: frozenset[Path]


def look(python: str | None = None) -> Environment:
    """The packages of an interpreter, and the nltk data that a grader would find in it.

    Args:
        python: Its executable, asked once; by default the one that runs this.

    Raises:
        OSError: It does not run.
    """
    found, prefix, versions = _ask(python) if python else _ask_this()
    shown, hidden = _nltk_folders(Path(prefix))
    data: dict[str, Path] = {}
    for folder in (*shown, *hidden):
        for name, kind in CORPORA.items():
            if (folder / kind / name).exists() or (folder / kind / f"{name}.zip").exists():
                data.setdefault(name, folder)
    return Environment(
        python=found, prefix=Path(prefix), versions=versions, data=data, shown=frozenset(shown)
    )


def look_command(python: str) -> list[str]:
    """What to run to have an interpreter print its version, its prefix and what it has."""
    return [python, "-I", "-X", "utf8", "-c", _LOOK]


def read_look(printed: str) -> tuple[str, str, dict[str, str]]:
    """What `look_command` printed; a `sitecustomize` may have printed before it."""
    python, prefix, versions = json.loads(printed.splitlines()[-1])
    return python, prefix, versions


@cache
def _ask(python: str) -> tuple[str, str, dict[str, str]]:
    done = subprocess.run(  # noqa: S603 - the user's choice, and the code is ours
        look_command(python), capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode:
        raise OSError(f"{python} does not run: {done.stderr[-300:]}")
    return read_look(done.stdout)


def _ask_this() -> tuple[str, str, dict[str, str]]:
    versions = {}
    for name in {name for image in IMAGES.values() for name, _ in image.values()}:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return platform.python_version(), sys.prefix, versions


def _nltk_folders(prefix: Path) -> tuple[list[Path], list[Path]]:
    """Where nltk looks: the folders that a sandbox shows, and those it does not.

    It shows those that NLTK_DATA names, and whatever lies below a `lib`.
    """
    named = filter(None, os.environ.get("NLTK_DATA", "").split(os.pathsep))
    roots = [prefix, Path("/usr"), Path("/usr/local")]
    shown = [*map(Path, named), *(root / "lib" / "nltk_data" for root in roots)]
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - which never raises
    hidden = [home / "nltk_data", prefix / "nltk_data"]
    return shown, hidden + [root / "share" / "nltk_data" for root in roots]


def preloads(source: str) -> tuple[str, ...]:
    """The modules of a source that a warm interpreter may import before it sees any code.

    Only the standard library and the packages of the hosted images: what else a source imports
    could be code that nobody has vouched for, and runs inside the sandbox.

    Example:
        >>> preloads("import mine, json; from sklearn.metrics import f1_score")
        ('json', 'sklearn.metrics')
    """
    tree = parse(source)
    modules = {name for node in ast.walk(tree) for name in imported(node)} if tree else set()
    return tuple(sorted(filter(_is_vouched_for, modules)))


def _is_vouched_for(module: str) -> bool:
    parts = module.split(".")
    known = parts[0] in IMPORTABLE or parts[0] in sys.stdlib_module_names
    return known and _SIDE_EFFECTS.isdisjoint(parts)


def image_folder(tag: str) -> Path:
    """Where the environment of an image stands, built or not."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data, "local-graders", "images", tag)


def image_python(tag: str) -> Path | None:
    """The interpreter of a built image; None where the tag is unknown or not built to its end."""
    python = image_folder(tag) / "bin" / "python"
    built = tag in IMAGES and (image_folder(tag) / NOTE).exists() and python.exists()
    return python if built else None


def parse(source: str) -> ast.Module | None:
    """A source's tree; None where it does not parse, which is said where it is compiled."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in someone else's strings
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def imported(node: ast.AST) -> list[str]:
    """The modules that a node imports, if it is an import at all.

    Example:
        >>> imported(ast.parse("import numpy as np, os.path").body[0])
        ['numpy', 'os.path']
    """
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module), level=0):
            return [module]
    return []
