"""`score_model` and `label_model`: a model reads the row and answers with a number or a label.

The answer is JSON, steps before the result, as the hosted judge gives it; the verdict is read
from the judge's own answer and from nowhere else. An answer that cannot be used is a failure of
its own kind, never a low score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Final

import msgspec

from graders.clients import Message, ModelClient, ModelReply, ModelRequest
from graders.clients.media import check_media
from graders.config.content import Frozen
from graders.config.content import Message as MessageConfig
from graders.config.graders import (
    Aggregate,
    LabelModelConfig,
    SamplingParams,
    ScoreModelConfig,
)
from graders.errors import FailureKind, GradingError
from graders.grades import (
    Grade,
    Waits,
    finite_number,
    grade_each,
    passes,
    signed,
    total_usage,
)
from graders.kinds.repeats import combine_repeats
from graders.rows import Row
from graders.strict_json import NotJSONError, decode, encode
from graders.template import Rendering, Template, compile_template
from graders.terminal import shorten
from sandbox import JSON

_STEPS: Final[dict[str, JSON]] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"description": {"type": "string"}, "conclusion": {"type": "string"}},
        "required": ["description", "conclusion"],
        "additionalProperties": False,
    },
}


_KEPT: Final = 4_000
"""Characters of a reply that is of no use."""


def answer_schema(name: str, result: dict[str, JSON]) -> dict[str, JSON]:
    """The hosted answer format: steps, then the result, both required, nothing else."""
    return {
        "name": name,
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"steps": _STEPS, "result": result},
            "required": ["steps", "result"],
            "additionalProperties": False,
        },
    }


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages of a judge, their templates parsed."""

    messages: tuple[tuple[str, Template | tuple[object, ...]], ...]

    @classmethod
    def compile(cls, messages: Sequence[MessageConfig], rendering: Rendering) -> Prompt:
        """Parse every template in every block."""
        return cls(tuple((m.role, _compile(m.content, rendering)) for m in messages))

    def render(self, row: Row) -> tuple[Message, ...]:
        """The messages of one row.

        Raises:
            GradingError: A template variable is missing.
        """
        return tuple(Message(role, _render(content, row)) for role, content in self.messages)


def _compile(content: object, rendering: Rendering) -> Template | tuple[object, ...]:
    if isinstance(content, str):
        return compile_template(content, rendering)
    parts = content if isinstance(content, tuple) else (content,)
    return tuple(_compile_block(_as_block(part), rendering) for part in parts)


def _as_block(part: object) -> JSON:
    """A block in the hosted words, without the keys that nobody reads."""
    if not isinstance(part, Frozen):
        return {"type": "input_text", "text": str(part)}
    values = {name: getattr(part, name) for name in type(part).model_fields}
    return {
        name: _as_block(value) if isinstance(value, Frozen) else value
        for name, value in values.items()
        if value is not None
    }


def _compile_block(value: JSON, rendering: Rendering) -> object:
    if isinstance(value, dict):
        return {key: _compile_block(entry, rendering) for key, entry in value.items()}
    return compile_template(value, rendering) if isinstance(value, str) else value


def _render(content: object, row: Row) -> str | list[JSON]:
    if isinstance(content, Template):
        return content.render(row)
    assert isinstance(content, tuple)
    return [_render_block(block, row) for block in content]


