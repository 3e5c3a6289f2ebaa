"""Lets these tests import the modules beside them (`tests` is no package), and runs commands."""

import sys
from pathlib import Path

import pytest

from graders.cli import main

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def run(capsys):
    """Run `graders run ...`; gives the exit code, standard output and standard error."""

    def command(*arguments):
        code = main(["run", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command
