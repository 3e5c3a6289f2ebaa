"""Formulas that mean harm: refused or harmless, and never slow, deep or large."""

import math

import pytest

from graders.errors import Failure, FailureKind, FormulaError, GradingError
from graders.formula import MAX_LENGTH, MAX_NESTING, compile_formula

SCORES = {"a": 0.5, "b": 0.25, "zero": 0.0}


# --- attacks

REFUSED = [
    ("python power", "9**9**9", "a power is written '^'"),
    ("100,000 parentheses", "(" * 100_000 + "a", f"nested deeper than {MAX_NESTING} levels"),
    ("and closed", "(" * 99_999 + "a" + ")" * 99_999, f"nested deeper than {MAX_NESTING} levels"),
    ("100,000 closing", ")" * 100_000, "found ')'"),
    ("nested calls", "abs(" * 30_000 + "a" + ")" * 30_000, "nested deeper"),
    ("nested variadic calls", "max(a," * 30_000, "nested deeper"),
    ("a power tower", "^".join(["a"] * 99_000), "nested deeper"),
    ("signed power tower", "^-".join(["a"] * 60_000), "nested deeper"),
    ("too long", "a" * (MAX_LENGTH + 1), f"{MAX_LENGTH + 1} characters, and the limit is"),
    ("long name", "x" * MAX_LENGTH, "unknown name 'xxxx"),
    ("attribute", "a.__class__", "'.' has no meaning here"),
    ("attribute of a number", "1.__class__", "'1.__class__' is not a number"),
    ("attribute of a group", "(a).real", "'.' has no meaning here"),
    ("subscript", "a[0]", "'[' has no meaning here"),
    ("list", "[a]", "'[' has no meaning here"),
    ("dict", "{a: a}", "'{' has no meaning here"),
    ("string", "'a'", '"\'" has no meaning here'),
    ("double-quoted string", '"a" * 9', "'\"' has no meaning here"),
    ("string repetition", "'%1000000000d' % 1", '"\'" has no meaning here'),
    ("bytes", "b'a'", "unknown name 'b'"),
    ("f-string", "f'{a}'", "unknown name 'f'"),
    ("f-string of a known name", "a'{a}'", '"\'" has no meaning here'),
    ("lambda", "lambda: a", "unknown name 'lambda'"),
    ("walrus", "(a := 1)", "':' has no meaning here"),
    ("assignment", "a = 1", "'=' has no meaning here"),
    ("comparison", "a < 1", "'<' has no meaning here"),
    ("conditional", "a if a else a", "but 'if' follows"),
    ("boolean", "a and a", "but 'and' follows"),
    ("comprehension", "[x for x in a]", "'[' has no meaning here"),
    ("generator", "max(x for x in a)", "unknown name 'x'"),
    ("star", "max(*a)", "found '*'"),
    ("keyword", "max(a, key=a)", "unknown name 'key'"),
    ("floor division", "a // 2", "found '/'"),
    ("modulo", "a % 2", "'%' has no meaning here"),
    ("matrix product", "a @ a", "'@' has no meaning here"),
    ("complement", "~a", "'~' has no meaning here"),
    ("shift", "1 << 99", "'<' has no meaning here"),
    ("statement", "a;b", "';' has no meaning here"),
    ("two lines", "a\na", "but 'a' follows"),
    ("import", "__import__('os')", "unknown function '__import__'"),
    ("builtins", "__builtins__", "unknown name '__builtins__'"),
    ("eval", "eval(a)", "unknown function 'eval'"),
    ("comment", "a # b", "'#' has no meaning here"),
    ("only a comment", "# a", "'#' has no meaning here"),
    ("line continuation", "a \\\n + a", "'\\\\' has no meaning here"),
    ("NUL", "a\0", "'\\x00' (U+0000 a character without a name) has no meaning here"),
    ("form feed", "a +\fa", "'\\x0c' (U+000C"),
    ("escape", "\x1b[31m", "'\\x1b' (U+001B"),
    ("no-break space", "a\u00a0+ a", "'\\xa0' (U+00A0 NO-BREAK SPACE)"),
    ("right-to-left override", "a\u202e", "(U+202E RIGHT-TO-LEFT OVERRIDE)"),
    ("byte order mark", "\ufeffa", "(U+FEFF ZERO WIDTH NO-BREAK SPACE)"),
    ("lone surrogate", "\ud800", "'\\ud800' (U+D800 a character without a name)"),
    ("full-width letter", "ａ", "'ａ' (U+FF41 FULLWIDTH LATIN SMALL LETTER A)"),
    ("full-width digit", "１", "'１' (U+FF11 FULLWIDTH DIGIT ONE)"),
    ("Arabic digit", "1٢", "'٢' (U+0662 ARABIC-INDIC DIGIT TWO)"),
    ("Cyrillic letter", "1 + а", "'а' (U+0430 CYRILLIC SMALL LETTER A)"),
    ("Cyrillic tail", "aа", "'а' (U+0430 CYRILLIC SMALL LETTER A)"),
    ("minus sign", "a − a", "'−' (U+2212 MINUS SIGN)"),
    ("superscript", "a²", "'²' (U+00B2 SUPERSCRIPT TWO)"),
    ("underscored number", "1_000", "'1_000' is not a number"),
    ("hexadecimal", "0x10", "'0x10' is not a number"),
    ("imaginary", "1j", "'1j' is not a number"),
    ("infinite", "1e999", "the number '1e999' is too large"),
    ("inf", "inf", "unknown name 'inf'"),
    ("nan", "nan", "unknown name 'nan'"),
    ("5,000 digits", "9" * 5_000, "is too large"),
    ("200,000 digits and a letter", "9" * (MAX_LENGTH - 1) + "x", "is not a number"),
    ("no argument", "max()", "max takes one argument or more, not none"),
    ("two arguments", "abs(1,2)", "abs takes one argument"),
    ("empty", "", "the formula is empty"),
    ("blank", " \t\r\n", "the formula is empty"),
    ("calling a number", "1(a)", "but '(' follows"),
    ("calling a group", "(a)(a)", "but '(' follows"),
    ("calling a call", "abs(a)(a)", "but '(' follows"),
    ("calling a score", "a(a)", "'a' is a score, not a function"),
]


