"""How gameable is a contestant? A short probe of each, on the same items and without a search."""

from __future__ import annotations

import numpy as np

from graders.errors import ConfigError
from graders.grades import Grader
from graders.ledger import Ledger
from graders.studies.choice.offers import Weakness
from graders.studies.statistics.bootstrap import ratio_interval
from graders.testing.labelled import Labelled
from graders.testing.probe import ProbeOptions, Probing


async def weakness(
    grader: Grader, rows: Labelled, ledger: Ledger, options: ProbeOptions
) -> Weakness | None:
    """How gameable a contestant is.

    Args:
        grader: The contestant.
        rows: Honest samples, of which some items are drawn.
        ledger: What its clients spend.
        options: How it is probed: equal ones draw the same items, whoever is probed.

    Returns:
        None where nothing that was tried has a score, or no reference is more than white space.

    Raises:
        RunStoppedError: A budget of tokens or dollars is used up.
    """
    try:
        probing = Probing(grader, rows.rows, options, ledger)
    except ConfigError:  # there is nothing to make attacks of
        return None
    await probing.work()
    found = probing.report().tally
    if not found.rows or not found.says_something:
        return None
    won = np.zeros(found.rows)
    won[: found.cheated] = 1.0
    some = 0 < found.cheated < found.rows  # of all alike, resamples know nothing else
    most = max(found.attacks, key=lambda one: one.wins)
    return Weakness(
        share=found.cheated_share,
        interval=ratio_interval(won, np.ones(found.rows), seed=options.seed) if some else None,
        rows=found.rows,
        attack=most.way.name if most.wins else "",
        attack_share=most.wins / found.rows,
    )
