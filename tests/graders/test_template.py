"""`{{ item.path }}` templates: what they render, what they refuse, and what stays inert."""

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from graders.errors import FailureKind, GradingError, TemplateError
from graders.rows import Row, to_sample
from graders.template import Slot, Template, compile_template, parse_path

ITEM = {
    "answer": "Paris",
    "answers": ["a", {"text": "b"}, [1, 2]],
    "my key": "spaced",
    "ключ": "unicode",
    "a-b": "dash",
    "0": "zero",
    "nothing": None,
    "yes": True,
    "whole": 3,
    "real": 1.0,
    "huge": 2**70,
    "surrogate": "\ud800",
    "empty": "",
    "no_fields": {},
    "nested": {"é": [None, False, 0.5, "x"]},
    "json": '{"symbols": ["AAPL", {"n": 1}], "inner": "{\\"deep\\": [7]}"}',
    "json_list": " [10, 20]",
    "json_text": '"quoted"',
    "json_number": "5",
    "item": "inside",
    "quote'd": "q",
}
ROW = Row(item=ITEM, sample=to_sample('{"ok": true}'))
BRACKETS = "only a number may stand in brackets, as in item.answers[0]; write item.key for keys"
GOES_ON = "a path goes on with .key or [0], as in item.answer or sample.output_json.steps[0]"
UNCLOSED = "this slot has no closing '}}'"
NO_KEY = "a key is missing after '.'"
pieces = st.sampled_from(["{{", "}}", "{", "}", "item", "sample", ".", "[0]", "[", "]", " ", "\n"])


def render(text, rendering="json", row=ROW):
    return compile_template(text, rendering).render(row)


# --- rendering


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ item.answer }}", "Paris"),
        ("{{item.answer}}", "Paris"),
        ("{{\titem . answer\n}}", "Paris"),
        ("{{ item.answers[0] }}", "a"),
        ("{{ item.answers[ 1 ] . text }}", "b"),
        ("{{ item.answers[2][1] }}", "2"),
        ("{{ item.my key }}", "spaced"),
        ("{{ item.ключ }}", "unicode"),
        ("{{ item.a-b }}", "dash"),
        ("{{ item.0 }}", "zero"),
        ("{{ item.item }}", "inside"),
        ("{{ item.quote'd }}", "q"),
        ("{{ item.empty }}", ""),
        ("{{ item.surrogate }}", "\ud800"),
        ("{{ sample.output_text }}", '{"ok": true}'),
        ("{{ sample.output_json.ok }}", "true"),
        ("{{ sample.choices[0].message.content }}", '{"ok": true}'),
        ("{{ item.json.symbols[0] }}", "AAPL"),  # into a string that holds JSON
        ("{{ item.json.symbols[1].n }}", "1"),
        ("{{ item.json.inner.deep[0] }}", "7"),  # and into one inside that
        ("{{ item.json_list[1] }}", "20"),
        ("{{ item.json }}", ITEM["json"]),  # as it stands where the path ends there
        ("{{ item.nested.é[3] }}", "x"),
        ("Q: {{ item.answer }}, A: {{ sample.output_json.ok }}.", "Q: Paris, A: true."),
        ("{{item.answer}}{{item.answer}}", "ParisParis"),
        ("{{ item.answer }} }}", "Paris }}"),
        ("{{{ item.answer }}}", "{Paris}"),
        ("{{{{ item.answer }}}}", "{{Paris}}"),
        ("{{ items }} {{ item.answer }}", "{{ items }} Paris"),
        ('{"a": "{{ item.answer }}", "b": {}}', '{"a": "Paris", "b": {}}'),
        ("", ""),
    ],
)
def test_slots_are_filled_from_the_row(template, expected):
    """Spaces are optional, paths go through objects, lists and JSON texts, the rest stays."""
    assert render(template) == expected


@pytest.mark.parametrize(
    ("path", "as_json", "as_python"),
    [
        ("item.nothing", "null", "None"),
        ("item.yes", "true", "True"),
        ("item.whole", "3", "3"),
        ("item.real", "1.0", "1.0"),
        ("item.huge", "1180591620717411303424", "1180591620717411303424"),
        ("item.no_fields", "{}", "{}"),
        ("item.answers", '["a",{"text":"b"},[1,2]]', "['a', {'text': 'b'}, [1, 2]]"),
        ("item.nested", '{"é":[null,false,0.5,"x"]}', "{'é': [None, False, 0.5, 'x']}"),
        ("item.answer", "Paris", "Paris"),
    ],
)
def test_values_that_are_not_strings_have_two_renderings(path, as_json, as_python):
    """Nobody can prove which the service uses, so it is a setting; strings are the same in both."""
    assert render(f"{{{{ {path} }}}}", "json") == as_json
    assert render(f"{{{{ {path} }}}}", "python") == as_python


def test_a_namespace_alone_is_the_whole_row():
    """`{{ item }}` is the item as JSON."""
    row = Row(item={"a": [1, "é"]}, sample=to_sample("x"))

    assert render("{{ item }}", row=row) == '{"a":[1,"é"]}'
    assert render("{{item}}", "python", row) == "{'a': [1, 'é']}"
    assert json.loads(render("{{ sample }}", row=row))["output_text"] == "x"


