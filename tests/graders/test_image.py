"""Hosted images: what a source needs of them, and environments made from them."""

import json
from pathlib import Path

import pytest

from graders.checks.image import check_image
from graders.cli import main
from graders.cli.image import build_image
from graders.images import IMAGES, preloads

TAG = "2025-05-08"
EQUAL = dict(IMAGES[TAG].values())

FINDINGS = [
    ("import numpy as np", {}, []),
    ("import json, joblib, sandbox", {}, []),
    ("import torch", {}, ["source: line 1: torch is not in the image 2025-05-08. Do without"]),
    (
        "import os\nfrom sklearn.metrics import f1_score",
        {"scikit-learn": "1.7.0"},
        ["source: line 2: scikit-learn is 1.6.1 in the image, and 1.7.0 here. For the same"],
    ),
    (
        "def grade(s, i):\n    import skbio",
        {"scikit-bio": None},
        ["source: line 2: scikit-bio 0.6.3 is in the image, and not installed here. graders image"],
    ),
    ("from nltk.corpus import stopwords", {}, []),
    (
        "import nltk\nnltk.corpus.brown.words()",
        {},
        ["source: line 2: the nltk data 'brown' is not in the image 2025-05-08. It has names"],
    ),
    (
        "import nltk\nnltk.download('punkt_tab')",
        {},
        ["source: line 2: the nltk data 'punkt_tab' is not in the image"],
    ),
    (
        "from nltk import word_tokenize",
        {},
        ["source: line 1: word_tokenize needs punkt_tab in nltk 3.9, and the image"],
    ),
]


@pytest.mark.parametrize(("source", "differs", "wanted"), FINDINGS)
def test_what_the_image_lacks_or_has_otherwise_is_said(source, differs, wanted):
    """With the line of the import, and what to do."""
    found = check_image(TAG, source, {**EQUAL, **differs}.get)

    assert len(found) == len(wanted)
    assert all(str(f).startswith(text) for f, text in zip(found, wanted, strict=True))
    assert {f.severity for f in found} <= {"warning"}


def test_an_unknown_tag_is_named():
    """With the one that was meant."""
    (found,) = check_image("2025-05-80", "import torch")

    assert str(found) == (
        "image_tag: '2025-05-80' is no image we know; we know 2025-05-08. Did you mean "
        "'2025-05-08'?"
    )
    assert check_image(None, "import torch") == []


def test_the_command_says_it_too(tmp_path, capsys):
    """`validate` shows the warnings, in a member's place."""
    config = {"type": "python", "name": "p", "image_tag": TAG}
    config["source"] = "import torch\ndef grade(sample, item):\n    return 1.0\n"
    (tmp_path / "g.json").write_text(json.dumps(config))

    assert main(["validate", str(tmp_path / "g.json")]) == 0
    assert "warning: source: line 1: torch is not in the image" in capsys.readouterr().err


def test_what_has_no_wheel_is_named(tmp_path):
    """One pip call for all; where it fails, one each, so that the rest is installed."""
    asked = []

    def run(arguments):
        asked.append(list(arguments))
        return int(any("rdkit" in argument for argument in arguments))

    missing = build_image(TAG, "python3", tmp_path, run)

    assert missing == ["rdkit==2024.9.6"]
    assert asked[0] == ["python3", "-m", "venv", str(tmp_path)]
    assert len(asked) == 2 + len(IMAGES[TAG])
    assert all("--only-binary" in arguments for arguments in asked[1:])
    assert json.loads((tmp_path / "image.json").read_text())["missing"] == missing


def test_a_tag_that_is_not_built_is_said(tmp_path, monkeypatch, capsys):
    """With the command that builds it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    Path(tmp_path, "g.py").write_text("def grade(sample, item):\n    return 1.0\n")

    assert main(["run", str(tmp_path / "g.py"), "--sample", "x", "--python", TAG]) == 2
    assert f"no image {TAG}; graders image build {TAG} makes it" in capsys.readouterr().err


def test_only_what_is_vouched_for_is_loaded_ahead():
    """The standard library without its jokes, and the image's packages."""
    source = "import antigravity, torch, re\nfrom sklearn.metrics import f1_score\nimport numpy"

    assert preloads(source) == ("numpy", "re", "sklearn.metrics")
    assert preloads("def (") == ()
