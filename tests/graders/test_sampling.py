"""Drawing samples: what is asked for a row, and what is written of the answers."""

import asyncio
import dataclasses
import json

import pytest

from graders.clients import Message, ModelReply, ScriptedClient
from graders.errors import FailureKind, GradingError, RowError, TemplateError
from graders.row_files import read_rows
from graders.sampling import Drawing, compile_prompt, draw, read_prompts

HI = {"messages": [{"role": "user", "content": "Hi"}], "answer": "Hello"}


def prompts_of(tmp_path, *lines, prompt=None):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return list(read_prompts(path, compile_prompt(prompt) if prompt is not None else None))


def drawn(answer, prompts, **drawing):
    """The lines that are written, and what was asked."""
    client, lines = ScriptedClient(answer), []
    drawing = Drawing(**{"model": "m", "count": 2, **drawing})
    asyncio.run(draw(client, prompts, drawing, lambda one: lines.append(one.to_line())))
    return [json.loads(line) for line in lines], client.asked


# --- prompts


@pytest.mark.parametrize(
    ("line", "item"),
    [
        (HI, HI),  # a fine-tuning row is its own item, messages included
        ({"item": HI}, HI),
        ({"item": HI, "samples": ["old"]}, HI),
        ({"item": {"answer": "x"}, "messages": HI["messages"]}, {"answer": "x"}),
    ],
)
def test_a_row_with_messages_is_asked_with_them(tmp_path, line, item):
    """Whichever shape it has; samples that it has already are left out."""
    (prompt,) = prompts_of(tmp_path, line)

    assert (prompt.row, prompt.item) == (1, item)
    assert prompt.messages == (Message("user", "Hi"),)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ({"q": "Why?", "n": 2}, "Answer Why? in 2 words"),
        ({"item": {"q": "Why?", "n": 2}}, "Answer Why? in 2 words"),
        ({**HI, "q": "{{ item.n }}", "n": None}, "Answer {{ item.n }} in null words"),
    ],
)
def test_a_prompt_is_a_template_over_the_item(tmp_path, line, text):
    """Its messages are not asked then, and what it inserts is not scanned again."""
    (prompt,) = prompts_of(tmp_path, line, prompt="Answer {{ item.q }} in {{ item.n }} words")

    assert prompt.messages == (Message("user", text),)


def test_messages_may_hold_chat_blocks_and_hosted_ones(tmp_path):
    """They go out in the hosted words, which every client knows."""
    audio = {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}
    url = {"url": "https://x/1.png"}
    content = [
        {"type": "text", "text": "a"},
        {"type": "input_text", "text": "b"},
        {"type": "image_url", "image_url": url},
        {"type": "image_url", "image_url": {**url, "detail": "low"}},
        {"type": "input_image", "image_url": "https://x/2.png", "detail": "high"},
        audio,
    ]
    chat = [{"role": "developer", "content": "c"}, {"role": "assistant", "content": "d"},
            {"role": "user", "content": content}]  # fmt: skip
    (prompt,) = prompts_of(tmp_path, {"messages": chat})

    assert [message.role for message in prompt.messages] == ["developer", "assistant", "user"]
    assert prompt.messages[2].content == [
        {"type": "input_text", "text": "a"},
        {"type": "input_text", "text": "b"},
        {"type": "input_image", "image_url": "https://x/1.png"},
        {"type": "input_image", "image_url": "https://x/1.png", "detail": "low"},
        {"type": "input_image", "image_url": "https://x/2.png", "detail": "high"},
        audio,
    ]


