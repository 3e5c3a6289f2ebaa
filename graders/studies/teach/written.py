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
from graders.studies.teach.references import USUAL, References
from graders.studies.teach.samples import Samples, first_regrouped
from graders.studies.teach.traits import TRAITS, traits_of
from graders.studies.verdict import shown_length
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
        reference: Where rows have the reference; None where none was looked for, or none is there.
        reference_chars: How long it is; None where `reference` is.
        bad_lines: Lines that are no rows, before all samples were found.
    """

    found: int
    traits: Mapping[str, Floats]
    digests: Ints
    human: Floats | None
    bad_lines: int
    reference: Slot | None = None
    reference_chars: Floats | None = None


def read_written(
    samples: Samples,
    rows: Iterable[Row | RowError],
    human: Slot | None = None,
    reference: Slot | None = None,
) -> Written:
    """Look the samples' rows up, and read no further; memory holds a few texts at a time.

    Args:
        samples: What was graded.
        rows: The rows, in any order.
        human: Where a row has what a person said: a number, or true or false.
        reference: Where a row has its reference; None is at the usual keys, where a text or a
            list of texts stands, and only where results do not say how long one is.

    Raises:
        OtherRowsError: A text has another length than was graded, a line has fewer samples, items
            begin in other lines, or no sample has a row here.
        OSError: The rows cannot be read.
    """
    keys = zip(samples.rows.tolist(), samples.indexes.tolist(), strict=True)
    places = {key: place for place, key in enumerate(keys)}
    slots = _slots(samples, reference, human)
    references = References(len(samples), slots, named=reference is not None)
    texts = _Texts(samples, human, references)
    bad_lines, lines, waiting = 0, set[int](), list[tuple[int, Row]]()
    for one in _at_places(places, rows):
        if isinstance(one, RowError):
            bad_lines += 1
            continue
        lines.add(one[1].row)
        waiting.append(one)
        if len(waiting) == _AT_ONCE:
            texts.take(waiting)
    if waiting:
        texts.take(waiting)
    if len(places) == len(samples):
        raise OtherRowsError("no result is of a row in it. Name the file that was graded")
    _refuse_shorter_lines(places, lines)
    return texts.written(bad_lines)


class _Texts:
    """What is known of texts, in columns that are filled as rows come."""

    def __init__(self, samples: Samples, human: Slot | None, references: References) -> None:
        self.samples, self.human, self.references = samples, human, references
        self.lines = np.full(len(samples), -1, np.int64)
        self.traits = {name: np.full(len(samples), np.nan) for name in TRAITS}
        self.digests = np.full(len(samples), -1, np.int64)
        self.labels = None if human is None else np.full(len(samples), np.nan)

    def take(self, waiting: list[tuple[int, Row]]) -> None:
        """Look at rows and their places, and forget them."""
        at = np.array([place for place, _ in waiting], np.int64)
        texts = [_text(row, self.samples.output_chars[place]) for place, row in waiting]
        for place, row in waiting:
            if isinstance(row.group, int) and 0 <= row.group < 1 << 63:  # it may be any value
                self.lines[place] = row.group
            self.references.take(place, row)
        for name, column in traits_of([text or "" for text in texts]).items():
            self.traits[name][at] = np.where([text is None for text in texts], np.nan, column)
        self.digests[at] = [-1 if text is None else _digest(text) for text in texts]
        if self.labels is not None and self.human is not None:
            said = (label_at(self.human, row) for _, row in waiting)
            self.labels[at] = [nan if label is None else label for label in said]
        waiting.clear()

    def written(self, bad_lines: int) -> Written:
        """All of it.

        Raises:
            OtherRowsError: Items of samples that are here begin elsewhere.
        """
        _refuse_other_items(self.samples, self.lines)
        where, lengths = self.references.found() or (None, None)
        return Written(
            found=int((self.digests >= 0).sum()),
            traits=self.traits,
            digests=self.digests,
            human=self.labels,
            bad_lines=bad_lines,
            reference=where,
            reference_chars=lengths,
        )


def _slots(samples: Samples, reference: Slot | None, human: Slot | None) -> tuple[Slot, ...]:
    """Where references are looked for."""
    if reference is not None:
        return (reference,)
    if not np.isnan(samples.reference_chars).all():
        return ()
    return tuple(slot for slot in USUAL if slot != human)  # item.label may be either


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


def _refuse_other_items(samples: Samples, lines: Ints) -> None:
    then, found = samples.groups_by_line, np.flatnonzero(lines >= 0)
    if then is None:
        return
    first = first_regrouped(then[found], lines[found])
    if first is not None:
        at = found[first]
        raise OtherRowsError(
            f"row {samples.rows[at]}, sample {samples.indexes[at]}: its item began in line "
            f"{then[at]} when it was graded and begins in line {lines[at]} here. Name the file "
            "that was graded, with --column as then; if items of it were edited since, name it as "
            "it was, or grade it again"
        )


def _refuse_shorter_lines(missing: Iterable[tuple[int, int]], lines: set[int]) -> None:
    """Of a line that is there, all samples are."""
    for row, index in missing:
        if row in lines:
            raise OtherRowsError(
                f"row {row}, sample {index}: it was graded, and the line has no such sample here. "
                "Name the file that was graded, with --outputs as then"
            )


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
