"""`repeats`: several answers of a judge to one row, and the one grade that they make."""

import asyncio
import itertools
import json
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_configs import EXACT, JUDGE, LABEL

from graders import hosted
from graders.cli import main
from graders.clients import ModelReply, ScriptedClient
from graders.compile import Tools, compile_grader
from graders.config.parse import parse_config
from graders.errors import ConfigError, FailureKind, GradingError
from graders.grades import Grade, Usage
from graders.kinds.repeats import combine_repeats
from graders.results import to_result
from graders.rows import Row, to_sample

ROW = Row(item={"a": 1}, sample=to_sample("hi"), row=1)
LABELS = {**LABEL, "labels": ["good", "fair", "bad"], "passing_labels": ["good", "fair"]}
USAGE = Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3)
finite = st.floats(allow_nan=False, allow_infinity=False)


def answered(config, *results, **more):
    """The grade where the judge answers each repeat with its own result, and what was asked."""
    given = {**config, "repeats": len(results), **more}

    def reply(request):
        result = results[request.repeat]
        if isinstance(result, Exception):
            raise result
        text = result if isinstance(result, str) and result[:1] == "!" else None
        return ModelReply(text=text or json.dumps({"result": result}), usage=USAGE)

    client = ScriptedClient(reply)
    grader = compile_grader(given, tools=Tools(client=client))
    return asyncio.run(grader.grade([ROW]))[0], client.asked


@pytest.mark.parametrize(
    ("config", "aggregate", "results", "score"),
    [
        (JUDGE, None, [0.2, 0.4, 0.9], 0.5),
        (JUDGE, "mean", [0.1, 0.1, 0.1], 0.1),  # exactly
        (JUDGE, "mean", [0, 7], 0.5),  # clamped before it counts
        (JUDGE, "median", [0.9, 0.2, 0.4], 0.4),
        (JUDGE, "median", [0.9, 0.2, 0.4, 0.6], 0.5),
        (JUDGE, "majority", [0.9, 0.2, 0.9], 0.9),
        (JUDGE, "majority", [0.9, 0.2, 0.2, 0.9, 0.5], 0.2),  # a tie goes to the lowest in it
        (JUDGE, "majority", [0.9, 0.2, 0.9, 0.2, 0.1, 0.9], 0.9),
        (JUDGE, "majority", [0.3, 0.2, 0.1], 0.1),
        (JUDGE, "majority", [5, 1.5, 0.2], 1.0),  # equal after clamping
        (LABELS, None, ["good", "bad", "good"], 1.0),
        (LABELS, None, ["good", "bad", "fair"], 1.0),  # two labels that pass do not split the vote
        (LABELS, None, ["good", "bad", "bad"], 0.0),
        (LABELS, None, ["good", "bad"], 0.0),  # a tie does not pass
        (LABELS, "majority", ["good", "good"], 1.0),
        (LABELS, "mean", ["good", "bad", "fair", "bad"], 0.5),
        (LABELS, "median", ["good", "bad", "fair"], 1.0),
        (LABELS, "median", ["good", "bad"], 0.5),
    ],
)
def test_several_answers_make_one_score(config, aggregate, results, score):
    """The mean of numbers and the majority of labels, unless the config says otherwise."""
    more = {} if aggregate is None else {"aggregate": aggregate}
    grade, _ = answered(config, *results, **more)

    assert (grade.score, grade.failure) == (score, None)
    assert grade.passed is (None if config is JUDGE else score == 1.0)


@given(st.lists(finite, min_size=1, max_size=6), st.sampled_from(["mean", "median", "majority"]))
def test_no_order_of_the_answers_shows_and_no_numbers_are_too_large(scores, aggregate):
    """The score lies within the answers, and repeats that agree have it, bit for bit."""
    orders = itertools.islice(itertools.permutations(scores), 24)
    grades = [
        combine_repeats("n", {str(i): Grade(name="n", score=s) for i, s in enumerate(order)},
                        aggregate, None)
        for order in orders
    ]  # fmt: skip
    first = grades[0]
    spread = first.detail["spread"]

    assert {grade.score for grade in grades} == {first.score}
    assert min(scores) <= first.score <= max(scores)
    assert (spread["min"], spread["max"]) == (min(scores), max(scores))
    assert spread["standard_deviation"] == pytest.approx(statistics.pstdev(scores))
    if len(set(scores)) == 1:
        assert (first.score, spread["standard_deviation"]) == (scores[0], 0.0)


