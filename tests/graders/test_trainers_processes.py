"""Processes of trainers: forked, spawned, ended well and not; nothing is left, nobody is harmed."""

import json
from time import monotonic

import pytest
from rewarding import family, gone, said, start

ROWS = "[row('4'), row('5')]"


def test_a_forked_child_grades_and_the_parent_goes_on():
    """Used before the fork, in the child, in a child of it, and afterwards in each."""
    lines = said(f"""
        grading = open_grading(CODE)
        assert scores(grading.grade({ROWS})) == [1.0, 0.0]

        def child(deeper):
            said = scores(grading.grade({ROWS})) + scores(open_grading(EXACT).grade({ROWS}))
            return said + (forked(lambda: child(False)) if deeper else [])

        def forked(work):
            ours, theirs = os.pipe()
            if not os.fork():
                os.write(theirs, json.dumps(work()).encode())
                sys.exit(0)  # with all that a process does at its end
            os.close(theirs)
            with os.fdopen(ours) as pipe:
                got = json.loads(pipe.read())
            os.wait()
            return got

        for _ in range(2):
            tell(forked(lambda: child(True)))
            tell(scores(grading.grade({ROWS})))
        before = len(family(os.getpid()))
        grading.close()
        tell([before > 0, len(family(os.getpid()))])
    """)

    assert lines == [[1.0, 0.0] * 4, [1.0, 0.0]] * 2 + [[True, 0]]


def test_a_fork_while_other_threads_grade_harms_neither():
    """Whatever lock they hold then, the child has its own; several threads may fork at once."""
    (line,) = said(f"""
        import threading
        grading = open_grading(CODE)
        grading.grade([])
        wrong = []

        def work():
            for _ in range(6):
                if (got := scores(grading.grade({ROWS}))) != [1.0, 0.0]:
                    wrong.append(got)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        codes = []

        def forks():
            for _ in range(2):
                if not (pid := os.fork()):
                    os._exit(scores(grading.grade({ROWS})) != [1.0, 0.0])
                codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

        threads.append(threading.Thread(target=forks))
        threads[-1].start()
        forks()
        for thread in threads:
            thread.join()
        tell([codes, wrong])
    """)

    assert line == [[0] * 4, []]


@pytest.mark.long
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_a_process_of_multiprocessing_gets_it_pickled(method):
    """A trainer's workers; each opens its own at its first call, and leaves nothing."""
    lines = said(f"""
        import multiprocessing
        from rewarding import graded
        if __name__ == "__main__":
            grading = open_grading(CODE)
            with multiprocessing.get_context("{method}").Pool(2) as pool:
                for got in pool.starmap(graded, [(grading, "4"), (grading, "5")]):
                    tell(got)
                pool.close()
                pool.join()
            tell(len(family(os.getpid())))
    """)

    assert lines[:2] == [[1.0], [0.0]]
    assert lines[2] in {0, 1}  # the resource tracker of spawn


BUSY = (
    "threading.Thread(target=grading.grade, args=[[row('wait')]], daemon=True).start(); "
    "[0 for _ in iter(lambda: busy(grading), True)]; "
)
"""Goes on once a row runs."""
ENDS = {
    "it returns": "",
    "it exits": "sys.exit(0)",
    "it leaves at once": "os._exit(0)",
    "it is interrupted": "os.kill(os.getpid(), signal.SIGINT)",
    "it raises": "raise RuntimeError('x')",
    "it is killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "it is terminated": "os.kill(os.getpid(), signal.SIGTERM)",
    "it is killed while a row runs": BUSY + "os.kill(os.getpid(), signal.SIGKILL)",
    "it is terminated while a row runs": BUSY + "os.kill(os.getpid(), signal.SIGTERM)",
    "a thread grades": BUSY,
}


@pytest.mark.parametrize("how", ENDS)
def test_nothing_is_left_of_a_trainer_however_it_ends(how, tmp_path, monkeypatch):
    """No process or file, not even of one that is killed; its end takes no longer than usual."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    script = f"""
        import signal, threading
        from rewarding import busy
        grading = open_grading(CODE, deadline=60.0)
        grading.grade({ROWS})
        tell("graded")
        sys.stdin.readline()
        {ENDS[how]}
    """
    with start(script, stdin=-1) as trainer:
        assert trainer.stdout.readline() == '"graded"\n'
        children = family(trainer.pid)
        assert children
        trainer.communicate("go on\n", timeout=40)  # of the 60 that its row takes

    assert gone(children) is True
    assert [*tmp_path.iterdir()] == []


UNTIED = """
import fcntl, sys, time
def grade(sample, item):
    fcntl.fcntl(int(sys.argv[2]), fcntl.F_SETOWN, 0)
    open("untied", "x").close()
    time.sleep(60)
