"""What is answered, and by whom. The OpenAPI document is made of it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from graders.server import files, gradings, rewards
from graders.server.evals import evals, runs
from graders.server.jobs import jobs
from graders.server.openapi import Operation, document
from graders.server.transport.answers import answer, answer_encoded
from graders.strict_json import encode

if TYPE_CHECKING:  # starlette is an extra
    from starlette.requests import Request
    from starlette.responses import Response


async def health(_: Request) -> Response:
    """`GET /health`: whether the server answers."""
    return answer({"status": "ok"})


async def described(_: Request) -> Response:
    """`GET /openapi.json`: all that is answered, for people's tools."""
    return answer_encoded(_document())


@cache
def _document() -> bytes:
    return encode(document(ROUTES))


_RUNS: Final = "/v1/evals/{eval}/runs"
_JOBS: Final = "/v1/fine_tuning/jobs"
_PAGE: Final = ("after", "limit", "order")

# fmt: off
ROUTES: Final = (
    Operation("POST", "/v1/fine_tuning/alpha/graders/run", gradings.run,
              "Grade one sample", "RunRequest", "RunAnswer"),
    Operation("POST", "/v1/fine_tuning/alpha/graders/validate", gradings.validate_grader,
              "Check a grader, and fill in its name", "GraderRequest", "GraderAnswer"),
    Operation("POST", "/grade", gradings.grade_batch,
              "Grade rows, as if they were a file's lines", "BatchRequest", "BatchAnswer"),
    Operation("POST", "/endpoint/{name}", gradings.score,
              "Score a sample, as an endpoint grader asks for it", "EndpointRequest", "Score"),
    Operation("POST", "/get_reward", rewards.get_reward,
              "Reward sampled sequences, as OpenRLHF asks for it", "RewardRequest",
              "RewardAnswer", ("grader",)),
    Operation("POST", "/v1/files", files.create,
              "Keep a file", "FileUpload", "Object"),
    Operation("GET", "/v1/files", files.list_all,
              "The files that are kept", None, "List", ("purpose", *_PAGE)),
    Operation("GET", "/v1/files/{file}", files.retrieve,
              "What is known of a file", None, "Object"),
    Operation("DELETE", "/v1/files/{file}", files.delete,
              "Keep a file no longer", None, "Deleted"),
    Operation("GET", "/v1/files/{file}/content", files.content,
              "The bytes of a file"),
    Operation("POST", "/v1/evals", evals.create,
              "Make an eval", "EvalRequest", "Object", status=201),
    Operation("GET", "/v1/evals", evals.list_all,
              "The evals that are kept", None, "List", (*_PAGE, "order_by")),
    Operation("GET", "/v1/evals/{eval}", evals.retrieve,
              "An eval", None, "Object"),
    Operation("POST", "/v1/evals/{eval}", evals.update,
              "Give an eval another name or other metadata", "LabelRequest", "Object"),
    Operation("DELETE", "/v1/evals/{eval}", evals.delete,
              "Keep an eval no longer", None, "Deleted"),
    Operation("POST", _RUNS, runs.create,
              "Run an eval over rows", "EvalRunRequest", "Object", status=201),
    Operation("GET", _RUNS, runs.list_all,
              "The runs of an eval", None, "List", (*_PAGE, "status")),
    Operation("GET", f"{_RUNS}/{{run}}", runs.retrieve,
              "A run, with what came of its rows in numbers", None, "Object"),
    Operation("POST", f"{_RUNS}/{{run}}", runs.cancel,
              "End a run, as SDKs before 3 ask for it", None, "Object"),
    Operation("DELETE", f"{_RUNS}/{{run}}", runs.delete,
              "Keep a run no longer", None, "Deleted"),
    Operation("POST", f"{_RUNS}/{{run}}/cancel", runs.cancel,
              "End a run", None, "Object"),
    Operation("GET", f"{_RUNS}/{{run}}/output_items", runs.list_items,
              "What came of each row", None, "List", (*_PAGE, "status")),
    Operation("GET", f"{_RUNS}/{{run}}/output_items/{{item}}", runs.retrieve_item,
              "What came of a row", None, "Object"),
    Operation("POST", _JOBS, jobs.create,
              "Lint and plan a job; nothing is trained", "JobRequest", "Object"),
    Operation("GET", _JOBS, jobs.list_all,
              "The jobs that are kept", None, "List", _PAGE),
    Operation("GET", f"{_JOBS}/{{job}}", jobs.retrieve,
              "A job, and how far its dry run is", None, "Object"),
    Operation("POST", f"{_JOBS}/{{job}}/cancel", jobs.cancel,
              "End a dry run", None, "Object"),
    Operation("POST", f"{_JOBS}/{{job}}/pause", jobs.pause_or_resume,
              "Refused: a dry run has no training to pause", None, "Object"),
    Operation("POST", f"{_JOBS}/{{job}}/resume", jobs.pause_or_resume,
              "Refused: a dry run has no training to resume", None, "Object"),
    Operation("GET", f"{_JOBS}/{{job}}/events", jobs.list_events,
              "What a dry run found", None, "List", _PAGE),
    Operation("GET", f"{_JOBS}/{{job}}/checkpoints", jobs.checkpoints,
              "None, as nothing is trained", None, "List", _PAGE),
    Operation("GET", "/health", health,
              "Whether the server answers", None, "Health"),
    Operation("GET", "/openapi.json", described,
              "This document", None, "AnyObject"),
)
# fmt: on
"""Method, path, who answers, what for, the schemas of body and answer, and the query's names."""
