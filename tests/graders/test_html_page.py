"""A page is one file that is well formed, asks for nothing, and is the same every time."""

import base64
import hashlib
import json
import re
from importlib.resources import files

import pytest
from html_gallery import HOSTILE, gallery, rows_table
from html_reading import Reader

from graders.markup import Markup, el
from graders.report.html.page import Page, Section, fragment, lines_left_out, to_html

HTML = to_html(gallery())
STYLE = files("graders.report.html").joinpath("style.css").read_text("utf-8")
SCRIPT = files("graders.report.html").joinpath("page.js").read_text("utf-8")


@pytest.fixture(scope="module")
def page():
    return Reader(HTML)


def test_each_id_is_there_once_and_references_lead_to_one(page):
    referred = [
        name.removeprefix("#")
        for _, given in page.tags
        for key in ("href", "aria-labelledby", "aria-controls", "for")
        if (name := given.get(key))
    ]

    assert len(page.ids) == len(set(page.ids))
    assert set(referred) <= set(page.ids)


def test_elements_are_ours_whatever_the_texts_say(page):
    tags = [tag for tag, _ in page.tags]
    handlers = {key for _, given in page.tags for key in given if key.startswith("on")}

    assert not set(tags) & {"img", "iframe", "object", "embed", "link", "base", "form", "textarea"}
    assert handlers == set()
    assert tags.count("script") == 2
    assert tags.count("style") == 1
    assert not any("style" in given for _, given in page.tags)  # its policy has no place for them


def test_nothing_is_asked_for(page):
    addresses = [given[key] for _, given in page.tags for key in ("href", "src") if key in given]

    assert all(address.startswith("#") for address in addresses)
    assert "http" not in HTML.replace("http-equiv", "")
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert not re.search(r"fetch|XMLHttp|import\(|eval|innerHTML|localStorage|cookie", SCRIPT)


def test_the_policy_lets_this_style_and_this_script(page):
    (policy,) = [given["content"] for _, given in page.tags if "http-equiv" in given]
    hashes = {
        what: base64.b64encode(hashlib.sha256(page.inside[what, None].encode()).digest()).decode()
        for what in ("style", "script")
    }

    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; "
        f"script-src 'sha256-{hashes['script']}'; base-uri 'none'; form-action 'none'"
    )


def test_the_data_is_in_it_once(page):
    data = json.loads(page.inside["script", "data"])

    assert data["texts"] == HOSTILE
    assert data["rows"] == json.loads(json.dumps(rows_table().to_json()))
    assert len(data["rows"]["rows"]) == 120


def test_the_same_page_is_the_same_bytes():
    assert to_html(gallery()).encode() == HTML.encode()


def test_each_chart_has_a_name_a_description_and_a_role(page):
    drawn = [given for tag, given in page.tags if tag == "svg" and given.get("role") == "img"]
    hidden = [given for tag, given in page.tags if tag == "svg" and "aria-hidden" in given]
    tags = [tag for tag, _ in page.tags]

    assert len(drawn) == 5
    assert all(given["aria-label"] for given in drawn)
    assert tags.count("desc") == 5
    assert hidden  # those in tables, whose numbers stand beside them


def test_tables_have_captions_and_heads_have_scopes(page):
    tags = [tag for tag, _ in page.tags]
    heads = [given for tag, given in page.tags if tag == "th"]

    assert tags.count("table") == tags.count("caption")
    assert {given.get("scope") for given in heads} == {"row", "col"}


def test_the_first_rows_are_there_without_script(page):
    said = page.text()

    assert "All 120 rows." in said
    assert "The first 25 stand here; the others" in said
    assert said.count("not passed") >= 10


@pytest.mark.parametrize(
    ("lines", "number", "shown"),
    [
        (["a <b>", "c"], 2, "a &lt;b&gt;\nc</pre>"),
        (["a"], 1_234, "a\nand 1,233 more</pre>"),
        ([*"abcdefg"], 7, "e\nand 2 more</pre>"),
        (["x" * 5_000], 1, "xxx... (5,000 characters)</pre>"),
    ],
)
def test_the_first_lines_that_are_left_out_stand_for_all(lines, number, shown):
    assert lines_left_out(lines, number).html.endswith(shown)


def test_a_fragment_stands_in_another_page():
    body = el("p", "text", HOSTILE[0])
    html = fragment([Section(id="one", title="One", body=body, rows="rows")])
    reader = Reader(html)

    assert reader.ids == []  # those of the other page are not ours to take
    assert [tag for tag, _ in reader.tags][:2] == ["div", "style"]
    assert ("script", None) not in reader.inside
    assert reader.tags[0][1] == {"class": "graders fragment"}
    outside = re.sub(r"/\*.*?\*/", "", STYLE, flags=re.DOTALL).strip()
    assert outside.startswith(".graders {")  # every rule is below it
    assert outside.endswith("}")
    assert [i for i in range(len(outside)) if is_top(outside, i)] == [len(outside) - 1]


def is_top(style, i):
    """Whether a rule ends here that is in no other."""
    return style[i] == "}" and style[: i + 1].count("{") == style[: i + 1].count("}")


@pytest.mark.parametrize("ids", [["a", "a"], ["data"], ["main"]])
def test_sections_have_ids_of_their_own(ids):
    sections = [Section(id=one, title="", body=Markup("")) for one in ids]

    with pytest.raises(ValueError, match="each section has an id of its own"):
        to_html(Page(kind="k", title="t", sections=sections))


def test_the_script_is_small():
    assert len(SCRIPT.encode()) <= 13 * 1024


def tokens():
    """The colours of each token, light and dark."""
    found = re.findall(r"--([\w-]+): light-dark\(#(\w{6}), #(\w{6})\)", STYLE)
    return {name: [rgb(light), rgb(dark)] for name, light, dark in found}


def rgb(code):
    return [int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)]


def luminance(colour):
    """As WCAG 2.2 has it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mixed(colour, share, other):
    return [share * a + (1 - share) * b for a, b in zip(colour, other, strict=True)]


def test_contrast_is_known_where_it_is_known():
    assert contrast(rgb("000000"), rgb("ffffff")) == pytest.approx(21)
    assert contrast(rgb("777777"), rgb("ffffff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("ground", ["paper", "panel"])
@pytest.mark.parametrize("text", ["ink", "soft", "link", "good", "note", "warning", "bad"])
def test_texts_can_be_read(text, ground, theme):
    colours = tokens()

    assert contrast(colours[text][theme], colours[ground][theme]) >= 4.5  # WCAG AA


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("mark", ["control", *(f"mark-{i}" for i in range(1, 7))])
def test_marks_and_controls_can_be_seen(mark, theme):
    colours = tokens()

    assert contrast(colours[mark][theme], colours["paper"][theme]) >= 3  # WCAG AA


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("mark", ["mark-1", "mark-2"])
def test_numbers_on_shades_of_a_heat_map_can_be_read(mark, theme):
    colours = tokens()
    shares = [int(share) for share in re.findall(rf"--{mark}\) (\d+)%", STYLE)]

    assert len(shares) == 5
    for share in shares:
        shade = mixed(colours[mark][theme], share / 100, colours["paper"][theme])
        assert contrast(colours["ink"][theme], shade) >= 4.5
