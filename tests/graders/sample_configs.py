"""A correct config of each kind, for tests to use as it is or to spoil."""

EXACT = {
    "type": "string_check",
    "name": "exact",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "operation": "eq",
}
SIMILAR = {
    "type": "text_similarity",
    "name": "similar",
    "input": "a",
    "reference": "b",
    "evaluation_metric": "bleu",
}
PYTHON = {"type": "python", "name": "code", "source": "def grade(sample, item): return 1.0"}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o",
    "input": [{"role": "user", "content": "Rate."}],
}
LABEL = {**JUDGE, "type": "label_model", "labels": ["good", "bad"], "passing_labels": ["good"]}
