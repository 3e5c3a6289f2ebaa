"""Runs in the background: their turns, their ends, and what they leave behind."""

import json
import tracemalloc

import openai
import pytest
from eval_runs import (
    EXACT,
    JUDGE,
    ROWS,
    SIMILAR,
    GatedJudge,
    by_file,
    counts_of,
    ended,
    graded,
    inline,
    items_of,
    make,
    start,
    until,
    upload,
)
from hypothesis import given
from hypothesis import strategies as st
from serving import jsonl, serving

from graders.compile import Tools
from graders.errors import RowError
from graders.row_files import read_rows as read_file
from graders.server.evals.items import Items
from graders.server.evals.rows import longest_line, read_rows
from graders.server.settings import Limits, Settings
from graders.server.storage import Room
from graders.server.transport.answers import ApiError

WAIT, YES = {"item": {}, "sample": "wait"}, {"item": {}, "sample": "yes"}


@pytest.fixture
def judged():
    """A server, and its judge, who waits for a word."""
    judge = GatedJudge()
    limits = Limits(runs_at_once=1, waiting_runs=2)
    with serving(Settings(tools=Tools(client=judge), limits=limits)) as served:
        yield served, judge


def left(served):
    """What is in the room."""
    return sorted(path.name for path in served.shared.room.path("x").parent.iterdir())


def cancel_by_either(served, run, how):
    """Cancel as SDKs from 3 on do, or as those before."""
    if how == "now":
        return served.openai.evals.runs.cancel(run.id, eval_id=run.eval_id)
    answer = served.client.post(f"/v1/evals/{run.eval_id}/runs/{run.id}")
    return type(run).model_construct(**answer.raise_for_status().json())


@pytest.mark.parametrize("how", ["now", "before"])
def test_a_run_that_is_cancelled_keeps_what_was_graded(judged, how):
    served, judge = judged
    one = make(served, JUDGE)
    run = until(served, start(served, one, inline([YES, YES, WAIT, YES])), "in_progress")
    while judge.answered < 3 or len(items_of(served, run)) < 2:
        pass
    cancelled = cancel_by_either(served, run, how)

    assert cancelled.status == "canceled"
    items = items_of(served, run)
    assert [item.datasource_item_id for item in items] == [1, 2, 4]  # what was paid is kept
    assert counts_of(ended(served, run)) == (3, 0, 0)
    assert cancel_by_either(served, run, how).status == "canceled"


def test_runs_take_turns_and_only_so_many_wait(judged):
    served, judge = judged
    one = make(served, JUDGE)
    first = until(served, start(served, one, inline([WAIT])), "in_progress")
    second, third = (start(served, one, inline([YES])) for _ in range(2))
    with pytest.raises(openai.RateLimitError, match="3 runs wait or are graded, and no more may"):
        start(served, one, inline([YES]))

    listed = served.openai.evals.runs.list(one.id)
    assert [run.status for run in listed] == ["in_progress", "queued", "queued"]
    cancelled = served.openai.evals.runs.cancel(second.id, eval_id=one.id)
    assert (cancelled.status, items_of(served, cancelled)) == ("canceled", [])
    fourth = start(served, one, inline([YES]))
    judge.let()
    for run in (first, third, fourth):
        assert ended(served, run).status == "completed"


def test_a_run_is_made_while_others_wait_and_nobody_else_does(judged):
    served, _ = judged
    until(served, start(served, make(served, JUDGE), inline([WAIT])), "in_progress")

    assert served.client.get("/health").status_code == 200
    run = "/v1/fine_tuning/alpha/graders/run"
    body = {"grader": EXACT, "model_sample": "a", "item": {"answer": "a"}}
    assert served.client.post(run, json=body).json()["reward"] == 1.0


def test_a_run_that_is_deleted_while_it_is_read_is_asked_for_again(judged):
    """The moment between a run's look-up and the reading of its rows is held open from outside."""
    served, _ = judged
    one = make(served)
    run, _ = graded(served, one, inline(ROWS))
    served.shared.room.path(f"{run.id}.jsonl").unlink()
    for path in (f"runs/{run.id}", "runs"):
        error = served.error(served.client.get(f"/v1/evals/{one.id}/{path}"), 409)
        assert error["message"] == "a run was deleted meanwhile; ask again"


