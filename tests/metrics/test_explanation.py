"""An explanation says where the number comes from, and its parts give the number."""

import re

import pytest
from hypothesis import given
from metric_texts import TEXTS

from metrics import Settings, explain, metric, similarity
from metrics.families import NAMES, ROUGE
from metrics.rouge import f1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rouge", ["google", "lsum", "pltrdy"])
@given(candidate=TEXTS, reference=TEXTS)
def test_the_score_is_the_metrics(name, rouge, candidate, reference):
    settings = Settings(rouge=rouge)
    found = explain(name, candidate, reference, settings)

    assert found.score == similarity(name, candidate, reference, settings)
    assert found.signature == metric(name, settings).signature


def test_bleu():
    found = explain("bleu", "A red fox.", "The red fox ran.")

    assert found.candidate == ["A", "red", "fox", "."]
    assert found.brevity_penalty == pytest.approx(0.7788, abs=1e-4)
    assert [match.shared for match in found.ngrams] == [
        {"red": 1, "fox": 1, ".": 1},
        {"red fox": 1},
        {},
        {},
    ]
    assert [(match.n, match.candidate, match.reference) for match in found.ngrams] == [
        (1, 4, 5),
        (2, 3, 4),
        (3, 2, 3),
        (4, 1, 2),
    ]


def test_shared_ngrams_are_clipped():
    (match,) = explain("rouge_1", "the the the", "the cat").ngrams

    assert match.shared == {"the": 1}


def test_pltrdy_counts_each_ngram_once():
    (match,) = explain("rouge_1", "a a b", "a a", Settings(rouge="pltrdy")).ngrams

    assert (match.candidate, match.reference, match.shared) == (2, 1, {"a": 1})


@given(candidate=TEXTS, reference=TEXTS)
def test_the_path_has_the_length_of_the_score(candidate, reference):
    found = explain("rouge_l", candidate, reference)
    matched = [(found.candidate[i], found.reference[j]) for i, j in found.lcs]

    assert all(ours == theirs for ours, theirs in matched)
    assert found.score == f1(len(matched), len(found.candidate), len(found.reference))


def test_paths_by_line():
    """Positions count through the whole texts; one reference token may match in two lines."""
    found = explain("rouge_l", "a b\nc b", "x\nc b", Settings(rouge="lsum"))

    assert found.lcs == [(1, 2), (2, 1), (3, 2)]


def test_meteor():
    found = explain("meteor", "Two dogs and an automobile", "a car and two dog")

    assert found.candidate == ["two", "dogs", "and", "an", "automobile"]
    assert found.meteor.exact == [(0, 3), (2, 2)]
    assert found.meteor.stem == [(1, 4)]
    assert found.meteor.synonym == []
    assert found.meteor.chunks == 2
    assert found.score == (1 - found.meteor.penalty) * found.meteor.f_mean


def test_meteor_synonyms_are_looked_up_for_stems():
    assert explain("meteor", "a car", "a motorcar").meteor.synonym == [(1, 1)]
    assert explain("meteor", "happy", "glad").meteor.synonym == []


def test_what_was_compared():
    found = explain("fuzzy_match", "A-B!", "a b", Settings(fuzzy_match="ratio_dp"))

    assert (found.candidate, found.reference, found.score) == (["a b"], ["a b"], 1.0)


def test_cosine_before_the_floor():
    assert explain("cosine", "same text", "same text").cosine == 1.0


@pytest.mark.parametrize(
    ("name", "text", "values", "note"),
    [
        ("bleu", "a red fox", {}, r"3 tokens and bleu looks at 4-grams: .* score 0\.58"),
        ("bleu", "red fox", {}, r"2 tokens .* score 0\.22; bleu=sacrebleu leaves out"),
        ("rouge_3", "red fox", {}, "a text of 2 tokens has no 3-grams: 0.0, even against itself"),
        ("meteor", "fox", {}, r"identical texts of 1 tokens score 0\.50 under meteor"),
        ("rouge_l", "红色", {}, "the candidate: google leaves no token"),
        ("bleu", "fox", {}, None),
        ("bleu", "red fox", {"bleu": "sacrebleu"}, None),
        ("rouge_1", "red fox", {}, None),
        ("fuzzy_match", "fox", {}, None),
    ],
)
def test_traps(name, text, values, note):
    """Identical short texts do not always score 1.0; then there is a note that says why."""
    found = explain(name, text, text, Settings(**values))

    assert (found.score == 1.0) == (note is None)
    if note is None:
        assert found.notes == []
    else:
        assert re.search(note, found.notes[0])


def test_rouge_names_are_the_ones_with_ngrams_and_lcs():
    assert [name for name in NAMES if explain(name, "a b c d e", "a b c d e").lcs] == ["rouge_l"]
    assert [bool(explain(name, "a b c d e f", "a b c d e f").ngrams) for name in ROUGE[:-1]] == [
        True
    ] * 5


def test_the_path_of_pltrdy_is_the_one_that_was_scored():
    """Of several paths, the one whose words the package counts: it asks the reference first."""
    candidate, reference = "d d d b a d a", "d d a d c b a"
    settings = Settings(rouge="pltrdy")
    words = {
        reference.split()[j] for _, j in explain("rouge_l", candidate, reference, settings).lcs
    }
    precision, recall = len(words) / 3, len(words) / 4

    score = metric("rouge_l", settings).pair(candidate, reference)
    assert score == pytest.approx(2 * precision * recall / (precision + recall), abs=1e-7)


@pytest.mark.parametrize("variant", ["ratio", "ratio_dp"])
@given(candidate=TEXTS, reference=TEXTS)
def test_the_edits_of_fuzzy_match_are_its_score(variant, candidate, reference):
    """The share of characters that need no edit; other variants have no such number."""
    found = explain("fuzzy_match", candidate, reference, Settings(fuzzy_match=variant))
    other = explain("fuzzy_match", candidate, reference, Settings(fuzzy_match="token_set"))
    size = len(found.candidate[0]) + len(found.reference[0])

    assert found.score == pytest.approx(1 - found.edits / size if size else 1.0)
    assert other.edits is None
