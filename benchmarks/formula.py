"""How fast formulas are: `python benchmarks/formula.py` prints a Markdown table.

CPU time on one thread, medians of interleaved rounds. Plain Python and numpy, written by hand
without any check, are the ceiling. `simpleeval` takes part if it is installed.
"""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from graders.formula import Formula, compile_formula

ROUNDS: Final = 7
TEXT: Final = "0.5*a + 0.3*max(b,c) - abs(d)"
WITH_POWER: Final = "0.5*a^2 + 0.3*max(b,c) - abs(d)"
WITH_QUOTIENT: Final = "a / d + b - c"
SCORES: Final = {"a": 0.7, "b": 0.2, "c": 0.9, "d": -0.4}
CALLS, ROWS = 100_000, 2_000_000


def main() -> None:
    """Measure, and print the table."""
    rng = np.random.default_rng(0)
    columns = {name: rng.random(ROWS) + 0.5 for name in SCORES}
    sparse = {**columns, "d": np.where(np.arange(ROWS) % 20_000, columns["d"], 0.0)}
    formula, power, quotient = (
        compile_formula(text, SCORES) for text in (TEXT, WITH_POWER, WITH_QUOTIENT)
    )
    terms = " + ".join(["a"] * 50_000)
    works: dict[str, tuple[int, Callable[[], object]]] = {
        f"rows, `{TEXT}`": (CALLS, lambda: _call(formula)),
        "rows, by hand in Python": (CALLS, lambda: _call(_by_hand)),
        **_simpleeval_works(),
        f"columns, `{TEXT}`": (ROWS, lambda: formula.columns(columns)),
        "columns, by hand in numpy": (ROWS, lambda: _numpy_by_hand(**columns)),
        f"columns, `{WITH_POWER}`": (ROWS, lambda: power.columns(columns)),
        f"columns, `{WITH_QUOTIENT}`": (ROWS, lambda: quotient.columns(columns)),
        "columns, the same, 1 row in 20,000 fails": (ROWS, lambda: quotient.columns(sparse)),
        "compiling it": (100, lambda: [compile_formula(TEXT, SCORES) for _ in range(100)]),
        "compiling a sum of 50,000 terms": (1, lambda: compile_formula(terms, SCORES)),
    }
    seconds = _measure([work for _, work in works.values()])
    print(f"| what | per CPU-second | each |\n{'| --- | ---: | ---: |'}")
    for (what, (count, _)), spent in zip(works.items(), seconds, strict=True):
        print(f"| {what} | {_rate(count / spent)} | {_time(spent / count)} |")
    if not any("simpleeval" in what for what in works):
        print("\nWithout simpleeval. To compare: pip install simpleeval")


def _measure(works: list[Callable[[], object]]) -> list[float]:
    rounds = [[_cpu_seconds(work) for work in works] for _ in range(ROUNDS + 1)]
    return [statistics.median(spent) for spent in zip(*rounds[1:], strict=True)]  # 0 warms up


def _cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _call(formula: Formula | Callable[[Mapping[str, float]], float]) -> None:
    for _ in range(CALLS):
        formula(SCORES)


def _by_hand(scores: Mapping[str, float]) -> float:
    return 0.5 * scores["a"] + 0.3 * max(scores["b"], scores["c"]) - abs(scores["d"])


def _numpy_by_hand(a: Any, b: Any, c: Any, d: Any) -> Any:
    return 0.5 * a + 0.3 * np.maximum(b, c) - abs(d)


def _simpleeval_works() -> dict[str, tuple[int, Callable[[], object]]]:
    try:
        simpleeval = importlib.import_module("simpleeval")
    except ImportError:
        return {}
    evaluator = simpleeval.SimpleEval(functions={"max": max, "abs": abs})
    parsed = evaluator.parse(TEXT)

    def evaluate(previously_parsed: object) -> None:
        for _ in range(CALLS // 10):
            evaluator.names = SCORES
            evaluator.eval(TEXT, previously_parsed=previously_parsed)

    return {
        "rows, simpleeval, parsed once": (CALLS // 10, lambda: evaluate(parsed)),
        "rows, simpleeval, parsed each time": (CALLS // 10, lambda: evaluate(None)),
    }


def _rate(per_second: float) -> str:
    return f"{per_second / 1e6:.2f} million" if per_second >= 1e4 else f"{per_second:,.1f}"


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.2f} {unit}"
    return f"{seconds * 1e9:.1f} ns"


if __name__ == "__main__":
    main()
