"""The small changes that are made to a grader's source, one a mutant: a table.

Each is an edit of the author's own text.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from graders.testing.python_text import PythonText

Edits = Iterator[tuple[int, int, str]]
"""Characters to replace, from and to, and what with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of a text.

    Attributes:
        mutator: Which row of the table made it.
        line: The line, as coverage counts them, that must run for it to matter.
        start: The first character that is replaced.
        end: The one after the last.
        text: What it is replaced by.
    """

    mutator: str
    line: int
    start: int
    end: int
    text: str

    def of(self, text: str) -> str:
        """The changed text."""
        return text[: self.start] + self.text + text[self.end :]


class Mutator(NamedTuple):
    """A row of the table.

    Attributes:
        edits: What it does to a node.
        notice: What kind of case would notice.
    """

    edits: Callable[[PythonText, ast.AST], Edits]
    notice: str


_COMPARISONS: Final[Mapping[type[ast.cmpop], str]] = {
    ast.Eq: "!=", ast.NotEq: "==", ast.Is: "is not", ast.IsNot: "is", ast.In: "not in",
    ast.NotIn: "in", ast.Lt: ">=", ast.LtE: ">", ast.Gt: "<=", ast.GtE: "<",
}  # fmt: skip
_BOUNDARIES: Final[Mapping[type[ast.cmpop], str]] = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">",
}  # fmt: skip
_ARITHMETIC: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "/", ast.Mod: "*",
    ast.Pow: "*", ast.BitAnd: "|", ast.BitOr: "&", ast.BitXor: "|", ast.LShift: ">>",
    ast.RShift: "<<",
}  # fmt: skip
_REMOVED_METHODS: Final = frozenset(
    {
        *("strip", "lstrip", "rstrip", "lower", "upper", "casefold", "title", "capitalize"),
        *("replace", "removeprefix", "removesuffix", "translate", "zfill"),
    }
)
_REMOVED_FUNCTIONS: Final = frozenset({"abs", "round", "sorted", "set", "reversed"})
_SWAPPED_NAMES: Final[Mapping[str, str]] = {
    "min": "max", "max": "min", "any": "all", "all": "any", "ceil": "floor", "floor": "ceil",
    "startswith": "endswith", "endswith": "startswith", "find": "rfind", "rfind": "find",
    "match": "search", "search": "match", "fullmatch": "match",
    "union": "intersection", "intersection": "union",
    "issubset": "issuperset", "issuperset": "issubset",
}  # fmt: skip
_SYMMETRIC: Final = frozenset({"min", "max", "isclose", "gcd", "lcm", "hypot", "commonprefix"})


def _comparison(table: Mapping[type[ast.cmpop], str], text: PythonText, node: ast.AST) -> Edits:
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            if type(operator) in table:
                word = text.between(left, right)
                yield word.start, word.end, table[type(operator)]


def _numbers(text: PythonText, node: ast.AST) -> Edits:
    if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
        for other in near_numbers(node.value):  # type: ignore[arg-type]
            yield (*text.span(node), other)


def near_numbers(value: float) -> Iterator[str]:
    """The numbers beside one: 1 away, or 0.1 of what is a share.

    Example:
        >>> [*near_numbers(3)], [*near_numbers(0.5)], [*near_numbers(2.5)]
        (['4', '2'], ['0.6', '0.4'], ['3.5', '1.5'])
    """
    if abs(value) > 1e15 or not math.isfinite(value):
        return
    if isinstance(value, int):
        yield from (str(value + 1), str(value - 1))
    else:
        step = 0.1 if abs(value) <= 1 else 1.0
        yield from (repr(round(value + step, 12)), repr(round(value - step, 12)))


def _texts(text: PythonText, node: ast.AST) -> Edits:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield (*text.span(node), '""' if node.value else '"x"')


def _booleans(text: PythonText, node: ast.AST) -> Edits:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield (*text.span(node), str(not node.value))


def _logic(text: PythonText, node: ast.AST) -> Edits:
    if isinstance(node, ast.BoolOp):
        other = "or" if isinstance(node.op, ast.And) else "and"
        for left, right in zip(node.values, node.values[1:], strict=False):
            word = text.between(left, right)
            yield word.start, word.end, other


def _parts(text: PythonText, node: ast.AST) -> Edits:
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            yield (*text.span(value), str(isinstance(node.op, ast.And)))


def _conditions(text: PythonText, node: ast.AST) -> Edits:
    tests: list[ast.expr] = []
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        tests = [node.test]
    elif isinstance(node, ast.comprehension):
        tests = node.ifs
    for test in tests:
        negated = isinstance(test, ast.Compare) and len(test.ops) == 1  # by its operator
        if not negated and not isinstance(test, (ast.Constant, ast.UnaryOp)):
            yield (*text.span(test), f"not ({text.of(test)})")


def _negations(text: PythonText, node: ast.AST) -> Edits:
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.UAdd):
        start, end = text.span(node)
        operator = text.words(start, end)[0]
        rest = text.text[operator.end : end]
        yield start, operator.end + len(rest) - len(rest.lstrip(" ")), ""


def _arithmetic(text: PythonText, node: ast.AST) -> Edits:
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            if not (_is_text(left) or _is_text(right)):
                word = text.between(left, right)
                yield word.start, word.end, _other(op)
        case ast.AugAssign(target=left, op=op, value=right) if not _is_text(right):
            word = text.between(left, right)
            yield word.start, word.end, _other(op) + "="


def _other(operator: ast.operator) -> str:
    return _ARITHMETIC.get(type(operator), "*")  # of a matrix product


def _is_text(node: ast.expr) -> bool:
    """Whether it is a text or a list as it stands, which has no other arithmetic."""
    while isinstance(node, ast.BinOp):
        if _is_text(node.right):
            return True
        node = node.left
    is_list = isinstance(node, (ast.JoinedStr, ast.List, ast.ListComp, ast.Tuple))
    return is_list or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _calls(text: PythonText, node: ast.AST) -> Edits:
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in _REMOVED_METHODS:
            yield (*text.span(node), text.operand(owner))
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _REMOVED_FUNCTIONS:
            yield (*text.span(node), text.operand(first))
        case ast.Call(func=ast.Name(id="min" | "max"), args=[_, _, *_], keywords=[]):
            if not any(isinstance(one, ast.Starred) for one in node.args):
                for argument in node.args:
                    yield (*text.span(node), text.operand(argument))


def _names(text: PythonText, node: ast.AST) -> Edits:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _SWAPPED_NAMES:
            end = text.span(node.func)[1]
            yield end - len(name), end, _SWAPPED_NAMES[name]


def _arguments(text: PythonText, node: ast.AST) -> Edits:
    match node:
        case ast.Call(func=function, args=[one, other, *_]):
            name = getattr(function, "attr", getattr(function, "id", ""))
            starred = isinstance(one, ast.Starred) or isinstance(other, ast.Starred)
            if name not in _SYMMETRIC and not starred and text.of(one) != text.of(other):
                (start, middle), (rest, end) = text.span(one), text.span(other)
                swapped = text.of(other) + text.text[middle:rest] + text.of(one)
                yield start, end, swapped


def _returns(text: PythonText, node: ast.AST) -> Edits:
    if isinstance(node, ast.Return) and node.value is not None:
        known = node.value.value if isinstance(node.value, ast.Constant) else ...
        for other in ("0.0", "1.0"):
            if known is ... or isinstance(known, bool) or known != float(other):
                yield (*text.span(node.value), other)


def _helper_returns(text: PythonText, node: ast.AST) -> Edits:
    match node:
        case ast.Return(value=ast.Constant(value=None)):
            return
        case ast.Return(value=ast.expr() as value):
            yield (*text.span(value), "None")


def _statements(text: PythonText, node: ast.AST) -> Edits:
    match node:
        case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
            return  # without it the function is another kind
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Assert() | ast.Delete():
            yield (*text.span(node), "pass")
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            if any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(value)):
                yield (*text.span(node), "pass")
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield (*text.span(node), "pass")


def _loops(text: PythonText, node: ast.AST) -> Edits:
    match node:
        case ast.Break():
            yield from ((*text.span(node), other) for other in ("continue", "pass"))
        case ast.Continue():
            yield from ((*text.span(node), other) for other in ("break", "pass"))


def _slices(text: PythonText, node: ast.AST) -> Edits:
    if isinstance(node, ast.Slice):
        for bound in (node.lower, node.upper):
            if bound is not None:
                yield (*text.span(bound), "")


MUTATORS: Final[Mapping[str, Mutator]] = {
    "comparison": Mutator(
        lambda text, node: _comparison(_COMPARISONS, text, node),
        "one where the comparison decides the score",
    ),
    "boundary": Mutator(
        lambda text, node: _comparison(_BOUNDARIES, text, node),
        "one exactly at the boundary, where both sides are equal",
    ),
    "number": Mutator(_numbers, "one whose score hangs on this number, expected exactly"),
    "text": Mutator(_texts, "one whose sample or item has this text, and one that has not"),
    "boolean": Mutator(_booleans, "one that takes the other way"),
    "logic": Mutator(_logic, "one where one side holds and the other does not"),
    "part": Mutator(_parts, "one where this part alone decides"),
    "condition": Mutator(_conditions, "one where the condition decides the score"),
    "negation": Mutator(_negations, "one where the sign or the `not` decides the score"),
    "arithmetic": Mutator(_arithmetic, "one with numbers for which the two operators differ"),
    "call": Mutator(
        _calls, "one with something for the call to do: blanks, capitals, a large value"
    ),
    "name": Mutator(_names, "one for which the two functions differ"),
    "arguments": Mutator(_arguments, "one with two arguments that are not alike"),
    "return": Mutator(_returns, "one that ends here with another score, expected exactly"),
    "helper": Mutator(_helper_returns, "one that needs what this function gives"),
    "statement": Mutator(_statements, "one that needs what this statement does"),
    "loop": Mutator(_loops, "one that goes on behind it, or stops there, with another score"),
    "slice": Mutator(_slices, "one with something beyond this bound"),
}
"""Each change by its name, with the kind of case that would notice it."""


def changes(source: str) -> list[Change]:
    r"""Every change of a source, in order of its text; nothing of the source is executed.

    Some may mean nothing: `graders.testing.meaning` tells.

    Raises:
        SyntaxError: It does not parse.

    Example:
        >>> for change in changes("def grade(s, i):\n    return len(s) > 3\n"):
        ...     print(change.mutator, repr(change.text))
        return '0.0'
        return '1.0'
        comparison '<='
        boundary '>='
        number '4'
        number '2'
    """
    text = PythonText(source)
    order = list(MUTATORS)
    found = sorted(_found(text), key=lambda c: (c.start, -c.end, order.index(c.mutator)))
    return list({(one.start, one.end, one.text): one for one in reversed(found)}.values())[::-1]


def _found(text: PythonText) -> Iterator[Change]:
    for node, line, in_grade in text.nodes():
        for name, mutator in MUTATORS.items():
            if name in {"return", "helper"} and in_grade != (name == "return"):
                continue
            for start, end, other in mutator.edits(text, node):
                yield Change(mutator=name, line=line, start=start, end=end, text=other)
