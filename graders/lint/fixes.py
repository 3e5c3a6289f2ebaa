"""What `--fix` changes: only what can be meant in one way, and only the characters that are wrong.

A fix is a row in a table, by its code: it looks at the value a finding points at and gives edits of
the file's text, or none where it is not sure. The rest of the text stays as the user wrote it.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Final, cast

from graders.checks.source import check_source
from graders.config.explain import OPERATIONS_ELSEWHERE
from graders.config.graders import Location
from graders.errors import Finding
from graders.images import parse
from graders.lint.edits import Config, Edit, edited, overlap
from graders.lint.formula import word_at
from graders.lint.locate import locate, to_location
from graders.lint.returns import plain_grade
from graders.lint.templates import meant_namespace
from sandbox import JSON

_ALLOWED: Final = re.compile(r" is not one of ([\w.]++(?:, [\w.]++)*+)$")
_MISSPELT: Final = re.compile(r"^Did you mean '([\w.]+)' where it says '([^']+)'\?$")
_ESCAPED: Final = re.compile(r'\\([nt"\\])')
_MEANT: Final = {"n": "\n", "t": "\t"}
_SAMPLE_KEYS: Final = frozenset({"output_text", "output_json", "choices", "output_tools"})


Fixer = Callable[[Config, Location, Finding], list[Edit]]


def _allowed_value(config: Config, location: Location, finding: Finding) -> list[Edit]:
    """Another spelling of an allowed word, or an operation's name elsewhere."""
    value, allowed = config.at(location), _ALLOWED.search(finding.message)
    if not isinstance(value, str) or allowed is None:
        return []
    words = {_bare(word): word for word in allowed[1].split(", ")}
    meant = words.get(_bare(value))
    if meant is None and location[-1] == "operation":
        word = value.strip().lower().replace("-", "_").replace(" ", "_")
        meant = OPERATIONS_ELSEWHERE.get(word)
    return config.write(location, meant) if meant else []


def _bare(word: str) -> str:
    return re.sub(r"[\s_.-]", "", word).casefold()


def _misspelt_key(config: Config, location: Location, finding: Finding) -> list[Edit]:
    """A missing field that stands under a key like it."""
    found = _MISSPELT.match(finding.fix)
    return config.rename((*location[:-1], found[2]), found[1]) if found else []


_MAX_TOKENS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def _unread_key(config: Config, location: Location, finding: Finding) -> list[Edit]:
    """A key of another type's, which nothing reads; a limit of tokens under another name."""
    key = str(location[-1])
    body = config.at(location[:-1])
    if not isinstance(body, dict):
        return []
    if location[-2:-1] == ("sampling_params",) and key in _MAX_TOKENS:
        limit, alone = body[key], len(body.keys() & {*_MAX_TOKENS}) == 1
        is_limit = type(limit) is int and limit >= 1
        return config.rename(location, "max_completions_tokens") if is_limit and alone else []
    kind = body.get("type")
    elsewhere = (kind == "python" and key in {"input", "reference"}) or (
        kind != "python" and key in {"image_tag", "source"}
    )
    if elsewhere and not finding.fix:
        return config.drop(location)
    return []


def _refused_parameter(config: Config, location: Location, finding: Finding) -> list[Edit]:
    return config.drop(location) if finding.fix == "Leave it out." else []


def _indented_source(config: Config, location: Location, _: Finding) -> list[Edit]:
    r"""A source that is indented as a block, or whose newlines became `\n` in two characters."""
    source = config.at(location)
    if not isinstance(source, str):
        return []
    fixed = source
    if "\n" not in source.strip():
        fixed = _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), source)
    fixed = textwrap.dedent(fixed)
    is_sure = fixed != source and _compiles(fixed) and not _has_long_text(fixed)
    return config.write(location, fixed) if is_sure else []


def _has_long_text(source: str) -> bool:
    """Whether a text of several lines, of which dedenting makes another, is more than a comment."""
    tree = parse(source)
    nodes = [*ast.walk(tree)] if tree else []
    comments = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return any(
        isinstance(node, (ast.Constant, ast.JoinedStr))
        and node.end_lineno != node.lineno
        and id(node) not in comments
        for node in nodes
    )


def _compiles(source: str) -> bool:
    return not any(finding.severity == "error" for finding in check_source(source))


def _swapped_parameters(config: Config, location: Location, _: Finding) -> list[Edit]:
    """`grade(item, sample)`, where the body uses each name for what it is called."""
    source = config.at(location)
    tree = parse(source) if isinstance(source, str) else None
    grade = plain_grade(tree) if tree else None
    if grade is None or not isinstance(source, str) or not _uses_sample(grade):
        return []
    first, second = [*grade.args.posonlyargs, *grade.args.args][:2]
    if first.annotation or second.annotation or grade.args.defaults:
        return []
    lines = source.split("\n")
    for arg, name in ((second, first.arg), (first, second.arg)):
        line = lines[arg.lineno - 1].encode()
        cut = line[: arg.col_offset] + name.encode() + line[(arg.end_col_offset or 0) :]
        lines[arg.lineno - 1] = cut.decode()
    fixed = "\n".join(lines)
    return config.write(location, fixed) if _compiles(fixed) else []


