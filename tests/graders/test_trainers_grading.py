"""Grading inside a trainer's process: threads, loops, deadlines, what is open and what is not."""

import asyncio
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from rewarding import ASKED, BOTH, CODE, EXACT, JUDGE, Judge, judging, row, said, scores

from graders.errors import ConfigError, Failure, FailureKind
from graders.trainers import process
from graders.trainers.grading import open_grading
from graders.trainers.slices import fields_read, slices

UNREAD = Failure(kind=FailureKind.OTHER, reason="bad_row", message="no text")


@pytest.fixture(scope="module", autouse=True)
def _close():
    yield
    process.close_all()


def test_a_row_gets_its_score_and_one_that_was_not_read_stays_a_failure():
    """In the order of the rows."""
    rows = [row("4"), UNREAD, row("5")]

    assert scores(open_grading(BOTH).grade(rows)) == [1.0, "bad_row", 0.0]
    assert scores(open_grading(EXACT).grade(rows)) == [1.0, "bad_row", 0.0]
    assert open_grading(EXACT).grade([]) == open_grading(CODE).grade([]) == []


def test_it_waits_where_an_event_loop_runs():
    """As in a notebook, whose cells run in one."""

    async def cell():
        return open_grading(BOTH).grade([row("4")])

    assert scores(asyncio.run(cell())) == [1.0]


def test_it_can_be_awaited_in_any_event_loop_and_does_not_block_it():
    """Loops of a trainer come and go; the loop goes on while a row waits."""

    async def trainer(*said):
        grading = asyncio.create_task(judging(deadline=2.0).agrade([*map(row, said)]))
        turns = 0
        while not grading.done():
            await asyncio.sleep(0)
            turns += 1
        return turns, scores(await grading)

    turns, got = asyncio.run(trainer("wait", "4"))
    assert turns > 10
    assert got == ["timeout", 0.5]
    assert asyncio.run(trainer("4"))[1] == [0.5]


@pytest.mark.needs("uvloop")
def test_the_loop_may_be_another_kind():
    """As those of some trainers are."""
    import uvloop

    grades = uvloop.run(open_grading(BOTH).agrade([row("4"), row("5")]))

    assert scores(grades) == [1.0, 0.0]


def test_many_threads_grade_at_once():
    """Each gets its own rows' scores."""
    gradings = [open_grading(config, workers=2) for config in (BOTH, EXACT, CODE)]

    def grade(n):
        texts = ["4" if (n >> bit) & 1 else "5" for bit in range(3)]
        return scores(gradings[n % 3].grade([row(text) for text in texts]))

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(grade, range(48))) == [
            [float((n >> bit) & 1) for bit in range(3)] for n in range(48)
        ]


