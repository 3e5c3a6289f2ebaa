"""What a study says in words: each sentence with its number, and how good or bad it is."""

from dataclasses import replace

import numpy as np
import pytest
from studying import FLAT, SPREAD, found, samples

from graders.errors import FailureKind
from graders.report.studied import rests_on, short_lines
from graders.studies.teach.findings import verdicts_of
from graders.studies.teach.limits import LIMITS, quoted, tone_of
from graders.studies.teach.observed import Observed
from graders.studies.teach.observed_columns import KINDS
from graders.studies.teach.teaching import Settings, quick_study, study_of
from graders.studies.teach.written import Written

LOW, HIGH = [0.0] * 4, [1.0] * 4
TIMEOUT = KINDS.index(FailureKind.MODEL_SERVER)
REFUSED = KINDS.index(FailureKind.MODEL_REFUSAL)


@pytest.mark.parametrize(
    ("rows", "code", "tone", "text"),
    [
        (SPREAD * 4, "zero-variance", "good", "Samples of every item differ in reward: there is"),
        (SPREAD * 7 + FLAT, "zero-variance", "good", "12 % of items give every sample the same"),
        (
            [*SPREAD * 3, *FLAT],
            "zero-variance",
            "good",
            "25 % of items give every sample the same reward: they teach nothing. What is left to "
            "learn from, the effective batch, is 75 % of samples.",
        ),
        (
            FLAT * 2 + LOW,
            "zero-variance",
            "bad",
            "100 % of items give every sample the same reward: they teach nothing.",
        ),
        (SPREAD + FLAT, "zero-variance", "warning", "50 % of items give every sample the same rew"),
        (SPREAD + FLAT * 9, "zero-variance", "bad", "90 % of items give every sample the same rew"),
        (SPREAD * 9 + LOW, "too-hard", "note", "In 10 % of items all samples get the lowest rewa"),
        (SPREAD + LOW, "too-hard", "warning", "In 50 % of items all samples get the lowest rewar"),
        (SPREAD + HIGH * 9, "too-easy", "bad", "In 90 % of items all samples get the highest rew"),
        (SPREAD * 9 + LOW, "ties", "note", "10 % of pairs of an item's samples have equal rewar"),
        (SPREAD + FLAT, "ties", "note", "50 % of pairs of an item's samples have equal rewards"),
        (SPREAD + FLAT * 3, "ties", "warning", "75 % of pairs of an item's samples have equal rew"),
        (
            [0, 0.01, 0, 0, 1, 1, 1, 1],
            "within-share",
            "warning",
            "0.1 % of the variance of rewards",
        ),
        (SPREAD, "few-items", "note", "Only 1 item has several samples: shares of them are rou"),
        (SPREAD + LOW * 3, "saturation", "warning", "81 % of samples have the lowest reward tha"),
        (HIGH * 9 + FLAT, "saturation", "warning", "90 % of samples have the highest reward tha"),
        (SPREAD * 9, "threshold", "note", "For 25 % to 50 % to fail, let samples pass from 0.2 o"),
        (FLAT * 2, "threshold", "note", "No threshold lets 25 % to 50 % of samples fail, too man"),
    ],
)
def test_what_is_said_of_rewards(rows, code, tone, text):
    """One sentence of each kind."""
    ((said, sentence),) = found(code, *rows)

    assert (said, sentence[: len(text)]) == (tone, text)


@pytest.mark.parametrize(
    ("rows", "silent"),
    [
        (HIGH * 9, {"too-hard", "too-easy", "ties", "saturation"}),  # the highest, and the lowest
        (LOW * 9 + HIGH * 9, {"ties"}),
        ([0, 0, 1, 1] * 9, {"ties", "saturation"}),  # no better rewards are there of two
    ],
)
def test_nothing_is_said_twice_or_in_vain(rows, silent):
    """Where every reward is one, no item is both too hard and too easy."""
    found = verdicts_of(study_of(samples(rows), Settings(resamples=0)))

    assert not silent & {one.code for one in found if one.tone != "note"}
    assert [one.code for one in found].count("zero-variance") == 1


