"""What the server answers has the fields and the types of the SDK's response models.

The SDK itself takes whatever comes, so that a client would see a wrong field only when it uses it.
Here every answer of a whole walk is read strictly. Where it differs on purpose, a table says so; a
row of it that no longer holds fails as well.
"""

import asyncio
from collections import defaultdict
from typing import get_args, get_type_hints

import pytest
import sdk_walk
from openai import BaseModel, DefaultHttpxClient, OpenAI, types
from openai.types import evals, fine_tuning
from openai.types.evals import runs
from openai.types.fine_tuning import alpha
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from pydantic import ValidationError
from sdk_asked import ASKED

from graders.server import files
from graders.server.evals import running
from graders.server.evals.items import _STATUSES
from graders.server.jobs import planning, stored

GRADERS, JOBS = "/fine_tuning/alpha/graders", "/fine_tuning/jobs"
RUNS = "/evals/ID/runs"
ITEMS = f"{RUNS}/ID/output_items"
ONE = {  # what is asked, and what the SDK makes of the answer
    f"POST {GRADERS}/run": alpha.GraderRunResponse,
    f"POST {GRADERS}/validate": alpha.GraderValidateResponse,
    "POST /files": types.FileObject,
    "GET /files/ID": types.FileObject,
    "DELETE /files/ID": types.FileDeleted,
    "POST /evals": types.EvalCreateResponse,
    "GET /evals/ID": types.EvalRetrieveResponse,
    "POST /evals/ID": types.EvalUpdateResponse,
    "DELETE /evals/ID": types.EvalDeleteResponse,
    f"POST {RUNS}": evals.RunCreateResponse,
    f"GET {RUNS}/ID": evals.RunRetrieveResponse,
    f"POST {RUNS}/ID/cancel": evals.RunCancelResponse,
    f"DELETE {RUNS}/ID": evals.RunDeleteResponse,
    f"GET {ITEMS}/ID": runs.OutputItemRetrieveResponse,
    f"POST {JOBS}": fine_tuning.FineTuningJob,
    f"GET {JOBS}/ID": fine_tuning.FineTuningJob,
    f"POST {JOBS}/ID/cancel": fine_tuning.FineTuningJob,
}
PAGES = {  # the same of each entry of a list
    "GET /files": types.FileObject,
    "GET /evals": types.EvalListResponse,
    f"GET {RUNS}": evals.RunListResponse,
    f"GET {ITEMS}": runs.OutputItemListResponse,
    f"GET {JOBS}": fine_tuning.FineTuningJob,
    f"GET {JOBS}/ID/events": fine_tuning.FineTuningJobEvent,
    f"GET {JOBS}/ID/checkpoints": FineTuningJobCheckpoint,
}
WORDS = {word for path in (*ONE, *PAGES) for word in path.split()[1].split("/")} | {"content"}
CRITERION_ID = {"testing_criteria.id: more": "what the counts of a run name criteria by"}
NO_ERROR = {"error: model_type": "null in documented answers, where nothing went wrong"}
NO_SAMPLE_ERROR = {"sample.error: model_type": "the same"}
OTHERWISE = {  # SDK type: what we answer that it does not say, and why
    "GraderRunResponse": {
        "metadata.token_usage: int_type": "an object in recorded answers",
        **{
            f"metadata.errors.{key}: more": "recorded"
            for key in (
                "sample_parse_error_details",
                "invalid_variable_error_details",
                "model_grader_refusal_error_details",
                "model_grader_parse_error_details",
                "model_grader_exceeded_max_tokens_error",
                "endpoint_grader_internal_error",
                "endpoint_grader_internal_error_details",
                "endpoint_grader_server_error",
                "endpoint_grader_server_error_details",
                "endpoint_grader_safety_check_error",
            )
        },
    },
    "EvalCreateResponse": CRITERION_ID,
    "EvalRetrieveResponse": CRITERION_ID,
    "EvalUpdateResponse": CRITERION_ID,
    "EvalListResponse": CRITERION_ID,
    "RunCreateResponse": NO_ERROR,
    "RunRetrieveResponse": NO_ERROR,
    "RunCancelResponse": NO_ERROR,
    "RunListResponse": NO_ERROR,
    "OutputItemRetrieveResponse": NO_SAMPLE_ERROR,
    "OutputItemListResponse": NO_SAMPLE_ERROR,
    "FileObject": {"purpose: literal_error": "`evals` may be sent, and comes back"},
    "FineTuningJob": {"user_provided_suffix: more": "in recorded jobs"},
    "GraderValidateResponse": {"grader: union": "a multi holds a map of graders, and there one"},
}


