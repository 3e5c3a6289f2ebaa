"""What is late, breaks, dies or does not open inside a trainer's process: no score, and no stop."""

import asyncio
import copy
import pickle
import threading
from time import monotonic

import pytest
from rewarding import CODE, EXACT, JUDGE, Judge, judging, no_judge, row, scores

from graders.errors import (
    ConfigError,
    Failure,
    FailureKind,
    Finding,
    FormulaError,
    GradersError,
    GradingError,
    RowError,
    TemplateError,
)
from graders.grades import Grade
from graders.trainers import process
from graders.trainers.grading import open_grading
from graders.trainers.rows import ColumnError

METEOR = {
    "type": "text_similarity",
    "name": "meteor",
    "evaluation_metric": "meteor",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
}
UNREAD = Failure(kind=FailureKind.OTHER, reason="bad_row", message="no text")


@pytest.fixture(scope="module", autouse=True)
def _close():
    yield
    process.close_all()


@pytest.mark.parametrize(
    ("grading", "late"),
    [(open_grading(CODE, deadline=3.0), row("wait")), (judging(deadline=2.0), row("wait"))],
    ids=["a sandbox", "a judge"],
)
def test_what_is_late_is_a_failure_and_what_is_done_has_its_score(grading, late):
    """And nobody waits for it."""
    grading.grade([row("4")])  # it is open, and what computes is warm
    started = monotonic()
    on_time, failed = grading.grade([row("4"), late])

    assert on_time.score is not None
    assert failed.failure.kind == FailureKind.OTHER
    seconds = f"{grading.recipe.deadline:g}"
    assert failed.failure.message == f"took longer than the deadline of {seconds} s"
    assert failed.failure.reason == "timeout"
    assert monotonic() - started < 30  # of the 60 that the row would take


class Computes:
    """A grader that scores 0.5, and computes on texts of "x" until it may end."""

    name = signature = "computes"
    waits = "never"
    may_end = threading.Event()

    async def grade(self, rows):
        """Nothing is awaited."""
        texts = [text for row in rows for text in (row.sample["output_text"], row.item["answer"])]
        if any(text.startswith("x") for text in texts):
            assert self.may_end.wait(60)
        return [Grade(name=self.name, score=0.5) for _ in rows]


@pytest.mark.long
def test_what_computes_too_long_costs_no_other_row_its_score(monkeypatch):
    """Nothing can stop it: whoever asked goes on, and what comes after it waits.

    The text may be an output or a reference.
    """
    monkeypatch.setattr("graders.trainers.recipe.compile_grader", lambda *_, **__: Computes())
    monkeypatch.setattr("graders.trainers.grading._GRACE_SECONDS", 0.1)
    grading, later = open_grading(EXACT, deadline=3), open_grading(EXACT, deadline=0.1)
    later.grade([])  # it is open
    long, reference = row("x" * 20_000), row("4", answer="x" * 20_000)
    grades = grading.grade([long, row("4"), UNREAD, row("5"), reference])
    awaited = asyncio.run(later.agrade([row("4")]))
    Computes.may_end.set()

    assert scores(grades) == ["timeout", 0.5, "bad_row", 0.5, "timeout"]
    assert scores(awaited) == ["timeout"]
    assert scores(open_grading(EXACT, deadline=20).grade([row("4")])) == [0.5]
    (thread,) = (one for one in threading.enumerate() if one.name == "graders")
    process.close_all()
    assert not thread.is_alive()


def test_what_computes_lets_others_have_their_turn():
    """A batch of many long rows; when it is stopped, no row of it is begun any more."""
    text = " ".join(f"word{n % 97} {n}" for n in range(3_000))
    many = open_grading(METEOR)
    many.grade([row("4")])

    async def trainer():
        batch = asyncio.create_task(many.agrade([row(text, answer=text[::-1])] * 100))
        await asyncio.sleep(0)
        one = await open_grading(EXACT).agrade([row("4")])
        batch.cancel()
        return scores(one), (await asyncio.gather(batch, return_exceptions=True))[0]

    one, stopped = asyncio.run(trainer())
    assert one == [1.0]
    assert isinstance(stopped, asyncio.CancelledError)
    assert scores(open_grading(EXACT).grade([row("4")])) == [1.0]


