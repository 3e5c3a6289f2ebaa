"""The metric `cosine`: its edges, and its laws over every kind of embedder."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.cosine import cosine
from metrics.embed import EmbeddingError, SparseEmbedder, from_callable, load_embedder

VECTORS = {
    "east": [1.0, 0.0],
    "far east": [3.0, 0.0],
    "north": [0.0, 1.0],
    "north-east": [2.0, 2.0],
    "west": [-0.5, 0.0],
    "nowhere": [0.0, 0.0],
    "tiny east": [5e-324, 0.0],
    "huge east": [1e308, 0.0],
}
COMPASS = cosine(from_callable("compass", lambda texts: [VECTORS[text] for text in texts]))


def letters(texts):
    """Embed by vowel counts, with some noise that shows every last bit."""
    return [[text.lower().count(vowel) - 0.1 * len(text) for vowel in "aeiou"] for text in texts]


METRICS = [cosine(), cosine(from_callable("letters", letters)), COMPASS]
METRIC_TEXTS = [st.text(), st.text(), st.sampled_from([*VECTORS, "", " \n"])]


@pytest.mark.parametrize(
    ("candidate", "reference", "raw"),
    [
        ("east", "far east", 1.0),
        ("east", "north", 0.0),
        ("east", "north-east", 0.5**0.5),
        ("east", "west", -1.0),
        ("west", "north-east", -(0.5**0.5)),
        ("tiny east", "huge east", 1.0),
        ("tiny east", "west", -1.0),
        ("nowhere", "east", 0.0),
        ("nowhere", "nowhere", 0.0),
        ("", "east", 0.0),
        ("east", " \n\u3000", 0.0),
        ("", "", 0.0),
    ],
)
def test_cosine(candidate, reference, raw):
    assert COMPASS.raw(candidate, reference) == pytest.approx(raw, abs=1e-15)
    assert COMPASS.pair(candidate, reference) == max(0.0, COMPASS.raw(candidate, reference))


@pytest.mark.parametrize(
    ("candidate", "reference", "expected"),
    [
        ("Wilhelm Röntgen", "Wilhelm Conrad Röntgen", 0.8401680504168058),
        ("the cat sat", "The cat sat.", 0.7807200583588266),
        ("東京", "東京都", 0.2357022603955159),
        ("Caf\u00e9", "Cafe\u0301", 0.28867513459481287),
        ("😀 😀", "😀", 1.0),
        ("yes", "no", 0.0),
        ("", "", 0.0),
        (" ", "a", 0.0),
    ],
)
def test_cosine_of_hash_char(candidate, reference, expected):
    """The numbers are scikit-learn's, within 1e-12."""
    assert cosine().pair(candidate, reference) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_the_signature_names_the_embedder(metric):
    assert metric.name == "cosine"
    assert metric.signature == f"cosine|embedder:{metric.embedder.name}"


def test_an_embedder_is_given_or_named():
    assert cosine() == cosine("hash_char") == cosine(load_embedder("hash_char"))
    assert isinstance(cosine().embedder, SparseEmbedder)
    assert not isinstance(COMPASS.embedder, SparseEmbedder)


@given(st.data())
@pytest.mark.parametrize("index", range(len(METRICS)))
def test_laws(index, data):
    """Batch equals pair bit for bit; symmetric; in [0, 1]; 1 for equal texts or 0 for zeros."""
    metric, texts = METRICS[index], METRIC_TEXTS[index]
    ours, theirs = data.draw(st.lists(texts, max_size=5)), []
    theirs = [data.draw(texts) for _ in ours]
    scores = metric.batch(ours, theirs)

    assert scores == [metric.pair(a, b) for a, b in zip(ours, theirs, strict=True)]
    assert scores == metric.batch(theirs, ours)
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert set(metric.batch(ours, ours)) <= {0.0, 1.0}
    raws = metric.raw_batch(ours, theirs)
    assert scores == [max(0.0, raw) for raw in raws]


@pytest.mark.parametrize("metric", METRICS)
def test_batches_of_different_length_are_refused(metric):
    with pytest.raises(ValueError, match="shorter"):
        metric.batch(["east", "west"], ["east"])


def test_each_distinct_text_is_embedded_once_and_blank_ones_never():
    seen = []

    def embed(texts):
        seen.extend(texts)
        return np.ones((len(texts), 3))

    metric = cosine(from_callable("ones", embed, together=True))

    assert metric.batch(["a", "b", "a", " "], ["c", "c", "", ""]) == [1.0, 1.0, 0.0, 0.0]
    assert seen == ["a", "c", "b"]
    assert metric.batch([" "], ["a"]) == [0.0]
    assert metric.batch([], []) == []


def test_an_embedder_of_another_make_is_checked_too():
    class Broken:
        name = "broken"

        def embed(self, texts):
            return np.full((len(texts), 2), np.nan)

    with pytest.raises(EmbeddingError, match="embedder 'broken': the vector of text 0"):
        cosine(Broken()).pair("a", "b")


def test_scores_are_plain_floats():
    for metric, text in zip(METRICS, ("a", "a", "east"), strict=True):
        assert json.dumps(metric.batch([text], [text])) == "[1.0]"
