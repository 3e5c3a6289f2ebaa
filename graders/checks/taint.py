"""Whether the sample, text that a model wrote, reaches something that runs it as code.

Code that grade() runs in its own process can set the score. Values are followed through
variables, attributes, containers and functions of the module, in no order and for all calls at
once: it may see a way that no run takes, and it does not see through modules, `getattr` or files.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from graders.checks.scopes import Scope, parameters, scoped
from graders.errors import Finding

_RUN_FIRST: Final = frozenset(
    {
        *("exec", "eval", "compile", "__import__", "importlib.import_module"),
        *("os.system", "os.popen", "runpy.run_path", "runpy.run_module"),
        *("pickle.load", "pickle.loads", "marshal.load", "marshal.loads"),
    }
)
"""What runs its first argument; the others only tell how."""
_RUN_ANY: Final = frozenset(
    f"subprocess.{name}"
    for name in ("run", "Popen", "call", "check_call", "check_output", "getoutput")
) | {f"os.exec{how}" for how in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")}
_RUNNERS: Final = _RUN_FIRST | _RUN_ANY

_NUMBERS: Final = frozenset(
    {"bool", "callable", "float", "hasattr", "hash", "id", "int", "isinstance", "len", "ord"}
)
"""What gives a number or a truth value, which is no code."""
_MUTATORS: Final = frozenset(
    {
        *("add", "append", "appendleft", "extend", "insert", "setdefault", "update"),
        *("write", "writelines", "write_bytes", "write_text"),
    }
)
"""Methods whose receiver then holds what they were given."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_ALL, _REST = -1, -2  # any parameter of a function; those that take what no other takes


@dataclass(frozen=True, slots=True)
class _Variable:
    home: Scope | None
    name: str


@dataclass(frozen=True, slots=True)
class _Field:
    """An attribute or method of this name, whoever has it."""

    name: str


@dataclass(frozen=True, slots=True)
class _Into:
    """What is stored through an expression: into `a.b[0]` is into `a.b`, and into `a`."""

    node: ast.expr


@dataclass(frozen=True, slots=True)
class _Slot:
    """An argument of a call of what `owner` is: its position or keyword."""

    owner: ast.AST | _Variable | _Field
    place: int | str


_Place = ast.AST | _Variable | _Field | _Into | _Slot
_Flow = tuple[_Place, _Place]


def runs_sample(tree: ast.Module) -> Iterator[Finding]:
    """A warning for each call that may run what the sample holds; linear in the source.

    Args:
        tree: A source that compiles.

    Example:
        >>> source = "def grade(sample, item): return eval(sample['output_text'])"
        >>> [finding.path for finding in runs_sample(ast.parse(source))]
        ['line 1']
    """
    visited = scoped(tree)
    runners = [found for node, scope in visited for found in _runners(node, scope)]
    if not runners:
        return
    grade = _Variable(visited[0][1], "grade")
    reached = _reached([_Slot(grade, 0), _Slot(grade, _REST)], visited)
    for call, name, watched in runners:
        if any(node in reached for node in watched):
            yield Finding(
                code="runs-sample",
                severity="warning",
                path=f"line {call.lineno}",
                message=f"the sample reaches {name}, and whatever grade() execs can set its "
                "own score",
                fix="Use sandbox.run_code(...), which does not exist on the hosted service.",
            )


def _runners(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.Call, str, list[ast.expr]]]:
    """A call that runs code, what it is called, and where the code would stand."""
    if not isinstance(node, ast.Call):
        return
    name = scope.dotted(node.func)
    words = [word.value for word in node.keywords if word.arg not in {"globals", "locals"}]
    if name in _RUN_FIRST:
        yield node, name, [*node.args[:1], *words]
    elif name in _RUN_ANY:
        yield node, name, [*node.args, *words]
    for passed in (*node.args, *words):  # map(exec, answers)
        if isinstance(passed, (ast.Name, ast.Attribute)):
            name = scope.dotted(passed)
            if name in _RUNNERS:
                yield node, name, [node]


def _reached(start: Iterable[_Place], visited: list[tuple[ast.AST, Scope]]) -> set[_Place]:
    flows = defaultdict(list)
    for node, scope in visited:
        for here, there in _flows(node, scope):
            flows[here].append(there)
    reached = set(start)
    pending = list(reached)
    while pending:
        for place in flows.get(pending.pop(), ()):
            if place not in reached:
                reached.add(place)
                pending.append(place)
    return reached


def _flows(node: ast.AST, scope: Scope) -> Iterator[_Flow]:  # noqa: C901, PLR0912 - a table of statements
    match node:
        case ast.expr():
            yield from _through(node, scope)
        case ast.Assign():
            for target in node.targets:
                yield from _assigned(node.value, target, scope)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _assigned(value, target, scope)
        case ast.AugAssign(target=target, value=value):
            yield value, _Into(target)
        case ast.For() | ast.AsyncFor() | ast.comprehension():
            yield node.iter, _Into(node.target)
        case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
            yield from _assigned(value, target, scope)
        case ast.Return(value=ast.expr() as value):
            yield value, scope.node
        case ast.Match():
            for part in (part for case in node.cases for part in ast.walk(case.pattern)):
                for name in (getattr(part, "name", None), getattr(part, "rest", None)):
                    if name:
                        yield node.subject, _Variable(scope.home(name), name)
        case ast.arg():
            yield node, _Variable(scope.home(node.arg), node.arg)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from _defined(node, scope)


