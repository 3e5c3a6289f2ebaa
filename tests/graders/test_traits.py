"""What a text looks like, and how much of rewards that explains: by scikit-learn and chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.studies.teach.failing import failure_rates
from graders.studies.teach.traits import TRAITS, explained_by, traits_of


@pytest.mark.parametrize(
    ("text", "traits"),
    [
        ("", {"empty"}),
        (" \n", {"empty", "lines"}),
        ('{"a": 1}', {"json_object", "number"}),
        ('{"a": one}', set()),
        ("[1]", {"number"}),
        ("```py\nx\n```", {"code_fence", "lines"}),
        (r"so \boxed{x}", {"boxed"}),
        ("Answer: x", {"answer_line", "capital"}),
        ("so\n**Final Answer**: x", {"answer_line", "markdown", "lines"}),
        ("the answer is x", {"answer_line"}),
        ("no answer here", set()),
        ("- a\n* b", {"bullets", "lines"}),
        ("1) a", {"bullets", "number"}),
        ("x - y", set()),
        ("# Head", {"markdown"}),
        ("|a|b|", {"markdown"}),
        ("<think>x</think>", {"tags"}),
        ("a < b > c", set()),
        ("i think so.", {"hedged", "stop"}),
        ("Why?", {"question", "capital"}),
        ("好。", {"stop"}),
        ("٣", {"number"}),
    ],
)
def test_traits(text, traits):
    """Each text has these and no others."""
    assert {name for name, column in traits_of([text]).items() if column[0]} == traits


def test_every_trait_is_in_the_table():
    """One row or more of the table above has it."""
    rows = test_traits.pytestmark[0].args[1]

    assert set().union(*(traits for _, traits in rows)) == set(TRAITS)


@pytest.mark.parametrize(
    "text", ["*" * 200_000, "|" * 100_000 + "x", "<a>" * 60_000, "answer " * 30_000, "1" * 200_000]
)
def test_texts_that_are_made_to_take_long_do_not(text):
    """Whatever a model writes is looked at in linear time."""
    from time import process_time

    started = process_time()
    traits_of([text])

    assert process_time() - started < 2


def made(items=120, samples=4, *, slope=0.3, seed=0):
    """Rewards that one trait of three moves, beside noise and items' own levels."""
    draw = np.random.default_rng(seed)
    codes = np.repeat(np.arange(items), samples)
    traits = {name: draw.integers(0, 2, len(codes)) for name in ("fence", "list", "digit")}
    level = draw.normal(size=items)[codes]
    return traits, level + slope * traits["fence"] + 0.2 * draw.normal(size=len(codes)), codes


@pytest.mark.needs("sklearn")
def test_the_share_is_that_of_fits_on_other_items():
    """Scikit-learn's regression on the rows about their items' means, with the same folds."""
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import PredefinedSplit, cross_val_predict

    traits, rewards, codes = made()
    x = np.stack(list(traits.values()), axis=1).astype(float)
    for code in range(codes.max() + 1):
        x[codes == code] -= x[codes == code].mean(axis=0)
        rewards[codes == code] -= rewards[codes == code].mean()
    folds = (np.random.default_rng(3).permutation(codes.max() + 1) % 5)[codes]
    fit = LinearRegression(fit_intercept=False)
    predicted = cross_val_predict(fit, x, rewards, cv=PredefinedSplit(folds))
    expected = 1 - ((rewards - predicted) ** 2).sum() / (rewards**2).sum()
    found = explained_by(traits, rewards, codes, seed=3)

    assert found.share.value == pytest.approx(expected, abs=1e-12)
    assert found.interval.low < expected < found.interval.high
    assert (found.items, found.samples) == (120, 480)


def test_slopes_are_those_of_least_squares():
    """Numpy's, of each trait alone, rows about their items' means; the strongest trait first."""
    traits, rewards, codes = made()
    centred = {}
    for name, column in {**traits, "reward": rewards}.items():
        means = np.bincount(codes, column) / np.bincount(codes)
        centred[name] = column - means[codes]
    found = explained_by(traits, rewards, codes)

    assert found.traits[0].name == "fence"
    assert found.traits[0].having == pytest.approx(traits["fence"].mean())
    for trait in found.traits:
        alone = np.linalg.lstsq(centred[trait.name][:, None], centred["reward"], rcond=None)[0]
        assert trait.slope.value == pytest.approx(alone[0], abs=1e-12)
        assert trait.interval.low < trait.slope.value < trait.interval.high


def test_chance_is_not_claimed():
    """Of rewards shuffled within items traits explain about nothing; in-sample they seem to."""
    traits, rewards, codes = made(items=60, slope=0.5)
    traits |= {f"more {i}": np.random.default_rng(i).normal(size=len(codes)) for i in range(12)}
    draw, shares = np.random.default_rng(0), []
    for _ in range(60):
        shuffled = draw.permuted(rewards.reshape(60, 4), axis=1).ravel()
        shares.append(explained_by(traits, shuffled, codes, resamples=0).share.value)

    assert explained_by(traits, rewards, codes, resamples=0).share.value > 0.3
    assert -0.15 < np.mean(shares) < 0.02
    assert np.quantile(shares, 0.95) < 0.06


@given(
    st.lists(st.tuples(st.integers(0, 15), st.integers(0, 1), st.floats(-1, 1)), min_size=1),
    st.floats(-3, 3),
)
def test_items_levels_change_nothing(rows, level):
    """A reward that is higher for all samples of an item teaches the same."""
    items, trait, rewards = (list(column) for column in zip(*rows, strict=True))
    lifted = [reward + level * (item % 3) for item, reward in zip(items, rewards, strict=True)]
    before = explained_by({"t": trait}, rewards, items, resamples=0)
    after = explained_by({"t": trait}, lifted, items, resamples=0)

    assert before.samples == after.samples
    for one, other in zip(before.traits, after.traits, strict=True):
        assert other.slope.value == pytest.approx(one.slope.value, abs=1e-9)


@pytest.mark.parametrize(
    ("traits", "rewards", "items", "reason"),
    [
        ({"t": [1, 0]}, [1, 0], [1, 2], "no item has two samples"),
        ({"t": [1, 0]}, [1, 1], [1, 1], "rewards do not vary within items"),
        ({"t": [1, 1]}, [1, 0], [1, 1], "nothing that could explain rewards varies"),
        (
            {"t": [1, 0]},
            [1, 0],
            [1, 1],
            "1 item with several samples: too few to predict one from others",
        ),
    ],
)
def test_where_there_is_no_share(traits, rewards, items, reason):
    """It is said why."""
    found = explained_by(traits, rewards, items)

    assert (found.share.value, found.share.undefined, found.interval) == (None, reason, None)


def test_no_traits_are_refused():
    """There must be something that explains."""
    with pytest.raises(ValueError, match="what explains rewards has a name, and there is none"):
        explained_by({}, [1, 0], [1, 1])


def test_failures_by_kind():
    """All of them first, then the most frequent; items are resampled, not samples."""
    kinds = ["timeout", "timeout", None, None, "other", None, None, None]
    items = [1, 1, 2, 2, 3, 3, 4, 4]
    found = failure_rates(kinds, items, resamples=500)

    assert [(rate.kind, rate.count, rate.share) for rate in found] == [
        (None, 3, 0.375),
        ("timeout", 2, 0.25),
        ("other", 1, 0.125),
    ]
    assert (found[1].interval.low, found[1].interval.high) == (0.0, 0.75)
    with pytest.raises(ValueError, match="kinds: there are no samples"):
        failure_rates([], [])
