"""Everything this package raises, and the words it has for what is wrong.

    GradersError
    ├── ConfigError            the grader itself is wrong; raised before any row is read
    │   ├── FormulaError       ... in `calculate_output`; points at the character
    │   └── TemplateError      ... in a `{{ ... }}` slot; points at the character
    ├── RowError               a line of input is not a row; it costs that line only
    └── GradingError           one row could not be graded; recorded, never fatal

A row's failure is data (`Failure`), because one bad row must not cost the other ten
thousand, and because a grader that broke is not a model that scored zero. What is worth
saying about a config beside using it is data too (`Finding`); an error is a finding that stops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from typing import Final, Literal

import msgspec

MAX_MESSAGE: Final = 4_000
"""Characters of a failure's message, a traceback included."""

_LONGEST_MISS: Final = 100
"""Characters of a name that can still be near a known one."""

_CARET_WINDOW: Final = 72
"""Characters of a long formula or template shown around the place that is wrong."""


class FailureKind(StrEnum):
    """Why a row has no score. Values are the hosted API's own flag names."""

    FORMULA_PARSE = "formula_parse_error"
    SAMPLE_PARSE = "sample_parse_error"
    TRUNCATED = "truncated_observation_error"
    UNRESPONSIVE = "unresponsive_reward_error"
    INVALID_VARIABLE = "invalid_variable_error"
    OTHER = "other_error"
    PYTHON_SERVER = "python_grader_server_error"
    PYTHON_RUNTIME = "python_grader_runtime_error"
    MODEL_SERVER = "model_grader_server_error"
    MODEL_REFUSAL = "model_grader_refusal_error"
    MODEL_PARSE = "model_grader_parse_error"
    MODEL_MAX_TOKENS = "model_grader_exceeded_max_tokens_error"
    ENDPOINT_INTERNAL = "endpoint_grader_internal_error"
    ENDPOINT_SERVER = "endpoint_grader_server_error"
    ENDPOINT_SAFETY = "endpoint_grader_safety_check_error"


# A msgspec.Struct where the house style has frozen dataclasses: same meaning, but rows, grades
# and failures are made by the million and cost a fifth of the time.
class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why one row has no score.

    Attributes:
        kind: The hosted flag to count it under.
        reason: The finer word where the flag is coarse (`timeout`, `division_by_zero`), or "".
        message: A sentence to act on.
    """

    kind: FailureKind
    reason: str = ""
    message: str


Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something worth saying about a config or a dataset.

    Attributes:
        code: Stable and short, for filters: `unknown-key`.
        severity: An `error` stops; a `warning` will probably hurt; a `note` informs.
        path: Where: `graders.exact.operation`, or a line and column.
        message: What is wrong, with the value.
        fix: What to do; may be empty.
        position: Of the character that is wrong, in the text at `path`; None where it is all of it.
    """

    code: str
    severity: Severity
    path: str
    message: str
    fix: str = ""
    position: int | None = None

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        # Under a caret (a message of several lines) the fix gets a line of its own.
        glue = "\n    " if "\n" in self.message else ". "
        return f"{place}{self.message}{glue + self.fix if self.fix else ''}"


class GradersError(Exception):
    """Base of every error raised on purpose here."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...], dict[str, object]]:
        # Workers of ours and of trainers send errors on. Exception's own calls `__init__` with the
        # message alone; and a pool that cannot read what was raised in it breaks, or hangs.
        return _as_it_was, (type(self), *self.args), self.__dict__


def _as_it_was(kind: type[GradersError], *said: object) -> GradersError:
    return kind.__new__(kind, *said)


class ConfigError(GradersError):
    """A grader config that cannot be used. `findings` has every problem, each with its path."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        super().__init__("\n".join(map(str, findings)))


class FormulaError(ConfigError):
    """A formula that does not parse, with a caret under the offending character."""

    def __init__(self, problem: str, formula: str, position: int) -> None:
        self.problem, self.position = problem, position
        message = f"{problem}\n{caret(formula, position)}"
        super().__init__(
            Finding(
                code="formula",
                severity="error",
                path="calculate_output",
                message=message,
                position=position,
            )
        )


class TemplateError(ConfigError):
    """A template slot that does not parse, with a caret under the offending character."""

    def __init__(self, problem: str, template: str, position: int) -> None:
        self.problem, self.position = problem, position
        message = f"{problem}\n{caret(template, position)}"
        super().__init__(
            Finding(code="template", severity="error", path="", message=message, position=position)
        )


class RowError(GradersError):
    """A line of input that is not a row. `place` is `file:line:column`."""

    def __init__(self, place: str, problem: str) -> None:
        self.place, self.problem = place, problem
        super().__init__(f"{place}: {problem}")


class GradingError(GradersError):
    """One row could not be graded."""

    def __init__(self, kind: FailureKind, message: str, reason: str = "") -> None:
        if len(message) > MAX_MESSAGE:  # what a row holds can be long, and goes into each message
            message = message[: MAX_MESSAGE - 4] + " ..."
        self.failure = Failure(kind=kind, reason=reason, message=message)
        super().__init__(message)


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A hint to end an error message with: the close names if any, else all of them.

    Example:
        >>> did_you_mean("neq", ["eq", "ne", "like", "ilike"])
        "Did you mean 'ne' or 'eq'?"
        >>> did_you_mean("contains", ["eq", "ne"])
        "Known names: 'eq', 'ne'."
    """
    known = sorted(known)
    close = get_close_matches(wrong, known, n=3)
    if close:
        return f"Did you mean {' or '.join(map(repr, close))}?"
    shown = ", ".join(map(repr, known[:12])) + (", ..." if len(known) > 12 else "")
    return f"Known names: {shown or 'none'}."


def near_miss(wrong: str, known: Iterable[str]) -> str:
    """The one closest name as a question, or "" where nothing is close.

    Example:
        >>> near_miss("mesages", ["messages", "tools"])
        "Did you mean 'messages'?"
        >>> near_miss("x" * 101, ["x" * 100])
        ''
    """
    if len(wrong) > _LONGEST_MISS:
        return ""
    return _near_miss(wrong, tuple(sorted(known)))


@lru_cache(maxsize=1024)  # the same mistake is often in each of 50,000 rows
def _near_miss(wrong: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(wrong, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else ""


def caret(text: str, position: int) -> str:
    """Show a place in a text: its line, cut to a window, and a caret under the character.

    Control characters show as one replacement character each, so that neither the caret nor
    the terminal is led astray.

    Example:
        >>> print(caret("0.5 * a)", 7))
            0.5 * a)
                   ^
    """
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[start : end if end >= 0 else len(text)]
    column = position - start
    cut = max(0, column - _CARET_WINDOW // 2) if len(line) > _CARET_WINDOW else 0
    shown = line[cut : cut + _CARET_WINDOW]
    before, after = "... " if cut else "", " ..." if cut + _CARET_WINDOW < len(line) else ""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
    return f"    {before}{shown}{after}\n    {' ' * (len(before) + column - cut)}^"


def findings_of(severity: Severity, findings: Sequence[Finding]) -> list[Finding]:
    """The findings of one severity, in order."""
    return [finding for finding in findings if finding.severity == severity]
