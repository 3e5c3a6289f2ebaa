"""The studies on real rows: what was measured of them before, and the libraries' numbers."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from graders.cli import main
from graders.studies.statistics.agreement import agreement
from graders.studies.statistics.bootstrap import bootstrap, interval
from graders.studies.statistics.resampled import prepare
from graders.studies.statistics.signal import group_signal
from metrics import Settings, similarities

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the folder with the real rows is not here"
)

AUC = {  # of evouna_nq.jsonl, measured with other code
    "rouge_1": 0.838,
    "rouge_2": 0.715,
    "rouge_3": 0.565,
    "rouge_4": 0.515,
    "rouge_5": 0.505,
    "rouge_l": 0.839,
    "fuzzy_match": 0.623,
    "bleu": 0.812,
}
ZERO_VARIANCE = {"rouge_2": 0.45, "rouge_3": 0.80, "rouge_4": 0.95, "rouge_5": 0.985, "none": 0.91}


@cache
def rows(name):
    """Candidates, references, labels and items of a file."""
    lines = (DATA / name).read_text("utf-8").rstrip("\n").split("\n")
    listed = [
        (sample["output_text"], line["item"]["reference_answer"], sample["human"], number)
        for number, line in enumerate(map(json.loads, lines))
        for sample in line["samples"]
    ]
    candidates, references, labels, items = zip(*listed, strict=True)
    return candidates, references, np.array(labels), np.array(items)


@cache
def scores(name):
    """Every cheap metric's scores."""
    candidates, references, _, _ = rows(name)
    found = similarities(list(AUC), candidates, references)
    unsmoothed = similarities(["bleu"], candidates, references, Settings(bleu="none"))
    return {
        **{key: np.array(values) for key, values in found.items()},
        "none": np.array(unsmoothed["bleu"]),
    }


@pytest.mark.long
@pytest.mark.parametrize("metric", AUC)
def test_auc_on_natural_questions(metric):
    """To the three digits that were noted."""
    _, _, labels, items = rows("evouna_nq.jsonl")
    found = agreement(scores("evouna_nq.jsonl")[metric], labels, items)

    assert found.rows == 15_098
    assert found.auc.value == pytest.approx(AUC[metric], abs=0.00051)


@pytest.mark.long
def test_intervals_on_natural_questions():
    """About those that were noted, from 1,000 resamples of the 3,020 items."""
    _, _, labels, items = rows("evouna_nq.jsonl")
    noted = {"rouge_l": (0.829, 0.845), "bleu": (0.804, 0.822)}
    drawn = bootstrap(
        prepare({name: scores("evouna_nq.jsonl")[name] for name in noted}, labels, items)
    )

    for name, (low, high) in noted.items():
        found = interval(drawn.of("auc", name))
        assert found.low == pytest.approx(low, abs=0.004)
        assert found.high == pytest.approx(high, abs=0.004)


@pytest.mark.long
@pytest.mark.parametrize("metric", ZERO_VARIANCE)
def test_groups_without_variance_on_natural_questions(metric):
    """Long n-grams and unsmoothed BLEU give the five answers of most questions one reward."""
    _, _, _, items = rows("evouna_nq.jsonl")
    found = group_signal(scores("evouna_nq.jsonl")[metric], items, resamples=200)

    assert found.groups + found.single == 3_020
    assert found.zero_variance.value == pytest.approx(ZERO_VARIANCE[metric], abs=0.0051)
    assert found.zero_variance_interval.low < found.zero_variance.value
    assert found.zero_variance_interval.high > found.zero_variance.value


def test_the_embedder_without_data_on_sentence_pairs():
    """Spearman of hash_char on the STS benchmark was .664."""
    candidates, references, labels, items = rows("stsb_en_test.jsonl")
    cosine = similarities(["cosine"], candidates, references)["cosine"]
    found = agreement(cosine, labels, items)

    assert found.rows == 1_379
    assert found.spearman.value == pytest.approx(0.664, abs=0.00051)
    assert found.pairwise_accuracy.undefined == "no item has two samples with different labels"


@pytest.mark.needs("sklearn")
@pytest.mark.parametrize("file", ["evouna_nq.jsonl", "stsb_en_test.jsonl", "summeval.jsonl"])
@pytest.mark.parametrize("metric", ["rouge_l", "bleu"])
def test_real_agreement_is_that_of_the_libraries(file, metric):
    """To 1e-12, thousands of ties included."""
    from scipy import stats
    from sklearn.metrics import f1_score, precision_recall_curve, roc_auc_score

    _, _, labels, items = rows(file)
    x, from_here = scores(file)[metric], float(np.median(labels))
    good = labels >= from_here
    found = agreement(x, labels, items, good_from=from_here)
    precision, recall, _ = precision_recall_curve(good, x)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)

    assert found.pearson.value == pytest.approx(stats.pearsonr(x, labels).statistic, abs=1e-12)
    assert found.spearman.value == pytest.approx(stats.spearmanr(x, labels).statistic, abs=1e-12)
    assert found.kendall.value == pytest.approx(stats.kendalltau(x, labels).statistic, abs=1e-12)
    assert found.f1.value == pytest.approx(f1.max(), abs=1e-12)
    assert found.f1.value == pytest.approx(f1_score(good, x >= found.threshold.value), abs=1e-12)
    if good.all():
        assert found.auc.undefined
    else:
        assert found.auc.value == pytest.approx(roc_auc_score(good, x), abs=1e-12)


@pytest.mark.long
@pytest.mark.parametrize("metric", ZERO_VARIANCE)
def test_a_study_of_natural_questions_says_what_was_measured(metric, tmp_path, monkeypatch, capfd):
    """From rows to words: the share of questions whose answers all get one reward."""
    monkeypatch.chdir(tmp_path)
    config = {
        "type": "text_similarity",
        "name": "s",
        "evaluation_metric": "bleu" if metric == "none" else metric,
        "input": "{{ sample.output_text }}",
        "reference": "{{ item.reference_answer }}",
    }
    Path("g.json").write_text(json.dumps(config), encoding="utf-8")
    rows = str(DATA / "evouna_nq.jsonl")
    profile = ["--set", "bleu=none"] if metric == "none" else []
    assert main(["run", "g.json", rows, "-o", "out.jsonl", "--json", *profile]) == 0
    run = json.loads(capfd.readouterr().out)["signal"]
    options = ["--rows", rows, "--human", "sample.human", "--resamples", "200", "--json"]
    assert main(["study", "out.jsonl", *options]) == 0
    study = json.loads(capfd.readouterr().out)

    share = study["groups"]["zero_variance"]
    assert share["value"] == run["groups"]["zero_variance"]["value"]
    assert share["interval"]["low"] < ZERO_VARIANCE[metric] < share["interval"]["high"]
    if metric in AUC:
        assert study["human"]["auc"]["value"] == pytest.approx(AUC[metric], abs=0.00051)
    (said,) = (one for one in study["verdicts"] if one["code"] == "zero-variance")
    assert said["tone"] == ("warning" if metric == "rouge_2" else "bad")