def test_what_cannot_be_opened_is_raised_at_each_call():
    """It would fail every row, and the training can do nothing about it."""
    grading = open_grading(JUDGE, client=no_judge)
    for _ in range(2):
        with pytest.raises(GradersError, match="no judge today"):
            grading.grade([row("4")])
        with pytest.raises(GradersError, match="no judge today"):
            asyncio.run(grading.agrade([row("4")]))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("raise", "KeyError: 'a bug'"),
        ("exit", "SystemExit: 3"),
        ("interrupt", "KeyboardInterrupt"),
        ("cancel", "CancelledError"),
    ],
)
def test_a_grader_that_breaks_is_a_failure_with_its_error(text, error):
    """A bug is no score, and does not stop a training, whatever it raises; the next call works."""
    grading = judging(deadline=20.0)
    broken, fine = grading.grade([row(text), row("4")])
    (awaited,) = asyncio.run(grading.agrade([row(text)]))

    assert broken.failure.reason == awaited.failure.reason == "broken"
    assert broken.failure.message.startswith("the grader broke: Traceback")
    assert error in broken.failure.message
    assert fine.score == 0.5
    assert scores(grading.grade([row("4")])) == [0.5]


def leaves():
    """Makes no client, and would end the process."""
    raise SystemExit(4)


def test_what_ends_a_process_while_it_opens_ends_no_other_grading():
    """It is raised where it was asked for; all else goes on."""
    other = judging()
    other.grade([row("4")])
    for _ in range(2):
        with pytest.raises(SystemExit):
            open_grading(JUDGE, client=leaves).grade([row("4")])

    assert scores(other.grade([row("4")])) == [0.5]


OPENED = threading.Event()


def late_judge():
    """Makes a client once it may."""
    assert OPENED.wait(60)
    return Judge()


def test_what_does_not_open_in_time_is_a_failure(monkeypatch):
    """Nobody waits for it longer; once it is open, calls are graded."""
    monkeypatch.setattr("graders.trainers.grading._OPENING_SECONDS", 0.1)
    slow, other = open_grading(JUDGE, client=late_judge, deadline=2.0), open_grading(EXACT)

    async def asked():
        waiting = asyncio.to_thread(slow.grade, [row("4")])
        return await asyncio.gather(waiting, slow.agrade([row("4")]))

    (late,), (awaited,) = asyncio.run(asked())
    monkeypatch.undo()
    OPENED.set()

    assert late.failure == awaited.failure
    assert late.failure.reason == "timeout"
    assert late.failure.message == "what grades was not open after 2 s"
    assert scores(other.grade([row("4")])) == [1.0]
    assert scores(slow.grade([row("4")])) == [0.5]


def test_a_row_that_dies_costs_no_other_its_score():
    """Nor does one whose sandbox is killed with it."""
    rows = [row("4"), row("die"), row("5"), row("4")]

    assert scores(open_grading(CODE).grade(rows)) == [1.0, "signaled", 0.0, 1.0]


@pytest.mark.parametrize(
    "error",
    [
        GradingError(FailureKind.OTHER, "no text", "bad_row"),
        RowError("rows.jsonl:1:1", "no object"),
        ColumnError("column 'a': is a set"),
        ConfigError(Finding(code="c", severity="error", path="p", message="m", fix="f")),
        FormulaError("a name that is none", "a + b", 4),
        TemplateError("no end", "{{ a", 0),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("way", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_an_error_goes_to_another_process_as_it_is(way, error):
    """Trainers raise what their workers raised; a pool that cannot read it is broken."""
    error.add_note("seen in a worker")
    other = way(error)

    assert type(other) is type(error)
    assert (str(other), other.args) == (str(error), error.args)
    assert vars(other) == vars(error)
