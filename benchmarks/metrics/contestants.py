"""Who takes part in `speed.py`: our metrics, the libraries they equal, and the fastest peers.

Each contestant is a function that imports what it needs and returns a scorer of whole lists of
texts. All of a task get the same texts and split them themselves.
"""

import io
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import metrics
from metrics import wordnet
from metrics.families import ROUGE
from metrics.settings import Settings

Scorer = Callable[[Sequence[str], Sequence[str]], Any]
Contestant = Callable[[], Scorer]

_KINDS = ["rouge1", "rouge2", "rouge3", "rouge4", "rouge5", "rougeL"]
_DICTIONARY = Path("/usr/share/wordnet")


def each(score: Callable[[str, str], Any]) -> Scorer:
    """Score pair by pair."""
    return lambda candidates, references: [
        score(c, r) for c, r in zip(candidates, references, strict=True)
    ]


def ours(*names: str, **settings: Any) -> Contestant:
    """Our metrics, a batch at a time."""
    chosen = Settings(**settings)
    return lambda: lambda cs, rs: metrics.similarities(names, cs, rs, chosen)


def ours_by_pair(name: str, **settings: Any) -> Contestant:
    """One of our metrics, a pair at a time."""
    return lambda: each(metrics.metric(name, Settings(**settings)).pair)


def rouge_score(*kinds: str) -> Contestant:
    """Google's rouge-score."""

    def load() -> Scorer:
        from rouge_score.rouge_scorer import RougeScorer

        scorer = RougeScorer(kinds)
        return each(lambda c, r: scorer.score(r, c))

    return load


def rouge_score_rs(*kinds: str) -> Contestant:
    """Its port to Rust; one thread, as RAYON_NUM_THREADS says."""

    def load() -> Scorer:
        from rouge_score_rs import RougeScorer

        scorer = RougeScorer(list(kinds))
        return lambda cs, rs: scorer.score_batch(rs, cs)

    return load


def rapidrouge(*kinds: str) -> Contestant:
    """Its rewrite with a bit-parallel LCS in Python."""

    def load() -> Scorer:
        from rapidrouge import RougeScorer

        scorer = RougeScorer(list(kinds))
        return each(lambda c, r: scorer.score(r, c))

    return load


def _nltk_split(tokens: str) -> Callable[[str], list[str]]:
    from nltk.tokenize.destructive import NLTKWordTokenizer

    return str.split if tokens == "split" else NLTKWordTokenizer().tokenize


def nltk_bleu(tokens: str) -> Contestant:
    """Method4 of sentence_bleu in nltk."""

    def load() -> Scorer:
        from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

        split, smooth = _nltk_split(tokens), SmoothingFunction().method4
        return each(lambda c, r: sentence_bleu([split(r)], split(c), smoothing_function=smooth))

    return load


def nltk_gleu(tokens: str) -> Contestant:
    """The sentence_gleu of nltk."""

    def load() -> Scorer:
        from nltk.translate.gleu_score import sentence_gleu

        split = _nltk_split(tokens)
        return each(lambda c, r: sentence_gleu([split(r)], split(c)))

    return load


@cache
def _wordnet() -> Any:
    """The reader of nltk over Debian's files; where there are none, our table in its place."""
    import nltk
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    if not _DICTIONARY.is_dir():
        return SimpleNamespace(
            synsets=lambda word: [
                SimpleNamespace(
                    lemmas=lambda: [
                        SimpleNamespace(name=lambda name=name: name)
                        for name in wordnet.synonyms(word)
                    ]
                )
            ]
        )

    class Reader(WordNetCorpusReader):
        def open(self, file: str) -> Any:
            topics = "".join(f"{number:02} topic 1\n" for number in range(45))
            return io.StringIO(topics) if file == "lexnames" else super().open(file)

        def map_wn(self, _version: str = "wordnet") -> None:
            """Debian lacks what this reads, and METEOR does not need it."""

    nltk.data.path.append(str(_DICTIONARY))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Reader(str(_DICTIONARY), None)


def nltk_meteor(tokens: str) -> Contestant:
    """The meteor_score of nltk, with WordNet."""

    def load() -> Scorer:
        from nltk.translate.meteor_score import meteor_score

        split, reader = _nltk_split(tokens), _wordnet()
        return each(lambda c, r: meteor_score([split(r)], split(c), wordnet=reader))

    return load


def sacrebleu() -> Scorer:
    """The sentence_score of sacrebleu, its caches of tokens emptied before each pass."""
    from sacrebleu.metrics import BLEU
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
    from sacrebleu.tokenizers.tokenizer_re import TokenizerRegexp

    bleu = BLEU(effective_order=True)

    def score(candidates: Sequence[str], references: Sequence[str]) -> Any:
        Tokenizer13a.__call__.cache_clear()
        TokenizerRegexp.__call__.cache_clear()
        return each(lambda c, r: bleu.sentence_score(c, [r]))(candidates, references)

    return score


def bleuscore() -> Scorer:
    """BLEU in Rust: 13a tokens, its own smoothing, so not the same numbers."""
    from bleuscore import compute

    return each(lambda c, r: compute(predictions=[c], references=[[r]], smooth=True))


# Task, then contestant: the first is ours, the second the library it equals, then peers.
TASKS: dict[str, dict[str, Contestant]] = {
    "six ROUGE": {
        "ours": ours(*ROUGE),
        "rouge-score": rouge_score(*_KINDS),
        "rouge-score-rs": rouge_score_rs(*_KINDS),
        "rapidrouge": rapidrouge(*_KINDS),
    },
    "rouge_l": {
        "ours": ours("rouge_l"),
        "rouge-score": rouge_score("rougeL"),
        "rouge-score-rs": rouge_score_rs("rougeL"),
        "rapidrouge": rapidrouge("rougeL"),
        "ours, by pair": ours_by_pair("rouge_l"),
    },
    "bleu": {
        "ours": ours("bleu"),
        "nltk": nltk_bleu("nltk_word"),
        "ours, by pair": ours_by_pair("bleu"),
    },
    "bleu, tokens split": {
        "ours": ours("bleu", tokens="split"),
        "nltk": nltk_bleu("split"),
    },
    "bleu, sacrebleu": {
        "ours": ours("bleu", bleu="sacrebleu"),
        "sacrebleu": sacrebleu,
        "bleuscore": bleuscore,
    },
    "gleu": {"ours": ours("gleu"), "nltk": nltk_gleu("nltk_word")},
    "gleu, tokens split": {
        "ours": ours("gleu", tokens="split"),
        "nltk": nltk_gleu("split"),
    },
    "meteor": {"ours": ours("meteor"), "nltk": nltk_meteor("nltk_word")},
    "meteor, tokens split": {
        "ours": ours("meteor", tokens="split"),
        "nltk": nltk_meteor("split"),
    },
    "all eleven": {"ours": ours(*metrics.METRICS)},
}
