"""The config of a fitted reward: a multi that gives what was fitted, and what no run can have."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graders.compile import compile_grader
from graders.config.parse import parse_config, read_config
from graders.engine import run_sync
from graders.profile import OPENAI
from graders.row_files import read_rows
from graders.studies.choice.fit import Fit, FitOptions, Weight, fit
from graders.studies.choice.weights import FitError
from graders.studies.statistics.statistic import Statistic
from graders.template import parse_path
from graders.testing.contest import score_metrics
from graders.testing.contestants import contestants, packs
from graders.testing.fitted_config import Reference, multi_config
from graders.testing.labelled import read_labelled

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.needs("sklearn")
QUICK = FitOptions(resamples=100)

EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
}


def fitted_by_hand(*names):
    """A fit of some names, of equal weight."""
    weights = tuple(Weight(name=x, share=1 / len(names), scale=1, low=0, high=1) for x in names)
    return Fit(
        rows=9,
        items=3,
        folds=3,
        weights=weights,
        clamped=False,
        by="auc",
        gains=(),
        good_from=0.5,
        threshold=Statistic(value=0.5),
        f1=Statistic(value=0.75),
        unseen_f1=Statistic(value=0.6875),
    )


def members_of(*names):
    return {one.name: one for one in contestants(names, OPENAI.metrics)}


CONTRADICTIONS = [
    (
        ("partial", "token_set"),
        "partial needs fuzzy_match=partial and token_set needs fuzzy_match=token_set, and a run "
        "has one of them: leave one of the two out of the fit",
    ),
    (("ratio", "partial"), "ratio needs fuzzy_match=ratio and partial needs fuzzy_match=partial"),
    (("rouge_1_stem", "rouge_l"), "rouge_1_stem needs rouge=stem and rouge_l needs rouge=google"),
]


@pytest.mark.parametrize(("names", "message"), CONTRADICTIONS)
def test_variants_that_no_run_can_have_together(names, message):
    """A plain metric needs its own setting too."""
    with pytest.raises(FitError, match=message):
        multi_config(fitted_by_hand(*names), members_of(*names), Reference(path="item.answer"))


def test_the_threshold_that_is_told_is_that_of_the_config():
    """To the last digit: another may part other rows."""
    found = replace(fitted_by_hand("partial", "bleu"), threshold=Statistic(value=0.123456789))
    made = multi_config(found, members_of("partial", "bleu"), Reference(path="item.answer"))

    assert made.config["pass_threshold"] == 0.123456789
    assert made.notes[0].startswith("pass_threshold 0.123456789 is the one with the best F1 ")


def test_the_settings_that_a_config_needs_are_told():
    """Only those that a run is not under by itself."""
    names = ("partial", "rouge_l_stem", "bleu", "hash_char")
    made = multi_config(fitted_by_hand(*names), members_of(*names), Reference(path="item.answer"))

    assert made.settings == ("fuzzy_match=partial", "rouge=stem")
    assert made.notes == (
        "pass_threshold 0.5 is the one with the best F1 on these rows (0.750, a little too high: "
        "it was chosen on them; 0.688 on items not fitted to)",
        "the config gives these scores with --set fuzzy_match=partial --set rouge=stem, and "
        "others without",
    )
    assert made.config["graders"]["rouge_l_stem"] == {
        "type": "text_similarity",
        "name": "rouge_l_stem",
        "evaluation_metric": "rouge_l",
        "input": "{{ sample.output_text }}",
        "reference": "{{ item.answer }}",
    }


def test_graders_are_members_as_they_are():
    """Under names that a formula can have; their profile's settings are told."""
    config = read_config(EXACT).grader
    profile = OPENAI.override({"render": "python"})
    made = multi_config(
        fitted_by_hand("my exact.json", "rouge_l"),
        {"my exact.json": config, **members_of("rouge_l")},
        Reference(path="item.answers", several=True),
        profile=profile,
    )

    assert made.config["calculate_output"] == "0.5 * my_exact + 0.5 * rouge_l"
    assert made.config["graders"]["my_exact"] == EXACT
    assert made.config["graders"]["rouge_l"]["references"] == "item.answers"
    assert made.settings == ("render=python",)
    assert "the hosted service compares with the text of the list at item.answers" in made.notes[-1]
    assert parse_config(made.config).findings == ()


def test_a_multi_can_be_no_member():
    """Nor can an Evals body."""
    multi = {"type": "multi", "name": "m", "graders": {"a": EXACT}, "calculate_output": "a"}
    for config, what in ((multi, "a multi"), ({"testing_criteria": [EXACT]}, "an Evals body")):
        with pytest.raises(FitError, match=rf"m\.json is {what}, which can be no member of a"):
            multi_config(
                fitted_by_hand("m.json"),
                {"m.json": read_config(config).grader},
                Reference(path="item.answer"),
            )


REAL = [  # names, where references stand, rows, and what no change may take away
    (("partial", "rouge_l", "bleu"), "item.reference_answer", 1_000),
    (("meteor", "rouge_1", "hash_char", "ratio"), "item.answers", 300),
]


@pytest.mark.needs(str(DATA))
@pytest.mark.parametrize(("names", "path", "limit"), REAL)
def test_the_config_gives_what_the_fit_predicts_on_real_rows(names, path, limit):
    """Graded by the config as a run grades it, each row has the predicted reward."""
    rows = labelled(path, limit)
    chosen = contestants(names, OPENAI.metrics)
    scores = {
        name: column.scores
        for name, column in score_metrics(
            packs(chosen, OPENAI.metrics), rows, OPENAI.metrics
        ).items()
    }
    found = fit(scores, rows.labels, rows.items, QUICK)
    reference = Reference(path=path, several=path == "item.answers")
    made = multi_config(found, {one.name: one for one in chosen}, reference)
    settings = dict(one.split("=") for one in made.settings)
    config = json.loads(json.dumps(made.config))
    grader = compile_grader(config, profile=OPENAI.override(settings))

    grades = run_sync(lambda: grader.grade(rows.rows))
    assert [one.score for one in grades] == pytest.approx(found.predict(scores), abs=1e-12)
    passed = np.array([one.passed for one in grades])
    good = np.array(rows.labels) >= 0.5
    f1 = 2 * (passed & good).sum() / (passed.sum() + good.sum())
    assert found.f1.value == pytest.approx(f1)
    assert 0.8 < found.gain.fitted.value < 1
    assert found.gain.fitted.value > found.gain.alone.value - 0.02


def labelled(path, limit):
    file = str(DATA / "evouna_nq.jsonl")
    human = parse_path("sample.human")
    return read_labelled(
        read_rows(file), file=file, reference=parse_path(path), human=human, limit=limit
    )
