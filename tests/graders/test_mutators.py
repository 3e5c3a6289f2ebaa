"""The changes that make mutants: what is changed, to the character, and what is left alone."""

import ast
import re
import warnings
from pathlib import Path

import pytest

import graders
from graders.config.graders import walk
from graders.config.parse import parse_config
from graders.testing.config_changes import NOTICE
from graders.testing.coverage import to_coverage
from graders.testing.meaning import Meaning
from graders.testing.mutants import Mutant, chosen, means_something, mutants_of
from graders.testing.mutators import MUTATORS, changes
from graders.testing.python_text import PythonText

OUTPUT, ANSWER = "{{ sample.output_text }}", "{{ item.a }}"


def made(body):
    """The changes of an expression's or a statement's own lines, as (mutator, old, new)."""
    source = f"def helper(x, y):\n    {body}\n"
    text = PythonText(source).text
    return [
        (one.mutator, text[one.start : one.end], one.text)
        for one in changes(source)
        if Meaning(source).changes_in(one.of(text))
    ]


EXPRESSIONS = [
    ("x == y", [("comparison", "==", "!=")]),
    ("x < y", [("comparison", "<", ">="), ("boundary", "<", "<=")]),
    ("x not in y", [("comparison", "not in", "in")]),
    ("x is  not y", [("comparison", "is  not", "is")]),
    (
        "x <= y != z",
        [("comparison", "<=", ">"), ("boundary", "<=", "<"), ("comparison", "!=", "==")],
    ),
    ("x and y", [("part", "x", "True"), ("logic", "and", "or"), ("part", "y", "True")]),
    ("x or y", [("part", "x", "False"), ("logic", "or", "and"), ("part", "y", "False")]),
    ("not x", [("negation", "not ", "")]),
    ("-x", [("negation", "-", "")]),
    ("x + y", [("arithmetic", "+", "-")]),
    ("(x)  *  (y)", [("arithmetic", "*", "/")]),
    ("x // y", [("arithmetic", "//", "/")]),
    ("x ** y", [("arithmetic", "**", "*")]),
    ("x @ y", [("arithmetic", "@", "*")]),
    ("x + 'a'", [("text", "'a'", '""')]),
    ("x + ('a' + y) + z", [("text", "'a'", '""')]),
    ("[x] + y", []),
    ("3", [("number", "3", "4"), ("number", "3", "2")]),
    ("0.5", [("number", "0.5", "0.6"), ("number", "0.5", "0.4")]),
    ("2.5", [("number", "2.5", "3.5"), ("number", "2.5", "1.5")]),
    ("1e400", []),
    ("''", [("text", "''", '"x"')]),
    ("'a' 'b'", [("text", "'a' 'b'", '""')]),
    ("True", [("boolean", "True", "False")]),
    ("None", []),
    ("b'a'", []),
    ("f'{x + 1}'", []),
    ("x.strip()", [("call", "x.strip()", "x")]),
    ("(x + y).lower()", [("call", "(x + y).lower()", "(x + y)"), ("arithmetic", "+", "-")]),
    ("abs(x or y)[0]", None),
    ("min(x, y)", [("call", "min(x, y)", "x"), ("call", "min(x, y)", "y"), ("name", "min", "max")]),
    ("any(x)", [("name", "any", "all")]),
    ("re.fullmatch(x, y)", [("name", "fullmatch", "match"), ("arguments", "x, y", "y, x")]),
    ("x.startswith(y)", [("name", "startswith", "endswith")]),
    ("f(x, (y))", [("arguments", "x, (y", "y, (x")]),
    ("f(x, x)", []),
    ("f(*x, y)", []),
    ("math.isclose(x, y)", []),
    ("x[y:z]", [("slice", "y", ""), ("slice", "z", "")]),
    ("x[0]", [("number", "0", "1"), ("number", "0", "-1")]),
    ("x['key']", []),
    ("y if x else z", [("condition", "x", "not (x)")]),
    ("[y for y in x if y.ok]", [("condition", "y.ok", "not (y.ok)")]),
    ("lambda: x", []),
    ("'é' == x", [("text", "'é'", '""'), ("comparison", "==", "!=")]),
]


