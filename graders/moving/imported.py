"""Configs and rows from what dumps hold: which belong together, and what was changed.

A config is the hosted one without what only a copy of it has: the ids of criteria, and nulls, which
SDKs write for what nobody set. Credentials (an endpoint's headers, the query of its address) are
three stars, unless they are wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from graders.config.explain import show_path
from graders.config.graders import EvalConfig, TextSimilarityConfig, walk
from graders.config.parse import Document, parse_config
from graders.errors import ConfigError, Finding
from graders.hosted import masked_grader
from graders.moving.criteria import Body, Criterion, to_body
from graders.moving.forms import Found, Location, refused
from graders.strict_json import encode
from sandbox import JSON

_TOKENIZED: Final = ("bleu", "gleu", "meteor")
_ROUGE: Final = "rouge"


@dataclass(slots=True, kw_only=True)
class Imported:
    """A config with its rows; one of both may be missing.

    Attributes:
        document: The config, checked.
        config: The same as it is to be written.
        key: What rows of it say they are of, such as an eval's id.
        ids: The ids of an eval's criteria, by which results are called; None where it has none.
        rows: Lines of a file of rows.
        azure: Whether some of it was Azure's.
        left_out: The criteria that only the service runs.
        masked: Paths of credentials that are left out of the config.
    """

    document: Document | None = None
    config: Mapping[str, JSON] | None = None
    key: str | None = None
    ids: Sequence[str | None] = ()
    rows: list[dict[str, Any]] = field(default_factory=list)
    azure: bool = False
    left_out: Sequence[Criterion] = ()
    masked: Sequence[str] = ()

    @property
    def sampled(self) -> bool:
        """Whether all rows have a sample, so that they can be graded."""
        return all("sample" in row or "samples" in row for row in self.rows)

    @property
    def scored(self) -> list[tuple[int, dict[str, Any]]]:
        """The rows that have hosted scores, with their numbers from 1."""
        return [(i, row) for i, row in enumerate(self.rows, start=1) if "hosted" in row]

    def profiles(self) -> list[str]:
        """Profiles that may be nearer to Azure's numbers than the usual one, the best guess first.

        Empty where nothing of it is Azure's, or every profile gives the same number.
        """
        if not self.azure or self.document is None:
            return []
        parts = [part for _, part in walk(self.document.grader)]
        metrics = {p.evaluation_metric for p in parts if isinstance(p, TextSimilarityConfig)}
        tokenized = ["azure"] if metrics & set(_TOKENIZED) else []
        rouge = any(metric.startswith(_ROUGE) for metric in metrics)
        return tokenized + (["azure-docs"] if rouge else [])


def put_together(found: Iterable[Found], *, with_secrets: bool = False) -> list[Imported]:
    """Configs with their rows, in the order in which they were found.

    Rows go with the config of their key (an eval's id; a run request's own grader), or with the
    only config there is.

    Args:
        found: What the dumps hold.
        with_secrets: Whether configs keep their credentials.

    Raises:
        ConfigError: A config is wrong, several could be meant, or there is nothing to take.
    """
    everything = list(found)
    configs: dict[str, Imported] = {}
    keyed: dict[str | None, Imported] = {}
    for one in everything:
        if one.config is not None:
            made = _config_of(one, with_secrets=with_secrets)
            known = configs.setdefault(_same(made), made)
            known.azure |= one.azure
            if one.key is not None:
                keyed[one.key] = known
    loose = Imported()
    for one in _not_twice(everything):
        place = _whose(one, keyed, list(configs.values()), loose)
        place.rows += one.rows
        place.azure |= one.azure
    together = [*configs.values(), *([loose] if loose.rows else [])]
    if not together:
        raise _nothing(everything)
    return together


def cut_short(found: Iterable[Found]) -> list[Found]:
    """Of each list whose last page is not there, the last that is.

    Example:
        >>> one = Found(form="page", place="a.json", key="eval.run.output_item run_1", more=True)
        >>> [page.place for page in cut_short([one])]
        ['a.json']
    """
    pages = [one for one in found if one.more is not None]
    whole = {page.key for page in pages if not page.more}
    return list({page.key: page for page in pages if page.key not in whole}.values())


def told_again(found: Iterable[Found]) -> list[Found]:
    """The output items that stand in a dump before: pages overlap, or a file is given twice.

    Raises:
        ConfigError: One says something else than before; names both places.

    Example:
        >>> one = Found(form="output item", place="a.json", run="run_1", id="item_1")
        >>> [again.place for again in told_again([one, replace(one, place="b.json")])]
        ['b.json']
    """
    first: dict[tuple[str | None, str | None, str], Found] = {}
    again = []
    for one in found:
        if one.id is None:
            continue
        before = first.setdefault((one.key, one.run, one.id), one)
        if before is one:
            continue
        if encode(before.rows) != encode(one.rows):
            message = f"output item {one.id!r:.80} says something else than at {before.place}"
            raise refused("twice", one.place, message, "Import one of both.")
        again.append(one)
    return again


def _not_twice(found: Sequence[Found]) -> Iterator[Found]:
    """What has rows, each once.

    Left out are items that are told again, and runs whose output items are there: these say more of
    the same.
    """
    told = {one.run for one in found if one.form == "output item"}
    again = {id(one) for one in told_again(found)}
    for one in found:
        first = one.form == "output item" or one.run is None or one.run not in told
        if one.rows and first and id(one) not in again:
            yield one


def _whose(
    one: Found, keyed: Mapping[str | None, Imported], configs: Sequence[Imported], loose: Imported
) -> Imported:
    """The config that rows belong to, or what rows without any are kept in."""
    if one.key in keyed:
        return keyed[one.key]
    meant = [config for config in configs if one.key is None or config.key is None]
    if len(meant) == 1 or not configs:
        return meant[0] if meant else loose
    of = f"is of {one.key!r:.80}" if one.key else "does not say whose it is"
    known = ", ".join(repr(key[:40]) for key in list(keyed)[:4] if key) or "none with an id"
    message = f"this {one.form} {of}, and there are {len(configs)} configs: {known}"
    raise refused("whose", one.place, message, "Import a config with its own rows alone.")


def _nothing(found: Sequence[Found]) -> ConfigError:
    for one in found:
        if one.skipped:
            return refused("nothing", one.place, f"{one.form}: {one.skipped}")
    return refused("nothing", "", "there is nothing in it")


def _config_of(one: Found, *, with_secrets: bool) -> Imported:
    assert one.config is not None, "asked for what has one"
    plain = without_nulls(one.config)
    body = to_body(plain, one.place) if one.form == "eval" else None
    plain = body.config if body else plain
    shown = plain if with_secrets else _masked(plain)
    try:
        document = parse_config(shown)
    except ConfigError as error:
        raise ConfigError(
            *(_placed(finding, one.place, body) for finding in error.findings)
        ) from None
    return Imported(
        document=document,
        config=shown,
        key=one.key,
        ids=[criterion.id for criterion in body.kept] if body else [],
        azure=one.azure,
        left_out=body.left_out if body else [],
        masked=[show_path(at, {}) for at in _differences(plain, shown, ())],
    )


def _placed(finding: Finding, place: str, body: Body | None) -> Finding:
    path = body.place_of(finding.path) if body else finding.path
    return replace(finding, path=f"{place}: {path}" if path else place)


def without_nulls(value: Mapping[str, JSON]) -> dict[str, JSON]:
    """An object without keys that are null, all the way down.

    Example:
        >>> without_nulls({"range": None, "input": [{"detail": None, "text": "a"}]})
        {'input': [{'text': 'a'}]}
    """
    return {key: _without(entry) for key, entry in value.items() if entry is not None}


def _without(value: JSON) -> JSON:
    if isinstance(value, dict):
        return without_nulls(value)
    return [_without(entry) for entry in value] if isinstance(value, list) else value


def _masked(config: dict[str, JSON]) -> dict[str, JSON]:
    """A config with stars for credentials, wherever in it something has settings."""
    shown = masked_grader(config)
    assert isinstance(shown, dict), "it was one"
    if isinstance(criteria := config.get("testing_criteria"), list):
        shown["testing_criteria"] = [masked_grader(one) for one in criteria]
    if isinstance(inside := config.get("reinforcement"), dict):
        shown["reinforcement"] = _masked(inside)
    for key in ("grader", "data_source_config", "metadata"):
        if key in config:
            shown[key] = masked_grader(config[key])
    if isinstance(tools := config.get("tools"), list):  # Azure's, with addresses and headers
        shown["tools"] = [masked_grader(tool) for tool in tools]
    return shown


def _differences(one: JSON, other: JSON, at: Location) -> Iterator[Location]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one:
            yield from _differences(one[key], other.get(key), (*at, key))
    elif isinstance(one, list) and isinstance(other, list):
        for i, (entry, shown) in enumerate(zip(one, other, strict=True)):
            yield from _differences(entry, shown, (*at, i))
    elif one != other:
        yield at


def criteria_names(one: Imported) -> list[tuple[str, str | None]]:
    """The name and the id of each grader that hosted results are of."""
    assert one.document is not None, "asked for what has one"
    config = one.document.grader
    if not isinstance(config, EvalConfig):
        return [(config.name, None)]
    names = [criterion.name for criterion in config.testing_criteria]
    return list(zip(names, one.ids or [None] * len(names), strict=True))


def _same(one: Imported) -> str:
    kinds = [(criterion.name, criterion.kind) for criterion in one.left_out]
    return encode([one.config, kinds]).decode()
