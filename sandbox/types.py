"""The vocabulary of running code we do not trust."""

from __future__ import annotations

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]
"""What crosses the border: plain data, never objects."""
