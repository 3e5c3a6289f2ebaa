"""Run untrusted Python with limits, and report what it did: the vocabulary.

A runner is anything that fulfils the `Sandbox` protocol; this package does not ship one yet.
"""

from sandbox.types import JSON, Call, Outcome, Sandbox, Status

__all__ = ["JSON", "Call", "Outcome", "Sandbox", "Status"]
