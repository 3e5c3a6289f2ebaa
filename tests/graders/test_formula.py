"""The formula language: what it computes, what it refuses, and how it says so."""

import copy
import math
import pickle
import struct
import subprocess
import sys

import numpy as np
import pytest

from graders.errors import FailureKind, FormulaError, GradingError
from graders.formula import compile_formula

SCORES = {"a": 0.5, "b": 0.25, "zero": 0.0}


def bits(value):
    """A float as it stands in memory: tells -0.0 from 0.0."""
    return struct.pack("<d", value)


# --- values


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a", 0.5),
        ("7", 7.0),
        ("0.5 * a + 0.5 * b", 0.375),
        ("2 + 3 * 4", 14.0),
        ("(2 + 3) * 4", 20.0),
        ("((((a))))", 0.5),
        ("10 - 4 - 3", 3.0),  # left-associative
        ("2 - (3 - 4)", 3.0),
        ("8 / 4 / 2", 1.0),
        ("8 / 4 * 2", 4.0),
        ("2 ^ 3 ^ 2", 512.0),  # right-associative
        ("(2 ^ 3) ^ 2", 64.0),
        ("-2^2", -4.0),  # the sign binds looser than the power
        ("(-2)^2", 4.0),
        ("2^-1", 0.5),
        ("2^-2^2", 0.0625),
        ("2^--1", 2.0),
        ("3 * -2^2", -12.0),
        ("2^2*3", 12.0),
        ("+".join(["a^2"] * 200), 50.0),
        ("--a", 0.5),
        ("-+-+-a", -0.5),
        ("+a", 0.5),
        ("3 - -2", 5.0),
        ("3--2", 5.0),
        ("-0", 0.0),
        ("-zero", 0.0),
        ("0 * -1", 0.0),
        (".5e1 + 1.", 6.0),
        ("1.5E+1 + 2e-1", 15.2),
        ("007", 7.0),
        ("1e-999", 0.0),
        ("9007199254740993", 9007199254740992.0),  # numbers are floats
        ("max(a, b, 0.1)", 0.5),
        ("min(a, b, 0.1)", 0.1),
        ("max(a)", 0.5),
        ("min(a + 1)", 1.5),
        ("max(min(a, b), min(b, 1) + 1)", 1.25),
        ("abs(-3) + abs(3)", 6.0),
        ("floor(2.7) + ceil(2.1)", 5.0),
        ("floor(-2.5)", -3.0),
        ("ceil(-2.5)", -2.0),
        ("ceil(-0.5)", 0.0),
        ("floor(1e300)", 1e300),
        ("exp(0)", 1.0),
        ("exp(-1e9)", 0.0),  # underflow is zero, not a failure
        ("log(exp(1))", 1.0),  # natural
        ("sqrt(16)", 4.0),
        ("0^0", 1.0),
        ("1e-200 * 1e-200", 0.0),
        ("exp (\t0\r\n)\n", 1.0),
        ("a\n+\tb", 0.75),
    ],
)
def test_value(formula, expected):
    """Each formula has the value that school arithmetic gives it, in both forms."""
    compiled = compile_formula(formula, SCORES)
    values, failures = compiled.columns({name: [score] * 3 for name, score in SCORES.items()})

    assert bits(compiled(SCORES)) == bits(expected)
    assert [bits(value) for value in values] == [bits(expected)] * 3
    assert failures == {}


@pytest.mark.parametrize(
    ("formula", "scores", "expected"),
    [
        ("max(max, 2) + max", {"max": 3.0}, 6.0),
        ("abs - abs(abs)", {"abs": -1.0}, -2.0),
        ("name + python + type", {"name": 1.0, "python": 2.0, "type": 4.0}, 7.0),
        ("lambda * None", {"lambda": 2.0, "None": 3.0}, 6.0),
        ("__builtins__", {"__builtins__": 1.0}, 1.0),
        ("scores - v0 + t0 - k0", {"scores": 9.0, "v0": 1.0, "t0": 5.0, "k0": 2.0}, 11.0),
        ("e1 + _", {"e1": 1.0, "_": 2.0}, 3.0),
        ("a", {"a": 1.0, "my-key": 2.0, "": 3.0, "größe": 4.0}, 1.0),
        ("a-b", {"a": 1.0, "b": 2.0, "a-b": 5.0}, -1.0),
    ],
)
def test_any_score_name(formula, scores, expected):
    """A score may be called anything; what a formula cannot spell is no error until used."""
    compiled = compile_formula(formula, scores)

    assert compiled(scores) == expected
    assert compiled.columns({name: [x] for name, x in scores.items()})[0].tolist() == [expected]


