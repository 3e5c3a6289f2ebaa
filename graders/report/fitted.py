"""What a fitted reward is and what it is worth: lines for a terminal of 80 columns, and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graders.report.text import count
from graders.report.verdict_lines import verdict_lines
from graders.studies.choice.fit import Fit, Gain
from graders.studies.choice.fit_verdicts import fit_verdicts, measure_name
from graders.studies.verdict import statistic_json
from graders.terminal import columns, printable, shorten, wrap
from graders.testing.fitted_config import Export


def to_lines(fit: Fit, export: Export | None = None) -> Iterator[str]:
    """The lines of a fit.

    Args:
        fit: The reward.
        export: The config that was made of it, if one was.
    """
    said = f"fitted to {count(fit.rows, 'row')} of {count(fit.items, 'item')}, tested in "
    yield from wrap(f"{said}{fit.folds} folds of items", indent=0)
    yield from wrap(printable(f"  {fit.formula()}"), indent=0, lines=6)
    yield ""
    yield f"  {'member':<24}{'weight':>8}{'over folds':>16}"
    for one in fit.weights:
        name = shorten(printable(one.name), 22)
        shown = f"{one.share:g}" if one.share else "-"
        folds = f"{one.low:g} - {one.high:g}"
        yield f"  {name}{' ' * (24 - columns(name))}{shown:>8}{folds:>16}  {one.why}".rstrip()
    yield ""
    yield f"  {'on items not fitted to':<24}{'fitted':>8}  {'best alone':<24}{'difference':>12}"
    for gain in fit.gains:
        yield from _gain(gain)
    if fit.unseen_f1.value is not None:
        yield f"  {'F1':<24}{fit.unseen_f1.value:>8.3f}"
    yield ""
    for verdict in fit_verdicts(fit):
        yield from verdict_lines(verdict)
    for note in export.notes if export else ():
        first, *rest = wrap(printable(note), indent=5, lines=4)
        yield f"     {first.strip()}"
        yield from rest


def _gain(gain: Gain) -> Iterator[str]:
    fitted = "none" if gain.fitted.value is None else f"{gain.fitted.value:.3f}"
    alone, value = gain.alone.value, gain.value.value
    if gain.best is None or alone is None or value is None:
        yield f"  {measure_name(gain.measure):<24}{fitted:>8}"
        return
    best = shorten(f"{alone:.3f} {printable(gain.best)}", 24)
    padded = best + " " * (24 - columns(best))
    yield f"  {measure_name(gain.measure):<24}{fitted:>8}  {padded}{value:>+12.3f}"


def to_json(fit: Fit, export: Export | None = None) -> Mapping[str, object]:
    """The fit for programs."""
    return {
        "rows": fit.rows,
        "items": fit.items,
        "folds": fit.folds,
        "formula": fit.formula(),
        "clamped": fit.clamped,
        "by": fit.by,
        "weights": [
            {
                "name": one.name,
                "weight": one.share,
                "divided_by": one.scale,
                "folds": [one.low, one.high],
                "dropped": one.why or None,
            }
            for one in fit.weights
        ],
        "gains": {gain.measure: _gain_json(gain) for gain in fit.gains},
        "good_from": fit.good_from,
        "threshold": statistic_json(fit.threshold),
        "f1": statistic_json(fit.f1),
        "unseen_f1": statistic_json(fit.unseen_f1),
        "verdicts": [verdict.to_json() for verdict in fit_verdicts(fit)],
        "config": export.config if export else None,
        "settings": list(export.settings) if export else [],
        "notes": list(export.notes) if export else [],
    }


def _gain_json(gain: Gain) -> Mapping[str, object]:
    return {
        "fitted": statistic_json(gain.fitted),
        "best": gain.best,
        "alone": statistic_json(gain.alone),
        "difference": statistic_json(gain.value, gain.interval),
        "p": gain.p,
    }
