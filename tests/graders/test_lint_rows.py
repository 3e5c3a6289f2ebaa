"""A config in sight of its rows: what is counted, where it is pointed at, what it costs."""

import gzip
import json
import tracemalloc

import pytest
from linting import codes, found, linted, said
from sample_configs import EXACT, JUDGE, PYTHON, SIMILAR

from graders.lint import Options, lint
from graders.profile import OPENAI

READS = {**SIMILAR, "input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"}
LONG = "Paris is the capital of France, and has been for long"


def metric(name, **changes):
    return {**READS, "evaluation_metric": name, **changes}


def item(**fields):
    return {"item": {"answer": LONG, **fields}, "sample": "Paris"}


def trained(*messages, **fields):
    listed = [{"role": role, "content": text} for role, text in messages]
    return {"messages": listed, "answer": LONG, **fields}


# --- templates


@pytest.mark.parametrize(
    ("config", "rows", "message"),
    [
        ({**EXACT, "reference": "{{ item.anwser }}"}, [item(), item(anwser=1), item(a=2)],
         "reference: {{ item.anwser }} is missing in 2 of 3 rows (lines 1, 3): item has no field "
         "'anwser'. Did you mean 'item.answer'?"),
        ({**EXACT, "reference": "{{ item.a[2] }}"}, [item(a=[1, 2]), item(a=[1, 2, 3])],
         "reference: {{ item.a[2] }} is missing in 1 of 2 rows (line 1): item.a has 2 entries, so "
         "there is no [2]"),
        ({**EXACT, "reference": "{{ item.a.b }}"}, [item(a=None), item(a='{"b": 1}')],
         "reference: {{ item.a.b }} is missing in 1 of 2 rows (line 1): item.a is null, so there "
         "is nothing at item.a.b"),
        ({**EXACT, "input": "{{ sample.output_tools[0].function.name }}"}, [item()],
         "input: {{ sample.output_tools[0].function.name }} is missing in 1 of 1 row (line 1): "
         "sample.output_tools has 0 entries, so there is no [0]"),
        ({**EXACT, "reference": "{{ item.b }}"}, [item(k=i) for i in range(9)],
         "reference: {{ item.b }} is missing in 9 of 9 rows (lines 1, 2, 3, 4, 5, ...): item has "
         "no field 'b'. It has: answer, k"),
        ({**READS, "references": "item.answers"}, [item()],
         "references: item.answers is missing in 1 of 1 row (line 1): item has no field "
         "'answers'. Did you mean 'item.answer'?"),
        ({**PYTHON, "source": "def grade(sample, item):\n    return item['anwser']"}, [item()],
         "source: line 2: item['anwser'] is missing in 1 of 1 row (line 1): item has no field "
         "'anwser'. Did you mean 'item.answer'?"),
        ({"grader": EXACT}, [{"answr": 1, "output_text": "x"}],
         "grader.reference: {{ item.answer }} is missing in 1 of 1 row (line 1): item has no field "
         "'answer'. Did you mean 'item.answr'?"),
    ],
)  # fmt: skip
def test_a_variable_that_rows_lack_is_counted(tmp_path, config, rows, message):
    """With the first lines that lack it, and the near miss of the first."""
    assert said("missing-variable", tmp_path, config, rows) == [message]


def test_a_missing_key_is_an_error_of_a_template_and_a_warning_of_a_source(tmp_path):
    """A source may catch it."""
    source = "def grade(sample, item):\n    return item['x']"
    severities = [
        finding.severity
        for config in ({**EXACT, "reference": "{{ item.x }}"}, {**PYTHON, "source": source})
        for finding in found(tmp_path, config, [item()])
    ]

    assert severities == ["error", "warning"]


def test_a_variable_is_pointed_at_in_the_config(tmp_path):
    """At the slot, in the template."""
    report = linted(tmp_path, {**EXACT, "reference": "is {{ item.x }}"}, [item()])
    (placed,) = report.findings

    assert placed.source[placed.place.column - 1 :].startswith("item.x }}")


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (['{"city": 1}', "Paris", "null"],
         "input: {{ sample.output_json.city }}: sample.output_json is null in 2 of 3 rows (lines "
         "2, 3), for the answer there is no JSON."),
        (['{"city": 1}', '{"town": 1}'], None),
    ],
)  # fmt: skip
def test_answers_that_are_no_json_are_counted_apart(tmp_path, samples, message):
    """They are no slip in the template."""
    config = {**EXACT, "input": "{{ sample.output_json.city }}"}
    rows = [{"item": {"answer": "x"}, "sample": sample} for sample in samples]
    (text,) = said("output-json-null", tmp_path, config, rows) or [None]

    assert (text or "").startswith(message or "")
    assert ("missing-variable" in codes(tmp_path, config, rows)) == (message is None)


