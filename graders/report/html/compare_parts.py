"""The parts of a comparison's page: each takes what was compared and gives a section's content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from graders.markup import Child, Markup, cut, el, many
from graders.report.compared import Compared, Failing, failing
from graders.report.html.chart_tables import Contestant, bars, forest
from graders.report.html.numbers import in_short, said
from graders.report.html.page import lines_left_out
from graders.report.html.people_part import beside_people, points_said
from graders.report.html.points import pareto
from graders.report.html.table import table
from graders.report.text import count
from graders.studies.choice.caveats import NAMES, flat_share
from graders.studies.choice.compare import Comparison, Standing
from graders.studies.choice.pareto import pareto as pareto_of
from graders.studies.shapes import spread
from graders.studies.statistics.resampled import MEASURES, Measure
from graders.studies.verdict import percent, percent_within

MOST_DRAWN: Final = 20
"""Contestants whose scores are drawn beside what people said."""
_LONGEST: Final = 4_000
_LONGEST_NAME: Final = 60


def name_of(one: Standing) -> str:
    """A name that may be that of a file."""
    return cut(one.name, _LONGEST_NAME)


def agreement(found: Comparison) -> Iterator[Markup]:
    """The measure that decides, and the others for who opens them."""
    yield _forest(found, found.by)
    yield _behind(found)
    resamples = f"Intervals and Holm's test: {found.resamples:,} paired resamples of items"
    yield el("p", f"{resamples}, seed {found.seed}; the best was picked on the same rows. "
             "Williams' test takes rows as independent.", class_="soft small")  # fmt: skip
    for measure in MEASURES:
        if measure != found.by:
            title = f"{NAMES[measure]}, with intervals"
            yield el("details", el("summary", title), _forest(found, measure))


def _forest(found: Comparison, measure: Measure) -> Markup:
    ordered = sorted(found.standings, key=lambda one: -_value(one, measure))
    drawn = [
        Contestant(name=name_of(one), value=one.of(measure), interval=one.intervals[measure])
        for one in ordered
    ]
    return forest(f"Agreement with people by {NAMES[measure]}, with 95 % intervals", drawn)


def _value(one: Standing, measure: Measure) -> float:
    value = one.of(measure).value
    return float("-inf") if value is None else value


def _behind(found: Comparison) -> Markup:
    tested = any(found.by in one.williams for one in found.standings)
    lines: list[list[Child]] = []
    for one in found.standings:
        behind, test = one.behind.get(found.by), one.williams.get(found.by)
        cells = ["best", "", ""]
        if behind is not None:
            holm = "" if behind.p_holm is None else f"{behind.p_holm:.3f}"
            cells = [in_short(behind.value, behind.interval), holm, f"{test.p:.3f}" if test else ""]
        lines.append([name_of(one), in_short(one.of(found.by), one.intervals[found.by]),
                      *cells[: 3 if tested else 2]])  # fmt: skip
    head = ["", NAMES[found.by], "Behind the best", "Holm's p", "Williams' p"]
    head = head[: 5 if tested else 4]
    caption = f"By {NAMES[found.by]}"
    return table(head, lines, caption=caption, numbers=range(1, len(head)))


def measures(found: Comparison) -> Iterator[Markup]:
    """Every measure, and the best threshold."""
    lines = [
        [
            name_of(one),
            *(in_short(one.of(measure)) for measure in MEASURES),
            in_short(one.agreement.threshold, one.threshold_interval),
            "all pass" if one.passes_all else "",
        ]
        for one in found.standings
    ]
    head = ["", *(NAMES[measure] for measure in MEASURES), "at threshold", ""]
    caption = "All measures; F1 is measured where it was tuned"
    yield table(head, lines, caption=caption, numbers=range(1, len(head) - 1))


def offers(compared: Compared) -> Iterator[Markup]:
    """Cost and hackability, and who is not beaten on everything."""
    found, offered = compared.found, compared.offers
    points = [
        (name_of(one), offered.costs[one.name], value)
        for one in found.standings
        if (value := one.of(found.by).value) is not None and one.name in offered.costs
    ]
    if len(points) > 1:
        axes = ("CPU-seconds for 1,000 rows", NAMES[found.by])
        yield pareto("Worth its cost", points, axes)
    weak = [(one, offered.weaknesses.get(one.name)) for one in found.standings]
    drawn = [
        (name_of(one), weakness.share, percent_within(weakness.share, weakness.interval))
        for one, weakness in weak
        if weakness is not None
    ]
    if drawn:
        yield bars("Share of attacked rows on which some attack wins", drawn, most=1.0)
    efficient = pareto_of(offered.points(found))
    lines: list[list[Child]] = []
    for one, weakness in weak:
        cost, tokens = offered.costs.get(one.name), compared.columns[one.name].tokens
        took = f"{tokens:,.0f} tokens" if tokens else "none" if cost is None else f"{cost:.2g}"
        attacked = ["not attacked", "", ""]
        if weakness is not None:
            attacked = [f"{weakness.rows:,}", percent(weakness.share), weakness.attack]
        mark = "yes" if one.name in efficient else ""
        lines.append([name_of(one), took, *attacked, mark])
    head = ["", "CPU-seconds for 1,000 rows", "Rows attacked", "Cheated on", "Most by", "Pareto"]
    caption = "Pareto: no other that is in it is as good in agreement, cost and hackability "
    caption += "together; what is dead as a reward is not in it"
    yield table(head, lines, caption=caption, numbers=[1, 2, 3])


def warnings(found: Comparison) -> Iterator[Markup]:
    """What makes a bad reward of a good metric."""
    lines: list[list[Child]] = []
    for one in found.standings:
        flat, length = flat_share(one), one.length
        signal = one.signal
        within = "none" if flat is None else percent_within(flat, signal.zero_variance_interval)
        others = (signal.effective_batch, length.with_length, length.beyond_labels)
        shown = map(in_short, (*others, length.longer_wins))
        lines.append([name_of(one), within, *shown])
    head = ["", "No gradient", "Effective batch", "With length", "Labels held", "Longer wins"]
    caption = "No gradient: items whose samples all have one score. Length: Spearman's rho in "
    caption += "characters, and the share of pairs that the longer one wins."
    yield table(head, lines, caption=caption, numbers=range(1, 6))


def against_people(compared: Compared, places: Sequence[int]) -> Iterator[Markup]:
    """Scores beside labels, of one contestant after the other.

    Args:
        compared: The comparison.
        places: Which of the rows are drawn as points.
    """
    found, labels = compared.found, compared.rows.labels
    human = [labels[i] for i in found.kept]
    good = [label >= found.labels.good_from for label in human]
    drawn, rows = found.standings[:MOST_DRAWN], len(found.kept)
    yield points_said(len(places), rows, "rows", found.seed)
    for i, one in enumerate(drawn):
        points = [(float(one.scores[at]), human[at]) for at in places]
        titles = f"{name_of(one)} and people", f"Rows by score of {name_of(one)}"
        shape = spread(one.scores, good)
        both = beside_people(titles, points, shape, x="score", seed=found.seed)
        title = f"{name_of(one)}: {NAMES[found.by]} {said(one.of(found.by))}"
        yield el("details", el("summary", title), both, open=not i)
    if left := len(found.standings) - len(drawn):
        yield el("p", f"{left:,} more are in the data alone.", class_="soft small")


def left_out(compared: Compared) -> Iterator[Markup]:
    """Rows that are not compared, and whose failures they are."""
    for what, tally in compared.rows.left_out.items():
        yield el("h3", f"{count(tally.count, 'row')} without {what}")
        yield el("pre", cut(tally.first, _LONGEST), tabindex="0")
    for one in failing(compared):
        yield from _failing(one)
    if bad := compared.rows.bad_lines:
        yield el("h3", f"{count(len(bad), 'line')} left out: no rows")
        yield lines_left_out(bad, len(bad))


def _failing(one: Failing) -> Iterator[Markup]:
    alone = f"on {one.alone:,} it alone"
    name = cut(one.name, _LONGEST_NAME)
    yield el("h3", f"{name}: {count(one.failed, 'row')} ({percent(one.share)}), {alone}")
    for kind, tally in one.kinds.items():
        yield el("p", f"{tally.count:,} {kind}, the first:", class_="soft small")
        yield el("pre", cut(tally.first, _LONGEST), tabindex="0")


def is_left_out(compared: Compared) -> bool:
    """Whether anything is."""
    rows = compared.rows
    return bool(rows.left_out or rows.bad_lines or [*failing(compared)])


def whole(parts: Iterator[Markup]) -> Markup:
    """What a section holds."""
    return many([*parts])
