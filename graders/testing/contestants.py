"""Metrics under the names that people compare them by: each a metric with settings of its own.

A plain name (`bleu`, `rouge_l`) follows the profile; a variant says what it changes. The names are
those of `metrics/README.md`, and what a run has to be told stands in `how`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from graders.errors import did_you_mean
from metrics import METRICS, Settings, fuzzy, metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A metric in one variant.

    Attributes:
        name: What it is called here.
        metric: What a config calls it: its `evaluation_metric`.
        changes: Settings in which it differs from the profile.
    """

    name: str
    metric: str
    changes: Mapping[str, str] = field(default_factory=dict)

    @property
    def how(self) -> str:
        """What gives it in a run.

        Example:
            >>> CONTESTANTS["partial"].how
            'evaluation_metric fuzzy_match, --set fuzzy_match=partial'
        """
        told = "".join(f", --set {key}={value}" for key, value in self.changes.items())
        return f"evaluation_metric {self.metric}{told}"

    def settings(self, profile: Settings) -> Settings:
        """The profile's settings, with its own."""
        changes: dict[str, Any] = dict(self.changes)
        return replace(profile, **changes)

    def signature(self, profile: Settings) -> str:
        """What determines its number.

        Raises:
            ImportError: It needs an extra that is not installed.
        """
        return metric(self.metric, self.settings(profile)).signature

    def needs(self, profile: Settings) -> dict[str, object]:
        """The settings that it goes by, and their values; others do not change its number.

        Example:
            >>> CONTESTANTS["partial"].needs(Settings()), CONTESTANTS["meteor"].needs(Settings())
            ({'fuzzy_match': 'partial'}, {'meteor': 'wordnet', 'tokens': 'nltk_word'})
        """
        own = self.settings(profile)
        keys = _SETTINGS.get(self.metric, ("rouge",))
        return {key: getattr(own, key) for key in keys}

    def config(self, reference: str) -> dict[str, str]:
        """The grader that it is, of one reference or the best of several.

        Args:
            reference: The path of the reference or of the list: `item.answers`.
        """
        return {
            "type": "text_similarity",
            "name": self.name,
            "evaluation_metric": self.metric,
            "input": "{{ sample.output_text }}",
            "reference": f"{{{{ {reference} }}}}",
            "references": reference,
        }


_PLAIN: Final = ("bleu", "gleu", "meteor", *(f"rouge_{n}" for n in range(1, 6)), "rouge_l")
_VARIANTS: Final[Mapping[str, tuple[str, str, str]]] = {  # name: metric, setting, value
    "hash_char": ("cosine", "cosine", "hash_char"),
    **{name: ("fuzzy_match", "fuzzy_match", name) for name in fuzzy.VARIANTS},
    "bleu_none": ("bleu", "bleu", "none"),
    "bleu_sacrebleu": ("bleu", "bleu", "sacrebleu"),
    "meteor_no_synonyms": ("meteor", "meteor", "no_synonyms"),
    "rouge_1_stem": ("rouge_1", "rouge", "stem"),
    "rouge_2_stem": ("rouge_2", "rouge", "stem"),
    "rouge_l_stem": ("rouge_l", "rouge", "stem"),
    "rouge_1_recall": ("rouge_1", "rouge", "recall"),
    "rouge_l_recall": ("rouge_l", "rouge", "recall"),
    "rouge_1_unicode": ("rouge_1", "rouge", "unicode"),
    "rouge_l_unicode": ("rouge_l", "rouge", "unicode"),
}
_EXTRAS: Final = ("wordllama", "minilm")

ALL: Final = (*_VARIANTS, *_PLAIN)
"""What `all` stands for: those that need no extra."""

CONTESTANTS: Final[Mapping[str, Contestant]] = {
    **{
        name: Contestant(name=name, metric=one, changes={key: value})
        for name, (one, key, value) in _VARIANTS.items()
    },
    **{name: Contestant(name=name, metric=name) for name in _PLAIN},
    **{name: Contestant(name=name, metric="cosine", changes={"cosine": name}) for name in _EXTRAS},
}


def contestants(names: Iterable[str], profile: Settings) -> list[Contestant]:
    """The metrics of some names, each once.

    Args:
        names: Of the table; `all`; or the config's own, `fuzzy_match` and `cosine` as the profile
            has them. None are the eleven of the profile.
        profile: The settings of the run.

    Raises:
        ValueError: A name is none of these, or the profile's embedder asks a server.

    Example:
        >>> [one.name for one in contestants(["fuzzy_match", "rouge_l", "ratio"], Settings())]
        ['ratio', 'rouge_l']
    """
    wanted = list(names) or list(METRICS)
    listed = [part for name in wanted for part in (ALL if name == "all" else (name,))]
    return [CONTESTANTS[name] for name in dict.fromkeys(_named(one, profile) for one in listed)]


def _named(name: str, profile: Settings) -> str:
    if name == "fuzzy_match":
        return profile.fuzzy_match
    if name == "cosine":
        if profile.cosine not in CONTESTANTS:
            raise ValueError(
                "cosine asks a server in this profile; compare it as a grader, with --graders"
            )
        return str(profile.cosine)
    if name not in CONTESTANTS:
        raise ValueError(f"there is no metric {name!r}. {did_you_mean(name, CONTESTANTS)}")
    return name


_SETTINGS: Final[Mapping[str, Sequence[str]]] = {
    "cosine": ("cosine",),
    "fuzzy_match": ("fuzzy_match",),
    "bleu": ("bleu", "tokens"),
    "gleu": ("tokens",),
    "meteor": ("meteor", "tokens"),
}
"""What a metric goes by; of all others it is `rouge`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Contestants that one pass computes, because no setting of one is another's.

    Attributes:
        settings: Of all of them.
        members: By the metric's name.
    """

    settings: Settings
    members: Mapping[str, Contestant]


def packs(chosen: Sequence[Contestant], profile: Settings) -> list[Pack]:
    """As few passes as the settings of contestants allow, so that families share their work.

    Example:
        >>> chosen = contestants(["ratio", "partial", "rouge_1", "rouge_l", "rouge_l_stem"], Settings())
        >>> [list(pack.members) for pack in packs(chosen, Settings())]
        [['fuzzy_match', 'rouge_1', 'rouge_l'], ['fuzzy_match', 'rouge_l']]
    """  # noqa: E501 - a doctest has a line for a call
    open_packs: list[tuple[dict[str, object], dict[str, Contestant]]] = []
    for one in chosen:
        needs = one.needs(profile)
        for settled, members in open_packs:
            fits = all(settled.get(key, value) == value for key, value in needs.items())
            if fits and one.metric not in members:
                break
        else:
            settled, members = {}, {}
            open_packs.append((settled, members))
        settled.update(needs)
        members[one.metric] = one
    return [
        Pack(settings=replace(profile, **_any(settled)), members=members)
        for settled, members in open_packs
    ]


def _any(settled: Mapping[str, object]) -> dict[str, Any]:
    return dict(settled)
