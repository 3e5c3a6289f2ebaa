"""The contestants of `graders compare`, each scored, timed and attacked on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from graders.cli.clients import judges
from graders.cli.embeddings import asks_embeddings
from graders.cli.grading import tools_for
from graders.cli.interrupts import stopped_by_signals
from graders.compile import compile_grader
from graders.config.graders import EndpointConfig, walk
from graders.config.parse import Document
from graders.engine import run_sync
from graders.grades import Grader
from graders.ledger import Ledger
from graders.profile import Profile
from graders.studies.choice.offers import Weakness
from graders.template import Slot
from graders.testing.contest import Column, grade_column, metric_cost, score_metrics
from graders.testing.contestants import Contestant, packs
from graders.testing.labelled import Labelled
from graders.testing.probe import ProbeOptions
from graders.testing.probe.targets import best_verdict
from graders.testing.weakness import weakness


class Contest:
    """What contestants made of the rows, entered one after the other.

    Attributes:
        rows: The rows.
        columns: What each made of them, by name. A fitted combination of contestants goes by
            their scores here.
        costs: CPU-seconds of 1,000 rows, where that is what a contestant costs.
        weaknesses: How gameable they are.
        layers: What isolated python graders; None where none ran.
        ledger: What models were asked.
    """

    def __init__(
        self, rows: Labelled, profile: Profile, reference: Slot, given: dict[str, Any]
    ) -> None:
        self.rows, self.columns = rows, dict[str, Column]()
        self.costs, self.weaknesses = dict[str, float](), dict[str, Weakness]()
        self._profile, self._reference, self.given = profile, reference, given
        self.ledger = Ledger()
        self.layers: list[str] | None = None

    def enter_metrics(self, chosen: Sequence[Contestant]) -> None:
        """Score, time and attack metrics.

        Raises:
            click.UsageError: One needs an extra that is not installed.
        """
        settings = self._profile.metrics
        with stopped_by_signals(at_once=True):
            try:
                self.columns |= score_metrics(packs(chosen, settings), self.rows, settings)
            except ImportError as error:
                raise click.UsageError(f"--metrics: {error}") from None
            for one in chosen:
                cost = metric_cost(one, self.rows, settings)
                if cost is not None:
                    self.costs[one.name] = cost
                profile = replace(self._profile, metrics=one.settings(settings))
                config = one.config(str(self._reference))
                self._attack(one.name, compile_grader(config, profile=profile))

    def enter_grader(self, name: str, document: Document) -> None:
        """Grade the rows with a config, and attack it unless it asks a model or a server.

        Raises:
            click.ClickException: An option is wrong, a judge cannot be reached, or the machine
                cannot isolate.
            RunStoppedError: A budget is used up.
        """
        asks = _asks(document, self._profile)
        with tools_for(document, self._profile, self.given, self.ledger) as (tools, asking):
            grader = compile_grader(document, tools=tools, profile=asking)
            self.layers = sorted(tools.sandbox.layers) if tools.sandbox else self.layers
            with stopped_by_signals(at_once=grader.waits == "never"):
                column = run_sync(lambda: grade_column(grader, self.rows, self.ledger))
                self.columns[name] = column
                if not asks:
                    self.costs[name] = column.cpu_seconds
                if not asks or self.given["probe_judges"]:
                    self._attack(name, grader, best_verdict(document))

    def first_failure(self) -> str:
        """The first row that failed, to say behind an error; "" where none did."""
        for name, column in self.columns.items():
            for kind, tally in column.failures.items():
                return f". The first failure is {kind} of {name} at {tally.first}"
        return ""

    def _attack(self, name: str, grader: Grader, verdict: float | str = 1) -> None:
        if not self.given["probed"]:
            return
        options = ProbeOptions(
            references=(self._reference,),
            limit=self.given["probed"],
            budget=0,
            verdict=verdict,
            seed=self.given["seed"],
        )
        found = run_sync(lambda: weakness(grader, self.rows, self.ledger, options))
        if found is not None:
            self.weaknesses[name] = found


def _asks(document: Document, profile: Profile) -> bool:
    """Whether a grader asks a model or a server, so that its cost is no CPU time of ours."""
    endpoints = any(isinstance(part, EndpointConfig) for _, part in walk(document.grader))
    return bool(judges(document)) or endpoints or asks_embeddings(document, profile) is not None
