"""Which statements and branches of a grader ran, told as it happens.

This file is read as text and runs in the sandbox, before the grader: it puts a mark before each
statement and into each decision of the grader's tree, and executes that. The host runs the same
pass, over a tree that nothing executes, to know what the marks' numbers mean.

Why marks in the tree and not `sys.settrace`: a decision on one line (`a if x else b`) is seen too,
no frame of ours is on the stack, a mark that was seen costs one look into a dict, and a grader that
traces itself loses nothing. Nodes keep their positions, so that tracebacks stay as they are. A mark
that is seen first is written to standard error at once: it comes back however the call ends, killed
at its deadline too.
"""

from __future__ import annotations

import ast
import builtins
import linecache
import os
from contextlib import suppress

TYPE_CHECKING = False  # importing typing costs each row
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    Spot = tuple[str, int, int]

SEEN = "__seen__"
MARK = "\x1e"
"""Begins the line of a mark on standard error."""


class Marks:
    """The marks of a tree, which it puts there.

    Attributes:
        spots: Of each mark its kind, its line and where control goes: `line`, or the `true` or
            `false` outcome of a decision. A place below 0 is the end of the function, class or
            module at that line.
        implied: Marks that a mark implies.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.spots: list[Spot] = []
        self.implied: dict[int, list[int]] = {}
        self._in_function = False
        tree.body = self._block(tree.body, -1)
        ast.fix_missing_locations(tree)

    def _new(self, kind: str, line: int, to: int = 0) -> int:
        self.spots.append((kind, line, to))
        return len(self.spots) - 1

    def _block(self, body: Sequence[ast.stmt], follow: int) -> list[ast.stmt]:
        """A block with marks; `follow` is where control goes after it."""
        marked: list[ast.stmt] = []
        for i, statement in enumerate(body):
            if not self._has_code(statement):
                marked.append(statement)
                continue
            marks = [_statement(self._new("line", line), statement) for line in _lines(statement)]
            # Nothing may stand before an import of the future.
            marked += [statement, *marks] if _is_future(statement) else [*marks, statement]
            self._enter(statement, self._start(body[i + 1 :], follow))
        return marked

    def _enter(self, node: ast.stmt, follow: int) -> None:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):
                self._expressions(child)
        match node:
            case ast.If():
                self._if(node, follow)
            case ast.While():
                self._while(node, follow)
            case ast.For() | ast.AsyncFor():
                self._for(node, follow)
            case ast.Try() | ast.TryStar():
                self._try(node, follow)
            case ast.Match():
                self._match(node, follow)
            case ast.With() | ast.AsyncWith():
                node.body = self._block(node.body, follow)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                outer, self._in_function = self._in_function, not isinstance(node, ast.ClassDef)
                node.body = self._block(node.body, -node.lineno)
                self._in_function = outer

    def _expressions(self, root: ast.AST) -> None:
        """Mark both outcomes of each conditional expression."""
        pending = [root]
        while pending:  # a loop, so that a long sum costs no stack
            node = pending.pop()
            if isinstance(node, ast.JoinedStr):  # 3.11 does not know the places in it
                continue
            pending += ast.iter_child_nodes(node)
            if isinstance(node, ast.IfExp):
                line = node.test.lineno
                node.test = self._decision(node.test, line, node.body.lineno, node.orelse.lineno)

    def _decision(self, test: ast.expr, line: int, true: int, false: int) -> ast.expr:
        """`test` as `mark if test else not mark`, which is as true as it is."""
        if isinstance(test, ast.Constant):
            return test  # the compiler decides
        yes, no = self._new("true", line, true), self._new("false", line, false)
        inverse = ast.UnaryOp(ast.Not(), _look(no, test))
        return ast.copy_location(ast.IfExp(test, _look(yes, test), inverse), test)

    def _if(self, node: ast.If, follow: int) -> None:
        true, false = self._start(node.body, follow), self._start(node.orelse, follow)
        node.test = self._decision(node.test, node.lineno, true, false)
        node.body, node.orelse = self._block(node.body, follow), self._block(node.orelse, follow)

    def _while(self, node: ast.While, follow: int) -> None:
        true, false = self._start(node.body, node.lineno), self._start(node.orelse, follow)
        node.test = self._decision(node.test, node.lineno, true, false)
        node.body = self._block(node.body, node.lineno)
        node.orelse = self._block(node.orelse, follow)

    def _for(self, node: ast.For | ast.AsyncFor, follow: int) -> None:
        entered = self._new("true", node.lineno, self._start(node.body, node.lineno))
        ended = self._new("false", node.lineno, self._start(node.orelse, follow))
        node.body = [_statement(entered, node), *self._block(node.body, node.lineno)]
        node.orelse = [_statement(ended, node), *self._block(node.orelse, follow)]

    def _try(self, node: ast.Try | ast.TryStar, follow: int) -> None:
        last = self._start(node.finalbody, follow)
        node.body = self._block(node.body, self._start(node.orelse, last))
        for handler in node.handlers:
            reached = self._new("line", handler.lineno)
            begin = []
            if handler.type is None:
                begin = [_statement(reached, handler)]
            else:
                handler.type = _and(_look(reached, handler.type), handler.type)
            handler.body = begin + self._block(handler.body, last)
        node.orelse = self._block(node.orelse, last)
        node.finalbody = self._block(node.finalbody, follow)

    def _match(self, node: ast.Match, follow: int) -> None:
        before: list[int] = []
        for i, case in enumerate(node.cases):
            line = case.pattern.lineno
            # Nothing can be put before a pattern: that a case was reached shows later.
            reached = self._new("line", line)
            self.implied[reached] = before
            begin = [_statement(reached, case.pattern)]
            before = []
            if case.guard is not None:
                self._expressions(case.guard)
                case.guard = _and(_look(reached, case.guard), case.guard)
            if _is_refutable(case):
                behind = node.cases[i + 1 :]
                matched = self._new("true", line, self._start(case.body, follow))
                missed = self._new("false", line, behind[0].pattern.lineno if behind else follow)
                before = [missed, reached]
                begin.append(_statement(matched, case.pattern))
            case.body = begin + self._block(case.body, follow)
        if before:
            missed, reached = before
            self.implied[missed] = [reached]
            rest = ast.match_case(ast.MatchAs(None, None), None, [_statement(missed, node)])
            node.cases.append(rest)

    def _start(self, body: Sequence[ast.stmt], follow: int) -> int:
        """The line where a block begins, or where control goes if it has no code."""
        return next((_lines(one)[0] for one in body if self._has_code(one)), follow)

    def _has_code(self, statement: ast.stmt) -> bool:
        """Whether the compiler makes anything of a statement: of a docstring it does not."""
        match statement:
            case ast.Expr(value=ast.Constant()) | ast.Global() | ast.Nonlocal():
                return False
            case ast.AnnAssign(value=None):
                return not self._in_function
        return True


def _lines(statement: ast.stmt) -> list[int]:
    """The lines that a statement begins on: a decorator is executed on its own."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return [*(decorator.lineno for decorator in decorators), statement.lineno]


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _is_refutable(case: ast.match_case) -> bool:
    pattern = case.pattern
    return case.guard is not None or not (
        isinstance(pattern, ast.MatchAs) and pattern.pattern is None
    )


