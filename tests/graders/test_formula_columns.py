"""The formula over columns: bit for bit what it is for rows, and what any formula obeys."""

import math
import operator
import struct
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graders.errors import Failure, FormulaError, GradingError
from graders.formula import compile_formula
from graders.formula.parse import parse_program

SCORES = {"a": 0.5, "b": 0.25, "zero": 0.0}


def outcome(formula, scores):
    """The bits of a call's value, or its failure."""
    try:
        return bits(formula(scores))
    except GradingError as error:
        return error.failure


def bits(value):
    return struct.pack("<d", value)


# --- columns


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i1", "?"])
def test_columns_of_any_number_type(dtype):
    """Columns are converted to float64, whatever they were, and not changed."""
    column = np.array([0, 1, 1, 0], dtype)[::-1]
    before = column.copy()

    values, _ = compile_formula("a / 2 + 1", ["a"]).columns({"a": column})

    assert values.dtype == np.float64
    assert values.tolist() == [1.0, 1.5, 1.5, 1.0]
    assert (column == before).all()


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"a": [1.0, 2.0], "b": [1.0]}, r"one length, not a: \(2,\), b: \(1,\)"),
        ({"a": [[1.0]], "b": [[1.0]]}, r"one length, not a: \(1, 1\)"),
        ({"a": 1.0, "b": 1.0}, r"one length, not a: \(\)"),
        ({"a": [0.0] * 20_000 + [math.nan], "b": [0.0] * 20_001}, "column 'a', row 20000: nan is"),
        ({"a": [1.0, 1.0], "b": [1.0, -math.inf]}, "column 'b', row 1: -inf is not finite"),
    ],
)
def test_columns_that_are_wrong(columns, problem):
    """Columns that do not fit are a bug of the caller's, not failing rows."""
    with pytest.raises(ValueError, match=problem):
        compile_formula("max(a, b)", ["a", "b"]).columns(columns)


def test_no_columns():
    """Without a column, a constant formula cannot know how many rows there are."""
    with pytest.raises(ValueError, match="one length, not none"):
        compile_formula("1", ["a"]).columns({})


def test_no_rows():
    """Empty columns give empty answers."""
    values, failures = compile_formula("1 / a", ["a"]).columns({"a": []})

    assert (values.tolist(), failures) == ([], {})


def test_other_columns_are_ignored():
    """What a formula does not use need not be numbers, nor as long."""
    columns = {"a": [1.0, 2.0], "b": ["x"]}

    assert compile_formula("a + 1", columns).columns(columns)[0].tolist() == [2.0, 3.0]


def test_constant_over_columns():
    """A formula without scores has a value for each row there is."""
    assert compile_formula("1 + 1", []).columns({"a": [7, 8, 9]})[0].tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("every", [1, 7, 1_000, 16_384, 40_000])
