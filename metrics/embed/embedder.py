"""What an embedder is, and how a function becomes one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Vectors: TypeAlias = NDArray[np.floating[Any]]


class EmbeddingError(ValueError):
    """An embedder returned something that is not one finite vector per text."""


class EmbedderMissingError(ImportError):
    """An embedder was asked for whose packages are not installed."""


class Embedder(Protocol):
    """Turns texts into vectors whose angle says how alike the texts are.

    The vector of a text must not depend on the other texts of the call: a row's score is the
    same in any batch.

    Attributes:
        name: Determines the vectors, so it holds a version or digest where there can be several:
            it is printed with every score.
    """

    @property
    def name(self) -> str: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (texts, dimensions), finite; a row of zeros has no direction."""
        ...


@runtime_checkable
class SparseEmbedder(Embedder, Protocol):
    """An embedder whose vectors are nearly all zeros, and better compared than written out."""

    def cosines(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        """Return the cosine of the two texts at each position, in [-1, 1]; 0.0 with a zero row."""
        ...


@dataclass(frozen=True, slots=True)
class FunctionEmbedder:
    """An embedder around a user's function; `from_callable` makes it."""

    name: str
    function: Callable[[list[str]], ArrayLike]
    together: bool

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts, in one call or in a call for each.

        Raises:
            EmbeddingError: The function did not return one finite vector per text.
        """
        import numpy as np

        calls = [list(texts)] if self.together else [[text] for text in texts]
        parts = [checked(self.name, self.function(call), len(call)) for call in calls]
        if len({part.shape[1] for part in parts}) > 1:
            widths = sorted({part.shape[1] for part in parts})
            raise EmbeddingError(f"embedder {self.name!r}: vectors of different lengths: {widths}")
        return np.concatenate(parts)


def from_callable(
    name: str, function: Callable[[list[str]], ArrayLike], *, together: bool = False
) -> FunctionEmbedder:
    """Make an embedder of a function from texts to vectors.

    Args:
        name: Goes into every signature. Name the model and its version: `acme-embed-3@2025-01`.
        function: Gets a non-empty list of distinct texts, returns an array of one row for each.
        together: Pass many texts in one call. Faster for most models, and a promise that a text's
            vector is the same, bit for bit, in whatever company: padding often breaks it.

    Raises:
        ValueError: The name is empty, or has a `|`, which divides the parts of signatures.

    Example:
        >>> lengths = from_callable("lengths", lambda texts: [[len(text), 1.0] for text in texts])
        >>> lengths.embed(["a", "abc"])
        array([[1., 1.],
               [3., 1.]])
    """
    if not name or "|" in name:
        raise ValueError(f"an embedder's name is not empty and has no '|', got {name!r}")
    return FunctionEmbedder(name, function, together)


def checked(name: str, vectors: ArrayLike, count: int) -> NDArray[np.float64]:
    """Return what an embedder gave for `count` texts as float64, if it is what it must be.

    Raises:
        EmbeddingError: It is not `count` vectors of the same length, or not finite.
    """
    import numpy as np

    try:
        array = np.asarray(vectors, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise EmbeddingError(f"embedder {name!r}: not an array of numbers: {error}") from error
    if array.ndim != 2 or array.shape[0] != count:
        raise EmbeddingError(
            f"embedder {name!r}: got shape {array.shape} for {count} text(s); "
            f"return one row for each: ({count}, dimensions)"
        )
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise EmbeddingError(f"embedder {name!r}: the vector of text {row} is not finite")
    return array
