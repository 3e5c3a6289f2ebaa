"""Run untrusted Python with limits, and report what it did.

The runner itself is the next thing to be built; what stands here is the vocabulary that the
other packages already share with it.
"""

from sandbox.types import JSON

__all__ = ["JSON"]