def of_path(path):
    """A path with ID for every id: `/evals/eval_1` is `/evals/ID`."""
    return "/".join(part if part in WORDS else "ID" for part in path.split("/"))


@pytest.fixture(scope="module")
def answers(served_url):
    """Every answer with a status of success, as JSON, by what was asked."""
    received = defaultdict(list)

    def record(response):
        response.read()
        asked = response.request
        path = of_path(asked.url.path.removeprefix("/v1"))
        if response.is_success and not path.endswith("/content"):
            received[f"{asked.method} {path}"].append(response.json())

    with DefaultHttpxClient(event_hooks={"response": [record]}) as http:
        client = OpenAI(base_url=served_url, api_key="anything", http_client=http)
        for part in sdk_walk.PARTS.values():
            asyncio.run(part(client, ASKED))
    return dict(received)


def differences(model, answer):
    """Where an answer has another type than the SDK's model says, or a field that it lacks."""
    wrong = {}
    try:
        model.model_validate(answer, strict=True)
    except ValidationError as error:
        wrong = dict(difference(one) for one in error.errors())
    more = [
        place
        for place in unknown(model.construct(**answer), ())
        if not any(wrong[one] == "union" and place.startswith(f"{one}.") for one in wrong)
    ]
    return {f"{place}: {kind}" for place, kind in wrong.items()} | {f"{one}: more" for one in more}


def difference(error):
    """Its place and kind. One inside a union's members, which are classes, is one of the union."""
    place = [part for part in error["loc"] if isinstance(part, str)]
    members = [i for i, part in enumerate(place) if part[0].isupper()]
    return (shown(place[: members[0]]), "union") if members else (shown(place), error["type"])


def unknown(value, place):
    """The fields that the SDK has no name for; it reads what is inside of unions as well."""
    if isinstance(value, BaseModel):
        known = {field.alias for field in type(value).model_fields.values()}
        extra = (value.model_extra or {}).keys() - known  # where it puts what has an alias, too
        yield from (shown((*place, key)) for key in extra)
        for key in value.model_fields_set - set(value.model_extra or {}):
            yield from unknown(getattr(value, key), (*place, key))
    elif isinstance(value, list):
        for entry in value:
            yield from unknown(entry, place)


def shown(place):
    return ".".join(part for part in place if isinstance(part, str))


def entries(answers, asked):
    """What was answered, one by one, and its type there."""
    if asked in ONE:
        return ONE[asked], answers[asked]
    return PAGES[asked], [entry for page in answers[asked] for entry in page["data"]]


def test_the_walk_asks_for_everything(answers):
    """What is not in the tables would not be looked at."""
    assert set(answers) ^ {*ONE, *PAGES} == set()


@pytest.mark.parametrize("asked", [*ONE, *PAGES])
def test_every_answer_is_what_the_sdk_says(answers, asked):
    """Each field it requires is there, of its type, and no other that the table does not name."""
    assert answers[asked]
    model, given = entries(answers, asked)
    found = {difference for answer in given for difference in differences(model, answer)}

    assert found == set(OTHERWISE.get(model.__name__, ()))


@pytest.mark.parametrize("asked", PAGES)
def test_a_list_has_what_its_pages_are_turned_by(answers, asked):
    """The ids of its ends, where it has entries, and whether there is more."""
    for page in answers[asked]:
        ids = [entry["id"] for entry in page["data"]] or [None]
        assert page["object"] == "list"
        assert (page["first_id"], page["last_id"]) == (ids[0], ids[-1])
        assert type(page["has_more"]) is bool


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (types.FilePurpose, files.PURPOSES),
        (get_type_hints(evals.RunListParams)["status"], get_args(running.Status)),
        (get_type_hints(runs.OutputItemListParams)["status"], _STATUSES),
    ],
)
def test_the_words_of_queries_are_the_sdks(theirs, ours):
    """What it lets a client ask for, the server knows."""
    assert sorted(get_args(theirs)) == sorted(ours)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (fine_tuning.FineTuningJob.model_fields["status"], stored.Status),
        (fine_tuning.FineTuningJobEvent.model_fields["level"], planning.Level),
    ],
)
def test_the_words_of_jobs_are_among_the_sdks(theirs, ours):
    """A walk meets a few of them."""
    assert set(get_args(ours)) - set(get_args(theirs.annotation)) == set()
