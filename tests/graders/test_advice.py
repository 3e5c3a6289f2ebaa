"""What a comparison says in words: whom to use, whom not to, and the number behind it."""

import json
from dataclasses import replace

import pytest
from judged_rows import FAST, answers, easy_and_hard_items, verdicts

from graders.studies.choice.advice import advise, recommended
from graders.studies.choice.compare import CompareOptions, Judged, compare
from graders.studies.choice.offers import Offers
from graders.studies.statistics.differences import LEVEL, enough_resamples
from graders.studies.verdict import number_within


def test_a_recommendation_has_its_number_and_its_reasons():
    """Who is best, whether another may be, what is dead, and what says nothing."""
    columns, judged = answers()
    found = compare(columns, judged, CompareOptions(resamples=400))
    said = verdicts(found)
    best = found.best

    assert said["recommendation"].text == (
        f"Use sharp: AUC {best.agreement.auc.value:.2f} [{best.intervals['auc'].low:.2f}, "
        f"{best.intervals['auc'].high:.2f}]; no other is better: each of the 3 is behind, Holm "
        "included."
    )
    assert said["recommendation"].value == best.agreement.auc.value
    assert said["dead"].text == (
        "flat is dead as a reward: 100 % [94 %, 100 %] of items give every sample the same score."
    )
    assert said["chance"].text.endswith("as far as these rows tell: flat, noise.")
    assert said["threshold-passes-all"].text.startswith(
        "The best threshold lets everything pass (0"
    ) or said["threshold-passes-all"].text.startswith("The best threshold lets everything pass (-")
    assert said["not-probed"].text.startswith("How gameable sharp is, was not tried")


@pytest.mark.parametrize(
    ("others", "use", "text"),
    [
        (
            ["half", "noise"],
            "half",
            "Use half: AUC {half}; level agrees more, but is dead as a reward.",
        ),
        (
            ["half", "coarse"],
            "half",
            "Use half: AUC {half}; level, coarse agree more, but are dead as rewards.",
        ),
        (
            ["noise"],
            None,
            "Use none of these as a reward: level agrees most, AUC {level}, but is dead as one; "
            "noise is next, and no better than chance: AUC {noise}.",
        ),
        (
            ["coarse"],
            None,
            "Use none of these as a reward: level agrees most, AUC {level}, but is dead as one; "
            "no other is alive.",
        ),
    ],
)
def test_what_is_dead_as_a_reward_is_not_recommended(others, use, text):
    """But the next one, if it is alive and says more than chance; and why the first is not."""
    columns, judged = easy_and_hard_items()
    columns = {name: columns[name] for name in ("level", *others)}
    found = compare(columns, judged, CompareOptions(resamples=400))
    shown = {
        one.name: number_within(one.agreement.auc.value, one.intervals["auc"])
        for one in found.standings
    }
    said = advise(found, Offers(costs={"level": 0.1, "half": 1.0}))

    assert found.best.name == "level"
    assert "level" in next(one.text for one in said if one.code == "dead")
    assert said[0].text == text.format(**shown)
    assert (said[0].code, said[0].tone) == (
        ("recommendation", "good") if use else ("best-dead", "bad")
    )
    assert "cheaper" not in {one.code for one in said}
    assert (recommended(found) and recommended(found).name) == use


@pytest.mark.parametrize(
    ("dead", "said"),
    [
        (["flat"], "flat agrees as much, but is dead as a reward."),
        (["flat", "twin"], "flat, twin agree as much, but are dead as rewards."),
        (["more", "flat"], "more agrees more and flat agrees as much, but are dead as rewards."),
    ],
)
def test_one_that_is_dead_may_agree_just_as_much(dead, said):
    """Which is not more."""
    items = [item for item in range(12) for _ in "ab"]
    labels = [float(item >= 6) for item in items]
    judged = Judged(labels=labels, items=items, lengths=[1] * 24, reference_lengths=[1] * 24)
    fooled = [
        1.0 - label if item == 6 else label for item, label in zip(items, labels, strict=True)
    ]
    columns = {"more": labels, "flat": fooled, "twin": fooled}
    if "more" not in dead:
        columns["flat"] = columns["twin"] = labels
    use = [x + 0.01 * (k % 2) for k, x in enumerate(columns["flat"])]
    found = compare({**{name: columns[name] for name in dead}, "alive": use}, judged, FAST)

    assert [one.name for one in found.standings] == [*dead, "alive"]
    assert verdicts(found)["recommendation"].text.endswith(f"; {said}")