def test_rows_without_answers_lack_no_sample(tmp_path):
    """Prompts to train on have none yet."""
    assert codes(tmp_path, EXACT, [trained(("user", "Where?"))]) == []


def test_several_samples_of_a_row_count_once(tmp_path):
    """Rows are counted, not samples."""
    config = {**EXACT, "input": "{{ sample.output_json.city }}"}
    rows = [{"item": {"answer": "x"}, "samples": ["a", "b", '{"city": 1}']}]
    (message,) = said("output-json-null", tmp_path, config, rows)

    assert "in 1 of 1 row (line 1)" in message


# --- references


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([item(answer=""), item(), item(answer=" \t")],
         "reference: is empty in 2 of 3 rows (lines 1, 3). Every text contains nothing; give these "
         "rows a reference, or leave them out."),
        ([trained(("user", f"{LONG}?")), trained(("user", "Is it?"))],
         "reference: stands in the prompt in 1 of 2 rows (line 1). Take it out, unless it "
         "is one of the choices there, or is to be found there."),
        ([item(question=f"Is it {LONG.upper()}!")],
         "reference: stands in the prompt in 1 of 1 row (line 1). Take it out, unless it "
         "is one of the choices there, or is to be found there."),
        ([trained(("user", [{"type": "text", "text": LONG}]))],
         "reference: stands in the prompt in 1 of 1 row (line 1). Take it out, unless it "
         "is one of the choices there, or is to be found there."),
    ],
)  # fmt: skip
def test_a_reference_that_gives_a_score_away_is_counted(tmp_path, rows, message):
    """Empty, or in what the model is asked."""
    assert [str(finding) for finding in found(tmp_path, EXACT, rows)] == [message]


def test_graders_with_one_reference_say_so_once(tmp_path):
    """Not once for each."""
    graders = {"a": EXACT, "b": READS}
    config = {"type": "multi", "name": "m", "graders": graders, "calculate_output": "(a + b) / 2"}

    assert codes(tmp_path, config, [item(answer="")]) == ["empty-reference"]


@pytest.mark.parametrize("answer", ["yes", "12", "apple juice"])
def test_what_any_prompt_may_have_is_no_leak(tmp_path, answer):
    """Short answers, and words of which the prompt has a part."""
    rows = [trained(("user", "yes or no? 12, say. pineapple juice"), answer=answer)]

    assert codes(tmp_path, EXACT, rows) == []


# --- metrics


@pytest.mark.parametrize(
    ("config", "answers", "code", "text"),
    [
        (metric("bleu"), ["Vons", "sam's club", "a b c", LONG], "identical-text",
         "bleu of the reference with itself is below 1 in 2 of 4 rows (lines 2, 3): 0.58 in the "
         "first."),
        (metric("bleu", pass_threshold=0.8), ["x y"], "identical-text",
         "bleu of the reference with itself is below 1 in 1 of 1 row (line 1): 0.22 in the first, "
         "so that the right answer does not pass (0.8)."),
        (metric("bleu", pass_threshold=0.5), ["a b c", "x y"], "identical-text",
         "bleu of the reference with itself is below 1 in 1 of 2 rows (line 1): 0.58 in the first. "
         "Choose"),
        (metric("meteor"), ["Paris"], "identical-text",
         "meteor of the reference with itself is below 1 in 1 of 1 row (line 1): 0.50 in the "
         "first"),
        (metric("rouge_5"), ["a b c d", "a b c d e"], "dead-metric",
         "rouge_5 of the reference with itself is 0 in 1 of 2 rows (line 1): no answer can score."),
        (metric("rouge_2"), ["Paris"], "dead-metric", "rouge_2 of the reference with itself is 0"),
        (metric("rouge_l"), ["Париж", "Paris"], "lost-tokens",
         "google of rouge_l leaves no token of a text in 1 of 2 rows (line 1), which then scores 0 "
         "whatever it says. Here --set rouge=unicode keeps some; elsewhere fuzzy_match."),
    ],
)  # fmt: skip
def test_a_metric_that_cannot_reward_the_right_answer_is_named(
    tmp_path, config, answers, code, text
):
    """Asked of the metric itself, with the reference for an answer."""
    messages = said(code, tmp_path, config, [item(answer=answer) for answer in answers])

    assert len([m for m in messages if m.startswith(f"evaluation_metric: {text}")]) == 1


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("fuzzy_match", "x"), ("rouge_1", "x"), ("rouge_l", "x"), ("bleu", "Vons"),
        ("bleu", "a b c d"), ("rouge_5", "a b c d e"), ("meteor", "a b"), ("gleu", "a b"),
        ("cosine", "x"), ("fuzzy_match", "Париж"), ("bleu", "Париж"),
    ],
)  # fmt: skip
def test_a_metric_that_can_is_not(tmp_path, name, answer):
    """One word of bleu is 1.0, as on the hosted service."""
    assert codes(tmp_path, metric(name), [item(answer=answer)]) == []


