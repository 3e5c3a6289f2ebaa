"""Which variant of each metric is meant: frozen data, checked when it is made.

The defaults are profile `openai`, the best evidence of what the hosted graders compute. Under one
metric name every library has its own number; the settings, printed in each signature, say which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from metrics import bleu, fuzzy
from metrics.embed import EMBEDDERS, Embedder
from metrics.limits import DEFAULT_WORK_LIMIT
from metrics.rouge import STATISTICS
from metrics.tokens import TOKENIZERS

# Splits made for ROUGE; bleu, gleu and meteor would lose case or punctuation in them.
_ROUGE_TOKENS: Final = {"google", "google_stem"}

BLEU_VARIANTS: Final = (*bleu.SMOOTHINGS, "sacrebleu")
METEOR_VARIANTS: Final = ("wordnet", "no_synonyms")
TOKENS: Final = tuple(name for name in TOKENIZERS if name not in _ROUGE_TOKENS)
BACKENDS: Final = ("own", "fast")


@dataclass(frozen=True, slots=True, kw_only=True)
class RougeVariant:
    """What the setting `rouge` says, taken apart.

    Attributes:
        library: Whose formulas.
        tokens: Name of the tokenizer; `pltrdy` brings its own.
        statistic: `f1`, `precision` or `recall`.
        lsum: Whether rouge_l goes line by line.
    """

    library: str = "rouge-score-0.1.2"
    tokens: str = "google"
    statistic: str = "f1"
    lsum: bool = False

    def signature(self, name: str) -> str:
        """The signature of rouge_1, ..., rouge_l in this variant."""
        lines = "lsum+" if self.lsum and name == "rouge_l" else ""
        return f"{name}|v:{lines}{self.statistic}|tok:{self.tokens}|lib:{self.library}"


# What each part of a `rouge` setting decides. No two parts may decide the same.
_ROUGE_PARTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "google": {"library": "rouge-score-0.1.2"},
    "pltrdy": {"library": "rouge-1.0.1", "tokens": "pltrdy", "lsum": False},
    "stem": {"tokens": "google_stem"},
    "unicode": {"tokens": "unicode"},
    "char": {"tokens": "char"},
    **{name: {"statistic": name} for name in STATISTICS},
    "lsum": {"lsum": True},
}
ROUGE_VARIANTS: Final = tuple(_ROUGE_PARTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Variants of all metrics.

    Attributes:
        fuzzy_match: A scorer of rapidfuzz, one of `metrics.fuzzy.VARIANTS`.
        bleu: nltk's smoothing (`none`, `method1` .. `method4`) or `sacrebleu`, which splits by 13a.
        rouge: `google`, `pltrdy`, or parts joined by `+`: `stem+recall`, `unicode`, `lsum+stem`.
        meteor: `wordnet` or `no_synonyms`.
        cosine: `hash_char`, the name of an installed embedder, or an `Embedder`.
        tokens: How bleu, gleu and meteor split text, one of `TOKENS`.
        work_limit: Table cells one pair may take, see `metrics.limits`; about 10^10 a second.
        backend: `own`, or `fast` for ROUGE by rouge-score-rs: same numbers, extra `fast`.

    Raises:
        ValueError: A value is not among those allowed; the message names them.
    """

    fuzzy_match: str = "ratio"
    bleu: str = "method4"
    rouge: str = "google"
    meteor: str = "wordnet"
    cosine: str | Embedder = "hash_char"
    tokens: str = "nltk_word"
    work_limit: int = DEFAULT_WORK_LIMIT
    backend: str = "own"

    def __post_init__(self) -> None:
        check_choice("Settings(fuzzy_match=...)", self.fuzzy_match, fuzzy.VARIANTS)
        check_choice("Settings(bleu=...)", self.bleu, BLEU_VARIANTS)
        check_choice("Settings(meteor=...)", self.meteor, METEOR_VARIANTS)
        check_choice("Settings(tokens=...)", self.tokens, TOKENS)
        check_choice("Settings(backend=...)", self.backend, BACKENDS)
        if isinstance(self.cosine, str):
            check_choice("Settings(cosine=...)", self.cosine, EMBEDDERS)
        elif not hasattr(self.cosine, "embed"):
            raise ValueError(
                f"Settings(cosine=...): {self.cosine!r} is no embedder; wrap a function in "
                "metrics.embed.from_callable(name, function)"
            )
        tokens = rouge_variant(self.rouge).tokens
        if self.backend == "fast" and tokens not in {*_ROUGE_TOKENS, "pltrdy"}:
            raise ValueError(
                f"Settings(backend='fast'): rouge-score-rs has no tokens {tokens!r}; "
                "leave the backend 'own'"
            )
        if type(self.work_limit) is not int or self.work_limit < 1:
            raise ValueError(
                f"Settings(work_limit=...): counts table cells, at least 1, got {self.work_limit!r}"
            )

    def tokens_for(self, name: str) -> str | None:
        """Name of what splits texts for a metric; None for those that take them whole."""
        match name:
            case "cosine" | "fuzzy_match":
                return None
            case "bleu" if self.bleu == "sacrebleu":
                return "13a"
            case "bleu" | "gleu" | "meteor":
                return self.tokens
            case _:
                return rouge_variant(self.rouge).tokens


def rouge_variant(setting: str) -> RougeVariant:
    """Take a `rouge` setting apart.

    Raises:
        ValueError: A part is unknown, or two parts contradict each other.

    Example:
        >>> rouge_variant("stem+recall").tokens
        'google_stem'
    """
    decided: dict[str, tuple[str, Any]] = {}
    for part in str(setting).split("+"):
        check_choice("Settings(rouge=...)", part, ROUGE_VARIANTS)
        for what, value in _ROUGE_PARTS[part].items():
            if what in decided:
                raise ValueError(
                    f"Settings(rouge=...): {decided[what][0]!r} and {part!r} cannot be combined "
                    f"in {setting!r}: both decide the {what}"
                )
            decided[what] = part, value
    return RougeVariant(**{what: value for what, (_, value) in decided.items()})


def check_choice(where: str, value: str, allowed: Iterable[str]) -> None:
    """Refuse a value that is not among those allowed.

    Raises:
        ValueError: With all allowed values, and the nearest one.
    """
    allowed = list(allowed)
    if value not in allowed:
        from difflib import get_close_matches

        near = get_close_matches(str(value), allowed, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{where}: {value!r} is none of {', '.join(allowed)}.{hint}")


DEFAULT: Final = Settings()
