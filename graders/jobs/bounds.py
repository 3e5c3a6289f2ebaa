"""What the hosted services allow and decide, as tables, each line with how sure we are of it.

`D` is documented by the vendor, `S` seen in a real hosted job, `I` inferred. Bounds of the
hyperparameters are not here: they are those that a method is checked against. Nor are judges,
graders and metrics: `graders.lint.targets` has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from graders.config.methods import (
    DPOHyperparameters,
    ReinforcementHyperparameters,
    SupervisedHyperparameters,
)
from graders.errors import Severity
from graders.jobs.ranges import Range
from graders.lint import targets as places

Sure = Literal["D", "S", "I"]
Target = Literal["openai-rft", "azure-rft"]
Kind = Literal["supervised", "dpo", "reinforcement"]

TARGETS: Final[tuple[Target, ...]] = get_args(Target)
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
HYPERPARAMETERS: Final[Mapping[Kind, type[SupervisedHyperparameters]]] = {
    "supervised": SupervisedHyperparameters,
    "dpo": DPOHyperparameters,
    "reinforcement": ReinforcementHyperparameters,
}

AUTO: Final[Mapping[str, str]] = {
    "n_epochs": "the service decides by the size of the dataset",
    "batch_size": "the service decides; nobody says by what",
    "learning_rate_multiplier": "the service decides; no number here depends on it",
    "beta": "the service decides; no number here depends on it",
    "compute_multiplier": "the service decides; scales the samples drawn for a row",
    "eval_interval": "the service decides: steps from one evaluation to the next",
    "eval_samples": "the service decides; samples of an evaluation, in all or for each row",
}
"""What is known of `"auto"`, by hyperparameter."""

SAMPLES_PER_ITEM: Final = Range(2, None)
"""Several answers are drawn for each row and epoch [D]; how many, the service never says."""

USD_PER_HOUR: Final[Mapping[str, int]] = {"o4-mini": 100, "o4-mini-2025-04-16": 100}
"""What an hour in the core training loop of a reinforcement job costs [D]."""

PYTHON_SECONDS: Final = Range(4.8, 6.8)
"""What one hosted run of a trivial python grader took [S]."""


def bounds_of(kind: Kind, name: str) -> tuple[Range, bool]:
    """The documented bounds of a hyperparameter, and whether the lower end is itself excluded.

    Example:
        >>> bounds_of("dpo", "beta")
        (Range(low=0, high=2), True)
    """
    schema = HYPERPARAMETERS[kind].model_json_schema()["properties"][name]["anyOf"][1]
    above = "exclusiveMinimum" in schema
    low = schema["exclusiveMinimum" if above else "minimum"]
    return Range(low, schema.get("maximum")), above


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A bound that a service puts on a job.

    Attributes:
        code: That of the finding where a job goes over it.
        kinds: The methods it holds for.
        targets: The services that have it.
        what: What it bounds, the name of a total.
        least: It must be this at least.
        most: It may be this at most.
        severity: Of a job that is certain to break it.
        sure: How sure we are of it.
        source: Where it is written.
        fix: What to do.
    """

    code: str
    kinds: tuple[Kind, ...]
    targets: tuple[Target, ...]
    what: str
    least: float = 0
    most: float | None = None
    severity: Severity = "error"
    sure: Sure
    source: str
    fix: str


