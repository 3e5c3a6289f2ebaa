"""The items of rows, as a table of rows shows them: in a line, and as they stand below it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from graders.markup import cut
from graders.report.html.draw import Place
from graders.rows import Row

_KEPT: Final = 4_000
_LINE: Final = 160
"""Characters of an item beside its output."""


def shown_item(item: Mapping[str, object]) -> tuple[str, str]:
    """An item in a cell, and as it stands below a row."""
    return cut(_in_line(item), _LINE), cut(plain(item), _KEPT)


def items_at(
    rows: Iterable[Row | object], places: Collection[Place]
) -> Mapping[Place, Mapping[str, object]]:
    """The items of rows at some places; rows behind the last of them are not read."""
    found: dict[Place, Mapping[str, object]] = {}
    last = max(places, default=(0, 0))
    for one in rows if places else ():
        if not isinstance(one, Row):
            continue
        place = (one.row, one.sample_index)
        if place in places:
            found[place] = one.item
        if place >= last:
            break
    return found


def _in_line(item: Mapping[str, object]) -> str:
    """An item in a line.

    Example:
        >>> _in_line({"question": "Who?", "answers": ["Ada"]})
        'question: Who?; answers: ["Ada"]'
    """
    texts = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in item.items()
    }
    return "; ".join(f"{key}: {text}" for key, text in texts.items())


def plain(value: object) -> str:
    """JSON for people."""
    return json.dumps(value, ensure_ascii=False, indent=2)
