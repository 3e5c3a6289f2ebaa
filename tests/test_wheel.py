"""What an installation has: the wheel holds every file of the packages that git knows."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from graders.examples import FILES, NAMES

ROOT = Path(__file__).parents[1]
PACKAGES = ["graders", "metrics", "sandbox"]
EXAMPLES = {f"graders/examples/{name}/{file}" for name in NAMES for file in FILES}


def git(*arguments):
    """What git says of this folder."""
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def known():
    """The files of the packages, as git knows them."""
    done = git("ls-files", *PACKAGES)
    if done.returncode:
        pytest.skip("this is no clone")
    return set(done.stdout.splitlines())


def test_what_is_built_is_the_packages_without_exceptions(known):
    """The builder leaves out what .gitignore names, files that git keeps all the same too."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    assert config["tool"]["hatch"]["build"] == {"targets": {"wheel": {"packages": PACKAGES}}}
    assert EXAMPLES - known == set()
    assert git("check-ignore", "--no-index", *sorted(known)).stdout == ""


@pytest.mark.needs("hatchling")
def test_the_wheel_has_every_file(known, tmp_path):
    """Examples, tables, pages and types; it is built of this folder, without a network."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")

    assert known - set(zipfile.ZipFile(wheel).namelist()) == set()
