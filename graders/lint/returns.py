"""What a `grade` function gives back: on which ways out nothing, on which no number.

Only a plain `def grade` at the top of the module is read; it is not run, and no name in it is
looked up. A way out is one that the statements allow: a loop that never ends has none behind it.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from graders.errors import Finding
from graders.lint.codes import say

Function = ast.FunctionDef | ast.AsyncFunctionDef
_NO_NUMBERS: Final[Mapping[type[ast.expr], str]] = {
    ast.Dict: "a dict",
    ast.DictComp: "a dict",
    ast.List: "a list",
    ast.ListComp: "a list",
    ast.Tuple: "a tuple",
    ast.Set: "a set",
    ast.SetComp: "a set",
    ast.JoinedStr: "text",
    ast.GeneratorExp: "a generator",
    ast.Lambda: "a function",
}
_MADE: Final = {"dict": "a dict", "list": "a list", "str": "text", "tuple": "a tuple"}


def plain_grade(tree: ast.Module) -> Function | None:
    """The module's one plain `def grade`; None where it is bound in another way, or twice."""
    found = [
        node
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == "grade"
    ]
    return found[0] if len(found) == 1 and not found[0].decorator_list else None


def check_returns(grade: Function) -> Iterator[Finding]:
    """Findings about what a grade function returns; their paths are below `source`."""
    own = [*_own(grade.body)]
    if any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in own):
        message = "grade yields, so calling it gives a generator and not a number"
        yield _say("returns-no-number", grade, message, "Return a number.")
        return
    returns = [node for node in own if isinstance(node, ast.Return)]
    once = _bound_once(grade, own)
    for node in returns:
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        yield from _returned(node, once.get(name, node.value))
    if _falls_through(grade.body):
        last = grade.body[-1]
        message = "grade can end here without a return, and None is no score"
        if not returns:
            message = "grade returns nothing, and None is no score"
        yield _say("returns-nothing", last, message, "Return a number on each way out.")


def _bound_once(grade: Function, own: Sequence[ast.AST]) -> dict[str, ast.expr]:
    """The variables of a function that are bound in one place, and what to, if it is seen there."""
    bound = Counter(
        name
        for node in ast.walk(grade)
        for field, name in ast.iter_fields(node)
        if field in {"arg", "asname", "name", "rest"}
        or (field == "id" and isinstance(getattr(node, "ctx", None), ast.Store))
    )
    return {
        node.targets[0].id: node.value
        for node in own
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and bound[node.targets[0].id] == 1
    }


def _returned(node: ast.Return, value: ast.expr | None) -> Iterator[Finding]:
    if value is None or (isinstance(value, ast.Constant) and value.value is None):
        message = "grade returns None here, and None is no score"
        yield _say("returns-nothing", node, message, "Return a number on each way out.")
        return
    if name := _no_number(value):
        message = f"grade returns {name} here, and a score is a number"
        yield _say("returns-no-number", node, message, "Return the number alone.")
    if _is_truth(value):
        message = "grade returns True or False here, which counts as a failure (bool_returns)"
        yield _say("returns-bool", node, message, "Write float(...) around it.")


def _no_number(value: ast.expr) -> str | None:
    match value:
        case ast.Constant(value=str() | bytes()):
            return "text"
        case ast.Call(func=ast.Name(id=name)):
            return _MADE.get(name)
    return _NO_NUMBERS.get(type(value))


def _is_truth(value: ast.expr) -> bool:
    match value:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Constant(value=bool()):
            return True
        case ast.Call(func=ast.Name(id="all" | "any" | "bool" | "isinstance")):
            return True
        case ast.BoolOp(values=parts):
            return all(map(_is_truth, parts))
        case ast.IfExp(body=body, orelse=other):
            return _is_truth(body) and _is_truth(other)
    return False


def _own(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """Every node of a function's body, but for what stands in functions and classes inside."""
    pending: list[ast.AST] = list(reversed(body))
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            pending.extend(reversed(list(ast.iter_child_nodes(node))))


def _falls_through(body: Sequence[ast.stmt]) -> bool:
    """Whether a run can come to the end of some statements and go on after them."""
    return all(map(_goes_on, body))


def _goes_on(statement: ast.stmt) -> bool:
    match statement:
        case ast.Return() | ast.Raise() | ast.Continue() | ast.Break():
            return False
        case ast.If(body=body, orelse=other):
            return _falls_through(body) or _falls_through(other)
        case ast.While(test=ast.Constant(value=value), body=body) if value:
            return _breaks(body)
        case (
            ast.For(orelse=[_, *_] as other, body=body)
            | ast.While(orelse=[_, *_] as other, body=body)
        ):
            return _falls_through(other) or _breaks(body)
        case ast.With(body=body) | ast.AsyncWith(body=body):
            return _falls_through(body)
        case ast.Try() | ast.TryStar():
            return _try_goes_on(statement)
        case ast.Match(cases=cases):
            whole = any(_takes_all(case) for case in cases)
            return not whole or any(_falls_through(case.body) for case in cases)
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="exit") | ast.Name(id="exit"))):
            return False
    return True


def _try_goes_on(statement: ast.Try | ast.TryStar) -> bool:
    if statement.finalbody and not _falls_through(statement.finalbody):
        return False
    tried = _falls_through(statement.body) and _falls_through(statement.orelse)
    return tried or any(_falls_through(handler.body) for handler in statement.handlers)


def _takes_all(case: ast.match_case) -> bool:
    return case.guard is None and isinstance(case.pattern, ast.MatchAs) and not case.pattern.pattern


def _breaks(body: Sequence[ast.stmt]) -> bool:
    """Whether a loop's own body has a break; one in a loop inside belongs to that."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Break):
            return True
        inner = (ast.For, ast.AsyncFor, ast.While, ast.FunctionDef, ast.AsyncFunctionDef)
        if isinstance(node, inner):
            pending.extend(getattr(node, "orelse", []))
        else:
            pending.extend(ast.iter_child_nodes(node))
    return False


def _say(code: str, node: ast.stmt | Function, message: str, fix: str) -> Finding:
    return say(code, f"line {node.lineno}", message, fix)