def test_whoever_stops_waiting_stops_the_work():
    """A cancelled task, an interrupted cell: the judge is not asked any longer."""

    async def stopped():
        grading = judging()
        await grading.agrade([row("4")])
        task = asyncio.create_task(grading.agrade([row("wait")]))
        await asyncio.wait({task}, timeout=0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        live = process.here()
        return live.submit(_tasks()).result(60)

    async def _tasks():
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    assert asyncio.run(stopped()) <= 2  # the one that counts, and one that is about to end


def test_copies_share_what_is_open():
    """Pickled ones, and those made of the same config and options; others have a grader apart."""
    grading = open_grading(CODE)
    copies = [pickle.loads(pickle.dumps(grading)), open_grading(dict(CODE)), open_grading(CODE)]
    grading.grade([row("4")])
    live = process.here()

    assert {live.opened(copy.recipe) for copy in copies} == {live.opened(grading.recipe)}
    assert {copy.recipe.key for copy in copies} == {grading.recipe.key}
    assert live.opened(open_grading(CODE, deadline=9).recipe) is None
    assert open_grading(JUDGE, client=Judge).recipe.key == judging().recipe.key


def test_a_closed_grading_opens_anew():
    """Closing the last one ends the thread."""
    process.close_all()
    one, two = open_grading(CODE), open_grading(EXACT)
    one.grade([row("4")])
    two.grade([row("4")])
    live = process.here()
    one.close()
    assert process.here() is live
    two.close()
    two.close()

    assert "graders" not in [thread.name for thread in threading.enumerate()]
    assert scores(one.grade([row("4")])) == [1.0]
    assert process.here() is not live


def test_closing_during_a_grading_is_a_failure():
    """And not a hang: whoever waits is told."""
    ASKED.clear()

    async def agrade():
        return await judging().agrade([row("wait")])

    for grade in (lambda: judging().grade([row("wait")]), lambda: asyncio.run(agrade())):
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(grade)
            assert ASKED.wait(60)
            process.close_all()
            (failed,) = waiting.result(60)

        assert failed.failure.message == "the grading was closed meanwhile"
        ASKED.clear()


def test_closing_again_and_again_loses_no_call():
    """Each is graded or told, whatever the moment; none waits for ever."""
    stop = threading.Event()
    grading = open_grading(EXACT)

    def grade(_):
        seen = set()
        while not stop.is_set():
            seen.update(scores(grading.grade([row("4")])))
            seen.update(scores(asyncio.run(grading.agrade([row("4")]))))
        return seen

    with ThreadPoolExecutor(4) as threads:
        seen = threads.map(grade, range(4))
        for _ in range(30):
            grading.grade([row("4")])
            process.close_all()
        stop.set()
        assert {1.0} <= set().union(*seen) <= {1.0, "closed"}


WRONG = [
    ({"profil": "openai"}, "profil: there is no such option. Known options: profile, settings, "
     "sandbox, workers, client, deadline."),
    ({"profile": "open"}, "profile: there is no profile 'open'. Did you mean 'openai'?"),
    ({"settings": {"render": "x"}}, "render: 'x' is not one of json, python"),
    ({"profile": ["openai"]}, "profile: ['openai'] is not the name of one"),
    ({"settings": "render=json"}, "settings: 'render=json' is not a dict of texts. "),
    ({"settings": {"render": []}}, "settings: {'render': []} is not a dict"
     ' of texts. Write settings={"render": "python"}.'),
    ({"settings": {"render": True}}, "render: 'True' is not one of json, python"),
    ({"settings": {1: "json"}}, "settings: {1: 'json'} is not a dict of texts"),
    ({"sandbox": "none"}, "sandbox: 'none' is not one of strict, standard, unsafe"),
    ({"workers": 0}, "workers: 0 is not a number of at least 1"),
    ({"workers": "2"}, "workers: '2' is not a number of at least 1"),
    ({"deadline": "60"}, "deadline: '60' is not a number of seconds above 0"),
    ({"deadline": 0}, "deadline: 0 is not a number of seconds above 0"),
    ({"deadline": float("inf")}, "deadline: inf is not a number of seconds above 0"),
    ({"client": "http://127.0.0.1:8080/v1"}, "client: a str is neither settings nor a function. "
     'Write client={"base_url": "http://..."}.'),
    ({"client": {1: 2}}, "client: a dict is neither settings nor a function"),
    ({"client": lambda: None}, "client: cannot go to another process: "),
    ({"client": {"api_key": "k"}}, "client.api_key: is a secret and no option. Set OPENAI_API_KEY"),
    ({"client": {"base_url": "http://127.0.0.1", "url": 1}}, "client: cannot be made: "),
    ({"client": {"base_url": "http://127.0.0.1", "retries": -1}}, "client: cannot be made: "),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_a_wrong_option_is_refused_before_the_training(options, message):
    """Where it is made, in words."""
    with pytest.raises(ConfigError) as error:
        open_grading(JUDGE if "client" in options else EXACT, **options)

    assert str(error.value).startswith(message)


def test_none_stands_for_an_option_that_is_not_given():
    """A launcher hands on what its command line left out."""
    options = dict.fromkeys(["profile", "settings", "workers", "client"])

    assert open_grading(EXACT, **options).recipe == open_grading(EXACT).recipe


def test_a_setting_may_be_a_number():
    """As command lines of trainers read them."""
    said = [open_grading(CODE, settings={"default_threshold": at}).recipe for at in (0.5, "0.5")]

    assert said[0] == said[1]


def test_a_wrong_config_is_refused_before_the_training():
    """With every problem."""
    with pytest.raises(ConfigError) as error:
        open_grading({**EXACT, "operation": "is", "reference": 4})

    assert [finding.path for finding in error.value.findings] == ["reference", "operation"]


def test_a_config_is_read_once(tmp_path):
    """What is changed or moved during a training changes nothing."""
    path = tmp_path / "grader.py"
    path.write_text("def grade(sample, item):\n    return 0.25\n", encoding="utf-8")
    grading = open_grading(path)
    path.unlink()

    assert grading.name == "grader"
    assert scores(grading.grade([row("4")])) == [0.25]


def test_importing_and_making_one_starts_nothing():
    """No thread, process, descriptor or file; grading does, and closing ends it."""
    before, made, used, closed = said("""
        tell(holds())
        grading = open_grading(BOTH)
        tell(holds())
        assert scores(grading.grade([row("4"), row("5")])) == [1.0, 0.0]
        tell(holds())
        grading.close()
        tell(holds())
    """)

    assert before == made == closed
    assert before["threads"] == ["MainThread"]
    assert before["descriptors"] == 4  # the three of each process, and the folder that was read
    assert "graders" in used["threads"]
    assert used["children"] > 0


SLICES = [
    ([1] * 256, [[*range(256)]]),
    ([1] * 257, [[*range(256)], [256]]),
    ([16_384] * 17, [[*range(16)], [16]]),
    ([1, 16_385, 2], [[0, 2], [1]]),
    ([20_000, 1, 17_000], [[1], [2], [0]]),
    ([20_000], [[0]]),
]


@pytest.mark.parametrize(("sizes", "expected"), SLICES)
@pytest.mark.parametrize(
    "sized",
    [
        lambda size: row("x" * size, answer=""),
        lambda size: row("", answer="x" * size),
        lambda size: row("x", answer="x" * (size - 1)),
        lambda size: row("", answer=["x" * (size - len('[""]'))] if size > 4 else "x"),
    ],
)
def test_what_computes_takes_many_short_texts_at_a_time_and_long_ones_alone(sized, sizes, expected):
    """The long ones last; no row twice, and none left out. A reference may be what is long."""
    assert [[*some] for some in slices([*map(sized, sizes)], ["answer"])] == expected


METRIC = {**EXACT, "type": "text_similarity", "evaluation_metric": "bleu"}
del METRIC["operation"]


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        (EXACT, ("answer",)),
        ({**EXACT, "input": "{{ item.a.b }} {{item.c}}{{ item.a }}", "reference": "4"}, ("a", "c")),
        ({**METRIC, "references": "item.all.texts"}, ("answer", "all")),
        ({**METRIC, "reference": "4"}, ()),
        (
            {
                "type": "multi",
                "name": "two",
                "graders": {"a": EXACT, "b": {**METRIC, "reference": "{{ item.b }}"}},
                "calculate_output": "a + b",
            },
            ("answer", "b"),
        ),
        ({"name": "eval", "testing_criteria": [EXACT]}, ("answer",)),
    ],
)
def test_of_an_item_counts_what_the_grader_reads(config, fields):
    """A long prompt beside it takes no longer."""
    assert fields_read(open_grading(config).recipe.config) == fields