@pytest.mark.parametrize(("expression", "expected"), EXPRESSIONS)
def test_an_expression_has_these_changes(expression, expected):
    """Each to the character; what is equal once compiled is left out."""
    found = made(f"w = {expression}")

    if expected is None:  # two edits that overlap, one of them longer
        assert ("call", "abs(x or y)", "(x or y)") in found
    else:
        assert found == expected


STATEMENTS = [
    ("return x", [("helper", "x", "None")]),
    ("return", []),
    ("return None", []),
    ("x.append(y)", [("statement", "x.append(y)", "pass")]),
    ("x = x.y", [("statement", "x = x.y", "pass")]),
    ("x = y", []),
    ("x[y] = z", [("statement", "x[y] = z", "pass")]),
    ("x += y", [("statement", "x += y", "pass"), ("arithmetic", "+=", "-=")]),
    ("x += ' y'", [("statement", "x += ' y'", "pass"), ("text", "' y'", '""')]),
    ("raise ValueError('why', 3)", [("statement", "raise ValueError('why', 3)", "pass")]),
    ("assert x, 'why'", [("statement", "assert x, 'why'", "pass")]),
    ("yield x", []),
    ("if x: z()", [("condition", "x", "not (x)"), ("statement", "z()", "pass")]),
    ("if x == y: return", [("comparison", "==", "!=")]),
    (
        "while x: break",
        [("condition", "x", "not (x)"), ("loop", "break", "continue"), ("loop", "break", "pass")],
    ),
    ("for z in x:\n        if z: continue\n        y()", None),
    ("print('x', 1)", []),
    ("logging.info('x %d', 1)", []),
    ("'''Documented, 1 + 1.'''", []),
    ("import math", []),
    ("x: int = 3", [("number", "3", "4"), ("number", "3", "2")]),
    (
        "@cache(maxsize=3)\n    def f(n: 'int' = 2): pass",
        [("number", "2", "3"), ("number", "2", "1")],
    ),
]


@pytest.mark.parametrize(("statement", "expected"), STATEMENTS)
def test_a_statement_has_these_changes(statement, expected):
    """What tells, documents or annotates has none."""
    found = made(statement)

    if expected is None:
        assert [one for one in found if one[0] == "loop"] == [
            ("loop", "continue", "break"),
            ("loop", "continue", "pass"),
        ]
    else:
        assert [one for one in found if one[1:] != ("x", "None")] == [
            one for one in expected if one[1:] != ("x", "None")
        ]


