"""What a dump of a hosted API holds, told by content: configs of graders, and rows.

A file is JSON or JSON Lines; lists, pages of lists (`{"object": "list", "data": [...]}`) and what
wraps a request (`{"method": "post", "url": ..., "json_data": {...}}`) are looked into. Of a wrapper
nothing but the request is read: its headers hold a key.

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
from pathlib import Path
from typing import Any, Final

from graders.config.explain import METHODS, show_path
from graders.errors import ConfigError, Finding
from graders.lines import kind_of, numbered, open_lines
from graders.moving.samples import to_line
from graders.strict_json import NotJSONError, decode, encode
from sandbox import JSON

Location = tuple[str | int, ...]

WRAPPERS: Final = ("json_data", "body", "kwargs", "request", "response", "json")
"""Where logs and batch files keep a request."""
_GRADERS: Final = frozenset(
    {
        *("string_check", "text_similarity", "python", "score_model", "label_model"),
        *("multi", "endpoint"),
    }
)
_KNOWN: Final = (
    "an eval, an output item, a run of an eval, a run request, a fine-tuning job, a method or a "
    "grader"
)


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
        azure: Whether only Azure writes such a thing.
        skipped: Why there is nothing in it to take; "" where there is.
    """

    form: str
    place: str
    key: str | None = None
    config: Mapping[str, JSON] | None = None
    rows: Sequence[dict[str, Any]] = ()
    run: str | None = None
    azure: bool = False
    skipped: str = ""


def read_dump(path: Path | str) -> Iterator[Found]:
    """What a file holds, in its order. It is read whole.

    Raises:
        ConfigError: It is not JSON, or something in it is of no form that is known.
        OSError: It cannot be read.
    """
    with open_lines(path) as opened:
        lines = list(opened)
    try:
        yield from recognise(_decoded(b"".join(lines)), str(path))
    except NotJSONError as whole:
        if not _is_lines(lines):
            place = f"{path}:{whole.line}:{whole.column}" if whole.line else str(path)
            raise _refused("not-json", place, f"not JSON: {whole.problem}") from None
        yield from _of_lines(lines, str(path))


def _decoded(data: bytes) -> JSON:
    return decode(data.removeprefix(b"\xef\xbb\xbf"), unique_keys=True)


def _is_lines(lines: Sequence[bytes]) -> bool:
    """Whether the first line is a value by itself, and others follow."""
    full = [line for _, line in numbered(lines)]
    try:
        decode(full[0] if full else b"")
    except NotJSONError:
        return False
    return len(full) > 1


def _of_lines(lines: Iterable[bytes], name: str) -> Iterator[Found]:
    for number, line in numbered(lines):
        try:
            value = decode(line.rstrip(), unique_keys=True)
        except NotJSONError as error:
            place = f"{name}:{number}:{error.column}"
            raise _refused("not-json", place, f"not JSON: {error.problem}") from None
        yield from recognise(value, f"{name}:{number}")


def recognise(value: Any, name: str) -> Iterator[Found]:
    """What a JSON value holds.

    Args:
        value: It.
        name: What it is called in messages.

    Raises:
        ConfigError: It is of no form that is known, or lacks what its form has; says where.

    Example:
        >>> body = {"grader": {"type": "string_check"}, "model_sample": "4"}
        >>> [found.form for found in recognise({"json_data": body}, "log.json")]
        ['run request']
    """
    stack: list[tuple[Any, Location, bool]] = [(value, (), False)]
    while stack:
        one, at, azure = stack.pop()
        match one:
            case {"data": list(entries), **beside} if not beside.keys() & {"grader", "method"}:
                stack += _entries(entries, (*at, "data"), azure=azure)
            case list(entries):
                stack += _entries(entries, at, azure=azure)
            case dict():
                found = _found(one, _Place(name, at, azure=azure or _names_azure(one)))
                if found is not None:
                    yield found
                    continue
                inside = _wrapped(one, at)
                if inside is None:
                    raise _unknown(one, _show(name, at))
                stack.append((*inside, azure or _names_azure(one)))
            case _:
                raise _unknown(one, _show(name, at))


def _entries(
    entries: Sequence[JSON], at: Location, *, azure: bool
) -> list[tuple[Any, Location, bool]]:
    """Entries of a list, the first of them last: on a stack it comes first."""
    return [(entry, (*at, i), azure) for i, entry in enumerate(entries)][::-1]


def _wrapped(value: Mapping[str, JSON], at: Location) -> tuple[JSON, Location] | None:
    for key in WRAPPERS:
        if isinstance(inside := value.get(key), (dict, list)):
            return inside, (*at, key)
    return None


def _names_azure(value: Mapping[str, JSON]) -> bool:
    """Whether a logged request went there."""
    url = value.get("url", value.get("base_url"))
    return isinstance(url, str) and ".azure.com/" in f"{url}/"


@dataclass(frozen=True, slots=True)
class _Place:
    name: str
    at: Location
    azure: bool

    def __str__(self) -> str:
        return _show(self.name, self.at)

    def below(self, *steps: str | int) -> str:
        return _show(self.name, (*self.at, *steps))


