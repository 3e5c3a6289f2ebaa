r"""How much of a reward is form? Traits of a text that a model can put on without being right.

Rewards and traits are taken about the means of their item, because a trainer that compares samples
of one prompt sees no other differences. A linear fit that was made on other items predicts each
item's rewards (five folds of items, drawn by a seed), and `share` is the part of the variance
within items that these predictions take away. So what the traits only seem to explain, because
there are many of them and few samples, is not claimed: of rewards that have nothing to do with the
texts the share is about 0, and as often below as above (which is shown as it is).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log1p
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from graders.strict_json import decode_or_none
from graders.studies.statistics.bootstrap import ratio_interval
from graders.studies.statistics.statistic import (
    Bools,
    Floats,
    Interval,
    Ints,
    Items,
    Statistic,
    columns,
    item_codes,
)

_FOLDS: Final = 5
_ROUNDING: Final = 1e-12
_BULLET: Final = re.compile(r"^[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE)
_MARKED: Final = re.compile(r"^#{1,6} |\*\*[^*\n]+\*\*|^\|.*\|[ \t]*$", re.MULTILINE)
_ANSWER: Final = re.compile(r"(?im)^\W{0,4}(?:the )?(?:final )?answer\b.{0,12}?(?::|is\b)")
_TAG: Final = re.compile(r"<(\w{1,20})>[^<]*</\1>")
_UNSURE: Final = ("i think", "i believe", "perhaps", "maybe", "might be", "not sure")
_HEDGE: Final = re.compile(rf"\b(?:{'|'.join(_UNSURE)})\b")
_DIGIT: Final = re.compile(r"\d")


def _is_object(text: str) -> bool:
    return text.lstrip()[:1] == "{" and isinstance(decode_or_none(text), dict)


def _is_hedged(text: str) -> bool:
    lowered = text.lower()
    # Most texts have none of these, and a search for plain words is three times as fast.
    return any(words in lowered for words in _UNSURE) and _HEDGE.search(lowered) is not None


TRAITS: Final[Mapping[str, tuple[str, Callable[[str], float]]]] = {
    "empty": ("is empty", lambda text: not text.strip()),
    "json_object": ("is a JSON object", _is_object),
    "code_fence": ("has a code fence", lambda text: "```" in text),
    "boxed": ("has \\boxed", lambda text: "\\boxed" in text),
    "answer_line": ('has a line "Answer:"', lambda text: _ANSWER.search(text) is not None),
    "bullets": ("has a list", lambda text: _BULLET.search(text) is not None),
    "markdown": ("has headings, bold or tables", lambda text: _MARKED.search(text) is not None),
    "tags": ("has tags", lambda text: _TAG.search(text) is not None),
    "hedged": ("says that it is not sure", _is_hedged),
    "number": ("has a digit", lambda text: _DIGIT.search(text) is not None),
    "question": ("asks something", lambda text: "?" in text),
    "stop": ("ends with a full stop", lambda text: text.rstrip()[-1:] in {".", "!", "。"}),
    "capital": ("begins with a capital", lambda text: text.lstrip()[:1].isupper()),
    "lines": ("has more lines", lambda text: log1p(text.count("\n"))),
}
"""By name: what a text that has it does, and how much of it a text has: 0 or 1; of lines, the
logarithm of 1 + their breaks."""


def traits_of(texts: Sequence[str]) -> dict[str, Floats]:
    r"""How much of each trait each text has.

    Example:
        >>> found = traits_of(["It is 4.", "- \\boxed{4}"])
        >>> sorted(name for name, column in found.items() if column[1])
        ['boxed', 'bullets', 'number']
    """
    return {
        name: np.array([measure(text) for text in texts], np.float64)
        for name, (_, measure) in TRAITS.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One trait beside the reward.

    Attributes:
        name: The trait's.
        having: Share of samples that have any of it.
        slope: How much higher rewards are with one more of it, within items, whatever else differs.
        interval: Of that, items resampled.
    """

    name: str
    having: float
    slope: Statistic
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What some traits say of rewards within items.

    Attributes:
        samples: Samples of items with at least two; all below is about these.
        items: These items.
        share: Of the variance of rewards within items, what a fit on other items predicts; at
            most 1, and below 0 where it predicts worse than each item's mean.
        interval: Of that, items resampled; the fits are not made again.
        traits: Those that vary within items, the one that alone explains most first.
    """

    samples: int
    items: int
    share: Statistic
    interval: Interval | None
    traits: tuple[Trait, ...]


def explained_by(
    traits: Mapping[str, ArrayLike],
    rewards: ArrayLike,
    items: Items,
    *,
    resamples: int = 1_000,
    seed: int = 0,
) -> Explained:
    """How much of rewards traits explain, and which of them.

    Args:
        traits: By name, a number a sample.
        rewards: One a sample, finite.
        items: Which item it is a sample of.
        resamples: For the intervals; 0 for none.
        seed: Of the folds and the draws.

    Raises:
        ValueError: No traits; columns are empty, of different length, or not finite.

    Example:
        >>> fenced, rewards = [1, 0] * 10, [0.9, 0.1] * 10
        >>> found = explained_by({"fenced": fenced}, rewards, [i // 2 for i in range(20)])
        >>> round(found.share.value, 6), round(found.traits[0].slope.value, 6)
        (1.0, 0.8)
    """
    if not traits:
        raise ValueError("what explains rewards has a name, and there is none")
    x = np.stack(columns(**{"the rewards": rewards, **traits}), axis=1)
    having = dict(zip(traits, (x[:, 1:] != 0).mean(axis=0).tolist(), strict=True))
    codes = item_codes(items, len(x))
    several = (np.bincount(codes) > 1)[codes]
    if not several.any():
        none = Statistic(undefined="no item has two samples")
        return Explained(samples=0, items=0, share=none, interval=None, traits=())
    x, codes = x[several], item_codes(codes[several], int(several.sum()))
    away = _within_items(x, codes)
    varies: Bools = np.any(away[:, 1:], axis=0)
    names = [name for name, there in zip(traits, varies, strict=True) if there]
    within = _Within(away[:, 1:][:, varies], away[:, 0], codes)
    share, interval = within.predicted(resamples=resamples, seed=seed)
    ranked = [
        (
            power,
            Trait(
                name=name,
                having=having[name],
                slope=Statistic(value=float(above.sum() / below.sum())),
                interval=ratio_interval(above, below, resamples=resamples, seed=seed),
            ),
        )
        for name, above, below, power in within.alone(names)
    ]
    return Explained(
        samples=len(codes),
        items=int(codes.max()) + 1,
        share=share,
        interval=interval,
        traits=tuple(trait for _, trait in sorted(ranked, key=lambda pair: -pair[0])),
    )


def _within_items(x: Floats, codes: Ints) -> Floats:
    sums = np.stack([np.bincount(codes, column) for column in x.T], axis=1)
    away: Floats = x - (sums / np.bincount(codes)[:, None])[codes]
    away[np.abs(away) <= _ROUNDING * np.abs(x).max(axis=0)] = 0.0
    return away


class _Within(NamedTuple):
    """Traits that vary, and rewards, about the means of their items."""

    x: Floats
    y: Floats
    codes: Ints

    def predicted(self, *, resamples: int, seed: int) -> tuple[Statistic, Interval | None]:
        """The share of variance that fits on other items predict, and its interval."""
        x, y, codes = self
        total = np.bincount(codes, y * y).astype(np.float64)
        number = len(total)
        if not total.any():
            return Statistic(undefined="rewards do not vary within items"), None
        if not x.shape[1]:
            return Statistic(undefined="nothing that could explain rewards varies"), None
        if number < 2 * _FOLDS:
            items = "1 item" if number == 1 else f"{number} items"
            few = f"{items} with several samples: too few to predict one from others"
            return Statistic(undefined=few), None
        fold = (np.random.default_rng(seed).permutation(number) % _FOLDS)[codes]
        left = y.copy()
        for held in range(_FOLDS):
            out = fold == held
            scale = np.maximum(np.abs(x[~out]).max(axis=0), _ROUNDING)
            weights = np.linalg.lstsq(x[~out] / scale, y[~out], rcond=None)[0]
            left[out] -= x[out] / scale @ weights
        gained = total - np.bincount(codes, left * left).astype(np.float64)
        share = Statistic(value=float(gained.sum() / total.sum()))
        return share, ratio_interval(gained, total, resamples=resamples, seed=seed)

    def alone(self, names: Sequence[str]) -> Iterator[tuple[str, Floats, Floats, float]]:
        """Of each trait, the sums per item that its slope is the ratio of, and its power."""
        for name, column in zip(names, self.x.T, strict=True):
            above = np.bincount(self.codes, column * self.y).astype(np.float64)
            below = np.bincount(self.codes, column * column).astype(np.float64)
            yield name, above, below, float(above.sum() ** 2 / below.sum())
