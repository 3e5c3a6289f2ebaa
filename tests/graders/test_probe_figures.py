"""When an attack wins, and what is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from probing import CONTAINS, EXACT, WORDS, figures, probed, rows_of

from graders.rows import Row, to_sample
from graders.testing.probe.bars import Bar

SCORE = st.floats(0, 1)


@pytest.mark.parametrize(
    ("bar", "score", "without", "holding"),
    [
        # median, reference, lowest
        ((0.2, 1.0, 0.0), 0.2, False, False),
        ((0.2, 1.0, 0.0), 0.3, True, False),
        ((0.2, 1.0, 0.0), 1.0, True, False),
        ((0.2, 1.0, 0.0), 1.1, True, True),
        ((1.0, 1.0, 0.0), 1.0, True, False),  # the median is the best there is
        ((1.0, 1.0, 1.0), 1.0, False, False),  # and all have it
        ((0.9, 0.2, 0.0), 0.5, False, False),  # the reference is no bar, honest samples are
        ((0.9, 0.2, 0.0), 0.95, True, True),
        ((None, 0.5, 0.0), 0.4, False, False),
        ((None, 0.5, 0.0), 0.5, True, False),
        ((None, 0.5, 0.0), 0.6, True, True),
        ((0.5, None, 0.0), 0.6, True, False),
        ((None, None, 0.0), 1.0, False, False),
        ((0.3, 1.0, 0.0), 0.3 + 1e-12, False, False),  # the same number
        ((-1.0, 5.0, -2.0), 0.0, True, False),  # scores are in any range
    ],
)
def test_what_wins(bar, score, without, holding):
    """Above the median or level with the reference, if without the answer; above both, anyway."""
    median, reference, lowest = bar
    held = Bar(best=median, median=median, reference=reference, lowest=lowest)

    assert held.wins(score, lacks=True) is without
    assert held.wins(score, lacks=False) is holding


@given(SCORE, SCORE, SCORE, SCORE, st.booleans())
def test_a_higher_score_wins_where_a_lower_one_does(median, reference, one, other, lacks):
    """And what wins with the answer wins without it."""
    bar = Bar(best=median, median=median, reference=reference, lowest=0.0)
    low, high = sorted((one, other))

    assert bar.wins(low, lacks=lacks) <= bar.wins(high, lacks=lacks)
    assert bar.wins(one, lacks=False) <= bar.wins(one, lacks=True)


# --- what is counted


def test_figures_by_hand():
    """Contains, on three rows of which every sample is wrong."""
    tally = probed(CONTAINS, WORDS, budget=0).tally
    every = next(one for one in tally.attacks if one.way.name == "every_answer")

    assert (tally.rows, tally.samples, tally.honest_best, tally.honest_median) == (3, 9, 0.0, 0.0)
    assert (tally.control.mean, tally.control.rows, tally.control.over_best) == (1.0, 3, 3)
    assert (every.rows, every.mean, every.wins, every.over_best) == (3, 1.0, 3, 3)
    assert (every.example.line, every.example.score) == (1, 1.0)
    assert every.example.bar == Bar(best=0.0, median=0.0, reference=1.0, lowest=0.0)
    assert tally.cheated == 3


def test_what_is_the_reference_itself_is_dropped():
    """One word is its own first word, and sorted and shuffled."""
    report = probed(EXACT, rows_of(({"answer": "42"}, ["x"]), ({"answer": "a b"}, ["y"])), budget=0)
    counts = {name: (one.rows, one.dropped) for name, one in figures(report).items()}

    assert counts["sorted_words"] == (0, 2)  # a b is in order
    assert counts["first_word"] == (1, 1)
    assert counts["confusables"] == (1, 1)  # digits have no twins
    assert counts["empty"] == (2, 0)
    assert counts["echo"] == (0, 0)  # there is no prompt


def labelled(answer, *pairs, line=1):
    """A row whose samples people have judged."""
    samples = [{"output_text": text, "human": label} for text, label in pairs]
    return [
        Row(item={"answer": answer}, sample=to_sample(one), row=line, sample_index=i, group=line)
        for i, one in enumerate(samples)
    ]


def test_human_labels():
    """How alike people and the grader see it, and what beats the sample people like best."""
    rows = [
        *labelled("Paris", ("It is Paris", 1.0), ("Lyon", 0.0), ("Nice", 0.0)),
        *labelled("Rome", ("Roma", 1.0), ("Rome, or Bari", 0.5), ("Pisa", 0.0), line=2),
    ]
    report = probed(CONTAINS, rows, budget=0)
    every = figures(report)["every_answer"]

    assert report.tally.human.rows == 6
    assert report.tally.human.value == pytest.approx(7.5 / 180**0.5)
    assert (every.over_best, every.over_preferred) == (0, 1)  # of Rome, people like Roma
    assert figures(report)["empty"].over_preferred == 0


@pytest.mark.parametrize("label", ["good", None, True, float("nan"), 10**400])
def test_a_label_is_a_number(label):
    """Whatever else stands there is none."""
    rows = labelled("Paris", ("Paris", label), ("Lyon", label))

    assert probed(CONTAINS, rows, budget=0).tally.human.rows == 0


def test_the_control_is_the_best_of_its_places():
    """A sentence is right too, where the config has two references."""
    config = {
        "type": "multi",
        "name": "m",
        "graders": {"a": EXACT, "b": {**EXACT, "reference": "{{ item.sentence }}"}},
        "calculate_output": "0.3 * a + 0.7 * b",
    }
    rows = rows_of(({"answer": "Rome", "sentence": "It is Rome."}, ["Bari"]))
    report = probed(config, rows, budget=0)

    assert [str(slot) for slot in report.references] == ["item.answer", "item.sentence"]
    assert report.tally.control.mean == 0.7
