"""What `graders study` says of passing: thresholds, pass@k, and what failures are in them."""

import json
from pathlib import Path

import pytest
from taught_rows import line, write


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_thresholds_have_the_digits_that_part_their_samples(graders):
    """In sentences, in the table and on the page; each interval holds its number."""
    passed = [{"passed": score > 0.9998} for score in (0.9991, 0.9998, 0.99985, 0.9999)]
    lines = [
        {**json.loads(line(4 * item + i, (0.9991, 0.9998, 0.99985, 0.9999)[i])), **passed[i]}
        for item in range(1, 9)
        for i in range(4)
    ]
    write("out.jsonl", *lines)
    code, out, _ = graders("study", "out.jsonl", "--failing", ".6:.9", "--report", "r.html")
    words, page = " ".join(out.split()), Path("r.html").read_text("utf-8")

    assert code == 0
    assert "let samples pass from 0.9999 [0.9999, 0.9999] on: 75 % [75 %, 75 %] fail" in words
    assert "    suggested pass_threshold    0.9999  [0.9999, 0.9999]\n" in out
    assert "    lowest score that passes   0.99985\n" in out
    assert "the line is at 0.9999, and 75 % [75 %, 75 %] fail there." in page
    assert "0.99985" in page.partition("Lowest score that passed")[2][:60]
    assert "0.9999 [0.9999, 0.9999]" in page
