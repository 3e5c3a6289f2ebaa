"""Graders of recent requests, so that one that is asked again is not compiled again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from graders.config.graders import EvalConfig, LabelModelConfig, ScoreModelConfig, walk
from graders.config.parse import Document
from graders.hosted import Prepared

_JUDGES: Final = (LabelModelConfig, ScoreModelConfig)
_MOST: Final = 256
_LONGEST: Final = 65_536
"""Bytes of a config that is kept."""


class Weight(NamedTuple):
    """How large a grader's templates can become, and how often it asks.

    Attributes:
        path: Of the grader, in its request.
        texts: How many templates there are.
        letters: Of all templates.
        slots: Of all templates. Each may hold all that a row has.
        answers: Of judges, for one row.
    """

    path: str
    texts: int
    letters: int
    slots: int
    answers: int


def weigh(document: Document) -> Weight:
    """The weight of a config's grader."""
    parts = [part for _, part in walk(document.grader) if not isinstance(part, EvalConfig)]
    templates = [text for part in parts for _, text in part.templates()]
    slots = sum(text.count("{{") for text in templates)
    answers = sum(part.repeats for part in parts if isinstance(part, _JUDGES))
    return Weight(document.path, len(templates), sum(map(len, templates)), slots, answers)


class Known(NamedTuple):
    """What came of a config."""

    prepared: Prepared
    weight: Weight


class Recent:
    """The graders of the last requests by the JSON of their configs; the least recent goes."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Known] = OrderedDict()

    def get(self, config: bytes) -> Known | None:
        """What is known of a config."""
        known = self._known.get(config)
        if known is not None:
            self._known.move_to_end(config)
        return known

    def keep(self, config: bytes, known: Known) -> None:
        """Remember what came of a config, unless it is a very long one."""
        if len(config) > _LONGEST:
            return
        self._known[config] = known
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
