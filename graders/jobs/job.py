"""A fine-tuning job as a file has it: a method alone, or a job's body with the method in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from graders.checks import check_document
from graders.config.explain import shown
from graders.config.methods import DPO, Reinforcement, ReinforcementMethod, Supervised
from graders.config.parse import Document, decode_config, parse_config
from graders.errors import ConfigError, Finding, findings_of, near_miss
from graders.jobs.body import check_body
from graders.jobs.bounds import KINDS, Kind
from graders.profile import Profile
from sandbox import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job to plan.

    Attributes:
        kind: Its method.
        findings: What there is to say about its form and its grader.
        document: The checked method; None where its form is wrong.
        model: The base model, where the body names it.
        prefix: Where the method stands in the file: "" or `method.`.
        is_old: Whether there is none, and its hyperparameters stand in the body, as they did
            before there were methods.
    """

    kind: Kind
    findings: tuple[Finding, ...]
    document: Document | None = None
    model: str | None = None
    prefix: str = ""
    is_old: bool = False

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The hyperparameters, with `"auto"` where nothing is given; none where they are wrong."""
        if self.document is None:
            return {}
        # Warnings: to pydantic, the integers that are among the numbers are of another type.
        match self.document.value:
            case Supervised(supervised=method):
                return method.hyperparameters.model_dump(warnings=False)
            case DPO(dpo=method):
                return method.hyperparameters.model_dump(warnings=False)
        assert self.reinforcement is not None, "there is no fourth method"
        return self.reinforcement.hyperparameters.model_dump(warnings=False)

    @property
    def reinforcement(self) -> ReinforcementMethod | None:
        """What a reinforcement method holds."""
        match self.document:
            case Document(value=Reinforcement(reinforcement=method)):
                return method
            case Document(value=ReinforcementMethod() as method):
                return method
        return None

    @property
    def hyperparameters(self) -> str:
        """Where they stand in the file: `method.dpo.hyperparameters`."""
        bare = self.document is not None and isinstance(self.document.value, ReinforcementMethod)
        return self.prefix + ("" if bare or self.is_old else f"{self.kind}.") + "hyperparameters"

    @property
    def gradable(self) -> Document | None:
        """The method with its grader, where there is one that can be tried."""
        if self.reinforcement is None or findings_of("error", self.findings):
            return None
        return self.document

    def describe(self) -> str:
        """What it is, in a few words."""
        return f"a {self.kind} method" if self.document is None else self.document.describe()


def read_job(name: str, data: bytes, profile: Profile, python: str | None = None) -> Job:
    """Read a job and check all that needs no row.

    Args:
        name: What the file is called, for places in it.
        data: What it holds.
        profile: Settings that decide which metrics there are.
        python: The interpreter for python graders; by default the one that runs this.

    Raises:
        ConfigError: It is not JSON, or no fine-tuning method. What is wrong inside of a method
            are findings.

    Example:
        >>> from graders.profile import OPENAI
        >>> job = read_job("dpo.json", b'{"type": "dpo", "dpo": {"hyperparameters": {"beta": 3}}}',
        ...     OPENAI)
        >>> print(job.findings[0])
        dpo.hyperparameters.beta: 3 is not 'auto' or a number above 0 and at most 2
    """
    return check_job(decode_config(data, name), profile, python)


def check_job(plain: JSON, profile: Profile, python: str | None = None) -> Job:
    """Check all of a job that needs no row.

    Args:
        plain: A method, a job's body, or a job as the service shows it.
        profile: Settings that decide which metrics there are.
        python: The interpreter for python graders; by default the one that runs this.

    Raises:
        ConfigError: It is no fine-tuning method.
    """
    body = plain if isinstance(plain, dict) and "type" not in plain else {}
    prefix = "method." if "method" in body else ""
    is_old = not prefix and "training_file" in body
    method = _old_method(body) if is_old else body["method"] if prefix else plain
    kind = _kind_of(method, prefix)
    document, inside = None, list[Finding]()
    try:
        document = parse_config(method)
    except ConfigError as error:
        inside += error.findings
    else:
        inside += document.findings
        if document.has_grader:
            inside += check_document(document, profile, python)
    if is_old:
        inside = [replace(one, path=one.path.removeprefix("supervised.")) for one in inside]
    placed = [replace(one, path=prefix + one.path if one.path else prefix[:-1]) for one in inside]
    is_body = bool(prefix) or is_old
    model = body.get("model") if is_body else None
    return Job(
        kind=kind,
        findings=(*(check_body(body) if is_body else ()), *placed),
        document=document,
        model=model if isinstance(model, str) else None,
        prefix=prefix,
        is_old=is_old,
    )


def _old_method(body: Mapping[str, JSON]) -> JSON:
    """What a body without a method means by its hyperparameters."""
    given = body.get("hyperparameters")
    return {
        "type": "supervised",
        "supervised": {} if given is None else {"hyperparameters": given},
    }


def _kind_of(plain: JSON, prefix: str) -> Kind:
    """The method that an object is meant as, whether or not it is right.

    Raises:
        ConfigError: It is none.
    """
    body = plain if isinstance(plain, dict) else {}
    if body.get("type") in KINDS:
        return cast("Kind", body["type"])
    if "grader" in body and "type" not in body:
        return "reinforcement"
    path = f"{prefix}type" if "type" in body else prefix[:-1]
    given = body.get("type")
    message = f"{shown(given)} is not one of {', '.join(KINDS)}"
    fix = near_miss(given, KINDS) if isinstance(given, str) else ""
    if "type" not in body:
        message = "is no fine-tuning method: an object whose type is one of " + ", ".join(KINDS)
    elif not fix:
        fix = 'A grader stands in one: {"type": "reinforcement", "reinforcement": {"grader": ...}}'
    raise ConfigError(
        Finding(code="not-a-method", severity="error", path=path, message=message, fix=fix)
    )
