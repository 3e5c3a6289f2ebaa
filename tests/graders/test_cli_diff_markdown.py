"""What `graders diff` shows, on a terminal and in Markdown, does nothing there."""

import re

import pytest
from diffing import write, write_all
from probing import EXACT

from graders.cli import main


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_all()


@pytest.fixture
def diff(capsys):
    """Run `graders diff ...`; gives the exit code and standard output."""

    def command(*arguments):
        code = main(["diff", *arguments])
        captured = capsys.readouterr()
        assert captured.err == ""
        return code, captured.out

    return command


HOSTILE = "\x1b[2J@everyone | <img src=x> `a` [x](http://e.vil) #1 \u202e"


@pytest.mark.parametrize("form", [(), ("--markdown",)])
def test_hostile_text_stays_text(diff, form):
    """Model output and names move no cursor, notify nobody and close no table."""
    write("rows.jsonl", {"item": {"answer": HOSTILE}, "samples": [HOSTILE, "no"]})
    write("like.json", {**EXACT, "name": HOSTILE, "reference": "no"})
    code, out = diff("like.json", "eq.json", "rows.jsonl", *form)

    assert code == 1
    assert "\x1b" not in out
    assert "\u202e" not in out
    if form:
        for line in out.splitlines():
            bare = re.sub(r"<code>.*?</code>", "", line)
            assert not re.search(r"@|http|#1|img|`|\]\(", bare), line
            for inside in re.findall(r"<code>(.*?)</code>", line):
                assert re.fullmatch(r"(?:[A-Za-z0-9 ]|&#\d+;)*", inside), line
        assert "&#64;everyone &#124; &#60;img" in out
    else:
        assert '"\\x1b[2J@everyone | <img src=x>' in out
        assert all(len(line) <= 80 for line in out.splitlines())


def test_markdown_is_a_table(diff):
    """With the headline, the bounds and the worst folded away."""
    code, out = diff("like.json", "eq.json", "rows.jsonl", "--markdown")
    lines = out.splitlines()

    assert code == 1
    assert lines[0] == (
        "### ❌ Grader change: beyond max-flips, min-spearman, min-pairs, max-mean-change"
    )
    assert "| ❌ | BROKEN: min-pairs at least 0.9, and is 0.5 |" in lines
    assert "| bound |  |" in lines
    assert "| ✅ | ok: max-new-failures at most 0, and is 0 |" in lines
    assert "| pass rate | 0.6667 | 0.3333 |" in lines
    assert "<details><summary>Worst disagreements</summary>" in lines
