"""What each place where a config may go does not take."""

import pytest
from linting import codes, found
from sample_configs import EXACT, JUDGE, LABEL, PYTHON, SIMILAR

POOL = {**PYTHON, "source": "import multiprocessing\ndef grade(sample, item): return 1.0\n"}


def multi(**members):
    return {"type": "multi", "name": "m", "graders": members, "calculate_output": "a"}


def told(folder, config, target):
    """What is said of a target alone, with how grave it is."""
    return [
        (finding.severity, str(finding))
        for finding in found(folder, config, target=target)
        if finding.code.startswith("target-") and finding.code != "target-ends"
    ]


@pytest.mark.parametrize(
    ("config", "target", "severity", "message"),
    [
        ({**LABEL, "model": "o1-2024-12-17"}, "openai-rft", "warning",
         "type: OpenAI's reinforcement fine-tuning takes no label_model by itself, by its schema; "
         "its guide shows one. Put it into a multi."),
        ({"type": "endpoint", "url": "https://x.example"}, "openai-rft", "error",
         "type: OpenAI's reinforcement fine-tuning takes no endpoint by itself. It takes multi, "
         "python, score_model, string_check, text_similarity."),
        (multi(a=EXACT), "openai-evals", "error",
         "type: OpenAI's Evals takes no multi by itself. It takes label_model, python, "
         "score_model, string_check, text_similarity."),
        ({**SIMILAR, "evaluation_metric": "cosine"}, "azure-rft", "error",
         "evaluation_metric: Azure's reinforcement fine-tuning has no cosine; only Evals have. "
         "Choose another metric, such as fuzzy_match."),
        ({**SIMILAR, "references": "item.all"}, "openai-rft", "warning",
         "references: references is ours, and OpenAI's reinforcement fine-tuning compares with "
         "reference alone. Leave it out."),
        (multi(a={**JUDGE, "model": "gpt-4.1-mini"}), "openai-rft", "warning",
         "graders.a.model: 'gpt-4.1-mini' is no judge that OpenAI's reinforcement fine-tuning is "
         "known to take. Did you mean 'gpt-4.1-mini-2025-04-14'?"),
        (POOL, "azure-rft", "note",
         "source: Azure's reinforcement fine-tuning gives a python grader 1 core. Compute in one "
         "process."),
        ({"type": "supervised", "supervised": {}}, "openai-evals", None, None),
        ({"grader": EXACT, "hyperparameters": {}}, "openai-evals", "error",
         "a fine-tuning method is nothing that OpenAI's Evals takes. Give it the grader as a "
         "testing criterion."),
        ({"testing_criteria": [EXACT]}, "azure-rft", "error",
         "an Evals body is no grader, and Azure's reinforcement fine-tuning takes a grader. Make "
         "each criterion a member of a multi."),
    ],
)  # fmt: skip
def test_what_a_target_does_not_take_is_said(tmp_path, config, target, severity, message):
    """In its name, with what it takes."""
    assert told(tmp_path, config, target) == [(severity, message)] * (message is not None)


@pytest.mark.parametrize(
    ("config", "target"),
    [
        (multi(a={**LABEL, "model": "o1-2024-12-17"}), "openai-rft"),
        (multi(a={"type": "endpoint", "url": "https://x.example"}), "azure-rft"),
        (POOL, "openai-rft"),
        ({**JUDGE, "model": "gpt-4.1-2025-04-14"}, "azure-rft"),
        ({**JUDGE, "model": "o3-mini-2025-01-31"}, "azure-rft"),
        ({**SIMILAR, "evaluation_metric": "cosine", "pass_threshold": 0.5}, "openai-evals"),
        ({**JUDGE, "model": "o1", "pass_threshold": 0.5}, "openai-evals"),
        (LABEL, "openai-evals"),
        ({"testing_criteria": [EXACT, {**SIMILAR, "pass_threshold": 0.5}]}, "openai-evals"),
    ],
)
def test_what_a_target_takes_is_not_said(tmp_path, config, target):
    """Members, families of judges, metrics of Evals."""
    assert told(tmp_path, config, target) == []


@pytest.mark.parametrize(
    ("target", "ends"),
    [("local", False), ("azure-rft", False), ("openai-rft", True), ("openai-evals", True)],
)
def test_a_service_that_ends_says_so(tmp_path, target, ends):
    """As a note."""
    assert ("target-ends" in codes(tmp_path, EXACT, target=target)) is ends
