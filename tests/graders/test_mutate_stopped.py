"""`graders mutate`, interrupted: what is judged by then is reported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")

# Its last mutants press Ctrl-C: with --sandbox unsafe, a grader has our rights.
SOURCE = """import os, signal, time
def grade(sample, item):
    score = float(sample["output_text"] == item["a"])
    score = max(0.0, min(1.0, score))
    if score > 1:
        os.kill({parent}, signal.SIGINT)
        time.sleep(600)
    return score
"""
CASES = [
    {"item": {"a": "x"}, "sample": "x", "expect": 1},
    {"item": {"a": "x"}, "sample": "y", "expect": 0},
]
COMMAND = """
import os, sys
from pathlib import Path
from graders.cli import main

Path("grade.py").write_text(Path("grade.txt").read_text().replace("{parent}", str(os.getpid())))
sys.exit(main(["mutate", "grade.cases.json", "--sandbox", "unsafe", *sys.argv[1:]]))
"""


@pytest.fixture
def mutate(tmp_path):
    """The command in a process of its own; gives its end."""
    Path(tmp_path / "grade.txt").write_text(SOURCE)
    Path(tmp_path / "grade.cases.json").write_text(json.dumps({"cases": CASES}))

    def command(*arguments):
        given = [sys.executable, "-c", COMMAND, *arguments]
        return subprocess.run(given, cwd=tmp_path, capture_output=True, text=True, check=False)

    return command


@pytest.mark.long
def test_ctrl_c_keeps_what_is_judged(mutate):
    """Exit code 130, the score of these, and how many were not reached."""
    done = mutate()
    shown = mutate("--json")

    assert (done.returncode, shown.returncode) == (130, 130), done.stderr
    assert done.stderr.endswith("graders: interrupted\n")
    head, stopped, *_ = done.stdout.splitlines()
    assert head.startswith("grade.py: mutation score ")
    assert stopped.startswith("  stopped before ")
    report = json.loads(shown.stdout)
    assert report["not_reached"] > 0
    assert 0 < report["mutants"] == len(report["judged"]) < report["drawn_from"]
