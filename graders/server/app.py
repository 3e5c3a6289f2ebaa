"""The application: routes, and what stands before them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from graders.errors import ConfigError, Finding, GradersError
from graders.server import eval_runs, evals, files, gradings, jobs
from graders.server.answers import ApiError, answer, error_answer
from graders.server.gate import Gate
from graders.server.settings import Settings
from graders.server.shared import opened
from graders.strict_json import NotJSONError

if TYPE_CHECKING:  # starlette is an extra
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response


async def health(_: Request) -> Response:
    """`GET /health`: whether the server answers."""
    return answer({"status": "ok"})


_RUNS: Final = "/v1/evals/{eval}/runs"

ROUTES = (
    ("POST", "/v1/fine_tuning/alpha/graders/run", gradings.run),
    ("POST", "/v1/fine_tuning/alpha/graders/validate", gradings.validate_grader),
    ("POST", "/grade", gradings.grade_batch),
    ("POST", "/endpoint/{name}", gradings.score),
    ("POST", "/v1/files", files.create),
    ("GET", "/v1/files", files.list_all),
    ("GET", "/v1/files/{file}", files.retrieve),
    ("DELETE", "/v1/files/{file}", files.delete),
    ("GET", "/v1/files/{file}/content", files.content),
    ("POST", "/v1/evals", evals.create),
    ("GET", "/v1/evals", evals.list_all),
    ("GET", "/v1/evals/{eval}", evals.retrieve),
    ("POST", "/v1/evals/{eval}", evals.update),
    ("DELETE", "/v1/evals/{eval}", evals.delete),
    ("POST", _RUNS, eval_runs.create),
    ("GET", _RUNS, eval_runs.list_all),
    ("GET", f"{_RUNS}/{{run}}", eval_runs.retrieve),
    ("DELETE", f"{_RUNS}/{{run}}", eval_runs.delete),
    ("POST", f"{_RUNS}/{{run}}", eval_runs.cancel),
    ("POST", f"{_RUNS}/{{run}}/cancel", eval_runs.cancel),
    ("GET", f"{_RUNS}/{{run}}/output_items", eval_runs.list_items),
    ("GET", f"{_RUNS}/{{run}}/output_items/{{item}}", eval_runs.retrieve_item),
    ("POST", "/v1/fine_tuning/jobs", jobs.create),
    ("GET", "/v1/fine_tuning/jobs", jobs.list_all),
    ("GET", "/v1/fine_tuning/jobs/{job}", jobs.retrieve),
    ("POST", "/v1/fine_tuning/jobs/{job}/cancel", jobs.cancel),
    ("POST", "/v1/fine_tuning/jobs/{job}/pause", jobs.pause_or_resume),
    ("POST", "/v1/fine_tuning/jobs/{job}/resume", jobs.pause_or_resume),
    ("GET", "/v1/fine_tuning/jobs/{job}/events", jobs.list_events),
    ("GET", "/v1/fine_tuning/jobs/{job}/checkpoints", jobs.checkpoints),
    ("GET", "/health", health),
)
"""Method, path, and who answers."""


def create_app(settings: Settings | None = None) -> Starlette:
    """The ASGI application of a server.

    Raises:
        ConfigError: Starlette is not installed.
    """
    try:
        from starlette.applications import Starlette
        from starlette.exceptions import HTTPException
        from starlette.middleware import Middleware
        from starlette.routing import Route
    except ImportError:
        message, fix = "the server needs Starlette", "pip install 'local-graders[server]'"
        raise ConfigError(
            Finding(code="no-package", severity="error", path="", message=message, fix=fix)
        ) from None
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with opened(settings) as shared:
            app.state.shared = shared
            yield

    return Starlette(
        routes=[Route(path, answers, methods=[method]) for method, path, answers in ROUTES],
        middleware=[Middleware(Gate, settings)],
        lifespan=lifespan,
        exception_handlers={
            ApiError: error_answer,
            GradersError: error_answer,
            NotJSONError: error_answer,
            HTTPException: _no_route,
            500: _broken,
        },
    )


def _no_route(request: Request, error: Exception) -> Response:
    """The answer for a path or a method that is none of ours."""
    status = getattr(error, "status_code", 404)
    message = f"there is no {request.method} {request.url.path} here; GET /openapi.json lists all"
    told = ApiError(status, message, code="no-route", headers=getattr(error, "headers", None))
    return error_answer(request, told)


def _broken(request: Request, _: Exception) -> Response:
    """The answer where the server itself failed; its log has the traceback."""
    message = "the server failed, and its log says why"
    return error_answer(request, ApiError(500, message, code="server-error"))
