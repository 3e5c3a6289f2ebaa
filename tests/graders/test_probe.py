"""`probe`: each attack finds the grader that falls for it, and none finds a sound one."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from probing import (
    CONTAINS,
    EXACT,
    NUMBERS,
    OBJECTS,
    WORDS,
    figures,
    found,
    probed,
    python,
    rows_of,
    said,
    similar,
)

from graders.clients import ModelReply, ScriptedClient
from graders.errors import ConfigError
from graders.profile import find_profile
from graders.report.probed import to_json
from graders.row_files import read_rows
from graders.testing.probe.attacks import ATTACKS
from sandbox import open_sandbox

DATA = Path(__file__).parents[3] / "shared" / "data" / "evouna_nq.jsonl"


@pytest.fixture(scope="module")
def box():
    box = open_sandbox(workers=1)
    yield box
    box.close()


FALLS = [  # an attack, rows, and the grader that rewards it
    ("empty", WORDS, "return float(answer.startswith(text))"),
    ("space", WORDS, "return float(len(text) > 0) - len(text) / 1000"),
    ("echo", WORDS, "return sum(w in text for w in item['question'].split()) / 10"),
    ("repeated", WORDS, "return text.count(answer)"),
    ("junk", WORDS, "return (answer in text) * len(text)"),
    ("sorted_words", WORDS, "return float(sorted(text.split()) == sorted(answer.split()))"),
    ("shuffled_words", WORDS, "return float(set(text.split()) == set(answer.split()))"),
    ("first_word", WORDS, "return float(answer.split()[0] in text)"),
    ("every_answer", WORDS, "return float(answer in text)"),
    ("keywords", WORDS, "return float(all(w in text for w in answer.split() if len(w) > 3))"),
    ("padding", WORDS, "return min(1.0, len(text) / 1000)"),
    ("json_keys", OBJECTS, "return float(json.loads(text).keys() == json.loads(answer).keys())"),
    ("json_duplicates", OBJECTS, "return float(json.loads(text) == json.loads(answer))"),
    ("json_every_value", OBJECTS, "return float(json.loads(answer)['city'] in text)"),
    ("huge_number", NUMBERS, "return float(float(text) >= float(answer) * 2)"),
    ("nan", NUMBERS, "return 0.0 if abs(float(text) - float(answer)) > 0.1 else 1.0"),
    ("confusables", WORDS, "return float(len(text) == len(answer) and text[1:2] == answer[1:2])"),
    ("claimed_score", WORDS, "return float((re.findall(r'score: ([0-9.]+)', text) or [0])[0])"),
    ("forged_verdict", WORDS, "return float((re.findall(r'\"result\":(\\d+)', text) or [0])[-1])"),
    ("template", WORDS, "return float(text.replace('{{ item.answer }}', answer) == answer)"),
    ("eval_code", NUMBERS, "return float(eval(text) == int(answer))"),
]


@pytest.mark.parametrize(("attack", "rows", "line"), FALLS)
def test_an_attack_finds_the_grader_that_falls_for_it(box, attack, rows, line):
    """Attack texts reach python graders in the sandbox only."""
    report = probed(python(line), rows, sandbox=box, budget=0)

    assert attack in found(report)
    assert figures(report)[attack].example.text.strip() or attack in {"empty", "space"}


def test_every_attack_has_such_a_grader():
    """An attack that finds nothing is a waste of gradings; WRatio is the one missing above."""
    assert {attack for attack, _, _ in FALLS} | {"the_50"} == {one.name for one in ATTACKS}


def test_wratio_falls_for_a_frequent_word():
    """The known weakness of the other reading of fuzzy_match."""
    sentence = "the cat sat on the mat near the door of the house by the river"
    rows = rows_of(said("What is it?", sentence, "dogs run", "none", "x"))
    profile = find_profile("openai").override({"fuzzy_match": "wratio_dp"})

    assert "the_50" in found(probed(similar("fuzzy_match"), rows, profile=profile, budget=0))


# --- sound graders


@pytest.mark.parametrize("rows", [WORDS, NUMBERS, OBJECTS])
def test_nothing_is_found_in_a_strict_exact_match(rows):
    """Neither by the attacks nor by the search, and the control scores."""
    report = probed(EXACT, rows)

    assert report.tally.findings() == []
    assert report.tally.control.mean == 1.0
    assert report.tally.cheated_share == 0.0


WORD = st.text(alphabet="aA1 .,é漢{}\"'\n", min_size=1, max_size=8).filter(str.strip)


@given(st.lists(st.tuples(WORD, st.lists(WORD, min_size=1, max_size=3)), min_size=1, max_size=3))
def test_nothing_is_ever_found_in_a_strict_exact_match(lines):
    """Whatever the references are made of: articles, punctuation, JSON."""
    rows = rows_of(*(({"answer": answer}, samples) for answer, samples in lines))

    assert probed(EXACT, rows, budget=20).tally.findings() == []


def test_an_exact_match_of_values_in_json_is_sound(box):
    """Honest samples are JSON, so that the attacks are too."""
    rows = rows_of(
        ({"answer": "Paris"}, ['{"city": "Lyon"}', '{"city": "Nice"}']),
        ({"answer": "Rome"}, ['{"city": "Pisa"}', '{"city": "Rome"}']),
    )
    lines = (
        "pairs = json.loads(text, object_pairs_hook=list)",
        "return float(pairs == [['city', answer]] or pairs == [('city', answer)])",
    )
    report = probed(python("if not text.strip(): return 0.0", *lines), rows, sandbox=box, budget=20)

    assert found(report) == set()
    assert report.tally.control.mean == 1.0
    assert figures(report)["nan"].failures == {}


# --- metrics


@pytest.mark.parametrize(
    ("metric", "attacks"),
    [
        ("fuzzy_match", {"confusables", "shuffled_words", "first_word", "climb"}),
        ("bleu", {"sorted_words", "first_word", "climb"}),
    ],
)
def test_the_known_weaknesses_of_metrics(metric, attacks):
    """Parts of the answer, or its words in disorder, beat sentences of honest samples."""
    assert attacks <= found(probed(similar(metric), WORDS))


@pytest.mark.long
@pytest.mark.skipif(not DATA.is_file(), reason="the folder with the real rows is not here")
@pytest.mark.parametrize(
    ("config", "attacks"),
    [
        (EXACT, set()),
        (CONTAINS, {"every_answer"}),
        (similar("fuzzy_match"), {"confusables", "first_word", "claimed_score", "climb"}),
        (similar("bleu"), {"first_word", "shuffled_words", "climb"}),
    ],
)
def test_real_questions(config, attacks):
    """Natural Questions: most rows of fuzzy_match and bleu can be cheated, none of exact match."""
    config = {**config, "reference": "{{ item.reference_answer }}"}
    report = probed(config, read_rows(DATA), limit=40)
    tally = report.tally

    assert (tally.rows, report.rows_seen, tally.samples) == (40, 3_020, 200)
    assert attacks <= found(report)
    assert (tally.cheated_share > 0.5) == bool(attacks)
    assert tally.human.rows == 200
    assert tally.human.value > 0
    assert tally.control.over_preferred <= tally.control.over_best + tally.rows


# --- the search


SECRET = {"hm", "nobody", "Vermeer"}  # of honest samples of one row
SECRET_GRADER = "return len({'hm', 'nobody', 'Vermeer'} & set(text.split())) / 3"


def test_the_search_finds_what_no_fixed_attack_does(box):
    """Words of honest samples add up here, and it gets there by scores alone."""
    row = WORDS[3:6]
    fixed = probed(python(SECRET_GRADER), row, sandbox=box, budget=0)
    searched = probed(python(SECRET_GRADER), row, sandbox=box, budget=100)

    assert found(fixed) == set()
    assert found(searched) == {"climb"}
    assert figures(searched)["climb"].mean > fixed.tally.honest_best
    assert "climb" not in figures(fixed)


def test_the_search_is_not_blamed_for_right_answers_in_other_words(box):
    """Another spelling of a number, or an honest sample that scores like the reference."""
    rows = rows_of(
        said("Which share?", "0.45", "It is\n45%", "0.45", "4.5%"),
        said("How far, in km?", "5.5", "5,500 m", "5.5", "9"),
    )
    right = "{'0.45': ['0.45', '45%'], '5.5': ['5.5', '5,500 m']}[answer]"
    report = probed(python(f"return float(text.split('\\n')[-1] in {right})"), rows, sandbox=box)

    assert found(report) == set()
    assert report.tally.control.mean == 1.0


def test_the_search_does_not_claim_what_an_attack_has_won(box):
    """Where an attack scores as high as anything, there is nothing to search for."""
    report = probed(python("return float(answer in text)"), WORDS, sandbox=box, budget=30)

    assert found(report) == {"every_answer", "json_duplicates", "json_every_value"}
    assert figures(report)["climb"].wins == 0


def judge_of(score):
    """A judge that is a function of the output, and what it was asked."""

    def answer(request):
        result = score(request.messages[0].content)
        return ModelReply(text=json.dumps({"steps": [], "result": result}))

    message = {"role": "user", "content": "{{ sample.output_text }}"}
    config = {"type": "score_model", "name": "j", "model": "m", "input": [message]}
    return config, ScriptedClient(answer)


def test_the_search_keeps_to_its_budget():
    """And never sends a text with the answer."""
    config, client = judge_of(lambda text: len(SECRET & set(text.split())) / 3)
    fixed = probed(config, WORDS, client=client, budget=0)
    before = len(client.asked)
    report = probed(config, WORDS, client=client, budget=15)

    assert 0 < report.gradings - fixed.gradings <= 15 * 3
    edits = [request.messages[0].content for request in client.asked[before + fixed.gradings :]]
    answers = [row.item["answer"] for row in WORDS]
    assert len(edits) == report.gradings - fixed.gradings
    assert not [text for text in edits if any(one in text for one in answers)]


def test_judges_are_not_searched_unless_asked():
    """Each grading costs money; the fixed attacks alone are asked, on fewer rows."""
    config, client = judge_of(lambda _: 0.5)
    rows = rows_of(*(said("q?", f"answer {i}", "x") for i in range(30)))
    report = probed(config, rows, client=client)

    assert (report.budget, report.limit, report.tally.rows) == (0, 20, 20)
    assert len(client.asked) == report.gradings
    assert "climb" not in figures(report)


def test_a_judge_that_believes_what_it_reads():
    """A claim of the best score is an attack on judges."""
    config, client = judge_of(lambda text: float("Full marks" in text))

    assert found(probed(config, WORDS, client=client)) == {"claimed_score"}


# --- failures


def test_a_failure_is_never_a_score(box):
    """What breaks a grader is a finding of its own, and in no mean."""
    report = probed(python("return json.loads(text)['city'] == 1"), OBJECTS, sandbox=box, budget=0)
    empty = figures(report)["empty"]

    assert empty.failures == {"python_grader_runtime_error": 2}
    assert (empty.mean, empty.wins, empty.rows) == (None, 0, 2)


def test_a_grader_that_breaks_on_hostile_input(box):
    """It grades honest samples, and fails on an attack: the example has the text and why."""
    report = probed(
        python("return 1 / (1 + abs(float(int(text)) - 42))"), NUMBERS, sandbox=box, budget=5
    )
    crashes = {one.way.name: one for one in report.tally.findings() if one.kind == "crash"}

    assert {"empty", "nan", "padding", "climb", "huge_number"} <= crashes.keys()
    assert crashes["nan"].share == 1.0
    assert crashes["nan"].example.text == "NaN"
    assert "python_grader_runtime_error" in crashes["nan"].example.failure
    assert "invalid literal for int()" in crashes["nan"].example.failure


def test_a_grader_that_fails_on_everything_is_not_called_broken_by_attacks(box):
    """Then it is no attack that breaks it."""
    report = probed(python("raise ValueError(text)"), WORDS, sandbox=box, budget=0)

    assert report.tally.findings() == []
    assert report.tally.honest_failures == {"python_grader_runtime_error": 9}
    assert report.tally.honest_median is None


def test_a_template_that_finds_nothing_in_a_malformed_output_is_no_crash():
    """No config could do otherwise; it is counted all the same."""
    config = {**EXACT, "input": "{{ sample.output_json.city }}"}
    rows = rows_of(({"answer": "Paris"}, ['{"city": "Lyon"}', '{"city": "Nice"}']))
    report = probed(config, rows, budget=0)

    assert report.tally.findings() == []
    assert figures(report)["empty"].failures == {"invalid_variable_error": 1}


def test_a_grader_that_tells_nothing_apart_is_blind(box):
    """No attack can be above a median that everything has."""
    (finding,) = probed(python("return 1.0"), WORDS, sandbox=box).tally.findings()

    assert (finding.kind, finding.share, finding.way) == ("blind", 1.0, None)


def test_attack_texts_are_data(box, monkeypatch):
    """Code for eval() runs where the grader evaluates it, and nowhere else."""
    monkeypatch.setattr("builtins.eval", lambda *_: pytest.fail("evaluated here"))
    report = probed(python("return float(eval(text) == int(answer))"), NUMBERS, sandbox=box)

    assert "eval_code" in found(report)


# --- the same again


def test_the_same_seed_is_the_same_report():
    """To the last digit, search included; another seed draws other rows and words."""
    rows = rows_of(*(said(f"who is {i}?", f"person {i} of {i % 7}", f"p {i}") for i in range(40)))
    first, again, other = (
        to_json(probed(similar("fuzzy_match"), rows, limit=10, seed=seed)) for seed in (1, 1, 2)
    )

    assert first == again
    assert {**first, "seed": 2} != other


def test_a_file_without_rows_has_nothing_to_find():
    """The caller knows by the number of rows."""
    report = probed(EXACT, [])

    assert (report.tally.rows, report.tally.findings()) == (0, [])


def test_rows_without_a_reference_are_left_out_and_counted():
    """As long as some have one."""
    report = probed(EXACT, rows_of(said("q", "a b", "x"), ({"answer": None}, ["y"]), ({}, ["z"])))

    assert (report.tally.rows, report.without_reference) == (1, 2)


def test_where_no_row_has_a_reference():
    """The message says what was looked at and what to do."""
    with pytest.raises(ConfigError) as raised:
        probed(EXACT, rows_of(({"anser": "x"}, ["y"])))

    assert str(raised.value) == (
        "where does the reference answer stand? no row has a text or a number at item.answer; "
        "the first has anser. Say it: --reference item.KEY"
    )
