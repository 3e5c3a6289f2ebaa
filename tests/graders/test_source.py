"""A python grader's source before it runs: errors only for what the service must fail on."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.checks import check_source
from graders.checks.source import MAX_SOURCE_BYTES

GRADE = "def grade(sample, item): return 1.0\n"
WRITE = "Write def grade(sample, item)."
PAIR = "gets the sample and the item, both dicts"


def said(source):
    """Severity, code and text of each finding."""
    return [(f.severity, f.code, str(f)) for f in check_source(source)]


# --- what runs


@pytest.mark.parametrize(
    "source",
    [
        GRADE,
        "def grade(sample, item):\r\n    return 1.0\r\n",
        "def grade(sample: dict, item: dict[str, str]) -> float:\n    return 1",
        "from __future__ import annotations\n" + GRADE,
        "import json\nLIMIT = 3\n\ndef helper(x): return x\n\n"
        + GRADE
        + "\nif __name__ == '__main__':\n    print(grade({}, {}))\n",
        '"""A module."""\nimport logging\nprint("loaded")\n' + GRADE,
        "def grade(sample, item):\n    return '\\d'",  # an invalid escape is a warning of Python's
        "# -*- coding: latin-1 -*-\n" + GRADE,
        "\f" + GRADE,
        # two positional arguments, however they are taken
        "def grade(*args): return 1",
        "def grade(*args, **options): return 1",
        "def grade(sample, *rest): return 1",
        "def grade(sample=None, item=None): return 1",
        "def grade(sample, item, *, strict=True): return 1",
        "def grade(sample, item, /): return 1",
        "def grade(sample, _item): return 1",
        "def grade(sample, item, **options): return 1",
        # anything callable that is called grade
        "grade = lambda s, i: 1",
        "(grade := lambda s, i: 1)",
        "grade: object = lambda s, i: 1",
        "class grade:\n    def __new__(cls, s, i): return 1.0",
        "class Grader:\n    def __call__(self, s, i): return 1\n\ngrade = Grader()",
        "from functools import partial\ngrade = partial(max)",
        "a, (b, grade) = 1, (2, max)",
        "for grade in [max]: pass",
        "with open('x') as grade: pass",
        "from x import grade",
        "from x import score as grade",
        "from x import *",
        "import x.y as grade",
        "import grade",
        "match max:\n    case grade: pass",
        "match [max]:\n    case [*grade]: pass",
        "match {}:\n    case {**grade}: pass",
        # bound somewhere else, or nobody knows where
        "def setup():\n    global grade\n    grade = max\nsetup()",
        "def setup():\n    global grade\n    def grade(s, i): return 1\nsetup()",
        "class Setup:\n    global grade\n    def grade(s, i): return 1",
        "exec('def grade(s, i): return 1')",
        "globals()['grade'] = max",
        "globals().update(grade=max)",
        "import sys\nsys.modules[__name__].__dict__['grade'] = max",
        "import sys\nsetattr(sys.modules[__name__], 'grade', max)",
        # which of several it is, only running it can tell
        "if True:\n    def grade(s, i): return 1\nelse:\n    def grade(s): return 2",
        "try:\n    from fast import grade\nexcept ImportError:\n    def grade(s): return 1",
        "def grade(s): return 1\ngrade = wrap(grade)",
        "def grade(s): return 1\n" + GRADE,
        "@adapt\ndef grade(answer): return 1",
        "@adapt\nasync def grade(a, b, c): return 1",
    ],
)
def test_what_the_service_runs_is_not_said_a_word_about(source):
    """Whole modules, lambdas, instances, imports, decorators: all in real use."""
    assert said(source) == []


# --- what only surprises


@pytest.mark.parametrize(
    ("source", "code", "text"),
    [
        ("def grade(item, sample): return 1", "grade-order",
         f"line 1: grade(item, sample) gets the sample first, however named. "
         f"{WRITE}"),
        ("\ndef grade(sample_text, reference_text): return 1", "grade-names",
         f"line 2: grade(sample_text, reference_text) {PAIR}. {WRITE}"),
        ("def grade(_item, sample): return 1", "grade-order",
         f"line 1: grade(_item, sample) gets the sample first, however named. "
         f"{WRITE}"),
        ("def grade(a, b, /): return 1", "grade-names", f"line 1: grade(a, b) {PAIR}. {WRITE}"),
        ("def grade(sample, item, limit=3): return 1", "grade-extra",
         "line 1: limit always keeps its default; grade is called with two"),
        ("def grade(sample, item, a=1, b=2, *c): return 1", "grade-extra",
         "line 1: a, b always keeps its default; grade is called with two"),
        ("async def grade(sample, item): return 1", "grade-async",
         "line 1: grade is async, so calling it returns a coroutine and not a number. "
         "Write a plain def."),
    ],
)  # fmt: skip
def test_what_surprises_is_a_warning(source, code, text):
    """It runs, and probably not as it was meant."""
    assert said(source) == [("warning", code, text)]


def test_one_source_can_have_several_warnings():
    """Each of them is said."""
    source = "async def grade(item, sample, limit=3): return 1"

    assert [code for _, code, _ in said(source)] == ["grade-order", "grade-extra", "grade-async"]


# --- what cannot run


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("def grade(sample): return 1", f"line 1: grade takes 1 argument, and is called with two. "
         f"{WRITE}"),
        ("def grade(): return 1", f"line 1: grade takes 0 arguments, and is called with two. "
         f"{WRITE}"),
        ("\n\ndef grade(sample, item, extra): return 1", f"line 3: grade takes 3 arguments, and "
         f"is called with two. {WRITE}"),
        ("def grade(sample, item, *, strict): return 1", "line 1: grade takes 2 arguments "
         f"and strict by keyword only, and is called with two. {WRITE}"),
        ("def grade(**both): return 1", f"line 1: grade takes 0 arguments, and is called with "
         f"two. {WRITE}"),
        ("while True:\n    def grade(sample): return 1", f"line 2: grade takes 1 argument, and is "
         f"called with two. {WRITE}"),
    ],
)  # fmt: skip
def test_a_plain_def_that_cannot_take_two_is_an_error(source, text):
    """The call fails on every row, whatever the rows hold."""
    assert said(source) == [("error", "grade-signature", text)]


def test_two_arguments_by_name_only_are_not_two_arguments():
    """That it "takes 2 arguments, and is called with two" would explain nothing."""
    ((severity, code, text),) = said("def grade(*, sample, item): return 1")

    assert (severity, code) == ("error", "grade-signature")
    assert "takes 2 arguments" not in text
    assert text.endswith(WRITE)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x = 1",
        "def Grade(sample, item): return 1",
        "def outer():\n    def grade(sample, item): return 1",
        "class Mine:\n    def grade(self, sample, item): return 1",
        "class Mine:\n    grade = max",
        "lambda grade: 1",
        "def f(grade): return grade",
        "print(grade)",
        "x.grade = max",
    ],
)
def test_a_source_that_binds_no_grade_is_an_error(source):
    """A name inside a function, a class or a comprehension is not the module's."""
    assert said(source) == [
        ("error", "no-grade", "binds no function called grade. Define def grade(sample, item).")
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("def grade(sample, item)\n    return 1.0",
         "line 1: expected ':'\n    def grade(sample, item)\n                           ^"),
        (GRADE + "return 1", "line 2: 'return' outside function\n    return 1\n    ^"),
        ("def grade(sample, item):\nreturn 1", "line 2: expected an indented block after function "
         "definition on line 1\n    return 1\n    ^"),
        (r"def grade(sample, item):\n    return 1.0", "line 1: unexpected character after line "
         "continuation character\n"),  # newlines lost while escaping into JSON
        ("def grade(sample, sample): pass", "line 1: duplicate argument 'sample' in function "
         "definition\n    def grade(sample, sample): pass\n                      ^"),
        (GRADE + "nonlocal x", "line 2: nonlocal declaration not allowed at module level\n"),
        (f"note = 'a\u2028b\x1cc'\n{GRADE}x = = 1", "line 3: invalid syntax\n    x = = 1\n"
         "        ^"),  # only line feeds and carriage returns end a line of Python
        ("x = '\0'\n" + GRADE, "null bytes"),
        ("x = '\ud800'\n" + GRADE, "surrogates not allowed"),
        ("(" * 500 + ")" * 500, "line 1: too many nested parentheses\n"),
        ("(" * 100_000 + ")" * 100_000, "line 1: too many nested parentheses\n"),
        ("if x:\n" + "".join(" " * i + "if x:\n" for i in range(1, 200)), "line 101: too many "
         "levels of indentation"),
    ],
)  # fmt: skip
def test_a_source_that_does_not_compile_is_an_error_with_its_line(source, text):
    """Python's own message, the line, and a caret where there is a place to point at."""
    (found,) = said(source)

    assert found[:2] == ("error", "source-syntax")
    assert text in found[2]


