"""`graders compare --fit`: one reward of several, its config, and what cannot be fitted."""

import json
from pathlib import Path

import pytest

from graders.cli import main

pytestmark = pytest.mark.needs("sklearn")
NAMES = ("Kenya", "Peru", "Japan", "Norway", "Chad", "Fiji", "Cuba", "Laos")
COMPARE = ("--reference", "item.answer", "--human", "sample.human", "--probe", "0")
QUICK = ("--resamples", "100")


def said(text, human):
    return {"output_text": text, "human": human}


ROWS = [
    {
        "item": {"answer": name},
        "samples": [said(f"It is {name}.", 1), said(name[::-1], 0), said(name[:3], i % 2)],
    }
    for i, name in enumerate(NAMES)
]
SHORT = "def grade(sample, item):\n    return 10.0 * (len(sample['output_text']) > 9)\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("rows.jsonl", *ROWS)


def write(name, *lines):
    Path(name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def compare(capsys):
    """Run `graders compare rows.jsonl ...`; gives the exit code, output and errors."""

    def command(*arguments):
        code = main(["compare", "rows.jsonl", *COMPARE, *QUICK, *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def rewards(capsys, *arguments):
    """The scores that a run gives."""
    assert main(["run", "fitted.json", "rows.jsonl", *arguments, "-o", "results.jsonl"]) == 0
    capsys.readouterr()
    lines = Path("results.jsonl").read_text().splitlines()
    return [json.loads(line)["score"] for line in lines]


def test_the_config_gives_what_was_fitted(compare, capsys):
    """A run under the settings that are told has the F1 and the threshold of the fit."""
    code, out, err = compare(
        *("--metrics", "rouge_l", "--fit", "partial,hash_char", "-o", "fitted.json", "--json")
    )
    fit = json.loads(out)["fit"]
    config = json.loads(Path("fitted.json").read_text())
    told = [part for setting in fit["settings"] for part in ("--set", setting)]
    scores = rewards(capsys, *told)
    labels = [sample["human"] for row in ROWS for sample in row["samples"]]
    passed = [score >= config["pass_threshold"] for score in scores]
    right = sum(p and label for p, label in zip(passed, labels, strict=True))

    assert (code, err) == (0, "")
    assert config == fit["config"]
    assert config["calculate_output"] == fit["formula"]
    assert set(json.loads(out)["contestants"]) >= {"rouge_l", "partial", "hash_char"}
    assert fit["threshold"]["value"] == config["pass_threshold"]
    assert 2 * right / (sum(passed) + sum(labels)) == pytest.approx(fit["f1"]["value"])


def test_graders_can_be_members(compare, capsys):
    """Python in its sandbox, on its own scale: divided, and held to [0, 1]."""
    Path("long.py").write_text(SHORT)
    code, out, _ = compare(
        *("--metrics", "none", "--graders", "long.py", "--fit", "long.py,rouge_l"),
        *("-o", "fitted.json"),
    )
    config = json.loads(Path("fitted.json").read_text())

    assert code == 0
    assert "fitted to 24 rows of 8 items, tested in 5 folds of items\n" in out
    assert "long / 10" in config["calculate_output"]
    assert config["calculate_output"].startswith("min(1, max(0, ")
    assert config["graders"]["long"]["source"] == SHORT
    assert all(0 <= score <= 1 for score in rewards(capsys))


def test_contradicting_variants_have_no_config(compare):
    """The comparison and the fit are shown all the same; exit code 2 where a file was asked for."""
    arguments = ("--metrics", "rouge_l", "--fit", "partial,wratio")
    assert compare(*arguments)[0] == 0
    code, out, err = compare(*arguments, "-o", "fitted.json")

    assert code == 2
    assert "no config can be written: " in out
    assert "graders: fitted.json is not written: " in err
    assert "needs fuzzy_match=wratio" in err
    assert not Path("fitted.json").exists()


def test_a_comparison_stands_without_a_fit(compare):
    """Where there is nothing to fit to, it says so after what was compared; exit code 2."""
    write("rows.jsonl", *(row | {"samples": row["samples"][:1]} for row in ROWS))
    code, out, err = compare("--fit", "rouge_l,bleu")

    assert code == 2
    assert "rouge_l" in out
    assert err == "graders: labels do not vary: all 8 are 1\n"


FLAT = [
    {"answer": row["item"]["answer"], "completion": sample["output_text"], "human": sample["human"]}
    for row in ROWS
    for sample in row["samples"]
]


@pytest.mark.parametrize("fit", [(), ("--fit", "all"), ("--fit", "all", "-o", "fitted.json")])
@pytest.mark.parametrize(
    "output", [(), ("--output", "completion"), ("--column", "sample=completion")]
)
def test_where_flat_rows_have_their_output_is_not_where_the_fit_goes(capsys, output, fit):
    """Three ways to say the one, and three of the other, in any combination."""
    write("rows.jsonl", *FLAT)
    arguments = ("--metrics", "partial,rouge_l", "--human", "item.human", *QUICK)
    code = main(["compare", "rows.jsonl", *COMPARE, *arguments, *output, *fit])
    out, err = capsys.readouterr()

    assert (code, err) == (0, "")
    assert "rows.jsonl: 24 rows of " in out
    assert ("fitted to 24 rows" in out) == bool(fit)
    assert {path.name for path in Path().iterdir()} == {"rows.jsonl", *fit[3:]}


MESSAGES = [
    (("--fit", "partal"), "there is no metric 'partal'. Did you mean 'partial' or 'partial_dp'?"),
    (("-o", "x.json"), "-o is for the config of --fit, and there is no --fit."),
    (("--fit", "all", "-o", "-"), "-o names a file; standard output is for the comparison."),
    (("--fit", "all", "-o", "rows.jsonl"), "-o rows.jsonl would overwrite the input rows.jsonl."),
    (
        ("--graders", "long.py", "--fit", "lon.py"),
        "there is no metric 'lon.py'.",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), MESSAGES)
def test_what_cannot_be_used(compare, arguments, message):
    """Exit code 2, before anything is scored."""
    Path("long.py").write_text(SHORT)
    code, out, err = compare(*arguments)

    assert (code, out) == (2, "")
    assert message in err
