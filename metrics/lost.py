"""Texts that a metric cannot see: nothing is left of them after splitting.

rouge-score keeps [a-z0-9] only, so that Chinese, Russian and Arabic texts score 0.0 whatever they
say, identical ones too. That is a finding about the settings, not a score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from metrics.fuzzy import PROCESSED, FuzzyMatch
from metrics.pltrdy import sentences
from metrics.settings import DEFAULT, Settings
from metrics.tokens import TOKENIZERS

# What to try instead, the most sensible first; `char` keeps whatever is not blank.
_INSTEAD: Final = ("nltk_word", "char")
_INSTEAD_IN_ROUGE: Final = ("unicode", "char")
# The parts of a `rouge` setting that say how to split, and are replaced.
_SPLITTING: Final = {"google", "stem", "unicode", "char", "pltrdy"}


@dataclass(frozen=True, slots=True)
class LostTokens:
    """What lost a text, and the setting that would keep some of it.

    Attributes:
        tokens: The tokenizer, or `default_process`.
        setting: A field of `Settings`.
        value: What to set it to.
    """

    tokens: str
    setting: str
    value: str

    def __str__(self) -> str:
        return (
            f"{self.tokens} leaves no token, so the score says nothing; "
            f"Settings({self.setting}={self.value!r}) keeps some"
        )


def lost_tokens(name: str, text: str, settings: Settings = DEFAULT) -> LostTokens | None:
    """Whether a metric sees nothing of a text that is not blank, and what would help.

    Example:
        >>> print(lost_tokens("rouge_l", "你好", Settings(rouge="stem+recall")))
        google_stem leaves no token, so the score says nothing; Settings(rouge='unicode+recall') \
keeps some
    """
    if not text.strip():
        return None
    if name == "fuzzy_match":
        variant = settings.fuzzy_match
        kept = FuzzyMatch(variant, settings.work_limit).process(text)
        lost = LostTokens("default_process", name, variant.removesuffix(PROCESSED))
        return None if kept else lost
    tokens = settings.tokens_for(name)
    if tokens is None or _keeps(tokens, text):
        return None
    if name == "bleu" and settings.bleu == "sacrebleu":
        return LostTokens(tokens, "bleu", "method4")
    if name in {"bleu", "gleu", "meteor"}:
        return LostTokens(tokens, "tokens", _keeping(text, _INSTEAD))
    parts = [part for part in settings.rouge.split("+") if part not in _SPLITTING]
    return LostTokens(tokens, "rouge", "+".join([_keeping(text, _INSTEAD_IN_ROUGE), *parts]))


def _keeps(tokens: str, text: str) -> bool:
    return bool(sentences(text) if tokens == "pltrdy" else TOKENIZERS[tokens](text))


def _keeping(text: str, tokenizers: tuple[str, ...]) -> str:
    return next(name for name in tokenizers if TOKENIZERS[name](text))
