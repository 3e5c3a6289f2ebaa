"""Bodies of fine-tuning jobs that are refused before there is a job, each with its `param`."""

import json

import openai
import pytest
from fine_tuning import (
    GOOD,
    JOBS,
    MODEL,
    ended,
    method,
    upload,
)
from openai.types.fine_tuning import FineTuningJob
from sample_configs import EXACT
from serving import serving


@pytest.fixture(scope="module")
def server():
    with serving() as served:
        yield served


FILE = "a file that is here"
_METHOD = "method.reinforcement.grader"


@pytest.mark.parametrize(
    ("given", "param", "message"),
    [
        ({"model": None}, "model", "model: is missing"),
        ({"model": ""}, "model", "model: is missing"),
        ({"model": 3}, "model", "model: 3 is not a string"),
        ({"training_file": None}, "training_file", "training_file: is missing"),
        ({"training_file": ["f"]}, "training_file", "training_file: a list is not a string"),
        (
            {"training_file": "file-0"},
            "training_file",
            "training_file is 'file-0', and no file on this server has that id",
        ),
        (
            {"validation_file": "file-0"},
            "validation_file",
            "validation_file is 'file-0', and no file on this server has that id",
        ),
        (
            {"method": method({**EXACT, "operation": "equals"})},
            f"{_METHOD}.operation",
            f"{_METHOD}.operation: 'equals' is not one of eq, ne, like, ilike. Did you mean 'eq'?",
        ),
        (
            {"method": method({**EXACT, "input": "{{ item. }}"})},
            f"{_METHOD}.input",
            f"{_METHOD}.input: ",
        ),
        (
            {"method": method(batch_size=0)},
            "method.reinforcement.hyperparameters.batch_size",
            "method.reinforcement.hyperparameters.batch_size: 0 is not 'auto' or an integer from 1",
        ),
        (
            {"method": {"type": "python"}},
            "method.type",
            "method.type: 'python' is not one of supervised, dpo, reinforcement",
        ),
        ({"method": []}, "method", "method: is no fine-tuning method: an object whose type is"),
        (
            {"method": {"type": "reinforcement"}},
            "method.reinforcement",
            "method.reinforcement: is missing",
        ),
        ({"suffix": "x" * 65}, "suffix", "suffix: has 65 characters, and may have 64"),
        ({"seed": -1}, "seed", "seed: -1 is not at least 0"),
        ({"metadata": {"k": 1}}, "metadata.k", "metadata.k: 1 is not a string"),
        (
            {"integrations": [{"type": "mlflow"}]},
            "integrations[0].type",
            "integrations[0].type: 'mlflow' is not one of wandb",
        ),
        (
            {"method": None, "hyperparameters": {"n_epochs": 0}},
            "hyperparameters.n_epochs",
            "hyperparameters.n_epochs: 0 is not 'auto' or an integer from 1 to 50",
        ),
    ],
)
def test_a_wrong_body_is_refused_with_its_param(server, given, param, message):
    """Before there is a job."""
    good = {"model": MODEL, "training_file": upload(server, GOOD), "method": method()}
    body = {key: value for key, value in {**good, **given}.items() if value is not None}
    before = server.client.get(JOBS, params={"limit": 1}).json()["first_id"]

    with pytest.raises(openai.BadRequestError) as caught:
        server.openai.post("/fine_tuning/jobs", body=body, cast_to=object)

    assert caught.value.param == param
    assert caught.value.body["message"].startswith(message)
    assert server.client.get(JOBS, params={"limit": 1}).json()["first_id"] == before


@pytest.mark.parametrize(
    "junk",
    [
        {},
        {"model": {}, "training_file": {}},
        {"model": [[]], "training_file": [None], "method": {"": ""}},
        {"training_file": {"a": 1}, "model": "m", "type": "x"},
        {"model": "m", "training_file": FILE, "type": {"a": []}},
        {"model": "m", "training_file": FILE, "method": {"type": ["dpo"]}},
        {"model": "m", "training_file": FILE, "hyperparameters": "auto"},
        {"model": "m", "training_file": FILE, "metadata": [1], "integrations": 5, "suffix": {}},
        {"model": "m\ud800", "training_file": "\ud800", "seed": 1e300},
        {
            "model": "m",
            "training_file": FILE,
            "method": {"type": "dpo", "dpo": {"grader": {}}, 1: 2},
        },
        {"model": "m", "training_file": FILE, "seed": 10**400},
    ],
)
def test_junk_is_answered_with_an_error_of_its_own(server, junk):
    """Or taken, where it is tolerated; never with a failure of the server."""
    file = upload(server, GOOD)
    body = {key: file if value is FILE else value for key, value in junk.items()}
    headers = {"content-type": "application/json"}
    answer = server.client.post(JOBS, content=json.dumps(body), headers=headers)

    if answer.status_code == 200:
        assert ended(server, FineTuningJob.construct(**answer.json())).status == "failed"
    else:
        assert server.error(answer, 400)["message"]


def test_rows_must_have_been_uploaded_to_be_some(server):
    """A file has one purpose."""
    with pytest.raises(openai.BadRequestError) as caught:
        server.openai.fine_tuning.jobs.create(
            model=MODEL, training_file=upload(server, GOOD, purpose="evals"), method=method()
        )

    assert (caught.value.param, caught.value.code) == ("training_file", "purpose")
    assert "was uploaded with the purpose 'evals', and not 'fine-tune'" in caught.value.message


def test_a_body_that_could_not_be_kept_is_refused(server):
    """A megabyte, of which half would be a source that no service takes."""
    source = {"type": "python", "name": "p", "source": "#" * 1_000_000}
    body = {"model": MODEL, "training_file": upload(server, GOOD), "method": method(source)}
    error = server.error(server.client.post(JOBS, json=body), 413)

    assert error["message"] == "the body has more than the 1,000,000 bytes that it may have"
