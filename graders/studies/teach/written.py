"""The texts that results are about, joined to their samples by row and place, as traits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from math import isnan, nan

import numpy as np

from graders.errors import GradersError, GradingError, RowError
from graders.grades import finite_number
from graders.rows import Row, output_texts
from graders.studies.statistics.statistic import Floats, Ints
from graders.studies.teach.samples import Samples
from graders.studies.teach.traits import TRAITS, traits_of
from graders.template import Slot, look_up

_AT_ONCE = 256


class OtherRowsError(GradersError):
    """Rows that are not those that were graded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What is known of samples from their rows; arrays have one value a sample, NaN is none.

    Attributes:
        found: Samples whose text is known.
        traits: By name, how much of it the text has; see `traits.TRAITS`.
        digests: Of the text, the same for equal texts; -1 where there is none.
        human: What a person said of the sample; None where nobody was asked for.
        bad_lines: Lines that are no rows, before all samples were found.
    """

    found: int
    traits: Mapping[str, Floats]
    digests: Ints
    human: Floats | None
    bad_lines: int


def read_written(
    samples: Samples, rows: Iterable[Row | RowError], human: Slot | None = None
) -> Written:
    """Look the samples' rows up, and read no further; memory holds a few texts at a time.

    Args:
        samples: What was graded.
        rows: The rows, in any order.
        human: Where a row has what a person said: a number, or true or false.

    Raises:
        OtherRowsError: A text has another length than was graded, or no sample has a row here.
        OSError: The rows cannot be read.
    """
    keys = zip(samples.rows.tolist(), samples.indexes.tolist(), strict=True)
    places = {key: place for place, key in enumerate(keys)}
    traits = {name: np.full(len(samples), np.nan) for name in TRAITS}
    digests = np.full(len(samples), -1, np.int64)
    labels = None if human is None else np.full(len(samples), np.nan)
    bad_lines, waiting = 0, list[tuple[int, Row]]()

    def take() -> None:
        at = np.array([place for place, _ in waiting], np.int64)
        texts = [_text(row, samples.output_chars[place]) for place, row in waiting]
        for name, column in traits_of([text or "" for text in texts]).items():
            traits[name][at] = np.where([text is None for text in texts], np.nan, column)
        digests[at] = [-1 if text is None else _digest(text) for text in texts]
        if labels is not None and human is not None:
            said = (label_at(human, row) for _, row in waiting)
            labels[at] = [nan if label is None else label for label in said]
        waiting.clear()

    for one in _at_places(places, rows):
        if isinstance(one, RowError):
            bad_lines += 1
            continue
        waiting.append(one)
        if len(waiting) == _AT_ONCE:
            take()
    if waiting:
        take()
    if len(places) == len(samples):
        raise OtherRowsError("no result is of a row in it. Name the file that was graded")
    found = int((digests >= 0).sum())
    return Written(found=found, traits=traits, digests=digests, human=labels, bad_lines=bad_lines)


def _at_places(
    places: dict[tuple[int, int], int], rows: Iterable[Row | RowError]
) -> Iterator[tuple[int, Row] | RowError]:
    """Rows with their places, which they take out of `places`, until none is left."""
    lines = iter(rows)
    while places and (row := next(lines, None)) is not None:
        if isinstance(row, RowError):
            yield row
        elif (place := places.pop((row.row, row.sample_index), None)) is not None:
            yield place, row


def _text(row: Row, chars: float) -> str | None:
    (text,) = output_texts([row])
    length = len(text) if isinstance(text, str) else None
    if length != (None if isnan(chars) else int(chars)):
        here = "none" if length is None else f"{length:,}"
        raise OtherRowsError(
            f"row {row.row}, sample {row.sample_index}: it had {shown_length(chars)} when it was "
            "graded and has "
            f"{here} here. Name the file that was graded, with --output, --outputs, --key as then"
        )
    return text if isinstance(text, str) else None


def shown_length(chars: float) -> str:
    """The length of a text, in words; NaN is that of no text.

    Example:
        >>> shown_length(1200.0), shown_length(1.0), shown_length(float("nan"))
        ('1,200 characters', '1 character', 'no text')
    """
    if isnan(chars):
        return "no text"
    return "1 character" if chars == 1 else f"{chars:,.0f} characters"


def _digest(text: str) -> int:
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big") >> 1


def label_at(human: Slot, row: Row) -> float | None:
    """What a person said of a row; None where it is no number, nor true or false."""
    try:
        value = look_up(human, row)
    except GradingError:
        return None
    return float(value) if isinstance(value, bool) else finite_number(value)
