"""The application: routes, and what stands before them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from graders.errors import ConfigError, Finding, GradersError
from graders.server import gradings
from graders.server.answers import ApiError, answer, error_answer
from graders.server.gate import Gate
from graders.server.openapi import Operation, document
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


async def described(_: Request) -> Response:
    """`GET /openapi.json`: what is answered here, for people's tools."""
    return answer(document(ROUTES))


ROUTES = (
    Operation(
        *("POST", "/v1/fine_tuning/alpha/graders/run", gradings.run),
        "Grade one sample, as the hosted service does.",
        body="RunRequest",
        answer="RunAnswer",
    ),
    Operation(
        *("POST", "/v1/fine_tuning/alpha/graders/validate", gradings.validate_grader),
        "Check a grader, and get it back with its name filled in.",
        body="ValidateRequest",
        answer="ValidateAnswer",
    ),
    Operation(
        *("POST", "/grade", gradings.grade_batch),
        "Grade rows, in any of the shapes that lines of a file may have.",
        body="BatchRequest",
        answer="BatchAnswer",
    ),
    Operation(
        *("POST", "/endpoint/{name}", gradings.score),
        "Score a sample with a grader that is served by name, as endpoint graders are asked.",
        body="EndpointRequest",
        answer="EndpointAnswer",
    ),
    Operation("GET", "/health", health, "Whether the server answers.", answer="Health"),
    Operation("GET", "/openapi.json", described, "This document.", answer="Object"),
)
"""What is answered, and by whom. The OpenAPI document is made of it."""


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
        routes=[Route(one.path, one.answers, methods=[one.method]) for one in ROUTES],
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
