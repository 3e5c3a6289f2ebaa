"""N-grams that two token strings share, each counted at most as often as the other side has it.

Two implementations of one definition, because they are fast in different places: `shared` for a
pair, in Python; `shared_batch` for hundreds of pairs at once, in numpy. Both rest on this: an
n-gram can only be shared where the (n-1)-grams at its position and at the next one are, so after
the first order there is little left to look at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers: TypeAlias = NDArray[np.int64]

# Up to here a substring search in the reference beats building the set of its n-grams.
_SHORT: Final = 256
_CHARACTER_BITS: Final = 21


def shared(candidate: str, reference: str, orders: int) -> list[int]:
    """Count the shared n-grams for n = 1 .. `orders`.

    Example:
        >>> shared("abab", "babb", 3)
        [3, 2, 1]
    """
    counts = [0] * orders
    starts: Sequence[int] = range(len(candidate))
    for n in range(1, orders + 1):
        last = len(candidate) - n
        have = set(ngrams(reference, n)) if len(reference) > _SHORT else reference
        starts = [i for i in starts if i <= last and candidate[i : i + n] in have]
        if not starts:
            break
        grams = [candidate[i : i + n] for i in starts]
        if len(set(grams)) == len(grams):
            counts[n - 1] = len(grams)
        else:
            counts[n - 1] = (Counter(grams) & Counter(ngrams(reference, n))).total()
    return counts


def ngrams(tokens: str, n: int) -> list[str]:
    """The n-grams of a token string, in order.

    Example:
        >>> ngrams("abcd", 3)
        ['abc', 'bcd']
    """
    return [tokens[i : i + n] for i in range(len(tokens) - n + 1)]


def shared_batch(candidates: Sequence[str], references: Sequence[str], orders: int) -> Integers:
    """Count the shared n-grams of many pairs: one row a pair, one column an order.

    A code, a side and a position must fit into one integer: at most 2**10 pairs and, counting
    one more for each text, 2**20 tokens.
    """
    import numpy as np

    pairs = len(candidates)
    counts = np.zeros((pairs, orders), np.int64)
    code, at, side_bit = _unigrams(candidates, references)
    number_at = np.full(2 << side_bit, -1)
    owner, width = np.arange(pairs), 1 << _CHARACTER_BITS
    for n in range(orders):
        if not len(at):
            break
        shared_code, both, at, number = _match(code, at, side_bit)
        owner = owner[shared_code // width]
        counts[:, n] = np.bincount(owner, weights=both, minlength=pairs)
        # Two shared n-grams, one after the other, are what may be a shared (n+1)-gram.
        number_at[at] = number
        following = number_at[at + 1]
        number_at[at] = -1
        alive = np.flatnonzero(following >= 0)
        at, width = at[alive], len(shared_code)
        code = number[alive] * width + following[alive]
    return counts


def _unigrams(
    candidates: Sequence[str], references: Sequence[str]
) -> tuple[Integers, Integers, int]:
    """Codes of all tokens, equal for equal tokens of a pair, and their positions.

    A gap between positions ends each text, and a bit sets those in references apart.
    """
    import numpy as np

    pairs, texts = len(candidates), (*candidates, *references)
    lengths = list(map(len, texts))
    ours = sum(lengths[:pairs])
    token = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    text = np.repeat(np.arange(2 * pairs), lengths)
    at = np.arange(len(token)) + text
    side_bit = (len(token) + 2 * pairs).bit_length()
    at[ours:] |= 1 << side_bit
    text[ours:] -= pairs
    return text << _CHARACTER_BITS | token, at, side_bit


def _match(
    code: Integers, at: Integers, side_bit: int
) -> tuple[Integers, Integers, Integers, Integers]:
    """The codes on both sides, ascending, and how often each counts; where they are, and which."""
    import numpy as np

    # One sort of one integer: an argsort is three times as slow.
    key = code << side_bit + 1 | at
    key.sort()
    at, run = key & (2 << side_bit) - 1, key >> side_bit
    first = np.flatnonzero(np.concatenate(([True], run[1:] != run[:-1])))
    size, run = np.diff(first, append=len(at)), run[first]
    # Shared is what has a run on the candidate's side and the next one on the reference's.
    hit = np.flatnonzero(run[1:] ^ run[:-1] == 1)
    number = np.full(len(run), -1)
    number[hit] = number[hit + 1] = np.arange(len(hit))
    number = np.repeat(number, size)
    alive = np.flatnonzero(number >= 0)
    return run[hit] >> 1, np.minimum(size[hit], size[hit + 1]), at[alive], number[alive]
