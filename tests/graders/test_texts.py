"""Templates over many rows: what each row by itself gives, or why it has nothing."""

from hypothesis import given
from hypothesis import strategies as st

from graders.errors import GradingError
from graders.rows import ReadRow, Row, to_sample
from graders.template import compile_template
from graders.texts import SharedRows, render_each

TEMPLATES = [
    "{{ sample.output_text }}",
    "{{ item.a }}",
    "{{ item.a }} of {{ sample.output_text }}: {{ item.b.c }}",
    "{{ item.a[0] }}",
    "{{ sample.output_json.a }}",
    "{{ sample.choices[0].message.content }}",
    "plain",
    "",
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=3,
)
items = st.dictionaries(st.sampled_from("abc"), values)
objects = st.dictionaries(st.sampled_from(["output_text", "choices", "model"]), values)
samples = st.text(max_size=3) | st.just('{"a": 1}') | objects


def of_row(template, row):
    try:
        return template.render(row), None
    except GradingError as error:
        return None, error.failure


@given(
    st.lists(st.tuples(items, samples, st.booleans()), max_size=4),
    st.sampled_from(TEMPLATES),
    st.sampled_from(["json", "python"]),
)
def test_together_is_one_by_one(drawn, text, rendering):
    """The same texts and the same failures, whatever the rows hold."""
    template = compile_template(text, rendering)
    rows = [
        ReadRow(item=item, sample=sample)
        if read or isinstance(sample, str)
        else Row(item=item, sample=sample)
        for item, sample, read in drawn
    ]

    texts = render_each(template, rows)

    alone = [of_row(template, row) for row in rows]
    found = [
        (None if i in texts.failures else text, texts.failures.get(i))
        for i, text in enumerate(texts.values)
    ]
    assert found == alone


def test_equal_templates_render_shared_rows_once():
    """The second member gets the texts of the first."""
    rows = SharedRows([Row(item={"a": 1}, sample=to_sample("x"))])

    first = render_each(compile_template("{{ item.a }}"), rows)

    assert render_each(compile_template("{{ item.a }}"), rows) is first
    assert render_each(compile_template("{{ item.a }}", "python"), rows) is not first