def test_one_that_may_be_at_chance_within_items_is_recommended_with_a_warning():
    """It tells easy items from hard ones; of items with one sample that cannot be known."""
    columns, judged = easy_and_hard_items()
    mostly = columns["mostly"]
    found = compare({"mostly": mostly}, judged, FAST)
    said = verdicts(found)
    best = found.best
    within = best.intervals["pairwise_accuracy"]
    shown = number_within(best.agreement.pairwise_accuracy.value, within)

    assert within.low < 0.5 < within.high
    assert said["recommendation"].text.startswith("Use mostly: AUC 0.")
    assert (said["chance-within-items"].tone, said["chance-within-items"].text) == (
        "warning",
        "Within items mostly is no better than chance, as far as these rows tell: pairwise "
        f"accuracy {shown}. A method that compares the samples of an item may learn nothing from "
        "it.",
    )
    assert said["chance-within-items"].interval == within
    for items in (list(range(240)), [*range(232), *(n for n in range(232, 236) for _ in "ab")]):
        apart = compare({"mostly": mostly}, replace(judged, items=items), FAST)
        assert "chance-within-items" not in verdicts(apart)
    half = compare({"half": columns["half"]}, judged, FAST)
    assert "chance-within-items" not in verdicts(half)


def test_others_that_may_be_as_good_are_named():
    """Where Holm's test does not tell them apart."""
    columns, judged = answers()
    columns["twin"] = [x + 1e-9 * i for i, x in enumerate(columns["sharp"])]
    text = verdicts(compare(columns, judged, FAST))["recommendation"].text

    assert text.endswith("no other is better, and after Holm twin may be as good.")


@pytest.mark.parametrize(
    ("resamples", "told"),
    [
        (
            1_000,
            "no other is better, but 1,000 resamples are too few to test 32 against it: Holm's p "
            "cannot be below 0.064. 2,000 would do.",
        ),
        (None, "no other is better: each of the 32 is behind, Holm included."),
    ],
)
def test_too_few_resamples_are_no_finding_about_metrics(resamples, told):
    """What Holm's p cannot fall below is compared with its level; by default it can."""
    columns, judged = answers(items=40)
    columns = {"sharp": columns["sharp"]} | {f"noise {i}": columns["noise"] for i in range(32)}
    found = compare(columns, judged, CompareOptions(resamples=resamples))

    assert verdicts(found)["recommendation"].text.endswith(told)


@pytest.mark.parametrize("others", [49, 50, 51, 100])
def test_the_usual_resamples_are_enough(others):
    """However many are compared, Holm's least p is below its level."""
    assert others * 2 / (enough_resamples(others) + 1) < LEVEL


def test_one_that_has_no_value_may_not_be_as_good():
    """A constant has no rank correlation, and is not among those that are level with the best."""
    columns, judged = answers()
    columns = {name: columns[name] for name in ("sharp", "flat", "noise")}
    columns["flat"] = [0.0] * len(judged.labels)
    found = compare(columns, judged, CompareOptions(resamples=400, by="spearman"))

    assert verdicts(found)["recommendation"].text.endswith(
        "no other is better: the other is behind, Holm included."
    )
    del columns["noise"]
    found = compare(columns, judged, CompareOptions(resamples=400, by="spearman"))
    assert verdicts(found)["recommendation"].text.endswith("; nothing is beside it.")


@pytest.mark.parametrize("by", ["auc", "pairwise_accuracy", "f1"])
def test_the_best_of_nothing_is_not_recommended(by):
    """One that agrees by chance, or is best by calling all good."""
    columns, judged = answers()
    found = compare({"flat": columns["flat"]}, judged, CompareOptions(resamples=100, by=by))
    said = verdicts(found)

    assert "recommendation" not in said
    assert said["best-by-chance"].text.startswith("Use none of these: flat agrees most, ")
    assert said["best-by-chance"].text.endswith(
        ", and on these rows that is no better than chance."
    )


