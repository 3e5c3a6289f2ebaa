"""What a study says in words: each sentence with its number, and how good or bad it is."""

import numpy as np
import pytest

from graders.errors import FailureKind
from graders.report.studied import rests_on, short_lines
from graders.studies.findings import verdicts_of
from graders.studies.limits import LIMITS, quoted, tone_of
from graders.studies.observed import KINDS, Observed
from graders.studies.samples import Samples
from graders.studies.teaching import Settings, quick_study, study_of
from graders.studies.written import Written


def samples(rewards, *, size=4, **more):
    """Samples of items of `size` each."""
    rewards = np.array(rewards, float)
    count = len(rewards)
    items = np.arange(count) // size
    return Samples(
        seen=more.get("seen", count),
        share=more.get("share", 1.0),
        names=tuple(range(int(items.max()) + 1)),
        items=items,
        rows=np.arange(count) + 1,
        indexes=np.zeros(count, int),
        rewards=rewards,
        kinds=np.array(more.get("kinds", [0] * count)),
        passed=np.array(more.get("passed", [2] * count)),
        output_chars=np.array(more.get("chars", [np.nan] * count), float),
        reference_chars=np.full(count, np.nan),
        members={path: np.array(x, float) for path, x in more.get("members", {}).items()},
        crowded=False,
    )


def found(code, *rewards, written=None, repeated=False, **more):
    """The findings of a code, as pairs of tone and text, without intervals."""
    study = study_of(
        samples(rewards, **more), Settings(resamples=0), repeated=repeated, written=written
    )
    return [(one.tone, one.text) for one in verdicts_of(study) if one.code == code]


FLAT, SPREAD, LOW, HIGH = [0.5] * 4, [0.0, 0.25, 0.75, 1.0], [0.0] * 4, [1.0] * 4
TIMEOUT = KINDS.index(FailureKind.MODEL_SERVER)
REFUSED = KINDS.index(FailureKind.MODEL_REFUSAL)


@pytest.mark.parametrize(
    ("rows", "code", "tone", "text"),
    [
        (SPREAD * 4, "zero-variance", "good", "Samples of every item differ in reward: there is"),
        (SPREAD * 7 + FLAT, "zero-variance", "good", "12 % of items give every sample the same"),
        (SPREAD + FLAT, "zero-variance", "warning", "50 % of items give every sample the same rew"),
        (SPREAD + FLAT * 9, "zero-variance", "bad", "90 % of items give every sample the same rew"),
        (SPREAD * 9 + LOW, "too-hard", "note", "In 10 % of items all samples get the lowest rewa"),
        (SPREAD + LOW, "too-hard", "warning", "In 50 % of items all samples get the lowest rewar"),
        (SPREAD + HIGH * 9, "too-easy", "bad", "In 90 % of items all samples get the highest rew"),
        (SPREAD + FLAT, "effective-batch", "note", "50 % of samples are in items with a gradient"),
        (SPREAD * 9 + LOW, "ties", "note", "10 % of pairs of an item's samples have equal rewar"),
        (SPREAD + FLAT, "ties", "warning", "50 % of pairs of an item's samples have equal reward"),
        (
            [0, 0.01, 0, 0, 1, 1, 1, 1],
            "within-share",
            "warning",
            "0.1 % of the variance of rewards",
        ),
        (SPREAD, "few-items", "note", "Only 1 item has several samples: shares of them are rou"),
        (SPREAD + LOW, "saturation", "warning", "62 % of samples have the lowest reward that t"),
        (HIGH * 9 + FLAT, "saturation", "warning", "90 % of samples have the highest reward tha"),
        (SPREAD * 9, "threshold", "note", "For 25 % to 50 % to fail, let samples pass from 0.250"),
        (FLAT * 2, "threshold", "note", "No threshold lets 25 % to 50 % of samples fail, too man"),
    ],
)
def test_what_is_said_of_rewards(rows, code, tone, text):
    """One sentence of each kind."""
    ((said, sentence),) = found(code, *rows)

    assert (said, sentence[: len(text)]) == (tone, text)


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


def test_a_threshold_that_lets_enough_fail_is_good():
    """Nothing need be changed."""
    assert found("threshold", *SPREAD * 4, passed=[0, 1, 1, 1] * 4) == [
        ("good", "25 % of samples fail the threshold, within 25 % to 50 %.")
    ]


