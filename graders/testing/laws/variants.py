"""Samples that hypothesis makes of what a case file has: its samples, and the texts of its items.

A text is made of the words and the whole texts there, and of characters that nobody expected; so
it may be an answer, an answer among others, one said twice, or none. Each shrinks to little.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from graders.strict_json import decode_or_none
from graders.testing.laws.bench import Bench, Variant, text_of, with_text
from sandbox import JSON

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_WORD: Final = re.compile(r"\w+|\W")
_LONGEST: Final = 2_000
"""Characters of a text that others are made of; the words of a longer one still are."""
_WORDS: Final = 500
_ODD: Final[tuple[JSON, ...]] = (None, True, 0, -1, 0.5, "", "x", [], {})
"""Values where another type is expected."""


def variants(bench: Bench, cases: Sequence[int]) -> SearchStrategy[Variant]:
    """Samples on the items of some cases."""
    from hypothesis import strategies as st

    seen = texts_of(bench, range(len(bench.cases.file.cases)))
    texts = st.one_of(_texts(seen), *_documents(seen))
    return st.builds(_saying, st.sampled_from(bench.samples(cases)), texts)


def _saying(variant: Variant, text: str) -> Variant:
    return replace(variant, sample=with_text(variant.sample, text))


def texts_of(bench: Bench, cases: Sequence[int]) -> list[str]:
    """Every text that some cases have in samples and items, the shortest first."""
    everything = bench.samples(cases)
    texts = {text for variant in everything if (text := text_of(variant.sample)) is not None}
    texts |= {text for variant in everything for text in _leaves(bench.item(variant))}
    return sorted(texts, key=lambda text: (len(text), text))


def documents_of(texts: Sequence[str]) -> list[dict[str, JSON]]:
    """The JSON objects among texts."""
    return [value for text in texts if isinstance(value := decode_or_none(text), dict)]


def odd_documents(seen: Sequence[str]) -> list[JSON]:
    """The JSON objects among texts, each without one of its keys, or with an odd value there."""
    return [
        value
        for document in documents_of(seen)
        for key in document
        for value in (
            {other: document[other] for other in document if other != key},
            *({**document, key: odd} for odd in _ODD),
        )
    ]


def _leaves(value: JSON) -> Iterator[str]:
    match value:
        case str():
            yield value
        case bool() | None:
            pass
        case int() | float():
            yield json.dumps(value)
        case list():
            for entry in value:
                yield from _leaves(entry)
        case dict():
            for entry in value.values():
                yield from _leaves(entry)


def _texts(seen: Sequence[str]) -> SearchStrategy[str]:
    from hypothesis import strategies as st

    words = {word for text in seen for word in _WORD.findall(text)[:_WORDS]}
    whole = {text for text in seen if len(text) <= _LONGEST}
    pieces = sorted(words | whole | {" "}, key=lambda text: (len(text), text))
    piece = st.one_of(st.sampled_from(pieces), st.text(max_size=3))
    text = st.lists(piece, max_size=6).map("".join)
    # Both shrink: to once, and to the shortest beginning that will do.
    return st.builds(
        lambda text, times, length: (text * times)[:length],
        text,
        st.integers(1, 3),
        st.integers(0, _LONGEST),
    )


def _documents(seen: Sequence[str]) -> list[SearchStrategy[str]]:
    """JSON objects, where the case file has some: of its keys and values, and odd ones."""
    from hypothesis import strategies as st

    documents = documents_of(seen)
    keys = sorted({key for document in documents for key in document})
    if not keys:
        return []
    values: list[Any] = [value for document in documents for value in document.values()]
    value = st.sampled_from([*_ODD, *values])
    return [st.dictionaries(st.sampled_from(keys), value).map(json.dumps)]
