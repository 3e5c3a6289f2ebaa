"""What a comparison says of cost and of attacks: who is cheaper, and who is harder to cheat."""

import pytest
from judged_rows import FAST, answers, easy_and_hard_items, verdicts

from graders.studies.choice.advice import advise
from graders.studies.choice.compare import compare
from graders.studies.choice.offers import Offers, Weakness
from graders.studies.choice.pareto import pareto


def test_a_cheaper_one_that_is_about_as_good_is_named():
    """With its share of the cost; one that is nearly as dear is not."""
    columns, judged = answers()
    columns["twin"] = [round(x, 2) for x in columns["sharp"]]
    found = compare(columns, judged, FAST)
    second = found.standings[1].name
    first = found.best.name

    said = verdicts(found, costs={first: 1.0, second: 0.1, "flat": 0.01})["cheaper"]
    assert said.text.startswith(f"{second} costs 10 % of {first} and is within 0.01 of it: AUC ")
    assert said.value == pytest.approx(0.1)
    assert "cheaper" not in verdicts(found, costs={first: 1.0, second: 0.5})


def test_one_that_is_easily_cheated_comes_with_one_that_is_not():
    """If that one says enough; else it is said that there is none."""
    columns, judged = answers()
    columns["solid"] = [
        x + 0.3 * y for x, y in zip(columns["sharp"], columns["noise"], strict=True)
    ]
    found = compare(columns, judged, FAST)
    weak = {
        "sharp": Weakness(share=0.8, interval=None, rows=50, attack="filler", attack_share=0.6),
        "solid": Weakness(share=0.1, interval=None, rows=50, attack="empty", attack_share=0.1),
        "flat": Weakness(share=0.0, interval=None, rows=50),
    }
    said = verdicts(found, weaknesses=weak)

    assert found.best.name == "sharp"
    assert (said["gameable"].tone, said["gameable"].text) == (
        "bad",
        "sharp falls for some attack on 80 % of 50 rows, filler on 60 %: a model that is trained "
        "on it finds that.",
    )
    assert said["safer"].text.startswith("To train on, solid is harder to cheat: attacks win on 10")
    del weak["solid"]
    assert verdicts(found, weaknesses=weak)["none-safer"].tone == "warning"
    weak["sharp"] = weak["flat"]
    assert verdicts(found, weaknesses=weak)["gameable"].text == (
        "No attack that was tried wins on sharp, on 50 rows."
    )


def test_one_that_is_silent_on_most_items_is_no_safer_choice():
    """However hard it is to cheat."""
    columns, judged = answers()
    labels = judged.labels
    first = {item: i for i, item in reversed(list(enumerate(judged.items)))}
    columns["silent"] = [
        label if item % 3 == 0 else labels[first[item]]
        for label, item in zip(labels, judged.items, strict=True)
    ]
    found = compare(columns, judged, FAST)
    best, weak = found.best.name, Weakness(share=0.8, interval=None, rows=50)
    safe = Weakness(share=0.0, interval=None, rows=50)
    silent = next(one for one in found.standings if one.name == "silent")

    assert 0.5 < silent.signal.zero_variance.value < 0.9
    assert "none-safer" in verdicts(found, weaknesses={best: weak, "silent": safe})


@pytest.mark.parametrize("cheated", [0.0, 1.0])
def test_one_that_is_dead_hides_no_safer_choice(cheated):
    """It agrees more than the safer one, and may be harder to cheat; nobody would use it."""
    columns, judged = easy_and_hard_items()
    scores = {
        name: [label + much * x for label, x in zip(judged.labels, columns["noise"], strict=True)]
        for name, much in (("weak", 0.4), ("safe", 0.7))
    }
    found = compare({**scores, "level": columns["level"]}, judged, FAST)
    shares = {"weak": 0.9, "safe": 0.1, "level": cheated}
    offers = Offers(
        weaknesses={
            name: Weakness(share=share, interval=None, rows=50) for name, share in shares.items()
        }
    )
    said = {one.code: one.text for one in advise(found, offers)}

    assert [one.name for one in found.standings] == ["weak", "level", "safe"]
    assert said["safer"].startswith("To train on, safe is harder to cheat: attacks win on 10 % of")
    assert pareto(offers.points(found)) == ("weak", "safe")
