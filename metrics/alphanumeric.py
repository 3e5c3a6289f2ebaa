"""Google's ROUGE tokens of many texts at once, as token strings, without looking at a word twice.

Tokens are lower-case runs of [a-z0-9], so eight of their characters fit into one integer and numpy
can find, compare and number them. On texts never seen before that is several times faster than
splitting each word and remembering it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from secrets import randbits
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORD: Final = 8  # bytes of an integer
# ASCII leaves the highest bit of eight characters free: it marks those that are only the beginning.
_LONGER: Final = 1 << 63


def encode(texts: Sequence[str]) -> list[str]:
    """Each text with one character per token. The characters mean the same within one call only.

    At most a million tokens: there are no more characters.

    Example:
        >>> one, other = encode(["The cat's the cat", "the dog"])
        >>> len(one), one[0] == one[3] == other[0]
        (5, True)
    """
    import numpy as np

    lowered = list(map(str.lower, texts))
    # Whatever is not ASCII becomes a question mark, which divides tokens just as well.
    data = "\n".join(("", *lowered, "")).encode("ascii", "replace") + bytes(2 * _WORD)
    start, end = _tokens(np.frombuffer(data, np.uint8))
    characters = (_equals(data, start, end) + 1).astype("<u4").tobytes()
    tokens = characters.decode("utf-32-le", "surrogatepass")
    text_ends = np.cumsum(list(map(len, lowered))) + np.arange(1, len(texts) + 1)
    bounds = [0, *np.searchsorted(start, text_ends).tolist()]
    return [tokens[i:j] for i, j in pairwise(bounds)]


def _tokens(data: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where tokens start and end."""
    import numpy as np

    # Unsigned, so that what is below wraps around to far above.
    inside = (data - np.uint8(ord("a")) < 26) | (data - np.uint8(ord("0")) < 10)
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    return edges[::2], edges[1::2]


def _equals(data: bytes, start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each token the number of one that equals it, the same one for all that do."""
    import numpy as np

    window = np.ndarray((len(data) - _WORD + 1,), "<u8", data, strides=(1,))
    mask = np.array([(1 << 8 * n) - 1 for n in range(_WORD + 1)], np.uint64)
    size = end - start
    head = window[start] & mask[np.minimum(size, _WORD)]
    long = np.flatnonzero(size > _WORD)
    head[long] |= np.uint64(_LONGER)
    equal = _first_equals(head)

    rest = size[long] - _WORD
    tail = window[start[long] + _WORD] & mask[np.minimum(rest, _WORD)]
    longer = np.flatnonzero(rest > _WORD)
    tail[longer] |= np.uint64(_LONGER)
    equal[long] = long[_first_equals(head[long], tail)]

    known: dict[bytes, int] = {}
    for number in long[longer].tolist():
        equal[number] = known.setdefault(data[start[number] : end[number]], number)
    return equal


def _first_equals(*keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """For each row of the columns `keys` the index of an equal row, the same for all that are.

    A hash table: all rows write their index into a slot, and read what is there. Those that find a
    row unlike them try again with other slots. The slots are random, so no text can be made to
    collide; which row is found does not matter to anyone.
    """
    import numpy as np

    count = len(keys[0])
    slot_bits = count.bit_length() + 1
    table = np.empty(1 << slot_bits, np.int64)
    found, left, rest = np.empty(count, np.int64), np.arange(count), keys
    while len(left):
        hashed = sum(key * np.uint64(randbits(64) | 1) for key in rest)
        slot = hashed >> np.uint64(64 - slot_bits)
        table[slot] = left
        there = table[slot]
        found[left] = there
        unlike = [key[there] != own for key, own in zip(keys, rest, strict=True)]
        again = np.flatnonzero(np.logical_or.reduce(unlike))
        left, rest = left[again], tuple(own[again] for own in rest)
    return found