@pytest.mark.parametrize(
    ("formula", "problem"),
    [pytest.param(formula, problem, id=name) for name, formula, problem in REFUSED],
)
def test_attack_is_refused(formula, problem):
    """Hostile text is refused, soon, and in few words."""
    with pytest.raises(FormulaError) as caught:
        compile_formula(formula, ["a"])

    assert problem in str(caught.value)
    assert len(str(caught.value)) < 400


def test_deepest_formula_leaves_room_on_the_stack():
    """Nesting up to the limit is no `RecursionError`, also for a caller who is deep himself."""

    def deep(levels):
        return deep(levels - 1) if levels else compile_formula(text, ["a"])({"a": 0.5})

    text = "1+2*-max(a," * MAX_NESTING + "1" + ")" * MAX_NESTING

    assert math.isfinite(deep(250))


def test_vendors_own_example_is_refused():
    """The multi-grader example of the API reference does not parse, and the caret shows why."""
    formula = "0.5 * text_similarity_score +  0.5 * string_check_score)"
    with pytest.raises(FormulaError, match="the formula is complete, but '\\)' follows") as caught:
        compile_formula(formula, ["text_similarity_score", "string_check_score"])
    *_, line, below = str(caught.value).split("\n")

    assert caught.value.position == 55
    assert line.endswith("string_check_score)")
    assert below == " " * (len(line) - 1) + "^"


OVERFLOW = Failure(
    kind=FailureKind.FORMULA_PARSE,
    reason="overflow",
    message="9^9^9^9: 9 ^ 387420489 is too large for a float",
)


@pytest.mark.long
@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        pytest.param("9^9^9^9", OVERFLOW, id="giant power"),
        pytest.param("-" * 100_000 + "a", 0.5, id="100,000 signs"),
        pytest.param("-" * 100_001 + "a", -0.5, id="100,001 signs"),
        pytest.param(" + ".join(["a"] * 50_000), 25_000.0, id="50,000 terms"),
        pytest.param("*-".join(["a"] * 50_000), 0.0, id="50,000 signed factors"),
        pytest.param("a" + "/1" * 99_000, 0.5, id="99,000 quotients"),
        pytest.param("max(" + ",".join(["a"] * 50_000) + ")", 0.5, id="50,000 arguments"),
        pytest.param("+".join(["(a)"] * 50_000), 25_000.0, id="50,000 groups"),
        pytest.param("+".join(["abs(a)"] * 25_000), 12_500.0, id="25,000 calls"),
        pytest.param("a" + " " * 199_999, 0.5, id="200,000 characters"),
        pytest.param("0." + "0" * 100_000 + "1", 0.0, id="100,000 decimals"),
        pytest.param("(" * MAX_NESTING + "a" + ")" * MAX_NESTING, 0.5, id="deepest groups"),
        pytest.param("max(1," * MAX_NESTING + "a" + ")" * MAX_NESTING, 1.0, id="deepest calls"),
        pytest.param(
            "1+2*a/(" * MAX_NESTING + "1" + ")" * MAX_NESTING, 1.618033988749895, id="deepest sums"
        ),
    ],
)
def test_attack_is_harmless(formula, expected):
    """What is long or deep and still a formula is computed, in both forms."""
    compiled = compile_formula(formula, ["a"])
    values, failures = compiled.columns({"a": [0.5, 0.5]})

    if isinstance(expected, Failure):
        with pytest.raises(GradingError) as caught:
            compiled(SCORES)
        assert caught.value.failure == expected
        assert failures == {0: expected, 1: expected}
    else:
        assert compiled(SCORES) == expected
        assert values.tolist() == [expected] * 2


def test_names_of_scores_are_never_code():
    """Thousands of scores, each with a hostile key beside it, reach the formula as values."""
    names = [f"n{i}" for i in range(5_000)]
    scores = dict.fromkeys([*names, "0]\nraise SystemExit#"], 1.0)

    assert compile_formula("+".join(names), scores)(scores) == 5_000.0
