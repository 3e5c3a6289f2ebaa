"""What a fitted reward is worth, in words; `fit` has the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from graders.studies.choice.fit import Fit, Gain
from graders.studies.verdict import Tone, Verdict, number_within

_NAMES: Final = {
    "auc": "AUC",
    "pairwise_accuracy": "pairwise accuracy",
    "spearman": "Spearman's rho",
}
_UNSTEADY: Final = 0.2  # of a share over folds: about that the formula is not sure


def fit_verdicts(fit: Fit) -> tuple[Verdict, ...]:
    """Every finding, whether it is worth it first."""
    return tuple(_verdicts(fit))


def measure_name(measure: str) -> str:
    """A measure in words."""
    return _NAMES[measure]


def _verdicts(fit: Fit) -> Iterator[Verdict]:
    yield _alone(fit) if _is_best_alone(fit) else _worth(fit.gain)
    yield from (_worse(gain) for gain in fit.gains if _is_worse(gain, fit.by))
    for one in fit.kept:
        if one.high - one.low > _UNSTEADY:
            yield Verdict(
                code="unsteady",
                tone="warning",
                text=(
                    f"The weight of {one.name} goes from {one.low:g} to {one.high:g} over the "
                    f"{fit.folds} folds: it depends on which items are seen."
                ),
                value=one.high - one.low,
            )
    if dropped := [one for one in fit.weights if not one.share]:
        whys = dict.fromkeys(one.why for one in dropped)
        said = "; ".join(
            f"{', '.join(one.name for one in dropped if one.why == why)} ({why})" for why in whys
        )
        yield Verdict(code="dropped", tone="note", text=f"Left out: {said}.", value=len(dropped))


def _is_worse(gain: Gain, by: str) -> bool:
    # Of two labels Spearman's rho is AUC, and how often scores tie.
    return (
        gain.measure not in {by, "spearman"}
        and gain.interval is not None
        and (gain.interval.high < 0)
    )


def _worse(gain: Gain) -> Verdict:
    return Verdict(
        code=f"worse-{gain.measure}",
        tone="warning",
        text=f"By {_NAMES[gain.measure]} it is worse: {_against(gain)}.",
        value=gain.value.value,
        interval=gain.interval,
    )


def _is_best_alone(fit: Fit) -> bool:
    return [one.name for one in fit.kept] == [fit.gain.best]


def _alone(fit: Fit) -> Verdict:
    return Verdict(
        code="worth",
        tone="warning",
        text=f"The fit is {fit.gain.best} alone: nothing beside it makes the reward better.",
        value=fit.gain.value.value,
        interval=fit.gain.interval,
    )


def _worth(gain: Gain) -> Verdict:
    value, interval = gain.value.value, gain.interval
    if gain.best is None or value is None or interval is None:
        why = gain.value.undefined or gain.alone.undefined or "one item says nothing of others"
        text = f"Whether the fit is worth it is not known: {why}."
        return Verdict(code="worth", tone="warning", text=text)
    if interval.low > 0:
        tone: Tone = "good"
        said = "The fit is worth it"
    elif interval.high < 0:
        tone = "bad"
        said = f"The fit is worse than {gain.best} alone: take that"
    else:
        tone = "warning"
        said = f"The fit is not better than {gain.best} alone: take that"
    return Verdict(
        code="worth",
        tone=tone,
        text=f"{said}; {_against(gain)}.",
        value=value,
        interval=interval,
    )


def _against(gain: Gain) -> str:
    value, fitted, alone = gain.value.value, gain.fitted.value, gain.alone.value
    assert value is not None, "there is a difference"
    assert fitted is not None, "of two numbers"
    assert alone is not None, "that there are"
    sign = "+" if value > 0 else ""
    return (
        f"{_NAMES[gain.measure]} {fitted:.3f} on items not fitted to, against {alone:.3f} of "
        f"{gain.best}: {sign}{number_within(value, gain.interval, 3)}"
    )
