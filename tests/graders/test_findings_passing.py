"""What a study says in words of thresholds and of passing."""

from dataclasses import replace

import numpy as np
import pytest
from studying import SPREAD, found, samples

from graders.errors import FailureKind
from graders.studies.teach.findings import verdicts_of
from graders.studies.teach.observed_columns import KINDS
from graders.studies.teach.teaching import Settings, study_of

TIMEOUT = KINDS.index(FailureKind.MODEL_SERVER)


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ([1 / 21, 1 / 3, 2 / 3, 1.0], "pass from 0.3 on: 25 % fail there."),
        ([0.999, 0.999, 0.9995, 0.9995, 0.9998], "pass from 0.9995 on: 40 % fail there."),
        ([1231, 1234, 1235, 1239], "pass from 1234 on: 25 % fail there."),
        ([0.999, 0.999, 0.999, 0.9991, 0.9991], "at 0.9991, the nearest, 60 % do."),
    ],
)
def test_a_threshold_in_words_is_the_one_that_its_numbers_belong_to(scores, said):
    """In as few digits as let the same samples pass, and in no fewer."""
    ((_, text),) = found("threshold", *scores * 4)

    assert text.endswith(said)


@pytest.mark.parametrize(
    ("passed", "tone", "text"),
    [
        ([1, 0, 0, 0] * 4, "note", "A sample passes in 25 %, at least one of 4 in 100 % (pass@4)."),
        ([0] * 16, "bad", "A sample passes in 0 %, at least one of 4 in 0 % (pass@4)."),
    ],
)
def test_passing(passed, tone, text):
    """And bad, where nothing ever passes."""
    assert found("pass-at-k", *SPREAD * 4, passed=passed) == [(tone, text)]


def test_what_few_items_have_as_many_samples_for_is_not_said():
    """Of one item with many samples, and many with two, pass@2 says more."""
    few = samples(SPREAD * 16, passed=[1, 0, 0, 0] * 16)
    items = np.array([0] * 32 + [1 + place // 2 for place in range(32)])
    study = study_of(replace(few, items=items, names=tuple(range(17))), Settings(resamples=0))
    (text,) = (one.text for one in verdicts_of(study) if one.code == "pass-at-k")

    assert text.endswith(" (pass@2).")


def test_where_nothing_passes_there_is_no_lowest_score_that_does():
    """Though runs are compared by a threshold just above the highest."""
    none = study_of(samples(SPREAD, passed=[0] * 4), Settings(resamples=0))
    some = study_of(samples(SPREAD, passed=[0, 0, 0, 1]), Settings(resamples=0))

    assert none.pass_threshold > max(SPREAD)
    assert none.lowest_passing is None
    assert some.lowest_passing == SPREAD[-1]


def test_a_threshold_that_lets_enough_fail_is_good():
    """Nothing need be changed."""
    assert found("threshold", *SPREAD * 4, passed=[0, 1, 1, 1] * 4) == [
        ("good", "25 % of samples fail the threshold, within 25 % to 50 %.")
    ]


FAILED = [0, 0, TIMEOUT, TIMEOUT] * 4


@pytest.mark.parametrize(
    ("code", "more", "tone", "text"),
    [
        (
            "pass-at-k",
            {"passed": [1, 0, 0, 0] * 4},
            "note",
            "A sample passes in 25 %, at least one of 4 in 100 % (pass@4); 8 failures count as not "
            "passed.",
        ),
        (
            "pass-at-k",
            {"passed": [1, 1, 1, 0] + [1] * 12, "kinds": [0, 0, 0, TIMEOUT] + [0] * 12},
            "note",
            "A sample passes in 94 %, at least one of 4 in 100 % (pass@4); 1 failure counts as not "
            "passed.",
        ),
        (
            "threshold",
            {"passed": [1, 0, 0, 0] * 4},
            "note",
            "75 % of samples do not pass: 8 of them failed, and 50 % of those with a score are "
            "below the threshold, within 25 % to 50 %.",
        ),
        (
            "threshold",
            {"passed": [1, 0, 1, 1] * 3 + [1, 0, 1, 0], "kinds": [0] * 15 + [TIMEOUT]},
            "good",
            "31 % of samples do not pass: 1 of them failed, and 27 % of those with a score are "
            "below the threshold, within 25 % to 50 %.",
        ),
        (
            "threshold",
            {"passed": [1, 1, 0, 0] * 4},  # of all samples half do not pass, of the scored none
            "note",
            "For 25 % to 50 % to fail, let samples pass from 1 on: 50 % fail there, of those with "
            "a score, beside 8 that failed.",
        ),
        (
            "threshold",
            {"kinds": [0, 0, TIMEOUT, TIMEOUT] * 4, "rewards": [0.5, 0.5, np.nan, np.nan] * 4},
            "note",
            "No threshold lets 25 % to 50 % of samples fail, too many scores are equal: at 0.5, "
            "the nearest, 0 % do, of those with a score, beside 8 that failed.",
        ),
    ],
)
def test_a_failure_does_not_pass_and_makes_no_threshold(code, more, tone, text):
    """As in a run's pass rate; and a sentence that counts failures says how many they are."""
    kinds = more.pop("kinds", FAILED)
    rewards = more.pop("rewards", None) or [
        np.nan if k else h for k, h in zip(kinds, [1.0, 0.0] * 8, strict=True)
    ]

    assert found(code, *rewards, kinds=kinds, **more) == [(tone, text)]
