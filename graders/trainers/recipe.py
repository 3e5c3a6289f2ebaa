"""What a grading is made of: data that goes to other processes, and opens there."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, TypedDict

from graders.checks import check_document
from graders.clients import EndpointClient, ModelClient
from graders.compile import Tools, compile_grader
from graders.config.graders import (
    EndpointConfig,
    LabelModelConfig,
    PythonConfig,
    ScoreModelConfig,
    walk,
)
from graders.config.parse import ConfigSource, Document, parse_config, read_config, to_plain
from graders.errors import ConfigError, Finding, findings_of
from graders.grades import Grader
from graders.profile import OPENAI, Profile, find_profile
from graders.strict_json import decode, encode
from sandbox import Level, Limits

if TYPE_CHECKING:
    from sandbox.pool import Pool
    from sandbox.unsafe import Processes

DEADLINE_SECONDS: Final = 150.0
"""Less than the 180 s and more that trainers wait, where they do not wait for ever."""

ClientMaker = Callable[[], ModelClient]
OpenBox = Callable[[Level, Limits, int | None, dict[str, Sequence[str]]], "Pool | Processes"]
"""Gives the process' sandbox of a level, that imports some modules ahead for some sources."""


class Options(TypedDict, total=False):
    """How a grading grades; each has a default.

    Attributes:
        profile: Settings that decide numbers, by name.
        settings: Overrides of the profile: `{"render": "python"}`.
        sandbox: How isolated python graders run: "standard", "strict" or "unsafe".
        workers: Rows in the sandbox at once; the number of processors by default.
        client: How judges are asked: settings of `OpenAICompatible` (`{"base_url": ...}`), or a
            function of a module that makes a client. Keys come from the environment only.
        deadline: Seconds that one call may take, however many rows it has. The first has as long,
            and at least 60 s, to open what grades.
    """

    profile: str
    settings: Mapping[str, str]
    sandbox: str
    workers: int | None
    client: Mapping[str, Any] | ClientMaker | None
    deadline: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A config and options, checked; it can be pickled, and holds nothing that is open.

    Attributes:
        name: The grader's.
        key: Equal for equal recipes, in any process.
        config: The grader, as JSON.
        profile: Its name.
        settings: Overrides of it.
        level: Of the sandbox.
        workers: Of the sandbox.
        client: Makes the judges' client.
        deadline: Seconds for one call.
    """

    name: str
    key: str
    config: bytes
    profile: str
    settings: tuple[tuple[str, str], ...]
    level: Level
    workers: int | None
    client: ClientMaker = field(compare=False, repr=False)
    deadline: float

    @classmethod
    def of(cls, source: ConfigSource | Document, options: Options) -> Recipe:
        """Check a config and options, and start nothing.

        Raises:
            ConfigError: Something cannot be used; says what.
            GradersError: Judges cannot be asked: a package or a key is missing.
            OSError: A file cannot be read.
        """
        _refuse_unknown(options)
        document = source if isinstance(source, Document) else read_config(source)
        settings = _settings(options.get("settings"))
        profile = _name(options.get("profile"))
        client = _maker(options.get("client"))
        made = find_profile(profile).override(dict(settings), base_url=_base_url(client))
        if _asks(document) and isinstance(client, partial):
            _try(client)
        if errors := findings_of("error", check_document(document, made)):
            raise ConfigError(*errors)
        parts = {
            "config": encode(to_plain(document.grader)),
            "profile": profile,
            "settings": settings,
            "level": _level(options.get("sandbox", "standard")),
            "workers": _workers(options.get("workers")),
            "client": client,
            "deadline": _seconds(options.get("deadline", DEADLINE_SECONDS)),
        }
        return cls(name=document.grader.name, key=_key(parts), **parts)  # type: ignore[arg-type]

    def open(self, open_box: OpenBox) -> tuple[Grader, ModelClient | None]:
        """The compiled grader, with what it needs in this process, and the client it asks.

        Raises:
            IsolationError: The machine cannot isolate python graders.
            GradersError: Judges cannot be asked.
        """
        document = parse_config(decode(self.config))
        sources = [p.source for _, p in walk(document.grader) if isinstance(p, PythonConfig)]
        box = self._box(sources, open_box) if sources else None
        client = self.client() if _asks(document) else None
        tools = Tools(
            sandbox=box, client=client and _scrubbed(client), endpoint=_endpoint(document)
        )
        return compile_grader(document, tools=tools, profile=self._profile()), client

    @property
    def default_threshold(self) -> float | None:
        """The profile's, for graders that have none."""
        return self._profile().default_threshold

    def _box(self, sources: Sequence[str], open_box: OpenBox) -> Pool | Processes:
        from graders.images import preloads

        usual = Limits()
        limits = Limits(wall_seconds=min(usual.wall_seconds, self.deadline))
        preload: dict[str, Sequence[str]] = {source: preloads(source) for source in sources}
        return open_box(self.level, limits, self.workers, preload)

    def _profile(self) -> Profile:
        profile = find_profile(self.profile)
        return profile.override(dict(self.settings), base_url=_base_url(self.client))


