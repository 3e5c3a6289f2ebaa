"""What a line of rows holds: an item, its prompt, its samples."""

from time import process_time

import pytest

from graders.lint.shape import Line, prompt_of, split_line, stands_in


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"item": {"a": 1}, "sample": "x"}, Line(1, {"a": 1}, ["x"], is_flat=False)),
        ({"item": {"a": 1}, "samples": ["x", {}]}, Line(1, {"a": 1}, ["x", {}], is_flat=False)),
        ({"model_sample": "x"}, Line(1, {}, ["x"], is_flat=False)),
        ({"item": {"a": 1}}, Line(1, {"a": 1}, (), is_flat=False)),
        ({"a": 1, "output_text": "x"}, Line(1, {"a": 1}, ["x"])),
        ({"item": {}, "samples": []}, "there are no samples in it"),
        (
            {"item": {}, "sample": 5},
            "a sample is text, an object or messages, and this is a number",
        ),
        (
            {"a": 1, "output_text": None},
            "a sample is text, an object or messages, and this is null",
        ),
        ({"a": 1, "completion": ["x", "y"]}, Line(1, {"a": 1}, ["x", "y"])),
        (
            {"a": 1, "completion": [{"role": "user", "content": "?"}]},
            "none of its messages is the assistant's; they are of user",
        ),
        ({"a": 1}, Line(1, {"a": 1})),
        ({"item": []}, "item is no object"),
    ],
)
def test_every_shape_of_a_row_is_known(line, expected):
    """Those that are graded, and those without an answer."""
    assert split_line(1, line) == expected


@pytest.mark.parametrize(
    ("item_", "prompt"),
    [
        ({"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]},
         "a\nb"),
        ({"messages": [{"role": "user", "content": [{"text": "a"}, {"image": 1}]}]}, "a"),
        ({"messages": [{"role": "user"}], "question": "q"}, ""),
        ({"question": "q", "answer": "a", "prompt": "p"}, "p\nq"),
        ({"answer": "a"}, ""),
    ],
)  # fmt: skip
def test_a_prompt_is_what_the_model_is_asked(item_, prompt):
    """Messages, or a key that is called so."""
    assert prompt_of(item_) == prompt


@pytest.mark.parametrize(
    ("part", "text", "stands"),
    [("a b", "x a b y", True), ("a", "ab a", True), ("a", "ab ba", False), ("É", "é", True)],
)
def test_words_stand_by_themselves(part, text, stands):
    """A part of a word is another word."""
    assert stands_in(part, text) is stands


def test_a_text_that_stands_in_millions_of_places_is_looked_for_in_some():
    """Where each is as long as a page, all of them would take minutes."""
    started = process_time()

    assert not stands_in("a" * 20_000, "a" * 2_000_000)
    assert process_time() - started < 5
