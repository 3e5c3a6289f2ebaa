"""A study of rewards for programs: every number that is said, and all that a page would plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from graders.studies.shapes import POINTS, Bars, drawn_places, item_spread, spread
from graders.studies.statistics.signal import GroupSignal
from graders.studies.statistics.statistic import Statistic
from graders.studies.teach.findings import verdicts_of
from graders.studies.teach.lengthwise import Lengthwise
from graders.studies.teach.limits import sorted_verdicts
from graders.studies.teach.memberwise import MemberStudy
from graders.studies.teach.noise import Noise
from graders.studies.teach.passing import failing_curve
from graders.studies.teach.teaching import Study
from graders.studies.teach.traits import TRAITS, Explained
from graders.studies.verdict import Verdict, interval_json, statistic_json

if TYPE_CHECKING:
    from graders.studies.teach.between import Between

JSONObject = Mapping[str, object]


def to_json(study: Study, moved: Between | None = None) -> JSONObject:
    """All of a study; what could not be studied is null, or says why in `undefined`.

    Args:
        study: Of one set of results.
        moved: Of these and earlier ones.
    """
    samples, settings = study.samples, study.settings
    return {
        "samples": {
            "seen": samples.seen,
            "studied": len(samples),
            "rewarded": study.rewarded,
            "graded": int(samples.graded.sum()),
        },
        "items": {
            "studied": len(samples.names),
            "about_of": items_there(study),
            "drawn_share": samples.share,
        },
        "settings": asdict(settings),
        "undefined": study.undefined,
        "verdicts": [verdict.to_json() for verdict in all_verdicts(study, moved)],
        "distribution": None if study.distribution is None else asdict(study.distribution),
        "histogram": _histogram(study.histogram),
        "groups": None if study.signal is None else _groups(study, study.signal),
        "passing": _passing(study),
        "length": None if study.length is None else _length(study.length),
        "form": None if study.form is None else explained_json(study.form),
        "members": None if study.members is None else _members(study.members),
        "failures": [
            {
                "kind": rate.kind,
                "count": rate.count,
                "share": rate.share,
                "interval": interval_json(rate.interval),
            }
            for rate in study.failures
        ],
        "noise": {
            "judges": {name: _noise(found) for name, found in (study.noise or {}).items()},
            "equal_outputs": None if study.again is None else _noise(study.again),
        },
        "human": _human(study),
        "drift": None if moved is None else _between(moved),
    }


def all_verdicts(study: Study, moved: Between | None) -> list[Verdict]:
    """The findings of a study, and those of what moved since earlier results."""
    found = list(verdicts_of(study))
    if moved is None:
        return found
    from graders.studies.teach.between import between_verdicts  # which a run does not need

    return list(sorted_verdicts([*found, *between_verdicts(moved)]))


def items_there(study: Study) -> int:
    """About how many items there were: all that were seen, or as many as the draw stands for."""
    samples = study.samples
    return round(len(samples.names) / samples.share)


def _groups(study: Study, signal: GroupSignal) -> JSONObject:
    samples = study.samples
    there = samples.rewarded
    found = item_spread(samples.rewards[there], samples.items[there])
    return {
        "groups": signal.groups,
        "single": signal.single,
        "zero_variance": statistic_json(signal.zero_variance, signal.zero_variance_interval),
        **{
            name: statistic_json(getattr(signal, name))
            for name in (
                *("all_low", "all_high", "effective_batch"),
                *("mean_sd", "tied_pairs", "within_share"),
            )
        },
        "sd_histogram": _histogram(found.sds),
        "mean_histogram": _histogram(found.means),
        "widest": [
            {
                "group": samples.names[one.code],
                "samples": one.samples,
                "mean": one.mean,
                "sd": one.sd,
                "low": one.low,
                "high": one.high,
            }
            for one in found.widest
        ],
    }


def _histogram(bars: Bars | None) -> JSONObject | None:
    return None if bars is None else {"edges": bars[0], "counts": bars[1]}


def _passing(study: Study) -> JSONObject:
    found = study.threshold
    return {
        "threshold": study.lowest_passing,
        "failing": study.failing_now,
        "failing_scored": study.failing_scored,
        "failures": study.failed_to_pass,
        "curve": [] if found is None else curve_of(study),
        "at_k": [
            {
                "k": one.k,
                **statistic_json(one.value, one.interval),
                "items": one.items,
                "left_out": one.left_out,
            }
            for one in study.passing
        ],
        "suggested": None
        if found is None
        else {
            "threshold": found.threshold,
            "interval": interval_json(found.interval),
            "failing": found.failing,
            "failing_interval": interval_json(found.failing_interval),
            "in_band": found.in_band,
        },
    }


def curve_of(study: Study) -> Sequence[tuple[float, float]]:
    """The share of graded samples that fails, by threshold."""
    return failing_curve(study.scores)


def _length(found: Lengthwise) -> JSONObject:
    return {
        "samples": found.bias.rows,
        "with_length": statistic_json(found.bias.with_length, found.with_length),
        "with_ratio": statistic_json(found.bias.with_ratio),
        "reference": None if found.reference is None else str(found.reference),
        "without_reference": found.bias.empty_references,
        "longer_wins": statistic_json(found.bias.longer_wins, found.longer_wins),
        "beyond_labels": statistic_json(found.bias.beyond_labels),
        "explained": explained_json(found.explained),
    }


def explained_json(found: Explained) -> JSONObject:
    """What traits explain, and each of them."""
    return {
        "samples": found.samples,
        "items": found.items,
        "share": statistic_json(found.share, found.interval),
        "traits": [
            {
                "name": trait.name,
                "meaning": TRAITS[trait.name][0] if trait.name in TRAITS else trait.name,
                "having": trait.having,
                "slope": statistic_json(trait.slope, trait.interval),
            }
            for trait in found.traits
        ],
    }


def _members(found: MemberStudy) -> JSONObject:
    within = found.within
    names = [member.name for member in within.members]
    both = {**within.correlations, **{(b, a): r for (a, b), r in within.correlations.items()}}
    return {
        "samples": found.samples,
        "left_out": found.left_out,
        "decides": within.decides,
        "explained": statistic_json(within.explained),
        "dead": found.dead,
        "members": [
            {
                "name": member.name,
                "weight": member.weight,
                "share": statistic_json(member.share),
                "with_reward": statistic_json(member.with_reward),
            }
            for member in within.members
        ],
        "correlations": {
            "names": names,
            "matrix": [[1.0 if a == b else both[a, b].value for b in names] for a in names],
            "undefined": sorted({r.undefined for r in both.values() if r.undefined is not None}),
        },
    }


def _noise(found: Noise) -> JSONObject:
    return {"rows": found.rows, "single": found.single, **_statistics(found)}


def _statistics(found: object) -> JSONObject:
    """The statistics among the attributes of a finding."""
    names = getattr(type(found), "__slots__", ())
    values = {name: getattr(found, name) for name in names}
    return {n: statistic_json(v) for n, v in values.items() if isinstance(v, Statistic)}


def _human(study: Study) -> JSONObject | None:
    if study.human is None:
        return None
    human, samples = study.human, study.samples
    found, intervals = human.found, human.intervals
    drawn = [*drawn_places(len(human.scores), most=POINTS, seed=study.settings.seed)]
    places = human.places[drawn]
    measures: dict[str, object] = {
        str(name): statistic_json(getattr(found, name), interval)
        for name, interval in intervals.items()
    }
    return {
        "samples": found.rows,
        "good": found.good,
        "good_from": human.good_from,
        "threshold": statistic_json(found.threshold),
        **measures,
        "histogram": asdict(spread(human.scores, human.labels >= human.good_from)),
        "points": {
            "rows": [
                {"row": row, "sample_index": index}
                for row, index in zip(
                    samples.rows[places].tolist(), samples.indexes[places].tolist(), strict=True
                )
            ],
            "human": human.labels[drawn].tolist(),
            "reward": human.scores[drawn].tolist(),
        },
    }


def _between(found: Between) -> JSONObject:
    drift = found.drift
    shown: dict[str, object] = {
        "samples": found.joined,
        "left_out": found.left_out,
        "now_failed": found.now_failed,
    }
    if drift is not None:
        shown |= {
            "changed": drift.changed,
            "mean_change": drift.mean_change,
            "mean_change_interval": interval_json(drift.mean_change_interval),
            "mean_distance": drift.mean_distance,
            "farthest": drift.farthest,
            "distribution": drift.distribution,
            "now_passing": drift.now_passing,
            "now_failing": drift.now_failing,
            **_statistics(drift),
        }
    shown["noise"] = None if found.noise is None else _noise(found.noise)
    shown["worst"] = [moved._asdict() for moved in found.worst]
    return shown