def test_the_return_of_grade_is_another_score():
    """Of other functions it is None: nobody knows what they return."""
    source = "def grade(s, i):\n    if s: return 1.0\n    return f(i)\n"
    text = PythonText(source).text
    found = [(text[c.start : c.end], c.text) for c in changes(source) if c.mutator == "return"]

    assert found == [("1.0", "0.0"), ("f(i)", "0.0"), ("f(i)", "1.0")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_places_are_characters_whatever_stands_before(end):
    """Bytes and characters differ, tabs and line ends too."""
    source = end.join(["# 漢字 é", "def grade(s, i):", "\treturn 'ü' in s", ""])
    changed = [change.of(PythonText(source).text) for change in changes(source)]

    assert "# 漢字 é\ndef grade(s, i):\n\treturn 'ü' not in s\n" in changed


def test_constants_that_fold_to_the_same_are_no_change():
    """`2 * 1` is `2 / 1` but for its type, and `1 * 1` is not `1 / 1`; both are kept."""
    assert not Meaning("x = 1 + 1").changes_in("x = 2")
    assert not Meaning("def f():\n    'doc'").changes_in("def f():\n\n    'doc'  # why")
    assert Meaning("x = 2").changes_in("x = 2.0")
    assert not Meaning("x = 2").changes_in("x = ")


def bomb():
    lines, indent = ["def grade(s, i):"], "    "
    for _ in range(18):
        lines += [f"{indent}try:", f"{indent}    pass", f"{indent}finally:"]
        indent += "    "
    return "\n".join([*lines, f"{indent}x = 1", "    return 1.0"])


def test_a_compile_bomb_goes_off_in_the_sandbox_alone():
    """Here it is parsed: its changes are known without compiling it."""
    found = changes(bomb())

    assert {change.mutator for change in found} == {"number", "return"}
    assert Meaning(bomb()).changes_in(bomb().replace("x = 1", "x = 2"))


OURS = sorted(Path(graders.__file__).parent.rglob("*.py"))


@pytest.mark.long
@pytest.mark.parametrize("path", OURS[::24], ids=lambda path: path.stem)
def test_each_change_compiles_and_is_another_tree(path):
    """A law, over files that nobody wrote for it."""
    source = path.read_text("utf-8")
    text = PythonText(source).text
    found, meaning = changes(source), Meaning(source)
    original, lines = ast.dump(ast.parse(text)), to_coverage(text, []).missing

    for change in found[:: 1 + len(found) // 25]:
        changed = change.of(text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(changed, "changed.py", "exec")
        assert ast.dump(ast.parse(changed)) != original
        assert change.line in lines  # or no case would be known to run it
        assert meaning.changes_in(changed) or change.text == "pass"


STRING = {
    "type": "string_check",
    "name": "s",
    "operation": "like",
    "input": OUTPUT,
    "reference": ANSWER,
}
TEXT = {
    "type": "text_similarity",
    "name": "t",
    "evaluation_metric": "bleu",
    "input": OUTPUT,
    "reference": ANSWER,
    "pass_threshold": 0.5,
}
JUDGE = {
    "type": "score_model",
    "name": "j",
    "model": "m",
    "input": [{"role": "user", "content": OUTPUT}],
    "range": [0, 4],
    "repeats": 3,
}
LABEL = {**JUDGE, "type": "label_model", "labels": ["a", "b", "c"], "passing_labels": ["a"]}
del LABEL["range"]
MULTI = {
    "type": "multi",
    "name": "m",
    "graders": {"s": STRING, "t": TEXT},
    "calculate_output": "0.5 * s + min(-t, 2)",
    "pass_threshold": 0.75,
}
CONFIGS = [
    (STRING, [
        '"operation": "eq"', '"operation": "ilike"', '"operation": "ne"',
        f'"input": "{ANSWER}"\n"reference": "{OUTPUT}"',
    ]),
    (TEXT, [
        '"evaluation_metric": "gleu"', '"evaluation_metric": "rouge_2"',
        f'"input": "{ANSWER}"\n"reference": "{OUTPUT}"',
        '"pass_threshold": 0.6', '"pass_threshold": 0.4',
    ]),
    (JUDGE, [
        '"range": [-1.0, 4.0]', '"range": [0.0, 5.0]', '"range": [0.0, 2.0]',
        '"aggregate": "median"',
    ]),
    (LABEL, [
        '"passing_labels": ["a", "b"]', '"passing_labels": ["a", "c"]', '"aggregate": "mean"',
    ]),
    ({**MULTI, "graders": {"s": STRING, "t": {**TEXT, "evaluation_metric": "cosine"}}}, [
        "0.6 * s + min(-t, 2)",
        "0.4 * s + min(-t, 2)",
        "0.5 / s + min(-t, 2)",
        "0.5 * 0 + min(-t, 2)",
        "0.5 * 1 + min(-t, 2)",
        "0.5 * s - min(-t, 2)",
        "0.5 * s + max(-t, 2)",
        "0.5 * s + min(t, 2)",
        "0.5 * s + min(-0, 2)",
        "0.5 * s + min(-1, 2)",
        "0.5 * s + min(-t, 3)",
        "0.5 * s + min(-t, 1)",
        '"pass_threshold": 0.85', '"pass_threshold": 0.65',
        '"operation": "eq"', '"operation": "ilike"', '"operation": "ne"',
        f'"input": "{ANSWER}"\n"reference": "{OUTPUT}"',
        '"evaluation_metric": "fuzzy_match"',
    ]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "expected"), CONFIGS, ids=lambda one: one["type"] if isinstance(one, dict) else ""
)
def test_a_config_has_these_mutants(config, expected):
    """One field each; a member's threshold decides nothing in a multi."""
    document = parse_config(config)
    mutants = mutants_of(document)

    assert [mutant.after for mutant in mutants] == expected
    for mutant in mutants:
        changed = mutant.of(document.grader)
        assert changed != document.grader
        assert [type(part) for _, part in walk(changed)] == [
            type(part) for _, part in walk(document.grader)
        ]


def test_every_change_says_what_would_notice_it():
    """In a table; nothing in it is of no use."""
    document = parse_config(MULTI)
    used = {mutant.mutator for config, _ in CONFIGS for mutant in mutants_of(parse_config(config))}

    assert used == set(NOTICE)
    assert all(mutant.notice for mutant in mutants_of(document))
    assert all(mutator.notice.startswith("one ") for mutator in MUTATORS.values())
    assert all(notice.startswith("one ") for notice in NOTICE.values())


def test_the_page_has_each_change():
    """With what would notice it, in the order of the tables."""
    page = Path(graders.__file__).with_name("testing") / "README.md"
    section = page.read_text("utf-8").partition("## Mutants")[2]
    rows = re.findall(r"^\| `(\w+)` \| .+? \| (.+?) \|$", section, re.MULTILINE)

    assert rows == [*((name, one.notice) for name, one in MUTATORS.items()), *NOTICE.items()]


def test_some_are_drawn_by_a_seed_and_keep_their_order():
    """The same for the same seed."""
    mutants = mutants_of(parse_config(MULTI))
    drawn = chosen(mutants, 5, 1)

    assert drawn == chosen(mutants, 5, 1) != chosen(mutants, 5, 2)
    assert drawn == [mutant for mutant in mutants if mutant in drawn]
    assert chosen(mutants, None, 0) == chosen(mutants, 1000, 0) == mutants


def test_a_diff_shows_the_line_and_the_change():
    """Two lines around it, and numbers of the author's own file."""
    source = "a = 1\nb = 2\n\n\ndef grade(s, i):\n    if s:\n        return 0.5\n    return a\n"
    document = parse_config({"type": "python", "name": "p", "source": source})
    found = [m for m in mutants_of(document) if (m.mutator, m.new) == ("return", "0.0")]

    assert found[0].says == "`0.5` becomes `0.0`"
    assert (found[0].line, found[0].line_number) == (7, 7)
    assert found[0].diff("grade.py").splitlines() == [
        "--- grade.py",
        "+++ grade.py (mutant)",
        "@@ -5,4 +5,4 @@",
        " def grade(s, i):",
        "     if s:",
        "-        return 0.5",
        "+        return 0.0",
        "     return a",
    ]


def test_a_criterion_is_changed_in_its_place():
    """An Evals body has a list of them."""
    body = {"testing_criteria": [STRING, {**TEXT, "name": "t"}]}
    document = parse_config(body)
    last = mutants_of(document)[-1]

    assert last.location == ("testing_criteria", 1)
    assert last.of(document.grader).testing_criteria[1].pass_threshold == 0.4
    assert last.of(document.grader).testing_criteria[0] == document.grader.testing_criteria[0]


def test_what_is_no_other_program_is_no_mutant():
    """`continue` at the end of a loop, and `pass`."""
    source = "def grade(s, i):\n    for a in s:\n        continue\n    return 1\n"
    document = parse_config({"type": "python", "name": "p", "source": source})
    kept = [m.new for m in mutants_of(document) if means_something(m, {}) and m.mutator == "loop"]

    assert isinstance(mutants_of(document)[0], Mutant)
    assert kept == ["break"]