def test_where_most_items_have_one_sample_the_rest_says_little():
    """One item that stands twice among many is no reason not to train."""
    rows = replace(samples([*SPREAD * 8, 0.5]), items=np.array([*range(32), 31]))
    rewards = np.array([*SPREAD * 7, 0, 0.25, 0.75, 0.5, 0.5])
    study = study_of(replace(rows, rewards=rewards, names=tuple(range(32))), Settings(resamples=0))
    said = {one.code: (one.tone, one.text) for one in verdicts_of(study)}

    assert said["zero-variance"] == (
        "note",
        "100 % of items with several samples give every sample the same reward: they teach "
        "nothing.",
    )
    assert said["single"] == (
        "note",
        "97 % of items have one sample, which there is none to compare with.",
    )


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
        ("note", "Member 'a' decides most: it brings 80 % of the differences within items.")
    ]


def test_who_decides_is_only_said_where_members_add_up():
    """A difference of two has no shares; where some is left unexplained, it is said of what."""
    a, b = [0.0, 1, 0, 1] * 4, [0.0, 0, 1, 1] * 4
    apart = [abs(x - y) for x, y in zip(a, b, strict=True)]
    product = [x + 0.4 * x * y for x, y in zip(a, b, strict=True)]
    more = {"members": {("a",): a, ("b",): b}}

    assert found("members-not-linear", *apart, **more) == [
        (
            "note",
            "Which member decides cannot be said: a linear formula of members explains 0 % of the "
            "differences within items.",
        )
    ]
    assert found("member-decides", *apart, **more) == []
    assert found("members-not-linear", *product, **more) == []
    assert found("member-decides", *product, **more) == [
        (
            "warning",
            "Member 'a' decides most: it brings 97 % of what a linear formula explains, 97 % of "
            "the differences within items.",
        )
    ]


def test_many_members_are_not_listed_without_end():
    """Three, and how many more."""
    same = {(f"m{n}",): [x * (-1) ** n for x in SPREAD] * 4 for n in range(4)}
    dead = {(f"d{n}",): [1.0] * 16 for n in range(5)}
    more = {"members": {**same, **dead}}

    assert [text for _, text in found("same-members", *SPREAD * 4, **more)] == [
        "Members 'm0' and 'm1' say nearly the opposite: their correlation within items is -1.00.",
        "Members 'm0' and 'm2' say nearly the same: their correlation within items is 1.00.",
        "Members 'm0' and 'm3' say nearly the opposite: their correlation within items is -1.00.",
    ]
    assert found("more-same-members", *SPREAD * 4, **more) == [
        ("warning", "3 more pairs of members do.")
    ]
    assert len(found("dead-member", *SPREAD * 4, **more)) == 3
    assert found("dead-members", *SPREAD * 4, **more) == [
        ("warning", "2 more members give every sample one score.")
    ]


def test_one_more_member_or_pair_is_told_of_in_the_singular():
    """Four dead ones, and three members that say one thing beside two that say another."""
    other = [0.0, 1, 0, 0] * 4
    same = {(f"m{n}",): SPREAD * 4 for n in range(3)} | {(f"o{n}",): other for n in range(2)}
    more = {"members": same | {(f"d{n}",): [1.0] * 16 for n in range(4)}}

    assert found("more-same-members", *SPREAD * 4, **more) == [
        ("warning", "1 more pair of members does.")
    ]
    assert found("dead-members", *SPREAD * 4, **more) == [
        ("warning", "1 more member gives every sample one score.")
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
    assert text == (
        "The form of texts explains 100 % of the differences in reward within items. A text that "
        "ends with a full stop gets +0.75, one that has \\boxed +0.25."
    )
    noise = np.random.default_rng(0).random(48)
    ((tone, text),) = found("form", *noise, written=written)
    assert (tone, text) == (
        "note",
        "The form of texts explains none of the differences in reward within items.",
    )


def test_the_worst_comes_first():
    """Then what is worth a look, then the rest, by subject."""
    study = study_of(samples(SPREAD + FLAT * 9), Settings(resamples=0))
    tones = [one.tone for one in verdicts_of(study)]

    ranks = {"bad": 0, "warning": 1, "note": 2, "good": 2}

    assert tones == sorted(tones, key=ranks.__getitem__)


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
