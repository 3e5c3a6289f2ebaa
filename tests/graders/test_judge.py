"""`score_model` and `label_model`: what a judge is asked, and what its answer counts as."""

import asyncio
import json

import pytest

from graders.clients import Message, ModelReply, ScriptedClient
from graders.compile import Tools, compile_grader
from graders.errors import FailureKind, GradingError
from graders.grades import Usage
from graders.profile import OPENAI
from graders.rows import Row, to_sample

SCORE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o",
    "input": [{"role": "user", "content": "Rate {{ sample.output_text }}"}],
}
LABEL = {
    **SCORE,
    "type": "label_model",
    "labels": ["good", "fair", "bad"],
    "passing_labels": ["good", "fair"],
}
CLIP = "UklGRgAAAABXQVZF"  # the head of a WAVE file
PARSE, MAX_TOKENS = FailureKind.MODEL_PARSE, FailureKind.MODEL_MAX_TOKENS
ROW = Row(item={"a": 1, "url": "https://x/1.png", "clip": CLIP}, sample=to_sample("hi"))


def judge(config, reply, *rows, profile=OPENAI):
    """Grades of some rows (one by default), and what the judge was asked."""
    if isinstance(reply, str):
        reply = ModelReply(text=reply)
    client = ScriptedClient(reply if callable(reply) else lambda _: reply)
    grader = compile_grader(config, tools=Tools(client=client), profile=profile)
    return asyncio.run(grader.grade(rows or [ROW])), client.asked


def answer(result):
    return json.dumps({"steps": [{"description": "d", "conclusion": "c"}], "result": result})


# --- what is asked


@pytest.mark.parametrize(
    ("config", "name", "result"),
    [
        (SCORE, "float_score_classification", {"type": "number"}),
        (LABEL, "label_classification", {"type": "string", "enum": ["good", "fair", "bad"]}),
    ],
)
def test_the_judge_is_held_to_the_hosted_answer_format(config, name, result):
    """Strict, steps before the result, both required, nothing else."""
    _, (request,) = judge(config, answer(1))
    schema = request.schema["schema"]
    step = schema["properties"]["steps"]["items"]

    assert request.model == "gpt-4o"
    assert request.schema["strict"] is True
    assert request.schema["name"] == name
    assert list(schema["properties"]) == schema["required"] == ["steps", "result"]
    assert schema["properties"]["result"] == result
    assert list(step["properties"]) == step["required"] == ["description", "conclusion"]
    assert schema["additionalProperties"] is step["additionalProperties"] is False


@pytest.mark.parametrize("config", [SCORE, LABEL])
@pytest.mark.parametrize(
    ("params", "sent"),
    [
        (None, {}),
        ({}, {}),
        ({"seed": None, "top_p": None, "temperature": None, "max_completions_tokens": None,
          "reasoning_effort": None}, {}),
        ({"seed": 0, "temperature": 0, "top_p": None}, {"seed": 0, "temperature": 0}),
        ({"max_completions_tokens": 9, "reasoning_effort": "none"},
         {"max_completions_tokens": 9, "reasoning_effort": "none"}),
        ({"max_tokens": 5, "top_p": 0.5}, {"top_p": 0.5}),  # an unknown key is not read
    ],
)  # fmt: skip
def test_only_sampling_params_that_are_set_are_sent(config, params, sent):
    """Null is the judge's own default, and zero is a value."""
    _, (request,) = judge({**config, "sampling_params": params}, answer(1))

    assert request.sampling == sent


@pytest.mark.parametrize(
    ("content", "rendered"),
    [
        ("{{ sample.output_text }}!", "hi!"),
        (
            {"type": "input_text", "text": "{{ item.a }}"},
            [{"type": "input_text", "text": "1"}],
        ),
        (
            ["{{ item.a }}", {"type": "output_text", "text": "<{{ sample.output_text }}>"}],
            [{"type": "input_text", "text": "1"}, {"type": "output_text", "text": "<hi>"}],
        ),
        (
            {"type": "input_image", "image_url": "{{ item.url }}", "detail": "low"},
            [{"type": "input_image", "image_url": "https://x/1.png", "detail": "low"}],
        ),
        (
            [{"type": "input_image", "image_url": "{{ item.url }}?a={{ item.a }}",
              "file_id": None}],
            [{"type": "input_image", "image_url": "https://x/1.png?a=1", "detail": "auto"}],
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "{{ item.clip }}", "format": "wav"}},
            [{"type": "input_audio", "input_audio": {"data": CLIP, "format": "wav"}}],
        ),
        (
            {"type": "input_text", "text": "x", "note": "{{ item.absent }} {{ item"},
            [{"type": "input_text", "text": "x"}],  # an unknown key is ignored, as the warning says
        ),
    ],
)  # fmt: skip
def test_templates_are_filled_in_every_block(content, rendered):
    """An image's address and an audio clip's data included."""
    messages = [{"role": "system", "content": "Fair."}, {"role": "assistant", "content": content}]
    _, (request,) = judge({**SCORE, "input": messages}, answer(1))

    assert request.messages == (Message("system", "Fair."), Message("assistant", rendered))


