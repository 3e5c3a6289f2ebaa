"""Which variable a name in a Python source means, and what an imported name stands for.

Finer than a search for names, so that `code` in one function is not `code` in another; coarser
than Python, so that it stays small: a comprehension's variables belong to the function around it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_MAX_DOTS: Final = 4
"""No name that anyone asks for is longer, and a chain of thousands must not cost its square."""


@dataclass(slots=True, kw_only=True, eq=False)
class Scope:
    """A module, class or function, and the names it binds.

    Attributes:
        node: What opens it: a module, a class, a def or a lambda.
        parent: The scope around it; None for the module.
        bound: The names it binds.
        elsewhere: The names it declares `global` or `nonlocal`.
        origins: What its imported names stand for: `sp` for `subprocess`.
    """

    node: ast.AST
    parent: Scope | None = None
    bound: set[str] = field(default_factory=set)
    elsewhere: dict[str, Scope] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    _homes: dict[str, Scope | None] = field(default_factory=dict)

    @property
    def is_class(self) -> bool:
        """Whether functions inside do not see its names."""
        return isinstance(self.node, ast.ClassDef)

    def home(self, name: str) -> Scope | None:
        """The scope whose variable the name is here; None for a builtin. Ask when all is bound."""
        if name not in self._homes:
            self._homes[name] = self._find(name)
        return self._homes[name]

    def _find(self, name: str) -> Scope | None:
        scope: Scope | None = self.elsewhere.get(name, self)
        while scope is not None:
            if name in scope.bound and (scope is self or not scope.is_class):
                return scope
            scope = scope.parent
        return None

    def imported(self, name: str) -> str | None:
        """What an import gave the name, `subprocess.run`; None if no import did."""
        home = self.home(name)
        return home.origins.get(name) if home else None

    def dotted(self, node: ast.expr) -> str | None:
        """The imported thing or builtin an expression names; None for a variable or a value.

        Example:
            >>> tree = ast.parse("import subprocess as sp; sp.run; len; x = 1; x.run")
            >>> module = scoped(tree)[0][1]
            >>> [module.dotted(part.value) for part in tree.body if isinstance(part, ast.Expr)]
            ['subprocess.run', 'len', None]
        """
        names: list[str] = []
        while isinstance(node, ast.Attribute) and len(names) < _MAX_DOTS:
            names.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        origin = self.imported(node.id)
        if origin is None and self.home(node.id) is not None:
            return None
        return ".".join((origin or node.id, *reversed(names))).removeprefix("builtins.")


def scoped(tree: ast.Module) -> list[tuple[ast.AST, Scope]]:
    """Every node of a module in source order, each with the scope in which it is evaluated."""
    module = Scope(node=tree)
    visited: list[tuple[ast.AST, Scope]] = []
    pending: list[tuple[ast.AST, Scope]] = [(tree, module)]
    while pending:  # and not by recursion: sources may be nested absurdly
        node, scope = pending.pop()
        visited.append((node, scope))
        _bind(node, scope, module)
        pending.extend(reversed(list(_inside(node, scope))))
    return visited


def _inside(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
    """The nodes directly below one, in the scope around or in the one it opens."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            inner, body = Scope(node=node, parent=scope), node.body
            # Defaults and decorators are evaluated outside, before there is a call.
            outer = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
            outer += getattr(node, "decorator_list", [])
            within = [*parameters(node), *(body if isinstance(body, list) else [body])]
        case ast.ClassDef():
            inner = Scope(node=node, parent=scope)
            outer = [*node.bases, *(word.value for word in node.keywords), *node.decorator_list]
            within = list(node.body)
        case _:
            inner, outer, within = scope, [], list(ast.iter_child_nodes(node))
    yield from ((child, scope) for child in outer)
    yield from ((child, inner) for child in within)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[ast.AST]:
    """Every parameter, `*rest` and `**options` included."""
    args = function.args
    rest = filter(None, (args.vararg, args.kwarg))
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *rest]


def caught(handler: ast.ExceptHandler, scope: Scope) -> set[str | None]:
    """The exceptions that a handler names; `BaseException` where it catches all."""
    if handler.type is None:
        return {"BaseException"}
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {scope.dotted(exception) for exception in types}


def _bind(node: ast.AST, scope: Scope, module: Scope) -> None:
    match node:
        case ast.Global() | ast.Nonlocal():
            home = module if isinstance(node, ast.Global) else scope.parent or module
            scope.elsewhere |= dict.fromkeys(node.names, home)
        case ast.Import():
            for alias in node.names:
                top = alias.name.partition(".")[0]
                _import(scope, alias.asname or top, alias.name if alias.asname else top)
        case ast.ImportFrom():
            for alias in node.names:
                _import(scope, alias.asname or alias.name, f"{node.module}.{alias.name}")
        case _:
            name = _bound_name(node)
            home = scope.elsewhere.get(name, scope) if name else scope
            if name and home in (scope, module):  # what is nonlocal is bound further out already
                home.bound.add(name)


def _import(scope: Scope, name: str, origin: str) -> None:
    home = scope.elsewhere.get(name, scope)
    home.bound.add(name)
    home.origins[name] = origin


def _bound_name(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.ExceptHandler(name=some) | ast.MatchAs(name=some) | ast.MatchStar(name=some):
            return some
        case ast.MatchMapping(rest=some):
            return some
    return None
