"""Evals and runs of a server, with anything at all in the place of any of their values."""

import json

import pytest
from eval_runs import CUSTOM, EXACT, JUDGE, ROWS, SIMILAR, GatedJudge, clear, ended, inline, make
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import serving

from graders.compile import Tools
from graders.server.settings import Settings


@pytest.fixture(scope="module")
def server():
    with serving(Settings(tools=Tools(client=GatedJudge()))) as served:
        yield served
        clear(served)


def words(*more):
    return st.sampled_from(["type", "custom", "jsonl", "name", "item", "x", "{{ item.", *more])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | words(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(words(), inside, max_size=4),
    max_leaves=8,
)
PARTS = ("testing_criteria", "data_source_config", "data_source", "name", "metadata", "source")
ANY = st.dictionaries(st.sampled_from(PARTS), JSON, max_size=4)


def merged(good, path, value):
    """A good body with one value of it changed."""
    if not path:
        return value
    inside = good[path[0]]
    copy = list(good) if isinstance(good, list) else dict(good)
    copy[path[0]] = merged(inside, path[1:], value)
    return copy


def post(server, path, body):
    """Send any JSON; null too, which a client takes for no body."""
    headers = {"content-type": "application/json"}
    return server.client.post(path, content=json.dumps(body), headers=headers)


def paths(value, before=()):
    yield before
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from paths(value[key], (*before, key))


GOOD = {
    "data_source_config": CUSTOM,
    "testing_criteria": [EXACT, SIMILAR, JUDGE],
    "name": "n",
    "metadata": {"a": "b"},
}
GOOD_RUN = {"data_source": inline(ROWS), "name": "n", "metadata": {"a": "b"}}


@settings(max_examples=150)
@given(path=st.sampled_from(list(paths(GOOD))), value=JSON | ANY)
def test_no_eval_breaks_the_server(server, path, value):
    response = post(server, "/v1/evals", merged(GOOD, path, value))

    assert response.status_code in {201, 400}, response.text
    if response.status_code == 201:
        server.openai.evals.delete(response.json()["id"])


@pytest.mark.long
@settings(max_examples=150)
@given(path=st.sampled_from(list(paths(GOOD_RUN))), value=JSON | ANY)
def test_no_run_breaks_the_server(server, path, value):
    one = make(server)
    response = post(server, f"/v1/evals/{one.id}/runs", merged(GOOD_RUN, path, value))

    assert response.status_code in {201, 400}, response.text
    if response.status_code == 201:
        run = server.openai.evals.runs.retrieve(response.json()["id"], eval_id=one.id)
        assert ended(server, run).status == "completed"
    server.openai.evals.delete(one.id)
