"""What a run would ask, before anything is sent: calls, tokens and cost of its models.

Each row's prompts, and its texts for an embeddings server, are rendered by the graders themselves
and counted in place of being sent. A token is taken for 4 characters; an answer is anything from
the shortest that is one up to max_completions_tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from graders.clients import ModelReply, ModelRequest
from graders.clients.address import OPENAI_URL
from graders.clients.embedding import ServerEmbedder
from graders.clients.vectors import wants_embeddings
from graders.compile import Tools, compile_grader
from graders.config.graders import EndpointConfig, LabelModelConfig, ScoreModelConfig, walk
from graders.config.parse import Document
from graders.engine import RunOptions, grade_stream, run_sync
from graders.errors import RowError
from graders.grades import Grade, Grader, Usage, Waits
from graders.kinds.multi import by_row, first_failure, grade_all
from graders.kinds.text_similarity import server_asked
from graders.ledger import price_usd
from graders.profile import Profile
from graders.rows import Row
from graders.strict_json import encode
from sandbox import JSON

CHARS_PER_TOKEN: Final = 4
SHORTEST_ANSWER: Final = 10
"""Tokens of `{"steps":[],"result":0}`."""
LONGEST_ANSWER: Final = 4096
"""Tokens where the config sets no max_completions_tokens: what the service was seen to allow."""


@dataclass(slots=True)
class Asked:
    """What one model would be asked.

    Attributes:
        calls: Requests.
        prompt_chars: Characters of their messages and of the answer format.
        shortest_answers: Tokens that the answers have at least.
        longest_answers: Tokens that they could have.
        texts: Texts whose vectors are wanted, each once; a vector takes no tokens.
        images: Pictures in the messages, which are in no estimate.
        audio: Clips in the messages, the same.
    """

    calls: int = 0
    prompt_chars: int = 0
    shortest_answers: int = 0
    longest_answers: int = 0
    texts: int = 0
    images: int = 0
    audio: int = 0

    @property
    def prompt_tokens(self) -> int:
        """About how many tokens the prompts are."""
        return -(-self.prompt_chars // CHARS_PER_TOKEN)

    @property
    def answer_tokens(self) -> tuple[int, int]:
        """How many tokens the answers are, at least and at most."""
        return self.shortest_answers, self.longest_answers

    def add(self, request: ModelRequest) -> None:
        """Count a request."""
        self.calls += 1
        if wants_embeddings(request):
            self.texts += len(request.messages)
        else:
            self.shortest_answers += SHORTEST_ANSWER
            self.longest_answers += _longest_answer(request)
        self.prompt_chars += len(encode(request.schema)) if request.schema else 0
        for message in request.messages:
            blocks = [message.content] if isinstance(message.content, str) else message.content
            for block in blocks:
                self._add_block(block)

    def _add_block(self, block: JSON) -> None:
        match block:
            case str():
                self.prompt_chars += len(block)
            case {"type": "input_image"}:
                self.images += 1
            case {"type": "input_audio"}:
                self.audio += 1
            case {"text": str(text)}:
                self.prompt_chars += len(text)

    def usd(self, model: str, base_url: str) -> tuple[Decimal, Decimal] | None:
        """About what it would cost, at least and at most; None where the price is not known."""
        if not self.calls:
            return Decimal(0), Decimal(0)
        base_url = base_url or (OPENAI_URL if self.texts else "")  # as `ServerEmbedder` has it
        # By the mean request, because a price can depend on how long one request is.
        costs = [price_usd(model, self._mean(answers), base_url) for answers in self.answer_tokens]
        low, high = costs
        return None if low is None or high is None else (low * self.calls, high * self.calls)

    def _mean(self, answers: int) -> Usage:
        prompt = self.prompt_tokens // self.calls
        return Usage(prompt_tokens=prompt, completion_tokens=answers // self.calls)


def _longest_answer(request: ModelRequest) -> int:
    limit = request.sampling.get("max_completions_tokens")
    return limit if isinstance(limit, int) else LONGEST_ANSWER


@dataclass(slots=True)
class DryRun:
    """What a run would ask.

    Attributes:
        repeats: Whether what a config repeats is counted so often; a hosted service asks once.
        samples: Samples that were read.
        not_rendered: Those with a prompt that lacks a variable; they would fail unasked.
        bad_lines: Lines that are no rows.
        endpoint_calls: Requests to endpoint graders, which have no price.
        models: By the model's name.
    """

    repeats: bool = True
    samples: int = 0
    not_rendered: int = 0
    bad_lines: int = 0
    endpoint_calls: int = 0
    models: dict[str, Asked] = field(default_factory=dict)

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Count a request in place of sending it, with an answer that any grader can use."""
        if self.repeats or not request.repeat:
            self.models.setdefault(request.model, Asked()).add(request)
        if wants_embeddings(request):
            return ModelReply(text=encode([[1.0]] * len(request.messages)).decode())
        return ModelReply(text=encode({"steps": [], "result": _result(request)}).decode())


def _result(request: ModelRequest) -> JSON:
    match request.schema:
        case {"schema": {"properties": {"result": {"enum": [label, *_]}}}}:
            return label
    return 1  # not 0, of which a formula takes no logarithm and divides by none


@dataclass(frozen=True, slots=True)
class _Judges:
    """What asks a model in a config, without what it stands in."""

    judges: Mapping[str, Grader]
    name: str = "dry-run"
    signature: str = "dry-run"
    waits: Waits = "never"

    async def grade(self, rows: Sequence[Row]) -> list[Grade]:
        if not self.judges:
            return [Grade(name=self.name, score=0.0) for _ in rows]
        members = await grade_all(self.judges, rows)
        failures = [first_failure(parts) for parts in by_row(members)]
        return [
            Grade(name=self.name, failure=failure) if failure else Grade(name=self.name, score=0.0)
            for failure in failures
        ]


def count_calls(
    document: Document,
    rows: Iterable[Row | RowError],
    options: RunOptions,
    profile: Profile,
    *,
    repeats: bool = True,
) -> DryRun:
    """Count what grading rows would ask, with or without what the config repeats.

    Raises:
        ConfigError: A judge does not compile.
        RowError: A bad line, if `options.strict`.
        OSError: The rows cannot be read to their end.
    """
    counted = DryRun(repeats=repeats)
    judges = dict(_judges(document, Tools(client=counted), counting_profile(profile, counted)))
    parts = [part for _, part in walk(document.grader)]
    endpoints = sum(isinstance(part, EndpointConfig) for part in parts)

    def bad_line(_: RowError) -> None:
        counted.bad_lines += 1

    async def count() -> None:
        async for batch in grade_stream(_Judges(judges), rows, options, bad_line=bad_line):
            counted.samples += len(batch)
            counted.not_rendered += sum(grade.failure is not None for _, grade, _ in batch)

    run_sync(count)
    counted.endpoint_calls = endpoints * counted.samples
    return counted


def counting_profile(profile: Profile, counted: DryRun) -> Profile:
    """The same profile, whose embedder asks the count in place of its server, if it has one."""
    embedder = profile.metrics.cosine
    if not isinstance(embedder, ServerEmbedder):
        return profile
    counting = replace(embedder, client=counted, cache=None, kept=None)
    return replace(profile, metrics=replace(profile.metrics, cosine=counting))


def _judges(document: Document, tools: Tools, profile: Profile) -> Iterator[tuple[str, Grader]]:
    for location, part in walk(document.grader):
        judge = isinstance(part, ScoreModelConfig | LabelModelConfig)
        if judge or server_asked(part, profile.metrics):
            yield document.place(location), compile_grader(part, tools=tools, profile=profile)
