r"""JSON inside of a page, where it is data to the browser and never markup or script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

_ESCAPED: Final = {
    ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"
}  # the last two ended lines of scripts, until 2019


def embedded(data: object) -> str:
    r"""JSON that can stand in a `script` element: no `</script>`, no `<!--`, and valid UTF-8.

    Half a surrogate pair, which UTF-8 has no bytes for, is written as its escape.

    Raises:
        ValueError: A number is infinite or none.

    Example:
        >>> embedded({"text": "</script>", "half": "\ud800"})
        '{"text":"\\u003c/script\\u003e","half":"\\ud800"}'
    """
    plain = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return plain.translate(_ESCAPED).encode("utf-8", "backslashreplace").decode("utf-8")


def written(data: Mapping[str, object]) -> bytes:
    """The data of a page as a JSON file."""
    plain = json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2)
    return plain.encode("utf-8", "backslashreplace") + b"\n"
