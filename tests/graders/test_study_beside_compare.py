"""What `graders study --human` and `graders compare` say of the same scores and people."""

import json
from pathlib import Path

import pytest

CONFIG = {
    "type": "text_similarity",
    "name": "f1",
    "evaluation_metric": "rouge_1",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
}
WORDS = ["it", "is", "the", "city", "of", "Paris", "on", "the", "Seine", "in", "France"]
SCALES = {
    "right or wrong": [0, 1, 1],
    "one to five, mostly good": [5, 4, 5, 4, 1],
    "nearly all at the bottom": [1, 1, 1, 1, 3],
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("labels", SCALES.values(), ids=SCALES)
def test_the_same_labels_are_good_and_agreement_is_the_same(graders, labels):
    """On any scale: from which label on a row is good is decided in one place."""
    rows = [
        {
            "item": {"answer": " ".join(WORDS[: 3 + i % 5]), "number": i},
            "samples": [
                {"output_text": " ".join(WORDS[i % 3 : 2 + j + i % 4]), "human": labels[j + i - 3]}
                for j in range(3)
            ],
        }
        for i, _ in enumerate(labels)
    ]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("grader.json").write_text(json.dumps(CONFIG))
    graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl")
    human = "--human", "sample.human", "--json"

    _, studied, _ = graders("study", "out.jsonl", "--rows", "rows.jsonl", *human)
    compared = graders(
        *("compare", "rows.jsonl", "--reference", "item.answer", "--metrics", "rouge_1", *human)
    )[1]

    found, table = json.loads(studied)["human"], json.loads(compared)
    measures = table["contestants"]["rouge_1"]["measures"]
    assert found["good_from"] == table["labels"]["good_from"]
    assert 0 < found["good"] < found["samples"]
    for measure, there in measures.items():
        assert found[measure]["value"] == pytest.approx(there["value"], abs=1e-12)
