"""What people said: scores beside it, as points and as spreads, and how far a study's agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graders.markup import Markup, el
from graders.report.html.chart_tables import Contestant, forest
from graders.report.html.charts import histogram
from graders.report.html.points import Series, scatter
from graders.report.text import count
from graders.studies.choice.caveats import NAMES
from graders.studies.shapes import POINTS, Spread, drawn_places, spread
from graders.studies.statistics.resampled import MEASURES
from graders.studies.teach.humanwise import HumanStudy


def agreement(human: HumanStudy, seed: int) -> Iterator[Markup]:
    """How far rewards agree with people, in numbers and as charts.

    Args:
        human: What was found.
        seed: Decides which samples are points where there are many.
    """
    found, scores, labels = human.found, human.scores, human.labels
    measures = [
        Contestant(name=NAMES[one], value=getattr(found, one), interval=human.intervals.get(one))
        for one in MEASURES
    ]
    samples = f"{count(found.rows, 'sample')}, {found.good:,} of them good"
    yield forest(f"Agreement with people, over {samples} (from {human.good_from:g} on)", measures)
    drawn = [*drawn_places(len(scores), most=POINTS, seed=seed)]
    points = list(zip(scores[drawn].tolist(), labels[drawn].tolist(), strict=True))
    shape = spread(scores, labels >= human.good_from)
    titles = "Rewards and people", "Good and other samples by reward"
    yield points_said(len(points), len(scores), "samples", seed)
    yield beside_people(titles, points, shape, x="reward", seed=seed)


def beside_people(
    titles: tuple[str, str],
    points: Sequence[tuple[float, float]],
    shape: Spread,
    *,
    x: str,
    seed: int,
) -> Markup:
    """Both charts, side by side where there is room.

    Args:
        titles: Of the points, and of the spread.
        points: A score, and what a person said of the same row.
        shape: How scores are spread.
        x: What a score is called.
        seed: Decides where points that share a place are moved.
    """
    series = [Series(name=x, points=points)]
    ends = shape.edges[0], shape.edges[-1]
    kinds = {"good": shape.good, "not good": shape.bad}
    return el(
        "div",
        scatter(titles[0], series, (x, "what people said"), seed=seed),
        histogram(titles[1], ends, kinds, x=x),
        class_="pair",
    )


def points_said(drawn: int, rows: int, what: str, seed: int) -> Markup:
    """Which of the rows are points.

    Args:
        drawn: How many are.
        rows: Of how many.
        what: What they are called, in the plural.
        seed: Decided which.
    """
    shown = f"{drawn:,} of {rows:,} {what}, drawn with seed {seed}."
    moved = "Points that share a place are moved a little. "
    return el("p", moved, shown if drawn < rows else f"All {rows:,} {what}.", class_="soft small")