_RFT: Final[tuple[Kind, ...]] = ("reinforcement",)
_TOKENS: Final[tuple[Kind, ...]] = ("supervised", "dpo")
_AZURE: Final[tuple[Target, ...]] = ("azure-rft",)
_OPENAI: Final[tuple[Target, ...]] = ("openai-rft",)
LIMITS: Final = (
    Limit(
        code="too-few-rows",
        kinds=_TOKENS,
        targets=TARGETS,
        what="training rows",
        least=10,
        sure="D",
        source="OpenAI's supervised fine-tuning guide",
        fix="Add rows; 50 to 100 is where improvements are seen.",
    ),
    Limit(
        code="too-few-rows",
        kinds=_RFT,
        targets=TARGETS,
        what="training rows",
        least=1,
        sure="I",
        source="there is nothing to train on",
        fix="Add rows.",
    ),
    Limit(
        code="too-many-rows",
        kinds=_RFT,
        targets=TARGETS,
        what="training rows",
        most=places.TARGETS["openai-rft"].rows["train"],
        sure="D",
        source="OpenAI's reinforcement fine-tuning guide",
        fix="Train on a part of the rows.",
    ),
    Limit(
        code="too-many-validation-rows",
        kinds=_RFT,
        targets=TARGETS,
        what="validation rows",
        most=places.TARGETS["openai-rft"].rows["test"],
        sure="D",
        source="OpenAI's reinforcement fine-tuning guide",
        fix="Validate on a part of the rows.",
    ),
    Limit(
        code="no-validation",
        kinds=_RFT,
        targets=_AZURE,
        what="validation rows",
        least=1,
        sure="D",
        source="Azure's reinforcement fine-tuning page",
        fix="Give --validation ROWS.",
    ),
    Limit(
        code="no-validation",
        kinds=_RFT,
        targets=_OPENAI,
        what="validation rows",
        least=1,
        severity="warning",
        sure="I",
        source="OpenAI's examples, which all have a test file",
        fix="Give --validation ROWS.",
    ),
    Limit(
        code="file-too-large",
        kinds=KINDS,
        targets=_AZURE,
        what="bytes of the largest file",
        most=512 * 2**20,
        sure="D",
        source="Azure OpenAI's quotas and limits",
        fix="Train on a part of the rows.",
    ),
    Limit(
        code="file-too-large",
        kinds=KINDS,
        targets=_OPENAI,
        what="bytes of the largest file",
        most=512 * 2**20,
        sure="I",
        source="OpenAI's files API",
        fix="Train on a part of the rows.",
    ),
    Limit(
        code="too-many-tokens",
        kinds=_TOKENS,
        targets=_AZURE,
        what="training tokens",
        most=2_000_000_000,
        sure="D",
        source="Azure OpenAI's quotas and limits",
        fix="Train on fewer rows, or for fewer epochs.",
    ),
    Limit(
        code="slow-grading",
        kinds=_RFT,
        targets=TARGETS,
        what="seconds of the slowest grading measured",
        most=120,
        sure="D",
        source="the graders guide, of python graders",
        fix="Make the grader faster: it is stopped, and the row fails.",
    ),
    Limit(
        code="paused-by-cost",
        kinds=_RFT,
        targets=_AZURE,
        what="dollars for judges and training",
        most=5_000,
        severity="warning",
        sure="D",
        source="Azure's reinforcement fine-tuning page",
        fix="The job pauses there, with a checkpoint; plan to resume it, or to spend less.",
    ),
)

BASE_MODELS: Final[Mapping[Target, tuple[str, ...]]] = {
    "openai-rft": ("o4-mini-2025-04-16",),
    "azure-rft": ("o4-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5-2025-08-07"),
}
"""What reinforcement jobs train [D]."""

EXAMPLE_TOKENS: Final[Mapping[str, tuple[int, Sure]]] = {
    "gpt-3.5-turbo-0613": (4_096, "D"),
    "gpt-3.5-turbo-1106": (16_385, "D"),
    "gpt-3.5-turbo-0125": (16_385, "D"),
    "gpt-4o-2024-08-06": (65_536, "I"),
    "gpt-4o-mini-2024-07-18": (65_536, "I"),
    "gpt-4.1-2025-04-14": (65_536, "I"),
    "gpt-4.1-mini-2025-04-14": (65_536, "I"),
    "gpt-4.1-nano-2025-04-14": (65_536, "I"),
}
"""Tokens of one training example, by base model; what is longer is cut off [D]."""


def most_tokens(kind: Kind, model: str | None) -> int | None:
    """How long an example may be; None where nothing is known, or nothing is cut off.

    Example:
        >>> most_tokens("supervised", "gpt-3.5-turbo-0613"), most_tokens("dpo", "gpt-4o")
        (4096, None)
    """
    tokens, _ = EXAMPLE_TOKENS.get(model or "", (None, ""))
    return tokens if kind == "supervised" else None