def _through(node: ast.expr, scope: Scope) -> Iterator[_Flow]:  # noqa: C901 - a table of expressions
    """What an expression's value takes from the values inside it."""
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            pass
        case ast.Name():
            variable = _Variable(scope.home(node.id), node.id)
            yield variable, node
            if variable.home and not scope.imported(node.id):  # a module is no container
                yield _Into(node), variable
        case ast.Attribute():
            yield from ((node.value, node), (_Field(node.attr), node))
            yield from ((_Into(node), _Field(node.attr)), (_Into(node), _Into(node.value)))
        case ast.Subscript():
            yield from ((node.value, node), (_Into(node), _Into(node.value)))
        case ast.IfExp():
            yield from ((node.body, node), (node.orelse, node))
        case ast.Call():
            yield from _called(node, scope)
        case ast.Lambda():
            yield from ((node.body, node), *_taken(node, node))
        case ast.NamedExpr():
            yield from ((node.value, node), *_assigned(node.value, node.target, scope))
        case ast.Yield(value=ast.expr() as value) | ast.YieldFrom(value=value):
            yield value, scope.node
        case _:
            parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
            yield from ((part, node) for part in parts)
            yield from ((_Into(node), _Into(part)) for part in parts)


def _assigned(value: ast.expr, target: ast.expr, scope: Scope) -> Iterator[_Flow]:
    match value, target:
        case ast.Tuple(), ast.Tuple() if len(value.elts) == len(target.elts):
            # code, tests = sample["output_text"], item["tests"]  # noqa: ERA001
            yield from ((v, _Into(t)) for v, t in zip(value.elts, target.elts, strict=True))
            return
        case ast.Lambda(), ast.Name():
            yield from _taken(value, _Variable(scope.home(target.id), target.id))
        case ast.Call(func=ast.Name(id="open") | ast.Attribute(attr="open")), ast.Name():
            # What is written to a file is later run by the file's name.
            opened = value.args[:1] if isinstance(value.func, ast.Name) else [value.func]
            yield from (
                (_Variable(scope.home(target.id), target.id), _Into(name)) for name in opened
            )
    yield value, _Into(target)


def _called(node: ast.Call, scope: Scope) -> Iterator[_Flow]:
    """Into a call's value, and into the parameters of the function where it is one of ours."""
    name = scope.dotted(node.func)
    values = [*node.args, *(word.value for word in node.keywords)]
    if name not in _NUMBERS:
        yield from ((value, node) for value in (node.func, *values))
    owner = _owner(node.func, scope)
    method = isinstance(owner, _Field)
    if isinstance(node.func, ast.Attribute) and name is None:
        yield node.func.value, _Slot(owner, 0)
        if node.func.attr in _MUTATORS:
            yield from ((value, _Into(node.func.value)) for value in values)
    for place, value in enumerate(node.args, start=1 if method else 0):
        yield value, _Slot(owner, _ALL if isinstance(value, ast.Starred) else place)
        yield value, _Slot(owner, _REST)
    for word in node.keywords:
        yield word.value, _Slot(owner, word.arg or _ALL)
        yield word.value, _Slot(owner, _REST)
    for value in values:  # map(run, answers): whoever gets a function may call it
        if isinstance(value, (ast.Name, ast.Attribute, ast.Lambda)):
            yield node, _Slot(_owner(value, scope), _ALL)


def _owner(function: ast.expr, scope: Scope) -> ast.AST | _Variable | _Field:
    """What the parameters of a function are kept under."""
    match function:
        case ast.Name(id=name):
            return _Variable(scope.home(name), name)
        case ast.Attribute(attr=name) if scope.dotted(function) is None:
            return _Field(name)
    return function


def _defined(node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> Iterator[_Flow]:
    if not scope.is_class:
        variable = _Variable(scope.home(node.name), node.name)
        yield from ((node, variable), *_taken(node, variable))
        return
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
    yield from ((node, _Field(node.name)), *_taken(node, _Field(node.name), 1 if static else 0))
    if node.name in {"__init__", "__new__"} and isinstance(scope.node, ast.ClassDef):
        name, around = scope.node.name, scope.parent or scope
        yield from _taken(node, _Variable(around.home(name), name), -1)


def _taken(
    function: _Function, owner: ast.AST | _Variable | _Field, shift: int = 0
) -> Iterator[_Flow]:
    """From a call's arguments to the parameters; `shift` is what the place of the first one is."""
    args = function.args
    placed = [*args.posonlyargs, *args.args]
    for place, parameter in enumerate(placed, start=shift):
        if place >= 0:
            yield _Slot(owner, place), parameter
    for parameter in (*placed, *args.kwonlyargs):
        yield _Slot(owner, parameter.arg), parameter
    for rest in filter(None, (args.vararg, args.kwarg)):
        yield _Slot(owner, _REST), rest
    yield from ((_Slot(owner, _ALL), parameter) for parameter in parameters(function))
    # lambda code=code: exec(code)  # noqa: ERA001
    yield from zip(reversed(args.defaults), reversed(placed), strict=False)
    for default, parameter in zip(args.kw_defaults, args.kwonlyargs, strict=True):
        if default is not None:
            yield default, parameter
