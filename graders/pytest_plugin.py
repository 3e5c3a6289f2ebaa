"""The pytest plugin: case files are tests, and tests in Python have graders, a sandbox, a judge.

It is loaded in every run of pytest in its environment, so that nothing is imported here but what
pytest has already; the rest is, when the first case file or fixture asks for it.

    @pytest.mark.grader("grade.py")
    def test_longer_is_no_better(grade):
        item = {"answer": "4"}
        assert grade("4", item).score >= grade("4, that is four", item).score
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from graders.config.parse import ConfigSource, Document
    from graders.grades import Grade, Grader
    from graders.profile import Profile
    from graders.testing.cases import Cases
    from graders.testing.judging import CaseJudge
    from graders.testing.laws.declared import Law
    from graders.testing.tools import SessionSandbox
    from sandbox.pool import Pool
    from sandbox.unsafe import Processes

_LEVELS: Final = ("standard", "strict", "unsafe")
_BOX: Final = pytest.StashKey["SessionSandbox"]()
_LAW_BOXES: Final = pytest.StashKey[dict[tuple[int, int], "SessionSandbox"]]()
"""By hash seed, and by how many calls share a process."""
_GOLDENS: Final = pytest.StashKey[dict[Any, Any]]()
"""By file: what was read of it, and by case what would make it hold."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Two options, and one setting of a project."""
    group = parser.getgroup("graders", "tests of graders")
    group.addoption(
        "--cases-update",
        action="store_true",
        help="rewrite scores, ranges and failures that case files expect to what graders give now, "
        "and show the diff",
    )
    group.addoption(
        "--grader-coverage",
        action="store_true",
        help="show at the end which lines and branches of python graders never ran",
    )
    parser.addini(
        "graders_sandbox",
        "how isolated python graders run: standard, strict, or unsafe (with your own rights)",
        default="standard",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The marker; a setting or an option that makes no sense ends the run here."""
    line = "grader(config, profile=None, set=None): what the fixtures grader and grade use"
    config.addinivalue_line("markers", line)
    level = _level(config)
    if level not in _LEVELS:
        raise pytest.UsageError(f"graders_sandbox: {level!r} is not one of {', '.join(_LEVELS)}")
    several = hasattr(config, "workerinput") or config.getoption("numprocesses", None)
    for option in ("cases_update", "grader_coverage"):
        if config.getoption(option) and several:
            name = f"--{option.replace('_', '-')}"
            raise pytest.UsageError(f"{name} needs one process: leave -n out, or give -n 0")
    if config.getoption("cases_update"):
        _refuse_update()
        config.stash[_GOLDENS] = {}


def _level(config: pytest.Config) -> str:
    """How isolated python graders run."""
    return str(config.getini("graders_sandbox"))


def _refuse_update() -> None:
    """Goldens are rewritten where someone reads the diff.

    Raises:
        pytest.UsageError: Nobody does, here.
    """
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        raise pytest.UsageError(
            "--cases-update is for where someone reads the diff, and CI is set; unset it to go on"
        )


def pytest_report_header(config: pytest.Config) -> str | None:
    """A word where nothing isolates what runs."""
    if _level(config) == "unsafe":
        return "graders: graders_sandbox = unsafe, so that python graders run with your own rights"
    return None


# --- case files


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CaseFile | None:
    """Case files by the ends of their names."""
    if ".cases." not in file_path.name:
        return None
    from graders.testing import SUFFIXES

    if not file_path.name.endswith(SUFFIXES):
        return None
    file: CaseFile = CaseFile.from_parent(parent, path=file_path)
    return file


class CaseFile(pytest.File):
    """A case file, a test a case, and then a test a law."""

    def collect(self) -> Iterator[_FileItem]:
        from graders.errors import GradersError
        from graders.testing.cases import read_cases

        try:
            cases = read_cases(self.path)
        except (GradersError, OSError) as error:
            raise self.CollectError(_from_here(self.config, error)) from None
        for index in range(len(cases.file.cases)):
            yield CaseItem.from_parent(self, name=cases.name(index), cases=cases, index=index)
        for law in cases.laws:
            yield LawItem.from_parent(self, name=f"law:{law}", cases=cases, law=law)


class _FileItem(pytest.Item):
    """Something that a case file says, as a test."""

    def __init__(self, *, cases: Cases, line: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.cases, self.line = cases, line

    @property
    def place(self) -> str:
        """The file and line, from where pytest was started."""
        return f"{_from_here(self.config, self.path)}:{self.line}"

    def reportinfo(self) -> tuple[os.PathLike[str], int, str]:
        return self.path, self.line - 1, self.name

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is not as expected; a traceback only of what is our fault."""
        if not isinstance(excinfo.value, _FailedError):
            return super().repr_failure(excinfo, style)
        shown = excinfo.getrepr(style="value")
        if shown.reprcrash is not None:
            shown.reprcrash.message = excinfo.value.summary
            shown.reprcrash.path = str(self.path)
            shown.reprcrash.lineno = self.line
        return shown


class CaseItem(_FileItem):
    """A case, as a test."""

    def __init__(self, *, cases: Cases, index: int, **rest: Any) -> None:
        super().__init__(cases=cases, line=cases.lines[index], **rest)
        self.index = index

    def runtest(self) -> None:
        from graders.errors import ConfigError
        from graders.terminal import printable_lines
        from graders.testing.goldens import goldens_of
        from graders.testing.show import sentence, to_text
        from graders.testing.tools import run_case
        from sandbox.doctor import IsolationError

        cases, case = self.cases, self.cases.file.cases[self.index]
        try:
            checked = run_case(cases, self.index, _box(self.config))
        except (ConfigError, IsolationError) as error:
            raise _FailedError(sentence(str(error)), printable_lines(str(error))) from None
        for name, one in zip([*case.samples] or [""], checked.grades, strict=True):
            _record(self, one, name)
        if not checked.problems:
            return
        if (goldens := self.config.stash.get(_GOLDENS, None)) is not None:
            _, found = goldens.setdefault(self.path, (cases.located, {}))
            found[self.name] = [*goldens_of(cases, self.index, checked)]
        raise _FailedError(sentence(checked.problems[0]), to_text(case, checked, self.place))


class LawItem(_FileItem):
    """A law of a case file, as a test."""

    def __init__(self, *, cases: Cases, law: Law, **rest: Any) -> None:
        super().__init__(cases=cases, line=cases.located.line(law.location), **rest)
        self.law = law

    def runtest(self) -> None:
        from graders.errors import GradersError
        from graders.terminal import printable_lines
        from graders.testing.laws.bench import Bench
        from graders.testing.laws.check import check_law
        from graders.testing.laws.counterexample import to_text
        from graders.testing.show import sentence
        from graders.testing.tools import compiled
        from sandbox.doctor import IsolationError

        cases = self.cases

        def compiling(judge: CaseJudge, *, hash_seed: int = 0, batch: int = 1) -> Grader:
            box = _law_box(self.config, hash_seed, batch)
            return compiled(cases.document, cases.profile, judge, box)

        bench = Bench(cases, compiling)
        if (
            self.law.name == "row_independent"
            and bench.runs_code
            and _level(self.config) == "unsafe"
        ):
            pytest.skip(
                "graders_sandbox = unsafe: each call has a process, and no batch shares one"
            )
        try:
            broken = check_law(self.law, bench)
        except (GradersError, IsolationError) as error:
            raise _FailedError(sentence(str(error)), printable_lines(str(error))) from None
        if broken is not None:
            raise _FailedError(sentence(broken.said), f"{self.place}: {to_text(broken)}")


class _FailedError(Exception):
    """A case or law that does not hold, or cannot be graded: in a sentence, and at length."""

    def __init__(self, summary: str, text: str) -> None:
        from graders.testing.annotations import inert

        self.summary = inert(summary)
        super().__init__(inert(text))


# --- for tests in Python


@pytest.fixture(scope="session")
def sandbox(pytestconfig: pytest.Config) -> Pool | Processes:
    """Runs untrusted Python; one for the session, opened when something first needs it."""
    return _box(pytestconfig).opened


@pytest.fixture
def judge(request: pytest.FixtureRequest) -> CaseJudge:
    """The judge of this test's graders: `judge.answers(0.5)`, or `judge.replay("judge.jsonl")`."""
    from graders.testing.judging import CaseJudge

    return CaseJudge(folder=request.path.parent)


@pytest.fixture
def grader(request: pytest.FixtureRequest, judge: CaseJudge) -> Grader:
    """The grader that `@pytest.mark.grader("grader.json")` names, from the test file's folder."""
    from graders.errors import GradersError
    from graders.testing.tools import compiled
    from sandbox.doctor import IsolationError

    try:
        document, profile = _marked(request)
        return compiled(document, profile, judge, _box(request.config))
    except (GradersError, IsolationError, OSError) as error:
        problem = _from_here(request.config, error)
    pytest.fail(problem, pytrace=False)


@pytest.fixture
def grade(request: pytest.FixtureRequest, judge: CaseJudge) -> Callable[..., Grade]:
    """`grade(sample, item, config=None)`: the grade of one sample by the marked grader."""

    def graded(
        sample: str | dict[str, Any], item: dict[str, Any], config: ConfigSource | None = None
    ) -> Grade:
        __tracebackhide__ = True
        from graders.engine import as_row, run_sync
        from graders.errors import GradersError
        from graders.testing.annotations import inert
        from graders.testing.show import grading
        from graders.testing.tools import compiled
        from sandbox.doctor import IsolationError

        try:
            document, profile = _marked(request, config)
            compiling = compiled(document, profile, judge, _box(request.config))
        except (GradersError, IsolationError, OSError) as error:
            raise error.with_traceback(None) from None  # the test's line is what is wrong
        row = as_row({"item": item, "sample": sample}, 1)
        (one,) = run_sync(lambda: compiling.grade([row]))
        _record(request.node, one)
        request.node.add_report_section("call", "grading", inert("\n".join(grading(row, one))))
        return one

    return graded


def _marked(
    request: pytest.FixtureRequest, given: ConfigSource | None = None
) -> tuple[Document, Profile]:
    """The config of a test and its settings, from its marker or given.

    Raises:
        ConfigError: It is wrong, or there is none.
        OSError: It cannot be read.
    """
    from graders.testing.tools import read_marked

    marker = request.node.get_closest_marker("grader")
    marked = (marker.args, marker.kwargs) if marker else ((), {})
    return read_marked(*marked, given=given, folder=request.path.parent, test=request.node.name)


def _box(config: pytest.Config) -> SessionSandbox:
    """The sandbox of the session; not opened yet if nothing needed it."""
    from graders.testing.tools import SessionSandbox

    if _BOX not in config.stash:
        covering = config.getoption("grader_coverage")
        config.stash[_BOX] = SessionSandbox(_level(config), covering=covering)
        config.add_cleanup(config.stash[_BOX].close)
    return config.stash[_BOX]


def _law_box(config: pytest.Config, hash_seed: int, batch: int) -> SessionSandbox:
    """The same for laws, one for each way to run code; what runs there is no one's coverage."""
    from graders.testing.tools import SessionSandbox

    if (hash_seed, batch) == (0, 1) and not config.getoption("grader_coverage"):
        return _box(config)
    boxes = config.stash.setdefault(_LAW_BOXES, {})
    if (hash_seed, batch) not in boxes:
        box = SessionSandbox(_level(config), hash_seed=hash_seed, batch=batch)
        boxes[hash_seed, batch] = box
        config.add_cleanup(box.close)
    return boxes[hash_seed, batch]


def _record(item: pytest.Item, grade: Grade, sample: str = "") -> None:
    """Put a grade among the properties that reports carry."""
    from graders.terminal import printable

    end = f".{printable(sample)}" if sample else ""
    if grade.failure is not None:
        item.user_properties.append((f"failure{end}", str(grade.failure.kind)))
    else:
        item.user_properties.append((f"score{end}", grade.score))


# --- at the end


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """What was rewritten, what never ran, and what GitHub shows at its lines."""
    if goldens := config.stash.get(_GOLDENS, None):
        from graders.testing.goldens import update

        terminalreporter.section("cases update")
        for path, (file, by_case) in goldens.items():
            for line in update(file, by_case, _from_here(config, path)):
                terminalreporter.write_line(line)
    if config.getoption("grader_coverage") and (box := config.stash.get(_BOX, None)):
        terminalreporter.section("grader coverage")
        for line in box.coverage():
            terminalreporter.write_line(line)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from graders.testing.annotations import to_github

        reports = [*terminalreporter.getreports("failed"), *terminalreporter.getreports("error")]
        for line in to_github(reports, config.rootpath):
            terminalreporter.write_line(line)


def _from_here(config: pytest.Config, said: object) -> str:
    """A path or a message with paths from where pytest was started, fit for a terminal."""
    from graders.terminal import printable_lines

    if isinstance(said, OSError):
        said = f"{said.filename}: {said.strerror}"
    return printable_lines(str(said).replace(f"{config.invocation_params.dir}{os.sep}", ""))
