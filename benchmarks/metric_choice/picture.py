"""The picture of a report in README.md: `.github/report.png`, made by a headless Chromium.

    graders compare evouna_nq.jsonl --reference item.answers --human sample.human --report nq.html
    python benchmarks/metric_choice/picture.py nq.html .github/report.png

Chromium is Debian's package, which the browser tests need too. The report is shown in light, 1,280
pixels wide, from its top.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT = 1280, 1320
SCALE = 0.75
"""Pixels of the picture for one of the page: README is narrower than the page."""
MOST_BYTES = 150_000


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("picture", type=Path)
    args = parser.parse_args()
    picture = args.picture.resolve()
    with tempfile.TemporaryDirectory() as profile:
        options = [
            *("--headless=new", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
            *("--force-color-profile=srgb", "--blink-settings=preferredColorScheme=1"),
            "--no-sandbox",  # root may not have one, and the page is ours
            f"--user-data-dir={profile}",
            f"--force-device-scale-factor={SCALE}",
            f"--window-size={WIDTH},{HEIGHT}",
            f"--screenshot={picture}",
        ]
        page = args.report.resolve().as_uri()
        subprocess.run([CHROMIUM, *options, page], check=True, capture_output=True)
    size = picture.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{args.picture} has {size:,} bytes, over {MOST_BYTES:,}")


if __name__ == "__main__":
    main()
