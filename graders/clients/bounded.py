"""A bound on the answers of a service: what echoes for ever must not fill the memory."""

from __future__ import annotations

from typing import Any, Final

from graders.errors import FailureKind, GradingError

MAX_BYTES: Final = 16 * 1024**2
"""Of an answer's body. The longest answers of models are a few hundred KB."""


async def read_bounded(response: Any) -> None:
    """Read a body as it comes, and no further than its bound; a hook on httpx2's responses.

    What breaks off is tried again by the SDK, as without the hook.

    Raises:
        GradingError: The body is larger, or compressed, in which a larger one could hide.
    """
    from httpx2 import ByteStream

    encoding = response.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        message = f"the answer is compressed ({encoding[:40]!r}), and nobody asked for that"
        raise GradingError(FailureKind.MODEL_SERVER, message, "bad_answer")
    stream, body = response.stream, bytearray()
    async for chunk in stream:
        body += chunk
        if len(body) > MAX_BYTES:
            message = f"the answer has more than {MAX_BYTES // 1024**2} MiB, and was cut off there"
            raise GradingError(FailureKind.MODEL_SERVER, message, "answer_too_large")
    await stream.aclose()
    response.stream = ByteStream(bytes(body))
