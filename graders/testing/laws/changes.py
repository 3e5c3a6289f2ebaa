"""Changes of a text that a grader may be meant not to notice.

Each gives pairs of texts that differ in nothing else: some that are always tried, and a strategy.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from graders.strict_json import decode_or_none
from sandbox import JSON

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Pair = tuple[str, str]
_SPACES: Final = (" ", "  ", "\n", "\t", " \n ")
_ENDS: Final = ("", " ", "\n")
_LAYOUTS: Final[tuple[Callable[[JSON], str], ...]] = (
    partial(json.dumps, ensure_ascii=False),
    partial(json.dumps, ensure_ascii=False, separators=(",", ":")),
    partial(json.dumps, ensure_ascii=False, indent=2),
)


def exemplars(change: str, text: str) -> list[Pair]:
    """Pairs made of a text in the usual ways; none where the change does nothing to it."""
    return [(one, other) for one, other in _EXEMPLARS[change](text) if one != other]


def drawn(change: str, text: str) -> SearchStrategy[Pair]:
    """Pairs made of a text in any way; of equal texts where the change does nothing to it."""
    return _DRAWN[change](text)


def _case(text: str) -> Iterator[Pair]:
    for changed in (text.lower(), text.upper(), text.swapcase()):
        if _same_letters(text, changed):
            yield text, changed


def _cases(text: str) -> SearchStrategy[Pair]:
    from hypothesis import strategies as st

    def flipped(places: Sequence[int]) -> Pair:
        changed = "".join(c.swapcase() if i in places else c for i, c in enumerate(text))
        return text, changed if _same_letters(text, changed) else text

    places = st.integers(0, max(0, len(text) - 1))
    return st.lists(places, min_size=1, max_size=8).map(flipped)


def _same_letters(one: str, other: str) -> bool:
    """Whether they are equal to whoever ignores case, in whichever of the usual ways."""
    ways = (str.lower, str.upper, str.casefold)
    return all(way(one) == way(other) for way in ways)  # not so for a German ss or a final sigma


def _whitespace(text: str) -> Iterator[Pair]:
    if _is_document(text):
        for layout in _LAYOUTS:
            yield text, layout(decode_or_none(text))
    elif text.split():
        yield text, "\n".join(text.split())
    yield text, f" {text}\n"


def _whitespaces(text: str) -> SearchStrategy[Pair]:
    from hypothesis import strategies as st

    ends = st.tuples(st.sampled_from(_ENDS), st.sampled_from(_ENDS))
    if _is_document(text):  # a space within its strings means something
        inner = st.sampled_from(_LAYOUTS).map(lambda layout: layout(decode_or_none(text)))
    else:
        words = text.split()
        between = max(0, len(words) - 1)
        gaps = st.lists(st.sampled_from(_SPACES), min_size=between, max_size=between)
        inner = gaps.map(lambda gaps: _woven(words, gaps))
    return st.tuples(ends, inner).map(lambda made: (text, f"{made[0][0]}{made[1]}{made[0][1]}"))


def _woven(words: Sequence[str], gaps: Sequence[str]) -> str:
    return "".join(map(str.__add__, words, [*gaps, ""]))


def _is_document(text: str) -> bool:
    return isinstance(decode_or_none(text), (dict, list))


def _key_order(text: str) -> Iterator[Pair]:
    value = decode_or_none(text)
    yield json.dumps(value), json.dumps(_reordered(value, lambda keys: keys[::-1]))
    yield json.dumps(value), json.dumps(_reordered(value, sorted))


def _key_orders(text: str) -> SearchStrategy[Pair]:
    from hypothesis import strategies as st

    value = decode_or_none(text)

    def permuted(order: Sequence[int]) -> Pair:
        return json.dumps(value), json.dumps(
            _reordered(value, lambda keys: [keys[i] for i in order if i < len(keys)])
        )

    return st.permutations(range(_most_keys(value))).map(permuted)


def _reordered(value: JSON, order: Callable[[list[str]], list[str]]) -> JSON:
    match value:
        case dict():
            return {key: _reordered(value[key], order) for key in order([*value])}
        case list():
            return [_reordered(entry, order) for entry in value]
    return value


def _most_keys(value: JSON) -> int:
    """Of the largest object in a value."""
    match value:
        case dict():
            return max(len(value), *map(_most_keys, value.values()), 0)
        case list():
            return max(0, 0, *map(_most_keys, value))
    return 0


def _unicode_form(text: str) -> Iterator[Pair]:
    yield unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)


def _unicode_forms(text: str) -> SearchStrategy[Pair]:
    from hypothesis import strategies as st

    pairs = exemplars("unicode_form", text) or exemplars("unicode_form", text + "é")
    return st.sampled_from(pairs)


_EXEMPLARS: Final[Mapping[str, Callable[[str], Iterator[Pair]]]] = {
    "case": _case,
    "whitespace": _whitespace,
    "key_order": _key_order,
    "unicode_form": _unicode_form,
}
_DRAWN: Final[Mapping[str, Callable[[str], SearchStrategy[Pair]]]] = {
    "case": _cases,
    "whitespace": _whitespaces,
    "key_order": _key_orders,
    "unicode_form": _unicode_forms,
}
