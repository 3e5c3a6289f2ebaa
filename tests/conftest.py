"""What every test may count on: no network but loopback, no keys, repeatable random texts."""

import os
import signal
import socket
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

# Hypothesis' default 200 ms deadline fails on a busy machine, not on slow code.
QUICK, THOROUGH = 50, 120  # examples of each law
CHOSEN = {"max_examples": THOROUGH if os.environ.get("GRADERS_THOROUGH") == "1" else QUICK}
settings.register_profile("local", deadline=None, **CHOSEN)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, **CHOSEN)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# A job in the background of a script starts with Ctrl-C ignored, and its children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Scripts that tests start, whose imports and arguments are there only then.
collect_ignore = ["graders/inspect_evals.py", "graders/promptfoo_wrapper.py"]

LEFT_OUT = pytest.StashKey[Counter]()
LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    """Fail a test that opens an outside connection, and hide keys it might have used."""
    connect = socket.socket.connect

    def guarded(self, address):
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"a test tried to connect to {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)


def missing(need):
    """Whether a test's need, a module or an absolute path, is not on this machine."""
    if need.startswith("/"):
        return not Path(need).exists()
    try:
        return find_spec(need) is None
    except ModuleNotFoundError:  # the package that it would be in
        return True


def pytest_collection_modifyitems(config, items):
    """Leave out the tests marked `needs` whose need is not here, and say so at the end.

    The extra `test` is small; what else a test compares with is in extra `ci`, or a package of
    the operating system.
    """
    wants = {item: [mark.args[0] for mark in item.iter_markers("needs")] for item in items}
    left_out = {item: needs for item in items if (needs := [*filter(missing, wants[item])])}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
        config.stash[LEFT_OUT] = Counter(need for needs in left_out.values() for need in needs)
        if (output := getattr(config, "workeroutput", None)) is not None:  # of a process of xdist
            output["left_out"] = dict(config.stash[LEFT_OUT])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One more than there are processors: many tests wait for processes that they start."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else None


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Every process of xdist collects the same tests, and leaves out the same."""
    node.config.stash[LEFT_OUT] = Counter(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter, config):
    """What was left out, and for want of what."""
    for need, count in config.stash.get(LEFT_OUT, {}).items():
        terminalreporter.write_line(f"left out {count} tests that need {need}")


def pytest_sessionfinish(session, exitstatus):
    """In continuous integration a skip is a failure: nothing may be missing there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and exitstatus == 0 and os.environ.get("GRADERS_SKIP_IS_FAILURE") == "1":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
