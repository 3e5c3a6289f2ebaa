"""fuzzy_match equals rapidfuzz to the last bit, and the hosted scores there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_texts import FILES, TEXTS, TRAPS, differing, pairs
from rapidfuzz import fuzz, utils
from rapidfuzz.distance import Levenshtein

from metrics import Settings, metric
from metrics.fuzzy import VARIANTS

_SCORERS = {
    "ratio": fuzz.ratio,
    "wratio": fuzz.WRatio,
    "token_set": fuzz.token_set_ratio,
    "token_sort": fuzz.token_sort_ratio,
    "partial": fuzz.partial_ratio,
    "levenshtein": Levenshtein.normalized_similarity,
}


def _library(variant):
    kind = variant.removesuffix("_dp")
    processor = utils.default_process if variant.endswith("_dp") else None
    best = 1 if kind == "levenshtein" else 100
    return lambda a, b: _SCORERS[kind](a, b, processor=processor) / best


def _ours(variant):
    return metric("fuzzy_match", Settings(fuzzy_match=variant)).pair


@pytest.mark.long
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("file", FILES)
def test_equals_rapidfuzz_on_real_rows(file, variant):
    rows = pairs(file)[:: 7 if file == "evouna_nq" else 3]

    assert differing(_ours(variant), _library(variant), rows) == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_rapidfuzz_on_adversarial_pairs(variant):
    assert differing(_ours(variant), _library(variant), TRAPS) == []


_FEW = st.text(alphabet="ab cd", max_size=90)


@pytest.mark.parametrize("variant", VARIANTS)
@given(candidate=TEXTS | _FEW, reference=TEXTS | _FEW)
def test_equals_rapidfuzz_on_random_pairs(variant, candidate, reference):
    assert _ours(variant)(candidate, reference) == _library(variant)(candidate, reference)


@given(shorter=st.text(alphabet="ab ", min_size=1, max_size=12))
def test_wratio_at_eight_times_the_length(shorter):
    """A boundary that rapidfuzz moved: 3.10.1 excludes exactly 8, 3.14 includes it."""
    longer = ("ba c" * len(shorter) * 2)[: 8 * len(shorter)]

    assert _ours("wratio")(shorter, longer) == _library("wratio")(shorter, longer)


def test_hosted_wratio():
    """A recorded hosted result, of a python grader that called WRatio with default_process."""
    pair = ("fuzzy wuzzy was a bear", "fuzzy wuzzy had no hair")

    assert _ours("wratio_dp")(*pair) == 0.7555555555555555
