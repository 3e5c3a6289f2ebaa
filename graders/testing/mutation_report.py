"""What became of a grader's mutants, for people and as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graders.config.graders import Location
from graders.terminal import printable, printable_lines
from graders.testing import coverage
from graders.testing.coverage import Coverage
from graders.testing.mutate import Fate, Judged
from sandbox import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class MutationReport:
    """What became of a grader's mutants.

    Attributes:
        name: What the grader is called: its file.
        judged: The mutants that were judged, in order.
        drawn_from: How many changes there are, of which `--limit` drew some.
        coverage: What the cases run of each source, by where it stands in the config.
        not_reached: How many mutants were not judged, because this was stopped.
    """

    name: str
    judged: Sequence[Judged]
    drawn_from: int
    coverage: Mapping[str, Coverage | None]
    not_reached: int = 0

    @property
    def survivors(self) -> list[Judged]:
        """Those that no case notices."""
        return [one for one in self.judged if one.survived]

    @property
    def score(self) -> float:
        """The share that is noticed; 1.0 of none."""
        return 1 - len(self.survivors) / len(self.judged) if self.judged else 1.0


def place_of(name: str, location: Location, field: str = "") -> str:
    """What a text or a config is called: its file, and where it stands in it.

    Example:
        >>> place_of("grader.json", ("graders", "exact"), "source")
        'grader.json:graders.exact.source'
        >>> place_of("grade.py", (), "source")
        'grade.py'
    """
    inside = ".".join(str(step) for step in (*location, field) if step != "")
    return name if not inside or name.endswith(".py") else f"{name}:{inside}"


def to_lines(report: MutationReport) -> Iterator[str]:
    """The report for people: the score, the coverage, and each survivor with its change."""
    fates = Counter(one.fate for one in report.judged)
    count = len(report.judged)
    late = fates[Fate.TIMED_OUT]
    noticed = fates[Fate.NOTICED] + late
    yield (
        f"{printable(report.name)}: mutation score {100 * report.score:.0f}%, "
        f"{noticed} of {count} mutants noticed"
        + (f" ({late} of them by running out of time)" if late else "")
    )
    if report.not_reached:
        yield f"  stopped before {report.not_reached} more"
    if report.drawn_from > count:
        yield f"  drawn from {report.drawn_from} changes, those that mean nothing included"
    for place, covered in report.coverage.items():
        yield from (f"  {line}" for line in coverage.to_lines(covered, printable(place)))
    for number, one in enumerate(report.survivors, start=1):
        yield ""
        yield from _survivor(report, one, number)


def _survivor(report: MutationReport, one: Judged, number: int) -> Iterator[str]:
    mutant = one.mutant
    place = place_of(report.name, mutant.location, mutant.field)
    at = f"{place}:{mutant.line_number}" if mutant.field else place
    yield printable(f"survivor {number}: {at}: {mutant.mutator}: {mutant.says}")
    yield from printable_lines(mutant.diff(place)).split("\n")
    if one.fate is Fate.NOT_COVERED:
        yield f"  No case runs line {mutant.line}; add one that does."
    else:
        yield f"  No case notices. Add {mutant.notice}."


def to_json(report: MutationReport) -> JSON:
    """The report as data; the same for the same grader, cases, limit and seed."""
    fates = Counter(one.fate for one in report.judged)
    return {
        "schema": 1,
        "grader": report.name,
        "score": round(report.score, 6),
        "mutants": len(report.judged),
        "drawn_from": report.drawn_from,
        "not_reached": report.not_reached,
        **{fate.value: fates[fate] for fate in Fate},
        "coverage": {
            place: None if one is None else coverage.to_json(one)
            for place, one in report.coverage.items()
        },
        "judged": [_as_json(report, one) for one in report.judged],
    }


def _as_json(report: MutationReport, one: Judged) -> JSON:
    mutant = one.mutant
    place = place_of(report.name, mutant.location, mutant.field)
    said: dict[str, JSON] = {
        "place": place,
        "line": mutant.line_number if mutant.field else None,
        "mutator": mutant.mutator,
        "before": mutant.old,
        "after": mutant.new,
        "fate": one.fate.value,
    }
    if one.survived:
        return {**said, "notice": mutant.notice, "diff": mutant.diff(place)}
    return {**said, "case": one.case, "problem": one.problem}
