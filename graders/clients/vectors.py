"""Embeddings on the wire: texts as a `ModelRequest`, their vectors as a `ModelReply`.

They go through the same clients as a judge's questions that way: one connection, one set of
limits, budgets and ledger. A text is a message of the role "embedding", which no chat has.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from graders.clients import Message, ModelReply, ModelRequest
from graders.clients.completion import read_usage
from graders.errors import FailureKind, GradingError
from graders.strict_json import NotJSONError, decode, decode_or_none, encode
from graders.terminal import shorten
from metrics.embed import EmbeddingError
from metrics.embed.embedder import checked
from metrics.embed.packaged import well_formed
from sandbox import JSON

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.floating[Any]]

_ROLE: Final = "embedding"


def embedding_request(model: str, texts: Sequence[str]) -> ModelRequest:
    """Ask for the vectors of some texts. What UTF-8 has not is replaced.

    Example:
        >>> embedding_request("m", ["a", "b"]).messages[1]
        Message(role='embedding', content='b')
    """
    messages = tuple(Message(_ROLE, well_formed(text)) for text in texts)
    return ModelRequest(model=model, messages=messages, schema=None, sampling={})


def wants_embeddings(request: ModelRequest) -> bool:
    """Whether a request is one of `embedding_request`."""
    return bool(request.messages) and request.messages[0].role == _ROLE


def to_embeddings_body(request: ModelRequest) -> dict[str, JSON]:
    """The body to post to `/embeddings`. Base64 is a third of the bytes of decimals, and exact."""
    texts: list[JSON] = [message.content for message in request.messages]  # type: ignore[misc]
    return {"model": request.model, "input": texts, "encoding_format": "base64"}


def parse_embeddings(content: str, count: int) -> ModelReply:
    """Read the body of a successful answer about `count` texts.

    The reply's text is a JSON list of the vectors, in the order of the texts and the form in
    which they came.

    Raises:
        GradingError: It is something else.
    """
    try:
        body = decode(content)
    except NotJSONError as error:
        raise _bad_answer(
            count, f"not JSON ({error.problem}): {shorten(content[:300], 120)!r}"
        ) from None
    data = body.get("data") if isinstance(body, dict) else None
    vectors: dict[int, JSON] = {}
    for entry in data if isinstance(data, list) else []:
        match entry:
            case {"index": int(index), "embedding": vector}:
                vectors[index] = vector
    if not isinstance(body, dict) or sorted(vectors) != list(range(count)):
        raise _bad_answer(count, shorten(encode(body).decode(errors="replace"), 120))
    return ModelReply(
        text=encode([vectors[position] for position in range(count)]).decode(),
        model=str(body.get("model") or ""),
        usage=read_usage(body.get("usage")),
    )


def _bad_answer(count: int, shown: str) -> GradingError:
    message = f"the answer is not {count} embedding(s): {shown}. Does the base URL end in /v1?"
    return GradingError(FailureKind.MODEL_SERVER, message, "bad_answer")


def read_vectors(reply: ModelReply, count: int, name: str) -> list[Vector | EmbeddingError]:
    """The vectors of a reply about `count` texts, each of them or what is wrong with it.

    Args:
        reply: As `parse_embeddings` makes it.
        count: How many texts it is about.
        name: The embedder's, for what is wrong.

    Raises:
        GradingError: The reply holds something else, as a client of one's own may give.
    """
    vectors = decode_or_none(reply.text)
    if not isinstance(vectors, list) or len(vectors) != count:
        raise _bad_answer(count, repr(shorten(reply.text[:300], 120)))
    return [_vector(vector, name) for vector in vectors]


def _vector(given: JSON, name: str) -> Vector | EmbeddingError:
    import numpy as np

    try:
        numbers: Any = given
        if isinstance(given, str):
            numbers = np.frombuffer(base64.b64decode(given, validate=True), dtype="<f4")
        vector: Vector = checked(name, [numbers], 1)[0]
    except EmbeddingError as error:
        return error
    except ValueError as error:  # of base64, or its length
        return EmbeddingError(f"embedder {name!r}: not a vector in base64: {error}")
    return _compact(vector)


def kept_vector(vector: Vector) -> ModelReply:
    """A vector as the reply to a request of its text alone, bit for bit; for a cache."""
    import numpy as np

    if vector.dtype == np.float32:
        return ModelReply(
            text=encode([base64.b64encode(vector.astype("<f4").tobytes()).decode()]).decode()
        )
    return ModelReply(text=encode([vector.tolist()]).decode())


def _compact(vector: Vector) -> Vector:
    """The same numbers in half the memory, where they came as single precision."""
    import numpy as np

    with np.errstate(over="ignore"):
        single = vector.astype(np.float32)
    return single if bool((single == vector).all()) else vector