def test_every_repeat_is_a_request_of_its_own_and_all_are_asked_at_once():
    """They differ in their index only; nobody is waited for before the last is asked."""

    class Together:
        """Answers when three have asked."""

        def __init__(self):
            self.asked = []
            self.barrier = asyncio.Barrier(3)

        async def complete(self, request):
            self.asked.append(request)
            await asyncio.wait_for(self.barrier.wait(), 10)
            return ModelReply(text='{"result": 1}')

    client = Together()
    grader = compile_grader({**JUDGE, "repeats": 3}, tools=Tools(client=client))
    (grade,) = asyncio.run(grader.grade([ROW]))

    assert grade.score == 1.0
    assert sorted(request.repeat for request in client.asked) == [0, 1, 2]
    assert len({(r.model, r.messages, str(r.schema)) for r in client.asked}) == 1


def test_the_spread_is_in_every_result_line():
    """Each repeat is a part, whatever detail is kept; the detail has the spread in numbers."""
    grade, _ = answered(JUDGE, 0.25, 0.75, 0.5, pass_threshold=0.5)
    line = to_result(ROW, grade, signature="", reward=grade.score, detail="none")

    assert {key: (part.score, part.passed) for key, part in line.parts.items()} == {
        "1": (0.25, False),
        "2": (0.75, True),
        "3": (0.5, True),
    }
    assert (line.score, line.passed, line.detail) == (0.5, True, None)
    assert line.usage == {"gpt-4o": USAGE + USAGE + USAGE}
    assert grade.detail["aggregate"] == "mean"
    assert grade.detail["spread"] == {
        "min": 0.25,
        "max": 0.75,
        "standard_deviation": statistics.pstdev([0.25, 0.75, 0.5]),
    }
    assert grade.parts["1"].detail["reply"] == '{"result": 0.25}'


@pytest.mark.parametrize("config", [JUDGE, LABELS])
@pytest.mark.parametrize("aggregate", ["mean", "median", "majority"])
def test_one_failed_repeat_fails_the_grade(config, aggregate):
    """A mean over fewer answers is another estimator; the message says which and how many."""
    fine = 1 if config is JUDGE else "good"
    gone = GradingError(FailureKind.MODEL_SERVER, "503 after 3 tries", "unavailable")
    grade, asked = answered(config, fine, "!no JSON", fine, gone, aggregate=aggregate)

    assert (grade.score, len(asked)) == (None, 4)
    assert grade.failure.kind is FailureKind.MODEL_PARSE
    assert grade.failure.message == (
        "2 of 4 repeats failed; repeat 2: the judge's answer is not JSON: '!no JSON'"
    )
    assert [part.score for part in grade.parts.values()] == [1.0, None, 1.0, None]
    assert grade.parts["4"].failure.reason == "unavailable"
    assert grade.usage == {"gpt-4o": USAGE + USAGE + USAGE}
    assert [*grade.detail] == ["messages"]


def test_a_row_that_cannot_be_rendered_is_asked_about_not_even_once():
    """And has its own failure, which is not that of its repeats."""
    config = {**JUDGE, "input": [{"role": "user", "content": "{{ item.absent }}"}]}
    grade, asked = answered(config, 1, 1, pass_threshold=0)

    assert (asked, dict(grade.parts), grade.passed) == ([], {}, False)
    assert grade.failure.message.startswith("{{ item.absent }}: item has no field")


