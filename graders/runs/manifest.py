"""What a run is a run of: its config, data, settings and versions; and how two of them differ.

The config is kept too, so that a difference can be named; what may be secret in it is masked, and
so only its hash tells that a header has changed.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec

from graders.clients.masked import masked_url
from graders.config.graders import AnyConfig
from graders.formats.remote import open_raw
from graders.formats.saved import files_of
from graders.lines import is_lasting
from graders.strict_json import encode
from graders.terminal import shorten
from sandbox import JSON

_FORM: Final = 2
"""Rises with what `state.json` counts, too: what it does not have would be read as none."""
_DECIDING: Final = ("local-graders", "rapidfuzz", "nltk", "numpy", "regex", "rouge-score",
                    "rouge-score-rs", "sacrebleu", "onnxruntime")  # fmt: skip
"""Packages that a number can depend on, as far as they are installed."""
_AT_ONCE: Final = 1 << 20
_SHOWN: Final = 60
_NAMED: Final = 5


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """A file of rows or outputs.

    Attributes:
        path: As it was named.
        bytes: Its length, or that of all its files.
        sha256: Of its content; None of standard input, which cannot be read twice.
    """

    path: str
    bytes: int | None
    sha256: str | None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What decides every byte of a run's results, and what else is worth knowing of it.

    Attributes:
        form: Version of how a run is kept, this and how far it is.
        config: The grader's config, secrets masked.
        config_sha256: Of the config as it is.
        data: The rows, and the outputs where they are in a file of their own.
        settings: The signature, the policies, how lines are read and cut into shards.
        versions: Of Python, of ours, and of the packages that numbers depend on.
        environment: What no number depends on, or should: layers of the sandbox, whom judges are
            asked through.
    """

    form: int = _FORM
    config: Any  # JSON; msgspec cannot read a recursive alias
    config_sha256: str
    data: Sequence[Data]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    environment: Mapping[str, Any]


class Difference(NamedTuple):
    """Something that is not what it was.

    Example:
        >>> print(Difference("versions", "version of nltk", "3.8", "3.9"))
        version of nltk: '3.8' then, '3.9' now
    """

    of: Literal["config", "data", "settings", "versions"]
    what: str
    then: JSON
    now: JSON

    def __str__(self) -> str:
        return f"{self.what}: {_short(self.then, self.now)} then, {_short(self.now, self.then)} now"


def make_manifest(
    config: AnyConfig,
    data: Sequence[Path | str],
    settings: Mapping[str, JSON],
    environment: Mapping[str, JSON],
) -> Manifest:
    """Describe a run; reads its data once.

    Raises:
        OSError: A file of data cannot be read.
    """
    plain = config.model_dump(mode="json")
    return Manifest(
        config=_masked(plain),
        config_sha256=hashlib.sha256(encode(plain)).hexdigest(),
        data=[data_of(path) for path in data],
        settings=settings,
        versions=versions(),
        environment=environment,
    )


def data_of(path: Path | str) -> Data:
    """A file as it is now, or the files of a saved dataset, one after another; reads them once.

    Raises:
        OSError: It cannot be read.
    """
    if not is_lasting(path):
        return Data(path=str(path), bytes=None, sha256=None)
    digest, size = hashlib.sha256(), 0
    for one in files_of(path):
        with open_raw(one) as file:
            while data := file.read(_AT_ONCE):
                digest.update(data)
                size += len(data)
    return Data(path=str(path), bytes=size, sha256=digest.hexdigest())


def versions() -> Mapping[str, str]:
    """The versions of Python, of ours, and of the packages that numbers depend on."""
    found = {"python": platform.python_version()}
    for name in _DECIDING:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _masked(value: JSON) -> JSON:
    """A config without what may be a key: headers, and what an address carries beside a host."""
    if isinstance(value, list):
        return [_masked(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    masked = {key: _masked(entry) for key, entry in value.items()}
    if value.get("type") == "endpoint":
        headers = value.get("headers")
        masked["headers"] = dict.fromkeys(headers, "***") if isinstance(headers, dict) else None
        masked["url"] = masked_url(str(value.get("url")))
    return masked


def differences(then: Manifest, now: Manifest) -> list[Difference]:
    """Why results of one cannot stand beside results of the other; the first few of each kind."""
    found: list[Difference] = []
    if then.config_sha256 != now.config_sha256:
        inside = list(_changed("config", then.config, now.config))
        hashes = Difference("config", "config (SHA-256)", then.config_sha256, now.config_sha256)
        found += inside[:_NAMED] or [hashes]
    found += _moved(then.data, now.data)
    for key in _keys(then.settings, now.settings):
        if key == "signature" and found:
            continue  # it follows from the config
        found.append(Difference("settings", key, then.settings.get(key), now.settings.get(key)))
    for key in _keys(then.versions, now.versions):
        before, after = then.versions.get(key), now.versions.get(key)
        found.append(Difference("versions", f"version of {key}", before, after))
    return found


def _keys(then: Mapping[str, JSON], now: Mapping[str, JSON]) -> Iterator[str]:
    """The keys whose values differ."""
    return (key for key in {**then, **now} if then.get(key) != now.get(key))


def _moved(then: Sequence[Data], now: Sequence[Data]) -> Iterator[Difference]:
    if len(then) != len(now):
        yield Difference("data", "files of data", len(then), len(now))
    for before, after in zip(then, now, strict=False):
        if before.bytes != after.bytes:
            yield Difference("data", f"{after.path}, bytes", before.bytes, after.bytes)
        elif before.sha256 != after.sha256:
            yield Difference("data", f"{after.path} (SHA-256)", before.sha256, after.sha256)


def _changed(place: str, then: JSON, now: JSON) -> Iterator[Difference]:
    """The places where two JSON values differ."""
    match then, now:
        case dict(), dict():
            for key in {**then, **now}:
                yield from _changed(f"{place}.{key}", then.get(key), now.get(key))
        case list(), list() if len(then) == len(now):
            for at, (before, after) in enumerate(zip(then, now, strict=True)):
                yield from _changed(f"{place}[{at}]", before, after)
        case str(), str() if "\n" in then + now:
            pairs = zip(then.split("\n"), now.split("\n"), strict=False)
            changed = (at for at, (before, after) in enumerate(pairs) if before != after)
            at = next(changed, min(then.count("\n"), now.count("\n")) + 1)
            if then != now:
                yield Difference(
                    "config", f"{place}, line {at + 1}", _line(then, at), _line(now, at)
                )
        case _:
            if encode(then) != encode(now):
                yield Difference("config", place, then, now)


def _line(text: str, at: int) -> str | None:
    lines = text.split("\n")
    return lines[at] if at < len(lines) else None


def _short(value: JSON, other: JSON) -> str:
    """A value in a few words, from where it differs from another on."""
    if value is None:
        return "nothing"
    if isinstance(value, str) and isinstance(other, str) and len(value) > _SHOWN:
        pairs = zip(value, other, strict=False)
        same = next((at for at, (one, two) in enumerate(pairs) if one != two), len(other))
        value = "..." * bool(same) + value[same:]
    return shorten(repr(value), _SHOWN)
