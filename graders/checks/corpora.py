"""Which nltk data a Python source asks for: corpora by name, functions that load some, downloads.

Names are as in nltk 3.9; where a function of it needs data, that is what it loads for English.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from graders.checks.scopes import Scope, caught

Nodes = Sequence[tuple[ast.AST, Scope]]

_NO_CORPORA: Final = frozenset(
    {"reader", "util", "demo", "find_corpus_fileids", "tagged_treebank_para_block_reader"}
)
"""What nltk.corpus has beside corpora and classes, which begin with a capital."""

_NEEDS: Final = {
    **dict.fromkeys(("word_tokenize", "sent_tokenize"), "punkt_tab"),
    **dict.fromkeys(("pos_tag", "pos_tag_sents"), "averaged_perceptron_tagger_eng"),
    **dict.fromkeys(("ne_chunk", "ne_chunk_sents"), "maxent_ne_chunker_tab"),
    **dict.fromkeys(("meteor_score", "single_meteor_score", "WordNetLemmatizer"), "wordnet"),
    "SentimentIntensityAnalyzer": "vader_lexicon",
}
"""What functions and classes load, wherever in nltk they are taken from."""

_DOWNLOADS: Final = frozenset({"nltk.download", "nltk.downloader.download"})
_FINDS: Final = frozenset({"nltk.data.find", "nltk.data.load"})
_OF_A_FAILED_LOOKUP: Final = frozenset({"LookupError", "Exception", "BaseException"})


@dataclass(frozen=True, slots=True)
class Need:
    """One place that asks for data.

    Attributes:
        data: Its name, `stopwords`; empty where it is computed.
        line: Counted from 1.
        needed_by: The function that needs it; empty where the data is named.
        is_download: Whether the data is to be fetched here.
        is_fallback: Whether that is for the case that it is not there.
    """

    data: str
    line: int
    needed_by: str = ""
    is_download: bool = False
    is_fallback: bool = False


def needed_data(nodes: Nodes) -> Iterator[Need]:
    """Every place of a source that asks for nltk data, in source order.

    Example:
        >>> from graders.checks.scopes import scoped
        >>> tree = ast.parse("from nltk.corpus import reader, stopwords")
        >>> [need.data for need in needed_data(scoped(tree))]
        ['stopwords']
    """
    unsplit, fallbacks = _unsplit(nodes), _fallbacks(nodes)
    for node, scope in nodes:
        match node:
            case ast.ImportFrom(module=str(module), level=0, names=names):
                for alias in names:
                    yield from _named(f"{module}.{alias.name}", alias.lineno, unsplit)
            case ast.Attribute():
                yield from _named(scope.dotted(node) or "", node.lineno, unsplit)
            case ast.Call(lineno=line):
                called = scope.dotted(node.func)
                if called in _DOWNLOADS:
                    for text in _texts(node) or [""]:
                        fallback = id(node) in fallbacks
                        yield Need(text, line, is_download=True, is_fallback=fallback)
                elif called in _FINDS:
                    parts = [text.removeprefix("nltk:").split("/") for text in _texts(node)]
                    yield from (Need(p[1].removesuffix(".zip"), line) for p in parts if p[1:])


def _named(name: str, line: int, unsplit: set[str | None]) -> Iterator[Need]:
    owner, _, last = name.rpartition(".")
    if owner == "nltk.corpus" and last.islower() and last not in _NO_CORPORA:
        yield Need(last, line)
    elif owner.partition(".")[0] == "nltk" and last in _NEEDS and name not in unsplit:
        yield Need(_NEEDS[last], line, needed_by=last)


def _unsplit(nodes: Nodes) -> set[str | None]:
    """Tokenizers that are only called with preserve_line=True, and then need no data."""
    whole, split = set[str | None](), set[str | None]()
    for node, scope in nodes:
        if isinstance(node, ast.Call):
            keeps = any(
                word.arg == "preserve_line"
                and isinstance(word.value, ast.Constant)
                and word.value.value is True
                for word in node.keywords
            )
            (whole if keeps else split).add(scope.dotted(node.func))
    return whole - split


def _fallbacks(nodes: Nodes) -> set[int]:
    """Nodes that only run where something was not found, by id."""
    handlers = [
        node
        for node, scope in nodes
        if isinstance(node, ast.ExceptHandler) and caught(node, scope) & _OF_A_FAILED_LOOKUP
    ]
    return {id(inner) for handler in handlers for inner in ast.walk(handler)}


def _texts(call: ast.Call) -> list[str]:
    """The strings that a call's first argument is or lists; none where it is computed."""
    for argument in (*call.args, *(word.value for word in call.keywords))[:1]:
        parts = argument.elts if isinstance(argument, (ast.List, ast.Tuple)) else [argument]
        values = [part.value for part in parts if isinstance(part, ast.Constant)]
        return [value for value in values if isinstance(value, str)]
    return []