def _found(value: dict[str, Any], place: _Place) -> Found | None:
    """What an object is; None where it is none of it."""
    match value:
        case {"object": "eval.run.output_item"} | {"datasource_item": dict()}:
            return _output_item(value, place)
        case {"testing_criteria": _}:
            return _eval(value, place)
        case {"data_source": dict(source)}:
            return _run(value, source, place)
        case {"grader": dict(grader), "model_sample": sample}:
            return _run_request(value, grader, sample, place)
        case {"method": dict(method)}:
            azure = place.azure or "trainingType" in value or _azure_method(method)
            return Found(form="fine-tuning job", place=str(place), config=method, azure=azure)
        case {"type": str(kind)} if kind in METHODS:
            azure = place.azure or _azure_method(value)
            return Found(form="method", place=str(place), config=value, azure=azure)
        case {"type": str(kind)} if kind in _GRADERS:
            azure = place.azure or _azure_grader(value)
            return Found(form="grader", place=str(place), config=value, azure=azure)
        case {"item": dict()}:
            return Found(form="row", place=str(place), rows=_items([value], str(place)))
        case {"grader": dict(grader)}:
            form, config = ("method", value) if "hyperparameters" in value else ("grader", grader)
            azure = place.azure or _azure_grader(grader)
            return Found(form=form, place=str(place), config=config, azure=azure)
    return None


def _eval(value: Mapping[str, Any], place: _Place) -> Found:
    criteria = value["testing_criteria"]
    typed = [*(criteria if isinstance(criteria, list) else ()), value.get("data_source_config")]
    kinds = [one.get("type") for one in typed if isinstance(one, dict)]
    key = value.get("id")
    return Found(
        form="eval",
        place=str(place),
        key=key if isinstance(key, str) else None,
        config=value,
        azure=place.azure or any(str(kind).startswith("azure_ai") for kind in kinds),
    )


def _output_item(value: Mapping[str, Any], place: _Place) -> Found:
    try:
        line = to_line(value)
    except ValueError as error:
        raise _refused("output-item", str(place), str(error)) from None
    eval_id, run = value.get("eval_id"), value.get("run_id")
    return Found(
        form="output item",
        place=str(place),
        key=eval_id if isinstance(eval_id, str) else None,
        rows=[line],
        run=run if isinstance(run, str) else None,
        azure=place.azure,
    )


def _run(value: Mapping[str, Any], source: Mapping[str, Any], place: _Place) -> Found:
    """The rows of an eval's run; where a file has them, none."""
    run, key = value.get("id"), value.get("eval_id")
    found = Found(
        form="run of an eval",
        place=str(place),
        run=run if isinstance(run, str) else None,
        key=key if isinstance(key, str) else None,
    )
    match source.get("source"):
        case {"type": "file_content", "content": list(content)}:
            at = place.below("data_source", "source", "content")
            return replace(found, rows=_items(content, at))
        case {"type": "file_id", "id": file}:
            why = f"its rows are in the file {file!r:.80}: download it, it is a file of rows"
        case {"type": kind}:
            why = f"its rows are {kind!r:.80}, which only the service has; take its output items"
        case _:
            why = "it says of no rows; take its output items"
    return replace(found, skipped=why)


def _items(content: Sequence[Any], at: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for i, one in enumerate(content):
        if not isinstance(one, dict) or not isinstance(one.get("item"), dict):
            message = f'is no row: {kind_of(one)} without {{"item": {{...}}}}'
            raise _refused("row", f"{at}[{i}]", message)
        rows.append({key: one[key] for key in ("item", "sample") if one.get(key) is not None})
    return rows


def _run_request(
    value: Mapping[str, JSON], grader: dict[str, JSON], sample: JSON, place: _Place
) -> Found:
    item = value.get("item")
    item = {} if item is None else item
    for name, given, taken in (("item", item, dict), ("model_sample", sample, (str, dict))):
        if not isinstance(given, taken):
            raise _refused("row", place.below(name), f"is {kind_of(given)}")
    return Found(
        form="run request",
        place=str(place),
        key=encode(grader).decode(),
        config=grader,
        rows=[{"item": item, "sample": sample}],
        azure=place.azure or _azure_grader(grader),
    )


def _azure_method(method: Mapping[str, JSON]) -> bool:
    """Whether a method has what is known of Azure alone."""
    inside = method.get("reinforcement")
    if not isinstance(inside, dict):
        return False
    grader = inside.get("grader")
    own = any(inside.get(key) is not None for key in ("tools", "max_episode_steps"))
    return own or (isinstance(grader, dict) and _azure_grader(grader))


def _azure_grader(grader: Mapping[str, JSON]) -> bool:
    """Whether it is an endpoint, or has one."""
    members = grader.get("graders")
    inside = members.values() if isinstance(members, dict) else members or []
    return any(
        isinstance(one, dict) and one.get("type") == "endpoint"
        for one in (grader, *(inside if isinstance(inside, Iterable) else ()))
    )


def _show(name: str, at: Location) -> str:
    path = show_path(at, {})
    return f"{name}: {path}" if path else name


def _unknown(value: JSON, place: str) -> ConfigError:
    what = kind_of(value)
    if isinstance(value, dict):
        keys = ", ".join(repr(key[:40]) for key in list(value)[:8]) or "no keys"
        what = f"an object with {keys}"
    return _refused("unknown-form", place, f"is {what}, and not {_KNOWN}")


def _refused(code: str, place: str, message: str) -> ConfigError:
    return ConfigError(Finding(code=code, severity="error", path=place, message=message))