@pytest.mark.parametrize(
    "text",
    [
        "${data.item.query}",
        "no slots",
        "}} stray",
        "{{",
        "{{ }}",
        "{{ items.x }}",
        "{{ item_id }}",
        "{{ itemé }}",
        "{{ sampled }}",
        "{{ Item.a }}",
        "{{ output_text }}",
        '{"a": {}, "b": {"c": {}}}',
        "{ { item.answer } }",
        "{item.answer}",
        "{% item.answer %}",
        "{{- item.answer }}",
        "item.answer }}",
    ],
)
def test_anything_else_is_literal(text):
    """What does not begin a slot of item or sample stays as it is."""
    assert compile_template(text).pieces == (text,)
    assert render(text) == text


# --- refusals


@pytest.mark.parametrize(
    ("template", "problem", "position"),
    [
        ("{{ item.answer", UNCLOSED, 14),
        ("{{ item.answer }", UNCLOSED, 15),
        ("{{ item", UNCLOSED, 7),
        ("{{item.answer}} {{ sample", UNCLOSED, 25),
        ("{{ item['a'] }}", BRACKETS, 7),
        ("{{ item.answers[x] }}", BRACKETS, 15),
        ("{{ item.answers[] }}", BRACKETS, 15),
        ("{{ item.answers[-1] }}", BRACKETS, 15),
        ("{{ item.answers[٣] }}", BRACKETS, 15),
        ("{{ item..a }}", GOES_ON, 7),
        ("{{ item | upper }}", GOES_ON, 8),
        ("{{ item answer }}", GOES_ON, 8),
        ("{{ item-a }}", GOES_ON, 7),
        ("{{ item.answers[0]x }}", GOES_ON, 18),
        ("{{ item.a } {{ item.b }}", GOES_ON, 10),
        ("{{ item. }}", NO_KEY, 9),
        ("{{ item.a. .b }}", NO_KEY, 11),
        ("é {{ item", UNCLOSED, 9),
    ],
)
def test_a_slot_that_does_not_parse_is_refused_at_its_place(template, problem, position):
    """A slot of item or sample is a path, or the config does not compile."""
    with pytest.raises(TemplateError) as caught:
        compile_template(template)

    assert caught.value.problem == problem
    assert caught.value.position == position
    assert str(caught.value) == f"{problem}\n    {template}\n    {' ' * position}^"


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("one\ntwo {{ item[x] }}\nthree", "    two {{ item[x] }}\n               ^"),
        ("{{\titem[x]", "    {{\N{REPLACEMENT CHARACTER}item[x]\n           ^"),
        ("x" * 200 + "{{ item[" + "y" * 200, f"    ... {'x' * 29}{{{{ item[{'y' * 35} ...\n"),
    ],
)
def test_the_caret_is_under_the_character_in_its_line(template, shown):
    """A long template shows the line and the part of it that is wrong."""
    with pytest.raises(TemplateError) as caught:
        compile_template(template)

    assert f"{caught.value}\n".split("\n", 1)[1].startswith(shown)


# --- missing variables


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("item.anwser", "item has no field 'anwser'. Did you mean 'item.answer'?"),
        ("sample.output", "sample has no field 'output'. Did you mean 'sample.output_text'?"),
        ("item.no_fields.x", "item.no_fields has no field 'x'. It is empty."),
        ("item.nested.q", "item.nested has no field 'q'. It has: é."),
        ("item.json.symbol", "item.json has no field 'symbol'. Did you mean 'item.json.symbols'?"),
        ("item.quote'", 'item has no field "quote\'". Did you mean "item.quote\'d"?'),
        ("item.answers[9]", "item.answers has 3 entries, so there is no [9]"),
        ("item.json_list[2]", "item.json_list has 2 entries, so there is no [2]"),
        ("item.answers.x", "item.answers is a list; write item.answers[0] for its first entry"),
        ("item.nothing.x", "item.nothing is null, so there is nothing at item.nothing.x"),
        ("sample.output_json.a.b", "sample.output_json has no field 'a'. It has: ok."),
        ("item.answer.x", "item.answer is text that holds no JSON object or list to look into"),
        ("item.answer[0]", "item.answer is text that holds no JSON object or list to look into"),
        ("item.json_text[0]", "is text that holds no JSON object or list to look into"),
        ("item.json_number.x", "is text that holds no JSON object or list to look into"),
        ("item.whole.x", "item.whole is the value 3, and 'x' does not lead into it"),
        ("item[0]", "item is an object, and 0 does not lead into it"),
        ("item.nested[1]", "item.nested is an object, and 1 does not lead into it"),
    ],
)
def test_a_missing_variable_fails_the_row_and_names_the_nearest_path(path, problem):
    """An absent variable is a failure of its own kind, never an empty string."""
    with pytest.raises(GradingError) as caught:
        render(f"text {{{{{path}}}}}")

    assert caught.value.failure.kind is FailureKind.INVALID_VARIABLE
    assert caught.value.failure.message.startswith(f"{{{{ {path} }}}}: ")
    assert caught.value.failure.message.endswith(problem)


