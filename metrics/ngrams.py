"""N-grams that two token strings share, each counted at most as often as the other side has it.

Two implementations of one definition, because they are fast in different places: `shared` for a
pair, in Python; `shared_batch` for hundreds of pairs at once, in numpy. Both rest on this: an
n-gram can only be shared where the (n-1)-grams at its position and at the next one are, so after
the first order there is little left to look at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Up to here a substring search in the reference beats building the set of its n-grams.
_SHORT: Final = 256
_SEPARATOR: Final = "\0"
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


def shared_batch(
    candidates: Sequence[str], references: Sequence[str], orders: int
) -> NDArray[np.int64]:
    """Count the shared n-grams of many pairs: one row a pair, one column an order.

    The texts must not contain the character 0, and not be so many that positions and groups no
    longer fit into one integer together: 2**20 characters is fine.
    """
    import numpy as np

    pairs = len(candidates)
    joined = _SEPARATOR.join((*candidates, *references, ""))
    token = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
    lengths = [len(text) + 1 for text in (*candidates, *references)]
    pair = np.repeat(np.tile(np.arange(pairs), 2), lengths)
    references_from = sum(lengths[:pairs])
    position_bits = len(joined).bit_length()
    counts = np.zeros((pairs, orders), np.int64)

    # `code` says for each position which n-gram starts there; equal means equal. Positions where
    # none starts that could be shared, text ends included, are not `alive`.
    code, alive = pair << _CHARACTER_BITS | token, token != 0
    for n in range(orders):
        at = np.flatnonzero(alive)
        if not len(at):
            break
        # Sorting code and position as one integer is much faster than an argsort.
        order = np.sort(code[at] << position_bits | at)
        at = order & ((1 << position_bits) - 1)
        order >>= position_bits
        first = np.flatnonzero(np.concatenate(([True], order[1:] != order[:-1])))
        sizes = np.diff(first, append=len(order))
        theirs = np.add.reduceat(at >= references_from, first, dtype=np.int64)
        both = np.minimum(theirs, sizes - theirs)
        counts[:, n] = np.bincount(pair[at[first]], weights=both, minlength=pairs)

        group = np.repeat(np.arange(len(first)), sizes)
        alive[at] = both[group] > 0
        code[at] = group
        alive[:-1] &= alive[1:]
        code[:-1] = code[:-1] * len(first) + code[1:]
    return counts