@pytest.mark.parametrize("score", [2, True, np.float32(0.1), np.float64(-0.0)])
def test_value_is_a_float(score):
    """Whatever kind of number a score is, the formula computes with floats."""
    value = compile_formula("a / 3", ["a"])({"a": score})

    assert type(value) is float
    assert bits(value) == bits(float(score) / 3.0 + 0.0)


def test_numpys_zero_divides_like_any():
    """A numpy number is a float like any other, and raises where numpy would warn."""
    with pytest.raises(GradingError, match="division by zero"):
        compile_formula("1 / a", ["a"])({"a": np.float64(0.0)})


def test_names_are_those_used():
    """`names` lists what the formula reads, in order, once."""
    assert compile_formula("b + a * b", {"a", "b", "c"}).names == ("b", "a")


def test_missing_score_is_the_callers_bug():
    """A row without a score is not a failing row."""
    with pytest.raises(KeyError, match="b"):
        compile_formula("a + b", ["a", "b"])({"a": 1.0})


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies(duplicate):
    """A formula can cross to another process."""
    formula = compile_formula("max(a, 1) + max", ["a", "max"])
    other = duplicate(formula)

    assert other == formula
    assert hash(other) == hash(formula)
    assert other({"a": 2.0, "max": 5.0}) == 7.0


def test_numpy_is_not_needed_for_rows():
    """Compiling and calling a formula leaves numpy unloaded."""
    code = (
        "import sys; from graders.formula import compile_formula;"
        "compile_formula('a', 'a')({'a': 1.0}); sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- refusals


@pytest.mark.parametrize(
    ("formula", "problem", "position"),
    [
        # The example in OpenAI's own API reference has this stray parenthesis.
        ("0.5 * a +  0.5 * b)", "the formula is complete, but ')' follows", 18),
        ("0.5 * c", "unknown name 'c'. Known names: 'a', 'b', 'zero'.", 6),
        ("a + zerro", "unknown name 'zerro'. Did you mean 'zero'?", 4),
        ("a +", "expected a number, a name or '(', found the end", 3),
        ("a + ", "found the end", 4),
        ("a + * b", "found '*'", 4),
        ("a b", "the formula is complete, but 'b' follows", 2),
        ("2 (a)", "the formula is complete, but '(' follows", 2),
        ("a, b", "the formula is complete, but ',' follows", 1),
        ("()", "found ')'", 1),
        ("(a", "expected ')', found the end", 2),
        ("(a, b)", "expected ')', found ','", 2),
        ("max(a, b", "expected ',' or ')', found the end", 8),
        ("max(a b)", "expected ',' or ')', found 'b'", 6),
        ("max(a,)", "expected a number, a name or '(', found ')'", 6),
        ("max(,a)", "found ','", 4),
        ("max()", "max takes one argument or more, not none", 4),
        ("sqrt()", "sqrt takes one argument, not none", 5),
        ("sqrt(a, b)", "sqrt takes one argument", 6),
        ("sqrt(a b)", "expected ')', found 'b'", 7),
        ("sqrt", "sqrt is a function: write sqrt(...)", 0),
        ("sqrt + 1", "sqrt is a function: write sqrt(...)", 0),
        ("Mean(a, b)", "unknown function 'Mean'. Write (a + b) / 2.", 0),
        ("clamp(a, 0, 1)", "unknown function 'clamp'. Write min(1, max(0, a)).", 0),
        ("mean + a", "unknown name 'mean'. Known names: 'a', 'b', 'zero'.", 0),
        ("sqrtt(a)", "unknown function 'sqrtt'. Did you mean 'sqrt'?", 0),
        ("a(1)", "'a' is a score, not a function", 0),
        ("1 + a (1)", "'a' is a score, not a function", 4),
        ("a ** b", "a power is written '^', not '**'", 2),
        ("a % b", "'%' has no meaning here", 2),
        ("1.2.3", "'1.2.3' is not a number", 0),
        ("1 + 2a", "'2a' is not a number", 4),
        ("1e", "'1e' is not a number", 0),
        ("1e+", "'1e' is not a number", 0),
        ("a + .", "'.' has no meaning here", 4),
        ("a + 1e309", "the number '1e309' is too large", 4),
        ("x" * 99, "unknown name '" + "x" * 40 + "...'.", 0),
    ],
)
def test_refused(formula, problem, position):
    """Anything outside the grammar fails before any row, with a caret at the right place."""
    with pytest.raises(FormulaError, match="calculate_output: ") as caught:
        compile_formula(formula, SCORES)

    assert problem in str(caught.value)
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("formula", "key", "position"),
    [
        ("0.5 * my-key", "my-key", 6),
        ("a - key", "a-key", 4),
        ("a.b", "a.b", 1),
        ("a + größe", "größe", 4),
        ("ähnlich", "ähnlich", 0),
        ("1 * 2nd", "2nd", 4),
        ("a + b%", "b%", 5),
        ("50% * a", "50%", 2),
        ("my key", "my key", 0),
        ("long-" + "k" * 99, "long-" + "k" * 99, 0),
    ],
)
def test_key_that_cannot_be_spelled(formula, key, position):
    """A formula that needs a score it has no way to say is told to rename it."""
    with pytest.raises(FormulaError, match="rename that grader") as caught:
        compile_formula(formula, ["a", "b", key, ""])

    assert f"A formula cannot spell {key[:40]!r}"[:-1] in str(caught.value)
    assert caught.value.position == position