def _look(mark: int, place: ast.AST) -> ast.expr:
    """`__seen__[mark]`, which is true."""
    name = ast.Name(SEEN, ast.Load())
    look = ast.Subscript(name, ast.Constant(mark), ast.Load())
    for node in (look, name, look.slice):
        ast.copy_location(node, place)
    return look


def _and(mark: ast.expr, node: ast.expr) -> ast.expr:
    return ast.copy_location(ast.BoolOp(ast.And(), [mark, node]), node)


def _statement(mark: int, place: ast.AST) -> ast.stmt:
    return ast.copy_location(ast.Expr(_look(mark, place)), place)


class _Seen(dict[int, bool]):
    """Tells of each mark when it is first looked at."""

    def __init__(self) -> None:
        # A grader may close standard error, or put something else in the place of these.
        self._descriptor, self._write = os.dup(2), os.write

    def __missing__(self, mark: int) -> bool:
        self[mark] = True
        with suppress(OSError):
            self._write(self._descriptor, f"{MARK}{mark}\n".encode())
        return True


def run(names: dict[str, Any], source: str, file: str, entry: str) -> None:
    """Execute a source with marks in it; what it raises is raised when `entry` is called."""
    setattr(builtins, SEEN, _Seen())
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    try:
        tree = ast.parse(source, file)
        Marks(tree)
        exec(compile(tree, file, "exec", dont_inherit=True), names)  # noqa: S102 - it is for that
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt as well
        trace = error.__traceback__ and error.__traceback__.tb_next
        failure = error.with_traceback(trace)

        def fail(*_: object) -> NoReturn:
            raise failure

        names[entry] = fail
