"""Text on a terminal: within its columns, whole where there is room, cut where there is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.terminal import WIDTH, columns, printable, shorten, wrap


@given(st.text(), st.integers(0, 60), st.integers(1, 4))
def test_wrapped_lines_keep_the_margin(text, indent, lines):
    """However wide its characters are, and however long its words."""
    wrapped = list(wrap(printable(text), indent=indent, lines=lines))

    assert 1 <= len(wrapped) <= lines
    assert all(columns(line) <= WIDTH for line in wrapped)
    assert all(line.startswith(" " * indent) for line in wrapped)


@given(st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=8))
def test_a_text_that_fits_is_whole(words):
    """Nothing is lost where there is room."""
    assert " ".join(line.strip() for line in wrap(" ".join(words), indent=4)) == " ".join(words)


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("short", 5, "short"),
        ("longer text", 8, "longe..."),
        ("漢字漢字", 7, "漢字..."),
        ("é" * 9, 9, "é" * 9),
    ],
)
def test_shortened(text, width, shown):
    """Cut to columns, not to characters."""
    assert shorten(text, width) == shown


def test_a_word_of_a_million_characters_is_a_moment():
    """Model output can be one: cutting it piece by piece once took its square."""
    (line, *_) = wrap("é" * 1_000_000, indent=0)

    assert columns(line) == WIDTH
