"""A fine-tuning job as a server keeps it and shows it: what never changes of it is in a file."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Final, Literal

from graders.hosted import masked_grader
from graders.jobs.job import Job
from graders.server.jobs.planning import Event, Fault, event
from graders.strict_json import decode
from sandbox import JSON

Status = Literal["validating_files", "succeeded", "failed", "cancelled"]

_ORGANISATION: Final = "org-local"
_SUPERVISED: Final = ("batch_size", "learning_rate_multiplier", "n_epochs")


@dataclass(slots=True, kw_only=True)
class StoredJob:
    """A job.

    Attributes:
        id: Its own, and the name of its file in the room, which has all that never changes.
        path: Of that file.
        metadata: To be found by.
        events: What happened; where that is in a file, what happened since.
        told: The file of events, where there is one.
        status: How far it is.
        fault: Why it has failed.
        finished_at: In seconds since 1970; None where it is under way.
        result: The id of the file that has the plan.
        task: What is under way.
    """

    id: str
    path: Path
    metadata: Mapping[str, JSON]
    events: list[Event]
    told: Path | None = None
    status: Status = "validating_files"
    fault: Fault | None = None
    finished_at: int | None = None
    result: str | None = None
    task: asyncio.Task[None] | None = None

    def end(self, status: Status, message: str, fault: Fault | None = None) -> None:
        """Say that it has ended."""
        self.status, self.fault, self.finished_at = status, fault, int(time())
        self.events.append(event(message, "info" if fault is None else "error"))

    def all_events(self) -> list[Event]:
        """The oldest first."""
        kept = [] if self.told is None else decode(self.told.read_bytes())
        return [*kept, *self.events]  # type: ignore[misc]


def fixed_part(name: str, body: Mapping[str, JSON], job: Job) -> dict[str, JSON]:
    """What of a job never changes, as it is shown."""
    seed = body.get("seed")
    settings = job.settings if job.kind == "supervised" else {}
    return {
        "object": "fine_tuning.job",
        "id": name,
        "created_at": int(time()),
        "model": body["model"],
        "training_file": body["training_file"],
        "validation_file": body.get("validation_file"),
        "organization_id": _ORGANISATION,
        "hyperparameters": {key: settings[key] for key in _SUPERVISED if key in settings},
        "method": _method(job),
        "seed": secrets.randbelow(2**31) if seed is None else seed,
        "user_provided_suffix": body.get("suffix"),
        "integrations": body.get("integrations") or [],
        "metadata": body.get("metadata"),
    }


def _method(job: Job) -> dict[str, JSON]:
    """A job's method, with every hyperparameter, and without credentials."""
    inside: dict[str, JSON] = {}
    if (method := job.reinforcement) is not None:
        inside = method.model_dump(mode="json", exclude_unset=True, warnings=False)
        inside["grader"] = masked_grader(inside["grader"])
    inside["hyperparameters"] = dict(job.settings)
    return {"type": job.kind, job.kind: inside}


def show(job: StoredJob) -> dict[str, JSON]:
    """The hosted shape of a job."""
    fixed = decode(job.path.read_bytes())
    assert isinstance(fixed, dict), "our own"
    return {
        **fixed,
        "status": job.status,
        "error": None if job.fault is None else job.fault._asdict(),
        "finished_at": job.finished_at,
        "estimated_finish": None,
        "fine_tuned_model": None,
        "trained_tokens": None,
        "result_files": [] if job.result is None else [job.result],
    }
