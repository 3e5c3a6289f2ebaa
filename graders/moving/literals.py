"""Python's literals in place of JSON: what `print(request)` and a log show of a dict.

They are written over as JSON, token by token, and read as such. Python's own parser would take half
a gigabyte for a dump of a megabyte, and stack for each level of it.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator
from typing import Final

from graders.strict_json import NotJSONError, decode
from sandbox import JSON

_TOKEN: Final = re.compile(  # ++ and *+ keep no places to go back to: for each character, else
    r"""(?P<text>'(?:[^'\\\n]++|\\.)*+'|"(?:[^"\\\n]++|\\.)*+")"""
    r"|(?P<word>True|False|None)\b"
    r"|(?P<last>,\s*(?=[\])}]))"
    r"|(?P<same>[\[\]{}:,\s]|-?\d[\d.eE+-]*)"
)
_OPENED: Final = frozenset({"", "[", "{", ":"})
"""Behind these stands no comma, not even a last one, which JSON does not have."""
_WRITTEN: Final = {"True": "true", "False": "false", "None": "null"}
_OF_PYTHON: Final = re.compile(r"'|True\b|False\b|None\b|[A-Za-z_][\w.]*\(")
_HOW: Final = "write JSON: json.dumps(VALUE), or VALUE.model_dump_json() of an SDK's object"


def decode_either(data: bytes) -> JSON:
    """Read one value of JSON or, where that is what it is, of Python's literals.

    Raises:
        NotJSONError: It is neither, or has a key twice.

    Example:
        >>> decode_either(b"{'passed': True, 'sample': None, 'n': 1.5}")
        {'passed': True, 'sample': None, 'n': 1.5}
        >>> decode_either(b"Eval(id='eval_1')")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        graders.strict_json.NotJSONError: 1:1: not JSON: it is what Python prints; write JSON: ...
    """
    try:
        return decode(data, unique_keys=True)
    except NotJSONError as error:
        text = data.decode("utf-8", "replace")
        if not _stops_at_python(text, error):
            raise
        try:
            return decode("".join(_as_json(text)), unique_keys=True)
        except (NotJSONError, SyntaxError, ValueError):
            said = f"it is what Python prints; {_HOW}"
            raise NotJSONError(said, error.line, error.column) from None


def _stops_at_python(text: str, error: NotJSONError) -> bool:
    """Whether what is not JSON is something that Python prints."""
    lines = text.split("\n")
    if not 0 < error.line <= len(lines):
        return False
    return _OF_PYTHON.match(lines[error.line - 1], error.column - 1) is not None


def _as_json(text: str) -> Iterator[str]:
    """The tokens of literals as those of JSON.

    Raises:
        ValueError: There is something else.
    """
    at, before = 0, ""
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or (token.lastgroup == "last" and before in _OPENED):
            raise ValueError(text[at : at + 1])
        at = token.end()
        if token.lastgroup == "text":
            yield json.dumps(_text(token[0]))
        elif token.lastgroup != "last":
            yield _WRITTEN.get(token[0], token[0])
        before = token[0] if not token[0].isspace() else before


def _text(literal: str) -> str:
    if "\\" not in literal:
        return literal[1:-1]
    with warnings.catch_warnings(action="ignore"):  # of an escape that is none
        value = ast.literal_eval(literal)
    return str(value)