def _refuse_unknown(options: Options) -> None:
    known = Options.__annotations__
    for name in options:
        if name not in known:
            hint = f"Known options: {', '.join(known)}."
            raise refused(name, "there is no such option", hint)


def _key(parts: Mapping[str, object]) -> str:
    client = parts["client"]
    try:
        # Nothing else is pickled here: equal texts can be pickled in more than one way.
        known = repr(client.keywords) if isinstance(client, partial) else ""
        made = pickle.dumps(client.func if isinstance(client, partial) else client)
        pickle.dumps(client)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        hint = "Give settings as a dict, or a function of a module that makes a client."
        raise refused("client", f"cannot go to another process: {error}", hint) from None
    return hashlib.sha256(repr({**parts, "client": (known, made)}).encode()).hexdigest()


def _settings(settings: object) -> tuple[tuple[str, str], ...]:
    if settings is None:
        return ()
    if isinstance(settings, Mapping) and all(
        isinstance(name, str) and isinstance(value, (str, int, float))
        for name, value in settings.items()
    ):
        return tuple(sorted((name, str(value)) for name, value in settings.items()))
    problem = f"{settings!r:.60} is not a dict of texts"
    raise refused("settings", problem, 'Write settings={"render": "python"}.')


def _name(profile: object) -> str:
    if profile is None:
        return OPENAI.name
    if isinstance(profile, str):
        return profile
    raise refused("profile", f"{profile!r:.60} is not the name of one")


def _level(name: str) -> Level:
    try:
        return Level(name)
    except ValueError:
        raise refused("sandbox", f"{name!r} is not one of {', '.join(Level)}") from None


def _workers(count: object) -> int | None:
    if count is None or (type(count) is int and count >= 1):
        return count
    raise refused("workers", f"{count!r} is not a number of at least 1")


def _seconds(deadline: object) -> float:
    if isinstance(deadline, (int, float)) and isfinite(deadline) and deadline > 0:
        return float(deadline)
    raise refused("deadline", f"{deadline!r} is not a number of seconds above 0")


def _asks(document: Document) -> bool:
    judges = (ScoreModelConfig, LabelModelConfig)
    return any(isinstance(part, judges) for _, part in walk(document.grader))


def _maker(client: object) -> ClientMaker:
    from graders.clients.openai_compatible import OpenAICompatible

    if callable(client):
        return client
    given = {} if client is None else client
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        problem = f"a {type(client).__name__} is neither settings nor a function"
        raise refused("client", problem, 'Write client={"base_url": "http://..."}.')
    if "api_key" in given:
        hint = "Set OPENAI_API_KEY; options are shown and logged."
        raise refused("client.api_key", "is a secret and no option", hint)
    return partial(OpenAICompatible, **dict(sorted(given.items())))


def _try(client: ClientMaker) -> None:
    """Make a client of ours, which connects to nobody yet, for what is wrong with its settings."""
    try:
        client()
    except (TypeError, ValueError) as error:
        raise refused("client", f"cannot be made: {error}") from None


def _base_url(client: ClientMaker) -> str | None:
    return client.keywords.get("base_url") if isinstance(client, partial) else None


def _scrubbed(client: ModelClient) -> ModelClient:
    from graders.clients.scrubbed import Scrubbed

    keys = [value for name, value in os.environ.items() if name.endswith("_API_KEY")]
    return Scrubbed(client, keys)


def _endpoint(document: Document) -> EndpointClient | None:
    if not any(isinstance(part, EndpointConfig) for _, part in walk(document.grader)):
        return None
    from graders.clients.endpoint import HttpEndpoint

    return HttpEndpoint()


def refused(path: str, message: str, fix: str = "") -> ConfigError:
    """What is wrong with an option, and what to do about it."""
    return ConfigError(
        Finding(code="option", severity="error", path=path, message=message, fix=fix)
    )
