"""Fine-tuning methods: supervised, dpo and reinforcement, with every hyperparameter's bounds."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PlainValidator, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from graders.config.content import TAG, Frozen, by_type
from graders.config.graders import GraderConfig

Auto = Literal["auto"]
_LARGEST = sys.float_info.max
_LARGEST_INTEGER = 2**63 - 1
"""What a service can hold; so that arithmetic on it stays finite."""


def _integer(low: int, high: int | None = None) -> tuple[PlainValidator, WithJsonSchema]:
    bounds = f"an integer of at least {low}" if high is None else f"an integer from {low} to {high}"

    def check(value: object) -> object:
        most = _LARGEST_INTEGER if high is None else high
        fits = type(value) is int and low <= value <= most
        return value if fits or value == "auto" else _refuse(value, bounds)

    number = {"type": "integer", "minimum": low} | ({} if high is None else {"maximum": high})
    return PlainValidator(check), WithJsonSchema({"anyOf": [{"const": "auto"}, number]})


def _number(above: float, most: float | None = None) -> tuple[PlainValidator, WithJsonSchema]:
    bounds = f"a number above {above:g}" + ("" if most is None else f" and at most {most:g}")

    def check(value: object) -> object:
        fits = (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and above < value <= (_LARGEST if most is None else most)
        )
        return value if fits or value == "auto" else _refuse(value, bounds)

    number = {"type": "number", "exclusiveMinimum": above}
    number |= {} if most is None else {"maximum": most}
    return PlainValidator(check), WithJsonSchema({"anyOf": [{"const": "auto"}, number]})


def _refuse(value: object, bounds: str) -> object:
    raise PydanticCustomError(
        "hyperparameter",
        "{shown} is not 'auto' or {bounds}",
        {"shown": repr(value)[:60], "bounds": bounds},
    )


class SupervisedHyperparameters(Frozen):
    """How supervised fine-tuning trains."""

    batch_size: Annotated[int | Auto, *_integer(1, 256)] = "auto"
    n_epochs: Annotated[int | Auto, *_integer(1, 50)] = "auto"
    learning_rate_multiplier: Annotated[float | Auto, *_number(0)] = "auto"


class DPOHyperparameters(SupervisedHyperparameters):
    """How direct preference optimisation trains."""

    beta: Annotated[float | Auto, *_number(0, 2)] = "auto"


class ReinforcementHyperparameters(SupervisedHyperparameters):
    """How reinforcement fine-tuning trains."""

    compute_multiplier: Annotated[float | Auto, *_number(0.00001, 10)] = "auto"
    eval_interval: Annotated[int | Auto, *_integer(1)] = "auto"
    eval_samples: Annotated[int | Auto, *_integer(1)] = "auto"
    reasoning_effort: Literal["default", "low", "medium", "high"] = "default"


class SupervisedMethod(Frozen):
    """`method.supervised`."""

    hyperparameters: SupervisedHyperparameters = SupervisedHyperparameters()


class DPOMethod(Frozen):
    """`method.dpo`."""

    hyperparameters: DPOHyperparameters = DPOHyperparameters()


class ReinforcementMethod(Frozen):
    """`method.reinforcement`."""

    grader: GraderConfig
    hyperparameters: ReinforcementHyperparameters = ReinforcementHyperparameters()
    response_format: dict[str, Any] | None = None
    tools: Annotated[tuple[Any, ...], Field(strict=False)] | None = None
    max_episode_steps: int | None = Field(default=None, ge=1)


class Supervised(Frozen):
    """A supervised fine-tuning method."""

    type: Literal["supervised"]
    supervised: SupervisedMethod = SupervisedMethod()


class DPO(Frozen):
    """A direct preference optimisation method."""

    type: Literal["dpo"]
    dpo: DPOMethod = DPOMethod()


class Reinforcement(Frozen):
    """A reinforcement fine-tuning method."""

    type: Literal["reinforcement"]
    reinforcement: ReinforcementMethod


Method = Annotated[
    Annotated[Supervised, Tag(TAG + "supervised")]
    | Annotated[DPO, Tag(TAG + "dpo")]
    | Annotated[Reinforcement, Tag(TAG + "reinforcement")],
    Discriminator(by_type),
]
