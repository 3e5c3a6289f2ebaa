"""Any row and any file of a job: checked or refused in words, and no exception beside."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.errors import ConfigError, findings_of
from graders.jobs.bounds import KINDS, TARGETS
from graders.jobs.job import read_job
from graders.jobs.rows import FORMATS
from graders.profile import OPENAI

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
)
KEYS = st.sampled_from(
    [
        *("messages", "role", "content", "weight", "tool_calls", "tool_call_id", "tools"),
        *("input", "preferred_output", "non_preferred_output", "function", "arguments", "type"),
        *("id", "name", "user", "assistant", "x.y"),
    ]
)
VALUES = st.recursive(
    SCALARS | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
@given(row=st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_row_is_checked_without_an_exception(kind, target, row):
    """Whatever stands where, it is right or has problems; what is right has a size."""
    found = list(FORMATS[kind].check(row, target))

    assert all(problem.code and problem.message for problem in found)
    assert FORMATS[kind].size(row).tokens >= 0


JOB_KEYS = st.sampled_from(
    ["type", "method", "supervised", "dpo", "reinforcement", "grader", "hyperparameters", "beta"]
)
JOB_VALUES = st.recursive(
    st.none() | st.integers() | st.sampled_from(["supervised", "dpo", "reinforcement", "auto"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(JOB_KEYS, inner, max_size=5),
    max_leaves=12,
)


@given(body=st.dictionaries(JOB_KEYS, JOB_VALUES, max_size=5))
def test_any_file_is_a_job_or_refused(body):
    """With findings for what is wrong inside of a method, and never another exception."""
    with suppress(ConfigError):
        job = read_job("job.json", json.dumps(body).encode(), OPENAI)
        assert job.document is not None or findings_of("error", job.findings)
