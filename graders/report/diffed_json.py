"""What a change of grader does, for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from graders.report.diffed import BAD_LINES_SHOWN, Diffed
from graders.studies.change.diff import Diff, MemberChange
from graders.studies.change.pairs import Moved
from graders.studies.shapes import change_bars
from graders.studies.statistics.drift import Drift
from graders.studies.verdict import interval_json, statistic_json

_KEPT: Final = 4_000
"""Characters of a text."""


def to_json(diffed: Diffed) -> Mapping[str, object]:
    """The report for programs: what `graders diff --json` prints."""
    diff, changes = diffed.diff, change_bars(diffed.scores)
    return {
        "old": diffed.old,
        "new": diffed.new,
        "samples": diff.samples,
        "groups": diff.groups,
        "pairs": diff.pairs,
        "only_old": len(diffed.only_old),
        "only_new": len(diffed.only_new),
        "bad_lines": len(diffed.bad_lines),
        "first_bad_lines": list(diffed.bad_lines[:BAD_LINES_SHOWN]),
        "within_bounds": diffed.within,
        "bounds": [check.to_json() for check in diffed.checks],
        "verdicts": [verdict.to_json() for verdict in diffed.verdicts],
        "scores": _scores(diff),
        "passing": _passing(diff),
        "zero_variance": _teaching(diff),
        "failures": {
            what: {kind: asdict(one) for kind, one in kinds.items()}
            for what, kinds in diff.failures.items()
        },
        "changes": changes and {"edges": changes[0], "counts": changes[1]},
        "members": {one.name: _member(one) for one in diff.members},
        "members_only_old": list(diff.only_old),
        "members_only_new": list(diff.only_new),
        "worst": [_moved(one) for one in diff.worst],
    }


def _scores(diff: Diff) -> Mapping[str, object]:
    shown: dict[str, object] = {
        "old_mean": diff.old_mean,
        "new_mean": diff.new_mean,
        "old_failed": diff.old_failed,
        "new_failed": diff.new_failed,
    }
    if (found := diff.drift) is not None:
        shown |= {
            "changed": found.changed,
            "mean_change": found.mean_change,
            "mean_change_interval": interval_json(found.mean_change_interval),
            "mean_distance": found.mean_distance,
            "farthest": found.farthest,
            "spearman": statistic_json(found.spearman),
            "kendall": statistic_json(found.kendall),
            "group_order": _order(found),
            "distribution": found.distribution,
        }
    return shown


def _order(found: Drift) -> Mapping[str, object]:
    return {
        "pairs": found.pairs,
        "kept": statistic_json(found.pairs_kept, found.pairs_kept_interval),
        "turned": found.pairs_turned,
        "tied": found.pairs_tied,
    }


def _passing(diff: Diff) -> Mapping[str, object]:
    found = diff.passing
    return {
        "samples": found.samples,
        "old": statistic_json(found.old),
        "new": statistic_json(found.new),
        "change": statistic_json(found.change, found.change_interval),
        "now_passing": found.now_passing,
        "now_failing": found.now_failing,
        "flips": statistic_json(found.flips, found.flips_interval),
        "p": statistic_json(found.p),
    }


def _teaching(diff: Diff) -> Mapping[str, object]:
    found = diff.teaching
    return {
        "groups": found.groups,
        "old": statistic_json(found.old),
        "new": statistic_json(found.new),
        "change": statistic_json(found.change, found.change_interval),
        "now_equal": found.now_equal,
        "now_different": found.now_different,
    }


def _member(one: MemberChange) -> Mapping[str, object]:
    return {"samples": one.samples, "old": one.old, "new": one.new, "changed": one.changed}


def _moved(one: Moved) -> Mapping[str, object]:
    return {
        "row": one.row,
        "sample_index": one.sample_index,
        "old": one.old,
        "new": one.new,
        "members": {name: {"old": a, "new": b} for name, (a, b) in one.members.items()},
        "output": None if one.text is None else one.text[:_KEPT],
        "reference": None if one.reference is None else one.reference[:_KEPT],
    }
