"""Settings that decide numbers where nobody can prove what the hosted service does.

A profile is a named guess; `openai` is the one with the best evidence. Every run records the
profile it used, and each setting can be overridden by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from math import isfinite
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from graders.clients.embedding import PREFIX, ServerEmbedder
from graders.errors import ConfigError, Finding, near_miss
from graders.template import Rendering
from metrics import Settings

MemberFailure = Literal["fail", "zero"]
BoolReturns = Literal["fail", "number"]


_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "render": get_args(Rendering),
    "bool_returns": get_args(BoolReturns),
    "member_failure": get_args(MemberFailure),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The settings of a run.

    Attributes:
        name: What results call it; an override is added to it, as in `openai,rouge=pltrdy`.
        metrics: Variants and tokenizers of text_similarity.
        render: How template values that are not strings become text.
        bool_returns: What a python grader's True counts as: a failure, or 1.0.
        member_failure: What a failed member does to a multi: fail it, or enter it as 0.0.
        default_threshold: pass_threshold for graders that have none; None leaves `passed` null.
    """

    name: str = "openai"
    metrics: Settings = field(default_factory=Settings)
    render: Rendering = "json"
    bool_returns: BoolReturns = "fail"
    member_failure: MemberFailure = "fail"
    default_threshold: float | None = None

    def __post_init__(self) -> None:
        for key, allowed in _CHOICES.items():
            value = getattr(self, key)
            if value not in allowed:
                raise _refused(key, *_not_one_of(value, allowed))

    def override(self, settings: Mapping[str, str], *, base_url: str | None = None) -> Profile:
        """This profile with some settings changed, given as text.

        Args:
            settings: Values by name.
            base_url: Where `cosine=server:MODEL` asks; None is OPENAI_BASE_URL, or else OpenAI.

        Raises:
            ConfigError: A name is unknown or a value not allowed; says which are.

        Example:
            >>> OPENAI.override({"render": "python"}).name
            'openai,render=python'
        """
        profile = self
        for key, value in settings.items():
            profile = _with(profile, key, value, base_url)
        return profile


def _with(profile: Profile, key: str, value: str, base_url: str | None) -> Profile:
    name = f"{profile.name},{key}={value}"
    metric_settings = [setting.name for setting in fields(Settings)]
    if key in metric_settings:
        try:
            given: dict[str, Any] = {key: _metric_setting(key, value, base_url)}
            return replace(profile, name=name, metrics=replace(profile.metrics, **given))
        except ValueError as error:
            raise _refused(key, str(error), "") from None
    if key == "default_threshold":
        try:
            threshold = float(value)
        except ValueError:
            threshold = float("nan")
        if not isfinite(threshold):
            raise _refused(key, f"{value!r} is not a number", "")
        return replace(profile, name=name, default_threshold=threshold)
    known = sorted([*_CHOICES, "default_threshold", *metric_settings])
    if key not in _CHOICES:
        hint = near_miss(key, known) or f"Known settings: {', '.join(known)}."
        raise _refused(key, "there is no such setting", hint)
    return replace(profile, name=name, **{key: value})  # type: ignore[arg-type]


def _metric_setting(key: str, value: str, base_url: str | None) -> object:
    """A setting of `metrics`; an embedder that asks a server is made here, for they know none."""
    if key == "work_limit":
        return int(value)
    if key == "cosine" and value.startswith(PREFIX):
        return ServerEmbedder(model=value.removeprefix(PREFIX), base_url=base_url)
    return value


def _not_one_of(value: object, allowed: Sequence[str]) -> tuple[str, str]:
    return f"{value!r} is not one of {', '.join(allowed)}", near_miss(str(value), allowed)


def _refused(key: str, message: str, fix: str) -> ConfigError:
    return ConfigError(
        Finding(code="setting", severity="error", path=key, message=message, fix=fix)
    )


OPENAI: Final = Profile()
PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            OPENAI,
            Profile(name="azure", metrics=Settings(tokens="azure")),
            Profile(name="azure-docs", metrics=Settings(rouge="pltrdy")),
            Profile(name="google-rouge", metrics=Settings(rouge="stem")),
        )
    }
)


def find_profile(name: str) -> Profile:
    """A profile by its name.

    Raises:
        ConfigError: There is none of that name.
    """
    if name not in PROFILES:
        hint = near_miss(name, PROFILES) or f"Known profiles: {', '.join(PROFILES)}."
        raise _refused("profile", f"there is no profile {name!r}", hint)
    return PROFILES[name]
