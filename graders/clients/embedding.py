"""Vectors from an embeddings server, for the metric cosine: `--set cosine=server:MODEL`.

Any server with OpenAI's `/embeddings` will do. Texts go in batches, several at a time, and each
text once: its vector is kept in memory. A server may round a text's vector differently in
different company, so its last bits are those of the batch in which it was first asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from graders.clients import ModelClient
from graders.clients.cache import Cached
from graders.clients.openai_compatible import OpenAICompatible
from graders.clients.vectors import embedding_request, kept_vector, read_vectors
from graders.errors import ConfigError, Finding, GradersError, GradingError
from graders.grades import together
from metrics.embed import EmbeddingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from graders.clients.vectors import Vector

PREFIX: Final = "server:"
"""Begins the values of the setting `cosine` that name a model of a server."""

_BATCH_TEXTS: Final = 128
"""Whose vectors are less than `bounded.MAX_BYTES`, also in decimals and of 4,096 numbers each."""
_BATCH_CHARACTERS: Final = 32_000
"""About 8,000 tokens of English, which every server takes. A longer text goes alone."""

_KEPT_BYTES: Final = 512 * 1024**2
_TEXTS_FAULT: Final = frozenset({"http_400", "http_413", "http_422"})
"""Refusals that a single text may be the reason of."""

Fault = GradingError | EmbeddingError
"""Why a text has no vector: nobody said, or what was said is none."""

_Key = tuple[asyncio.AbstractEventLoop, str]


@dataclass(frozen=True, slots=True)
class Vectors:
    """An `Embedder` of the texts that a server was asked for, and of no others.

    Attributes:
        name: That of the embedder that asked.
        found: By text, its vector or why it has none.
    """

    name: str
    found: Mapping[str, Vector | Fault] = field(repr=False)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the vectors of texts.

        Raises:
            GradingError: The server did not answer, or a budget is used up.
            EmbeddingError: What it answered for a text is no vector.
        """
        import numpy as np

        vectors = []
        for text in texts:
            found = self.found[text]
            if isinstance(found, Exception):
                raise found
            vectors.append(found)
        widths = sorted({len(vector) for vector in vectors})
        if len(widths) > 1:
            raise EmbeddingError(f"embedder {self.name!r}: vectors of different lengths: {widths}")
        return np.array(vectors, dtype=np.float64)


