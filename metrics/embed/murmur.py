"""MurmurHash3 (x86, 32 bits, seed 0) of many byte strings at once.

Source: Austin Appleby, MurmurHash3.cpp, public domain. numpy does for all strings what the C code
does for one; strings that have run out of blocks are left alone by a mask.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_U32: TypeAlias = NDArray[np.uint32]

_TAIL_MASKS = np.array([0, 0xFF, 0xFFFF, 0xFFFFFF], dtype=np.uint32)
_BLOCK_FACTORS = np.uint32(0xCC9E2D51), np.uint32(0x1B873593)
_FIVE, _BLOCK_TERM = np.uint32(5), np.uint32(0xE6546B64)
_FINAL_STEPS = (
    (np.uint32(16), np.uint32(0x85EBCA6B)),
    (np.uint32(13), np.uint32(0xC2B2AE35)),
    (np.uint32(16), np.uint32(1)),
)


def murmur3(data: bytes, starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int32]:
    """Hash slices of `data`, which may overlap.

    Args:
        data: The bytes that the slices are cut from.
        starts: Where each slice begins.
        sizes: How many bytes it has. Time grows with the longest, so keep them alike.

    Returns:
        One signed hash per slice, as scikit-learn's `murmurhash3_32(slice, seed=0)`.

    Example:
        >>> murmur3(b"hello", np.array([0, 1]), np.array([5, 0]))
        array([613153351,         0], dtype=int32)
    """
    words = _words_at(data, padding=int(sizes.max(initial=0)) + 4)
    blocks, tails = np.divmod(sizes, 4)
    hashes = np.zeros(len(starts), dtype=np.uint32)
    for block in range(int(blocks.max(initial=0))):
        mixed = _rotate(hashes ^ _scramble(words[starts + 4 * block]), 13) * _FIVE + _BLOCK_TERM
        hashes = np.where(blocks > block, mixed, hashes)
    hashes ^= _scramble(words[starts + 4 * blocks] & _TAIL_MASKS[tails])
    return _finish(hashes ^ sizes.astype(np.uint32)).view(np.int32)


def _words_at(data: bytes, padding: int) -> _U32:
    """Return the four bytes from each offset on as a little-endian number."""
    padded = np.frombuffer(data + bytes(padding), dtype=np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 4)
    return np.ascontiguousarray(windows).view("<u4")[:, 0]


def _scramble(words: _U32) -> _U32:
    first, second = _BLOCK_FACTORS
    return _rotate(words * first, 15) * second


def _rotate(words: _U32, bits: int) -> _U32:
    return words << np.uint32(bits) | words >> np.uint32(32 - bits)


def _finish(hashes: _U32) -> _U32:
    for shift, factor in _FINAL_STEPS:
        hashes = (hashes ^ hashes >> shift) * factor
    return hashes
