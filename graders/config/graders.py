"""Grader configs: exactly what a user may write, as frozen data.

Field names and defaults are the hosted API's. Nothing here runs; `compile_grader` turns a
config into something that does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from graders.config.content import TAG, Frozen, Messages, by_type
from graders.rows import Row, to_sample

Operation = Literal["eq", "ne", "like", "ilike"]
EvaluationMetric = Literal[
    "cosine",
    "fuzzy_match",
    "bleu",
    "gleu",
    "meteor",
    "rouge_1",
    "rouge_2",
    "rouge_3",
    "rouge_4",
    "rouge_5",
    "rouge_l",
]
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Aggregate = Literal["mean", "median", "majority"]
"""How the scores of several answers become one; `graders.kinds.repeats` defines them."""


def _rises(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] < ends[1]:
        return ends
    raise PydanticCustomError(
        "range",
        "{shown} does not rise: the first number must be below the second",
        {"shown": str(list(ends))},
    )


Range = Annotated[tuple[float, float], Field(strict=False), AfterValidator(_rises)]
Names = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]


class _Named(Frozen):
    name: str = Field(min_length=1)

    def templates(self) -> Iterator[tuple[str, str]]:
        """Every template in it, with its path below the grader."""
        yield from ()


class StringCheckConfig(_Named):
    """Compare two strings; 1.0 if the comparison holds, else 0.0."""

    type: Literal["string_check"]
    input: str
    reference: str
    operation: Operation

    def templates(self) -> Iterator[tuple[str, str]]:
        yield from ((".input", self.input), (".reference", self.reference))


class TextSimilarityConfig(_Named):
    """How alike two texts are, in [0, 1].

    Attributes:
        references: Our extension: path of a list of references, such as `item.answers`, of which
            the best counts. The hosted service does not know it and takes `reference`.
    """

    type: Literal["text_similarity"]
    input: str
    reference: str
    evaluation_metric: EvaluationMetric
    references: str | None = None
    pass_threshold: float | None = None

    def templates(self) -> Iterator[tuple[str, str]]:
        yield from ((".input", self.input), (".reference", self.reference))


class PythonConfig(_Named):
    """Run `grade(sample, item)` from a module's source; the float it returns is the score."""

    type: Literal["python"]
    source: str
    image_tag: str | None = None
    pass_threshold: float | None = None


class SamplingParams(Frozen):
    """How a judge samples. Null is the judge's own default."""

    seed: int | None = None
    top_p: float | None = None
    temperature: float | None = None
    max_completions_tokens: int | None = Field(default=None, ge=1)
    reasoning_effort: ReasoningEffort | None = None


class _Model(_Named):
    """What both kinds of judges have.

    Attributes:
        repeats: Our extension: how many answers are asked for each row, 1 to 1,000, of which one
            score is made. The hosted service does not know it and asks once.
        aggregate: Our extension: how it is made; None is the mean of a score_model and the
            majority of a label_model.
    """

    model: str = Field(min_length=1)
    input: Messages
    sampling_params: SamplingParams | None = None
    repeats: int = Field(default=1, ge=1, le=1000)
    aggregate: Aggregate | None = None

    def templates(self) -> Iterator[tuple[str, str]]:
        for i, message in enumerate(self.input):
            yield from ((f".input[{i}]{path}", text) for path, text in message.templates())


class ScoreModelConfig(_Model):
    """Ask a model for a number, clamped to `range`."""

    type: Literal["score_model"]
    range: Range = (0.0, 1.0)
    pass_threshold: float | None = None


class LabelModelConfig(_Model):
    """Ask a model for a label; 1.0 if it is among `passing_labels`, else 0.0."""

    type: Literal["label_model"]
    labels: Names
    passing_labels: Names

    @field_validator("passing_labels")
    @classmethod
    def _passing_labels_are_labels(
        cls, passing: tuple[str, ...], info: ValidationInfo
    ) -> tuple[str, ...]:
        labels = info.data.get("labels", passing)  # absent where they are wrong themselves
        known = frozenset(labels)
        unknown = [label for label in passing if label not in known]
        if unknown:
            raise PydanticCustomError(
                "passing_labels",
                "{shown} is not among labels ({labels})",
                {"shown": repr(unknown[0]), "labels": ", ".join(map(repr, labels))},
            )
        return passing


