"""`graders image build`: an environment with an image's packages, as far as there are wheels."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import click
import pytest

from graders.cli import main
from graders.cli.image import build_image
from graders.images import IMAGES, NOTE, image_folder, image_python

TAG = "2025-05-08"
WANTED = [f"{name}=={version}" for name, version in IMAGES[TAG].values()]
LOOK = json.dumps(["3.11.7", "/venv", {"numpy": "2.2.4", "six": "1.17.0"}])
NO_WHEEL = "No matching distribution found for rdkit==2024.9.6"
ERRORS = f"""WARNING: Retrying
ERROR: Could not find a version that satisfies the requirement rdkit==2024.9.6 (from versions: 1)
ERROR: {NO_WHEEL}
"""


class Commands:
    """Answers in the place of venv, pip and Python, and keeps what it was asked."""

    def __init__(self, lacking=(), stderr=ERRORS):
        self.lacking, self.stderr, self.asked, self.constraints = lacking, stderr, [], {}

    def __call__(self, arguments):
        self.asked.append(arguments)
        if "-c" in arguments and "pip" in arguments:
            file = Path(arguments[arguments.index("-c") + 1])
            self.constraints[arguments[-1]] = file.read_text().split()
        if "venv" in arguments:
            Path(arguments[-1], "bin").mkdir(exist_ok=True)
            Path(arguments[-1], "bin", "python").touch()
        failed = any(requirement in arguments for requirement in self.lacking)
        return CompletedProcess(arguments, int(failed), LOOK, self.stderr if failed else "")


def test_all_is_installed_in_one_call(tmp_path):
    """Wheels only, but for what is pure Python and published without one."""
    run = Commands()

    assert build_image(TAG, "python3", tmp_path, run) == {}
    made, installed, looked = run.asked
    assert made == ["python3", "-m", "venv", str(tmp_path)]
    assert installed[-len(WANTED) :] == WANTED
    assert " --only-binary :all: --no-binary rouge-score " in " ".join(installed)
    assert looked[0] == installed[0] == str(tmp_path / "bin" / "python")
    assert json.loads((tmp_path / NOTE).read_text()) == {
        "tag": TAG,
        "python": "3.11.7",
        "installed": {"numpy": "2.2.4", "six": "1.17.0"},
        "missing": {},
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", NOTE]


def test_what_has_no_wheel_is_named_and_moves_nothing(tmp_path):
    """The rest is installed one by one, each held to the versions of all others."""
    run = Commands(["rdkit==2024.9.6"])

    assert build_image(TAG, "python3", tmp_path, run) == {"rdkit==2024.9.6": NO_WHEEL}
    assert run.constraints == {one: [other for other in WANTED if other != one] for one in WANTED}
    assert json.loads((tmp_path / NOTE).read_text())["missing"] == {"rdkit==2024.9.6": NO_WHEEL}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", NOTE]


@pytest.mark.parametrize(
    ("files", "ours"),
    [
        ({}, True),
        ({NOTE: json.dumps({"tag": TAG}), "bin/pip": ""}, True),
        ({f"{NOTE}.part": json.dumps({"tag": TAG}), "bin/pip": ""}, True),  # was interrupted
        ({"thesis.tex": ""}, False),
        ({"bin/python": ""}, False),
        ({NOTE: "[]"}, False),
        ({NOTE: '{"tag": []}'}, False),
        ({NOTE: '{"tag": "v1"}'}, False),
        ({NOTE: "not JSON"}, False),
    ],
)
def test_only_a_folder_of_ours_is_written_to(tmp_path, files, ours):
    """A new or an empty one, or an image of before."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    if ours:
        assert build_image(TAG, "python3", tmp_path, Commands()) == {}
        assert not (tmp_path / "bin" / "pip").exists()
        return
    run = Commands()
    with pytest.raises(click.ClickException, match=r"exists and is no image of ours; name a new"):
        build_image(TAG, "python3", tmp_path, run)
    assert run.asked == []
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()} == {*files}


def test_a_file_is_no_folder(tmp_path):
    """It stays as it is."""
    (tmp_path / "image").write_text("mine")

    with pytest.raises(click.ClickException, match="exists and is no image of ours"):
        build_image(TAG, "python3", tmp_path / "image", Commands())
    assert (tmp_path / "image").read_text() == "mine"


