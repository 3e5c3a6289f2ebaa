"""From a formula's text to its program: one pass of recursive descent, one method per rule."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from math import isinf
from typing import Final

from graders.errors import FormulaError, did_you_mean
from graders.formula.program import Program, Step

MAX_LENGTH: Final = 200_000
"""Characters of a formula. Such a sum takes about a second to compile."""

MAX_NESTING: Final = 100
"""Parentheses and powers within one another. A level takes at most five of Python's 1000 frames."""

_ELSEWHERE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("avg", "average", "mean"), "(a + b) / 2"),
    **dict.fromkeys(("clamp", "clip"), "min(1, max(0, a))"),
    "ln": "log(a)",
    "log10": "log(a) / log(10)",
    "log2": "log(a) / log(2)",
    "pow": "a ^ b",
    "round": "floor(a + 0.5)",
    "sum": "a + b",
}
"""Functions of other languages, and what does the same here."""

_FUNCTIONS: Final[Mapping[str, bool]] = {
    "abs": False,
    "ceil": False,
    "exp": False,
    "floor": False,
    "log": False,
    "max": True,
    "min": True,
    "sqrt": False,
}
"""Each function, and whether it takes more than one argument."""

# Quantifiers are possessive (*+, ++, ?+): giving characters back would make a long number
# with a letter behind it cost the square of its length.
_TOKEN: Final = re.compile(
    r"""[ \t\n\r]*+ (?:
        (?P<number> (?: [0-9]++ (?: \.[0-9]*+ )?+ | \.[0-9]++ ) (?: [eE][+-]?+[0-9]++ )?+ )
            (?! [\w.] )
      | (?P<broken> \.?+ [0-9] [\w.]*+ )
      | (?P<call>   [a-zA-Z_] \w*+ ) (?= [ \t\n\r]*+ \( )
      | (?P<name>   [a-zA-Z_] \w*+ )
      | (?P<python> \*\* )
      | (?P<op>     [-+*/^(),] )
      | (?P<end>    \Z )
      | (?P<other>  . )
    )""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_NAME: Final = re.compile(r"[a-zA-Z_]\w*", re.ASCII)
_WORD_SHOWN: Final = 40


def parse_program(text: str, names: Iterable[str]) -> Program:
    """Parse a formula that may use the scores called `names`.

    Raises:
        FormulaError: It does not parse. The position is that of the first character that
            cannot be right.
    """
    return _Parser(text, frozenset(names)).program()


def words(text: str) -> Iterator[tuple[str, bool]]:
    """A formula that parses, in pieces that make it up again, and which of them are scores.

    Example:
        >>> list(words("2 * max"))
        [('2', False), (' *', False), (' ', False), ('max', True), ('', False)]
    """
    position = 0
    while (token := _TOKEN.match(text, position)) and token.lastgroup != "end":
        start, end = token.span(token.lastgroup or 0)
        if token.lastgroup == "name":
            yield text[position:start], False
            yield text[start:end], True
        else:
            yield text[position:end], False
        position = end
    yield text[position:], False


class _Parser:
    """Recursive descent. A method for a rule emits its steps and returns its operand."""

    def __init__(self, text: str, known: frozenset[str]) -> None:
        self.text, self.known = text, known
        self.scores = dict[str, str]()
        self.steps = list[Step]()
        self.live = self.registers = self.depth = self.start = 0
        if len(text) > MAX_LENGTH:
            raise self.fail(f"{len(text)} characters, and the limit is {MAX_LENGTH}")
        self.advance(0)

    def program(self) -> Program:
        if self.kind == "end":
            raise self.fail("the formula is empty")
        result = self.sum()
        if self.kind != "end":
            raise self.fail(f"the formula is complete, but {self.found()} follows")
        return Program(
            names=tuple(self.scores),
            steps=tuple(self.steps),
            result=result,
            registers=self.registers,
        )

    # --- rules

    def sum(self) -> str:
        result = self.product()
        while operator := self.take("+", "-"):  # a loop, so that length never costs stack
            result = self.emit(operator, result, self.product())
        return result

    def product(self) -> str:
        result = self.signed()
        while operator := self.take("*", "/"):
            result = self.emit(operator, result, self.signed())
        return result

    def signed(self) -> str:
        negative = False
        while sign := self.take("+", "-"):
            negative ^= sign == "-"
        result = self.atom()
        if self.take("^"):
            self.nest()
            result = self.emit("^", result, self.signed())
            self.depth -= 1
        return self.emit("negate", result) if negative else result

    def atom(self) -> str:
        match self.kind:
            case "number":
                return self.number()
            case "name":
                return self.score()
            case "call":
                return self.call()
        if not self.take("("):
            raise self.fail(f"expected a number, a name or '(', found {self.found()}")
        self.nest()
        result = self.sum()
        self.close("')'")
        return result

    def number(self) -> str:
        value = float(self.word)
        if isinf(value):
            raise self.fail(f"the number {self.quoted()} is too large")
        self.advance(self.end)
        return repr(value)

    def score(self) -> str:
        name = self.word
        if name not in self.known:
            raise self.unknown()
        self.advance(self.end)
        return self.scores.setdefault(name, f"v{len(self.scores)}")

    def call(self) -> str:
        function = self.word
        if function not in _FUNCTIONS:
            raise self.unknown()
        takes_more = _FUNCTIONS[function]
        self.advance(self.end)
        self.take("(")
        self.nest()
        if self.word == ")":
            raise self.fail(f"{function} takes one argument{' or more' * takes_more}, not none")
        result = self.sum()
        if not takes_more:
            if self.word == ",":
                raise self.fail(f"{function} takes one argument")
            result = self.emit(function, result)
        while self.take(","):
            result = self.emit(function, result, self.sum())
        self.close("',' or ')'" if takes_more else "')'")
        return result

    # --- registers and nesting

    def emit(self, operation: str, *operands: str) -> str:
        """Add a step. Results live on a stack, and a step's operands are on top of it."""
        self.live -= sum(operand.startswith("t") for operand in operands)
        target = f"t{self.live}"
        self.live += 1
        self.registers = max(self.registers, self.live)
        self.steps.append(Step(operation, target, operands))
        return target

    def nest(self) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.fail(f"nested deeper than {MAX_NESTING} levels")

    def close(self, expected: str) -> None:
        if not self.take(")"):
            raise self.fail(f"expected {expected}, found {self.found()}")
        self.depth -= 1

    # --- tokens

    def take(self, *words: str) -> str | None:
        word = self.word
        if word not in words:
            return None
        self.advance(self.end)
        return word

    def advance(self, position: int) -> None:
        token = _TOKEN.match(self.text, position)
        assert token is not None, "the pattern matches any text"
        assert token.lastgroup is not None, "every alternative is a group"
        self.kind = token.lastgroup
        self.word, (self.start, self.end) = token[self.kind], token.span(self.kind)
        match self.kind:
            case "broken":
                raise self.fail(f"{self.quoted()} is not a number{self.unspellable()}")
            case "python":
                raise self.fail("a power is written '^', not '**'")
            case "other":
                raise self.fail(f"{self.character()} has no meaning here{self.unspellable()}")

    # --- messages

    def fail(self, problem: str) -> FormulaError:
        return FormulaError(problem, self.text, self.start)

    def found(self) -> str:
        return "the end" if self.kind == "end" else self.quoted()

    def quoted(self) -> str:
        return _quoted(self.word)

    def character(self) -> str:
        if self.word.isascii() and self.word.isprintable():
            return self.quoted()
        name = unicodedata.name(self.word, "a character without a name")
        return f"{self.quoted()} (U+{ord(self.word):04X} {name})"

    def unknown(self) -> FormulaError:
        name, called = self.word, self.kind == "call"
        if called and name in self.known:
            return self.fail(f"{self.quoted()} is a score, not a function")
        if name in _FUNCTIONS:
            return self.fail(f"{name} is a function: write {name}(...)")
        what, known = ("function", _FUNCTIONS) if called else ("name", self.known)
        hint = f". {did_you_mean(name[:_WORD_SHOWN], known)}"
        if called and name.lower() in _ELSEWHERE:
            hint = f". Write {_ELSEWHERE[name.lower()]}."
        return self.fail(f"unknown {what} {self.quoted()}{self.unspellable() or hint}")

    def unspellable(self) -> str:
        """What to do if the word is a piece of a score's name that no formula can contain."""
        for key in sorted(key for key in self.known if key and not _NAME.fullmatch(key)):
            around = self.text[max(0, self.start + 1 - len(key)) : self.start + len(key)]
            if key in around or self.word in _NAME.findall(key):
                return f". A formula cannot spell {_quoted(key)}: rename that grader"
        return ""


def _quoted(word: str) -> str:
    return repr(word if len(word) <= _WORD_SHOWN else word[:_WORD_SHOWN] + "...")
