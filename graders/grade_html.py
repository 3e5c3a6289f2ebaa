"""A grade as HTML, for notebooks: score or failure, the members, and what the judgement rests on.

It stands beside grades, below reports, so that a grade can show itself: it needs `graders.markup`
and nothing of a page. It has no colours and no style sheet of its own, and so is as light or dark
as the notebook that it is in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from graders.grades import Grade
from graders.markup import Markup, cut, el, many
from sandbox import JSON

_KEPT: Final = 4_000
"""Characters of a text."""
_NAME: Final = 200
_MOST: Final = 50
"""Members of a grade, and texts."""
_DEEP: Final = 8
_WRAPPED: Final = "white-space: pre-wrap; overflow-wrap: anywhere; text-align: left"


def grade_html(grade: Grade) -> str:
    """The grade as a fragment of HTML; names, messages and texts are text whatever they hold.

    Example:
        >>> grade_html(Grade(name="a<b", score=0.5, passed=True))
        '<div><p><strong>a&lt;b</strong>: 0.5, passed</p></div>'
    """
    return el("div", el("p", _headline(grade.name, grade)), _below(grade, 0)).html


def _headline(name: str, grade: Grade) -> Markup:
    if grade.failure is not None:
        reason = f" ({cut(grade.failure.reason, _NAME)})" if grade.failure.reason else ""
        said = f"failed, {grade.failure.kind.value}{reason}"
    else:
        passed = {True: ", passed", False: ", not passed", None: ""}[grade.passed]
        said = f"{grade.score:.6g}{passed}"
    return many(el("strong", cut(name, _NAME)), ": ", said)


def _below(grade: Grade, depth: int) -> Iterator[Markup]:
    if grade.failure is not None:
        yield el("pre", cut(grade.failure.message, _KEPT), style=_WRAPPED)
    if grade.parts and depth < _DEEP:
        shown = [*grade.parts.items()][:_MOST]
        more = len(grade.parts) - len(shown)
        members = (el("li", _headline(key, part), _below(part, depth + 1)) for key, part in shown)
        yield el("ul", members, el("li", f"and {more:,} more") if more else None)
    texts = [*grade.detail.items()][:_MOST]
    if texts:
        listed = ([el("p", cut(key, _NAME)), _text(value)] for key, value in texts)
        yield el("details", el("summary", "Detail"), listed)


def _text(value: JSON) -> Markup:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return el("pre", cut(text, _KEPT), style=_WRAPPED)