@pytest.mark.parametrize("absurd", ["+".join(["1"] * 50_000), "-" * 50_000 + "1", "[" * 150])
def test_absurd_nesting_is_an_error_with_a_reason(absurd):
    """How deep is too deep depends on the Python; that something is said does not."""
    ((severity, code, text),) = said(f"x = {absurd}\n")

    assert (severity, code) in [("error", "source-syntax"), ("error", "no-grade")]
    assert not text.rstrip().endswith(":")


def in_finally(depth):
    """A source of `finally` within `finally`: a few hundred bytes that compile to gigabytes."""
    lines = ["def grade(sample, item):"]
    for n in range(1, depth):
        lines += [f"{' ' * n}try: pass", f"{' ' * n}finally:"]
    return "\n".join([*lines, " " * depth + "return 1.0"])


def test_a_source_that_compiles_to_gigabytes_is_not_compiled_here():
    """The sandbox has limits, and this process has none: it would take minutes and all memory."""
    tracemalloc.start()
    assert said(in_finally(20) + "\n") == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 50 << 20
    assert said(in_finally(3) + "\nreturn 2\n")[0][:2] == ("error", "source-syntax")


@pytest.mark.parametrize(
    "source",
    [
        "    def grade(sample, item):\n        return 1.0\n",
        "\n\n    def grade(sample, item):\n        return 1.0\n",
        "\tdef grade(sample, item):\n\t\treturn 1.0\n",
        "    import re\n\n    def grade(sample, item):\n        return 1.0\n",
    ],
)
def test_a_source_that_is_indented_as_a_block_says_so(source):
    """The service fails these on every row; five recorded rows have 0.0 each."""
    ((severity, code, text),) = said(source)

    assert (severity, code) == ("error", "source-syntax")
    assert "unexpected indent" in text
    assert text.endswith("\n    The whole source is indented as a block; dedent it.")


