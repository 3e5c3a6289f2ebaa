"""A JSON or YAML file: its value, and where each part of it stands in the text.

Of YAML only what JSON has too is taken, and no key twice, so that a file means the same in both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from graders.config.explain import shown
from graders.config.graders import Location
from graders.config.parse import decode_config
from graders.errors import ConfigError, Finding
from graders.lint.locate import Lines, Span, Spans, locate
from graders.strict_json import decode
from graders.terminal import printable
from sandbox import JSON

YAML: Final = frozenset({".yaml", ".yml"})
_MOST: Final = 1_000_000
"""Values of a YAML file; a few lines of aliases can stand for more than any memory holds."""

_TAG: Final = "tag:yaml.org,2002:"
_ELSEWHERE: Final = frozenset({"timestamp", "binary"})
"""Scalars that YAML has and JSON has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A file that was read.

    Attributes:
        path: Where it is.
        value: What it holds.
        spans: Where in its text.
        lines: The text's lines.
    """

    path: Path
    value: JSON
    spans: Spans
    lines: Lines

    @property
    def text(self) -> str:
        """The whole text, without a byte order mark."""
        return self.spans.text

    def line(self, location: Location) -> int:
        """The line of a value, from 1, or of what it would stand in where it is missing."""
        return self.lines.place(self.spans.find(location).start).line


def read_located(path: Path) -> Located:
    """Read a file, by the end of its name as YAML or as JSON.

    Raises:
        ConfigError: It is neither; says where.
        OSError: It cannot be read.
    """
    return located(path.read_bytes(), path)


def located(data: bytes, path: Path) -> Located:
    """The same for the bytes of a file.

    Raises:
        ConfigError: They are neither; says where.
    """
    if path.suffix in YAML:
        value, spans = _from_yaml(data, path)
    else:
        value = decode_config(data, str(path))
        spans = locate(data.decode("utf-8-sig"))
    return Located(path=path, value=value, spans=spans, lines=Lines.of(spans.text))


def refused(place: Path | str, code: str, message: str, fix: str = "") -> ConfigError:
    """An error about a place in a file."""
    finding = Finding(code=code, severity="error", path=str(place), message=message, fix=fix)
    return ConfigError(finding)


def _from_yaml(data: bytes, path: Path) -> tuple[JSON, Spans]:
    try:
        import yaml
    except ImportError:
        fix = "pip install pyyaml, or write the file as JSON."
        raise refused(path, "no-package", "YAML is read by pyyaml, which is missing", fix) from None
    try:
        text = data.decode("utf-8-sig")
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        spans = _spans(root, text)
        plain = loader.construct_document(root) if root else None
        value = decode(json.dumps(plain, allow_nan=False))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else path
        raise refused(place, "not-yaml", f"not YAML: {printable(str(error.problem))}") from None
    except _PlacedError as error:
        raise refused(f"{path}:{error.args[0]}", "not-yaml", error.args[1]) from None
    except (ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
        problem = printable(str(error).split("\n")[0])
        raise refused(path, "not-yaml", f"not what JSON could hold: {problem}") from None
    return value, spans


class _PlacedError(Exception):
    """What YAML has and JSON has not: its line, and the message."""


def _spans(root: Any, text: str) -> Spans:
    """Where each value below a YAML node stands; several places may share one, by an alias."""
    values: dict[Location, Span] = {}
    keys: dict[Location, Span] = {}
    for location, node, key in _walk(root, ()):
        if len(values) == _MOST:
            line = node.start_mark.line + 1
            raise _PlacedError(line, f"stands for more than {_MOST:,} values")
        values[location] = _span(node)
        if key is not None:
            keys[location] = _span(key)
    return Spans(text, values or {(): Span(0, 0)}, keys)


def _span(node: Any) -> Span:
    return Span(node.start_mark.index, node.end_mark.index)


def _walk(node: Any, location: Location, key: Any = None) -> Iterator[tuple[Location, Any, Any]]:
    """Each node with its location and its key's node."""
    if node is None:
        return
    yield location, node, key
    if node.id == "mapping":
        seen = set[str]()
        for name, child in node.value:
            word = str(name.value)
            if word in seen:
                message = f"the key {word!r} stands twice in one object, and only one can count"
                raise _PlacedError(name.start_mark.line + 1, message)
            seen.add(word)
            yield from _walk(child, (*location, word), name)
    elif node.id == "sequence":
        for i, child in enumerate(node.value):
            yield from _walk(child, (*location, i))
    elif (kind := node.tag.removeprefix(_TAG)) in _ELSEWHERE or _no_number(kind, node.value):
        message = f"{shown(node.value)} is a {kind} to YAML, and JSON has none such: quote it"
        raise _PlacedError(node.start_mark.line + 1, message)


def _no_number(kind: str, text: str) -> bool:
    return kind == "float" and text.lower().endswith((".nan", ".inf"))