AUDIO = (
    "messages[0].content[0] has no audio that can be sent: "
    '{"input_audio": {"data": BASE64, "format": "wav" or "mp3"}} is wanted'
)
USER = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ({"q": "Why?"}, "has no messages; --prompt TEMPLATE makes a prompt of other keys"),
        ({"item": []}, "item is a list, and must be an object"),
        ({"messages": "Hi"}, "messages is a string, and must be a list with a message"),
        ({"messages": []}, "messages is a list, and must be a list with a message"),
        ({"messages": [{"role": "tool", "content": "x"}, USER]},
         "messages[0] is no message with a content and one of the roles system, developer, user, "
         "assistant"),
        ({"messages": [{"role": "user"}]}, "messages[0] is no message with a content"),
        ({"messages": [USER, {"role": "assistant", "content": "Hello"}]},
         "the last message is the assistant's, so there is nothing to answer"),
        ({"messages": [{"role": "assistant", "content": None, "tool_calls": [{}]}, USER]},
         "messages[0] has tool calls, and only text, images and audio go out"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]},
         "messages[0].content[0] is no text, image_url or input_audio block"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, AUDIO),
        ({"messages": [{"role": "user", "content": [
            {"type": "input_audio", "input_audio": {"data": "UklG"}}]}]}, AUDIO),
    ],
)  # fmt: skip
def test_a_row_that_is_no_prompt_is_an_error_in_its_place(tmp_path, line, problem):
    """Its neighbours are asked all the same."""
    first, error, last = prompts_of(tmp_path, HI, line, HI)

    assert isinstance(error, RowError)
    assert str(error).startswith(f"{tmp_path}/rows.jsonl:2:1: {problem}")
    assert (first.row, last.row) == (1, 3)


def test_a_key_that_the_prompt_needs_and_the_item_lacks_is_an_error(tmp_path):
    """With the nearest that it has."""
    (error,) = prompts_of(tmp_path, {"question": "x"}, prompt="{{ item.questoin }}")

    assert "--prompt: {{ item.questoin }}: item has no field 'questoin'. Did you mean" in str(error)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{ item", "this slot has no closing '}}'"),
        ("{{ item.a }} {{ sample.output_text }}", "a prompt has no sample to use"),
    ],
)
def test_a_prompt_that_cannot_be_filled_is_refused(text, problem):
    """Before a row is read."""
    with pytest.raises(TemplateError, match=problem):
        compile_prompt(text)


# --- samples


def test_each_sample_is_a_request_of_its_own_without_a_schema(tmp_path):
    """Equal but for the index, and for the seed where there is one."""
    prompts = prompts_of(tmp_path, HI)
    sampling = {"temperature": 0.5, "max_completions_tokens": 9}
    _, asked = drawn(lambda _: ModelReply(text="x"), prompts, count=3, sampling=sampling)
    _, seeded = drawn(lambda _: ModelReply(text="x"), prompts, count=3, seed=7)

    assert [request.repeat for request in asked] == [0, 1, 2]
    assert all(request.sampling == sampling for request in asked)
    assert all((request.model, request.schema) == ("m", None) for request in asked)
    assert [request.sampling for request in seeded] == [{"seed": 7}, {"seed": 8}, {"seed": 9}]


def test_a_sample_is_the_hosted_object(tmp_path):
    """What was refused or cut off is a sample, and says so."""
    replies = [
        ModelReply(text='{"a": 1}', model="m-1"),
        ModelReply(text="Par", truncated=True),
        ModelReply(refusal="I cannot"),
    ]
    (line,), _ = drawn(lambda r: replies[r.repeat], prompts_of(tmp_path, HI), count=3)
    whole, cut, refused = line["samples"]

    assert line["item"] == HI
    assert (whole["output_text"], whole["output_json"], whole["model"]) == (
        '{"a": 1}', {"a": 1}, "m-1"
    )  # fmt: skip
    assert whole["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": '{"a": 1}',
                "refusal": None,
                "tool_calls": [],
            },
            "finish_reason": "stop",
        }
    ]
    assert (cut["output_text"], cut["choices"][0]["finish_reason"]) == ("Par", "length")
    assert refused["choices"][0]["message"]["refusal"] == "I cannot"


