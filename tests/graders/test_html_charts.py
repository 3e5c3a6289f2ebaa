"""Charts put marks where the numbers are, and say what is not there."""

import re
from itertools import pairwise
from math import inf, nan
from sys import float_info

import pytest
from html_gallery import charts
from html_reading import Reader
from hypothesis import given
from hypothesis import strategies as st

from graders.report.html.axes import Scale
from graders.report.html.chart_tables import Contestant, bars, forest, heat, stacked
from graders.report.html.charts import histogram
from graders.report.html.points import Series, frontier, pareto, scatter
from graders.studies.statistics.statistic import Interval, Statistic

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
AXES = ("metric", "human")


@given(st.lists(NUMBERS, max_size=20))
def test_every_value_has_its_place_in_order(values):
    scale = Scale.around(values)
    shares = [scale.share(value) for value in sorted(values)]

    assert scale.low < scale.high
    assert all(0 <= share <= 1 for share in shares)
    assert shares == sorted(shares)


@given(NUMBERS, NUMBERS)
def test_ticks_are_in_the_range_in_order_and_few(one, other):
    scale = Scale.around([one, other])
    ticks = scale.ticks()
    room = max(abs(scale.low), abs(scale.high)) * 1e-9

    assert ticks == sorted(set(ticks))
    assert 1 <= len(ticks) <= 12
    assert all(scale.low - room <= tick <= scale.high + room for tick in ticks)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.5, 5.5, [1, 2, 3, 4, 5]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (0, 1234, [0, 500, 1000]),
        (0.71, 0.76, [0.71, 0.72, 0.73, 0.74, 0.75, 0.76]),
        (-float_info.max, float_info.max, [-float_info.max, float_info.max]),
    ],
)
def test_ticks_are_round(low, high, ticks):
    assert Scale(low, high).ticks() == pytest.approx(ticks)


def test_columns_are_as_high_as_their_counts():
    html = histogram("Rewards", (0.0, 1.0), [0, 5, 10, 1], x="reward").html
    heights = re.findall(r'<rect x="([\d.]+)%" width="[\d.]+%" y="[\d.]+" height="([\d.]+)"', html)

    assert heights == [("25.4", "100"), ("50.4", "200"), ("75.4", "20")]
    assert "0.25 to 0.5" in html
    assert "16 values from 0 to 1." in html


def test_a_histogram_as_wide_as_numbers_go_has_numbers():
    html = histogram("Rewards", (-float_info.max, float_info.max), [1, 2]).html

    assert "nan" not in html
    assert "inf" not in html
    assert "-1.798e+308 to 0" in html


@pytest.mark.parametrize("number", [inf, -inf, nan])
def test_what_is_no_number_is_refused(number):
    with pytest.raises(ValueError, match="finite numbers; leave the others out, and say so"):
        scatter("s", [Series(name="a", points=[(0.0, number)])], AXES)
    with pytest.raises(ValueError, match="finite numbers; leave the others out, and say so"):
        pareto("p", [("a", number, 1.0)], AXES)


def test_few_points_are_dots_and_many_are_shades():
    few = [(i / 800, 0.5) for i in range(800)]
    dots = scatter("s", [Series(name="a", points=few)], AXES).html
    shades = scatter("s", [Series(name="a", points=[*few, (1.0, 1.0)])], AXES).html

    assert dots.count("<circle") == 800
    assert "<circle" not in shades
    assert shades.count("fill-opacity") == 41  # a line of 40 cells, and one
    assert "The stronger the colour, the more points." in shades


def test_many_points_are_a_small_drawing():
    points = [((i * 7919 % 10_007) / 10_007, (i * 104_729 % 9_973) / 9_973) for i in range(100_000)]

    assert len(scatter("s", [Series(name="a", points=points)], AXES).html) < 200_000


def test_points_that_share_a_place_are_moved_the_same_way_each_time():
    series = [Series(name="a", points=[(0.5, 0.5)] * 9 + [(0.25, 0.25)])]
    places = re.findall(r'cx="([\d.]+)%" cy="([\d.]+)"', scatter("s", series, AXES).html)

    assert len(set(places)) == 10
    assert places[-1] == ("26.85", "146.3")  # alone, and where it is: 0.29 of 1.08
    assert all(abs(float(x) - 50) <= 1.2 for x, _ in places[:-1])
    assert scatter("s", series, AXES) == scatter("s", series, AXES)
    assert scatter("s", series, AXES) != scatter("s", series, AXES, seed=1)


