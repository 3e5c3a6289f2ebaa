"""Whether two sources are the same program, as far as the compiler knows."""

from __future__ import annotations

import ast
import warnings
from types import CodeType

from graders.checks.source import MAX_COMPILED, compiled_size


class Meaning:
    """What a source compiles to, to leave out changes that are none.

    Args:
        source: One that parses.
    """

    def __init__(self, source: str) -> None:
        self._small = compiled_size(ast.parse(source)) <= MAX_COMPILED
        self._original = self._of(source)

    def changes_in(self, changed: str) -> bool:
        """Whether a text compiles, and to something else: the compiler folds constants."""
        meaning = self._of(changed)
        return meaning is not None and meaning != self._original

    def _of(self, source: str) -> object:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # `"a" is not "b"`
                if not self._small:  # a bomb, which goes off in the sandbox alone
                    return ast.dump(ast.parse(source))
                return _without_places(compile(source, "grade.py", "exec", dont_inherit=True))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _without_places(code: CodeType) -> object:
    constants = [
        _without_places(one) if isinstance(one, CodeType) else (type(one), repr(one))
        for one in code.co_consts
    ]
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return code.co_name, code.co_code, code.co_exceptiontable, code.co_flags, names, constants
