"""The parts of a study's page: each takes what was studied and gives what stands in a section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from graders.markup import Markup, cut, el, many
from graders.report.html.chart_tables import Contestant, bars, forest, heat
from graders.report.html.charts import histogram
from graders.report.html.numbers import Line, in_short, numbers, said
from graders.report.html.points import steps
from graders.report.html.table import table
from graders.report.studied_json import curve_of
from graders.report.text import count
from graders.studies.shapes import Bars, item_spread
from graders.studies.statistics.short import exactly, short_threshold, threshold_within
from graders.studies.statistics.signal import GroupSignal
from graders.studies.teach.between import Between
from graders.studies.teach.memberwise import MemberStudy
from graders.studies.teach.noise import Noise
from graders.studies.teach.teaching import Study
from graders.studies.teach.traits import TRAITS, Explained
from graders.studies.verdict import percent, percent_within

_LONGEST_NAME: Final = 200
_MOST_MEMBERS: Final = 24
"""Members that are compared with each other."""

_LENGTHS: Final = {
    "length": "is e times as long",
    "unlike_reference": "is e times as far from the reference's length",
}
_QUANTILES: Final = {0.0: "Lowest", 0.5: "Median", 1.0: "Highest"}


def rewards(study: Study) -> Iterator[Markup]:
    """How they are distributed, and which values many samples share."""
    assert study.distribution is not None, "rewards were studied"
    found = study.distribution
    if study.histogram is not None:
        yield _drawn("Samples by reward", study.histogram, "reward")
    yield bars(
        "Values that the most samples share",
        [(f"{atom.value:.4g}", atom.share, percent(atom.share)) for atom in found.atoms],
        most=1.0,
    )
    quantiles = [
        Line(_QUANTILES.get(share, f"{percent(share)} are below"), value)
        for share, value in found.quantiles
    ]
    yield numbers(
        f"Rewards of {count(found.rows, 'sample')}",
        [
            Line("Mean", found.mean),
            Line("Standard deviation", found.sd),
            *quantiles,
            Line("Share at the highest there is", found.at_ceiling),
            Line("Share at the lowest", found.at_floor),
        ],
    )


def groups(study: Study, signal: GroupSignal) -> Iterator[Markup]:
    """Whether samples of an item differ."""
    there = study.samples.rewarded
    found = item_spread(study.samples.rewards[there], study.samples.items[there])
    if found.sds is not None and signal.zero_variance.value is not None:
        within = percent_within(signal.zero_variance.value, signal.zero_variance_interval)
        equal = f"{within} of them have one reward for all their samples, and teach nothing."
        yield _drawn(
            "Items by the standard deviation of their rewards",
            found.sds,
            "standard deviation",
            f"{count(signal.groups, 'item')} with several samples. {equal}",
        )
    if found.means is not None:
        yield _drawn("Items by their mean reward", found.means, "mean reward")
    caption = (
        f"Within {count(signal.groups, 'item')} with several samples; {signal.single:,} have one"
    )
    yield numbers(
        caption,
        [
            Line("All samples equal", signal.zero_variance, signal.zero_variance_interval),
            Line("All at the lowest reward", signal.all_low),
            Line("All at the highest", signal.all_high),
            Line("Effective batch: samples in items that differ", signal.effective_batch),
            Line("Mean standard deviation", signal.mean_sd),
            Line("Pairs with equal rewards", signal.tied_pairs),
            Line("Share of all variance that is within items", signal.within_share),
        ],
    )
    names = study.samples.names
    if found.widest:
        lines = [
            [cut(str(names[one.code]), _LONGEST_NAME), f"{one.samples:,}",
             *(f"{value:.4g}" for value in (one.mean, one.sd, one.low, one.high))]
            for one in found.widest
        ]  # fmt: skip
        head = ["Item", "Samples", "Mean", "Standard deviation", "Lowest", "Highest"]
        caption = "The items whose samples differ most"
        yield table(head, lines, caption=caption, numbers=range(1, 6))


def passing(study: Study) -> Iterator[Markup]:
    """pass@k, and where a threshold would lie."""
    found = study.threshold
    assert found is not None, "something was graded"
    if study.passing:
        chances = [
            Contestant(name=f"pass@{one.k}", value=one.value, interval=one.interval)
            for one in study.passing
        ]
        yield forest("The chance that at least one of k samples passes", chances)
        lines = [
            [f"{one.k}", said(one.value, one.interval), f"{one.items:,}", f"{one.left_out:,}"]
            for one in study.passing
        ]
        head = ["k", "pass@k", "Items", "Items with fewer samples"]
        yield table(head, lines, caption="pass@k", numbers=[1, 2, 3])
    else:
        yield el("p", "Nothing says what passes: there is no pass@k.", class_="soft")
    low, high = study.settings.failing
    band = f"{percent(low)} to {percent(high)}"
    at = exactly(short_threshold(found.threshold, study.scores))
    fails = f"{percent_within(found.failing, found.failing_interval)} fail there"
    yield steps(
        "Share of samples with a score that fail, by threshold",
        curve_of(study),
        ("pass_threshold", "share that fails"),
        marked=(found.threshold, (low, high)),
        said=f"Shaded is {band}; the line is at {at}, and {fails}.",
    )
    within = threshold_within(found.threshold, found.interval, study.scores)
    lines_of = [Line("Suggested pass_threshold", within)]
    lines_of.append(Line("Share that fails there", found.failing, found.failing_interval))
    if study.lowest_passing is not None:
        lowest = short_threshold(study.lowest_passing, study.scores, digits=4)
        lines_of.append(Line("Lowest score that passed", exactly(lowest)))
    if study.failing_now is not None:
        lines_of.append(Line("Share of samples that did not pass", study.failing_now))
    if study.failed_to_pass:
        lines_of.append(Line("Of these without a score", f"{study.failed_to_pass:,}"))
    yield numbers("Thresholds", lines_of)


def form(study: Study) -> Iterator[Markup]:
    """What rewards have to do with length, and with the form of texts."""
    if study.length is not None:
        bias = study.length.bias
        longer = "Longer one of two wins; half is no bias"
        where = study.length.reference
        at = "" if where is None else f", {cut(str(where), _LONGEST_NAME)}"
        lines = [
            Line("Spearman's rho with length", bias.with_length, study.length.with_length),
            Line(f"With length over the reference's{at}", bias.with_ratio),
            Line(longer, bias.longer_wins, study.length.longer_wins),
        ]
        if study.human is not None:
            lines.append(Line("With length, labels held", bias.beyond_labels))
        yield numbers(f"Length, over {count(bias.rows, 'sample')}", lines)
        yield _explained("Length", study.length.explained)
    if study.form is not None:
        yield _explained("Form", study.form)


def _explained(what: str, found: Explained) -> Markup:
    within = "share of rewards within items that it explains"
    share = el("p", f"{what}, {within}: {said(found.share, found.interval)}.")
    if not found.traits:
        return share
    slopes = [
        Contestant(
            name=TRAITS[one.name][0] if one.name in TRAITS else _LENGTHS.get(one.name, one.name),
            value=one.slope,
            interval=one.interval,
        )
        for one in found.traits
    ]
    return many(share, forest(f"{what}: a reward changes by, for a text that ...", slopes))


def members(found: MemberStudy) -> Iterator[Markup]:
    """What members add, and how they go with each other."""
    within = found.within
    shares = [
        (cut(one.name, _LONGEST_NAME), max(one.share.value or 0.0, 0.0), said(one.share))
        for one in within.members
    ]
    linear = "A linear formula of members explains, of the differences of rewards within items"
    yield el("p", f"{linear}: {said(within.explained)}.")
    if within.decides is not None:
        yield bars("Share of what it explains", shares, most=1.0)
    lines = [
        [cut(one.name, _LONGEST_NAME), in_short(one.share), f"{one.weight:.3f}",
         said(one.with_reward),
         f"always {found.dead[one.name]:g}" if one.name in found.dead else ""]
        for one in within.members
    ]  # fmt: skip
    head = ["Member", "Share", "Weight", "r with the reward", ""]
    caption = f"Members, over {count(found.samples, 'sample')} in which all have a score"
    yield table(head, lines, caption=caption, numbers=[1, 2, 3])
    names = [one.name for one in within.members][:_MOST_MEMBERS]
    if len(names) > 1:
        both = {**within.correlations, **{(b, a): r for (a, b), r in within.correlations.items()}}
        matrix = [[1.0 if a == b else both[a, b].value for b in names] for a in names]
        shown = [cut(name, _LONGEST_NAME) for name in names]
        yield heat("How members go with each other within items (Pearson's r)", shown, matrix)
    left = found.left_out + len(within.members) - len(names)
    if left:
        yield el("p", f"{count(left, 'member')} left out.", class_="soft small")


def failures(study: Study) -> Iterator[Markup]:
    """By kind."""
    kinds = [one for one in study.failures if one.kind is not None]
    yield bars(
        "Samples that failed, by kind",
        [
            (str(one.kind), one.share, f"{one.count:,}: {percent_within(one.share, one.interval)}")
            for one in kinds
        ],
    )
    show = (
        el("li", el("a", f"Rows with {one.kind}", href="#rows", data_show=f"failure={one.kind}"))
        for one in kinds
    )
    yield el("ul", show)


def noise(study: Study) -> Iterator[Markup]:
    """How far the grader agrees with itself."""
    for name, found in (study.noise or {}).items():
        who = cut(name, _LONGEST_NAME) or "the grader"
        yield noise_of(found, f"Answers of {who}, asked several times")
    if study.again is not None:
        yield noise_of(study.again, "Equal outputs of an item")


def noise_of(found: Noise, what: str) -> Markup:
    """One study of repeats."""
    lines = [
        Line("Repeats, on average", found.repeats),
        Line("Reliability of one", found.reliability),
        Line("Reliability of their mean", found.mean_reliability),
        Line("Standard deviation", found.sd),
        Line("Share whose scores differ", found.unstable),
        Line("Farthest apart", found.widest),
        Line("Share of which some pass and some do not", found.flips),
    ]
    return numbers(f"{what}: {count(found.rows, 'row')}", lines)


def moved(found: Between) -> Iterator[Markup]:
    """What became of the same samples since an earlier run."""
    drift = found.drift
    if drift is None:
        yield el("p", "No sample has a score in both runs.")
        return
    yield numbers(
        f"Against the earlier run, {count(found.joined, 'sample')} with a score in both",
        [
            Line("Share that changed", drift.changed),
            Line("Mean change", drift.mean_change, drift.mean_change_interval),
            Line("Mean distance", drift.mean_distance),
            Line("Farthest", drift.farthest),
            Line("Spearman's rho, old and new", drift.spearman),
            Line("Kendall's tau", drift.kendall),
            Line("Pairs kept in order", drift.pairs_kept, drift.pairs_kept_interval),
            Line("Greatest difference of the distributions", drift.distribution),
            Line("Share that flipped", drift.flips),
        ],
    )
    left = f"{found.left_out:,} samples of either run have none in the other, "
    yield el("p", f"{left}{found.now_failed:,} fail now that had a score.", class_="soft small")
    if found.noise is not None:
        yield noise_of(found.noise, "The same grader, run twice")
    if found.worst:
        lines = [
            [f"{one.row}", f"{one.sample_index}", cut(str(one.group), _LONGEST_NAME),
             f"{one.old:.4g}", f"{one.new:.4g}"]
            for one in found.worst
        ]  # fmt: skip
        head = ["Row", "Sample", "Group", "Before", "Now"]
        yield table(head, lines, caption="Samples that moved the farthest", numbers=[1, 3, 4])


def _drawn(title: str, found: Bars, x: str, said: str = "") -> Markup:
    edges, counts = found
    return histogram(title, (edges[0], edges[-1]), counts, x=x, said=said)