class EndpointConfig(_Named):
    """Ask an HTTP endpoint for the score (Azure preview)."""

    type: Literal["endpoint"]
    url: str = Field(pattern=r"^https?://")
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    rate_limit: float | None = Field(default=None, gt=0)
    pass_threshold: float | None = None


_StringCheck = Annotated[StringCheckConfig, Tag(TAG + "string_check")]
_TextSimilarity = Annotated[TextSimilarityConfig, Tag(TAG + "text_similarity")]
_Python = Annotated[PythonConfig, Tag(TAG + "python")]
_ScoreModel = Annotated[ScoreModelConfig, Tag(TAG + "score_model")]
_LabelModel = Annotated[LabelModelConfig, Tag(TAG + "label_model")]
_Endpoint = Annotated[EndpointConfig, Tag(TAG + "endpoint")]

MemberConfig = Annotated[
    _StringCheck | _TextSimilarity | _Python | _ScoreModel | _LabelModel | _Endpoint,
    Discriminator(by_type),
]


class MultiConfig(_Named):
    """Combine other graders' scores with a formula; `graders` are its variables."""

    type: Literal["multi"]
    graders: dict[str, MemberConfig] = Field(min_length=1)
    calculate_output: str
    pass_threshold: float | None = None


_Multi = Annotated[MultiConfig, Tag(TAG + "multi")]

GraderConfig = Annotated[
    _StringCheck | _TextSimilarity | _Python | _ScoreModel | _LabelModel | _Endpoint | _Multi,
    Discriminator(by_type),
]
CriterionConfig = Annotated[
    _StringCheck | _TextSimilarity | _Python | _ScoreModel | _LabelModel, Discriminator(by_type)
]


def _text_or_object(value: object) -> object:
    if isinstance(value, (str, dict)):
        return value
    shown = {"shown": repr(value)[:60]}
    raise PydanticCustomError("sample", "{shown} is not a string or an object", shown)


class RunRequest(Frozen):
    """The body of a hosted run request: one grading, self-contained."""

    grader: GraderConfig
    model_sample: Annotated[
        str | dict[str, Any],
        PlainValidator(_text_or_object, json_schema_input_type=str | dict[str, Any]),
    ]
    item: dict[str, Any] = Field(default_factory=dict)

    def row(self) -> Row:
        """Its sample and item, to be graded."""
        return Row(item=self.item, sample=to_sample(self.model_sample), row=1)


class EvalConfig(Frozen):
    """An Evals body: a sample passes when it passes every criterion."""

    testing_criteria: Annotated[tuple[CriterionConfig, ...], Field(strict=False, min_length=1)]
    name: str = "eval"
    data_source_config: object = None
    metadata: object = None


AnyConfig = (
    StringCheckConfig
    | TextSimilarityConfig
    | PythonConfig
    | ScoreModelConfig
    | LabelModelConfig
    | EndpointConfig
    | MultiConfig
    | EvalConfig
)
"""Everything that compiles to a grader."""


Location = tuple[str | int, ...]
"""Where something stands: keys and positions from the outside in."""


def walk(config: AnyConfig) -> Iterator[tuple[Location, AnyConfig]]:
    """A config and its members, each with its location.

    Example:
        >>> part = {"type": "python", "name": "n", "source": ""}
        >>> multi = MultiConfig.model_validate(
        ...     {"type": "multi", "name": "m", "graders": {"a": part}, "calculate_output": "a"})
        >>> [location for location, _ in walk(multi)]
        [(), ('graders', 'a')]
    """
    yield (), config
    if isinstance(config, MultiConfig):
        yield from ((("graders", key), member) for key, member in config.graders.items())
    elif isinstance(config, EvalConfig):
        for i, criterion in enumerate(config.testing_criteria):
            yield ("testing_criteria", i), criterion


def says_what_passes(config: AnyConfig) -> bool:
    """Whether a config says itself which of its scores pass.

    Example:
        >>> says_what_passes(PythonConfig(type="python", name="n", source="", pass_threshold=0.5))
        True
        >>> says_what_passes(PythonConfig(type="python", name="n", source=""))
        False
    """
    match config:
        case StringCheckConfig() | LabelModelConfig():
            return True  # these pass at a score of 1
        case EvalConfig():
            return all(map(says_what_passes, config.testing_criteria))
    return config.pass_threshold is not None
