"""A line of rows as lint sees it: an item, perhaps messages in it, and samples if there are any.

Unlike `graders.row_files` it takes lines without an output: prompts to train on have none yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from graders.outputs import OutputError, samples_of
from graders.row_files import OUTPUT_KEYS
from graders.rows import Row, to_sample
from sandbox import JSON

PROMPT_KEYS: Final = ("prompt", "question", "input", "instruction", "query", "problem")
"""Where a row without messages has what is asked."""
PLACES_TRIED: Final = 64
"""Places of a text in a prompt that are looked at; made-up rows have millions."""
_ALNUM: Final = re.compile(r"\w")


@dataclass(slots=True)
class Line:
    """One line.

    Attributes:
        number: Counted from 1.
        item: The row's own fields.
        samples: What models answered; none where the line has no answer.
        is_flat: Whether the line is the item, as in a training file.
    """

    number: int
    item: Mapping[str, JSON]
    samples: Sequence[str | Mapping[str, JSON]] = ()
    is_flat: bool = True
    _prompt: str | None = None

    def rows(self, *, whole: bool) -> list[Row]:
        """Each sample as a row.

        Args:
            whole: Fill in every field of a sample that is text; otherwise its text alone.
        """
        return [
            Row(item=self.item, sample=_sample(sample, whole=whole), row=self.number)
            for sample in self.samples
        ]

    @property
    def prompt(self) -> str:
        """What a model is asked, as one text, folded for comparison."""
        if self._prompt is None:
            self._prompt = prompt_of(self.item).casefold()
        return self._prompt


def _sample(sample: str | Mapping[str, JSON], *, whole: bool) -> Mapping[str, JSON]:
    return {"output_text": sample} if isinstance(sample, str) and not whole else to_sample(sample)


def split_line(number: int, line: dict[str, JSON]) -> Line | str:
    """A line's item and samples, or what is wrong with it."""
    is_flat = "item" not in line and "model_sample" not in line
    keys = OUTPUT_KEYS if is_flat else ("sample", "samples", "model_sample", *OUTPUT_KEYS)
    output = next((key for key in keys if key in line), None)
    if is_flat:
        item: JSON = {k: v for k, v in line.items() if k != output}
    else:
        item = line.get("item", {})
    if not isinstance(item, dict):
        return "item is no object"
    try:
        samples = () if output is None else samples_of(line[output])
    except OutputError as error:
        return str(error)
    return Line(number, item, samples, is_flat=is_flat)


def messages_of(item: Mapping[str, JSON]) -> list[Mapping[str, JSON]] | None:
    """A row's messages, where they are messages."""
    messages = item.get("messages")
    if not isinstance(messages, list) or not messages:
        return None
    for message in messages:
        if not (isinstance(message, dict) and isinstance(message.get("role"), str)):
            return None
    return cast("list[Mapping[str, JSON]]", messages)


def prompt_of(item: Mapping[str, JSON]) -> str:
    """What a model is asked by a row, as one text; "" where nothing looks like it."""
    messages = messages_of(item)
    if messages is not None:
        return "\n".join(text for message in messages for text in _texts(message.get("content")))
    return "\n".join(v for key in PROMPT_KEYS if isinstance(v := item.get(key), str))


def _texts(content: JSON) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, dict) and isinstance(text := part.get("text"), str):
                yield text


def stands_in(part: str, text: str) -> bool:
    """Whether a folded text has another in it as words of their own, in any case.

    Example:
        >>> stands_in("Paris", "is it paris?"), stands_in("art", "a party")
        (True, False)
    """
    part = part.strip().casefold()
    start = -1
    for _ in range(PLACES_TRIED):
        start = text.find(part, start + 1)
        if start < 0:
            return False
        around = text[max(start - 1, 0) : start] + text[start + len(part) : start + len(part) + 1]
        if not _ALNUM.search(around):
            return True
    return False