def test_one_item_is_no_test():
    """Neither intervals nor tests, and that is said."""
    judged = Judged(labels=[0, 1], items=[0, 0], lengths=[1, 2], reference_lengths=[1, 1])
    found = compare({"one": [0.1, 0.2], "two": [0.1, 0.3]}, judged, FAST)
    said = verdicts(found)

    assert recommended(found) is None
    assert said["recommendation"].tone == "warning"
    assert said["recommendation"].text == (
        "Nothing can be recommended on one item: one agrees most there, AUC 1.00."
    )
    assert said["few-items"].text == (
        "All this rests on one item, which says nothing of others: there are no intervals and no "
        "tests."
    )


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([0, 0], "The only item has several samples: what a method"),
        ([0, 0, 1, 1], "Only 2 items have several samples: what a method"),
        ([0, 0, 1], "Only 1 of 2 items has several samples: what a method"),
        ([0, 1], "No item has several samples: what a method"),
    ],
)
def test_few_items_with_several_samples_are_counted(items, said):
    """In words that fit their number."""
    rows = len(items)
    judged = Judged(
        labels=[0, 1, 1, 0][:rows], items=items, lengths=[1] * rows, reference_lengths=[1] * rows
    )
    found = compare({"one": [0.1, 0.2, 0.3, 0.1][:rows]}, judged, FAST)

    assert verdicts(found)["single-samples"].text.startswith(said)


def test_length_of_few_rows_is_no_finding():
    """Of five rows a rank correlation of .4 is chance."""
    judged = Judged(
        labels=[0, 1, 0, 1, 0], items=[0, 0, 1, 1, 2], lengths=[1, 3, 2, 4, 9],
        reference_lengths=[1] * 5,
    )  # fmt: skip
    found = compare({"one": [0.1, 0.7, 0.2, 0.8, 0.3]}, judged, FAST)

    assert abs(found.best.length.beyond_labels.value) > 0.3
    assert "length" not in verdicts(found)


def test_the_only_other_is_told_of_in_the_singular():
    """That Holm's test does not tell it apart."""
    columns, judged = answers()
    text = verdicts(compare({"a": columns["sharp"], "b": columns["sharp"]}, judged, FAST))

    assert text["recommendation"].text.endswith(
        "no other is better, but Holm's test does not tell the other apart from it."
    )


def test_labels_of_which_none_is_good_are_said():
    """Where ranks decide, so that somebody is best all the same."""
    columns, judged = answers()
    options = CompareOptions(resamples=50, by="spearman", good_from=99)
    said = verdicts(compare({"sharp": columns["sharp"]}, judged, options))

    assert said["one-class"].text == (
        "From 99 on no row is good: there is no AUC, and F1 says nothing."
    )


def test_items_of_one_sample_say_nothing_of_gradients():
    """One item with two samples does not make all others dead."""
    columns, judged = answers(items=50, samples=1)
    apart = Judged(
        labels=judged.labels,
        items=[0, 0, *range(2, 50)],
        lengths=judged.lengths,
        reference_lengths=judged.reference_lengths,
    )
    said = verdicts(compare(columns, apart, FAST))

    assert "dead" not in said
    assert said["single-samples"].text == (
        "Only 1 of 49 items has several samples: what a method that compares the samples of an "
        "item would learn is not known."
    )
    alone = verdicts(compare(columns, judged, FAST))["single-samples"]
    assert alone.text.startswith("No item has several samples: what a method")


def test_length_that_labels_do_not_explain_is_said():
    """Which way, and how far."""
    columns, judged = answers()
    long = [x - 0.05 * length for x, length in zip(columns["sharp"], judged.lengths, strict=True)]
    said = verdicts(compare({"long": long}, judged, FAST))["length"]

    assert said.text.startswith("long likes shorter outputs, whatever people say of them")
    assert said.value < -0.3


def test_labels_of_one_class_recommend_nothing():
    """There is no AUC, and the reason is said."""
    judged = Judged(labels=[1, 1], items=[0, 1], lengths=[1, 2], reference_lengths=[1, 1])
    found = compare({"one": [0.1, 0.2]}, judged, CompareOptions(resamples=10))
    said = verdicts(found)

    assert found.best is None
    assert said["no-agreement"].text == (
        "Nothing can be recommended: AUC does not exist, for labels have one class: all 2 rows are "
        "good."
    )
    assert said["few-items"].text.startswith("All this rests on 2 items")
    assert json.dumps([verdict.to_json() for verdict in said.values()], allow_nan=False)
