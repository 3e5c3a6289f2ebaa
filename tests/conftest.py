"""What every test may count on: no network but loopback, no keys, repeatable random texts."""

import os
import socket

import pytest
from hypothesis import settings

# Hypothesis' default 200 ms deadline fails on a busy machine, not on slow code.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

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


def pytest_sessionfinish(session, exitstatus):
    """In continuous integration a skip is a failure: nothing may be missing there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and exitstatus == 0 and os.environ.get("GRADERS_SKIP_IS_FAILURE") == "1":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