@pytest.mark.parametrize("what", ["run", "eval"])
def test_what_is_deleted_while_it_is_graded_leaves_nothing(judged, what):
    served, _ = judged
    one = make(served, JUDGE)
    run = until(served, start(served, one, inline([YES, WAIT])), "in_progress")
    queued = start(served, one, inline([YES]))
    files = {f"{each.id}.jsonl" for each in (run, queued)}
    assert files <= set(left(served)) <= files | {f"{run.id}.items"}
    if what == "run":
        for each in (run, queued):
            deleted = served.openai.evals.runs.delete(each.id, eval_id=one.id)
            assert deleted.to_dict() == {
                "object": "eval.run.deleted",
                "deleted": True,
                "run_id": each.id,
            }
    else:
        deleted = served.openai.evals.delete(one.id)
        assert deleted.to_dict() == {
            "object": "eval.deleted",
            "deleted": True,
            "eval_id": one.id,
        }

    with pytest.raises(openai.NotFoundError):
        served.openai.evals.runs.retrieve(run.id, eval_id=one.id)
    assert (left(served), served.shared.room.used) == ([], 0)
    assert not served.shared.tasks


def test_a_file_that_is_deleted_is_read_to_its_end(judged):
    served, judge = judged
    one, file = make(served, JUDGE), upload(served, [WAIT, YES])
    run = until(served, start(served, one, by_file(file)), "in_progress")
    queued = start(served, one, by_file(file))
    served.openai.files.delete(file.id)
    with pytest.raises(openai.BadRequestError, match="no file on this server has that id"):
        start(served, one, by_file(file))
    judge.let()

    for each in (run, queued):
        assert counts_of(ended(served, each)) == (1, 1, 0)
    assert left(served) == sorted(f"{each.id}.items" for each in (run, queued))


def test_a_server_that_stops_ends_its_runs(judged):
    """The fixture looks for tracebacks, and for the folder."""
    served, _ = judged
    one = make(served, JUDGE)
    until(served, start(served, one, inline([YES, WAIT])), "in_progress")
    start(served, one, inline([YES]))


def test_a_run_that_finds_no_room_fails_and_keeps_what_was_graded():
    with serving(stored_bytes=400_000) as served:
        one, file = make(served), upload(served, ROWS * 1_000)
        run, items = graded(served, one, by_file(file))
        assert run.status == "failed"
        assert run.error.to_dict() == {
            "code": "storage-full",
            "message": "the server keeps 400,000 bytes, and no more; delete some files",
        }
        assert 0 < len(items) == run.result_counts.total < 3_000
        served.openai.evals.runs.delete(run.id, eval_id=one.id)
        assert served.shared.room.used == file.bytes
        with pytest.raises(openai.BadRequestError, match="keeps 400,000 bytes, and no more"):
            start(served, one, inline(ROWS * 2_000))
        assert left(served) == [file.id]


def test_the_number_of_runs_is_bounded_and_one_too_many_leaves_nothing():
    with serving(stored_objects=1) as served:
        one = make(served)
        run, _ = graded(served, one, inline(ROWS))
        with pytest.raises(openai.BadRequestError, match="keeps 1 runs, and no more"):
            start(served, one, inline(ROWS))
        assert left(served) == [f"{run.id}.items", f"{run.id}.jsonl"]


def test_a_grader_that_breaks_fails_its_run_and_the_log_has_why():
    judge = GatedJudge()
    judge.error = ValueError("not in the contract")
    with serving(Settings(tools=Tools(client=judge))) as served:
        run, _ = graded(served, make(served, JUDGE), inline(ROWS))
        assert run.status == "failed"
        assert run.error.to_dict() == {
            "code": "server-error",
            "message": "the server failed, and its log says why",
        }
        (logged,) = served.logged
        assert "not in the contract" in logged
        served.logged.clear()


@pytest.mark.long
def test_memory_does_not_grow_with_a_run():
    rows = jsonl(*({**row, "item": {**row["item"], "pad": "x" * 4_000}} for row in ROWS)) * 1_000
    with serving() as served:
        one, file = make(served), upload(served, rows)
        tracemalloc.start()
        try:
            run = ended(served, start(served, one, by_file(file)))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert counts_of(run) == (1_000, 2_000, 0)
    assert len(rows) > 12_000_000
    assert peak < 4_000_000


@pytest.mark.long
def test_a_page_of_long_items_ends_early_and_the_next_goes_on():
    rows = [{"item": {"answer": "a", "pad": "x" * 3_000_000, "n": n}, "sample": "a"}
            for n in range(8)]  # fmt: skip
    with serving() as served:
        one, file = make(served), upload(served, rows)
        run = ended(served, start(served, one, by_file(file)))
        page = served.openai.evals.runs.output_items.list(run.id, eval_id=one.id)
        assert len(page.data) == 6
        assert page.has_more
        assert [item.datasource_item["n"] for item in page] == list(range(8))


# Rows.


