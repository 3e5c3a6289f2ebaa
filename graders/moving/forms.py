"""The forms that hosted APIs and SDKs give objects, each as a config, rows, or both.

| form | known by | gives |
| --- | --- | --- |
| eval, or a body of `evals.create` | `testing_criteria` | a config |
| output item | `object: eval.run.output_item`, or `datasource_item` | a row with hosted scores |
| run of an eval, or a body of `evals.runs.create` | `data_source` | the rows in it |
| run request of a grader | `grader` and `model_sample` | a config and a row |
| fine-tuning job, or a body of `fine_tuning.jobs.create` | `method`, an object | a config |
| method, grader, body of a validate request | `type`, or `grader` alone | a config |
| row of a data set | `item` | a row |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from graders.config.explain import show_path
from graders.errors import ConfigError, Finding
from graders.lines import kind_of
from graders.moving.samples import to_line
from graders.strict_json import encode
from sandbox import JSON

Location = tuple[str | int, ...]

_GRADERS: Final = frozenset(
    {
        *("string_check", "text_similarity", "python", "score_model", "label_model"),
        *("multi", "endpoint"),
    }
)
_OF_A_ROW: Final[Mapping[str, type | tuple[type, ...]]] = {
    "item": dict,
    "sample": (str, dict),
    "samples": list,
}
_WITHOUT_GRADER: Final = ("supervised", "dpo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing that a dump holds.

    Attributes:
        form: What it is, in words: `output item`.
        place: Where it stands: `dump.jsonl:3: data[0]`.
        key: What a config and its rows share, such as an eval's id; None where nothing says.
        config: A config.
        rows: Lines of a file of rows.
        run: The id of the run that rows are of; output items of it have more to say than it has.
        id: Of an output item.
        azure: Whether only Azure writes such a thing.
        skipped: Why there is nothing in it to take; "" where there is.
        more: Of a page, whether others follow it; None of all else.
    """

    form: str
    place: str
    key: str | None = None
    config: Mapping[str, JSON] | None = None
    rows: Sequence[dict[str, Any]] = ()
    run: str | None = None
    id: str | None = None
    azure: bool = False
    skipped: str = ""
    more: bool | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object stands.

    Attributes:
        name: Of the dump, and a line of it.
        at: The way down from there.
        azure: Whether what it stands in is Azure's.
    """

    name: str
    at: Location = ()
    azure: bool = False

    def __str__(self) -> str:
        path = show_path(self.at, {})
        return f"{self.name}: {path}" if path else self.name

    def below(self, *steps: str | int) -> str:
        """Where something in it stands, as messages say it."""
        return str(Place(self.name, (*self.at, *steps)))


def to_page(value: Mapping[str, Any], place: Place) -> Iterator[Found]:
    """A page of a list, where it is one that says whether others follow."""
    match value:
        case {"has_more": bool(more), "data": [dict(first), *_]}:
            ids = (first.get(key) for key in ("object", "run_id", "eval_id"))
            of = " ".join(one for one in ids if isinstance(one, str))
            yield Found(form="page", place=str(place), key=of, more=more)


def to_found(value: dict[str, Any], place: Place) -> Found | None:
    """What an object is; None where it is none of it.

    Raises:
        ConfigError: It lacks what its form has; says where.
    """
    match value:
        case {"object": "eval.run.output_item"} | {"datasource_item": dict()}:
            return _output_item(value, place)
        case {"testing_criteria": _}:
            return _eval(value, place)
        case {"data_source": dict(source)}:
            return _run(value, source, place)
        case {"grader": dict(grader), "model_sample": sample}:
            return _run_request(value, grader, sample, place)
        case {"item": dict()}:
            return Found(form="row", place=str(place), rows=[_row(value, place)])
    return _of_tuning(value, place)


def _of_tuning(value: dict[str, Any], place: Place) -> Found | None:
    """A job, a method or a grader."""
    form, config = "grader", value
    match value:
        case {"method": dict(method)}:
            form, config = "fine-tuning job", method
        case {"object": "fine_tuning.job"}:
            form, config = "fine-tuning job", {"type": "supervised"}  # before there were methods
        case {"type": "supervised" | "dpo" | "reinforcement"}:
            form = "method"
        case {"grader": dict(), "hyperparameters": _}:
            form = "method"
        case {"grader": dict(grader)}:
            config = grader
        case {"type": str(kind)} if kind in _GRADERS:
            pass
        case _:
            return None
    if config.get("type") in _WITHOUT_GRADER:
        why = "only reinforcement methods have a grader"
        return Found(form=form, place=str(place), skipped=why)
    azure = place.azure or "trainingType" in value or _is_azures(config)
    return Found(form=form, place=str(place), config=config, azure=azure)


def _eval(value: Mapping[str, Any], place: Place) -> Found:
    criteria = value["testing_criteria"]
    typed = [*(criteria if isinstance(criteria, list) else ()), value.get("data_source_config")]
    key = value.get("id")
    return Found(
        form="eval",
        place=str(place),
        key=key if isinstance(key, str) else None,
        config=value,
        azure=place.azure or any(isinstance(one, dict) and is_azures_own(one) for one in typed),
    )


def is_azures_own(value: Mapping[str, Any]) -> bool:
    """Whether a criterion, or a data source, is one that only Azure has."""
    return str(value.get("type")).startswith("azure_ai")


def _output_item(value: Mapping[str, Any], place: Place) -> Found:
    try:
        line = to_line(value)
    except ValueError as error:
        raise refused("output-item", str(place), str(error)) from None
    ids = (value.get(key) for key in ("eval_id", "run_id", "id"))
    key, run, own = (one if isinstance(one, str) else None for one in ids)
    return Found(
        form="output item",
        place=str(place),
        key=key,
        rows=[line],
        run=run,
        id=own,
        azure=place.azure,
    )


def _run(value: Mapping[str, Any], source: Mapping[str, Any], place: Place) -> Found:
    """The rows of an eval's run; where a file has them, none."""
    run, key = value.get("id"), value.get("eval_id")
    found = Found(
        form="run of an eval",
        place=str(place),
        run=run if isinstance(run, str) else None,
        key=key if isinstance(key, str) else None,
        azure=place.azure,
    )
    match source.get("source"):
        case {"type": "file_content", "content": list(content)}:
            at = (*place.at, "data_source", "source", "content")
            rows = [_row(one, Place(place.name, (*at, i))) for i, one in enumerate(content)]
            return replace(found, rows=rows)
        case {"type": "file_id", "id": file}:
            why = f"its rows are in the file {file!r:.80}: download it, it is a file of rows"
        case {"type": kind}:
            why = f"its rows are {kind!r:.80}, which only the service has; take its output items"
        case _:
            why = "it says of no rows; take its output items"
    return replace(found, skipped=why)


