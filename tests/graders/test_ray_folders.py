"""What a killed driver and its tasks leave on a machine: swept by whoever comes, nothing else."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from graders.cluster import folders
from graders.cluster.folders import cluster_folder, sweep_abandoned

fcntl = pytest.importorskip("fcntl")
LEFT = f"graders-{'0f' * 16}-{'a1' * 6}-12"
OF_A_CLUSTER = "graders-r-x7q2k_1a"
HOUR = 3600
STARTED = """
import pathlib, sys, tempfile
from graders.cluster import folders
tempfile.tempdir, folders._SHORT = sys.argv[1], pathlib.Path("nowhere")
with folders.cluster_folder() as folder:
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def _temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def left(name, hours, lock="lock"):
    """A folder as a task leaves it that was killed so long ago."""
    folder = Path(name)
    folder.mkdir(mode=0o700, exist_ok=True)
    for file in (lock, "stalled", "00000012.partial"):
        (folder / file).write_text("0 0", "ascii")
    aged(folder, hours)
    return folder


def aged(path, hours):
    then = time.time() - hours * HOUR
    os.utime(path, (then, then), follow_symlinks=False)


@pytest.mark.parametrize(
    ("name", "hours", "stays"),
    [
        (LEFT, 25, False),
        (LEFT, 23, True),  # its task may be begun again
        ("graders-x7q2k_1a", 25, True),  # a folder of somebody else's of that name
        (f"{LEFT}-more", 25, True),
        (f"my-{LEFT}", 25, True),
        (OF_A_CLUSTER, 25, False),
        (OF_A_CLUSTER, 23, True),
        ("graders-r-x7q2k_1", 25, True),
        (f"{OF_A_CLUSTER}b", 25, True),
    ],
)
def test_what_is_a_day_old_is_removed(name, hours, stays):
    """By its name and its age."""
    folder = left(name, hours)
    sweep_abandoned()
    assert folder.exists() is stays


def test_what_somebody_grades_in_stays():
    """However long that takes; and goes once nobody does."""
    folder = left(LEFT, 25)
    with (folder / "lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        sweep_abandoned()
        assert (folder / "stalled").exists()
    sweep_abandoned()
    assert not folder.exists()


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "where names are short"])
def test_a_clusters_folder_is_swept_when_who_started_it_was_killed(
    tmp_path, monkeypatch, elsewhere
):
    """With its token, wherever it is; and not before, however long that takes."""
    monkeypatch.setattr(folders, "_SHORT", tmp_path / ("t" if elsewhere else "nowhere"))
    if elsewhere:
        (tmp_path / "t").mkdir()
    with cluster_folder() as mine:
        assert mine.parent.name == ("t" if elsewhere else tmp_path.name)
        assert mine.stat().st_mode & 0o077 == 0
        theirs = started(mine.parent)
        (mine / "token").touch()
        for folder in (mine, theirs):
            aged(folder, 25)
        sweep_abandoned()
        assert (mine / "token").exists()
        assert not theirs.exists()
    assert not mine.exists()


def started(place):
    """A folder in a place whose owner was killed; it is not swept as long as that one lives."""
    command, pipe = [sys.executable, "-c", STARTED, str(place)], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as owner:
        folder = Path(owner.stdout.readline().strip())
        aged(folder, 25)
        sweep_abandoned()
        alive = folder.exists()
        owner.kill()
    assert alive
    return folder


def test_a_task_that_was_killed_before_it_had_a_lock_is_swept():
    """Between making the folder and opening it."""
    Path(LEFT).mkdir()
    aged(LEFT, 25)
    sweep_abandoned()
    assert not Path(LEFT).exists()


def test_a_link_of_that_name_is_not_followed():
    """Everybody can make one in a folder for temporary files."""
    target = left("precious", 25)
    Path(LEFT).symlink_to(target, target_is_directory=True)
    aged(LEFT, 25)
    sweep_abandoned()
    assert (target / "stalled").exists()


@pytest.mark.skipif(not hasattr(os, "chown") or os.geteuid() != 0, reason="gives a folder away")
def test_a_folder_of_somebody_else_stays():
    """It is for that user to sweep."""
    folder = left(LEFT, 25)
    os.chown(folder, 65534, 65534)
    sweep_abandoned()
    assert folder.exists()
