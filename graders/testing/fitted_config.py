"""A fitted reward as a config: a multi in the hosted format, ready to run.

A config names a metric, and settings of a run say which variant is meant; so variants stand in one
config only where all of its members can be had under the same settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graders.clients.embedding import PREFIX, ServerEmbedder
from graders.config.graders import AnyConfig, EvalConfig, MultiConfig, TextSimilarityConfig
from graders.config.parse import to_plain
from graders.profile import OPENAI, Profile
from graders.studies.choice.fit import Fit
from graders.studies.choice.weights import FitError
from graders.studies.statistics.short import exactly
from graders.testing.contestants import Contestant
from metrics import Settings
from sandbox import JSON

_RUN: Final = ("render", "bool_returns", "member_failure")
"""Settings of a profile that decide numbers of graders, besides those of metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A config that gives a fitted reward.

    Attributes:
        config: A multi, in the hosted format.
        settings: What `--set` has to be told, KEY=VALUE each; nothing where a run needs none.
        notes: What there is to say of it.
    """

    config: Mapping[str, JSON]
    settings: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where references stand.

    Attributes:
        path: Their path: `item.reference_answer`.
        several: Whether a list stands there, of which the best counts.
    """

    path: str
    several: bool = False


def multi_config(
    fit: Fit,
    members: Mapping[str, Contestant | AnyConfig],
    reference: Reference,
    *,
    profile: Profile = OPENAI,
) -> Export:
    """The fitted reward as a config.

    Args:
        fit: The reward.
        members: What its scores were of, by name; those that it dropped may be there.
        reference: What metrics compare with.
        profile: The settings under which the members were scored.

    Raises:
        FitError: A member can be no part of a multi, or two need settings that contradict.
    """
    keys = _keys([one.name for one in fit.kept])
    needs = _Needs()
    graders: dict[str, JSON] = {}
    for name, key in keys.items():
        member = members[name]
        if isinstance(member, Contestant):
            needs.add(name, member.needs(profile.metrics))
            graders[key] = _similarity(member, key, reference)
        else:
            needs.of_grader(name, member, profile)
            graders[key] = _plain(name, member)
    config: dict[str, JSON] = {
        "type": "multi",
        "name": "fitted",
        "graders": graders,
        "calculate_output": fit.formula(keys),
    }
    notes = []
    if fit.threshold.value is not None:
        config["pass_threshold"] = fit.threshold.value
        notes.append(
            f"pass_threshold {exactly(fit.threshold.value)} is the one with the best F1 on these "
            f"rows ({fit.f1.value:.3f}, a little too high: it was chosen on them; "
            f"{fit.unseen_f1.value:.3f} on items not fitted to)"
        )
    if settings := needs.told():
        told = " ".join(f"--set {one}" for one in settings)
        notes.append(f"the config gives these scores with {told}, and others without")
    if reference.several and any(isinstance(members[name], Contestant) for name in keys):
        notes.append(
            "references, the best of several, are ours alone: the hosted service compares with "
            f"the text of the list at {reference.path}"
        )
    return Export(config=config, settings=settings, notes=tuple(notes))


def _keys(names: list[str]) -> dict[str, str]:
    """What members are called in a formula: letters, digits and _, each once.

    Example:
        >>> _keys(["rouge_l", "my grader.json", "my-grader.json", "5"])
        {'rouge_l': 'rouge_l', 'my grader.json': 'my_grader', 'my-grader.json': 'my_grader_2', '5': '_5'}
    """  # noqa: E501 - a doctest has a line for a call
    keys: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"\W", "_", re.sub(r"\.(json|py)$", "", name), flags=re.ASCII) or "member"
        plain = f"_{plain}" if plain[0].isdigit() else plain
        key, number = plain, 1
        while key in keys.values():
            number += 1
            key = f"{plain}_{number}"
        keys[name] = key
    return keys


def _similarity(member: Contestant, key: str, reference: Reference) -> JSON:
    config: dict[str, JSON] = {**member.config(reference.path), "name": key}
    if not reference.several:
        del config["references"]
    return config


def _plain(name: str, member: AnyConfig) -> JSON:
    """A grader as it stands in a config.

    Raises:
        FitError: A multi takes no such member.
    """
    if isinstance(member, (MultiConfig, EvalConfig)):
        what = "an Evals body" if isinstance(member, EvalConfig) else "a multi"
        raise FitError(
            f"{name} is {what}, which can be no member of a multi; fit its members, each in a file "
            "of its own"
        )
    plain: Any = to_plain(member)
    return {"type": member.type, **plain}


class _Needs:
    """Settings that members need, and which of them needs each."""

    def __init__(self) -> None:
        self._needed: dict[str, tuple[str, object]] = {}

    def add(self, name: str, needs: Mapping[str, object]) -> None:
        """Take in a member's.

        Raises:
            FitError: Another one needs something else.
        """
        for key, value in needs.items():
            other, theirs = self._needed.setdefault(key, (name, value))
            if theirs != value:
                raise FitError(
                    f"{other} needs {key}={_text(theirs)} and {name} needs {key}={_text(value)}, "
                    "and a run has one of them: leave one of the two out of the fit"
                )

    def of_grader(self, name: str, member: AnyConfig, profile: Profile) -> None:
        """Take in those of a grader, which was scored under the profile.

        Raises:
            FitError: Another member needs something else.
        """
        if isinstance(member, TextSimilarityConfig):
            metric = Contestant(name=name, metric=member.evaluation_metric)
            self.add(name, metric.needs(profile.metrics))
        self.add(name, {key: getattr(profile, key) for key in _RUN})

    def told(self) -> tuple[str, ...]:
        """Those that a run is not under by itself."""
        usual: dict[str, object] = {key: getattr(OPENAI, key) for key in _RUN}
        usual |= {key: getattr(Settings(), key) for key in Settings.__dataclass_fields__}
        return tuple(
            f"{key}={_text(value)}"
            for key, (_, value) in sorted(self._needed.items())
            if value != usual[key]
        )


def _text(value: object) -> str:
    return f"{PREFIX}{value.model}" if isinstance(value, ServerEmbedder) else str(value)
