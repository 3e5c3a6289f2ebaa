"""The dry run of a fine-tuning job: `graders lint` and `graders plan`, told as a job's events.

It is called in a process beside the server: 50,000 rows take seconds. Lint is about graders and
the rows that they meet; a method without a grader has its rows checked by the plan alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import time
from typing import Final, Literal, NamedTuple

from graders.errors import Finding, Severity, findings_of
from graders.jobs.bounds import Target, most_tokens
from graders.jobs.datasets import Dataset, read_dataset
from graders.jobs.job import Job, check_job
from graders.jobs.plan import Given, Plan, plan_job
from graders.jobs.trial import try_job
from graders.lint import Options
from graders.lint.rows import check_rows
from graders.lint.static import check_config
from graders.lint.targets import TARGETS
from graders.profile import Profile
from graders.report.plan_lines import to_lines
from graders.report.planned import to_json
from graders.server.storage import new_id
from graders.terminal import printable_lines
from sandbox import JSON

Level = Literal["info", "warn", "error"]
Event = dict[str, JSON]

_LEVELS: Final[Mapping[Severity, Level]] = {"error": "error", "warning": "warn", "note": "info"}
_MOST: Final = 1_000
"""Findings of lint and of a plan that are kept; a config may have as many as it has places."""
_LONGEST: Final = 4_000
"""Characters of one, which may name a key of any length."""
_PARAMS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("too-few-rows", "too-many-rows", "too-many-tokens"), "training_file"),
    **dict.fromkeys(("no-validation", "too-many-validation-rows"), "validation_file"),
}
"""What of a job findings are about that name no place."""


class RowsFile(NamedTuple):
    """A file of rows, and what it is called."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A job to try.

    Attributes:
        body: As it was sent, and found right.
        target: The service that it is meant for.
        profile: Settings of metrics.
        training: Its rows.
        validation: Those to evaluate on, where there are some.
    """

    body: dict[str, JSON]
    target: Target
    profile: Profile
    training: RowsFile
    validation: RowsFile | None


class Fault(NamedTuple):
    """Why a job has failed, as the SDKs have it."""

    code: str
    message: str
    param: str | None = None


class Tried(NamedTuple):
    """What came of a job.

    Attributes:
        events: What there is to say, in that order.
        plan: As JSON.
        fault: Why the job would fail; None where nothing says that it would.
    """

    events: list[Event]
    plan: bytes
    fault: Fault | None


def event(message: str, level: Level = "info", data: JSON = None) -> Event:
    """An event of a job, now."""
    return {
        "object": "fine_tuning.job.event",
        "id": new_id("ftevent-"),
        "created_at": int(time()),
        "level": level,
        "message": printable_lines(message),
        "type": "message",
        "data": data,
    }


def try_out(work: Work) -> Tried:
    """Lint a job and plan it.

    Raises:
        OSError: A file cannot be read.
    """
    job = check_job(work.body, work.profile)
    plan = _planned(job, work)
    plan = replace(plan, findings=tuple(_kept(plan.findings)))
    findings = list(dict.fromkeys([*_kept([*_linted(job, work)]), *plan.findings]))
    findings.sort(key=_gravity)
    return Tried(
        events=[*map(_told, findings), event("\n".join(to_lines(plan)))],
        plan=json.dumps(to_json(plan), indent=2).encode(),
        fault=_fault(findings_of("error", findings), work),
    )


def _kept(findings: Sequence[Finding]) -> Iterator[Finding]:
    """No more of them, and no more of each, than anybody reads; of too many, the gravest."""
    cut = sorted(findings, key=_gravity) if len(findings) > _MOST else findings
    for one in cut[:_MOST]:
        texts = (one.path, one.message, one.fix)
        path, message, fix = (text[:_LONGEST] for text in texts)
        yield replace(one, path=path, message=message, fix=fix)
    if len(cut) > _MOST:
        said = f"there are {len(cut) - _MOST:,} findings more, which are not kept"
        yield Finding(code="more", severity=cut[_MOST].severity, path="", message=said)


def _gravity(finding: Finding) -> int:
    return list(_LEVELS).index(finding.severity)


def _planned(job: Job, work: Work) -> Plan:
    most = most_tokens(job.kind, job.model)

    def read(file: RowsFile) -> Dataset:
        return read_dataset(file.path, job.kind, work.target, most_tokens=most, name=file.name)

    training = read(work.training)
    return plan_job(
        Given(
            job=job,
            target=work.target,
            model=job.model,
            training=training,
            validation=None if work.validation is None else read(work.validation),
            tried=try_job(job, training, (), work.profile),
            measured=None,
            samples=None,
            assumed={},
            samples_per_item=None,
        )
    )


def _linted(job: Job, work: Work) -> Iterator[Finding]:
    """What lint says of a grader and the rows that it would meet, with paths in the body."""
    document, target = job.gradable, TARGETS[work.target]
    if document is None:
        return
    findings = check_config(document, work.profile, target)
    file = work.training
    found = check_rows(file.path, document, Options(target=target, profile=work.profile))
    findings += [finding for finding, line in found.findings if line is None]
    for finding in findings:
        yield replace(finding, path=job.prefix + finding.path if finding.path else "")
    for finding, line in found.findings:
        if line is not None:
            yield replace(finding, path=f"{file.name}:{line}:1")


def _told(finding: Finding) -> Event:
    data: JSON = {
        "code": finding.code,
        "severity": finding.severity,
        "path": finding.path,
        "message": finding.message,
        "fix": finding.fix,
    }
    return event(str(finding), _LEVELS[finding.severity], data)


def _fault(errors: Sequence[Finding], work: Work) -> Fault | None:
    if not errors:
        return None
    message = str(errors[0])
    if len(errors) > 1:
        message += f" ({len(errors) - 1:,} more: the job's events have them all)"
    return Fault(errors[0].code, printable_lines(message), _param(errors[0], work))


def _param(finding: Finding, work: Work) -> str | None:
    """The field of a job's body that a finding is about."""
    if finding.path.startswith(f"{work.training.name}:"):
        return "training_file"
    if work.validation is not None and finding.path.startswith(f"{work.validation.name}:"):
        return "validation_file"
    return finding.path or _PARAMS.get(finding.code)
