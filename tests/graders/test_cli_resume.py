"""`graders run` in a folder that can be gone on with: interrupts, --resume, --retry."""

from pathlib import Path

import pytest

from graders.cli.job import Job, Target, grade_file
from graders.config.parse import parse_config
from graders.engine import RunOptions
from graders.grades import Grade
from graders.row_files import RowFormat
from graders.runs.grading import Work

EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
}
GOOD = '{"item": {"a": "x"}, "sample": "x"}\n'


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


class Impatient:
    """Grades 300 rows and is interrupted at the next."""

    name, signature, waits = "impatient", "impatient", "never"

    async def grade(self, rows):
        if rows[-1].row > 300:
            raise KeyboardInterrupt
        return [Grade(name="i", score=1.0) for _ in rows]


def test_an_interrupt_keeps_what_was_graded(capsys):
    """The batches before it are on disk, whole, and summed up."""
    Path("rows.jsonl").write_text(GOOD * 600)
    work = Work(
        signature="s", options=RunOptions(), rows="rows.jsonl", shape=RowFormat(), per_shard=100
    )
    job = Job(
        grader=Impatient(), recipe=Impatient, work=work, config=parse_config(EXACT).grader,
        profile="p", title="t", as_json=False,
    )  # fmt: skip

    with pytest.raises(KeyboardInterrupt):
        grade_file(job, Target(results="out.jsonl", way="new", again="graders run"))
    assert Path("out.jsonl").read_bytes().count(b"\n") == 300
    assert "over 300 graded" in capsys.readouterr().out
