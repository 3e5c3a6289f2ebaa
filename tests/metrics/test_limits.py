"""Two long texts are an error or a short wait, never a hang."""

from time import process_time

import pytest

from metrics import METRICS, Settings, TooMuchWork, explain, metric, similarities

WORDS = "wort " * 400


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("fuzzy_match", {}, r"ratio: this pair needs 4\.00e\+06 table cells and 1\.00e\+05"),
        ("fuzzy_match", {"fuzzy_match": "wratio"}, r"fuzzy_match wratio: .* 8\.00e\+09"),
        ("fuzzy_match", {"fuzzy_match": "partial_dp"}, "fuzzy_match partial_dp"),
        ("rouge_l", {}, r"rouge_l: this pair needs 1\.60e\+05"),
        ("rouge_l", {"rouge": "lsum"}, r"rouge_l lsum: this pair needs 1\.60e\+07"),
        ("rouge_l", {"rouge": "pltrdy"}, "rouge_l pltrdy"),
        ("rouge_l", {"backend": "fast"}, "rouge_l fast"),
    ],
)
def test_over_the_limit(name, values, message):
    chosen = metric(name, Settings(work_limit=100_000, **values))

    assert chosen.pair("short", "texts") <= 1.0
    with pytest.raises(TooMuchWork, match=message):
        chosen.pair(WORDS, WORDS)
    with pytest.raises(TooMuchWork, match=message):
        chosen.batch(["a"] * 20 + [WORDS], ["a"] * 20 + [WORDS])


@pytest.mark.parametrize("variant", ["ratio", "wratio", "ratio_dp"])
def test_a_batch_of_long_texts_beside_short_ones_is_within_the_limit(variant):
    """Each pair counts by itself, wherever the longest texts stand."""
    chosen = metric("fuzzy_match", Settings(fuzzy_match=variant, work_limit=10_000))

    texts = ["a" * 900, "b"], ["a", "b" * 900]

    assert chosen.batch(*texts) == [chosen.pair(c, r) for c, r in zip(*texts, strict=True)]


def test_many_short_lines_are_work_too():
    lines = "a\n" * 20_000

    with pytest.raises(TooMuchWork, match="lsum"):
        metric("rouge_l", Settings(rouge="lsum")).pair(lines, lines)


def test_explaining_has_a_limit_of_its_own():
    long = " ".join(map(str, range(40_000)))

    assert METRICS["rouge_l"].pair(long, long) == 1.0
    with pytest.raises(TooMuchWork, match="explain rouge_l"):
        explain("rouge_l", long, long)


@pytest.mark.parametrize("variant", ["wratio_dp", "partial", "ratio", "token_set"])
def test_the_default_limit_is_seconds(variant):
    """Just below it, the worst texts for the scorers that slide: few characters, none equal."""
    chosen = metric("fuzzy_match", Settings(fuzzy_match=variant))
    size = 2_600
    candidate, reference = "ab ba b aab " * (size // 12), "ba abb b a " * (size * 2 // 11)
    start = process_time()
    chosen.pair(candidate, reference)

    assert process_time() - start < 10


def test_a_hundred_thousand_tokens():
    """rouge-score would need a table of 10^10 Python integers."""
    long = " ".join(f"w{number * number % 9973}" for number in range(100_000))
    start = process_time()
    score = METRICS["rouge_l"].pair(long, " ".join(reversed(long.split())))

    assert 0.0 < score < 1.0
    assert process_time() - start < 10


def test_more_words_than_characters(monkeypatch):
    """Every token gets a character of its own, and there are only so many."""
    monkeypatch.setattr("metrics.interning._CHARACTERS", 50)
    monkeypatch.setattr("metrics.interning.FULL", 0)

    with pytest.raises(TooMuchWork, match="more than 50 different tokens"):
        METRICS["gleu"].pair(" ".join(map(str, range(80))), "a")


@pytest.mark.parametrize("limit", ["_CHUNK_TOKENS", "_CHUNK_CHARACTERS"])
def test_batches_of_many_tokens_are_taken_apart(monkeypatch, limit):
    """Above a million tokens the integers of the numpy path would overflow."""
    texts = [f"a b {i} c d e f" for i in range(30)], [f"b c d {i} e f a" for i in range(30)]
    expected = similarities(METRICS, *texts)
    monkeypatch.setattr(f"metrics.overlap.{limit}", 200)

    assert similarities(METRICS, *texts) == expected


def test_a_word_with_synonyms_against_many_others():
    """METEOR asks for the synonyms of each word left over, and not for each word of the text."""
    others = " ".join(f"zq{number}x" for number in range(60_000))
    start = process_time()

    assert METRICS["meteor"].pair("car " * 60_000, others) == 0.0
    assert process_time() - start < 8  # quadratic, it was 45


@pytest.mark.long
def test_what_was_seen_before_decides_nothing():
    """A vocabulary that is nearly full makes room for a text that is not too much by itself."""
    before, after = (" ".join(f"{letter}{i}" for i in range(700_000)) for letter in "qr")
    gleu = metric("gleu", Settings(tokens="split"))

    assert gleu.pair(before[: len(before) * 2 // 3], "a") == 0.0
    assert gleu.pair(after, "a") == 0.0
