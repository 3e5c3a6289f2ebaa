"""The page of codes, `README.md` beside this file, made of the table that the checks use."""

from __future__ import annotations

import json
from collections.abc import Iterator

from graders.lint.codes import SUBJECTS, Code, Example
from graders.lint.targets import TARGETS

_HEAD = """# What `graders lint` can say

    graders lint grader.json rows.jsonl --for openai-rft

Made of the table in `graders/lint/codes/`, whose examples are tested: each bad one has its code,
each good one has not. Only what differs between the two is shown. An **error** will fail a job, or
every row of it; a **warning** will probably hurt; a **note** informs. `--fix` puts right what can
be meant in one way only, in some cases of the codes that say so; `--ignore CODE` leaves a code out.
"""
_SHOWN = 300
_ROWS_SHOWN = 2


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    yield from _targets()
    for subject, codes in SUBJECTS.items():
        yield f"## {subject}\n"
        for code in codes:
            yield from _section(code)


def _targets() -> Iterator[str]:
    yield "## What `--for` knows\n"
    yield "| target | graders by themselves | in a multi | not | judges | rows to train, to test |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for target in TARGETS.values():
        judges = [*sorted(target.judges or ()), *(f"{name}*" for name in target.families)]
        cells = [
            f"`{target.name}`",
            _listed(target.graders),
            _listed(target.members),
            ", ".join([*sorted(target.metrics), *(f"{r} messages" for r in target.forbidden_roles)])
            or "-",
            ", ".join(judges) or "any",
            ", ".join(f"{count:,}" for count in target.rows.values()) or "any number",
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _listed(kinds: frozenset[str] | None) -> str:
    return "all" if kinds is None else ", ".join(sorted(kinds)) or "none"


def _section(code: Code) -> Iterator[str]:
    fixable = ", `--fix`" if code.fixable else ""
    yield f"### `{code.name}`\n"
    yield f"**{code.severity}**{fixable}. {code.title}\n"
    if code.bad is None or code.good is None:
        yield f"No example: {code.here[:1].lower()}{code.here[1:]}\n"
        return
    bad, good = shown(code.bad, code.good), shown(code.good, code.bad)
    yield "| bad | good |"
    yield "| --- | --- |"
    yield f"| {'<br>'.join(bad)} | {'<br>'.join(good)} |\n"


def shown(example: Example, other: Example) -> list[str]:
    """What an example has that another has not, as pieces of Markdown for a table's cell."""
    pieces = [_code(text) for text in _config(example.config, other.config)]
    same_rows = example.rows == other.rows
    rows = () if same_rows else example.rows[:_ROWS_SHOWN]
    pieces += [f"row {_code(row if isinstance(row, str) else _json(row))}" for row in rows]
    if len(example.rows) > _ROWS_SHOWN:
        pieces.append(f"and so on, {len(example.rows):,} rows")
    if example.target != other.target or not pieces:
        pieces.append(_code(f"--for {example.target}"))
    return pieces


def _config(value: object, other: object) -> list[str]:
    if value == other:
        return []
    if not isinstance(value, dict) or not isinstance(other, dict):
        return [value if isinstance(value, str) else _json(value)]
    pieces = []
    for key, entry in value.items():
        if key in other and entry == other[key]:
            continue
        if isinstance(entry, list) and isinstance(other.get(key), list):
            pieces.append(f'"{key}": {_list(entry, other[key])}')
        elif isinstance(entry, dict) and isinstance(other.get(key), dict):
            inner = _config(entry, other[key])
            pieces += [f'"{key}": {{{text}}}' for text in inner or ["..."]]
        else:
            pieces.append(f'"{key}": {_json(entry)}')
    return pieces or ["without " + ", ".join(_json(key) for key in other if key not in value)]


def _list(values: list[object], other: list[object]) -> str:
    """A list, with dots for what stands in the other too."""
    if not any(isinstance(value, dict) for value in values):
        return _json(values)
    alike = [value in other and len(values) == len(other) for value in values]
    shown = ["..." if same else _json(value) for value, same in zip(values, alike, strict=True)]
    return f"[{', '.join(shown)}]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _code(text: str) -> str:
    """Code in a cell of a table, where a bar would end the cell."""
    cut = text if len(text) <= _SHOWN else text[: _SHOWN - 4] + " ..."
    fence = "``" if "`" in cut else "`"
    return f"{fence}{cut}{fence}".replace("|", "\\|") if cut else "an empty line"
