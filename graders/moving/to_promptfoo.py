"""A promptfoo config with assertions for a grader, and the Python file that it asks us through.

Names and texts of a config go in as quoted scalars, and into comments only as printable text: in a
promptfoo config a text can read the environment (`{{ env.KEY }}`) and files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Final

from graders.config.graders import AnyConfig, EvalConfig, says_what_passes
from graders.errors import ConfigError, Finding
from graders.moving.carried import Carried, carry
from graders.moving.exported import Exported, Source, comments
from graders.moving.forms import refused
from graders.moving.promptfoo_tests import Tests, to_tests
from graders.template import Slot

_PLAIN_NAME: Final = re.compile(r"[\w .,:-]{1,100}")
_OF_NATIVE: Final = (
    "An item without the variable is an empty text there, and a failure here.",
    "Values that are no texts are written as JavaScript writes them: null is nothing.",
)
_OF_CONTAINS: Final = "An empty reference is an error there; every text contains it here."
_OF_US: Final = (
    "There is no word for a missing score: a failed grading counts 0, its message is the reason.",
    "Keys of the item that are null count as missing there.",
)
_ALWAYS: Final = (
    "vars are templates there: a value with {{, {% or {# is rendered once more, one that begins "
    "with file:// is read from a file, and a line break at the end of one is dropped."
)
_OF_NUMBERS: Final = (
    "Numbers of vars are JavaScript's: 4.0 is 4, and integers beyond 2^53 are rounded."
)
_OF_AN_EVAL: Final = (
    "A test passes when every assertion does, as an Evals row; its score is their mean, where an "
    "Evals row has 1 or 0."
)
_OF_A_SAMPLE: Final = (
    "Only the text of an output is known there: a sample has no model and no usage."
)

_OF_ROWS: Final = """\
# The outputs are those of the rows: nothing is asked, and echo answers for those that are empty.
providers: ["echo"]
prompts:
  - label: "outputs of the rows"
    raw: "{{{{ '' }}}}"