@pytest.mark.parametrize(
    ("chars", "tone", "text"),
    [
        ([1, 2, 3, 4], "warning", "Rewards rise with length: Spearman 1.00; the longer of two sam"),
        ([4, 3, 2, 1], "warning", "Rewards fall with length: Spearman -1.00; the longer of two sa"),
        ([2, 1, 4, 3], "warning", "Rewards rise with length: Spearman 0.60; the longer of two sam"),
        (
            [3, 1, 4, 2],
            "note",
            "Rewards fall with length: Spearman 0.00; the longer of two samples",
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
    ((said, sentence),) = found("length", *SPREAD * 4, chars=chars * 4)

    assert (said, sentence[: len(text)]) == (tone, text)


def test_members():
    """One that never varies, two that say the same, and the one that decides."""
    members = {
        ("a",): SPREAD * 4,
        ("b",): [x / 2 for x in SPREAD] * 4,
        ("c\x1b",): [1.0] * 16,
        ("d",): [0, 1, 0, 0] * 4,
    }
    more = {"members": members}

    assert found("dead-member", *SPREAD * 4, **more) == [
        ("warning", "Member 'c\\x1b' gives every sample 1: it tells nothing apart.")
    ]
    assert found("same-members", *SPREAD * 4, **more) == [
        (
            "warning",
            "Members 'a' and 'b' say nearly the same: their correlation within items is 1.00.",
        )
    ]
    assert found("member-decides", *SPREAD * 4, **more) == [
        ("note", "Member 'a' decides: it brings 80 % of the differences within items.")
    ]


@pytest.mark.parametrize(
    ("kinds", "tone", "text"),
    [
        ([0] * 199 + [TIMEOUT], "note", "0.5 % of samples failed, all of them model_grader_server"),
        ([0] * 19 + [TIMEOUT], "warning", "5.0 % of samples failed, all of them model_grader_ser"),
        (
            [0, 0, TIMEOUT, REFUSED, REFUSED],
            "bad",
            "60 % of samples failed, most of them model_grader_refusal_error.",
        ),
    ],
)
def test_failures(kinds, tone, text):
    """How many, and of which kind most."""
    rewards = [float("nan") if kind else 0.5 for kind in kinds]
    ((said, sentence),) = found("failures", *rewards, kinds=kinds)

    assert (said, sentence[: len(text)]) == (tone, text)


def test_repeats_and_equal_outputs():
    """A judge that disagrees with itself, and one text with two scores."""
    answers = {("1",): [0, 1, 0, 1], ("2",): [1, 0, 0, 1]}
    written = Written(found=4, traits={}, digests=np.array([7, 7, 8, 9]), human=None, bad_lines=0)
    said = found("judge-noise", 0.5, 0.5, 0, 1, members=answers, repeated=True)

    assert said[0][0] == "bad"
    assert said[0][1].startswith(
        "Single answers of the judge to one sample differ by 0.5 (standard"
    )
    assert found("equal-outputs", 0, 1, 0, 1, written=_with_traits(written)) == [
        (
            "bad",
            "In 100 % of 1 cases equal outputs of an item got different scores, 1 apart at most.",
        )
    ]


def _with_traits(written):
    traits = {"stop": np.array([0.0, 1, 0, 1])}
    return Written(
        found=written.found, traits=traits, digests=written.digests, human=None, bad_lines=0
    )


def test_form():
    """How much it explains, and what most of it is."""
    traits = {"stop": np.array([0.0, 0, 1, 1] * 12), "boxed": np.array([0.0, 1, 0, 1] * 12)}
    written = Written(found=48, traits=traits, digests=np.arange(48), human=None, bad_lines=0)
    ((tone, text),) = found("form", *SPREAD * 12, written=written)

    assert tone == "bad"
    assert text.startswith("The form of texts explains 100 % of rewards within items; most of it:")
    assert text.endswith(" with a full stop gets +0.75, one that has \\boxed gets +0.25.")
    noise = np.random.default_rng(0).random(48)
    ((tone, text),) = found("form", *noise, written=written)
    assert (tone, text) == ("note", "The form of texts explains nothing of rewards within items.")


def test_the_worst_comes_first():
    """Then what is worth a look, then the rest; each code once a subject."""
    study = study_of(samples(SPREAD + FLAT * 9), Settings(resamples=0))
    tones = [one.tone for one in verdicts_of(study)]

    assert tones == sorted(tones, key=["bad", "warning", "note", "good"].index)


@pytest.mark.parametrize("code", LIMITS)
def test_limits_are_in_order_and_have_a_reason(code):
    """A reason not to train is worse than one to look."""
    limit = LIMITS[code]

    assert 0 < limit.warning < limit.bad
    assert len(limit.why.split()) > 5
    assert (tone_of(code, 0.0), tone_of(code, limit.warning)) == ("good", "warning")


def test_names_are_short_and_harmless():
    """Whoever gave them."""
    assert quoted("a\x1b[0m") == "'a\\x1b[0m'"
    assert len(quoted("x" * 99)) == 34


def test_the_short_form_says_what_it_rests_on():
    """Of many items some; and at most eight lines."""
    everything = samples(SPREAD + FLAT * 9, share=0.25, seen=160, chars=range(40))
    study = study_of(everything)
    lines = short_lines(study)

    assert rests_on(study) == "from 10 items of about 40"
    assert lines[0] == "  will it teach? (from 10 items of about 40)"
    assert lines[1].startswith("    bad     90 % [70 %, 100 %] of items give every sample")
    assert 2 < len(lines) <= 8
    assert max(map(len, lines)) <= 80


def test_a_run_of_one_giant_item_says_so():
    """Part of it would be another item."""
    observed = Observed(10)
    for number in range(30):
        observed._extend(  # noqa: SLF001 - columns, without lines
            rows=(number,), indexes=(0,), groups=(7,), rewards=(0.5,), kinds=(0,), passed=(2,),
            output_chars=(-1,), reference_chars=(-1,),
        )  # fmt: skip
    study = quick_study(observed, "s")

    assert short_lines(study) == [
        "  will it teach? (of 30 samples)",
        "            Nothing can be said of rewards: an item has more than all the",
        "            samples that a study keeps, of 30.",
    ]
