"""Options that say how far a change of grader may go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf, isnan
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from graders.studies.change.bounds import Bounds

F = TypeVar("F", bound=Callable[..., object])

_OPTIONS: Final = (
    click.option(
        "--max-new-failures",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        metavar="N",
        help="Samples that may newly fail.",
    ),
    click.option(
        "--max-flips",
        type=click.FloatRange(0, 1),
        default=0.01,
        show_default=True,
        metavar="SHARE",
        help="Share of samples that may cross the threshold.",
    ),
    click.option(
        "--min-spearman",
        type=click.FloatRange(-1, 1),
        default=0.95,
        show_default=True,
        metavar="R",
        help="Least rank correlation of old and new scores.",
    ),
    click.option(
        "--min-pairs",
        type=click.FloatRange(0, 1),
        default=0.9,
        show_default=True,
        metavar="SHARE",
        help="Least share of pairs of samples of a group that keep their order.",
    ),
    click.option(
        "--max-mean-change",
        type=click.FloatRange(min=0),
        default=0.05,
        show_default=True,
        metavar="X",
        help="How far the mean score may move, in scores.",
    ),
    click.option(
        "--max-changed",
        type=click.FloatRange(0, 1),
        metavar="SHARE",
        help="Share of samples that may have another score.  [default: any]",
    ),
)
BOUNDS: Final = (
    *("max_new_failures", "max_flips", "min_spearman", "min_pairs"),
    *("max_mean_change", "max_changed"),
)
"""The options' names."""


def bound_options(command: F) -> F:
    """The options of `chosen_bounds`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen_bounds(given: Mapping[str, Any]) -> Bounds:
    """The bounds that the options set.

    Raises:
        click.BadParameter: One is no number.
    """
    from graders.studies.change.bounds import Bounds

    bounds = {name: given[name] for name in BOUNDS}
    for name, bound in bounds.items():
        if bound is not None and isnan(bound):  # which no range of click's keeps out
            raise click.BadParameter("nan is no bound", param_hint=f"--{name.replace('_', '-')}")
    if bounds["max_mean_change"] == inf:
        bounds["max_mean_change"] = None
    return Bounds(**bounds)
