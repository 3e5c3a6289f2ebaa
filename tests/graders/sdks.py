"""The official SDKs, Python and JavaScript, and what they see of a server: only its address is set.

The current major of Python is the one that is installed; `.ci/run` installs the others where they
are looked for here.
"""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from sdk_asked import ASKED

HERE = Path(__file__).parent
OPENAI_2 = HERE.parents[1] / ".venv/openai-2"
NODE_MODULES = HERE / "node_modules"
IN_PYTHON = [sys.executable, "-P", str(HERE / "sdk_walk.py")]
IN_JAVASCRIPT = ["node", str(HERE / "sdk_walk.mjs")]
SDKS = {  # its command, what its version begins with, and where it is, if not installed
    "python 3, sync": ([*IN_PYTHON, "sync"], version("openai"), None),
    "python 3, async": ([*IN_PYTHON, "async"], version("openai"), None),
    "python 2, sync": ([*IN_PYTHON, "sync"], "2.", OPENAI_2),
    "python 2, async": ([*IN_PYTHON, "async"], "2.", OPENAI_2),
    "javascript 7": ([*IN_JAVASCRIPT, "openai"], "7.", NODE_MODULES / "openai"),
    "javascript 6": ([*IN_JAVASCRIPT, "openai-6"], "6.", NODE_MODULES / "openai-6"),
}
EACH = [
    pytest.param(
        name,
        marks=pytest.mark.needs(str(place)) if place else [pytest.mark.long] * ("async" in name),
    )
    for name, (_, _, place) in SDKS.items()
]
"""Their names, for fixtures."""


def walked(name, part, url):
    """What one SDK is told on its walk through a part of the API."""
    command, major, place = SDKS[name]
    path = {"PYTHONPATH": str(place)} if place == OPENAI_2 else {}
    done = subprocess.run(
        [*command, part],
        input=json.dumps(ASKED),
        capture_output=True,
        encoding="utf-8",
        env={
            **path,
            "PATH": os.environ["PATH"],
            "PYTHONIOENCODING": "utf-8",
            "OPENAI_BASE_URL": url,
            "OPENAI_API_KEY": "anything",
        },
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    seen = json.loads(done.stdout)
    assert seen["version"].startswith(major), "one major would be tested twice"
    return seen


def missing(answer):
    """Whether a call ended in the SDK's exception for what is not there."""
    return (answer["exception"], answer["status"], answer["type"], answer["code"]) == (
        *("NotFoundError", 404, "invalid_request_error", "not_found"),
    )
