"""Texts for the metric tests: the three real files, a table of traps, and random ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from hypothesis import strategies as st

DATA = Path(__file__).parents[2].parent / "shared" / "data"
FILES = ("evouna_nq", "stsb_en_test", "summeval")

Pair = tuple[str, str]


# Every how many samples are enough for a slow oracle; every one was compared once.
STEPS = {"evouna_nq": 17, "stsb_en_test": 2, "summeval": 7}


@cache
def pairs(name: str) -> list[Pair]:
    """(candidate, reference) of every sample of one file."""
    path = DATA / f"{name}.jsonl"
    if not path.exists():
        pytest.skip(f"the real rows are not at {path}")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        (sample["output_text"], row["item"]["reference_answer"])
        for row in rows
        for sample in row["samples"]
    ]


ADVERSARIAL = [
    "",
    " ",
    "\n\t \u3000",
    "a",
    "the",
    "...",
    "?! -- ''",
    '"',
    "the the the the the",
    "a b a b a b a",
    "The quick brown fox jumps over the lazy dog.",
    "the lazy dog jumped over the quick brown foxes!",
    "It's  John's; they'll can't wanna gimme 3,000.50 (or $5)...",
    '"Quoted," he said. "Twice."',
    'so he said. "',
    "it's'",
    "it's'\nnext",
    "line one\nline two.\n\nline three",
    "我们都喜欢学习中文，国家。",
    "我们喜欢中文",
    "مرحبا بالعالم، كيف حالك؟",
    "日本語のテキスト、カタカナ",
    "ภาษาไทย สวัสดี",
    "😀 👩\u200d👩\u200d👧 ❤\ufe0f",
    "caf\u00e9 na\u00efve \u00c5ngstr\u00f6m",
    "cafe\u0301 nai\u0308ve A\u030angstro\u0308m",
    "İstanbul ſtraße K ﬁne ΣΑΣ",
    "x\ud800y \udfff z",
    "&quot;entities&quot; &amp;lt; <skipped> -\nhyphen",
    "10.5 1,2 3. 4: 5-6 ٣٫٥ ²",
    "\x1cseparated\x1fby control.\x1c",
    "running runs ran happily happy car automobile",
    "an auto runs happily by the motorcar",
]
LONG = [" ".join(f"w{i * i % 997}" for i in range(10_000)), "spam " * 10_000]

TRAPS = list(product(ADVERSARIAL, repeat=2))

# Pieces that tokenizers and stemmers treat specially, next to plain ones.
_PIECES = st.sampled_from(
    [
        *("a", "b", "cat", "cats", "The", "not", "can", "wan", "na", "gim", "me", "1", "23"),
        *(" ", " ", " ", "\n", "\t", "\u2028", "\x1c", "\xa0", "\u3000"),
        *(".", "..", ",", ":", ";", "-", "--", "–", "?", "!", "*", "$", "%", "&", "_"),
        *("'", "''", '"', "`", "``", "«", "»", "“", "”", "’", "‘", "„"),
        *("'s", "n't", "'ll", "'S", "'tis", "d'ye", "more'n", "(", ")", "[", "]", "}", "<", ">"),
        *("é", "e\u0301", "\u0301", "²", "中", "国", "，", "م", "😀", "\ud800", "Ⓐ", "İ", "ſ"),
        *("&amp;", "&lt;", "&quot;", "&#91;", "<skipped>", "-\n", "\u200d"),
    ]
)
TEXTS = st.lists(_PIECES, max_size=24).map("".join) | st.text(max_size=20)


def some_pairs(name: str) -> list[Pair]:
    """`pairs`, thinned out for slow oracles."""
    return pairs(name)[:: STEPS[name]]


def differing(
    ours: Callable[[str, str], float],
    oracle: Callable[[str, str], float],
    among: Iterable[Pair],
) -> list[tuple[Pair, float, float]]:
    """The pairs whose numbers differ in any bit: none, if all is well."""
    return [
        (pair, one, other) for pair in among if (one := ours(*pair)) != (other := oracle(*pair))
    ][:5]
