"""What a study says of length in words."""

import numpy as np
import pytest
from studying import SPREAD, found, samples

from graders.studies.statistics.length import partial_spearman
from graders.studies.teach.findings import verdicts_of
from graders.studies.teach.teaching import Settings, study_of
from graders.studies.teach.written import Written
from graders.studies.verdict import percent


@pytest.mark.parametrize(
    ("chars", "tone", "text"),
    [
        ([1, 2, 3, 4], "warning", "Rewards rise with length: Spearman 1.00; the longer of two sam"),
        ([4, 3, 2, 1], "warning", "Rewards fall with length: Spearman -1.00; the longer of two sa"),
        ([1, 2, 3], "note", "Rewards rise with length: Spearman 1.00; the longer of two sampl"),
        ([2, 1, 4, 3], "warning", "Rewards rise with length: Spearman 0.60; the longer of two sam"),
        (
            [3, 1, 4, 2],
            "note",
            "Rewards neither rise nor fall with length: Spearman 0.00; the longer of",
        ),
        (
            [5, 5, 5, 5],
            "note",
            "Whether rewards go with length cannot be said: lengths do not vary",
        ),
    ],
)
def test_length(chars, tone, text):
    """Which way, and how far."""
    times = 8 if len(chars) == 4 else 1  # of three samples nothing is a warning
    rewards = (SPREAD * times)[: len(chars) * times]
    ((said, sentence),) = found("length", *rewards, chars=chars * times)

    assert (said, sentence[: len(text)]) == (tone, text)


def test_which_way_rewards_go_with_length_is_only_said_where_the_interval_agrees():
    """A rho of either sign in its resamples is no finding."""
    draws = np.random.default_rng(1).random((2, 40))
    study = study_of(samples(draws[0].tolist(), chars=(draws[1] * 99).round()))
    by_code = {one.code: one for one in verdicts_of(study)}
    rho = by_code["length"]

    assert rho.interval.low < 0 < rho.interval.high
    assert rho.text.startswith(
        "Whether rewards rise or fall with length is not sure: Spearman "
        f"{rho.value:.2f} [{rho.interval.low:.2f}, "
    )


def test_length_beyond_labels_is_of_the_samples_that_have_one():
    """A missing label takes its sample away, and not all."""
    rewards, chars = np.random.default_rng(3).random((2, 24))
    human = np.array([0.0, 1.0, 1.0, np.nan] * 6)
    written = Written(
        found=24, traits={"stop": chars}, digests=np.arange(24), human=human, bad_lines=0
    )
    study = study_of(samples(rewards, chars=chars), Settings(resamples=0), written=written)
    known = ~np.isnan(human)
    names = ("rewards", "lengths", "labels")
    expected = partial_spearman(rewards[known], chars[known], human[known], names=names)

    assert expected.value is not None
    assert study.length.bias.beyond_labels == expected


def test_what_length_explains_has_its_interval():
    """Cut at nothing, below which there is no share."""
    rng = np.random.default_rng(6)
    chars = rng.integers(1, 99, 80)
    rewards = rng.random(80) + 0.25 * np.log1p(chars)
    study = study_of(samples(rewards.tolist(), chars=chars))
    (said,) = (one for one in verdicts_of(study) if one.code == "length-share")
    low, high = max(0.0, said.interval.low), said.interval.high

    assert said.value > 0
    assert said.text == (
        f"Length explains {percent(said.value)} [{percent(low)}, {percent(high)}] of the "
        "differences in reward within items."
    )
