"""Where a sample could pose as instructions: one walk finds what the plain definition says."""

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.checks.injection import check_injection
from graders.config.content import Message

SAMPLE, ITEM = "{{ sample.output_text }}", "{{ item.a }}"
FENCES = ("```", '"""', "'''")
QUOTES = {'""', "''", "``", "\u201c\u201d", "\u2018\u2019", "\u00ab\u00bb", "\u201e\u201c"}
PIECES = [
    *(SAMPLE, SAMPLE, SAMPLE, ITEM, "<a>", "</a>", "<b c='1'>", "</b>", "<a", "</a", "<", "/", ">"),
    *(*FENCES, '"', "'", "`", " ", "\n", "word", "&", "\u201c", "\u201d", "\u00ab", "\u00bb"),
]


def warned(pieces):
    """By the definition, slot by slot: how many samples are not enclosed and are gone on after."""
    slots = [i for i, piece in enumerate(pieces) if piece == SAMPLE]
    return sum(goes_on(pieces[i + 1 :]) and not enclosed(pieces, i) for i in slots)


def goes_on(rest):
    return any(piece == ITEM or (piece != SAMPLE and re.search(r"\w", piece)) for piece in rest)


def enclosed(pieces, at):
    before, after = literal(pieces[:at]), literal(pieces[at + 1 :])
    if any(before.count(fence) % 2 and fence in after for fence in FENCES):
        return True
    if before.rstrip().endswith(FENCES):
        return between_tags(before, after)
    return before.rstrip()[-1:] + after.lstrip()[:1] in QUOTES or between_tags(before, after)


def literal(pieces):
    return "".join("x" if piece in {SAMPLE, ITEM} else piece for piece in pieces)


def between_tags(before, after):
    open_tags = []
    for closing, name in re.findall(r"<(/?)([A-Za-z][\w.:-]*)[^<>]*>", before):
        if not closing:
            open_tags.append(name)
        elif name in open_tags:
            open_tags.remove(name)
    return any(f"</{name}>" in after for name in open_tags)


def check(text):
    return check_injection([Message(role="user", content=text)])


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_the_walk_finds_what_the_definition_says(pieces):
    """For any order of tags, fences, quotes, words and slots."""
    assert len(check("".join(pieces))) == warned(pieces)


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("<" + "a" * 400_000 + SAMPLE + " go", 1),
        ("<a " * 200_000 + SAMPLE + " go", 1),
        (" " * 400_000 + SAMPLE + " go", 1),
        (f"{SAMPLE} go " * 10_000, 10_000),
        (f"``` {SAMPLE} " * 10_000 + "go", 5_000),
        ("".join(f"<a{i}>" for i in range(10_000)) + f"{SAMPLE} " * 10_000
         + "".join(f"</a{i}>" for i in range(10_000)), 0),
    ],
)  # fmt: skip
def test_a_prompt_of_any_size_is_looked_through_in_a_moment(text, findings):
    """A few tenths of a second each; quadratic, each would take minutes."""
    started = process_time()

    assert len(check(text)) == findings
    assert process_time() - started < 5
