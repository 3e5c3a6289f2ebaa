"""The part of a comparison's page that is about a fitted reward."""

from __future__ import annotations

import json
from collections.abc import Iterator

from graders.markup import Child, Markup, el
from graders.report.html.chart_tables import bars
from graders.report.html.numbers import said
from graders.report.html.page import verdict_list
from graders.report.html.table import table
from graders.report.text import count
from graders.studies.choice.fit import Fit
from graders.studies.choice.fit_verdicts import fit_verdicts, measure_name
from graders.testing.fitted_config import Export


def fit_part(fit: Fit, export: Export | None, why: str) -> Iterator[Markup]:
    """What was fitted, and what it is worth.

    Args:
        fit: The reward.
        export: Its config; None where no run can have it.
        why: Why there is none.
    """
    rows = f"{count(fit.rows, 'row')} of {count(fit.items, 'item')}"
    yield el("p", f"Fitted to {rows}, tested in {fit.folds} folds of items.")
    yield el("pre", fit.formula(), tabindex="0")
    verdicts = verdict_list(fit_verdicts(fit))
    if verdicts is not None:
        yield verdicts
    kept = [(one.name, one.share, _weight(one.share, one.low, one.high)) for one in fit.kept]
    yield bars("Weights, and their range over folds", kept, most=1.0)
    dropped = [[one.name, one.why] for one in fit.weights if not one.share]
    if dropped:
        yield table(["Dropped", "Why"], dropped, caption="Members without a weight")
    lines: list[list[Child]] = [
        [
            measure_name(gain.measure),
            said(gain.fitted),
            "" if gain.best is None else gain.best,
            "" if gain.best is None else said(gain.alone),
            "" if gain.best is None else said(gain.value, gain.interval),
            "" if gain.p is None else f"{gain.p:.3f}",
        ]
        for gain in fit.gains
    ]
    lines.append(["F1", said(fit.unseen_f1), "", "", "", ""])
    head = ["On items not fitted to", "Fitted", "Best alone", "Its own", "Difference", "p"]
    yield table(head, lines, caption="What it is worth", numbers=[1, 3, 4, 5])
    for note in export.notes if export else ():
        yield el("p", note)
    if export is not None:
        config = json.dumps(export.config, indent=2, ensure_ascii=False)
        yield el("details", el("summary", "Its config"), el("pre", config, tabindex="0"))
    elif why:
        yield el("p", f"No config can be written: {why}")


def _weight(share: float, low: float, high: float) -> str:
    return f"{share:g} ({low:g} to {high:g})"
