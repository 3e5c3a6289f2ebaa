"""A fine-tuning job as a file has it: a method alone, or a job's body with the method in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

from graders.checks import check_document
from graders.config.explain import show_path, shown
from graders.config.methods import DPO, Reinforcement, ReinforcementMethod, Supervised
from graders.config.parse import Document, decode_config, parse_config
from graders.errors import ConfigError, Finding, near_miss
from graders.jobs.bounds import KINDS, Kind
from graders.profile import Profile
from sandbox import JSON

_BODY_KEYS: Final = frozenset(
    {
        *("model", "training_file", "validation_file", "method", "hyperparameters"),
        *("suffix", "seed", "integrations", "metadata"),
        "trainingType",  # Azure's
    }
)
_LONGEST_SUFFIX: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job to plan.

    Attributes:
        kind: Its method.
        findings: What there is to say about its form and its grader.
        document: The checked method; None where its form is wrong.
        model: The base model, where the body names it.
        prefix: Where the method stands in the file: "" or `method.`.
    """

    kind: Kind
    findings: tuple[Finding, ...]
    document: Document | None = None
    model: str | None = None
    prefix: str = ""

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The hyperparameters, with `"auto"` where nothing is given; none where they are wrong."""
        if self.document is None:
            return {}
        match self.document.value:
            case Supervised(supervised=method):
                return method.hyperparameters.model_dump()
            case DPO(dpo=method):
                return method.hyperparameters.model_dump()
        assert self.reinforcement is not None, "there is no fourth method"
        return self.reinforcement.hyperparameters.model_dump()

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
        return self.prefix + ("" if bare else f"{self.kind}.") + "hyperparameters"

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
    plain = decode_config(data, name)
    body = plain if isinstance(plain, dict) and "type" not in plain else {}
    prefix = "method." if "method" in body else ""
    method = body["method"] if prefix else plain
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
    placed = [replace(one, path=prefix + one.path if one.path else prefix[:-1]) for one in inside]
    model = body.get("model") if prefix else None
    return Job(
        kind=kind,
        findings=(*(_check_body(body) if prefix else ()), *placed),
        document=document,
        model=model if isinstance(model, str) else None,
        prefix=prefix,
    )


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


def _check_body(body: Mapping[str, JSON]) -> Iterator[Finding]:
    """What is wrong beside the method."""
    if not isinstance(body.get("model", ""), str):
        yield _error("model", f"{shown(body['model'])} is not a string")
    suffix = body.get("suffix")
    if isinstance(suffix, str) and len(suffix) > _LONGEST_SUFFIX:
        yield _error("suffix", f"has {len(suffix)} characters, and may have {_LONGEST_SUFFIX}")
    if body.get("hyperparameters") is not None:
        said = "stand beside the method, where they are deprecated; those of the method count here"
        yield Finding(
            code="deprecated", severity="warning", path="hyperparameters", message=said,
            fix="Move them to method.<type>.hyperparameters.",
        )  # fmt: skip
    if "object" in body:  # a job as the service shows it, which has more keys
        return
    for key in sorted(body.keys() - _BODY_KEYS):
        said = f"{key!r} is not a field of a fine-tuning job"
        hint = near_miss(key, _BODY_KEYS - body.keys())
        yield Finding(
            code="unknown-key",
            severity="warning",
            path=show_path((key,), {}),
            message=said,
            fix=hint,
        )


def _error(path: str, message: str) -> Finding:
    return Finding(code="job-body", severity="error", path=path, message=message)