def test_other_key_that_cannot_be_spelled():
    """A key that has nothing to do with the mistake is not blamed for it."""
    with pytest.raises(FormulaError, match="unknown name 'bb'") as caught:
        compile_formula("bb", ["a", "my-key", "b b", ""])

    assert "spell" not in str(caught.value)


@pytest.mark.parametrize("formula", ["0.5 * a + ", "a\n + b\n + ?", "\t a ; b", "1 + ａ"])
def test_caret(formula):
    """The caret is under the character at `position`, whatever stands before it."""
    with pytest.raises(FormulaError) as caught:
        compile_formula(formula, SCORES)
    *_, line, below = str(caught.value).split("\n")

    assert below.strip() == "^"
    assert line[below.index("^") :][:1] == formula[caught.value.position :][:1]


# --- rows without a finite value


@pytest.mark.parametrize(
    ("formula", "scores", "message", "reason"),
    [
        (
            "a / b",
            {"a": 1.0, "b": 0.0},
            "a / b: division by zero (with a = 1, b = 0)",
            "division_by_zero",
        ),
        (
            "a /\n (b - b)",
            {"a": 1.5, "b": 0.1},
            "a / (b - b): division by zero (with a = 1.5, b = 0.1)",
            "division_by_zero",
        ),
        ("0 / 0", {}, "0 / 0: division by zero", "division_by_zero"),
        ("1 / -0", {}, "1 / -0: division by zero", "division_by_zero"),
        ("sqrt(a)", {"a": -1.0}, "sqrt(a): sqrt(-1) has no real value (with a = -1)", "domain"),
        ("log(a)", {"a": 0.0}, "log(a): log(0) has no real value (with a = 0)", "domain"),
        ("log(-2)", {}, "log(-2): log(-2) has no real value", "domain"),
        ("(-8) ^ 0.5", {}, "(-8) ^ 0.5: (-8) ^ 0.5 has no real value", "domain"),
        ("0^-1", {}, "0^-1: 0 ^ (-1) has no real value", "domain"),
        (
            "exp(a * a)",
            {"a": 99.0},
            "exp(a * a): exp(9801) is too large for a float (with a = 99)",
            "overflow",
        ),
        ("10^309", {}, "10^309: 10 ^ 309 is too large for a float", "overflow"),
        ("1e308*10", {}, "1e308*10: 1e+308 * 10 is too large for a float", "overflow"),
        ("1e308+1e308", {}, "1e308+1e308: 1e+308 + 1e+308 is too large for a float", "overflow"),
        (
            "-1e308-1e308",
            {},
            "-1e308-1e308: (-1e+308) - 1e+308 is too large for a float",
            "overflow",
        ),
        ("1/1e-309", {}, "1/1e-309: 1 / 1e-309 is too large for a float", "overflow"),
        # An infinity halfway fails too, also where the rest would swallow it.
        ("1/(1e308*a)", {"a": 10.0}, "1e+308 * 10 is too large", "overflow"),
        ("min(1, 1e308*a)", {"a": 10.0}, "1e+308 * 10 is too large", "overflow"),
        ("min(1e308*a, 1)", {"a": 10.0}, "1e+308 * 10 is too large", "overflow"),
        ("max(1, -1e308*a)", {"a": 10.0}, "(-1e+308) * 10 is too large", "overflow"),
        ("exp(-1e308*a)", {"a": 10.0}, "(-1e+308) * 10 is too large", "overflow"),
        ("(1e308*a)^-1", {"a": 10.0}, "1e+308 * 10 is too large", "overflow"),
        ("(1e308*a)^0", {"a": 10.0}, "1e+308 * 10 is too large", "overflow"),
        ("1^(1e308*a)", {"a": 10.0}, "1e+308 * 10 is too large", "overflow"),
        ("0.5^(1e308*a)", {"a": 10.0}, "1e+308 * 10 is too large", "overflow"),
        ("1/sqrt(abs(-1e308*a))", {"a": 10.0}, "(-1e+308) * 10 is too large", "overflow"),
        ("1/-(1e308*a)", {"a": 10.0}, "1e+308 * 10 is too large", "overflow"),
        ("1/(max(a, 1)*1e308)", {"a": 10.0}, "10 * 1e+308 is too large", "overflow"),
        ("1/log(1e308*a)", {"a": 10.0}, "1e+308 * 10 is too large", "overflow"),
        ("floor(1e308*a)", {"a": 10.0}, "1e+308 * 10 is too large", "overflow"),
        ("ceil(1e308*a-1e308*a)", {"a": 10.0}, "1e+308 * 10 is too large", "overflow"),
        ("0*(1e308*a)", {"a": 10.0}, "1e+308 * 10 is too large", "overflow"),
        # The failure is the first in order of computation.
        ("1/a + log(a)", {"a": 0.0}, "division by zero", "division_by_zero"),
        ("log(a) + 1/a", {"a": 0.0}, "log(0) has no real value", "domain"),
        ("1e308*b + 1/a", {"a": 0.0, "b": 10.0}, "1e+308 * 10 is too large", "overflow"),
        # Messages stay short and whole.
        ("1/a", {"a": -0.0}, "1/a: division by zero (with a = -0)", "division_by_zero"),
        (
            "0.1234567890123 ^ -a",
            {"a": 1e17 + 16},
            "0.1234567890123 ^ (-1.0000000000000002e+17) is too large",
            "overflow",
        ),
        (
            "1/0 " + "+ 0 " * 50,
            {},
            "1/0" + " + 0" * 24 + "...: division by zero",
            "division_by_zero",
        ),
        (
            "+".join(f"n{i}" for i in range(15)) + "+1/0",
            {f"n{i}": 1.0 for i in range(15)},
            "zero (with " + "".join(f"n{i} = 1, " for i in range(12)) + "3 more)",
            "division_by_zero",
        ),
        (
            "n" * 60 + "/0",
            {"n" * 60: 1.0},
            "division by zero (with " + "n" * 40 + "... = 1)",
            "division_by_zero",
        ),
    ],
)
def test_no_finite_value(formula, scores, message, reason):
    """Undefined arithmetic fails the row, and the message shows the numbers, in both forms."""
    compiled = compile_formula(formula, scores)
    with pytest.raises(GradingError) as caught:
        compiled(scores)
    failure = caught.value.failure
    columns = {"_": [0.0] * 2, **{name: [score] * 2 for name, score in scores.items()}}
    values, failures = compiled.columns(columns)

    assert message in failure.message
    assert (failure.kind, failure.reason) == (FailureKind.FORMULA_PARSE, reason)
    assert failures == {0: failure, 1: failure}
    assert np.isnan(values).all()


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "formula",
    ["a", "max(a, 1)", "min(1, a)", "1 / a", "exp(a)", "a ^ 0", "1 ^ a", "0 * a", "floor(a)"],
)
def test_score_that_is_not_finite(formula, score):
    """A NaN that reaches a formula is never lost in it."""
    with pytest.raises(GradingError, match=f"a is not finite .with a = {score}") as caught:
        compile_formula(formula, ["a"])({"a": score})

    assert caught.value.failure.reason == "not_finite"
