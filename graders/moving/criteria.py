"""An eval as a body that runs here: without ids and the criteria that only the service runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from graders.moving.forms import is_azures_own, refused
from sandbox import JSON

_OF_AN_EVAL: Final = ("name", "data_source_config", "testing_criteria", "metadata")
_OF_A_CRITERION: Final = re.compile(r"testing_criteria\[(\d+)\]")
_HOW_ELSE: Final = "Ask the same of a judge, in a score_model."


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion as the service has it.

    Attributes:
        name: Its name.
        kind: Its type.
        id: By which its results are called; None where it has none.
        position: In the eval.
    """

    name: str
    kind: str
    id: str | None
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """An eval, taken apart.

    Attributes:
        config: What `evals.create` takes, with the criteria that run here.
        kept: These.
        left_out: The others.
    """

    config: dict[str, JSON]
    kept: Sequence[Criterion]
    left_out: Sequence[Criterion]

    def place_of(self, path: str) -> str:
        """Where in the eval something of the config stands.

        Example:
            >>> kept = [Criterion("exact", "string_check", None, 3)]
            >>> Body(config={}, kept=kept, left_out=[]).place_of("testing_criteria[0].name")
            'testing_criteria[3].name'
        """
        found = _OF_A_CRITERION.match(path)
        if found is None:
            return path
        return f"testing_criteria[{self.kept[int(found[1])].position}]{path[found.end() :]}"


def to_body(value: Mapping[str, JSON], place: str) -> Body:
    """Take an eval apart.

    Args:
        value: It.
        place: Where it stands.

    Raises:
        ConfigError: It has no criteria, or none that runs here.
    """
    criteria, at = value.get("testing_criteria"), f"{place}: testing_criteria"
    if not isinstance(criteria, list):
        raise refused("criteria", at, "must be a list of objects")
    kept: list[Criterion] = []
    left_out: list[Criterion] = []
    for position, one in enumerate(criteria):
        if not isinstance(one, dict):
            raise refused("criteria", at, "must be a list of objects")
        (left_out if is_azures_own(one) else kept).append(_criterion(one, position))
    if left_out and not kept:
        message = f"all are criteria that only Azure runs, such as {left_out[0].kind!r:.80}"
        raise refused("criteria", at, message, _HOW_ELSE)
    body: dict[str, JSON] = {key: value[key] for key in _OF_AN_EVAL if key in value}
    positions = {one.position for one in kept}
    body["testing_criteria"] = [
        {key: entry for key, entry in one.items() if key != "id"}
        for position, one in enumerate(criteria)
        if position in positions and isinstance(one, dict)
    ]
    return Body(config=body, kept=kept, left_out=left_out)


def _criterion(value: Mapping[str, JSON], position: int) -> Criterion:
    name, kind, own = (value.get(key) for key in ("name", "type", "id"))
    return Criterion(str(name or kind), str(kind), own if isinstance(own, str) else None, position)