def test_nltk_data_outlives_a_new_build(tmp_path):
    """It was downloaded by hand, and belongs to no version of Python."""
    build_image(TAG, "python3", tmp_path, Commands())
    for folder in ("nltk_data/corpora", "python3.11/site-packages"):
        (tmp_path / "lib" / folder).mkdir(parents=True)

    build_image(TAG, "python3", tmp_path, Commands())

    assert [path.name for path in (tmp_path / "lib").iterdir()] == ["nltk_data"]


def test_an_interrupted_build_is_no_image(tmp_path, monkeypatch):
    """Though it has a Python; not even where an image was before. The next build ends it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = image_folder(TAG)

    def interrupted(arguments):
        if "pip" in arguments:
            raise KeyboardInterrupt
        return Commands()(arguments)

    for run, built in [(interrupted, False), (Commands(), True), (interrupted, False)]:
        if built:
            build_image(TAG, "python3", folder, run)
        else:
            with pytest.raises(KeyboardInterrupt):
                build_image(TAG, "python3", folder, run)
        assert (folder / "bin" / "python").exists()
        assert image_python(TAG) == (folder / "bin" / "python" if built else None)


@pytest.mark.parametrize(
    ("lacking", "stderr", "message"),
    [
        (["venv"], "Error: no ensurepip\n", "python3 -m venv .* failed: Error: no ensurepip"),
        (["venv"], "", r"python3 -m venv .* failed: \["),  # Debian's says it on stdout
        (WANTED, ERRORS, f"nothing can be installed: {NO_WHEEL}"),
        (["-X"], "Killed\n", "bin/python does not run: Killed"),
    ],
)
def test_without_an_environment_there_is_no_image(tmp_path, lacking, stderr, message):
    """Offline pip says of every package that there is none."""
    with pytest.raises(click.ClickException, match=message):
        build_image(TAG, "python3", tmp_path, Commands(lacking, stderr))

    assert not (tmp_path / NOTE).exists()


PYTHON = """#!/bin/sh
case "$*" in
"-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python";;
*" pip install "*LACKING==*) echo 'STDERR' >&2; exit 1;;
*distributions*) echo 'LOOK';;
esac
"""
"""A program that stands in for Python, venv and pip."""


@pytest.mark.parametrize(
    ("lacking", "stderr", "reason", "code"),
    [
        ("nothing", "", "", 0),
        ("rdkit", ERRORS, NO_WHEEL, 0),
        (
            "rdkit",
            "ERROR: Cannot install rdkit==2024.9.6 because these package versions have "
            "conflicting dependencies.\nERROR: ResolutionImpossible: for help visit",
            "Cannot install rdkit==2024.9.6 because these package versions have conflicting "
            "dependencies.",
            0,
        ),
        (
            "rouge-score",
            "ERROR: Failed to build rouge-score\n[notice] A new release",
            "Failed to build rouge-score",
            1,
        ),
        ("rdkit", "OSError: No space left on device", "OSError: No space left on device", 1),
        ("rdkit", "", "exit code 1", 1),
        ("", ERRORS, "", 2),
    ],
)
def test_the_exit_code_says_whether_all_that_has_a_wheel_is_there(
    tmp_path, monkeypatch, capsys, lacking, stderr, reason, code
):
    """And a line for each that is missing says why."""
    monkeypatch.chdir(tmp_path)
    script = PYTHON.replace("LACKING", lacking).replace("STDERR", stderr).replace("LOOK", LOOK)
    Path("python").write_text(script)
    Path("python").chmod(0o755)

    assert main(["image", "build", TAG, "--python", "./python", "--to", "image"]) == code

    out, err = capsys.readouterr()
    python = tmp_path / "image" / "bin" / "python"
    missing = [line for line in err.splitlines() if line.startswith("missing: ")]
    assert [line.partition(": ")[2].partition(": ")[2] for line in missing] == [reason] * bool(
        reason
    )
    assert out == ("" if code == 2 else f"{python}: image {TAG}, {len(missing)} missing\n")
    wanted = f"{python} -m nltk.downloader -d {tmp_path / 'image' / 'lib' / 'nltk_data'} names"
    assert (wanted in err) == (code != 2)


def test_help_says_what_the_exit_code_means(capsys):
    """What has no wheel is no failure."""
    assert main(["image", "build", "--help"]) == 0

    said = " ".join(capsys.readouterr().out.split())
    assert "Exit code 0 if all is there that has a wheel for this Python, 1 if" in said
