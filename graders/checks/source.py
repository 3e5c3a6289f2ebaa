"""What can be said about a python grader's source without running it.

The service runs anything that binds a `grade` callable with two positional arguments, so only
what it must fail on is an error: a source that does not parse or is too large, that binds no
`grade`, or whose plain `def grade` cannot take two arguments. The rest are warnings.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Final

from graders.checks.taint import runs_sample
from graders.errors import Finding, Severity, caret

MAX_SOURCE_BYTES: Final = 256 * 1024
"""The documented "256 kB", read generously."""

MAX_COMPILED: Final = 2_000_000
"""Nodes that are compiled here; the largest source allowed has about 100,000."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_BINDS_WHO_KNOWS_WHAT: Final = frozenset({"exec", "eval", "globals", "locals", "setattr", "vars"})


def check_source(source: str) -> list[Finding]:
    """Findings about a source; their paths are below `source`.

    Example:
        >>> [print(finding) for finding in check_source("def grade(sample): return 1.0")]
        line 1: grade takes 1 argument, and is called with two. Write def grade(sample, item).
        [None]
    """
    size = len(source.encode("utf-8", "surrogatepass"))
    if size >= MAX_SOURCE_BYTES:
        message = f"is {size:,} bytes long; the limit is {MAX_SOURCE_BYTES:,}"
        return [_finding("source-size", "error", "", message)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in someone else's strings
            tree = ast.parse(source, "grade.py")
            if compiled_size(tree) <= MAX_COMPILED:
                compile(tree, "grade.py", "exec")
    except SyntaxError as error:
        return [_syntax(error, source)]
    except (RecursionError, MemoryError):
        return [_finding("source-syntax", "error", "", "does not compile: nested too deeply")]
    except ValueError as error:  # NUL bytes
        return [_finding("source-syntax", "error", "", f"does not compile: {error}")]
    return [*_signature(tree), *runs_sample(tree), *_local_only(tree)]


def compiled_size(tree: ast.Module) -> int:
    r"""At most how many nodes are compiled: each `finally` again for every way out of its `try`.

    A kilobyte of them, one inside the other, comes to gigabytes; such a source is compiled in the
    sandbox alone, which has limits.

    Example:
        >>> compiled_size(ast.parse("try:\n    a()\nfinally:\n    b()"))
        13
    """
    ways_out = 2 + sum(isinstance(n, ast.Return | ast.Break | ast.Continue) for n in ast.walk(tree))
    size, pending = 0, [(child, 1) for child in ast.iter_child_nodes(tree)]
    while pending:
        node, times = pending.pop()
        size += times
        if size > MAX_COMPILED:
            break
        last = {*node.finalbody} if isinstance(node, ast.Try | ast.TryStar) else set()
        pending += [
            (child, times * ways_out if child in last else times)
            for child in ast.iter_child_nodes(node)
        ]
    return size


def _syntax(error: SyntaxError, source: str) -> Finding:
    lines = re.split(r"\r\n|\r|\n", source)  # str.splitlines knows line ends Python does not
    number = min(error.lineno or 1, len(lines))
    line = lines[number - 1]
    mark = caret(line, max(0, min((error.offset or 1) - 1, len(line))))
    fix = ""
    if isinstance(error, IndentationError) and number == _first_code_line(lines):
        fix = "The whole source is indented as a block; dedent it."
    elif len(lines) == 1 and "def " in line:
        fix = "It is all one line; were its newlines lost when it was put into JSON?"
        if "\\n" in line:
            fix = r"Its newlines are written as \\n, a backslash and an n; in JSON, write \n."
    return _finding("source-syntax", "error", f"line {number}", f"{error.msg}\n{mark}", fix)


def _first_code_line(lines: list[str]) -> int:
    return next((i for i, line in enumerate(lines, start=1) if line.strip()), 1)


def _signature(tree: ast.Module) -> Iterator[Finding]:
    bindings = list(_bindings(tree))
    if not bindings:
        if not _binds_who_knows_what(tree):
            message = "binds no function called grade"
            yield _finding("no-grade", "error", "", message, "Define def grade(sample, item).")
        return
    grade = bindings[-1]
    if isinstance(grade, _Function) and grade.name == "grade" and bindings == [grade]:
        # Decorated, it is no plain def, and only running it can tell.
        yield from () if grade.decorator_list else _parameters(grade)


def _parameters(grade: _Function) -> Iterator[Finding]:
    """What a plain def's parameters tell. It is called as grade(sample, item)."""
    line, args = f"line {grade.lineno}", grade.args
    names = [arg.arg for arg in (*args.posonlyargs, *args.args)]
    required = len(names) - len(args.defaults)
    keywords = [
        arg.arg
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)
        if default is None
    ]
    fix = "Write def grade(sample, item)."
    if required > 2 or keywords or (len(names) < 2 and not args.vararg):
        takes = f"{len(names)} argument{'' if len(names) == 1 else 's'}"
        if args.kwonlyargs:
            takes += f" and {', '.join(arg.arg for arg in args.kwonlyargs)} by keyword only"
        message = f"grade takes {takes}, and is called with two"
        yield _finding("grade-signature", "error", line, message, fix)
        return
    called = [name.strip("_") for name in names[:2]]  # `_item` is one that is not used
    if called == ["item", "sample"]:
        message = f"grade({names[0]}, {names[1]}) gets the sample first, however named"
        yield _finding("grade-order", "warning", line, message, fix)
    elif len(names) >= 2 and called != ["sample", "item"]:
        message = f"grade({', '.join(names[:2])}) gets the sample and the item, both dicts"
        yield _finding("grade-names", "warning", line, message, fix)
    if len(names) > 2:
        message = f"{', '.join(names[2:])} always keeps its default; grade is called with two"
        yield _finding("grade-extra", "warning", line, message)
    if isinstance(grade, ast.AsyncFunctionDef):
        message = "grade is async, so calling it returns a coroutine and not a number"
        yield _finding("grade-async", "warning", line, message, "Write a plain def.")