tests: {tests}
"""
_WITHOUT_ROWS: Final = """\
# It cannot run yet. Add whom to ask, what, and about which items, such as:
# providers: ["openai:gpt-4o-mini"]
# prompts: ["{{ question }}"]
# tests:
#   - vars: {"question": "What is 2 + 2?", "answer": "4"}
# Or let `graders export --rows FILE` write tests of rows with the outputs that they have.
"""
_BEFORE: Final = "add providers, prompts and tests, as the file says, or use --rows FILE"


def to_promptfoo(source: Source, name: str) -> Exported:
    """The config, and beside it its tests, and the Python file by which something is asked of us.

    Args:
        source: What is exported.
        name: Of the config's file.

    Raises:
        ConfigError: Nothing says when a score passes, or no row can be a test.
        RowError: A line is no row.
    """
    config = source.document.grader
    criteria = config.testing_criteria if isinstance(config, EvalConfig) else (config,)
    carried = [carry(one, "promptfoo", source.profile) for one in criteria]
    for one, how in zip(criteria, carried, strict=True):
        if not how.native:
            _refuse_without_threshold(one, source)
    functions = (
        [f"criterion_{i}" for i in range(1, len(criteria) + 1)]
        if isinstance(config, EvalConfig)
        else ["get_assert"]
    )
    lost, tests = _lost(config, carried), _tests(source)
    stem = re.sub(r"\W", "_", PurePath(name).stem)
    yaml = _yaml(source, carried, lost, _asserts(carried, functions, f"{stem}_assert.py"))
    run = _OF_ROWS.format(tests=quoted(f"file://{stem}_tests.jsonl")) if tests else _WITHOUT_ROWS
    files = {name: "".join(yaml) + run}
    if tests:
        files[f"{stem}_tests.jsonl"] = tests.lines
    asked = [f for f, how in zip(functions, carried, strict=True) if not how.native]
    if asked:
        files[f"{stem}_assert.py"] = _python(source, functions, asked)
    return Exported(
        files=files,
        carried=carried,
        lost=lost,
        next=["promptfoo", "eval", "-c", name],
        before="" if tests else _BEFORE,
        left_out=tests.left_out if tests else (),
    )


def _tests(source: Source) -> Tests | None:
    if source.rows is None:
        return None
    tests = to_tests(source.rows)
    if not tests.count:
        why = f"row {tests.left_out[0][0]}: {tests.left_out[0][1]}" if tests.left_out else "no rows"
        raise refused("rows", source.rows_path, f"none of it can be a test of promptfoo ({why})")
    return tests


def _refuse_without_threshold(config: AnyConfig, source: Source) -> None:
    given = (source.threshold, source.profile.default_threshold) != (None, None)
    if given or says_what_passes(config):
        return
    raise ConfigError(
        Finding(
            code="threshold",
            severity="error",
            path="pass_threshold",
            message=f"{config.name!r:.80} does not say when a score passes, and promptfoo asks",
            fix="Give it a pass_threshold, or give --pass-threshold.",
        )
    )


def _asserts(
    carried: Sequence[Carried], functions: Sequence[str], python: str
) -> list[dict[str, str]]:
    return [
        _assertion(how, i, f"file://{python}:{function}")
        for i, (how, function) in enumerate(zip(carried, functions, strict=True), start=1)
    ]


def _assertion(how: Carried, number: int, function: str) -> dict[str, str]:
    metric = how.name if _PLAIN_NAME.fullmatch(how.name) else f"grader {number}"
    if not how.native:
        return {"type": "python", "value": function, "metric": metric}
    pieces = (
        f"{{{{ {piece.steps[0]} }}}}" if isinstance(piece, Slot) else piece
        for piece in how.reference
    )
    return {"type": how.native, "value": "".join(pieces), "metric": metric}


def _lost(config: AnyConfig, carried: Sequence[Carried]) -> list[str]:
    lost = [_ALWAYS, _OF_NUMBERS, _OF_A_SAMPLE]
    if any(how.native for how in carried):
        lost += _OF_NATIVE
    contains = [how for how in carried if "contains" in how.native]
    if any(all(isinstance(piece, Slot) for piece in how.reference) for how in contains):
        lost.append(_OF_CONTAINS)
    if not all(how.native for how in carried):
        lost += _OF_US
    if isinstance(config, EvalConfig) and len(carried) > 1:
        lost.append(_OF_AN_EVAL)
    return lost


def _yaml(
    source: Source,
    carried: Sequence[Carried],
    lost: Sequence[str],
    asserts: Sequence[Mapping[str, str]],
) -> Iterator[str]:
    yield "# Assertions for promptfoo, written by `graders export`. A test's vars are an item.\n"
    yield from comments(source, carried, lost)
    yield "defaultTest:\n  options:\n    disableVarExpansion: true\n  assert:\n"
    for one in asserts:
        for lead, (key, value) in zip(("-", " ", " "), one.items(), strict=True):
            yield f"    {lead} {key}: {quoted(value)}\n"


def quoted(text: str) -> str:
    r"""A text as a YAML scalar, on one line and without a character that YAML does not have.

    Example:
        >>> print(quoted('a "é" \x1b\U0001f600\U000e0001'))
        "a \"é\" \u001b😀\U000e0001"
    """
    shown = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escaped(ord(c)) for c in shown)


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


def _python(source: Source, functions: Sequence[str], asked: Sequence[str]) -> str:
    path, given = repr(source.path), dict(source.options)
    if source.threshold is not None:
        given["threshold"] = source.threshold
    options = "".join(f", {key}={value!r}" for key, value in given.items())
    head = [
        '"""What promptfoo asks local-graders; written by `graders export`."""',
        "",
        "# Keep it in a folder of its own: Python imports what stands beside it first.",
        "",
        *(["import json"] if asked != ["get_assert"] else []),
        "from pathlib import Path",
        "",
        "from graders.trainers.promptfoo import assertion",
        "",
        f"CONFIG = Path(__file__).parent / {path}",
    ]
    if asked == ["get_assert"]:
        return "\n".join([*head, "", f"get_assert = assertion(CONFIG{options})", ""])
    lines = [*head, 'CRITERIA = json.loads(CONFIG.read_text("utf-8"))["testing_criteria"]']
    for function in asked:
        at = functions.index(function)
        lines += [
            *("", "", f"def {function}(output, context):"),
            f"    return assertion(CRITERIA[{at}]{options})(output, context)",
        ]
    return "\n".join([*lines, ""])
