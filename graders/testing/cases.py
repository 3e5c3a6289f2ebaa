"""Reading case files: what is wrong with one is said with its line, before anything is graded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from graders.checks import check_document
from graders.clients.replay import Replay
from graders.config.explain import explain, shown
from graders.config.parse import Document, load_config, parse_config
from graders.errors import ConfigError, Finding, findings_of, near_miss
from graders.lint.locate import to_location
from graders.profile import Profile, find_profile
from graders.testing import SUFFIXES
from graders.testing.case_file import Case, CaseFile, Expect, Part, Recorded
from graders.testing.laws.declared import Law, parse_laws
from graders.testing.located import Located, read_located, refused

__all__ = ["Case", "CaseFile", "Cases", "Expect", "case_name", "read_cases"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """A case file that was read, with the grader it is about.

    Attributes:
        path: Where it is.
        file: What it holds.
        document: The grader's config, of which nothing is wrong that can be known without a row.
        laws: What must hold for all of them.
        profile: Settings that decide numbers.
        lines: The line of each case, from 1.
        located: Where everything in it stands.
        recorded: Answers of judges that were recorded for it.
    """

    path: Path
    file: CaseFile
    document: Document
    laws: tuple[Law, ...]
    profile: Profile
    lines: tuple[int, ...]
    located: Located
    recorded: Replay | None

    def name(self, index: int) -> str:
        """What a case is called: its name, or its number from 1."""
        return case_name(self.file, index)


def case_name(file: CaseFile, index: int) -> str:
    """What the case at an index is called."""
    return file.cases[index].name or f"case-{index + 1}"


def read_cases(path: Path) -> Cases:
    """Read a case file, and the config of its grader.

    Raises:
        ConfigError: Something in it is wrong; each problem has its line: `grade.cases.json:7`.
        RecordingError: What was recorded for it is no recording.
        OSError: A file cannot be read.
    """
    located = read_located(path)
    try:
        file = CaseFile.model_validate(located.value)
    except ValidationError as error:
        raise ConfigError(*(_placed(one, located) for one in _explained(error))) from None
    if twice := [*_named_twice(file)]:
        raise ConfigError(*(_placed(one, located) for one in twice))
    with _below("", located):
        profile, laws = find_profile(file.profile), parse_laws(file.laws)
    with _below("set", located):
        profile = profile.override(file.settings)
    return Cases(
        path=path,
        file=file,
        document=_document(file.grader, located, profile),
        laws=laws,
        profile=profile,
        lines=tuple(located.line(("cases", i)) for i in range(len(file.cases))),
        located=located,
        recorded=Replay(path.parent / file.judge.replay) if file.judge else None,
    )


def _explained(error: ValidationError) -> Iterator[Finding]:
    """What pydantic found wrong; of a key that nobody reads, which was meant."""
    for finding in explain(error, {}):
        if finding.code != "unknown-key":
            yield finding
            continue
        *above, key = to_location(finding.path)[0]
        fields = _part_at(above).model_fields
        known = [info.alias or name for name, info in fields.items() if name != "editors"]
        hint = near_miss(str(key), known) or f"Keys are {', '.join(known)}."
        yield replace(finding, fix=hint)


def _part_at(above: list[str | int]) -> type[Part]:
    match above:
        case []:
            return CaseFile
        case ["judge"]:
            return Recorded
        case ["cases", _]:
            return Case
    return Expect


def _named_twice(file: CaseFile) -> Iterator[Finding]:
    """An error for each case that is called as one before it."""
    first: dict[str, int] = {}
    for i in range(len(file.cases)):
        name = case_name(file, i)
        if first.setdefault(name, i) != i:
            message = f"case {first[name] + 1} is called {name!r} too"
            path = f"cases[{i}].name"
            yield Finding(code="name-twice", severity="error", path=path, message=message)


def _placed(finding: Finding, located: Located) -> Finding:
    """A finding with its line before its path: `grade.cases.json:7: cases[1].expect`."""
    location, _ = to_location(finding.path)
    place = f"{located.path}:{located.line(location)}"
    return replace(finding, path=f"{place}: {finding.path}" if finding.path else place)


@contextmanager
def _below(key: str, located: Located) -> Iterator[None]:
    """Errors about what stands under a key of the file, with their lines."""
    try:
        yield
    except ConfigError as error:
        paths = [".".join(filter(None, (key, finding.path))) for finding in error.findings]
        found = [replace(one, path=path) for one, path in zip(error.findings, paths, strict=True)]
        raise ConfigError(*(_placed(one, located) for one in found)) from None


def _document(given: object, located: Located, profile: Profile) -> Document:
    """The config that a case file is about, in it or beside it.

    Raises:
        ConfigError: There is none, or it is wrong.
    """
    if isinstance(given, dict):
        with _below("grader", located):
            return _sound(parse_config(given), profile)
    if given is not None and not isinstance(given, str):
        place = f"{located.path}:{located.line(('grader',))}"
        raise refused(place, "wrong-type", f"grader: {shown(given)} is neither a path nor a config")
    path = located.path.parent / given if given else _beside(located.path)
    try:
        return _sound(load_config(path), profile)
    except OSError as error:
        place = f"{located.path}:{located.line(('grader',))}"
        message = f"grader: {path} cannot be read: {error.strerror}"
        raise refused(place, "unreadable", message) from None
    except ConfigError as error:
        raise ConfigError(*(_in_file(one, str(path)) for one in error.findings)) from None


def _sound(document: Document, profile: Profile) -> Document:
    """A config of which nothing is wrong that can be known without a row.

    Raises:
        ConfigError: Something is, or it has no grader.
    """
    if errors := findings_of("error", check_document(document, profile)):
        raise ConfigError(*errors)
    return document


def _in_file(finding: Finding, path: str) -> Finding:
    if finding.path.startswith(path):  # it says where it is not JSON
        return finding
    return replace(finding, path=f"{path}: {finding.path}" if finding.path else path)


def _beside(path: Path) -> Path:
    """The file of the same name that is a grader.

    Raises:
        ConfigError: There is none.
    """
    stem = next(path.name.removesuffix(end) for end in SUFFIXES if path.name.endswith(end))
    beside = [path.with_name(f"{stem}.{kind}") for kind in ("py", "json")]
    for one in beside:
        if one.is_file():
            return one
    names = " nor ".join(one.name for one in beside)
    raise refused(path, "missing", f"names no grader, and neither {names} stands beside it")