def test_failing_rows_of_many_blocks(every):
    """Failures cost their rows only, wherever in a block they are."""
    a = np.arange(40_001, dtype=np.float64)
    a[::every] = 0.0
    formula = compile_formula("sqrt(a) / a + a ^ 2", ["a"])

    values, failures = formula.columns({"a": a})

    assert [*failures] == np.flatnonzero(a == 0.0).tolist()
    assert np.flatnonzero(np.isnan(values)).tolist() == [*failures]
    assert {failure.message for failure in failures.values()} == {
        "sqrt(a) / a + a ^ 2: division by zero (with a = 0)"
    }
    good = np.flatnonzero(a)[:: max(1, every // 7)].tolist()
    assert [bits(values[i]) for i in good] == [bits(formula({"a": float(a[i])})) for i in good]


@pytest.mark.parametrize(
    ("formula", "function", "names"),
    [
        ("exp(a)", math.exp, "a"),
        ("log(b)", math.log, "b"),
        ("b ^ a", math.pow, "ba"),
        ("b ^ 0.3", lambda b: math.pow(b, 0.3), "b"),
        ("1.1 ^ a", lambda a: math.pow(1.1, a), "a"),
        ("sqrt(b)", math.sqrt, "b"),
        ("a / b", operator.truediv, "ab"),
    ],
)
def test_last_bit(formula, function, names):
    """Columns have the bits of `math`; of numpy's own exp, log and power some would differ."""
    rng = np.random.default_rng(0)
    columns = {"a": rng.normal(0, 9, 50_000), "b": rng.exponential(9, 50_000)}

    values, _ = compile_formula(formula, names).columns(columns)

    expected = [*map(function, *(columns[name].tolist() for name in names))]
    assert values.tobytes() == struct.pack(f"<{len(expected)}d", *expected)


@pytest.mark.parametrize(
    ("formula", "zero_at", "most"),
    [
        ("max(a, 1) + a ^ 2 - a * 1e-320", [], 3),
        ("1 / a", [20_000], 3 + 16 + 16 + 64),
    ],
)
def test_columns_are_computed_by_blocks(formula, zero_at, most):
    """Only the neighbourhood of a failing row is computed row by row."""
    a = np.full(40_000, 0.5)
    a[zero_at] = 0.0
    compiled, calls = compile_formula(formula, ["a"]), list[str]()

    def note(frame, event, _):
        code = frame.f_code
        if event == "call" and (code.co_filename, code.co_name) == ("<formula>", "formula"):
            calls.append(event)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        compiled.columns({"a": a})
    finally:
        sys.setprofile(before)

    assert 3 <= len(calls) <= most


def test_long_formula_needs_few_columns():
    """Working memory grows with nesting, not with length."""
    text = " + ".join(["a * (a - 2 * a) ^ a / max(a, a + 1)"] * 1_000)

    assert parse_program(text, ["a"]).registers == 3


# --- laws


@settings(deadline=None)
@given(st.text(max_size=40) | st.text(alphabet="ab+-*/^(),. 1exmp", max_size=40))
def test_any_text_parses_or_is_refused(text):
    """No input makes the parser fail in a way of its own, and every caret is within reach."""
    try:
        compile_formula(text, ["a", "b", "exp"])
    except FormulaError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017


# A formula in the tests is a tree of tuples: ("a",), ("1.5",), ("+", x, y), ("abs", x), ...
BINARY = ["+", "-", "*", "/", "^"]
UNARY = ["negate", "abs", "ceil", "exp", "floor", "log", "sqrt"]
LEAVES = ["a", "b", "c", "0", "1", "2", "0.5", ".1e-1", "3.", "709.5", "1e300", "1e-320"]
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e308, -1e308, 1.7e154, 5e-324, -1e-310, 709.0, 2**53]


def trees():
    leaf = st.tuples(st.sampled_from(LEAVES))
    return st.recursive(
        leaf,
        lambda inner: (
            st.tuples(st.sampled_from(BINARY), inner, inner)
            | st.tuples(st.sampled_from(UNARY), inner)
            | st.builds(
                lambda name, arguments: (name, *arguments),
                st.sampled_from(["max", "min"]),
                st.lists(inner, min_size=1, max_size=4),
            )
        ),
        max_leaves=12,
    )


BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "negate": 3, "^": 4}


def written(tree):
    """A tree as a formula with no more parentheses than the grammar needs."""
    operation, *parts = tree
    if not parts:
        return operation
    if operation == "negate":
        return "-" + within(parts[0], 3)
    if operation == "^":
        return f"{within(parts[0], 5)}^{within(parts[1], 3)}"
    if operation in BINARY:
        level = BINDING[operation]
        return f"{within(parts[0], level)} {operation} {within(parts[1], level + 1)}"
    return f"{operation}({', '.join(map(written, parts))})"


def within(tree, level):
    text = written(tree)
    return text if len(tree) == 1 or BINDING.get(tree[0], 9) >= level else f"({text})"