def test_dots_at_the_ends_of_a_plot_cover_no_label_beside_it():
    """Not even where they are moved."""
    series = [Series(name="a", points=[(0.0, 0.0), (1.0, 1.0)] * 200)]
    places = re.findall(r'cx="([\d.]+)%" cy="([\d.]+)"', scatter("s", series, AXES).html)
    xs, ys = ([float(value) for value in values] for values in zip(*places, strict=True))

    assert 2 < min(xs) < max(xs) < 98
    assert 3.5 < min(ys) < max(ys) < 196.5


def test_small_costs_are_told_apart():
    """A plot that ended at 1 would have them all at its left edge."""
    names = pareto("s", [("a", 0.01, 0.5), ("b", 0.04, 0.6), ("c", 0.07, 0.7)], AXES).html
    xs = sorted(float(x) for x in re.findall(r'cx="([\d.]+)%"', names))

    assert [other - one > 30 for one, other in pairwise(xs)] == [True, True]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_none_is_better_than_those_on_the_frontier(points):
    def beaten(point):
        others = [one for one in points if one != point]
        return any(one[0] <= point[0] and one[1] >= point[1] for one in others)

    assert frontier(points) == sorted({point for point in points if not beaten(point)})


def test_a_forest_shows_intervals_and_why_there_is_no_number():
    interval = Interval(low=0.25, high=0.75, level=0.95, resamples=100)
    there = Contestant(name="rouge_l", value=Statistic(value=0.5), interval=interval)
    absent = Contestant(name="bleu", value=Statistic(undefined="no two rows differ"))
    html = forest("Which", [there, absent], digits=2, scale=Scale(0.0, 1.0)).html
    said = Reader(html).text()

    assert "0.50 [0.25, 0.75]" in said
    assert "none: no two rows differ" in said
    assert '<line x1="25.00%" x2="75.00%"' in html
    assert re.findall(r'cx="([\d.]+)%"', html) == ["50.00"]


def test_bars_are_shares_of_the_longest_and_something_is_seen():
    html = bars("Which", [("a", 4.0, "4"), ("b", 1.0, "1"), ("c", 0.0, "0"), ("d", 1e-9, "few")])
    widths = re.findall(r'width="([\d.]+)%" height="12" class="m1"', html.html)

    assert widths == ["100.00", "25.00", "0.40"]


def test_stacks_are_divided_into_shares():
    html = stacked("Which", ["right", "wrong"], [("a", [1, 3]), ("nothing", [0, 0])]).html
    parts = re.findall(r'x="([\d.]+)%" width="([\d.]+)%" height="12" class="(m\d)"', html)

    assert parts == [("0.00", "25.00", "m1"), ("25.00", "75.00", "m2")]
    assert "1 right, 3 wrong" in html


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: stacked("s", ["a", "b"], [("one", [1])]), "'one' has 1 values for 2 kinds"),
        (lambda: heat("h", ["a", "b"], [[1.0, 0.5]]), "2 names need 2 lines of as many values"),
        (lambda: heat("h", ["a"], [[1.0, 0.5]]), "1 names need 1 lines of as many values"),
    ],
)
def test_values_belong_to_names(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_heat_map_shades_by_strength_and_sign():
    values = [[1.0, -0.2, 0.0], [-0.2, 1.0, None], [0.0, None, 0.61]]
    html = heat("Members", ["a", "b", "c"], values).html
    cells = re.findall(r"<td(?: class=\"(\w+)\")?>([^<]+)</td>", html)

    assert cells == [
        *(("p5", "1.00"), ("n1", "-0.20"), ("", "0.00")),
        *(("n1", "-0.20"), ("p5", "1.00"), ("soft", "none")),
        *(("", "0.00"), ("soft", "none"), ("p4", "0.61")),
    ]


@pytest.mark.parametrize("chart", charts())
def test_each_chart_is_well_formed(chart):
    Reader(chart.html)


@pytest.mark.parametrize(
    "chart",
    [
        histogram("h", (0.0, 1.0), []),
        histogram("h", (0.0, 1.0), [0, 0]),
        bars("b", []),
        forest("f", []),
        heat("h", [], []),
        scatter("s", [], AXES),
        pareto("p", [], AXES),
    ],
)
def test_of_nothing_there_is_an_empty_chart(chart):
    Reader(chart.html)
