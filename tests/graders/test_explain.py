"""`graders explain`: one grading on one screen, and the same as data."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import EXACT, JUDGE, LABEL, REMOTE, USAGE

from graders.clients import ModelReply, ScriptedClient
from graders.compile import Tools
from graders.config.parse import read_config
from graders.errors import FailureKind, GradingError
from graders.profile import OPENAI
from graders.report.explained import explain_row
from graders.report.explained_json import to_json
from graders.report.explained_lines import to_lines
from graders.rows import Row, to_sample
from graders.terminal import columns
from metrics import METRICS

texts = st.text(max_size=2_000) | st.text(alphabet="a \n\t\x1b\u0301漢", max_size=300)
SIMILAR = {
    "type": "text_similarity",
    "name": "similar",
    "evaluation_metric": "rouge_l",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
}
BOTH = {
    "type": "multi",
    "name": "both",
    "graders": {"exact": EXACT, "similar": SIMILAR, "spare": EXACT},
    "calculate_output": "0.6 * exact + 0.4 * similar",
    "pass_threshold": 0.2,
}
EVAL = {
    "name": "eval",
    "data_source_config": {"type": "custom", "item_schema": {}},
    "testing_criteria": [EXACT, {**SIMILAR, "pass_threshold": 0.5}],
}


class Endpoint:
    """An endpoint that answers with what it was sent, credentials included."""

    async def post(self, url, headers, body, *, per_second=None):
        del per_second
        if body["item"].get("down"):
            raise GradingError(FailureKind.ENDPOINT_SERVER, "it is down", "unreachable")
        return {
            "score": 0.5,
            "heard": [url, headers["authorization"], body["sample"]["output_text"]],
        }


def explained(config, item, output, *, answer=None, profile=OPENAI):
    """A grading explained, its judge answering as told."""
    client = ScriptedClient(lambda _: answer)
    tools = Tools(client=client, endpoint=Endpoint())
    row = Row(item=item, sample=to_sample(output), row=3, sample_index=1)
    return asyncio.run(explain_row(read_config(config), row, tools, profile))


def screen(*arguments, full=False, **settings):
    """The lines on the screen; none is wider than it."""
    lines = list(to_lines(explained(*arguments, **settings), full=full))

    assert max(map(columns, lines)) <= 80
    assert all(line.isprintable() for line in lines)
    return "\n".join(lines)


def reply(result, **more):
    return ModelReply(text=json.dumps({"steps": [], "result": result}), **more)


# --- each kind of grader


@pytest.mark.parametrize(
    ("config", "item", "output", "answer", "shown"),
    [
        pytest.param(
            EXACT,
            {"a": "x "},
            "x",
            None,
            [
                "row         3, sample 1",
                "grader      exact, string_check",
                "  score       0, not passed",
                "  operation   eq",
                "  input       template {{ sample.output_text }}\n              x",
                '  reference   template {{ item.a }}\n              "x "',
                "hosted      reward 0.0, no errors",
                "signature   string_check|op:eq",
                "profile     openai",
            ],
            id="string_check",
        ),
        pytest.param(
            SIMILAR,
            {"a": "the cat ran"},
            "the cat sat",
            None,
            [
                "  score       0.6666666666666666\n",
                "  metric      rouge_l|",
                "  tokens      3 of the input: the | cat | sat",
                "              3 of the reference: the | cat | ran",
                "  in order    2 tokens of both: the | cat",
            ],
            id="text_similarity",
        ),
        pytest.param(
            {**SIMILAR, "references": "item.all"},
            {"a": "", "all": ["dog", "the cat"]},
            "the cat",
            None,
            [
                "  references  template item.all\n              the cat",
                "note        best reference: 1",
            ],
            id="several references",
        ),
        pytest.param(
            BOTH,
            {"a": "x y"},
            "x z",
            None,
            [
                "  score       0.2, passed",
                "  formula     0.6 * exact + 0.4 * similar",
                "              0.6 * 0 + 0.4 * 0.5",
                "              0.4 * 0.5 = 0.2",
                "              0 + 0.2 = 0.2",
                "              without spare",
                "  grader      similar, text_similarity\n    score       0.5",
                'sub_rewards {"exact": 0.0, "similar": 0.5, "spare": 0.0}',
            ],
            id="multi",
        ),
        pytest.param(
            EVAL,
            {"a": "x"},
            "x",
            None,
            [
                "grader      eval, an Evals body\n  score       1, passed",
                "  grader      similar, text_similarity\n    score       1, passed",
                "hosted      a run request holds one grader, and no Evals body",
            ],
            id="evals body",
        ),
        pytest.param(
            {**JUDGE, "sampling_params": {"seed": 7}},
            {},
            "an answer",
            reply(4, model="gpt-4o-there", usage=USAGE),
            [
                "  score       1\n",
                "  asked       gpt-4o, seed 7",
                "  user        Rate an answer",
                '  answer      {"steps": [], "result": 4}',
                "  answered by gpt-4o-there",
                "  tokens      80 asked, 20 answered",
                "  note        clamped from: 4",
            ],
            id="score_model",
        ),
        pytest.param(
            {**LABEL, "repeats": 2},
            {},
            "an answer",
            reply("a"),
            [
                "  score       1, passed",
                "  asked       o3, repeat 1\n  user        Rate an answer",
                '  asked       o3, repeat 2\n  answer      {"steps": [], "result": "a"}',
                "  note        aggregate: majority",
            ],
            id="label_model",
        ),
        pytest.param(
            JUDGE,
            {},
            "x",
            ModelReply(refusal="no, thanks"),
            [
                "  failed      model_grader_refusal_error: the judge refused: no, thanks",
                "  refused     no, thanks",
                "hosted      reward 0.0, model_grader_refusal_error",
            ],
            id="a judge that refuses",
        ),
        pytest.param(
            {**JUDGE, "input": [{"role": "user", "content": "{{ item.q }}"}]},
            {},
            "x",
            None,
            [
                "  message     template {{ item.q }}",
                "              invalid_variable_error: {{ item.q }}",
            ],
            id="a judge that was not asked",
        ),
        pytest.param(
            {**REMOTE, "url": "http://u:pw@a/g?k=secret", "headers": {"authorization": "tok-123"}},
            {},
            "x",
            None,
            [
                "  score       0.5",
                "  posted to   http://***@a/g?***",
                '  answer      {"score":0.5,"heard":["http://***@a/g?***","***","x"]}',
            ],
            id="endpoint",
        ),
        pytest.param(
            {**REMOTE, "headers": {"authorization": "t"}},
            {"down": True},
            "x",
            None,
            [
                "  failed      endpoint_grader_server_error (unreachable): it is down",
                "  no answer   endpoint_grader_server_error (unreachable): it is down",
            ],
            id="an endpoint that is down",
        ),
        pytest.param(
            {**BOTH, "calculate_output": "exact / similar"},
            {"a": "x"},
            "y",
            None,
            [
                "              0 / 0: division by zero",
                "  failed      formula_parse_error (division_by_zero)",
            ],
            id="a formula without a value",
        ),
        pytest.param(
            BOTH,
            {},
            "y",
            None,
            ["              not computed, because a member failed"],
            id="a member that failed",
        ),
    ],
)
def test_what_is_on_the_screen(config, item, output, answer, shown):
    """What the judgement rests on, for each kind of grader."""
    text = screen(config, item, output, answer=answer)

    assert [line for line in shown if line not in text] == []


def test_a_failed_member_may_count_as_zero():
    """Then the formula is computed, and shows the zero."""
    text = screen(BOTH, {}, "y", profile=OPENAI.override({"member_failure": "zero"}))

    assert "0.6 * 0 + 0.4 * 0\n" in text


@pytest.mark.parametrize("name", sorted(METRICS))
def test_every_metric_says_where_its_score_comes_from(name):
    """Its signature stands there, and what it compared, where it compares more than two texts."""
    config = {**SIMILAR, "evaluation_metric": name}
    text = screen(config, {"a": "the cats sat on the mat"}, "a cat sat on the mat")

    assert f"  metric      {name}|" in text
    assert ("tokens" in text) == (name not in {"cosine", "fuzzy_match"})
    edits = "edits       5 characters to insert or delete, of 43 in both texts\n"
    assert (edits in text) == (name == "fuzzy_match")


# --- hostile and long


def test_hostile_text_stays_text():
    """Nothing of a row, a config, a judge or a program reaches the terminal as a command."""
    evil = "\x1b[2J\r\x07\u202eevil\x9b31m"
    config = {**JUDGE, "name": evil, "model": evil}
    text = screen(config, {evil: evil}, evil, answer=reply(evil, model=evil))

    assert not set(evil) - set("[2Jevil31m") & set(text)
    assert "\\x1b[2J\\r\\x07\\u202eevil\\x9b31m" in text


@given(output=texts, reference=texts, full=st.booleans())
def test_any_text_fits_the_screen(output, reference, full):
    """No line is wider than 80 columns, and none holds what a terminal would obey."""
    screen(BOTH, {"a": reference, output: reference}, output, full=full)


def test_long_texts_are_cut_with_their_length():
    """A screen stays one, and --full has all."""
    config = {**BOTH, "calculate_output": "exact" + " + 1" * 99}
    long = "word " * 10_000
    cut, full = (screen(config, {"a": "x"}, long, full=full) for full in (False, True))

    assert "... (50,000 characters; --full shows all)" in cut
    assert "... (99 steps; --full shows all)" in cut
    assert len(cut.splitlines()) < 120
    assert "--full" not in full
    assert full.count("word") > 10_000
    assert "98 + 1 = 99" in full


# --- as data


@pytest.mark.parametrize("config", [EXACT, SIMILAR, BOTH, EVAL, JUDGE, {**LABEL, "repeats": 2}])
def test_as_json_it_survives_the_way(config):
    """All of it is plain data, whatever the texts hold; nothing is cut."""
    output = "\ud800 \x1b " + "long " * 1_000
    data = to_json(explained(config, {"a": "\udfff"}, output, answer=reply("a")))

    again = json.loads(json.dumps(data))
    assert again["sample"]["output_text"] == output
    assert again["signature"] == data["signature"]
    assert again == json.loads(json.dumps(again))


def test_the_data_have_what_the_screen_has():
    """The formula, the metric's explanation, and each member under its key."""
    data = to_json(explained(BOTH, {"a": "x y"}, "x z"))

    grader = data["grader"]
    assert grader["type"] == "multi"
    assert grader["formula"]["filled"] == "0.6 * 0 + 0.4 * 0.5"
    assert list(grader["members"]) == ["exact", "similar", "spare"]
    assert grader["members"]["similar"]["metric"]["lcs"] == [(0, 0)]
    assert grader["members"]["exact"]["rendered"][1]["text"] == "x y"
    assert data["hosted"]["reward"] == 0.2
