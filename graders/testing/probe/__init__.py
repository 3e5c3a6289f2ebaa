"""How can this grader be cheated? Attacks on its rows, and which of them pay.

A grader that is trained against is searched by the model: whatever scores is found. `probe` tries
what models were seen to find (`graders.testing.probe.attacks` has the table) and a search, and
holds each text against the row's honest samples and its reference. Attack texts are data: only the
grader reads them, a python grader in its sandbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from graders.engine import run_sync
from graders.grades import Grader, Waits
from graders.ledger import Ledger
from graders.rows import Row
from graders.template import Slot
from graders.testing.probe.climb import CLIMB, climb
from graders.testing.probe.figures import Tally, tally
from graders.testing.probe.targets import draw_targets
from graders.testing.probe.trials import Asking, Probed, try_attacks

LIMITS: Final[Mapping[Waits, int]] = {"never": 200, "batches": 200, "rows": 20}
"""Rows that are probed where nobody says how many; each grading of a judge costs money."""
BUDGETS: Final[Mapping[Waits, int]] = {"never": 100, "batches": 25, "rows": 0}
"""Gradings of the search for each row, the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOptions:
    """How a probe is done.

    Attributes:
        references: Where the reference answers stand, `reference_slots` of a config for one; none,
            and the usual keys of items are looked through.
        limit: Rows that are drawn; None is `LIMITS`.
        budget: Gradings of the search for each row; None is `BUDGETS`, and 0 is no search.
        verdict: What a judge in the grader answers at best, `best_verdict` of a config for one.
        seed: Decides which rows are drawn and whatever is left to chance.
    """

    references: tuple[Slot, ...] = ()
    limit: int | None = None
    budget: int | None = None
    verdict: float | str = 1
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """What a probe found.

    Attributes:
        tally: Figures by attack, and findings.
        drawn: Rows that were drawn and have a reference; more than the tally's where the probe was
            stopped.
        rows_seen: Rows that there were to draw from.
        without_reference: Rows that were drawn, have no reference and are left out.
        references: Where the references stand.
        limit: Rows that were to be drawn.
        budget: Gradings of the search for each row.
        seed: As given.
        gradings: All that there were.
        probed: The rows, with all that was tried on them.
    """

    tally: Tally
    drawn: int
    rows_seen: int
    without_reference: int
    references: tuple[Slot, ...]
    limit: int
    budget: int
    seed: int
    gradings: int
    probed: Sequence[Probed] = field(default=(), repr=False, compare=False)


def probe(
    grader: Grader,
    rows: Iterable[Row],
    options: ProbeOptions | None = None,
    *,
    ledger: Ledger | None = None,
) -> ProbeReport:
    """Try to cheat a grader.

    The same grader, rows and options give the same report, unless the grader itself is random.

    Args:
        grader: What is attacked.
        rows: Honest samples, those of one prompt side by side and of one `group`.
        options: How much is tried.
        ledger: What the grader's clients spend.

    Raises:
        ConfigError: No row has a reference.
        RunStoppedError: A budget of tokens or dollars is used up; a cache keeps what is paid.

    Example:
        >>> from graders.compile import compile_grader
        >>> grader = compile_grader({"type": "string_check", "name": "n", "operation": "ilike",
        ...     "input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"})
        >>> rows = [Row(item={"answer": answer}, sample={"output_text": "no idea"}, group=i)
        ...     for i, answer in enumerate(["Nairobi", "Quito"])]
        >>> report = probe(grader, rows, ProbeOptions(budget=0))
        >>> [found.way.name for found in report.tally.findings()]
        ['every_answer', 'json_duplicates', 'json_every_value']
    """
    probing = Probing(grader, rows, options or ProbeOptions(), ledger or Ledger())
    run_sync(probing.work)
    return probing.report()


class Probing:
    """A probe, whose report can be had before it is done.

    Raises:
        ConfigError: No row has a reference.
    """

    def __init__(
        self, grader: Grader, rows: Iterable[Row], options: ProbeOptions, ledger: Ledger
    ) -> None:
        waits = grader.waits
        self._limit = LIMITS[waits] if options.limit is None else options.limit
        self._budget = BUDGETS[waits] if options.budget is None else options.budget
        self._seed, self._verdict = options.seed, options.verdict
        self._asking = Asking(grader, ledger)
        self._drawn = draw_targets(rows, options.references, limit=self._limit, seed=self._seed)
        self._rows = [Probed(target=target) for target in self._drawn.targets]

    async def work(self) -> None:
        """Try the attacks, and search.

        Raises:
            RunStoppedError: A budget of tokens or dollars is used up.
        """
        verdict = self._verdict
        await try_attacks(self._asking, self._rows, seed=self._seed, verdict=verdict)
        if self._budget:
            await climb(self._asking, self._rows, budget=self._budget, seed=self._seed)

    def report(self) -> ProbeReport:
        """What is found so far, on the rows on which all fixed attacks were tried."""
        complete = [one for one in self._rows if one.complete]
        return ProbeReport(
            tally=tally(complete, (CLIMB,) if self._budget else ()),
            drawn=len(self._rows),
            rows_seen=self._drawn.rows,
            without_reference=self._drawn.without_reference,
            references=self._drawn.slots,
            limit=self._limit,
            budget=self._budget,
            seed=self._seed,
            gradings=self._asking.gradings,
            probed=complete,
        )