@dataclass(slots=True, kw_only=True, eq=False)
class ServerEmbedder:
    """Asks a server with an OpenAI-compatible `/embeddings` for vectors.

    `await vectors(texts)` is the `Embedder` of some texts; the grader awaits it before it scores
    them. Nothing is asked by `embed`, which has those that are in memory.

    Attributes:
        model: The server's name for the model.
        base_url: Where; None is OPENAI_BASE_URL, or else OpenAI.
        api_key: None is OPENAI_API_KEY; a server of one's own needs none.
        retries: Further tries after one that failed on the server's side.
        timeout_seconds: For one try.
        client: Asks in place of an `OpenAICompatible` of its own, which sets the limits.
        cache: Keeps vectors in a file as well.
        kept: Vectors by text. Pass a mapping of your own to keep them longer than a run; it is
            never emptied, and must not be used for another model.
        name: The model and the host that it is asked at, which say whose vectors they are.

    Raises:
        ConfigError: The SDK is not installed, address or key cannot be used, or the name cannot
            stand in a signature.
    """

    model: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    retries: int = 6
    timeout_seconds: float = 600.0
    client: ModelClient | None = field(default=None, repr=False)
    cache: Cached | None = field(default=None, repr=False)
    kept: MutableMapping[str, Vector] | None = field(default=None, repr=False)
    name: str = field(init=False)
    _client: ModelClient = field(init=False, repr=False)
    _memory: dict[str, Vector] = field(default_factory=dict, init=False, repr=False)
    _asking: dict[_Key, asyncio.Future[Vector | Fault]] = field(
        default_factory=dict, init=False, repr=False
    )

    def __post_init__(self) -> None:
        if not self.model or "|" in self.model:
            raise _refused(f"{self.model!r} is no model's name: not empty, and without '|'")
        try:
            own = OpenAICompatible(
                base_url=self.base_url,
                api_key=self.api_key,
                retries=self.retries,
                timeout_seconds=self.timeout_seconds,
            )
        except GradersError as error:
            raise _refused(str(error)) from None
        self.name = f"{self.model}@{urlsplit(own.base_url).netloc}"
        self._client = self.client or own

    def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the vectors of texts that are in memory, from `vectors`.

        Raises:
            EmbeddingError: One is not.
        """
        kept = self._kept
        missing = sum(text not in kept for text in texts)
        if missing:
            problem = f"{missing} text(s) not asked for; await vectors(texts) before"
            raise EmbeddingError(f"embedder {self.name!r}: {problem}")
        return Vectors(self.name, {text: kept[text] for text in texts}).embed(texts)

    async def vectors(self, texts: Iterable[str]) -> Vectors:
        """The vectors of texts; asks for those that are neither in memory nor in the cache.

        A failure is that of the texts it met, so that the others can be scored.

        Raises:
            CacheError: The cache cannot be used.
        """
        wanted = list(dict.fromkeys(texts))
        found: dict[str, Vector | Fault] = {**self._find(wanted)}
        loop = asyncio.get_running_loop()
        while missing := [text for text in wanted if text not in found]:
            asked = {t: self._asking[loop, t] for t in missing if (loop, t) in self._asking}
            found |= await self._claim(loop, [text for text in missing if text not in asked])
            if asked:
                await asyncio.wait(asked.values())
            # One that is cancelled was claimed by who was stopped, and it is our turn.
            found |= {text: one.result() for text, one in asked.items() if not one.cancelled()}
        return Vectors(self.name, found)

    async def _claim(
        self, loop: asyncio.AbstractEventLoop, texts: list[str]
    ) -> dict[str, Vector | Fault]:
        """Ask for texts; who wants one of them meanwhile waits for what it gets here."""
        claims = {(loop, text): loop.create_future() for text in texts}
        self._asking.update(claims)
        found: dict[str, Vector | Fault] = {}
        try:
            for outcome in await together(self._ask(batch) for batch in _batches(texts)):
                found |= outcome
            for (_, text), claim in claims.items():
                claim.set_result(found[text])
        finally:
            for key, claim in claims.items():
                claim.cancel()  # nothing happens to one that is done
                del self._asking[key]
        return found

    async def _ask(self, texts: list[str]) -> dict[str, Vector | Fault]:
        try:
            reply = await self._client.complete(embedding_request(self.model, texts))
            vectors = read_vectors(reply, len(texts), self.name)
        except GradingError as error:
            if len(texts) == 1 or error.failure.reason not in _TEXTS_FAULT:
                return dict.fromkeys(texts, error)
            half = len(texts) // 2  # one text is too long, say; the others are found without it
            first, second = await together(map(self._ask, (texts[:half], texts[half:])))
            return first | second
        found = dict(zip(texts, vectors, strict=True))
        self._keep(
            {text: one for text, one in found.items() if not isinstance(one, EmbeddingError)}
        )
        return {**found}

    @property
    def _kept(self) -> MutableMapping[str, Vector]:
        return self._memory if self.kept is None else self.kept

    def _find(self, texts: list[str]) -> dict[str, Vector]:
        found = {text: self._kept[text] for text in texts if text in self._kept}
        if self.cache is None:
            return found
        missing = (text for text in texts if text not in found)
        filed = {text: self._filed(self.cache, text) for text in missing}
        again = {text: vector for text, vector in filed.items() if vector is not None}
        self._remember(again)
        return found | again

    def _filed(self, cache: Cached, text: str) -> Vector | None:
        reply = cache.find(embedding_request(self.model, [text]))
        if reply is None:
            return None
        (vector,) = read_vectors(reply, 1, self.name)
        return None if isinstance(vector, EmbeddingError) else vector

    def _keep(self, vectors: Mapping[str, Vector]) -> None:
        self._remember(vectors)
        if self.cache is not None:
            for text, vector in vectors.items():
                self.cache.keep(embedding_request(self.model, [text]), kept_vector(vector))

    def _remember(self, vectors: Mapping[str, Vector]) -> None:
        if self.kept is None and vectors:
            size = next(iter(vectors.values())).nbytes
            if size * (len(self._memory) + len(vectors)) > _KEPT_BYTES:
                self._memory.clear()
        self._kept.update(vectors)


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Texts in order, in batches of bounded length.

    Example:
        >>> [len(batch) for batch in _batches(["x"] * 300 + ["y" * 40_000, "z"])]
        [128, 128, 44, 1, 1]
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


def _refused(message: str) -> ConfigError:
    return ConfigError(Finding(code="setting", severity="error", path="cosine", message=message))
