"""Hosted images: what a source needs of them, and what is said of it."""

import json
import subprocess
import sys
import venv
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from graders.checks.image import check_image
from graders.cli import main
from graders.images import (
    CORPORA,
    IMAGES,
    NOTE,
    Environment,
    image_folder,
    image_python,
    look,
    preloads,
)

TAG = "2025-05-08"
DATA = Path("/data/nltk_data")
SAME = Environment(
    python="3.11.7",
    prefix=Path("/venv"),
    versions=dict(IMAGES[TAG].values()),
    data=dict.fromkeys(CORPORA, DATA),
    shown=frozenset({DATA}),
)
HAS = "has names, omw-1.4, punkt, stopwords, wordnet."
BUILD = f"graders image build {TAG}, then --python {TAG}."
NO_TORCH = f"torch is not in the image {TAG}. Do without it, or drop the tag."
OFFLINE = "nltk.download does nothing in a row, which has no network."


def trying(body, handler, caught="ImportError"):
    return f"try:\n    {body}\nexcept {caught}:\n    {handler}"


def lacking(data, needed_by=""):
    needs = f", and {needed_by} needs it" if needed_by else ""
    fix = "Split with NLTKWordTokenizer, or str.split." if data == "punkt_tab" else f"It {HAS}"
    return f"the nltk data {data!r} is not in the image {TAG}{needs}. {fix}"


def needless(data):
    return f"{OFFLINE} Leave it out: {data} is in the image {TAG} already."


IMPORTS = [
    ("import numpy as np", {}),
    ("import json, joblib, sandbox", {}),
    ("import urllib3, certifi, idna, charset_normalizer, packaging", {}),  # scikit-bio's, in turn
    ("import cloudpickle", {1: f"cloudpickle is not in the image {TAG}. Do without it, or drop "
                               "the tag."}),  # a later joblib's
    ("import torch", {1: NO_TORCH}),
    ("import os\nimport torch.nn\nfrom torch import nn", {2: NO_TORCH}),
    ("from . import torch\nfrom .torch import nn", {}),
    ("# import torch\n'import torch'", {}),
    ("import torch (", {}),
    # What a source can do without is not missed.
    (trying("import torch", "torch = None"), {}),
    (trying("import torch", "torch = None", "(OSError, ModuleNotFoundError)"), {}),
    (trying("import torch", "torch = None", "Exception"), {}),
    (trying("import torch", "torch = None", ""), {}),
    (trying("def f():\n        import torch", "pass"), {}),
    (trying("import torch", "torch = None", "ValueError"), {2: NO_TORCH}),
    (trying("import torch", "raise SystemExit('no torch')"), {2: NO_TORCH}),
    (trying("import json", "pass") + "\nelse:\n    import torch", {6: NO_TORCH}),
    (trying("import torch", "pass") + "\nimport torch", {5: NO_TORCH}),
    ("ImportError = KeyError\n" + trying("import torch", "pass"), {3: NO_TORCH}),
    ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch", {}),
    ("import typing as t\nif t.TYPE_CHECKING:\n    import torch", {}),
    ("if True:\n    import torch", {2: NO_TORCH}),
    # What stands in for something that is there is never imported.
    (trying("import json", "import torch"), {}),
    (trying("import tensorflow", "import torch"), {4: NO_TORCH}),
]  # fmt: skip

