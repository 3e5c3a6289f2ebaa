"""What stands beside the method in a job's body: models, files, and what jobs are told by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError

from graders.config.content import Frozen
from graders.config.explain import explain, show_path
from graders.errors import Finding, near_miss
from sandbox import JSON

_OF_A_KEY: Final = '["[key]"]'  # so pydantic says that a key is meant, and not its value
_LARGEST_SEED: Final = 2**31 - 1
BODY_KEYS: Final = frozenset(
    {
        *("model", "training_file", "validation_file", "method", "hyperparameters"),
        *("suffix", "seed", "integrations", "metadata"),
        "trainingType",  # Azure's
    }
)


class _Wandb(Frozen):
    project: str
    name: str | None = None
    entity: str | None = None
    tags: Annotated[tuple[str, ...], Field(strict=False)] | None = None


class _Integration(Frozen):
    type: Literal["wandb"]
    wandb: _Wandb


class _Body(Frozen):
    model: str | None = None
    training_file: str | None = None
    validation_file: str | None = None
    suffix: Annotated[str, Field(max_length=64)] | None = None
    seed: Annotated[int, Field(ge=0, le=_LARGEST_SEED)] | None = None
    metadata: (
        Annotated[
            dict[
                Annotated[str, Field(max_length=64)],
                Annotated[str, Field(max_length=512)],
            ],
            Field(max_length=16),
        ]
        | None
    ) = None
    integrations: Annotated[tuple[_Integration, ...], Field(strict=False)] | None = None


def check_body(body: Mapping[str, JSON]) -> Iterator[Finding]:
    """What is wrong beside the method.

    Example:
        >>> for finding in check_body({"seed": -1, "metadata": {"run": 7}}):
        ...     print(finding)
        seed: -1 is not at least 0
        metadata.run: 7 is not a string
    """
    try:
        _Body.model_validate(body)
    except ValidationError as error:
        for one in explain(error, {}):
            yield replace(one, code="job-body", path=one.path.removesuffix(_OF_A_KEY))
    if "method" in body and body.get("hyperparameters") is not None:
        said = "stand beside the method, where they are deprecated; those of the method count here"
        yield Finding(
            code="deprecated", severity="warning", path="hyperparameters", message=said,
            fix="Move them to method.<type>.hyperparameters.",
        )  # fmt: skip
    if "object" in body:  # a job as the service shows it, which has more keys
        return
    for key in sorted(body.keys() - BODY_KEYS):
        said = f"{key!r} is not a field of a fine-tuning job"
        hint = near_miss(key, BODY_KEYS - body.keys())
        yield Finding(
            code="unknown-key",
            severity="warning",
            path=show_path((key,), {}),
            message=said,
            fix=hint,
        )