def _render_block(value: object, row: Row) -> JSON:
    if isinstance(value, dict):
        return {key: _render_block(entry, row) for key, entry in value.items()}
    return value.render(row) if isinstance(value, Template) else value  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class JudgeGrader:
    """Compiled `score_model` or `label_model`. How many requests run at once is the client's."""

    config: ScoreModelConfig | LabelModelConfig
    prompt: Prompt
    client: ModelClient
    threshold: float | None

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def signature(self) -> str:
        repeats = f"|repeats:{self.config.repeats}|aggregate:{self.aggregate}"
        several = repeats if self.config.repeats > 1 else ""
        return signed(f"{self.config.type}|model:{self.config.model}{several}", self.threshold)

    @property
    def aggregate(self) -> Aggregate:
        """How several answers become one score."""
        if self.config.aggregate is not None:
            return self.config.aggregate
        return "mean" if isinstance(self.config, ScoreModelConfig) else "majority"

    @property
    def waits(self) -> Waits:
        return "rows"

    async def grade(self, rows: Sequence[Row]) -> list[Grade]:
        return await grade_each(rows, self._judge)

    async def _judge(self, row: Row) -> Grade:
        started = perf_counter()
        try:
            request = self._request(row)
        except GradingError as error:
            passed = passes(None, self.threshold)
            return Grade(name=self.name, failure=error.failure, passed=passed)
        if self.config.repeats == 1:
            return _with_messages(await self._ask(request), request)
        requests = [replace(request, repeat=repeat) for repeat in range(self.config.repeats)]
        repeats = await grade_each(requests, self._ask)
        parts = {str(number): grade for number, grade in enumerate(repeats, start=1)}
        grade = combine_repeats(self.name, parts, self.aggregate, self.threshold)
        seconds = perf_counter() - started
        whole = msgspec.structs.replace(grade, seconds=seconds, usage=total_usage(parts))
        return _with_messages(whole, request)

    async def _ask(self, request: ModelRequest) -> Grade:
        started = perf_counter()
        reply, score, failure = None, None, None
        detail: dict[str, JSON] = {}
        try:
            reply = await self.client.complete(request)
            detail["reply"] = reply.text
            score = self._score(read_answer(reply), detail)
        except GradingError as error:
            failure = error.failure
            if reply is not None:
                detail["reply"] = _cut(reply.text)
        return Grade(
            name=self.name,
            score=score,
            failure=failure,
            passed=passes(score, self.threshold),
            detail=detail,
            seconds=perf_counter() - started,
            usage={self.config.model: reply.usage} if reply and reply.usage else None,
            resources={"attempts": reply.attempts, "cached": reply.cached} if reply else {},
        )

    def _request(self, row: Row) -> ModelRequest:
        if isinstance(self.config, ScoreModelConfig):
            schema = answer_schema("float_score_classification", {"type": "number"})
        else:
            labels: list[JSON] = list(self.config.labels)
            schema = answer_schema("label_classification", {"type": "string", "enum": labels})
        messages = self.prompt.render(row)
        check_media(messages)  # here, so that a broken image fails whoever is asked
        return ModelRequest(
            model=self.config.model,
            messages=messages,
            schema=schema,
            sampling=_set_params(self.config.sampling_params),
        )

    def _score(self, result: JSON, detail: dict[str, JSON]) -> float:
        if isinstance(self.config, LabelModelConfig):
            if result not in self.config.labels:
                raise _unusable(f"the judge's label {_shown(result)} is not among the labels")
            detail["label"] = result
            return float(result in self.config.passing_labels)
        number = finite_number(result)
        if number is None:
            raise _unusable(f"the judge's result {_shown(result)} is not a finite number")
        low, high = self.config.range
        score = min(max(number, low), high)
        if score != number:
            detail["clamped_from"] = result
        return score


def _set_params(params: SamplingParams | None) -> Mapping[str, JSON]:
    if params is None:
        return {}
    known: Mapping[str, JSON] = params.model_dump(include=set(SamplingParams.model_fields))
    return {key: value for key, value in known.items() if value is not None}


def read_answer(reply: ModelReply) -> JSON:
    """The result in a judge's answer.

    Raises:
        GradingError: The judge refused, was cut off, or did not answer in the agreed form.
    """
    if reply.refusal is not None:
        raise GradingError(FailureKind.MODEL_REFUSAL, f"the judge refused: {reply.refusal[:200]}")
    if reply.truncated:
        message = "the judge's answer was cut off; raise max_completions_tokens"
        raise GradingError(FailureKind.MODEL_MAX_TOKENS, message)
    try:
        answer = decode(reply.text, unique_keys=True)
    except NotJSONError as error:
        problem = "is not JSON" if error.line else f"is ambiguous, {error.problem}"
        raise _unusable(f"the judge's answer {problem}: {reply.text[:200]!r}") from None
    if not isinstance(answer, dict) or "result" not in answer:
        raise _unusable(f"the judge's answer has no result: {reply.text[:200]!r}")
    return answer["result"]


def _with_messages(grade: Grade, request: ModelRequest) -> Grade:
    """A grade with what the judge was asked, once, however often it was, if it ever answered.

    Where it did not, the prompt explains nothing, and in an outage there is one for every row.
    """
    whole = grade.failure is None
    if not whole and not any("reply" in one.detail for one in (grade, *grade.parts.values())):
        return grade
    messages: list[JSON] = [
        {"role": one.role, "content": _asked(one.content, whole=whole)} for one in request.messages
    ]
    return msgspec.structs.replace(grade, detail={"messages": messages, **grade.detail})


def _asked(content: object, *, whole: bool) -> JSON:
    """Text as it was asked; of pictures and sounds, and for a failed row, the beginning."""
    if isinstance(content, str):
        return content if whole else _cut(content)
    if isinstance(content, Mapping):
        return {
            str(key): _asked(value, whole=whole and key == "text") for key, value in content.items()
        }
    if isinstance(content, Sequence):
        return [_asked(value, whole=whole) for value in content]
    return content  # type: ignore[return-value]


def _cut(reply: str) -> str:
    """A text for a failed row: what failed is seen at its beginning, and results stay small."""
    return reply if len(reply) <= _KEPT else f"{reply[:_KEPT]} ... (of {len(reply):,} characters)"


def _shown(value: JSON) -> str:
    return shorten(encode(value).decode(), 80)


def _unusable(message: str) -> GradingError:
    return GradingError(FailureKind.MODEL_PARSE, message)
