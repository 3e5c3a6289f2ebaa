"""Codes about the formula of a multi."""

from __future__ import annotations

from typing import Final

from graders.lint.codes.code import EXACT, SIMILAR, Code, multi

_BOTH: Final = {"a": dict(EXACT), "b": dict(SIMILAR)}

CODES: Final = (
    Code(
        name="formula",
        severity="error",
        title="The formula does not parse, or uses a name that is no member.",
        bad=multi("0.5 * a + 0.5 * b)"),
        good=multi("0.5 * a + 0.5 * b"),
        fixable=True,
    ),
    Code(
        name="name-for-key",
        severity="error",
        title="The formula uses a member's name, and its variables are the keys of graders.",
        bad=multi("0.5 * exact + 0.5 * b", graders=_BOTH),
        good=multi("0.5 * a + 0.5 * b", graders=_BOTH),
        fixable=True,
    ),
    Code(
        name="unused-member",
        severity="warning",
        title="A member that the formula does not use; it is graded all the same.",
        bad=multi("a", graders=_BOTH),
        good=multi("0.5 * a + 0.5 * b", graders=_BOTH),
        at_key=True,
    ),
    Code(
        name="same-member",
        severity="note",
        title="Two members compute the same.",
        bad=multi("0.5 * a + 0.5 * b", graders={"a": dict(EXACT), "b": dict(EXACT)}),
        good=multi("0.5 * a + 0.5 * b", graders=_BOTH),
        at_key=True,
    ),
    Code(
        name="member-called-function",
        severity="warning",
        title="A member is called like a function of the formula.",
        bad=multi("max", graders={"max": dict(EXACT)}),
        good=multi("best", graders={"best": dict(EXACT)}),
        at_key=True,
    ),
    Code(
        name="constant-formula",
        severity="warning",
        title="The formula has one value, whatever the members' scores.",
        bad=multi("a - a + 1"),
        good=multi("a"),
    ),
    Code(
        name="zero-coefficient",
        severity="warning",
        title="A member that counts nothing in the formula.",
        bad=multi("a + 0 * b"),
        good=multi("0.5 * a + 0.5 * b"),
    ),
    Code(
        name="dominated",
        severity="warning",
        title="A min or max of which one side can never be the result; a note if it is a number.",
        bad=multi("max(a, c) / 5"),
        good=multi("max(a, b)"),
    ),
    Code(
        name="leaves-range",
        severity="warning",
        title="The formula can be above or below all of the members' scores.",
        bad=multi("a + b"),
        good=multi("0.5 * a + 0.5 * b"),
    ),
    Code(
        name="divides-by-zero",
        severity="warning",
        title="Scores within their ranges make the formula divide by zero.",
        bad=multi("a / b"),
        good=multi("min(a / max(b, 0.5), 1)"),
    ),
    Code(
        name="no-real-value",
        severity="warning",
        title="Scores within their ranges give log 0 or less, sqrt less than 0, or 0 a negative "
        "power.",
        bad=multi("log(a)"),
        good=multi("max(0, 1 + log(max(a, 0.1)))"),
    ),
    Code(
        name="overflows",
        severity="warning",
        title="Scores within their ranges make the formula too large for a float.",
        bad=multi("exp(1000 * a)"),
        good=multi("exp(a - 1)"),
    ),
)