@pytest.mark.parametrize(
    ("config", "more", "signature"),
    [
        (JUDGE, {}, "score_model|model:gpt-4o"),
        (JUDGE, {"repeats": 1, "aggregate": "median"}, "score_model|model:gpt-4o"),
        (JUDGE, {"repeats": 3}, "score_model|model:gpt-4o|repeats:3|aggregate:mean"),
        (LABEL, {"repeats": 3}, "label_model|model:gpt-4o|repeats:3|aggregate:majority|pass:1"),
        (JUDGE, {"repeats": 2, "aggregate": "median", "pass_threshold": 0.5},
         "score_model|model:gpt-4o|repeats:2|aggregate:median|pass:0.5"),
    ],
)  # fmt: skip
def test_the_signature_says_how_often_and_how(config, more, signature):
    """Where there is one answer there is nothing to say."""
    tools = Tools(client=ScriptedClient(lambda _: ModelReply()))

    assert compile_grader({**config, **more}, tools=tools).signature == signature


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"repeats": 0}, "repeats: 0 is not at least 1"),
        ({"repeats": 1001}, "repeats: 1001 is not at most 1,000"),
        ({"repeats": 2.5}, "repeats: 2.5 is not an integer"),
        ({"repeats": 3, "aggregate": "mode"},
         "aggregate: 'mode' is not one of mean, median, majority. Did you mean 'median'?"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("config", [JUDGE, LABEL])
def test_what_is_no_number_of_repeats_is_refused(config, more, message):
    """Before anything is asked."""
    with pytest.raises(ConfigError) as caught:
        parse_config({**config, **more})

    assert str(caught.value).startswith(message.partition(". Did")[0])


def test_null_is_the_default():
    """As everywhere in a config."""
    assert parse_config({**JUDGE, "repeats": None, "aggregate": None}).grader.repeats == 1


def test_in_a_multi_a_judge_with_repeats_is_one_variable():
    """And in the hosted shape its repeats are no sub-rewards."""
    scores = [0.2, 0.6]
    client = ScriptedClient(lambda asked: ModelReply(text=f'{{"result": {scores[asked.repeat]}}}'))
    judge = {**JUDGE, "repeats": 2}
    multi = {"type": "multi", "name": "m", "graders": {"j": judge, "e": EXACT},
             "calculate_output": "j + e"}  # fmt: skip
    request = {"model_sample": "x", "item": {"answer": "x"}}
    both = hosted.run({"grader": multi, **request}, tools=Tools(client=client))
    alone = hosted.run({"grader": judge, **request}, tools=Tools(client=client))

    assert (both["reward"], both["sub_rewards"]) == (1.4, {"j": 0.4, "e": 1.0})
    assert (alone["reward"], alone["sub_rewards"]) == (0.4, {})


@pytest.mark.parametrize(
    ("config", "warnings"),
    [
        ({"repeats": 3}, []),
        ({"sampling_params": {"seed": 7}}, []),
        ({"repeats": 3, "sampling_params": {"temperature": 1}}, []),
        ({"repeats": 3, "sampling_params": {"seed": 7}},
         ["warning: sampling_params.seed: 7 with 3 repeats: a judge that honours the seed gives "
          "the same answer each time, so the spread says nothing. Leave the seed out, or ask "
          "once."]),
        ({"repeats": 3, "sampling_params": {"temperature": 0}},
         ["warning: sampling_params.temperature: 0 with 3 repeats: the judge gives nearly the same "
          "answer each time, so the spread says nothing. Raise it, or ask once."]),
    ],
)  # fmt: skip
def test_repeats_that_must_be_equal_are_warned_of(tmp_path, capsys, config, warnings):
    """The seed is the user's, and is not changed."""
    path = tmp_path / "grader.json"
    shown = [{"role": "user", "content": "Rate: {{ sample.output_text }}"}]
    path.write_text(json.dumps({**JUDGE, "input": shown, **config}))

    assert main(["validate", str(path)]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert said == warnings
    _, asked = answered(JUDGE, 1, 1, **{**config, "repeats": 2})
    assert {request.sampling.get("seed") for request in asked} == {
        config.get("sampling_params", {}).get("seed")
    }