def test_values_are_rendered_as_the_profile_says():
    """The setting reaches into messages and blocks."""
    content = ["{{ item.flag }}", {"type": "input_text", "text": "{{ item.flag }}"}]
    config = {**SCORE, "input": [{"role": "user", "content": content}]}
    row = Row(item={"flag": None}, sample={})
    python = OPENAI.override({"render": "python"})

    for profile, text in ((OPENAI, "null"), (python, "None")):
        _, (request,) = judge(config, answer(1), row, profile=profile)
        assert request.messages[0].content == [{"type": "input_text", "text": text}] * 2


def test_a_row_that_cannot_be_rendered_is_not_asked_about():
    """It fails by itself; the others are judged, and stay in their places."""
    rows = [ROW, Row(item={}, sample={}), ROW]
    grades, asked = judge(SCORE, answer(0.5), *rows)

    assert [grade.score for grade in grades] == [0.5, None, 0.5]
    assert grades[1].failure.kind is FailureKind.INVALID_VARIABLE
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("block", "reason", "message"),
    [
        ({"type": "input_image", "image_url": "{{ item.url }}"}, "bad_image",
         "messages[0].content[0].image_url: 'cat.png' is neither an http(s) address nor a data "),
        ({"type": "input_audio", "input_audio": {"data": "{{ item.url }}", "format": "mp3"}},
         "bad_audio", "messages[0].content[0].input_audio.data: its data is not base64: "),
    ],
)  # fmt: skip
def test_a_row_with_broken_media_is_not_asked_about(block, reason, message):
    """Whoever would be asked: it is the row's data that is wrong."""
    config = {**SCORE, "repeats": 3, "input": [{"role": "user", "content": [block]}]}
    ((grade,), asked) = judge(config, answer(1), Row(item={"url": "cat.png"}, sample={}))

    assert (grade.failure.kind, grade.failure.reason) == (FailureKind.OTHER, reason)
    assert grade.failure.message.startswith(message)
    assert asked == []


# --- what the answer counts as


@pytest.mark.parametrize(
    ("given", "bounds", "score", "clamped_from"),
    [
        (0.75, [0, 1], 0.75, None),
        (0, [0, 1], 0.0, None),
        (1, [0, 1], 1.0, None),
        (1.0000001, [0, 1], 1.0, 1.0000001),
        (7, [0, 1], 1.0, 7),
        (-0.5, [0, 1], 0.0, -0.5),
        (4, [1, 5], 4.0, None),  # nothing is rescaled
        (0, [1, 5], 1.0, 0),
        (100, [0, 100], 100.0, None),
        (1e308, [-1, 1], 1.0, 1e308),
    ],
)
def test_a_number_is_clamped_to_the_range_and_that_is_on_record(given, bounds, score, clamped_from):
    """The score is the judge's number, or the end of the range it went over."""
    ((grade,), _) = judge({**SCORE, "range": bounds, "pass_threshold": score}, answer(given))

    assert (grade.score, grade.failure, grade.passed) == (score, None, True)
    assert grade.detail.get("clamped_from") == clamped_from
    assert ("clamped_from" in grade.detail) == (clamped_from is not None)
    assert grade.detail["reply"] == answer(given)


@pytest.mark.parametrize(
    ("label", "score", "passed"), [("good", 1.0, True), ("fair", 1.0, True), ("bad", 0.0, False)]
)
def test_a_label_passes_when_it_is_among_the_passing_ones(label, score, passed):
    """1.0 or 0.0, and the label is kept."""
    ((grade,), _) = judge(LABEL, answer(label))

    assert (grade.score, grade.passed, grade.detail["label"]) == (score, passed, label)


