"""Embedders: texts as vectors, for the metric `cosine`. All of them work offline.

| name | what it is | needs |
| --- | --- | --- |
| `hash_char` | hashed character n-grams: how alike texts are *written*, in any script | nothing |
| `wordllama` | one fixed vector per token, averaged: shared and related words, English | extra |
| `minilm` | all-MiniLM-L6-v2: what sentences *mean*, English, first 256 tokens | extra |

The extra is `embeddings`. `from_callable` takes any other model. None of these is, or imitates,
the model behind a hosted grader's cosine: their numbers differ, and the signature says whose they
are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Final

from metrics.embed.embedder import (
    Embedder,
    EmbedderMissingError,
    EmbeddingError,
    SparseEmbedder,
    from_callable,
)
from metrics.embed.hash_char import HashChar
from metrics.embed.packaged import load_minilm, load_wordllama

__all__ = [
    "EMBEDDERS",
    "Embedder",
    "EmbedderMissingError",
    "EmbeddingError",
    "SparseEmbedder",
    "from_callable",
    "load_embedder",
]

EMBEDDERS: Final[Mapping[str, Callable[[], Embedder]]] = {
    "hash_char": HashChar,
    "wordllama": load_wordllama,
    "minilm": load_minilm,
}


@cache
def load_embedder(name: str) -> Embedder:
    """Return the embedder of that name, the same one each time.

    Raises:
        ValueError: There is none of that name.
        EmbedderMissingError: It needs the extra `embeddings`, which is not installed.

    Example:
        >>> load_embedder("hash_chars")
        Traceback (most recent call last):
        ValueError: unknown embedder 'hash_chars': known are hash_char, wordllama, minilm. Did you \
mean 'hash_char'?
    """
    if name not in EMBEDDERS:
        near = get_close_matches(name, EMBEDDERS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"unknown embedder {name!r}: known are {', '.join(EMBEDDERS)}.{hint}")
    return EMBEDDERS[name]()