ORACLE = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
    "^": math.pow,
    "negate": lambda x: -x,
    "abs": math.fabs,
    "ceil": lambda x: float(math.ceil(x)),
    "exp": math.exp,
    "floor": lambda x: float(math.floor(x)),
    "log": math.log,
    "max": lambda *xs: max(xs),
    "min": lambda *xs: min(xs),
    "sqrt": math.sqrt,
}


def obvious(tree, scores):
    """The value of a tree, by recursion, with every step checked. None if there is none."""
    operation, *parts = tree
    if not parts:
        return scores[operation] if operation in scores else float(operation)
    values = [obvious(part, scores) for part in parts]
    if None in values:
        return None
    try:
        value = ORACLE[operation](*values)
    except (ArithmeticError, ValueError):
        return None
    return value if math.isfinite(value) else None


numbers = (
    st.sampled_from(EDGES)
    | st.floats(-4, 4)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-20, 20).map(float)
)
rows = st.lists(st.fixed_dictionaries({"a": numbers, "b": numbers, "c": numbers}), min_size=1)


@pytest.mark.long
@settings(deadline=None, max_examples=300)
@given(tree=trees(), rows=rows)
@example(tree=("/", ("1",), ("max", ("a",), ("b",))), rows=[{"a": 0.0, "b": -0.0, "c": 0.0}])
@example(tree=("^", ("min", ("a",), ("b",)), ("3",)), rows=[{"a": 0.0, "b": -0.0, "c": 0.0}])
def test_call_equals_the_obvious(tree, rows):
    """A call computes what the tree says, or fails where some step has no finite value."""
    formula = compile_formula(written(tree), ["a", "b", "c"])
    for scores in rows:
        expected, found = obvious(tree, scores), outcome(formula, scores)

        if expected is None:
            assert isinstance(found, Failure)
        else:
            assert found == bits(expected + 0.0)


@pytest.mark.long
@settings(deadline=None, max_examples=300)
@given(tree=trees(), rows=rows)
def test_columns_equal_calls(tree, rows):
    """The two forms agree on every bit of every value, and on every failure."""
    formula = compile_formula(written(tree), ["a", "b", "c"])

    values, failures = formula.columns({name: [row[name] for row in rows] for name in "abc"})

    together = [failures.get(i, bits(value)) for i, value in enumerate(values)]
    assert together == [outcome(formula, row) for row in rows]


@settings(deadline=None, max_examples=100)  # the two above look at the same at length
@given(tree=trees(), rows=rows)
def test_each_equals_calls(tree, rows):
    """So does the form for a few hundred rows, a constant's too."""
    formula = compile_formula(written(tree), ["a", "b", "c"])

    values, failures = formula.each({n: [row[n] for row in rows] for n in "abc"}, len(rows))

    together = [failures[i] if value is None else bits(value) for i, value in enumerate(values)]
    assert together == [outcome(formula, row) for row in rows]
    assert {i for i, value in enumerate(values) if value is None} == set(failures)


@settings(deadline=None)
@given(tree=trees(), spaces=st.lists(st.sampled_from(["", " ", "\n", "\t \r"]), min_size=1))
def test_space_and_parentheses_do_not_matter(tree, spaces):
    """White space between tokens, and parentheses around the whole, change nothing."""
    text = written(tree)
    padded = spaces[0] + text.replace(" ", spaces[-1]).replace("(", f"({spaces[0]}")
    scores = {"a": 0.5, "b": 2.0, "c": -1.0}
    plain, changed = (outcome(compile_formula(t, scores), scores) for t in (text, f"(({padded}))"))
    if isinstance(plain, bytes):
        assert changed == plain
    else:
        assert changed.reason == plain.reason


@given(a=st.floats(-1e3, 1e3), b=st.floats(-1e3, 1e3), weight=st.integers(0, 10**6))
def test_weighted_mean_stays_between(a, b, weight):
    """A convex combination never leaves the range of its parts."""
    w = f"{weight / 10**6:.6f}"
    value = compile_formula(f"{w} * a + (1 - {w}) * b", ["a", "b"])({"a": a, "b": b})

    assert min(a, b) - 1e-9 <= value <= max(a, b) + 1e-9
