"""The application: routes, and what stands before them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from graders.errors import GradersError
from graders.server.routes import ROUTES
from graders.server.settings import Settings
from graders.server.shared import opened
from graders.server.transport.answers import ApiError, error_answer
from graders.server.transport.gate import Gate
from graders.strict_json import NotJSONError

if TYPE_CHECKING:  # starlette is an extra
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response


def create_app(settings: Settings | None = None) -> Starlette:
    """The ASGI application of a server."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.routing import Route

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


async def _no_route(request: Request, error: Exception) -> Response:
    """The answer for a path or a method that is none of ours."""
    status = getattr(error, "status_code", 404)
    message = f"there is no {request.method} {request.url.path} here; GET /openapi.json lists all"
    told = ApiError(status, message, code="no-route", headers=getattr(error, "headers", None))
    return await error_answer(request, told)


async def _broken(request: Request, _: Exception) -> Response:
    """The answer where the server itself failed; its log has the traceback."""
    message = "the server failed, and its log says why"
    return await error_answer(request, ApiError(500, message, code="server-error"))