def _uses_sample(grade: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "sample"
        and isinstance(node.slice, ast.Constant)
        and node.slice.value in _SAMPLE_KEYS
        for node in ast.walk(grade)
    )


def _key_for_name(config: Config, location: Location, finding: Finding) -> list[Edit]:
    """A member's name in the formula, where one member alone is called that."""
    formula, members = config.at(location), config.at((*location[:-1], "graders"))
    if not isinstance(formula, str) or not isinstance(members, dict):
        return []
    word = word_at(formula, finding.position)
    names = {k: m.get("name") for k, m in members.items() if isinstance(m, dict)}
    keys = [key for key, name in names.items() if name == word]
    crossed = any(name in members and name != key for key, name in names.items())
    if len(keys) != 1 or not keys[0].isidentifier() or crossed:
        return []
    alone = re.compile(rf"(?<![\w.]){re.escape(word)}(?!\w|\s*+\()")
    return config.write(location, alone.sub(keys[0], formula))


def _power(config: Config, location: Location, finding: Finding) -> list[Edit]:
    """`**` where a power is written `^`."""
    formula = config.at(location)
    if not isinstance(formula, str) or "a power is written" not in finding.message:
        return []
    return config.write(location, formula.replace("**", "^"))


def _namespace(config: Config, location: Location, finding: Finding) -> list[Edit]:
    """`{{ Items.x }}`: another spelling of a namespace."""
    text, position = config.at(location), finding.position or 0
    found = re.compile(r"\{\{\s*(\w+)").match(text, position) if isinstance(text, str) else None
    meant = meant_namespace(found[1]) if found else None
    if found is None or meant is None or not isinstance(text, str):
        return []
    return config.write(location, text[: found.start(1)] + meant + text[found.end(1) :])


def _only_slot(config: Config, location: Location, _: Finding) -> list[Edit]:
    """A template that is one slot and a brace too many."""
    text = config.at(location)
    found = re.fullmatch(r"\{{2,3}([^{}]++)\}{2,3}", text) if isinstance(text, str) else None
    return config.write(location, f"{{{{{found[1]}}}}}") if found else []


def _label_twice(config: Config, location: Location, _: Finding) -> list[Edit]:
    labels = config.at(location)
    if not isinstance(labels, list):
        return []
    return config.write(location, list(dict.fromkeys(cast("list[str]", labels))))


def _label_spelling(config: Config, location: Location, _: Finding) -> list[Edit]:
    """A passing label that is a label in another case."""
    passing, labels = config.at(location), config.at((*location[:-1], "labels"))
    if not isinstance(passing, list) or not isinstance(labels, list):
        return []
    known = {_bare(str(label)): label for label in labels}
    meant: list[JSON] = [
        label if label in labels else known.get(_bare(str(label)), label) for label in passing
    ]
    is_sure = len(known) == len(labels) and all(label in labels for label in meant)
    return config.write(location, meant) if is_sure else []


FIXES: Final[Mapping[str, Fixer]] = {
    "not-one-of": _allowed_value,
    "unknown-type": _allowed_value,
    "missing": _misspelt_key,
    "unknown-key": _unread_key,
    "parameter-refused": _refused_parameter,
    "source-syntax": _indented_source,
    "grade-order": _swapped_parameters,
    "name-for-key": _key_for_name,
    "formula": _power,
    "template-namespace": _namespace,
    "stray-brace": _only_slot,
    "label-twice": _label_twice,
    "passing-labels": _label_spelling,
}
"""The codes with a fix that is certain in some cases."""


def fixed_text(text: str, findings: Iterable[Finding]) -> tuple[str, list[Finding]]:
    """A config's text with what is certain put right, and the findings that were.

    Args:
        text: A JSON text.
        findings: What was found in it.

    Example:
        >>> finding = Finding(code="formula", severity="error", path="calculate_output",
        ...     message="a power is written '^', not '**'")
        >>> fixed_text('{"calculate_output": "a ** 2"}', [finding])[0]
        '{"calculate_output": "a ^ 2"}'
    """
    config = Config(json.loads(text), locate(text))
    taken: list[Edit] = []
    done = []
    for finding in findings:
        fixer = FIXES.get(finding.code)
        location, _ = to_location(finding.path)
        edits = fixer(config, location, finding) if fixer and _known(config, location) else []
        if edits and not any(overlap(edit, other) for edit in edits for other in taken):
            taken += edits
            done.append(finding)
    return edited(text, taken), done


def _known(config: Config, location: Location) -> bool:
    return location in config.spans.values or location[:-1] in config.spans.values