def test_a_sample_may_lose_its_tokens_too(tmp_path):
    """Not the reference alone."""
    row = {"item": {"answer": "Paris"}, "sample": "Париж"}

    assert codes(tmp_path, metric("rouge_l"), [row]) == ["lost-tokens"]


def test_a_setting_that_keeps_tokens_is_heeded(tmp_path):
    """The profile decides what is lost and what a text scores with itself."""
    keeping = OPENAI.override({"rouge": "unicode"})

    assert codes(tmp_path, metric("rouge_l"), [item(answer="Париж")], profile=keeping) == []


def test_the_best_of_several_references_is_what_counts(tmp_path):
    """One long enough is enough."""
    config = {**metric("rouge_2"), "references": "item.answers"}

    assert codes(tmp_path, config, [item(answers=["Paris", "in Paris"])]) == []
    assert codes(tmp_path, config, [item(answers=["Paris", "Lyon"])]) == ["dead-metric"]


# --- rows


@pytest.mark.parametrize(
    ("rows", "target", "message"),
    [
        ([trained(("user", "a"), ("assistant", "b"))], "openai-rft",
         "the last message is from 'assistant' and not from the user, in 1 of 1 row (line 1). End "
         "with what the model is to answer."),
        ([trained(("system", "a"), ("user", "b"))], "azure-rft",
         "a system message, in 1 of 1 row (line 1), which Azure's reinforcement fine-tuning does "
         "not take. Give it the role developer, or put it before the user's words."),
        ([{"answer": LONG}], "openai-rft",
         'no messages, in 1 of 1 row (line 1). Add "messages".'),
        ([{"messages": "hello", "answer": LONG}], "openai-rft",
         "messages is reserved for a list of {role, content}, and is something else in 1 of 1 row "
         "(line 1). Rename the key."),
        ([trained(("user", "a"), tools="hammer")], "openai-rft",
         "tools is reserved for a list of functions, and is something else in 1 of 1 row (line 1). "
         "Rename the key."),
        (["[1]"], "local", "a row is a JSON object, and this is a list, in 1 of 1 row (line 1)"),
        ([item(), "{"], "local",
         "not JSON: Expecting property name enclosed in double quotes, in 1 of 2 rows (line 2)"),
        ([{"item": 5, "sample": "x"}], "local", "item is no object, in 1 of 1 row (line 1)"),
        ([item(), item(n=1), item()], "local",
         "the same line as one before it, in 1 of 3 rows (line 3). Keep one."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_rows_themselves(tmp_path, rows, target, message):
    """Each in its own words, at the first line that has it."""
    report = linted(tmp_path, EXACT, rows, target=target)
    placed = [p for p in report.findings if str(p.finding) == message]

    assert len(placed) == 1, [str(p.finding) for p in report.findings]
    assert placed[0].file == str(tmp_path / "rows.jsonl")
    assert f"line {placed[0].place.line})" in message


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([trained(("user", "a"), ("assistant", "b"))], [("last-message", "warning")]),
        ([trained(("system", "a"), ("user", "b"))], []),
        ([{"messages": "hello", "answer": LONG}], [("reserved-key", "warning")]),
        ([trained(("user", "a"), tools=[])], []),
        ([{"answer": LONG}], []),
    ],
)
def test_where_no_service_is_asked_rows_may_be_as_they_like(tmp_path, rows, expected):
    """What looks like a slip is a warning."""
    assert [(f.code, f.severity) for f in found(tmp_path, EXACT, rows)] == expected


def test_a_row_that_stands_twice_is_found_however_many_are_between(tmp_path):
    """And none that does not."""
    rows = [item(n=n) for n in range(500)]

    assert codes(tmp_path, EXACT, rows) == []
    assert said("duplicate-row", tmp_path, EXACT, [*rows, rows[250]]) == [
        "the same line as one before it, in 1 of 501 rows (line 501). Keep one."
    ]


def test_a_word_of_four_letters_can_leak(tmp_path):
    """Shorter ones stand in any prompt."""
    assert codes(tmp_path, EXACT, [item(question="Is it Oslo?", answer="Oslo")]) == ["leaking-row"]
    assert codes(tmp_path, EXACT, [item(question="Is it Ulm?", answer="Ulm")]) == []


def test_a_threshold_that_the_right_answer_does_not_reach_is_said(tmp_path):
    """Though it is near."""
    config, rows = metric("meteor", pass_threshold=1), [item(answer="one two three four five six")]

    assert codes(tmp_path, metric("meteor"), rows) == []
    assert codes(tmp_path, config, rows) == ["identical-text"]


def test_what_is_wrong_with_the_config_stands_before_the_rows(tmp_path):
    """Among findings as grave."""
    config = {**EXACT, "comment": "x", "zzz": 1}
    files = [p.file for p in linted(tmp_path, config, [item()] * 2).findings]

    assert files == [str(tmp_path / "grader.json")] * 2 + [str(tmp_path / "rows.jsonl")]


def test_rows_of_a_method_without_a_grader_end_with_what_is_learnt(tmp_path):
    """As they should."""
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}

    assert codes(tmp_path, method, [trained(("user", "a"), ("assistant", "b"))]) == []