NLTK = [
    ("from nltk.corpus import stopwords", {}),
    ("import nltk\nnltk.corpus.brown.words()", {2: lacking("brown")}),
    ("import nltk.corpus as c\nc.brown\nc.brown", {2: lacking("brown")}),
    ("from nltk import corpus\ncorpus.brown.words", {2: lacking("brown")}),
    ("from nltk.corpus import (stopwords, brown as b,\n  reuters)",
     {1: lacking("brown"), 2: lacking("reuters")}),
    ("# nltk.corpus.brown\n'from nltk.corpus import brown'", {}),
    ("from nltk.corpus import reader\nfrom nltk.corpus.reader import wordnet", {}),
    ("from nltk.corpus import PlaintextCorpusReader", {}),
    ("class nltk:\n    corpus = None\nnltk.corpus.brown", {}),
    ("from nltk import word_tokenize", {1: lacking("punkt_tab", "word_tokenize")}),
    ("import nltk\nnltk.tokenize.sent_tokenize('')",
     {2: lacking("punkt_tab", "sent_tokenize")}),
    ("def word_tokenize(text):\n    return text.split()\nword_tokenize('a')", {}),
    ("from mine import word_tokenize",
     {1: f"mine is not in the image {TAG}. Do without it, or drop the tag."}),
    ("import nltk\nnltk.word_tokenize('', preserve_line=True)", {}),
    ("import nltk\nnltk.word_tokenize('', preserve_line=False)",
     {2: lacking("punkt_tab", "word_tokenize")}),
    ("from nltk import word_tokenize as w\nw('', preserve_line=True)\nw('')",
     {1: lacking("punkt_tab", "word_tokenize")}),
    ("import nltk\nnltk.pos_tag([])",
     {2: lacking("averaged_perceptron_tagger_eng", "pos_tag")}),
    ("from nltk.sentiment.vader import SentimentIntensityAnalyzer",
     {1: lacking("vader_lexicon", "SentimentIntensityAnalyzer")}),
    ("from nltk.translate.meteor_score import meteor_score", {}),
    ("import nltk\nnltk.download('punkt', quiet=True)", {2: needless("punkt")}),
    ("from nltk import download as d\nd(info_or_id='punkt')", {2: needless("punkt")}),
    ("import nltk\nfor x in ():\n    nltk.download(x)", {3: f"{OFFLINE} The image {TAG} {HAS}"}),
    ("import nltk\nnltk.download()", {2: f"{OFFLINE} The image {TAG} {HAS}"}),
    ("import nltk\nnltk.download('punkt_tab')", {2: lacking("punkt_tab")}),
    ("import nltk\nnltk.download(['brown',\n 'names'])",
     {2: (lacking("brown"), needless("names"))}),
    ("def download(x): ...\ndownload('punkt')", {}),
    # The usual way to write it downloads nothing where the data is.
    ("import nltk\n" + trying("nltk.data.find('tokenizers/punkt')", "nltk.download('punkt')",
                              "LookupError"), {}),
    ("import nltk\n" + trying("nltk.data.find('corpora/brown.zip')", "nltk.download('brown')",
                              "LookupError"), {3: lacking("brown")}),
    ("import nltk\nnltk.data.load('nltk:tokenizers/punkt_tab/english/')",
     {2: lacking("punkt_tab")}),
    ("import nltk\nnltk.data.find(f'corpora/{nltk}')\nnltk.data.find('names')", {}),
]  # fmt: skip

HERE = [
    (
        "from sklearn.metrics import f1_score",
        {"versions": {"scikit-learn": "1.7.0"}},
        f"scikit-learn is 1.6.1 in the image, and 1.7.0 here. For the same numbers: {BUILD}",
    ),
    (
        "import skbio",
        {"versions": {}},
        f"scikit-bio 0.6.3 is in the image, and not installed here. {BUILD}",
    ),
    (
        "try: import numpy\nexcept ImportError: pass",  # which gives other numbers here
        {"versions": {}},
        f"numpy 2.2.4 is in the image, and not installed here. {BUILD}",
    ),
    (
        "from nltk.corpus import names, stopwords",
        {"data": {"names": DATA}},
        "the nltk data 'stopwords' is in the image, and not on this machine. "
        "python -m nltk.downloader -d FOLDER stopwords, then set NLTK_DATA=FOLDER.",
    ),
    (
        "from nltk.stem import WordNetLemmatizer",
        {"data": {"wordnet": Path("/mine/nltk_data")}},
        "the nltk data 'wordnet' is in /mine/nltk_data, which a sandbox does not show. "
        "Set NLTK_DATA=/mine/nltk_data.",
    ),
]


@pytest.mark.parametrize(("source", "wanted"), [*IMPORTS, *NLTK])
def test_what_the_image_lacks_is_said(source, wanted):
    """With the line, and what to do; once, where it first matters."""
    found = check_image(TAG, source, lambda: SAME)

    said = [(line, text) for line, texts in wanted.items()
            for text in ([texts] if isinstance(texts, str) else texts)]  # fmt: skip
    assert [str(f) for f in found] == [f"source: line {line}: {text}" for line, text in said]
    assert {f.severity for f in found} <= {"warning"}


@pytest.mark.parametrize(("source", "differs", "wanted"), HERE)
def test_what_is_otherwise_here_is_said(source, differs, wanted):
    """Versions, packages and data of the interpreter that will run the grader."""
    (found,) = check_image(TAG, source, lambda: replace(SAME, **differs))

    assert str(found) == f"source: line 1: {wanted}"


def test_only_what_nltk_loads_as_a_corpus_is_taken_for_one():
    """Of every name that the installed nltk.corpus has."""
    corpora = vars(import_module("nltk.corpus.util"))["LazyCorpusLoader"]
    import_module("nltk.corpus")
    there = {k: v for k, v in vars(sys.modules["nltk.corpus"]).items() if not k.startswith("_")}
    assert len(there) > 100

    flagged = {k for k in there if check_image(TAG, f"from nltk.corpus import {k}", lambda: SAME)}

    loaded = {name for name, value in there.items() if isinstance(value, corpora)}
    # The one is a module of corpora that is no loader; the other came with nltk 3.10.
    assert flagged - {"europarl_raw", "redos"} == loaded - CORPORA.keys()


