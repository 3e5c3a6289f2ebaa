"""What the graders of a test session use: one sandbox, and the configs that tests name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from graders.compile import Tools, compile_grader
from graders.config.graders import PythonConfig, walk
from graders.config.parse import ConfigSource, Document, read_config
from graders.engine import run_sync
from graders.grades import Grader
from graders.images import preloads
from graders.profile import Profile, find_profile
from graders.testing.cases import Cases
from graders.testing.check import Checked, check_case
from graders.testing.coverage import Covering, to_lines
from graders.testing.judging import CaseJudge, judge_of
from graders.testing.located import refused
from sandbox import Sandbox
from sandbox.doctor import IsolationError
from sandbox.opening import open_sandbox
from sandbox.pool import Pool
from sandbox.unsafe import Processes


class SessionSandbox:
    """The sandbox of a session, opened when something first needs it.

    It belongs to no event loop, so that each test may run one of its own. What code finds there is
    always the same, unless a law wants another hash seed, or calls that share a process.

    Args:
        level: How much isolation there must be.
        covering: Whether to note what runs of python graders.
        hash_seed: PYTHONHASHSEED of the code.
        batch: Calls that share a process.
    """

    def __init__(
        self, level: str, *, covering: bool = False, hash_seed: int = 0, batch: int = 1
    ) -> None:
        self._level, self._covers = level, covering
        self._hash_seed, self._batch = hash_seed, batch
        self._preload: dict[str, Sequence[str]] = {}
        self._names: dict[str, str] = {}

    @cached_property
    def _covering(self) -> Covering:
        return Covering(self.opened)

    @cached_property
    def opened(self) -> Pool | Processes:
        """The sandbox.

        Raises:
            IsolationError: The machine cannot isolate.
        """
        try:
            return open_sandbox(
                self._level,
                preload=self._preload,
                hash_seed=self._hash_seed,
                batch=self._batch,
            )
        except IsolationError as error:
            hint = "To pytest that is graders_sandbox = unsafe, among its settings."
            raise IsolationError(f"{error}\n{hint}") from None

    def warmed(self, parts: Sequence[PythonConfig]) -> Sandbox:
        """The sandbox, told what to import once for these graders."""
        self._preload |= {part.source: preloads(part.source) for part in parts}
        self._names |= {part.source: part.name for part in parts}
        return self._covering if self._covers else self.opened

    def coverage(self) -> Iterator[str]:
        """What ran of each python grader so far, for people."""
        for source, name in self._names.items():
            yield from to_lines(self._covering.coverage(source), name)

    def close(self) -> None:
        """End every process, if there are any."""
        if "opened" in self.__dict__:
            self.opened.close()


def compiled(document: Document, profile: Profile, judge: CaseJudge, box: SessionSandbox) -> Grader:
    """A grader that uses the session's sandbox, if it runs code, and asks a test's judge.

    Raises:
        ConfigError: It does not compile.
        IsolationError: The machine cannot isolate.
    """
    parts = [part for _, part in walk(document.grader) if isinstance(part, PythonConfig)]
    sandbox = box.warmed(parts) if parts else None
    tools = Tools(sandbox=sandbox, client=judge, endpoint=judge)
    return compile_grader(document, tools=tools, profile=profile)


def run_case(cases: Cases, index: int, box: SessionSandbox) -> Checked:
    """Grade a case and compare.

    Args:
        cases: The file that it stands in.
        index: Its place there, from 0.
        box: Where python graders run.

    Raises:
        ConfigError: The grader does not compile.
        IsolationError: The machine cannot isolate.
    """
    case = cases.file.cases[index]
    grader = compiled(cases.document, cases.profile, judge_of(case, cases.recorded), box)
    return run_sync(lambda: check_case(grader, case))


def read_marked(
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    given: ConfigSource | None,
    folder: Path,
    test: str,
) -> tuple[Document, Profile]:
    """The config that a test is about, and its settings.

    Args:
        args: Of the test's marker: a config, or its path.
        kwargs: Of the marker: a profile's name, and settings that override it.
        given: A config in place of the marker's.
        folder: What paths begin at.
        test: The test's name.

    Raises:
        ConfigError: The config is wrong, or there is none.
        OSError: It cannot be read.
    """
    sources = [given] if given is not None else args
    if len(sources) != 1 or kwargs.keys() - {"profile", "set"}:
        message = 'which grader? @pytest.mark.grader("grader.json") says so, and may say profile="'
        message += 'azure" and set={"rouge": "pltrdy"}; or grade(sample, item, config)'
        raise refused(test, "no-grader", message)
    source = sources[0]
    if isinstance(source, (str, os.PathLike)):
        source = folder / source
    profile = find_profile(kwargs.get("profile") or "openai")
    return read_config(source), profile.override(kwargs.get("set") or {})
