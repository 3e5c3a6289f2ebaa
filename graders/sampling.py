"""Drawing what is to be graded: prompts through a model, into lines that `graders run` reads.

A line of the input is an item: a fine-tuning row with `messages`, a row `{"item": {...}}` (its
samples, if it has some, are left out), or a flat object. Its prompt is its `messages`, or a
template over it. A line of the output is

    {"item": {...}, "samples": [sample objects]}

and where some could not be drawn, also `"failures": [{"sample": 2, "kind": ..., "message": ...}]`,
which counts from 0 over all that were asked for. A failure is never an empty sample: that would be
graded. What a model refused or did not finish is a sample, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from graders.clients import Message, ModelClient, ModelReply, ModelRequest
from graders.column_map import Columns, unsampled
from graders.errors import Failure, GradingError, RowError, TemplateError
from graders.grades import together
from graders.lines import decode_object, kind_of, numbered, open_lines
from graders.rows import Row, to_sample
from graders.strict_json import encode
from graders.template import Slot, Template, compile_template
from graders.window import in_order
from sandbox import JSON

_ROLES: Final = ("system", "developer", "user", "assistant")
_REQUESTS_AHEAD: Final = 1024
"""Drawn at once, of the rows that are read; how many are sent at once is the client's to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What to ask a model, and the item that it is about.

    Attributes:
        row: 1-based line of the file.
        item: The item, for the line that is written.
        messages: What to ask.
    """

    row: int
    item: Mapping[str, JSON]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How samples are drawn.

    Attributes:
        model: Whom to ask.
        count: Samples of each prompt.
        sampling: Parameters, in the hosted words of `sampling_params`.
        seed: The first sample of each prompt is drawn with this seed, the next with the one after
            it, so that they can be drawn again and still differ; None is no seed.
    """

    model: str
    count: int
    sampling: Mapping[str, JSON] = field(default_factory=dict)
    seed: int | None = None

    def requests(self, prompt: Prompt) -> list[ModelRequest]:
        """One request for each sample of a prompt."""
        return [
            ModelRequest(
                model=self.model,
                messages=prompt.messages,
                schema=None,
                sampling={**self.sampling, **self._seeded(repeat)},
                repeat=repeat,
            )
            for repeat in range(self.count)
        ]

    def _seeded(self, repeat: int) -> dict[str, JSON]:
        return {} if self.seed is None else {"seed": self.seed + repeat}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The samples of one prompt.

    Attributes:
        prompt: What was asked.
        samples: Sample objects, in the hosted form.
        failures: Why there are fewer than were asked for, by the sample's position.
    """

    prompt: Prompt
    samples: list[Mapping[str, JSON]]
    failures: Mapping[int, Failure]

    def to_line(self) -> bytes:
        """The line of the samples file, with its end."""
        line: dict[str, object] = {"item": self.prompt.item, "samples": self.samples}
        if self.failures:
            line["failures"] = [
                {"sample": at, "kind": failure.kind.value, "message": failure.message}
                for at, failure in self.failures.items()
            ]
        return encode(line) + b"\n"


async def draw(
    client: ModelClient,
    prompts: Iterable[Prompt],
    drawing: Drawing,
    write: Callable[[Drawn], None],
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Draw the samples of all prompts, many at once.

    However it ends, the samples of each prompt that has all of them are written.

    Args:
        client: Whom to ask; bounds how many requests are in flight.
        prompts: Read in a thread, and only as far ahead as is asked.
        drawing: How.
        write: Called with each prompt's samples, in the order of the prompts.
        stopped: When true, no further prompt is asked.
    """
    ahead = max(1, _REQUESTS_AHEAD // drawing.count)

    async def work(prompt: Prompt) -> Drawn:
        return await _draw_one(client, prompt, drawing)

    async with aclosing(in_order(prompts, work, ahead=ahead, stopped=stopped)) as stream:
        async for finished in stream:
            for _, drawn in finished:
                write(drawn)


async def _draw_one(client: ModelClient, prompt: Prompt, drawing: Drawing) -> Drawn:
    outcomes = await together(_ask(client, request) for request in drawing.requests(prompt))
    return Drawn(
        prompt=prompt,
        samples=[outcome for outcome in outcomes if not isinstance(outcome, Failure)],
        failures={at: one for at, one in enumerate(outcomes) if isinstance(one, Failure)},
    )


async def _ask(client: ModelClient, request: ModelRequest) -> Mapping[str, JSON] | Failure:
    try:
        return sample_of(await client.complete(request))
    except GradingError as error:
        return error.failure


def sample_of(reply: ModelReply) -> Mapping[str, JSON]:
    """The hosted sample object for a model's reply.

    Example:
        >>> sample = sample_of(ModelReply(text="Par", truncated=True, model="m"))
        >>> sample["output_text"], sample["choices"][0]["finish_reason"], sample["model"]
        ('Par', 'length', 'm')
    """
    message: JSON = {
        "role": "assistant",
        "content": reply.text,
        "refusal": reply.refusal,
        "tool_calls": [],
    }
    finish = "length" if reply.truncated else "stop"
    choices: JSON = [{"index": 0, "message": message, "finish_reason": finish}]
    return {**to_sample(reply.text), "choices": choices, "model": reply.model}


def compile_prompt(text: str) -> Template:
    """A prompt template; it may use the item, and there is no sample yet.

    Raises:
        TemplateError: It does not parse, or asks for the sample.
    """
    template = compile_template(text)
    for piece in template.pieces:
        if isinstance(piece, Slot) and piece.namespace == "sample":
            problem = "a prompt has no sample to use: it is what the model will answer"
            raise TemplateError(problem, text, text.find("sample"))
    return template


def read_prompts(
    path: Path | str, template: Template | None, columns: Columns | None = None
) -> Iterator[Prompt | RowError]:
    """Stream the prompts of a file; a line that has none comes as its error.

    Args:
        path: A file, whose name says its form, or `-` for JSON Lines from standard input.
        template: Makes the prompt of an item; None takes its `messages`.
        columns: What columns are, where their names do not say it.

    Raises:
        OSError: The file cannot be read.
    """
    with open_lines(path) as lines:
        for number, line in numbered(lines):
            place = f"{path}:{number}:1"
            try:
                row = unsampled(columns, place, decode_object(str(path), number, line))
                yield _prompt(place, row, template, number)
            except RowError as error:
                yield error


def _prompt(place: str, line: dict[str, JSON], template: Template | None, number: int) -> Prompt:
    item = line.get("item", line)
    if not isinstance(item, dict):
        raise RowError(place, f"item is {kind_of(item)}, and must be an object")
    if template is None:
        messages = _messages(place, item.get("messages", line.get("messages")))
    else:
        try:
            text = template.render(Row(item=item, sample={}))
        except GradingError as error:
            raise RowError(place, f"--prompt: {error}") from None
        messages = (Message("user", text),)
    return Prompt(row=number, item=item, messages=messages)


def _messages(place: str, given: JSON) -> tuple[Message, ...]:
    if given is None:
        raise RowError(place, "has no messages; --prompt TEMPLATE makes a prompt of other keys")
    if not isinstance(given, list) or not given:
        raise RowError(place, f"messages is {kind_of(given)}, and must be a list with a message")
    messages = tuple(_message(place, f"messages[{i}]", m) for i, m in enumerate(given))
    if messages[-1].role == "assistant":
        raise RowError(place, "the last message is the assistant's, so there is nothing to answer")
    return messages


def _message(place: str, where: str, given: JSON) -> Message:
    match given:
        case {"tool_calls": [_, *_]} | {"function_call": {}}:
            raise RowError(place, f"{where} has tool calls, and only text, images and audio go out")
        case {"role": str(role), "content": str(content)} if role in _ROLES:
            return Message(role, content)
        case {"role": str(role), "content": [*blocks]} if role in _ROLES:
            where = f"{where}.content"
            return Message(
                role, [_block(place, f"{where}[{i}]", block) for i, block in enumerate(blocks)]
            )
    roles = ", ".join(_ROLES)
    raise RowError(place, f"{where} is no message with a content and one of the roles {roles}")


def _block(place: str, where: str, given: JSON) -> JSON:
    """A block of a chat message, or a hosted one, in the hosted words."""
    match given:
        case {"type": "text" | "input_text" | "output_text", "text": str(text)}:
            return {"type": "input_text", "text": text}
        case {"type": "image_url", "image_url": {"url": str(url), "detail": str(detail)}}:
            return {"type": "input_image", "image_url": url, "detail": detail}
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return {"type": "input_image", "image_url": url}
        case {"type": "input_image", "image_url": str()}:
            return given
        case {"type": "input_audio", "input_audio": {"data": str(), "format": str()}}:
            return given
        case {"type": "input_audio"}:
            wanted = '{"input_audio": {"data": BASE64, "format": "wav" or "mp3"}}'
            raise RowError(place, f"{where} has no audio that can be sent: {wanted} is wanted")
    raise RowError(place, f"{where} is no text, image_url or input_audio block")
