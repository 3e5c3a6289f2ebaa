"""Vectors from an embeddings server, for the metric cosine: `--set cosine=server:MODEL`.

Any server with OpenAI's `/embeddings` will do. Texts go in batches, each text once: its vector is
kept in memory. A server may round a text's vector differently in different company, so its last
bits are those of the batch in which it was first asked for.

The calls block, so they belong in a thread: `TextSimilarityGrader` puts them there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from graders.clients.masked import masked_text
from graders.errors import ConfigError, FailureKind, Finding, GradingError
from metrics.embed import EmbeddingError
from metrics.embed.embedder import checked
from metrics.embed.packaged import well_formed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PREFIX: Final = "server:"
"""Begins the values of the setting `cosine` that name a model of a server."""

_OPENAI: Final = "https://api.openai.com/v1"
_BATCH_TEXTS: Final = 256
_BATCH_CHARACTERS: Final = 32_000
"""About 8,000 tokens of English, which every server takes. A longer text goes alone."""

_KEPT_BYTES: Final = 512 * 1024**2
_TEXTS_FAULT: Final = frozenset({400, 413, 422})
"""Refusals that a single text may be the reason of."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ServerEmbedder:
    """An `Embedder` that asks a server with an OpenAI-compatible `/embeddings`.

    Attributes:
        model: The server's name for the model.
        base_url: Where; None is OPENAI_BASE_URL, or else OpenAI.
        api_key: None is OPENAI_API_KEY; a server of one's own needs none.
        retries: Further tries after one that failed on the server's side.
        timeout_seconds: For one try.
        kept: Vectors by text. Pass a mapping of your own to keep them longer than a run; it is
            never emptied, and must not be used for another model.

    Raises:
        ConfigError: The SDK is not installed, there is no key for OpenAI, or the name cannot
            stand in a signature.
    """

    model: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    retries: int = 6
    timeout_seconds: float = 600.0
    kept: MutableMapping[str, NDArray[np.floating[Any]]] | None = field(default=None, repr=False)
    _memory: dict[str, NDArray[np.floating[Any]]] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        if not self.model or "|" in self.model:
            raise _refused(f"{self.model!r} is no model's name: not empty, and without '|'")
        if not _is_address(self._url):
            raise _refused("the base URL is no http(s) address; write it as http://HOST:8080/v1")
        if find_spec("openai") is None:
            fix = "pip install 'local-graders[models]'"
            raise _refused("the openai SDK asks embeddings servers, and is not installed", fix)
        if not self._key and not self._given_url:
            fix = "Set OPENAI_API_KEY, or give a server of your own (OPENAI_BASE_URL)."
            raise _refused(f"{self.model!r} is asked at {_OPENAI}, and there is no key", fix)

    @property
    def name(self) -> str:
        """The model and the host that it is asked at, which together say whose vectors they are."""
        return f"{self.model}@{urlsplit(self._url).netloc.rpartition('@')[2]}"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return a vector for each text; asks for those that it does not have yet.

        Raises:
            GradingError: The server cannot be reached, refuses, or answers something else.
            EmbeddingError: It refuses these texts, or a vector of theirs is none.
        """
        import numpy as np

        with self._lock:
            kept = self._memory if self.kept is None else self.kept
            found = {text: kept[text] for text in texts if text in kept}
            new = [text for text in dict.fromkeys(texts) if text not in found]
            for batch, vectors in self._ask_all(new):
                known = dict(zip(batch, map(_compact, vectors), strict=True))
                found |= known
                self._keep(known)
        widths = sorted({len(vector) for vector in found.values()})
        if len(widths) > 1:
            raise EmbeddingError(f"embedder {self.name!r}: vectors of different lengths: {widths}")
        return np.array([found[text] for text in texts], dtype=np.float64)

    def _keep(self, vectors: dict[str, NDArray[np.floating[Any]]]) -> None:
        if self.kept is not None:
            self.kept.update(vectors)
            return
        size = next(iter(vectors.values())).nbytes
        if size * (len(self._memory) + len(vectors)) > _KEPT_BYTES:
            self._memory.clear()
        self._memory.update(vectors)

    def _ask_all(self, texts: Sequence[str]) -> Iterator[tuple[list[str], NDArray[np.float64]]]:
        """Ask in batches, over one connection that is closed when all are asked."""
        if not texts:
            return
        import openai

        with openai.OpenAI(
            base_url=self._url,
            api_key=self._key or "none",
            max_retries=self.retries,
            timeout=self.timeout_seconds,
        ) as client:
            for batch in _batches(texts):
                yield batch, self._ask(client, batch)

    def _ask(self, client: Any, texts: list[str]) -> NDArray[np.float64]:
        import openai

        try:
            whole = [well_formed(text) for text in texts]
            answer = client.embeddings.create(model=self.model, input=whole)
            vectors = {entry.index: entry.embedding for entry in answer.data}
            ordered = [vectors[position] for position in range(len(texts))]
        except openai.APIStatusError as error:
            problem = self._masked(f"{error.status_code}: {error.message}")
            if error.status_code in _TEXTS_FAULT:
                message = f"embedder {self.name!r} refuses {len(texts)} text(s): {problem}"
                raise EmbeddingError(message) from None
            raise self._failure(f"answered {problem}") from None
        except openai.APIConnectionError as error:
            problem = f"{error} {error.__cause__ or ''}".strip()
            raise self._failure(f"could not be reached: {self._masked(problem)}") from None
        except (openai.OpenAIError, ValueError, TypeError, KeyError, AttributeError):
            wanted = f"{len(texts)} embedding(s)"
            raise self._failure(f"answered something else than {wanted}") from None
        return checked(self.name, ordered, len(texts))

    def _failure(self, problem: str) -> GradingError:
        message = f"the embeddings server of {self.name!r} {problem}"
        return GradingError(FailureKind.OTHER, message, "embedding_server")

    def _masked(self, text: str) -> str:
        masked = masked_text(text, self._url, {"Authorization": self._key or ""})
        return masked if len(masked) <= 200 else f"{masked[:200]}..."

    @property
    def _given_url(self) -> str:
        return self.base_url or os.environ.get("OPENAI_BASE_URL") or ""

    @property
    def _url(self) -> str:
        return self._given_url or _OPENAI

    @property
    def _key(self) -> str:
        return self.api_key or os.environ.get("OPENAI_API_KEY") or ""


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Texts in order, in batches of bounded length.

    Example:
        >>> [len(batch) for batch in _batches(["x"] * 300 + ["y" * 40_000, "z"])]
        [256, 44, 1, 1]
    """
    batch: list[str] = []
    characters = 0
    for text in texts:
        full = len(batch) == _BATCH_TEXTS or characters + len(text) > _BATCH_CHARACTERS
        if batch and full:
            yield batch
            batch, characters = [], 0
        batch.append(text)
        characters += len(text)
    if batch:
        yield batch


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port, or of brackets
        return False


def _compact(vector: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
    """The same numbers in half the memory, where they came as single precision."""
    import numpy as np

    with np.errstate(over="ignore"):
        single = vector.astype(np.float32)
    return single if bool((single == vector).all()) else vector


def _refused(message: str, fix: str = "") -> ConfigError:
    return ConfigError(
        Finding(code="setting", severity="error", path="cosine", message=message, fix=fix)
    )
