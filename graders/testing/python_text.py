r"""A Python source whose nodes know their place in its text, to the character.

Trees count bytes and tokens count characters; here both are offsets into the text. Line ends are
as Python reads them, so that what is written back has `\n` alone.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Final, NamedTuple

_TOLD: Final = frozenset({"print", "warn", "debug", "info", "warning", "exception", "log"})
_TELLERS: Final = frozenset({"logging", "logger", "log", "warnings", "_logger", "LOGGER", "LOG"})
_ATOMS: Final = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant, ast.List, ast.Dict)
_SKIPPED: Final = (ast.JoinedStr, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)
"""Nodes in which nothing is changed; of what stands in an f-string 3.11 does not know the place."""


class Word(NamedTuple):
    """A token: where it stands, and what it is."""

    start: int
    end: int
    text: str


class PythonText:
    r"""A source, its tree and its tokens.

    Args:
        source: One that parses.

    Attributes:
        text: It, its lines ended by `\n`.
        tree: What it parses to.

    Raises:
        SyntaxError: It does not parse.
    """

    def __init__(self, source: str) -> None:
        self.text = re.sub("\r\n?", "\n", source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in someone else's strings
            self.tree = ast.parse(self.text)
        self._lines = self.text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._lines)]
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        self._words = [
            Word(self._starts[a[0] - 1] + a[1], self._starts[b[0] - 1] + b[1], text)
            for kind, text, a, b, _ in tokens
            if kind in (tokenize.OP, tokenize.NAME)
        ]

    def offset(self, line: int, column: int) -> int:
        """The character at a line and a column in bytes, as trees have them."""
        text = self._lines[line - 1]
        return self._starts[line - 1] + (
            column if text.isascii() else len(text.encode()[:column].decode())
        )

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Where a node begins and ends, without parentheses around it."""
        assert node.end_lineno is not None, "parsed from text"
        assert node.end_col_offset is not None, "parsed from text"
        start = self.offset(node.lineno, node.col_offset)
        return start, self.offset(node.end_lineno, node.end_col_offset)

    def of(self, node: ast.expr | ast.stmt) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def operand(self, node: ast.expr) -> str:
        """The text of a node that keeps its meaning wherever it is put."""
        text = self.of(node)
        return text if isinstance(node, _ATOMS) and "\n" not in text else f"({text})"

    def between(self, left: ast.expr, right: ast.expr) -> Word:
        """The operator between two nodes: `not in` is one word."""
        first, last = self.span(left)[1], self.span(right)[0]
        words = [word for word in self.words(first, last) if word.text not in {"(", ")"}]
        return Word(words[0].start, words[-1].end, " ".join(word.text for word in words))

    def words(self, start: int, end: int) -> list[Word]:
        """The names and operators from one character to another."""
        low = bisect_left(self._words, (start,))
        return self._words[low : bisect_left(self._words, (end,))]

    def nodes(self) -> Iterator[tuple[ast.AST, int, bool]]:
        """What of the tree decides a score, with its statement's line, and whether `grade` has it.

        Left out are docstrings, annotations, decorators, imports, the words of exceptions, and what
        is printed or logged.
        """
        pending: list[tuple[ast.AST, int, bool]] = [(self.tree, 1, False)]
        while pending:
            node, line, in_grade = pending.pop()
            if isinstance(node, _SKIPPED) or _tells(node):
                continue
            if isinstance(node, (ast.stmt, ast.excepthandler)):
                line = node.lineno
            elif isinstance(node, ast.match_case):
                line = node.pattern.lineno
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                in_grade = getattr(node, "name", None) == "grade"
            yield node, line, in_grade
            pending += [(child, line, in_grade) for child in _deciding(node)]


def _deciding(node: ast.AST) -> list[ast.AST]:
    """The children of a node that decide what it comes to."""
    match node:
        case ast.AnnAssign():
            return [node.target] if node.value is None else [node.target, node.value]
        case ast.Assert():
            return [node.test]
        case ast.Raise():
            return []
        case ast.If() if _is_aside(node.test):
            return list(node.orelse)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [node.args, *node.body]
        case ast.ClassDef():
            return list(node.body)
        case ast.arg():
            return []
        case ast.Subscript(slice=ast.Constant(value=str())):
            return [node.value]  # another key, and it cannot but fail
    return list(ast.iter_child_nodes(node))


def _tells(node: ast.AST) -> bool:
    """Whether a node is for readers only: a docstring, or printed, or logged."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            return name in _TOLD
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=owner)))):
            return owner in _TELLERS
    return False


def _is_aside(test: ast.expr) -> bool:
    """Whether a condition is one that no grading meets."""
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Compare(left=ast.Name(id="__name__")):
            return True
    return False
