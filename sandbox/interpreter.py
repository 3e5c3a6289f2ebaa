"""The interpreter that runs sandboxed code: what it may read, and how it is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_PACKAGE: Final = str(Path(__file__).parent)
_SYSTEM: Final = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
)

# -P -s with an environment of ours is what -I does, but for PYTHONHASHSEED, which -I ignores.
FLAGS: Final = ("-P", "-s", "-B", "-X", "utf8")
ENVIRONMENT: Final[Mapping[str, str]] = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108 - the row's own
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    # Threads do not survive a fork, and a pool of them that half does is a deadlock.
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
}

# The package is loaded from its own folder, whatever this interpreter has installed.
_BOOT: Final = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location(
    "sandbox", {init!r}, submodule_search_locations=[{folder!r}])
sys.modules["sandbox"] = package = importlib.util.module_from_spec(spec)
spec.loader.exec_module(package)
"""

_LOOK: Final = """
import json, sys, sysconfig
paths = sysconfig.get_paths()
libraries = [paths[k] for k in ("stdlib", "platstdlib", "purelib", "platlib")]
prefixes = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
print(json.dumps([sys.version_info[:2], libraries, prefixes]))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python to run code in.

    Attributes:
        path: Its executable.
        readable: Folders that code may read: the standard library, installed packages, and
            the folders of NLTK_DATA where the host has that set.
        nltk_data: The latter.
        hash_seed: What decides the order of sets of texts, from 0 to 2**32 - 1.
    """

    path: str
    readable: tuple[str, ...]
    nltk_data: tuple[str, ...] = ()
    hash_seed: int = 0

    def __post_init__(self) -> None:
        check_hash_seed(self.hash_seed)

    @property
    def environment(self) -> dict[str, str]:
        """All that code finds in its environment."""
        data = {"NLTK_DATA": os.pathsep.join(self.nltk_data)} if self.nltk_data else {}
        return {**ENVIRONMENT, **data, "PYTHONHASHSEED": str(self.hash_seed)}

    def start(self, code: str, *arguments: str) -> list[str]:
        """The command line that runs code of ours in it."""
        return [self.path, *FLAGS, "-c", boot() + code, *arguments]


def check_hash_seed(seed: int) -> None:
    """Refuse what Python does not take.

    Raises:
        ValueError: It is less than 0, or more than 2**32 - 1.
    """
    if not 0 <= seed < 1 << 32:
        raise ValueError(f"hash_seed is from 0 to 4294967295, got {seed}")


def boot() -> str:
    """Code that makes `import sandbox` mean this package, in any interpreter."""
    return _BOOT.format(init=f"{_PACKAGE}/__init__.py", folder=_PACKAGE)


@cache
def interpreter(path: str | None = None) -> Interpreter:
    """Look at an interpreter once.

    Args:
        path: Its executable; by default the one that runs this.

    Raises:
        OSError: It does not start, or is older than 3.11.
    """
    path = path or sys.executable
    done = subprocess.run(
        [path, "-s", "-c", _LOOK], env=dict(ENVIRONMENT), capture_output=True, check=False
    )
    if done.returncode:
        raise OSError(f"{path} does not run: {done.stderr.decode('utf-8', 'replace')[-300:]}")
    version, libraries, prefixes = json.loads(done.stdout)
    if tuple(version) < (3, 11):
        raise OSError(
            f"{path} is Python {version[0]}.{version[1]}; the sandbox needs 3.11 or newer"
        )
    folders = [*libraries, *(f"{p}/{lib}" for p in prefixes for lib in ("lib", "lib64"))]
    folders += [os.path.realpath(folder) for folder in folders]
    data = os.environ.get("NLTK_DATA", "").split(os.pathsep)
    corpora = tuple(os.path.realpath(folder) for folder in data if os.path.isdir(folder))
    return Interpreter(path, _outermost([*_SYSTEM, _PACKAGE, *folders, *corpora]), corpora)


def _outermost(paths: Sequence[str]) -> tuple[str, ...]:
    """The paths that exist, without those that lie in another of them; links come first."""
    there = sorted({path for path in paths if os.path.exists(path)}, key=len)
    kept: list[str] = []
    for path in there:
        if not any(path.startswith(f"{other}/") for other in kept):
            kept.append(path)
    return tuple(kept)