def test_a_sample_that_fails_is_named_and_left_out(tmp_path):
    """An empty sample would be graded; the others are kept, and a run reads the line."""

    def answer(request):
        if request.repeat == 1:
            raise GradingError(FailureKind.MODEL_SERVER, "503 after 7 tries", "unavailable")
        return ModelReply(text=f"{request.repeat}")

    (line,), _ = drawn(answer, prompts_of(tmp_path, HI), count=3)
    path = tmp_path / "samples.jsonl"
    path.write_text(json.dumps(line) + "\n")

    assert [sample["output_text"] for sample in line["samples"]] == ["0", "2"]
    assert line["failures"] == [
        {"sample": 1, "kind": "model_grader_server_error", "message": "503 after 7 tries"}
    ]
    assert [row.sample["output_text"] for row in read_rows(path)] == ["0", "2"]


def test_a_row_without_any_sample_is_a_bad_line_to_a_run(tmp_path):
    """Loud there too."""

    def answer(_):
        raise GradingError(FailureKind.MODEL_SERVER, "down")

    (line,), _ = drawn(answer, prompts_of(tmp_path, HI))
    path = tmp_path / "samples.jsonl"
    path.write_text(json.dumps(line) + "\n")

    (error,) = read_rows(path)
    assert str(error).endswith("there are no samples in it")


def test_lines_are_in_the_order_of_the_rows_and_bounded_in_number(tmp_path):
    """Whoever answers first; rows are read only as far ahead as they are asked."""
    prompts = prompts_of(tmp_path, *[{**HI, "n": n} for n in range(1000)])
    read, written = [], []

    class Slow:
        """Answers later requests of a row earlier, after some turns of the loop."""

        async def complete(self, request):
            for _ in range(5 - request.repeat):
                await asyncio.sleep(0)
            return ModelReply(text="x")

    def reading():
        for prompt in prompts:
            read.append(prompt)
            # What is finished makes room for the next a moment before it is written.
            assert len(read) - len(written) <= 256 + 64
            yield prompt

    drawing = Drawing(model="m", count=4)
    asyncio.run(draw(Slow(), reading(), drawing, lambda one: written.append(one.prompt.row)))

    assert written == list(range(1, 1001))


def test_what_ends_the_reading_or_the_writing_comes_as_it_is(tmp_path):
    """Not wrapped in a group, and what was read before is drawn and written."""
    prompts, written = prompts_of(tmp_path, HI, HI), []

    def broken():
        yield prompts[0]
        raise OSError("the disk is gone")

    def full(_):
        raise BrokenPipeError

    client, drawing = ScriptedClient(lambda _: ModelReply()), Drawing(model="m", count=1)
    with pytest.raises(OSError, match="the disk is gone"):
        asyncio.run(draw(client, broken(), drawing, written.append))
    with pytest.raises(BrokenPipeError):
        asyncio.run(draw(client, prompts, drawing, full))
    assert [one.prompt for one in written] == [prompts[0]]


def test_drawing_that_is_cancelled_writes_what_is_finished(tmp_path):
    """A slow first row loses nothing that was paid."""
    prompts, written = prompts_of(tmp_path, *[{**HI, "n": n} for n in range(5)]), []
    prompts = [dataclasses.replace(prompt, row=row) for row, prompt in enumerate(prompts)]
    all_asked = asyncio.Event()

    class Slow:
        asked = 0

        async def complete(self, _):
            self.asked += 1
            if self.asked == 1:
                await asyncio.Event().wait()
            if self.asked == 5:
                all_asked.set()
            return ModelReply(text="x")

    async def work():
        coroutine = draw(Slow(), prompts, Drawing(model="m", count=1), written.append)
        drawing = asyncio.create_task(coroutine)
        await all_asked.wait()
        drawing.cancel()
        await asyncio.wait([drawing])
        assert drawing.cancelled()

    asyncio.run(work())

    assert [one.prompt.row for one in written] == [1, 2, 3, 4]
