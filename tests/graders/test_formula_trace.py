"""A formula computed in the open."""

import pytest

from graders.formula import compile_formula


@pytest.mark.parametrize(
    ("formula", "filled", "steps"),
    [
        (
            "0.6 * a + 0.4 * b",
            "0.6 * 1 + 0.4 * 0.5",
            ["0.6 * 1 = 0.6", "0.4 * 0.5 = 0.2", "0.6 + 0.2 = 0.8"],
        ),
        ("a", "1", []),
        ("2", "2", []),
        (" ( a ) ", " ( 1 ) ", []),
        ("b - n", "0.5 - (-2)", ["0.5 - (-2) = 2.5"]),
        ("-n ^ 2", "-(-2) ^ 2", ["(-2) ^ 2 = 4", "-4 = -4"]),
        ("max(a, b, n)", "max(1, 0.5, (-2))", ["max(1, 0.5) = 1", "max(1, -2) = 1"]),
        ("max + max(max, 0)", "3 + max(3, 0)", ["max(3, 0) = 3", "3 + 3 = 6"]),
        ("a1 * a", "7 * 1", ["7 * 1 = 7"]),
        ("1 / (a - 1)", "1 / (1 - 1)", ["1 - 1 = 0", "1 / 0: division by zero"]),
        ("sqrt(n) + a", "sqrt((-2)) + 1", ["sqrt(-2) has no real value"]),
        (
            "10 ^ 308 * 10",
            "10 ^ 308 * 10",
            ["10 ^ 308 = 1e+308", "1e+308 * 10 is too large for a float"],
        ),
    ],
)
def test_a_formula_is_computed_in_the_open(formula, filled, steps):
    """Numbers stand where scores stood, and each operation says what it came to."""
    scores = {"a": 1, "a1": 7, "b": 0.5, "n": -2, "max": 3}

    assert compile_formula(formula, scores).trace(scores) == (filled, tuple(steps))
