"""All metrics in a process without a network; and what importing them loads."""

import json
import subprocess
import sys
from pathlib import Path

from metrics import METRICS, similarities

ROOT = Path(__file__).parents[2]
HEAVY = ["numpy", "nltk", "rouge_score", "sacrebleu", "sklearn", "scipy", "rouge_score_rs", "regex"]
PAIR = "Two happy dogs ran.", "A happy dog, running"


def _python(source, *, wrapper=()):
    """What a child process prints, as JSON. `-I`: a `metrics` in the folder must not win."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{source}"
    command = [*wrapper, sys.executable, "-I", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _wrapper():
    """What starts a process in a network namespace with nothing in it, where that is allowed."""
    namespace = ["unshare", "--user", "--map-root-user", "--net"]
    try:
        tried = subprocess.run([*namespace, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return []
    return namespace if tried.returncode == 0 else []


def test_all_metrics_without_a_network():
    """Even trying to connect, or to look up a name, fails the child."""
    source = f"""
import json, socket
def refuse(*_, **__):
    raise AssertionError("asked for the network")
socket.socket.connect = socket.getaddrinfo = refuse
from metrics import METRICS, similarities
print(json.dumps(similarities(METRICS, [{PAIR[0]!r}], [{PAIR[1]!r}])))
"""

    assert _python(source, wrapper=_wrapper()) == similarities(METRICS, [PAIR[0]], [PAIR[1]])


def test_importing_is_cheap():
    """Nothing heavy, not even asyncio: a few modules, and rapidfuzz, which is compiled."""
    source = """
import json
before = {*sys.modules}
import metrics
print(json.dumps(sorted({*sys.modules} - before)))
"""
    loaded = _python(source)

    assert {*HEAVY, "asyncio", "pydantic", "multiprocessing"}.isdisjoint(loaded)
    assert len(loaded) < 250  # 164 on Python 3.11


def test_no_oracle_is_ever_loaded():
    """Not even for a stem."""
    source = f"""
import json, metrics
for name in metrics.METRICS:
    metrics.similarity(name, "dogs ran quickly", "dog running")
print(json.dumps([name for name in {HEAVY[1:]!r} if name in sys.modules]))
"""

    assert _python(source) == []
