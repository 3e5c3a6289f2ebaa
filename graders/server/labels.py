"""What people call their objects: names and metadata in the bodies of requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from graders.server.transport.answers import ApiError
from sandbox import JSON

_NAME_CHARACTERS: Final = 512
_MOST_KEYS: Final = 16
_KEY_CHARACTERS: Final = 64
_VALUE_CHARACTERS: Final = 512


def name_of(body: Mapping[str, JSON], default: str) -> str:
    """The name that a body gives.

    Raises:
        ApiError: 400, it is no text, or a long one.
    """
    name = body.get("name")
    if name is None:
        return default
    if not isinstance(name, str) or len(name) > _NAME_CHARACTERS:
        message = (
            f"name is {name!r:.80}, and must be a text of at most {_NAME_CHARACTERS} characters"
        )
        raise ApiError(400, message, "name", "type")
    return name


def metadata_of(body: Mapping[str, JSON], path: str = "metadata") -> dict[str, JSON] | None:
    """The metadata that a body gives: up to 16 short texts by short keys.

    Args:
        body: The object that has it.
        path: Where it stands in the request.

    Raises:
        ApiError: 400, it is something else.

    Example:
        >>> metadata_of({"metadata": {"team": "math"}}), metadata_of({})
        ({'team': 'math'}, None)
    """
    metadata = body.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or len(metadata) > _MOST_KEYS:
        message = (
            f"metadata is {metadata!r:.80}, and must be an object of at most {_MOST_KEYS} keys"
        )
        raise ApiError(400, message, path, "type")
    for key, value in metadata.items():
        if len(key) > _KEY_CHARACTERS:
            message = f"the key {key!r:.80} has more than {_KEY_CHARACTERS} characters"
            raise ApiError(400, message, path, "type")
        if not isinstance(value, str) or len(value) > _VALUE_CHARACTERS:
            message = (
                f"metadata[{key!r}] is {value!r:.80}, and must be a text of at most "
                f"{_VALUE_CHARACTERS} characters"
            )
            raise ApiError(400, message, path, "type")
    return metadata