def _bindings(tree: ast.Module) -> Iterator[ast.AST]:
    """Each place that binds the module's name `grade`, in source order."""
    pending: list[ast.AST] = list(reversed(tree.body))
    while pending:
        node = pending.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                if node.name == "grade" or any(
                    isinstance(n, ast.Global) and "grade" in n.names for n in ast.walk(node)
                ):
                    yield node
                continue  # what stands inside binds its own names
            case ast.Lambda():
                continue
            case ast.Name(id="grade", ctx=ast.Store()):
                yield node
            case ast.MatchAs(name="grade") | ast.MatchStar(name="grade"):
                yield node
            case ast.MatchMapping(rest="grade"):
                yield node
            case ast.alias():
                if (node.asname or node.name.partition(".")[0]) == "grade":
                    yield node
            case _:
                pass
        pending.extend(reversed(list(ast.iter_child_nodes(node))))


def _binds_who_knows_what(tree: ast.Module) -> bool:
    return any(
        (isinstance(node, ast.Name) and node.id in _BINDS_WHO_KNOWS_WHAT)
        or (isinstance(node, ast.Constant) and node.value == "grade")
        or (isinstance(node, ast.alias) and node.name == "*")
        for node in ast.walk(tree)
    )


def _local_only(tree: ast.Module) -> Iterator[Finding]:
    """The first line that needs `sandbox.run_code`."""
    lines = [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and node.module == "sandbox" and not node.level)
        or (isinstance(node, ast.Import) and any(a.name == "sandbox" for a in node.names))
        or (isinstance(node, ast.Attribute) and _is_run_code(node))
    ]
    if lines:
        message = "sandbox.run_code exists here and not on the hosted service"
        fix = "For a hosted job, do without it where the import fails."
        yield _finding("local-only", "warning", f"line {min(lines)}", message, fix)


def _is_run_code(node: ast.Attribute) -> bool:
    owner = node.value
    return node.attr == "run_code" and isinstance(owner, ast.Name) and owner.id == "sandbox"


def _finding(code: str, severity: Severity, path: str, message: str, fix: str = "") -> Finding:
    return Finding(code=code, severity=severity, path=path, message=message, fix=fix)
