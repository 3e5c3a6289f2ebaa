"""Files of jobs: methods, jobs' bodies and jobs as the service shows them, right and wrong."""

import json

import pytest
from sample_configs import EXACT

from graders.errors import ConfigError
from graders.jobs.job import read_job
from graders.profile import OPENAI


def job_of(body):
    return read_job("job.json", json.dumps(body).encode(), OPENAI)


def method(grader=EXACT, **more):
    return {"type": "reinforcement", "reinforcement": {"grader": grader, **more}}


def lines(findings):
    return [f"{finding.severity} {finding.code} {finding}" for finding in findings]


@pytest.mark.parametrize(
    ("body", "kind", "model", "described"),
    [
        ({"type": "supervised"}, "supervised", None, "a supervised method"),
        ({"model": "m", "method": {"type": "dpo"}}, "dpo", "m", "a dpo method"),
        (
            {"grader": EXACT},
            "reinforcement",
            None,
            "a reinforcement method with a string_check grader named 'exact'",
        ),
        (
            {"model": "m", "training_file": "f", "method": method(), "suffix": "s"},
            "reinforcement",
            "m",
            "a reinforcement method with a string_check grader named 'exact'",
        ),
        (
            {"object": "fine_tuning.job", "id": "ftjob-1", "status": "x", "method": method()},
            "reinforcement",
            None,
            "a reinforcement method with a string_check grader named 'exact'",
        ),
        ({"model": "m", "training_file": "f"}, "supervised", "m", "a supervised method"),
    ],
)
def test_a_job_is_read_in_any_of_its_forms(body, kind, model, described):
    """A method, a job's body, a job as the service shows it, a body from before methods."""
    job = job_of(body)

    assert (job.kind, job.model, job.describe()) == (kind, model, described)
    assert job.findings == ()


KNOWN = "is not one of supervised, dpo, reinforcement"
OF_A_GRADER = 'A grader stands in one: {"type": "reinforcement", "reinforcement": {"grader": ...}}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "job.json:1:2: not JSON: Expecting property name enclosed in double quotes"),
        ("[]", "is no fine-tuning method: an object whose type is one of supervised, dpo, reinf"),
        (json.dumps(EXACT), f"type: 'string_check' {KNOWN}. {OF_A_GRADER}"),
        ('{"type": "reinforcment"}', f"type: 'reinforcment' {KNOWN}. Did you mean "),
        ('{"method": {"type": "sft"}}', f"method.type: 'sft' {KNOWN}. {OF_A_GRADER}"),
        ('{"method": null}', "method: is no fine-tuning method: an object whose type is one of"),
        ('{"a": 1, "a": 2}', "job.json: the key 'a' stands twice in one object"),
    ],
)
def test_what_is_no_method_is_unusable(text, message):
    """There is nothing to plan, and it says so."""
    with pytest.raises(ConfigError) as caught:
        read_job("job.json", text.encode(), OPENAI)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (
            {"model": 1, "method": {"type": "dpo"}, "suffix": "x" * 65},
            [
                "error job-body model: 1 is not a string",
                "error job-body suffix: has 65 characters, and may have 64",
            ],
        ),
        (
            {
                "method": {"type": "dpo"},
                "suffix": "x" * 64,
                "seed": 2**31 - 1,
                "metadata": {"x" * 64: "y" * 512},
                "integrations": [{"type": "wandb", "wandb": {"project": "p", "tags": ["t"]}}],
            },
            [],
        ),
        ({"method": {"type": "dpo"}, "suffix": None, "seed": None, "validation_file": None}, []),
        (
            {
                "method": {"type": "dpo"},
                "suffix": 5,
                "seed": 2**31,
                "metadata": {str(n): "" for n in range(17)},
                "integrations": [{"type": "mlflow", "wandb": {}}],
                "validation_file": ["f"],
            },
            [
                "error job-body validation_file: a list is not a string",
                "error job-body suffix: 5 is not a string",
                "error job-body seed: 2147483648 is not at most 2,147,483,647",
                "error job-body metadata: has 17 entries, and must have at most 16",
                "error job-body integrations[0].type: 'mlflow' is not one of wandb",
                "error job-body integrations[0].wandb.project: is missing",
            ],
        ),
        (
            {"method": {"type": "dpo"}, "metadata": {"x" * 65: "", "k": "y" * 513}},
            [
                f"error job-body metadata.{'x' * 65}: has 65 characters, and may have 64",
                "error job-body metadata.k: has 513 characters, and may have 512",
            ],
        ),
        (
            {"training_file": "f", "hyperparameters": {"n_epochs": 0, "batch_size": 8}},
            ["error hyperparameter hyperparameters.n_epochs: 0 is not 'auto' or an integer from"],
        ),
        (
            {"training_file": "f", "hyperparameters": 3},
            ["error wrong-type hyperparameters: 3 is not an object"],
        ),
        ({"method": {"type": "dpo"}, "trainingType": "GlobalStandard"}, []),
        (
            {"method": {"type": "dpo"}, "x\nerror: y": 1},
            ["warning unknown-key [\"x\\nerror: y\"]: 'x\\nerror: y' is not a field of"],
        ),
        (
            {"method": {"type": "dpo"}, "hyperparameters": {"n_epochs": 2}, "sufix": ""},
            [
                "warning deprecated hyperparameters: stand beside the method, where they are "
                "deprecated; those of the method count here. Move them to "
                "method.<type>.hyperparameters.",
                "warning unknown-key sufix: 'sufix' is not a field of a fine-tuning job. Did you "
                "mean 'suffix'?",
            ],
        ),
        (
            {"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 3, "batch_size": 0}}}},
            [
                "error hyperparameter method.dpo.hyperparameters.batch_size: 0 is not 'auto' or "
                "an integer from 1 to 256",
                "error hyperparameter method.dpo.hyperparameters.beta: 3 is not 'auto' or a "
                "number above 0 and at most 2",
            ],
        ),
        (
            {"method": method({**EXACT, "input": "{{ item. }}"})},
            ["error template method.reinforcement.grader.input: "],
        ),
    ],
)
def test_what_is_wrong_in_a_job_is_a_finding(body, messages):
    """All at once, with the path in the file; the rows can still be checked."""
    found = lines(job_of(body).findings)

    assert [one[: len(said)] for one, said in zip(found, messages, strict=True)] == messages


def test_a_number_may_be_an_integer():
    """Of a hyperparameter that need not be one."""
    assert job_of({"type": "dpo", "dpo": {"hyperparameters": {"beta": 1}}}).settings["beta"] == 1


def test_hyperparameters_of_a_body_without_a_method_count():
    """As they did before there were methods; findings about them point there."""
    job = job_of({"training_file": "f", "hyperparameters": {"n_epochs": 2}})

    assert (job.settings["n_epochs"], job.settings["batch_size"]) == (2, "auto")
    assert job.hyperparameters == "hyperparameters"