def _row(value: Any, place: Place) -> dict[str, Any]:
    """What is known of a row."""
    if not isinstance(value, dict) or not isinstance(value.get("item"), dict):
        message = f'is no row: {kind_of(value)} without {{"item": {{...}}}}'
        raise refused("row", str(place), message)
    row = {key: value[key] for key in _OF_A_ROW if value.get(key) is not None}
    for key, entry in row.items():
        if not isinstance(entry, _OF_A_ROW[key]):
            raise refused("row", place.below(key), f"is {kind_of(entry)}")
    return row


def _run_request(
    value: Mapping[str, JSON], grader: dict[str, JSON], sample: JSON, place: Place
) -> Found:
    item = value.get("item")
    given = {"item": {} if item is None else item, "sample": sample}
    if not isinstance(sample, (str, dict)):
        raise refused("row", place.below("model_sample"), f"is {kind_of(sample)}")
    return Found(
        form="run request",
        place=str(place),
        key=encode(grader).decode(),
        config=grader,
        rows=[_row(given, place)],
        azure=place.azure or _is_azures(grader),
    )


def _is_azures(config: Mapping[str, Any]) -> bool:
    """Whether a grader or a method has what is known of Azure alone."""
    inside = config.get("reinforcement", config)
    if not isinstance(inside, dict):
        return False
    if any(inside.get(key) is not None for key in ("tools", "max_episode_steps")):
        return True
    grader = inside.get("grader", inside)
    members = grader.get("graders") if isinstance(grader, dict) else None
    several = members.values() if isinstance(members, dict) else members
    parts = [grader, *(several if isinstance(several, Iterable) else ())]
    return any(isinstance(one, dict) and one.get("type") == "endpoint" for one in parts)


def refused(code: str, place: str, message: str, fix: str = "") -> ConfigError:
    """The error of what cannot be taken."""
    return ConfigError(Finding(code=code, severity="error", path=place, message=message, fix=fix))
