"""Many rows of random crashes: each has its outcome, and memory does not grow.

python benchmarks/sandbox/soak.py [-n 20000]
"""

import argparse
import os
import random
import sys
from pathlib import Path
from time import perf_counter

from sandbox import Call, Limits, Pool, examine

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "sandbox"))


def resident(pids):
    """Megabytes of processes in memory."""
    kilobytes = 0
    for pid in pids:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        kilobytes += int(status.partition("VmRSS:")[2].split()[0]) if "VmRSS" in status else 0
    return kilobytes / 1024


def main():
    """Run rows by the thousand, and look at memory after each."""
    from crashes import CRASHES, ENDS, gone, processes

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=20_000)
    rows = parser.parse_args().n
    layers = [proof.layer.name for proof in examine() if proof.active]
    pool = Pool(layers=layers, workers=2, limits=Limits(wall_seconds=20))
    random.seed(0)
    started = perf_counter()
    for done in range(0, rows, 1000):
        kinds = random.choices([*ENDS, *["fine"] * 10], k=1000)
        outcomes = pool.run_now([Call(CRASHES, "grade", [kind]) for kind in kinds])
        assert [o.status for o in outcomes] == [ENDS[kind] for kind in kinds]
        if done % 5000 == 0 or done + 1000 >= rows:
            mothers = [mother.pid for mother in pool._warm.mothers.values()]
            host, warm = resident([os.getpid()]), resident(mothers)
            files = len(list(Path("/proc/self/fd").iterdir()))
            print(f"{done + 1000:>6} rows: host {host:.1f} MB, mother {warm:.1f} MB, {files} files")
    print(f"{rows / (perf_counter() - started):.0f} rows/s")
    left = processes(pool)
    pool.close()
    print("nothing is left" if gone(left) else "PROCESSES ARE LEFT")


if __name__ == "__main__":
    main()