@given(
    pieces=st.lists(st.sampled_from([b"\n", b"a", b"\r", b"\xef\xbb\xbf", b"long" * 9, b"{}"])),
    size=st.sampled_from([1, 2, 7, 1 << 20]),
)
def test_the_longest_line_is_found_in_pieces_of_any_size(tmp_path_factory, pieces, size):
    path = tmp_path_factory.getbasetemp() / "lines"
    path.write_bytes(data := b"".join(pieces))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("graders.server.evals.rows._PIECE_BYTES", size)
        assert longest_line(path) == max(map(len, data.split(b"\n")))


LINES = [json.dumps(row).encode() for row in ROWS] + [
    b'{"question": "?", "output_text": "a"}',
    b'{"item": {}, "samples": ["a", "b"]}',
    b"{",
    b"",
    b"\xef\xbb\xbf{}",
    b'{"item": {}, "sample": "' + b"x" * 300 + b'"}',
]


@given(lines=st.lists(st.sampled_from(LINES)), end=st.sampled_from([b"\n", b"\r\n"]))
def test_rows_are_those_of_the_command_but_for_long_lines(tmp_path_factory, lines, end):
    """One more reader, held to the one that it stands for; where a line is long, it has none."""
    most = 200
    path, plain = (tmp_path_factory.getbasetemp() / name for name in ("rows", "plain"))
    path.write_bytes(end.join(lines) + end)
    plain.write_bytes(end.join(b"" if len(line) > most else line for line in lines) + end)
    mine = [str(row) for row in read_rows(path, "rows", most)]
    theirs = [str(row).replace(str(plain), "rows") for row in read_file(plain)]
    long = [
        f"rows:{number}:1: the line has more than the 200 bytes that a row may have here"
        for number, line in enumerate(lines, start=1)
        if len(line) > most
    ]

    assert [row for row in mine if row not in long] == theirs
    assert [row for row in mine if row in long] == long


@pytest.mark.parametrize("extra", [0, 1, 2, 5_000_000])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_may_be_as_long_as_said_and_no_longer(tmp_path, extra, end):
    row = b'{"item": {}, "sample": ""}'
    path = tmp_path / "rows.jsonl"
    path.write_bytes(row + b" " * extra + b"\n" + row + end)
    first, second = read_rows(path, "rows", len(row))

    assert isinstance(first, RowError) == bool(extra)
    assert second.row == 2


# Items.


@given(
    passed=st.lists(st.booleans(), max_size=30),
    limit=st.integers(1, 7),
    order=st.sampled_from(["asc", "desc"]),
    status=st.sampled_from([None, "pass", "fail"]),
)
def test_pages_of_items_put_together_are_the_items(passed, limit, order, status):
    room = Room(10_000)
    try:
        items = Items("evalrun_1", room.path("items"), room)
        for at in range(0, len(passed), 3):
            part = passed[at : at + 3]
            items.add([b"%d" % (at + i) * (at + i) for i in range(len(part))], part)
        query = {"limit": str(limit), "order": order} | ({"status": status} if status else {})
        found, more = [], True
        while more:
            positions, more = items.page(query)
            assert len(positions) == limit if more else len(positions) <= limit
            found += positions
            if positions:
                query["after"] = items.name(positions[-1])
        wanted = [i for i, one in enumerate(passed) if status in (None, ("fail", "pass")[one])]
        assert found == (wanted if order == "asc" else wanted[::-1])
        assert list(items.read(found)) == [b"%d" % i * i for i in found]
        assert [items.position(items.name(i)) for i in found] == found
        assert room.used == sum(len(b"%d" % i) * i for i in range(len(passed)))
        items.remove()
        assert room.used == 0
    finally:
        room.close()


def test_items_for_which_there_is_no_room_are_not_there():
    room = Room(10)
    try:
        items = Items("evalrun_1", room.path("items"), room)
        items.add([b"12345"], [True])
        with pytest.raises(ApiError, match="keeps 10 bytes, and no more"):
            items.add([b"123456"], [True])
        items.add([b"abcde"], [False])
        assert list(items.read([0, 1])) == [b"12345", b"abcde"]
    finally:
        room.close()


def test_two_runs_at_a_time_do_not_mix():
    with serving(runs_at_once=4) as served:
        one = make(served, EXACT, SIMILAR)
        sources = [[{"item": {"answer": f"{n}"}, "sample": f"{i % 3}"} for i in range(300)]
                   for n in range(4)]  # fmt: skip
        runs = [start(served, one, inline(rows)) for rows in sources]
        for n, run in enumerate(runs):
            items = items_of(served, ended(served, run), limit=100)
            assert [item.status == "pass" for item in items] == [i % 3 == n for i in range(300)]
            assert {item.run_id for item in items} == {run.id}
