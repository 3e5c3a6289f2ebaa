"""What a comparison found, for programs: every measure, interval and test, and what to draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from graders.report import spending
from graders.report.compared import Compared
from graders.studies.choice.compare import Comparison, Standing
from graders.studies.choice.offers import Weakness
from graders.studies.choice.pareto import pareto
from graders.studies.shapes import POINTS, drawn_places, spread
from graders.studies.statistics.differences import Difference
from graders.studies.statistics.resampled import MEASURES
from graders.studies.statistics.williams import WilliamsTest
from graders.studies.verdict import interval_json, statistic_json
from graders.testing.contest import Column
from graders.testing.labelled import Tally

_FIRST_LINES: Final = 5


def to_json(compared: Compared, *, points: int = POINTS) -> Mapping[str, object]:
    """The comparison for programs: what `graders compare --json` prints.

    Args:
        compared: The comparison.
        points: Rows that are given as points, at most.
    """
    found, rows = compared.found, compared.rows
    places = drawn_places(len(found.kept), most=points, seed=found.seed)
    return {
        "rows": {
            "file": compared.file,
            "reference": compared.reference,
            "human": compared.human,
            "labelled": found.rows,
            "compared": len(found.kept),
            "left_out": {what: _tally(one) for what, one in rows.left_out.items()},
            "bad_lines": len(rows.bad_lines),
            "first_bad_lines": rows.bad_lines[:_FIRST_LINES],
        },
        "labels": _labels(found),
        "by": found.by,
        "best": None if found.best is None else found.best.name,
        "recommended": None if compared.use is None else compared.use.name,
        "verdicts": [verdict.to_json() for verdict in compared.verdicts],
        "pareto": list(pareto(compared.offers.points(found))),
        "contestants": {one.name: _contestant(one, compared, places) for one in found.standings},
        "not_compared": {name: _column(compared.columns[name]) for name in found.unscored},
        "points": {
            "rows": [_place(compared, i) for i in places],
            "human": [rows.labels[found.kept[i]] for i in places],
        },
        "resamples": found.resamples,
        "seed": found.seed,
        **(spending.to_json(compared.ledger) if compared.ledger else {}),
    }


def _labels(found: Comparison) -> Mapping[str, object]:
    labels = found.labels
    return {
        "rows": labels.rows,
        "items": labels.items,
        "low": labels.low,
        "high": labels.high,
        "distinct": labels.distinct,
        "good_from": labels.good_from,
        "chosen": labels.chosen,
        "good": labels.good,
    }


def _place(compared: Compared, place: int) -> Mapping[str, object]:
    row = compared.rows.rows[compared.found.kept[place]]
    return {"row": row.row, "sample_index": row.sample_index}


def _contestant(one: Standing, compared: Compared, points: tuple[int, ...]) -> Mapping[str, object]:
    found = compared.found
    failed = found.failed[one.name]
    agreement, intervals = one.agreement, one.intervals
    measures = {
        measure: statistic_json(one.of(measure), intervals[measure]) for measure in MEASURES
    }
    good = [compared.rows.labels[i] >= found.labels.good_from for i in found.kept]
    shape = spread(one.scores, good)
    return {
        **_column(compared.columns[one.name]),
        "failed": failed,
        "failure_rate": failed / found.rows,
        "left_out_alone": found.alone.get(one.name, 0),
        "measures": measures,
        "threshold": {
            **statistic_json(agreement.threshold, one.threshold_interval),
            "passes_all": one.passes_all,
        },
        "behind_best": {measure: _behind(one, measure) for measure in one.behind},
        "williams": {measure: _williams(test) for measure, test in one.williams.items()},
        "signal": _signal(one),
        "length": _length(one),
        "cost_per_1000": {
            "cpu_seconds": compared.offers.costs.get(one.name),
            "tokens": compared.columns[one.name].tokens,
            "usd": compared.columns[one.name].usd,
        },
        "hackability": _weakness(compared.offers.weaknesses.get(one.name)),
        "histogram": asdict(shape),
        "points": [float(one.scores[i]) for i in points],
    }


def _column(column: Column) -> Mapping[str, object]:
    return {
        "signature": column.signature,
        "how": column.how,
        "failures": {kind: _tally(one) for kind, one in column.failures.items()},
    }


def _tally(tally: Tally) -> Mapping[str, object]:
    return {"count": tally.count, "first": tally.first}


def _behind(one: Standing, measure: str) -> Mapping[str, object]:
    difference: Difference = {str(key): value for key, value in one.behind.items()}[measure]
    return {
        "best": difference.best,
        **statistic_json(difference.value, difference.interval),
        "p": difference.p,
        "p_holm": difference.p_holm,
    }


def _williams(test: WilliamsTest | None) -> Mapping[str, object] | None:
    if test is None:
        return None
    finite = test.t if abs(test.t) != float("inf") else None
    return {"t": finite, "df": test.df, "p": test.p, "takes": "rows as independent"}


def _signal(one: Standing) -> Mapping[str, object]:
    signal = one.signal
    return {
        "groups": signal.groups,
        "single": signal.single,
        "zero_variance": statistic_json(signal.zero_variance, signal.zero_variance_interval),
        "effective_batch": statistic_json(signal.effective_batch),
        "tied_pairs": statistic_json(signal.tied_pairs),
        "within_share": statistic_json(signal.within_share),
    }


def _length(one: Standing) -> Mapping[str, object]:
    bias = one.length
    return {
        "unit": "characters",
        "with_length": statistic_json(bias.with_length),
        "with_ratio": statistic_json(bias.with_ratio),
        "longer_wins": statistic_json(bias.longer_wins),
        "beyond_labels": statistic_json(bias.beyond_labels),
    }


def _weakness(weakness: Weakness | None) -> Mapping[str, object] | None:
    if weakness is None:
        return None
    return {
        "value": weakness.share,
        "interval": interval_json(weakness.interval),
        "rows": weakness.rows,
        "attack": weakness.attack or None,
        "attack_share": weakness.attack_share,
    }
