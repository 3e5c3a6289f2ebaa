"""What `graders study` says of passing: thresholds, pass@k, and what failures are in them."""

import json
import re
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
    curve = page.partition("with a score that fail, by threshold</caption>")[2]
    cells = re.sub(r"<[^>]*>", " ", curve.partition("</table>")[0]).split()
    assert cells[-8:] == ["0.9991", "0", "0.9998", "0.25", "0.99985", "0.5", "0.9999", "0.75"]
    assert "0.9999 [0.9999, 0.9999]" in page


HALF = {
    "type": "string_check",
    "name": "half",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
}


@pytest.mark.parametrize("failures", ["drop", "zero"])
def test_failures_pass_as_little_as_in_the_summary_of_their_run(graders, failures):
    """Half of the items have no reference: whatever is made of their reward, none passes."""
    rows = [
        {"item": {"n": n} | ({"answer": "a"} if n % 2 else {}), "samples": ["a", "b"]}
        for n in range(40)
    ]
    write("rows.jsonl", *rows)
    write("grader.json", HALF)
    options = ("-o", "out.jsonl", "--failures", failures, "--json")
    run = json.loads(graders("run", "grader.json", "rows.jsonl", *options)[1])
    passing = json.loads(graders("study", "out.jsonl", "--json")[1])["passing"]
    _, out, _ = graders("study", "out.jsonl", "--report", "r.html")
    page = Path("r.html").read_text("utf-8")

    assert run["pass_rate"] == passing["at_k"][0]["value"] == 0.25
    assert passing["at_k"][1]["value"] == 0.5
    assert (passing["failing"], passing["failing_scored"], passing["failures"]) == (0.75, 0.5, 40)
    assert run["signal"]["passing"]["failing"] == 0.75
    assert "    share that does not pass      0.75  40 of them failed\n" in out
    assert "      share that fails there       0.5  [0.500, 0.500]  of those with a score\n" in out
    assert "(pass@2); 40 failures count as not passed." in " ".join(out.split())
    for name, value in (("Share of samples that did not pass", "0.75"), ("without a score", "40")):
        assert value in page.partition(name)[2][:60]
