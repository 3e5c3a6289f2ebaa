"""The plan of a job: its rows, what it comes to, what it would hit, put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graders.config.graders import LabelModelConfig, ScoreModelConfig, walk
from graders.dry_run import Asked, DryRun
from graders.errors import Finding
from graders.jobs.bounds import Target
from graders.jobs.datasets import Dataset
from graders.jobs.estimate import (
    Amounts,
    Counts,
    Judging,
    Probe,
    Setting,
    amounts,
    judging,
    settings_of,
)
from graders.jobs.job import Job
from graders.jobs.limits import Checked, check_choices, check_limits, check_settings
from graders.jobs.ranges import Range, exactly
from graders.jobs.trial import Measured, Tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a plan is made from.

    Attributes:
        job: The job.
        target: The service.
        model: The base model, where it is known.
        training: The rows to train on.
        validation: The rows to evaluate on, where there are some.
        tried: What gradings of some rows would ask.
        measured: How long some gradings took.
        samples: The file of a model's outputs that were tried and measured; None where they were
            stand-ins.
        assumed: Numbers to take where a hyperparameter is `"auto"`.
        samples_per_item: The same for samples of a row and epoch, which no hyperparameter says.
    """

    job: Job
    target: Target
    model: str | None
    training: Dataset
    validation: Dataset | None
    tried: Tried | None
    measured: Measured | None
    samples: str | None
    assumed: Mapping[str, float]
    samples_per_item: int | None

    @property
    def real_outputs(self) -> bool:
        """Whether what was tried had outputs of a model."""
        return self.samples is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a job would take, and everything there is to say about it.

    Attributes:
        given: What it is made from.
        settings: Hyperparameters by name; none where the method is wrong.
        amounts: What it comes to; None where the method is wrong.
        judgings: What each model would be asked.
        limits: How it stands to each limit.
        findings: Everything that is wrong, or worth knowing.
    """

    given: Given
    settings: Mapping[str, Setting]
    amounts: Amounts | None
    judgings: tuple[Judging, ...]
    limits: tuple[Checked, ...]
    findings: tuple[Finding, ...]

    @property
    def grading_seconds(self) -> Range | None:
        """Wall time of all gradings on this machine, without judges; None where not measured."""
        if self.amounts is None or self.given.measured is None:
            return None
        return self.amounts.gradings * exactly(self.given.measured.seconds_each)

    @property
    def judge_seconds(self) -> Range | None:
        """Wall time of all judges, by what is assumed; None where the method is wrong."""
        if self.amounts is None:
            return None
        return sum((one.seconds for one in self.judgings), exactly(0))

    @property
    def seconds(self) -> Range | None:
        """Wall time of gradings here and of judges; None where the former is not measured."""
        here, judges = self.grading_seconds, self.judge_seconds
        return None if here is None or judges is None else here + judges

    @property
    def judge_usd(self) -> Range | None:
        """About what all judges cost; None where a price, or the whole method, is not known."""
        if self.amounts is None:
            return None
        costs = [one.usd for one in self.judgings]
        known = [cost for cost in costs if cost is not None]
        return sum(known, exactly(0)) if len(known) == len(costs) else None


def plan_job(given: Given) -> Plan:
    """Put a plan together."""
    job, counts = given.job, _counts(given)
    settings = settings_of(job.kind, job.settings, given.assumed)
    found = amounts(job.kind, settings, counts, given.samples_per_item) if settings else None
    judgings = tuple(_judgings(given, found)) if found else ()
    plan = Plan(
        given=given, settings=settings, amounts=found, judgings=judgings, limits=(), findings=()
    )
    limits = tuple(check_limits(job.kind, given.target, dict(_totals(plan))))
    findings = [*job.findings, *given.training.findings]
    findings += given.validation.findings if given.validation else ()
    findings += [finding for one in limits if (finding := one.to_finding())]
    findings += check_choices(job, given.target, given.model)
    if found is not None:
        findings += check_settings(settings, found.steps, counts, job.hyperparameters)
    findings += _trial_findings(given)
    return Plan(
        given=given, settings=settings, amounts=found, judgings=judgings, limits=limits,
        findings=tuple(findings),
    )  # fmt: skip


def _counts(given: Given) -> Counts:
    """Of the rows that have no error."""
    training, validation = given.training, given.validation
    return Counts(
        rows=training.rows - training.bad_rows,
        tokens=training.tokens,
        validation_rows=validation.rows - validation.bad_rows if validation else 0,
    )


def _judgings(given: Given, found: Amounts) -> Iterator[Judging]:
    """What each model would be asked, in the order in which the config names them."""
    document = given.job.document
    if document is None or not document.has_grader:
        return
    tried = given.tried or Tried(1, DryRun(), DryRun())  # of which nothing is known
    parts = [part for _, part in walk(document.grader)]
    models = [part.model for part in parts if isinstance(part, ScoreModelConfig | LabelModelConfig)]
    for model, judges in Counter(models).items():
        short, long = (one.models.get(model, Asked()) for one in (tried.short, tried.long))
        probe = Probe(rows=tried.rows, judges=judges, short=short, long=long)
        yield judging(model, found.gradings, probe)


def _totals(plan: Plan) -> Iterator[tuple[str, Range]]:
    """What limits bound."""
    given, found = plan.given, plan.amounts
    files = [one for one in (given.training, given.validation) if one is not None]
    yield "training rows", exactly(given.training.rows)
    yield "validation rows", exactly(given.validation.rows if given.validation else 0)
    yield "bytes of the largest file", exactly(max(one.bytes for one in files))
    if found is None:
        return
    yield "training tokens", found.training_tokens
    judges = plan.judge_usd
    yield "dollars for judges and training", Range(judges.low if judges else 0, None)
    if given.measured is not None:
        yield "seconds of the slowest grading measured", exactly(given.measured.slowest)


def _trial_findings(given: Given) -> Iterator[Finding]:
    """What went wrong with the rows that were tried, at the file that they are from."""
    tried, measured, place = given.tried, given.measured, given.samples or given.training.name
    ask = "" if given.real_outputs else "Give --samples FILE with outputs of a model."
    if tried is not None and tried.long.not_rendered:
        outputs = "" if given.real_outputs else " with stand-in outputs"
        said = f"{tried.long.not_rendered:,} of {tried.rows:,} rows that were tried{outputs}"
        said += " lack a variable of a prompt"
        fix = ask or "Their gradings would fail unasked; graders lint names the variable."
        yield _warning("not-rendered", place, said, fix)
    if measured is not None and measured.failure is not None:
        outputs = "" if given.real_outputs else " of stand-in outputs"
        kind, message = measured.failure.kind, measured.failure.message.rstrip(".")
        said = f"{measured.failed:,} of {measured.gradings:,} gradings{outputs} gave no score; "
        yield _warning("grading-failed", place, f"{said}the first: {kind}: {message}", ask)


def _warning(code: str, path: str, message: str, fix: str) -> Finding:
    return Finding(code=code, severity="warning", path=path, message=message, fix=fix)