@pytest.mark.parametrize(
    ("config", "reply", "kind", "message"),
    [
        (SCORE, ModelReply(refusal="I cannot"), FailureKind.MODEL_REFUSAL,
         "the judge refused: I cannot"),
        (SCORE, ModelReply(text=answer(1), refusal="no"), FailureKind.MODEL_REFUSAL,
         "the judge refused: no"),
        (SCORE, ModelReply(text='{"steps": [', truncated=True), MAX_TOKENS,
         "the judge's answer was cut off; raise max_completions_tokens"),
        (SCORE, "I would say 7/10", PARSE, "the judge's answer is not JSON: 'I would say 7/10'"),
        (SCORE, "", PARSE, "the judge's answer is not JSON: ''"),
        (SCORE, answer(1) + " because", PARSE, "the judge's answer is not JSON: "),
        (SCORE, '{"result": NaN}', PARSE, "the judge's answer is not JSON: "),
        (SCORE, '{"result": 1e999}', PARSE, "the judge's answer is not JSON: "),
        (SCORE, '{"score": 1}', PARSE, "the judge's answer has no result: '{\"score\": 1}'"),
        (SCORE, "[1]", PARSE, "the judge's answer has no result: '[1]'"),
        (SCORE, "0.5", PARSE, "the judge's answer has no result: '0.5'"),
        (SCORE, answer(None), PARSE, "the judge's result null is not a finite number"),
        (SCORE, answer("0.5"), PARSE, 'the judge\'s result "0.5" is not a finite number'),
        (SCORE, '{"result": true}', PARSE, "the judge's result true is not a finite number"),
        (SCORE, answer([1]), PARSE, "the judge's result [1] is not a finite number"),
        (SCORE, f'{{"result": 1{"0" * 400}}}', PARSE, "the judge's result 1"),
        (SCORE, f'{{"result": -1{"0" * 400}}}', PARSE, "the judge's result -1"),
        (SCORE, f'{{"result": {"9" * 5000}}}', PARSE, "the judge's answer is not JSON: "),
        (SCORE, f'{{"result": {"[" * 5000}', PARSE, "the judge's answer is not JSON: "),
        (LABEL, answer("great"), PARSE, 'the judge\'s label "great" is not among the labels'),
        (LABEL, answer("Good"), PARSE, 'the judge\'s label "Good" is not among the labels'),
        (LABEL, answer(1), PARSE, "the judge's label 1 is not among the labels"),
        (LABEL, answer({"a": 1}), PARSE, 'the judge\'s label {"a":1} is not among the labels'),
        (LABEL, ModelReply(refusal="no"), FailureKind.MODEL_REFUSAL, "the judge refused: no"),
    ],
)  # fmt: skip
def test_an_unusable_answer_is_a_failure_of_its_kind(config, reply, kind, message):
    """The judge's mistakes are never charged to the model it judges as a low score."""
    ((grade,), _) = judge(config, reply)

    assert grade.score is None
    assert grade.failure.kind is kind
    assert grade.failure.message.startswith(message)
    assert grade.passed is (False if config is LABEL else None)


@pytest.mark.parametrize("config", [SCORE, LABEL])
@pytest.mark.parametrize(
    "reply", [answer("x" * 9000), answer(["x"] * 9000), "x" * 9000, ModelReply(refusal="x" * 9000)]
)
def test_a_failure_never_repeats_a_whole_answer(config, reply):
    """The reply is in the detail; the message is a line."""
    ((grade,), _) = judge(config, reply)

    assert len(grade.failure.message) < 400


@pytest.mark.parametrize(("length", "kept"), [(4000, 4000), (4001, 4026), (9_000_000, 4030)])
def test_the_detail_of_a_failure_is_cut(length, kept):
    """A judge that babbles must not fill the results; how long it was is said."""
    ((grade,), _) = judge(SCORE, "x" * length)
    ((whole,), _) = judge(SCORE, answer(1) + " " * length)

    assert len(grade.detail["reply"]) == kept
    if length > 4000:
        assert grade.detail["reply"].endswith(f"x ... (of {length:,} characters)")
    assert len(whole.detail["reply"]) > length


def test_an_absent_judge_fails_the_row_in_the_clients_words():
    """The client knows what happened; the other rows are judged."""

    def reply(request):
        if request.messages[0].content == "Rate down":
            raise GradingError(FailureKind.MODEL_SERVER, "503 after 3 tries", "unavailable")
        return ModelReply(text=answer(1))

    grades, _ = judge(SCORE, reply, ROW, Row(item={}, sample=to_sample("down")), ROW)

    assert [grade.score for grade in grades] == [1.0, None, 1.0]
    assert grades[1].failure.kind is FailureKind.MODEL_SERVER
    assert grades[1].failure.message == "503 after 3 tries"
    assert grades[1].failure.reason == "unavailable"


def test_a_bug_in_a_client_stops_the_run():
    """Only what is raised on purpose is a row's problem."""

    def reply(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        judge(SCORE, reply)


@pytest.mark.parametrize("text", [answer(1), "no JSON"])
def test_tokens_are_kept_whether_or_not_the_answer_was_of_use(text):
    """They were paid for."""
    usage = Usage(prompt_tokens=10, completion_tokens=5, total_tokens=15, cached_tokens=2)
    ((grade,), _) = judge(SCORE, ModelReply(text=text, usage=usage))

    assert grade.usage == {"gpt-4o": usage}
    assert judge(SCORE, text)[0][0].usage is None