def test_of_many_fields_the_first_twelve_are_named():
    """A wide row does not fill the screen."""
    row = Row(item={f"k{i:02}": i for i in range(40)}, sample={})

    with pytest.raises(GradingError, match=r"It has: k00, .*, k11, \.\.\.\."):
        render("{{ item.zzz }}", row=row)


@pytest.mark.parametrize("item", [{1: "one"}, {None: 1, "x": 2}, {"value": (1, 2)}])
def test_python_values_that_json_lacks_cost_their_row_and_not_the_run(item):
    """Rows made in Python may hold what no file can; the others are graded all the same."""
    with pytest.raises(GradingError, match=r"^\{\{ item\.value\.x \}\}: "):
        render("{{ item.value.x }}", row=Row(item=item, sample={}))


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_output_nested_close_to_the_limit_costs_its_row_at_most(opening):
    """A model must not be able to end a run by answering with many brackets."""
    template = compile_template("{{ sample.output_json }}")
    closing = {"[": "]", '{"a":': "}"}[opening]

    def deeper(levels, row):  # a row may be rendered closer to the end of the stack than read
        return deeper(levels - 1, row) if levels else template.render(row)

    for depth in (100, 500, *range(800, 1001, 5)):
        text = opening * depth + "1" + closing * depth
        row = Row(item={}, sample=to_sample(text))
        for levels in range(0, 60, 5):
            try:
                rendered = deeper(levels, row)
            except GradingError:
                continue
            assert rendered in (text, "null")


# --- inserted text


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        ("{{ item.secret }}", "x"),
        ("{{ item.sec", "ret }}"),  # two slots that together form a third
        ("{{", " item.secret }}"),
        ("{", "{ item.secret }}"),
        (r"\1 \g<0> {0} %s $secret", ""),
    ],
)
def test_inserted_text_is_inert(output, answer):
    """What a model writes is never read as a template, so it cannot reach the reference."""
    row = Row(item={"secret": "SECRET", "answer": answer}, sample=to_sample(output))

    assert render("<{{ sample.output_text }}{{ item.answer }}>", row=row) == f"<{output}{answer}>"


# --- paths by themselves


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("item", Slot("item", ())),
        ("item.answers[0].my key", Slot("item", ("answers", 0, "my key"))),
        ("sample . output_text ", Slot("sample", ("output_text",))),
    ],
)
def test_a_path_can_stand_alone(text, slot):
    """`--group-by item.question` is read as a template would read it."""
    assert parse_path(text) == slot


@pytest.mark.parametrize(
    "text",
    ["", "answer", "items.x", "item.", "item[x]", "item.a }}", "item}} {{", "item.a}} {{item.b"],
)
def test_what_is_no_path_is_refused_and_shown_as_it_was_written(text):
    """A path holds no braces of its own, and the caret stands under what the user wrote."""
    with pytest.raises(TemplateError) as caught:
        parse_path(text)

    assert str(caught.value).split("\n")[1] == f"    {text}"
    assert caught.value.position <= len(text)


@given(st.text())
def test_a_path_prints_as_it_is_read(key):
    """Messages name paths in the form that templates take."""
    key = "".join(c for c in key if c not in ".[]{}").strip()
    assume(key)
    slot = Slot("item", (key, 3, "x"))

    assert parse_path(str(slot)) == slot


# --- laws


@given(st.text())
def test_text_without_an_opening_brace_pair_is_itself(text):
    """Literal text goes through unchanged, whatever it holds."""
    assume("{{" not in text)

    assert render(text) == text


@given(st.lists(pieces, max_size=12).map("".join) | st.text())
@example("{{ item" * 500)
@example("{{" + " " * 5000)
def test_any_text_compiles_or_is_refused(text):
    """There is no third way, and no text takes long."""
    position = 0
    try:
        template = compile_template(text)
    except TemplateError as error:
        position = error.position
    else:
        assert isinstance(template, Template)
        assert all(piece != "" for piece in template.pieces) or text == ""

    assert 0 <= position <= len(text)


@given(st.text(), st.text())
def test_a_slot_renders_to_exactly_the_value(before, value):
    """Text around it and text inside it do not touch each other."""
    assume("{" not in before)
    row = Row(item={"v": value}, sample={})

    assert render(before + "{{item.v}}" + before, row=row) == before + value + before


def test_equal_templates_are_one_object_unless_they_are_very_long():
    """A server would keep a thousand of whatever length it is sent."""
    assert compile_template("a {{ item.b }}") is compile_template("a {{ item.b }}")
    long = "x" * 20_000 + "{{ item.b }}"
    assert compile_template(long) is not compile_template(long)
    assert compile_template(long) == compile_template(long)
    assert compile_template(long, "python").render(Row(item={"b": True}, sample={}, row=1)) == (
        "x" * 20_000 + "True"
    )
