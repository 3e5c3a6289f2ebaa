"""metrics/README.md says what the code and the libraries say."""

from pathlib import Path

import pytest
from readme_tables import CANDIDATE, REFERENCE, edges, many_numbers, rows

import metrics
from metrics import METRICS, Settings, similarity
from metrics.fuzzy import VARIANTS
from metrics.settings import BLEU_VARIANTS, METEOR_VARIANTS, ROUGE_VARIANTS
from metrics.tokens import TOKENIZERS

README = (Path(metrics.__file__).parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", [edges, many_numbers])
def test_computed_tables(table):
    """If this fails, run tests/metrics/readme_tables.py, read what changed, and paste it."""
    assert table() in README


def test_the_pair_of_many_numbers_is_shown():
    assert CANDIDATE in README
    assert REFERENCE in README


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.metric} {row.variant}")
def test_our_settings_give_the_librarys_value(row):
    assert similarity(row.metric, CANDIDATE, REFERENCE, Settings(**row.settings)) == row.value


@pytest.mark.parametrize(
    "name", [*VARIANTS, *BLEU_VARIANTS, *ROUGE_VARIANTS, *METEOR_VARIANTS, *TOKENIZERS]
)
def test_every_variant_is_defined(name):
    assert f"`{name.removesuffix('_dp')}`" in README


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_default_signatures_are_shown(metric):
    assert metric.signature.replace("|", "\\|") in README