@pytest.mark.parametrize(
    ("tag", "wanted"),
    [
        ("2025-05-80", f"'2025-05-80' is no image we know; we know {TAG}. Did you mean {TAG!r}?"),
        ("latest", f"'latest' is no image we know; we know {TAG}"),
        ("alpha", "nobody has documented what the image 'alpha' has, so nothing is checked"),
    ],
)
def test_a_tag_without_a_list_is_said(tag, wanted):
    """A typo, and the older tag of which nothing is known."""
    assert [str(f) for f in check_image(tag, "import torch")] == [f"image_tag: {wanted}"]
    assert check_image(None, "import torch") == []


def test_an_interpreter_is_looked_at_from_outside_as_from_inside(monkeypatch):
    """The same versions of the same packages."""
    monkeypatch.delenv("NLTK_DATA", raising=False)
    inside, outside = look(), look(sys.executable)

    assert inside.versions.items() <= outside.versions.items()
    assert (inside.python, inside.prefix) == (outside.python, outside.prefix)
    assert inside.versions["nltk"]
    with pytest.raises(OSError, match=r"/bin/false does not run: "):
        look("/bin/false")


def test_nltk_data_is_looked_for_where_nltk_does(tmp_path, monkeypatch):
    """Unpacked or not; first where a sandbox shows it."""
    bound, home = tmp_path / "bound", tmp_path / "nltk_data"
    for folder in (home / "corpora" / "names", bound / "corpora" / "wordnet", home / "tokenizers"):
        folder.mkdir(parents=True)
    for file in (home / "corpora" / "wordnet.zip", home / "tokenizers" / "punkt.zip"):
        file.touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NLTK_DATA", f":{bound}")

    here = look()

    where = {"names": home, "wordnet": bound, "punkt": home}
    assert {name: here.data.get(name) for name in where} == where
    assert bound in here.shown
    assert home not in here.shown
    assert Path(sys.prefix, "lib", "nltk_data") in here.shown


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("import antigravity, torch, re\nfrom sklearn.metrics import f1_score\nimport numpy",
         ("numpy", "re", "sklearn.metrics")),
        ("import unittest.__main__, unittest.mock", ("unittest.mock",)),
        ("import json.tool, numpy.conftest, test.support, numpy.tests.test_ctypeslib",
         ("json.tool",)),
        ("from sympy.testing import tests\nfrom nltk.test import x", ("sympy.testing",)),
        ("from . import os\nfrom .re import x", ()),
        ("def (", ()),
    ],
)  # fmt: skip
def test_only_what_is_vouched_for_is_loaded_ahead(source, wanted):
    """The standard library without its jokes, the image's packages, and no tests of either."""
    assert preloads(source) == wanted


@pytest.fixture
def grader(tmp_path, monkeypatch):
    """A config in an empty folder, where images would stand too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    source = trying("import rapidfuzz", "rapidfuzz = None") + "\ndef grade(s, i):\n    return 1"
    config = {"type": "python", "name": "p", "image_tag": TAG, "source": source}
    Path("g.json").write_text(json.dumps(config))
    return ["run", "g.json", "--sample", "x"]


def test_the_interpreter_that_runs_is_the_one_that_is_compared(grader, capsys):
    """Whether by path or by tag; a tag counts from when its image was built to the end."""
    assert main(["validate", "g.json"]) == 0
    assert (
        "warning: source: line 2: rapidfuzz is 3.10.1 in the image, and 3.14."
        in capsys.readouterr().err
    )
    assert main([*grader, "--python", TAG]) == 2
    assert f"no image {TAG}; graders image build {TAG} makes it" in capsys.readouterr().err

    venv.create(image_folder(TAG), symlinks=True)
    assert image_python(TAG) is None
    assert main([*grader, "--python", str(image_folder(TAG) / "bin" / "python")]) == 0
    assert f"rapidfuzz 3.10.1 is in the image, and not installed here. {BUILD}" in (
        capsys.readouterr().err
    )

    note = image_folder(TAG) / NOTE
    note.write_text("{}")
    assert main([*grader, "--python", TAG]) == 0
    assert f"and not installed here. {note} says why." in capsys.readouterr().err


@pytest.mark.parametrize("python", ["2025-05-80", "alpha", "/no/such/python"])
def test_an_interpreter_that_is_none_is_said(grader, capsys, python):
    """A path, a program on the PATH or the tag of an image can be meant."""
    assert main([*grader, "--python", python]) == 2
    assert (
        f"--python: {python!r} is no program here, and no image to build (there is {TAG})"
        in capsys.readouterr().err
    )


def test_an_interpreter_is_found_on_the_path(grader, tmp_path, monkeypatch):
    """And from wherever the sandbox stands."""
    venv.create(tmp_path / "env", symlinks=True)
    monkeypatch.setenv("PATH", str(tmp_path / "env" / "bin"))
    subprocess.run(["python", "-c", ""], check=True)

    assert main([*grader, "--python", "python"]) == 0
    assert main([*grader, "--python", "env/bin/python"]) == 0
