"""Settings: what is allowed, what is said of the rest, and what signatures say."""

import pytest

from metrics import METRICS, Settings, metric, similarity


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fuzzy_match": "ratios"}, r"fuzzy_match=\.\.\.\): 'ratios' .* Did you mean 'ratio'\?"),
        ({"bleu": "method5"}, r"bleu=.*'method5' is none of none, method1, .* sacrebleu\."),
        ({"rouge": "stemm"}, r"rouge=.*'stemm' is none of google, .*Did you mean 'stem'\?"),
        ({"rouge": ""}, "rouge=.*'' is none of google"),
        ({"rouge": "stem+unicode"}, "'stem' and 'unicode' cannot be combined .* decide the tokens"),
        ({"rouge": "recall+precision"}, "both decide the statistic"),
        ({"rouge": "pltrdy+stem"}, "both decide the tokens"),
        ({"rouge": "google+pltrdy"}, "both decide the library"),
        ({"rouge": "lsum+pltrdy"}, "both decide the lsum"),
        ({"meteor": "wordnets"}, "meteor=.*Did you mean 'wordnet'"),
        ({"cosine": "hash"}, "cosine=.*'hash' is none of hash_char"),
        ({"tokens": "google"}, "tokens=.*'google' is none of nltk_word, split, 13a"),
        ({"work_limit": 0}, "work_limit=.*at least 1, got 0"),
        ({"backend": "rust"}, "backend=.*'rust' is none of own, fast"),
        ({"backend": "fast", "rouge": "unicode"}, "rouge-score-rs has no tokens 'unicode'"),
    ],
)
def test_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Settings(**values)


def test_an_unknown_metric_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"'rouge_6' is none of cosine, .*Did you mean 'rouge_"):
        similarity("rouge_6", "a", "a")


@pytest.mark.parametrize(
    ("name", "values", "signature"),
    [
        ("cosine", {}, "cosine|embedder:hash_char"),
        ("fuzzy_match", {}, "fuzzy_match|v:ratio|lib:rapidfuzz-3.14"),
        (
            "fuzzy_match",
            {"fuzzy_match": "token_set_dp"},
            "fuzzy_match|v:token_set_dp|lib:rapidfuzz-3.14",
        ),
        ("bleu", {}, "bleu|v:method4|tok:nltk_word|lib:nltk-3.10"),
        ("bleu", {"bleu": "none", "tokens": "char"}, "bleu|v:none|tok:char|lib:nltk-3.10"),
        ("bleu", {"bleu": "sacrebleu"}, "bleu|v:sacrebleu|tok:13a|lib:sacrebleu-2.6"),
        ("gleu", {"tokens": "azure"}, "gleu|tok:azure|lib:nltk-3.10"),
        ("meteor", {}, "meteor|v:wordnet|tok:nltk_word|lib:nltk-3.10|data:wordnet-3.0"),
        ("meteor", {"meteor": "no_synonyms"}, "meteor|v:no_synonyms|tok:nltk_word|lib:nltk-3.10"),
        ("rouge_2", {}, "rouge_2|v:f1|tok:google|lib:rouge-score-0.1.2"),
        (
            "rouge_l",
            {"rouge": "recall+lsum+stem"},
            "rouge_l|v:lsum+recall|tok:google_stem|lib:rouge-score-0.1.2",
        ),
        ("rouge_2", {"rouge": "lsum"}, "rouge_2|v:f1|tok:google|lib:rouge-score-0.1.2"),
        ("rouge_l", {"rouge": "pltrdy"}, "rouge_l|v:f1|tok:pltrdy|lib:rouge-1.0.1"),
        ("rouge_l", {"rouge": "unicode"}, "rouge_l|v:f1|tok:unicode|lib:rouge-score-0.1.2"),
        (
            "rouge_l",
            {"backend": "fast"},
            "rouge_l|v:f1|tok:google|lib:rouge-score-0.1.2|backend:rouge-score-rs",
        ),
    ],
)
def test_signatures(name, values, signature):
    """What determines a number is in its signature, and nothing else."""
    assert metric(name, Settings(**values)).signature == signature


def test_the_order_of_rouge_parts_does_not_matter():
    assert (
        metric("rouge_l", Settings(rouge="stem+recall")).signature
        == metric("rouge_l", Settings(rouge="google+recall+stem")).signature
    )


def test_the_eleven():
    assert list(METRICS) == [
        *("cosine", "fuzzy_match", "bleu", "gleu", "meteor"),
        *("rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"),
    ]
    assert [chosen.name for chosen in METRICS.values()] == list(METRICS)