@pytest.mark.parametrize(
    ("source", "fix"),
    [
        (r"def grade(sample, item):\n    return 1.0", r"Its newlines are written as \\n, a backsl"),
        ("def grade(sample, item):     x = 1     return x", "It is all one line; were its newl"),
    ],
)
def test_newlines_that_were_lost_are_asked_for(source, fix):
    """Escaped twice, or not at all, on the way into JSON."""
    (finding,) = check_source(source)

    assert (finding.code, finding.fix[: len(fix)]) == ("source-syntax", fix)


def test_an_indented_line_further_down_is_only_an_indented_line():
    """The advice to dedent everything would be wrong there."""
    ((_, _, text),) = said("x = 1\n    y = 2\n" + GRADE)

    assert text.startswith("line 2: unexpected indent\n")
    assert "dedent" not in text


@pytest.mark.parametrize(
    ("filler", "refused"),
    [
        ("#" * (MAX_SOURCE_BYTES - len(GRADE) - 1), False),
        ("#" * (MAX_SOURCE_BYTES - len(GRADE)), True),
        ("#" + "é" * (MAX_SOURCE_BYTES // 2), True),  # bytes count, not characters
    ],
)
def test_a_source_stays_under_256_kilobytes(filler, refused):
    """The limit is the documented one, in bytes of UTF-8."""
    found = said(GRADE + filler)

    assert [(severity, code) for severity, code, _ in found] == (
        [("error", "source-size")] if refused else []
    )
    assert all("bytes long; the limit is 262,144" in text for _, _, text in found)


@given(st.text() | st.lists(st.sampled_from(["grade", "def ", "(", ")", ":", "\n", " ", "="])))
def test_any_text_can_be_checked(source):
    """Findings or none, and never an exception: sources come from anywhere."""
    findings = check_source(source if isinstance(source, str) else "".join(source))

    assert all(finding.message and finding.severity in ("error", "warning") for finding in findings)
