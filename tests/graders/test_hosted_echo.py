"""What validate gives back of a grader: no credentials, whatever they are called."""

import json

import pytest
from sample_configs import EXACT, JUDGE

from graders import hosted

REMOTE = {
    "type": "endpoint",
    "name": "remote",
    "url": "https://me:secret@x.example/g?key=secret",
    "headers": {"Authorization": "sk-secret"},
}


def multi(members, formula):
    return {"type": "multi", "name": "m", "graders": members, "calculate_output": formula}


@pytest.mark.parametrize("grader", [REMOTE, multi({"r": REMOTE}, "r"), multi([REMOTE], "remote")])
def test_validate_masks_credentials(grader):
    """The grader comes back, its header values and what its URL may carry do not."""
    answer = json.dumps(hosted.validate({"grader": grader}))

    assert "Authorization" in answer
    assert "https://***@x.example/g?***" in answer
    assert "secret" not in answer


@pytest.mark.parametrize(
    "more",
    [
        {"header": {"x": "secret-1"}},
        {"Headers": {"x": "secret-1"}},
        {"api_key": "secret-1"},
        {"apiKey": "secret-1"},
        {"api-key": ["secret-1"]},
        {"Authorization": "Bearer secret-1"},
        {"auth_token": "secret-1"},
        {"base_url": "https://secret-1@x/"},
    ],
)
@pytest.mark.parametrize("grader", [EXACT, JUDGE, REMOTE])
def test_validate_masks_what_no_field_of_ours_reads(grader, more):
    """Misspelt keys and those of other tools are tolerated, and may be credentials all the same."""
    (name,) = more
    for sent in (grader | more, multi({"r": grader | more}, "r"), multi({"r": grader}, "r") | more):
        answer = json.dumps(hosted.validate({"grader": sent}))

        assert name in answer
        assert "secret" not in answer


@pytest.mark.parametrize("key", ["max_tokens", "etest_samples", "tokenizer", "headline"])
def test_validate_leaves_other_keys_as_they_are(key):
    """They come back, as from the service."""
    assert hosted.validate({"grader": {**EXACT, key: "x"}})["grader"] == {**EXACT, key: "x"}