def test_a_target_takes_so_many_rows(tmp_path):
    """And one more is an error, at the first that is too many."""
    rows = [trained(("user", f"{i}?")) for i in range(1_001)]
    full = linted(tmp_path, EXACT, rows[:-1], target="openai-rft", split="test")
    over = linted(tmp_path, EXACT, rows, target="openai-rft", split="test")

    assert [p.finding.code for p in full.of("error")] == []
    (placed,) = over.of("error")
    assert placed.finding.message == (
        "1,001 rows, and OpenAI's reinforcement fine-tuning takes 1,000 to test"
    )
    assert placed.place == (1_001, 1)
    assert linted(tmp_path, EXACT, rows, target="openai-rft").of("error") == []


def test_an_empty_file_is_an_error(tmp_path):
    """Blank lines are no rows."""
    assert codes(tmp_path, EXACT, ["", " "]) == ["no-rows"]


def test_rows_are_looked_at_beside_a_config_that_does_not_parse(tmp_path):
    """As far as they can be without it."""
    assert codes(tmp_path, {**EXACT, "input": 5}, [item(), item()]) == [
        "wrong-type",
        "duplicate-row",
    ]


def test_a_judge_and_an_evals_body_are_shown_rows_too(tmp_path):
    """Every grader of a document is."""
    asked = [{"role": "user", "content": "Rate {{ item.x }}:\n{{ sample.output_text }}"}]
    config = {"testing_criteria": [EXACT, {**JUDGE, "pass_threshold": 0.5, "input": asked}]}
    (message,) = said("missing-variable", tmp_path, config, [item()])

    assert message.startswith("testing_criteria[1].input[0].content: {{ item.x }} is missing")


def test_a_null_character_takes_no_count(tmp_path):
    """It stands for the count in messages of ours, and in none of a row's."""
    config = {**EXACT, "reference": "{{ item.\0 }}"}
    (message,) = said("missing-variable", tmp_path, config, [{"a\0": 1}])

    assert message.count("in 1 of 1 row") == 1
    assert "\0" not in message


def test_gzipped_rows_are_read(tmp_path):
    """As everywhere."""
    (tmp_path / "g.json").write_text(json.dumps({**EXACT, "reference": "{{ item.x }}"}))
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(item()).encode()))

    assert lint(tmp_path / "g.json", path, Options()).rows == 1


@pytest.mark.long
def test_memory_does_not_grow_with_what_is_wrong(tmp_path):
    """Ten times as many faulty rows take little more than their hashes."""

    def peak(count):
        rows = [json.dumps(item(answer="a b", **{f"k{i}": i})) for i in range(count)]
        config = {**metric("bleu"), "input": "{{ item.nothing }}"}
        (tmp_path / "g.json").write_text(json.dumps(config))
        (tmp_path / "r.jsonl").write_text("\n".join(rows))
        del rows
        tracemalloc.start()
        lint(tmp_path / "g.json", tmp_path / "r.jsonl")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(100)
    assert peak(2_500) - peak(500) < 2_000 * 250
