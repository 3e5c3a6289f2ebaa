"""Each tokenizer equals the one it imitates, on real, adversarial and random text."""

import sys
import unicodedata
from itertools import chain
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from metric_texts import ADVERSARIAL, FILES, LONG, TEXTS, some_pairs
from nltk.stem.porter import PorterStemmer
from nltk.tokenize.destructive import NLTKWordTokenizer
from rouge_score.tokenize import tokenize as rouge_tokenize
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sacrebleu.tokenizers.tokenizer_char import TokenizerChar

from metrics import alphanumeric
from metrics.tokens import TOKENIZERS


def _nltk_international():
    """The tokenizer of nltk over property tables from unicodedata: its own must be downloaded.

    nltk_data's tables hold the basic plane, without ideographs and Hangul syllables, which have
    no names there; its "Number" is the table of what is no number; each holds a newline.
    """
    named = [
        character
        for character in map(chr, range(0x10000))
        if not unicodedata.name(character, "CJK UNIFIED").startswith(("CJK UNIFIED", "HANGUL SYL"))
    ]
    kinds = {"Punctuation": "P", "Symbol": "S", "Number": "LMPS"}
    tables = SimpleNamespace(
        chars=lambda kind: [
            "\n",
            *(c for c in named if unicodedata.category(c)[0] in kinds[kind]),
        ]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nltk.corpus.perluniprops", tables)
        patch.delitem(sys.modules, "nltk.tokenize.nist", raising=False)
        from nltk.tokenize.nist import NISTTokenizer

        return NISTTokenizer().international_tokenize


_PORTER = PorterStemmer()
_13A, _CHAR = Tokenizer13a(), TokenizerChar()
_NLTK, _NIST = NLTKWordTokenizer().tokenize, _nltk_international()
ORACLES = {
    "nltk_word": _NLTK,
    "split": str.split,
    # sacrebleu strips the right side before it tokenizes.
    "13a": lambda text: _13A(text.rstrip()).split(),
    "nist_intl": _NIST,
    "azure": lambda text: _NLTK(text) if text.isascii() else _NIST(text),
    "char": lambda text: _CHAR(text).split(),
    "google": lambda text: rouge_tokenize(text, None),
    "google_stem": lambda text: rouge_tokenize(text, _PORTER),
}


@pytest.mark.long
@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("file", FILES)
def test_equals_the_library_on_real_text(name, file):
    texts = {text for pair in some_pairs(file) for text in pair}

    assert [text for text in texts if TOKENIZERS[name](text) != ORACLES[name](text)] == []


@pytest.mark.long
@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("text", [*ADVERSARIAL, *LONG], ids=lambda text: ascii(text[:20]))
def test_equals_the_library_on_adversarial_text(name, text):
    assert TOKENIZERS[name](text) == ORACLES[name](text)


@pytest.mark.parametrize("name", ORACLES)
@given(text=TEXTS)
@example('""a')
@example("''a")
@example("\"''`x")
@example('foo. "')
@example("foo.)\n)")
@example("foo.\x1c")
@example("foo-\n")
@example("a\u0301'b")
@example("²'b")
def test_equals_the_library_on_random_text(name, text):
    assert TOKENIZERS[name](text) == ORACLES[name](text)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't STOP", ["don", "t", "stop"]),
        ("我们 中文", ["我", "们", "中", "文"]),
        ("привет, мир", ["привет", "мир"]),
        ("Straße ﬁne İ", ["strasse", "fine", "i\u0307"]),
        ("cafe\u0301", ["caf\u00e9"]),
        ("ｆｕｌｌ１", ["full1"]),
        ("ガギ", ["ガ", "ギ"]),
        ("😀 ❤\ufe0f !", []),
        ("snake_case", ["snake", "case"]),
        ("हिन्दी", ["हिन्दी"]),
    ],
)
def test_unicode_words(text, tokens):
    """`unicode` is ours and has no oracle: these rows define it."""
    assert TOKENIZERS["unicode"](text) == tokens


@given(text=TEXTS)
def test_unicode_tokens_do_not_depend_on_normalisation(text):
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))

    assert TOKENIZERS["unicode"](composed) == TOKENIZERS["unicode"](decomposed)


@given(texts=st.lists(TEXTS | st.text(alphabet="aB1 .é", max_size=40), min_size=1, max_size=9))
def test_tokens_of_many_texts_at_once(texts):
    """Characters stand for tokens one to one, also for tokens longer than an integer."""
    tokens = [TOKENIZERS["google"](text) for text in texts]
    encoded = alphanumeric.encode(texts)
    meaning = dict(zip(chain.from_iterable(encoded), chain.from_iterable(tokens), strict=True))

    assert [[meaning[character] for character in text] for text in encoded] == tokens
    assert len(set(meaning.values())) == len(meaning)
