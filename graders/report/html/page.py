"""One self-contained HTML file: what a study or a run found, for people to pass around.

The file asks nobody for anything: style, script, charts and data are in it, and its policy lets
the browser run this script and no other. It is a function of the page: no clock, no chance.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final

from graders.markup import Child, Markup, cut, el, many, seen
from graders.report.html.embedded import embedded
from graders.report.html.table import MOST_BYTES
from graders.studies.verdict import Verdict
from graders.terminal import shorten

_TONES: Final = {"good": "Good", "note": "Note", "warning": "Warning", "bad": "Bad"}
_LONGEST_TITLE: Final = 120
_LONGEST_HEADLINE: Final = 240
_MOST_LINES: Final = 5
_LONGEST_LINE: Final = 4_000
_MOST_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a page.

    Attributes:
        id: Its place: letters and hyphens, once in a page. `data` and `main` are taken.
        title: Its heading, and what the table of contents says.
        body: What stands in it.
        rows: The key of the page's data that its table of rows is filled from; None without one.
        alone: What stands in it where there is no script; None is the same.
    """

    id: str
    title: str
    body: Markup
    rows: str | None = None
    alone: Markup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A report.

    Attributes:
        kind: What it is a report of: `graders run`.
        title: What was run or studied.
        lead: A sentence below it.
        sections: Its parts, the overview first.
        facts: What made it, by name: signature, versions, layers, command.
        data: All that it says, for programs; what its tables of rows are filled from.
    """

    kind: str
    title: str
    lead: str = ""
    sections: Sequence[Section]
    facts: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, object] = field(default_factory=dict)


def to_html(page: Page) -> str:
    """The page as one file. The same page gives the same text.

    Raises:
        ValueError: Two sections have one id, or a number in the data is not finite.
    """
    ids = [section.id for section in page.sections]
    if len({*ids, "data", "main"}) < len(ids) + 2:
        raise ValueError(f"each section has an id of its own, and not data or main; got {ids}")
    title = shorten(seen(page.title), _LONGEST_TITLE)
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy()),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", f"{title} - {page.kind}"),
        _style(),
    )
    body = el(
        "body",
        el("a", "Skip to the report", href="#main", class_="skip"),
        el(
            "div",
            _header(page),
            _contents(page.sections),
            el("main", [_section(one) for one in page.sections], id="main", tabindex="-1"),
            _footer(page),
            class_="page",
        ),
        Markup(f'<script type="application/json" id="data">{embedded(page.data)}</script>\n'),
        Markup(f"<script>{_resource('page.js')}</script>\n"),
        class_="graders",
    )
    html = el("html", "\n", head, "\n", body, "\n", lang="en")
    return f"<!doctype html>\n{html.html}\n"


def fitting(make: Callable[[int], Page]) -> Page:
    """A page of less than a megabyte, whose rows take what the rest of it leaves.

    Args:
        make: Gives the page; its rows take so many bytes as JSON at most.
    """
    room = MOST_BYTES
    page = make(room)
    while room > 0 and (over := len(to_html(page).encode()) - _MOST_BYTES) >= 0:
        room = min(room, _rows_bytes(page)) - over - 1
        page = make(max(room, 0))
    return page


def _rows_bytes(page: Page) -> int:
    return sum(len(embedded(page.data[one.rows]).encode()) for one in page.sections if one.rows)


def fragment(sections: Sequence[Section]) -> str:
    """Sections to show inside of another page, a notebook's: with style, and without script.

    Tables of rows show their first rows with what is below them, and the style is for what is in
    the fragment alone.
    """
    return el("div", _style(), [_section(one, placed=False) for one in sections],
              class_="graders fragment").html  # fmt: skip


def overview(
    verdicts: Sequence[Verdict],
    figures: Mapping[str, tuple[str, str]],
    *,
    shows: Mapping[str, str] | None = None,
) -> Markup:
    """What a report begins with: what to think of it, and the numbers that matter most.

    Args:
        verdicts: Findings in words.
        figures: Numbers by name, each with a note.
        shows: By the code of a verdict, which rows of the section `rows` it is about, as the value
            that a column of them has: `outcome=failed`.
    """
    listed = [
        el("div", el("dt", name), el("dd", shown, el("small", note) if note else None))
        for name, (shown, note) in figures.items()
    ]
    return many(
        verdict_list(verdicts, shows or {}), el("dl", listed, class_="figures") if listed else None
    )


def verdict_list(
    verdicts: Sequence[Verdict], shows: Mapping[str, str] | None = None
) -> Markup | None:
    """Verdicts, each with its tone in a word; None where there are none. See `overview`."""
    rows = shows or {}
    if not verdicts:
        return None
    return el(
        "ul",
        [
            el("li", el("span", _TONES[one.tone], class_=f"tone tone-{one.tone}"),
               el("span", one.text, *_shown(rows.get(one.code))))
            for one in verdicts
        ],
        class_="verdicts",
    )  # fmt: skip


def _shown(rows: str | None) -> Sequence[Child]:
    return (" ", el("a", "Show them", href="#rows", data_show=rows)) if rows else ()


def facts(named: Mapping[str, str]) -> Markup:
    """Names and what belongs to them, as a list."""
    pairs = [(el("dt", name), el("dd", text, class_="mono")) for name, text in named.items()]
    return el("dl", pairs, class_="facts")


def lines_left_out(first: Sequence[str], number: int) -> Markup:
    """What is wrong with lines that could not be read.

    Args:
        first: The first of them, in words; all of them will do.
        number: How many there are.
    """
    first = first[:_MOST_LINES]
    shown = "\n".join(cut(line, _LONGEST_LINE) for line in first)
    more = f"\nand {number - len(first):,} more" if number > len(first) else ""
    return el("pre", shown, more, tabindex="0")


def _header(page: Page) -> Markup:
    said = [el("p", page.kind, class_="kind"), el("h1", cut(page.title, _LONGEST_HEADLINE))]
    lead = el("p", page.lead, class_="lead") if page.lead else None
    switch = el("button", "Dark", type="button", class_="theme", hidden=True)
    return el("header", el("div", said, lead), switch)


def _contents(sections: Sequence[Section]) -> Markup:
    links = (el("a", one.title, href=f"#{one.id}") for one in sections)
    made = el("a", "How it was made", href="#made")
    return el("nav", el("ol", [el("li", link) for link in (*links, made)]), aria_label="Contents")


def _section(section: Section, *, placed: bool = True) -> Markup:
    place = section.id if placed else None
    named = f"{section.id}-title" if placed else None
    heading = el("h2", section.title, id=named)
    rows = section.rows if placed else None
    attributes = {"id": place, "aria-labelledby": named, "data-rows": rows}
    body = section.body if placed or section.alone is None else section.alone
    return el("section", heading, body, **attributes)


def _footer(page: Page) -> Markup:
    return el(
        "footer",
        el("h2", "How it was made", id="made"),
        facts(page.facts),
        el("p", _SELF_CONTAINED, class_="soft small"),
    )


_SELF_CONTAINED: Final = (
    "This file needs no network and stores nothing. All that it shows is also in it as JSON, "
    "in the element with the id data."
)


def _policy() -> str:
    """Nothing is loaded; this style and this script are let, known by their hashes."""
    allowed = [f"{what}-src '{_hash(name)}'" for what, name in _INLINE.items()]
    return "; ".join(["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"])


_INLINE: Final = {"style": "style.css", "script": "page.js"}


def _hash(name: str) -> str:
    digest = hashlib.sha256(_resource(name).encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _style() -> Markup:
    return Markup(f"<style>{_resource('style.css')}</style>")


@cache
def _resource(name: str) -> str:
    return files("graders.report.html").joinpath(name).read_text("utf-8")