"""
FAMILY = """
import os, subprocess, time
def grade(sample, item):
    subprocess.Popen(["sleep", "60"])
    os.fork()
    time.sleep(60)
"""


@pytest.mark.long
def test_an_unsafe_row_outlives_a_killed_trainer_by_no_more_than_its_time(tmp_path, monkeypatch):
    """Its own clock ends it where the kernel does not, as on other systems."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    script = f"""
        source = {UNTIED!r}
        grading = open_grading({{**CODE, "source": source}}, sandbox="unsafe", deadline=2.0)
        grading.grade([row("wait")])
    """
    with start(script) as trainer:
        while not [*tmp_path.glob("*/untied")]:
            assert trainer.poll() is None
        children = family(trainer.pid)
        trainer.kill()

    assert children
    assert gone(children) is True


def test_what_an_unsafe_row_has_started_ends_with_a_killed_trainer(tmp_path, monkeypatch):
    """Whatever children of the trainer live on; and the row's text is in no file any more."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    script = f"""
        import threading
        source = {FAMILY!r}
        grading = open_grading({{**CODE, "source": source}}, sandbox="unsafe", deadline=60.0)
        threading.Thread(target=grading.grade, args=[[row("wait")]], daemon=True).start()
        while len(rows := family(os.getpid())) < 3:
            pass
        if not os.fork():
            sys.stdin.read()
            os._exit(0)
        tell([*rows])
        sys.stdin.read()
    """
    with start(script, stdin=-1) as trainer:
        rows = json.loads(trainer.stdout.readline())
        trainer.kill()
        started = monotonic()
        assert gone(rows) is True
        assert monotonic() - started < 30  # of the 60 that they would take
        trainer.stdin.write("the child lives, or this were an error")
        trainer.stdin.flush()

    (folder,) = tmp_path.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["err", "out"]


def test_a_fork_inside_an_event_loop_harms_neither():
    """The child, and the grading that its parent is waiting for."""
    (line,) = said(f"""
        grading = open_grading(CODE)

        async def trainer():
            awaited = asyncio.create_task(grading.agrade({ROWS}))
            await asyncio.sleep(0)
            if not (pid := os.fork()):
                os._exit(scores(grading.grade({ROWS})) != [1.0, 0.0])
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            return [code, scores(await awaited)]

        tell(asyncio.run(trainer()))
    """)

    assert line == [0, [1.0, 0.0]]


def test_the_trainers_signals_and_streams_are_its_own():
    """Handlers stay, Ctrl-C and alarms are its to handle, and what is printed goes nowhere."""
    lines = said("""
        import signal, threading
        handlers = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM,
                                                              signal.SIGCHLD)}
        wakeup = signal.set_wakeup_fd(-1)
        grading = open_grading({**CODE, "source": "def grade(s, i): print('x'); return 1"})
        grading.grade([row("4")])
        assert {name: signal.getsignal(name) for name in handlers} == handlers
        assert signal.set_wakeup_fd(-1) == wakeup

        def alarm(*_):
            raise TimeoutError("the trainer's own")

        def interrupts(name):
            while not busy(grading):
                pass
            os.kill(os.getpid(), name)

        signal.signal(signal.SIGALRM, alarm)
        grading = open_grading(CODE)
        grading.grade([row("4")])
        for name in (signal.SIGINT, signal.SIGALRM):
            while busy(grading):  # until what was interrupted has ended
                pass
            try:
                threading.Thread(target=interrupts, args=[name]).start()
                grading.grade([row("wait")])
            except (KeyboardInterrupt, TimeoutError) as error:
                tell(repr(error))
            tell(scores(grading.grade([row("4")])))
    """)

    alarm = """TimeoutError("the trainer's own")"""
    assert lines == ["KeyboardInterrupt()", [1.0], alarm, [1.0]]


def test_a_killed_sandbox_costs_no_row_its_score():
    """What breaks is tried again in a new one."""
    (line,) = said("""
        from contextlib import suppress
        grading = open_grading(CODE)
        assert scores(grading.grade([row("4")])) == [1.0]
        for pid in family(os.getpid()):
            with suppress(ProcessLookupError):  # it went with another
                os.kill(pid, 9)
        tell(scores(grading.grade([row("4"), row("5"), row("4")])))
    """)

    assert line == [1.0, 0.0, 1.0]
