"""Real rows, end to end: 15,098 answers to real questions, and recorded hosted results."""

import json
from pathlib import Path

import pytest
from rapidfuzz import fuzz
from rouge_score import rouge_scorer

import graders
from graders.cli import main

DATA = Path(__file__).parents[3] / "shared" / "data"
TEXTS = {"input": "{{ sample.output_text }}", "reference": "{{ item.reference_answer }}"}
MULTI = {
    "type": "multi",
    "name": "qa",
    "graders": {
        "contains": {"type": "string_check", "name": "c", "operation": "ilike", **TEXTS},
        "wording": {
            "type": "text_similarity",
            "name": "w",
            "evaluation_metric": "rouge_l",
            **TEXTS,
        },
        "spelling": {
            "type": "text_similarity",
            "name": "s",
            "evaluation_metric": "fuzzy_match",
            **TEXTS,
        },
    },
    "calculate_output": "0.5 * contains + 0.3 * wording + 0.2 * spelling",
}


@pytest.mark.long
@pytest.mark.skipif(not DATA.is_dir(), reason="the folder with the real rows is not here")
def test_every_answer_of_natural_questions_gets_the_libraries_numbers(tmp_path, capsys):
    """`graders run` over the whole file: each member and the reward, as computed by hand."""
    (tmp_path / "grader.json").write_text(json.dumps(MULTI))
    rows, results = DATA / "evouna_nq.jsonl", tmp_path / "results.jsonl"

    code = main(["run", str(tmp_path / "grader.json"), str(rows), "-o", str(results), "--json"])

    assert code == 0
    assert json.loads(capsys.readouterr().out)["samples"] == 15_098
    rouge = rouge_scorer.RougeScorer(["rougeL"])
    lines = rows.read_text("utf-8").rstrip("\n").split("\n")
    expected = [
        (number, i, sample["output_text"], line["item"]["reference_answer"])
        for number, line in enumerate(map(json.loads, lines), start=1)
        for i, sample in enumerate(line["samples"])
    ]
    graded = graders.read_results(results)
    for result, (number, i, text, reference) in zip(graded, expected, strict=True):
        contains = float(reference.lower() in text.lower())
        wording = rouge.score(reference, text)["rougeL"].fmeasure
        spelling = fuzz.ratio(text, reference) / 100
        assert (result.row, result.sample_index) == (number, i)
        assert {key: part.score for key, part in result.parts.items()} == {
            "contains": contains,
            "wording": wording,
            "spelling": spelling,
        }
        assert result.reward == 0.5 * contains + 0.3 * wording + 0.2 * spelling


def similarity(metric, text, reference, **config):
    """The grade of one pair under one metric."""
    grader = {"type": "text_similarity", "name": "n", "evaluation_metric": metric, **config}
    grader |= {"input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"}
    (grade,) = graders.grade(grader, [{"item": {"answer": reference}, "sample": text}])
    return grade


@pytest.mark.parametrize(
    ("text", "reference", "passed"),
    [("Vons", "Vons", True), ("sam's club", "sam's club", False), ("Costco #429", "Costco", False)],
)
def test_recorded_bleu(text, reference, passed):
    """Hosted bleu at threshold 0.8: even an identical text of three tokens does not pass."""
    assert similarity("bleu", text, reference, pass_threshold=0.8).passed is passed


def test_recorded_threshold():
    """In the hosted service a score of exactly the threshold passes, 77 times out of 77."""
    grade = similarity("fuzzy_match", "ab", "ac", pass_threshold=0.5)

    assert (grade.score, grade.passed) == (0.5, True)


def test_recorded_indented_source():
    """A python source indented as a block has reward 0.0 on the hosted service, and says why."""
    grader = {
        "type": "python",
        "name": "n",
        "source": "    def grade(sample, item):\n        return 1",
    }

    answer = graders.hosted.run({"grader": grader, "model_sample": "x", "item": {}})

    assert answer["reward"] == 0.0
    errors = answer["metadata"]["errors"]
    assert errors["python_grader_runtime_error"] is True
    assert "unexpected indent" in errors["python_grader_runtime_error_details"]
