"""What is kept between calls: mothers, zygotes as good as new, verdicts on sources."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final

from sandbox import forks
from sandbox.interpreter import Interpreter
from sandbox.mother import BrokenSandboxError, Mother
from sandbox.types import Outcome
from sandbox.zygote import Zygote

_VERDICTS: Final = 256


class Warm:
    """Bounded, safe from any thread; of each kind the least recently used goes.

    Args:
        interpreter: What mothers run.
        preload: Modules that they import: a mapping by source, or for all.
        mothers: How many to keep. At least as many as may be in use at once.
        idle: How many zygotes to keep.
    """

    def __init__(
        self,
        interpreter: Interpreter,
        preload: Mapping[str, Sequence[str]] | Sequence[str],
        *,
        mothers: int,
        idle: int,
    ) -> None:
        self._interpreter, self._preload = interpreter, preload
        self._max_mothers, self._max_idle = mothers, idle
        self._lock = threading.Lock()
        self._closed = False
        self.mothers: OrderedDict[tuple[str, ...], Mother] = OrderedDict()
        self.idle: OrderedDict[int, Zygote] = OrderedDict()
        self._verdicts: OrderedDict[bytes, Outcome] = OrderedDict()
        forks.tell(self)

    def take(self, source: str, loads: Mapping[int, int]) -> Zygote | None:
        """A zygote for a source, or None where there is none.

        Args:
            source: What it is to run.
            loads: How much is at work in each slot; of several zygotes it is the one with the
                least beside it, and of equals the most recently used.
        """
        with self._lock:
            fitting = [key for key in reversed(self.idle) if self.idle[key].source == source]
            if not fitting:
                return None
            return self.idle.pop(min(fitting, key=lambda key: loads[self.idle[key].slot]))

    def give_back(self, zygote: Zygote) -> None:
        """Keep a zygote, or end it where it is of no use."""
        gone = []
        with self._lock:
            if zygote.usable and not self._closed:
                self.idle[id(zygote)] = zygote
                while len(self.idle) > self._max_idle:
                    gone.append(self.idle.popitem(last=False)[1])
            else:
                gone.append(zygote)
        for other in gone:
            other.close()

    def mother(self, source: str) -> Mother:
        """The mother for a source, perhaps still starting.

        Raises:
            BrokenSandboxError: All is closed.
            OSError: Her interpreter does not start.
        """
        names = self._preload
        key = tuple(names.get(source, ()) if isinstance(names, Mapping) else names)
        gone = []
        with self._lock:
            if self._closed:
                raise BrokenSandboxError("the sandbox was closed")
            if key not in self.mothers:
                while len(self.mothers) >= self._max_mothers:
                    gone.append(self.mothers.popitem(last=False)[1])
                self.mothers[key] = Mother(self._interpreter, key)
            self.mothers.move_to_end(key)
            mother = self.mothers[key]
        for other in gone:
            other.close()
        return mother

    def forget(self, mother: Mother) -> None:
        """End a mother that gives no zygote; the next attempt has another."""
        with self._lock:
            for key, known in list(self.mothers.items()):
                if known is mother:
                    del self.mothers[key]
        mother.close()

    def verdict(self, source: str) -> Outcome | None:
        """What each call of a source comes to that is known not to compile."""
        key = _digest(source)
        with self._lock:
            if key in self._verdicts:
                self._verdicts.move_to_end(key)
            return self._verdicts.get(key)

    def remember(self, source: str, verdict: Outcome) -> None:
        """Keep the verdict on a source that does not compile."""
        with self._lock:
            self._verdicts[_digest(source)] = verdict
            while len(self._verdicts) > _VERDICTS:
                self._verdicts.popitem(last=False)

    def after_fork(self) -> None:
        """Forget, in a child of this process, what is the parent's; see `sandbox.forks`."""
        self._lock = threading.Lock()
        self.mothers.clear()
        self.idle.clear()

    def close(self) -> None:
        """End all of them; what is given back later is ended then."""
        with self._lock:
            self._closed = True
            mothers, zygotes = [*self.mothers.values()], [*self.idle.values()]
            self.mothers.clear()
            self.idle.clear()
        for mother in mothers:
            mother.close()
        for zygote in zygotes:
            zygote.close()


def _digest(source: str) -> bytes:
    """What stands for a source that is not kept: it may be large, and there are many."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest()
