"""What holds for every metric in every variant."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_texts import TEXTS, TRAPS, pairs

from metrics import METRICS, Settings, best, best_batch, metric, similarities, similarity
from metrics.families import NAMES, ROUGE
from metrics.fuzzy import VARIANTS as FUZZY
from metrics.settings import BLEU_VARIANTS, TOKENS

ROUGE_SETTINGS = ["google", "stem", "unicode+recall", "char+precision", "lsum", "pltrdy"]
CASES = [
    ("cosine", Settings()),
    *(("fuzzy_match", Settings(fuzzy_match=variant)) for variant in FUZZY),
    *(("bleu", Settings(bleu=variant)) for variant in BLEU_VARIANTS),
    *((name, Settings(tokens=tokens)) for name in ("bleu", "gleu", "meteor") for tokens in TOKENS),
    ("meteor", Settings(meteor="no_synonyms")),
    *((name, Settings(rouge=variant)) for name in ROUGE for variant in ROUGE_SETTINGS),
    *((name, Settings(backend="fast")) for name in ROUGE),
]
EVERY = pytest.mark.parametrize(
    ("name", "settings"), CASES, ids=[metric(*case).signature for case in CASES]
)
SYMMETRIC = [
    ("cosine", Settings()),
    ("gleu", Settings()),
    *(("fuzzy_match", Settings(fuzzy_match=variant)) for variant in FUZZY),
    *((name, Settings(rouge=rouge)) for name in ROUGE for rouge in ("google", "unicode")),
]
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=8, max_size=14)


@EVERY
def test_a_batch_is_its_pairs_bit_for_bit(name, settings):
    """Alone, in a handful, in hundreds; on adversarial and on real texts."""
    chosen = metric(name, settings)
    for texts in (TRAPS, TRAPS[:3], pairs("summeval")[::40], [("a b", "b a")], []):
        candidates, references = [c for c, _ in texts], [r for _, r in texts]

        assert chosen.batch(candidates, references) == [chosen.pair(c, r) for c, r in texts]


@pytest.mark.long
@given(texts=PAIRS)
def test_random_batches_are_their_pairs(texts):
    candidates, references = zip(*texts, strict=True)
    columns = similarities(NAMES, candidates, references)

    assert columns == {name: [METRICS[name].pair(c, r) for c, r in texts] for name in NAMES}


@pytest.mark.long
@given(candidate=TEXTS, reference=TEXTS)
def test_scores_are_floats_from_0_to_1(candidate, reference):
    for name, settings in CASES:
        score = similarity(name, candidate, reference, settings)

        assert isinstance(score, float)
        assert 0.0 <= score <= 1.0


@given(a=TEXTS, b=TEXTS)
def test_symmetric(a, b):
    """For these it does not matter which text is the reference."""
    for name, settings in SYMMETRIC:
        assert similarity(name, a, b, settings) == similarity(name, b, a, settings)


@EVERY
def test_batches_of_different_length_are_refused(name, settings):
    for count in (1, 20):
        with pytest.raises(ValueError, match=r"differ|shorter|longer|length"):
            metric(name, settings).batch(["a"] * (count + 1), ["a"] * count)


def test_similarities_of_different_length_are_refused():
    with pytest.raises(ValueError, match="2 candidates but 1 references"):
        similarities(["bleu"], ["a", "b"], ["a"])


def test_similarities_come_in_the_order_asked():
    scores = similarities(["rouge_l", "bleu", "rouge_l", "cosine"], ["a b"], ["a c"])

    assert list(scores) == ["rouge_l", "bleu", "cosine"]


@pytest.mark.parametrize("name", NAMES)
def test_the_best_of_several_references(name):
    candidate, *references = "the red fox", "a dog", "red foxes", "the red fox ran", "a dog"
    scores = [METRICS[name].pair(candidate, reference) for reference in references]

    assert best(METRICS[name], candidate, references) == (max(scores), scores.index(max(scores)))


def test_best_takes_the_first_of_equals_and_no_empty_list():
    rouge = METRICS["rouge_1"]

    assert best_batch(rouge, ["x", "a"], [["b", "c"], ["b", "a", "a"]]) == [(0.0, 0), (1.0, 1)]
    with pytest.raises(ValueError, match="candidate 1 has no reference"):
        best_batch(rouge, ["x", "a"], [["b"], []])


def test_a_full_vocabulary_is_replaced_between_pairs(monkeypatch):
    """Memory is bounded, and the two sides of a pair never use two vocabularies."""
    expected = [METRICS["gleu"].pair(*pair) for pair in TRAPS]
    monkeypatch.setattr("metrics.interning.FULL", 5)
    monkeypatch.setattr("metrics.meteor.FULL", 5)

    assert [METRICS["gleu"].pair(*pair) for pair in TRAPS] == expected


def test_threads_share_vocabularies():
    """Two threads that meet new words at the same time do not give them one character."""
    texts = [(f"w{i} w{i + 1} w{i + 3}", f"w{i + 1} w{i + 3} w{i}") for i in range(3_000)]
    settings, found = Settings(tokens="split"), []

    def score():
        chosen = metric("gleu", settings)
        found.append([chosen.pair(*pair) for pair in texts])

    threads = [threading.Thread(target=score) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [[4 / 6] * len(texts)] * 4
