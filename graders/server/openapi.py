"""The OpenAPI document of the server, made from its routes and from the schemas of configs."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from graders.lint.schema import form_schemas
from graders.server.schemas import EXAMPLES, SCHEMAS

if TYPE_CHECKING:  # starlette is an extra
    from starlette.requests import Request
    from starlette.types import ASGIApp

_COMPONENTS: Final = "#/components/schemas/"
_PARAMETER = re.compile(r"{(\w+)}")


class Operation(NamedTuple):
    """A route, and what there is to say of it.

    Attributes:
        method: Of HTTP.
        path: With its parameters in braces.
        answers: Who answers.
        summary: What for.
        body: The name of its body's schema, if it has a body.
        answer: The name of its answer's schema; None where it answers with bytes.
        query: The names of what its query may have.
        status: Of its answer.
    """

    method: str
    path: str
    answers: Callable[[Request], Awaitable[ASGIApp]]
    summary: str
    body: str | None = None
    answer: str | None = None
    query: tuple[str, ...] = ()
    status: int = 200


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The document, in OpenAPI 3.1. It names no other server, and refers to nothing outside.

    Example:
        >>> document([])["openapi"]
        '3.1.0'
    """
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "graders serve", "version": version("local-graders")},
        "servers": [{"url": "/"}],
        "security": [{}, {"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Where the server was started with a token.",
                }
            },
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    kind = "application/octet-stream" if operation.answer is None else "application/json"
    told: dict[str, Any] = {
        "summary": operation.summary,
        "responses": {
            str(operation.status): _content("The answer.", kind, operation.answer),
            "default": _content("What is wrong.", "application/json", "Error"),
        },
    }
    named = [(name, "path") for name in _PARAMETER.findall(operation.path)]
    if parameters := named + [(name, "query") for name in operation.query]:
        told["parameters"] = [
            {
                "name": name,
                "in": place,
                "required": place == "path",
                "schema": SCHEMAS["Limit"] if name == "limit" else {"type": "string"},
            }
            for name, place in parameters
        ]
    if operation.body is not None:
        kind = "multipart/form-data" if operation.body == "FileUpload" else "application/json"
        body = _content("", kind, operation.body)
        told["requestBody"] = {"required": True, "content": body["content"]}
    return told


def _content(description: str, kind: str, name: str | None) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": {"$ref": _COMPONENTS + name} if name else {}}
    if name is not None and name in EXAMPLES:
        media["example"] = EXAMPLES[name]
    return {"description": description, "content": {kind: media}}


def _schemas() -> dict[str, Any]:
    forms, definitions = form_schemas()
    text = json.dumps({**definitions, **forms}).replace('"#/$defs/', f'"{_COMPONENTS}')
    schemas: dict[str, Any] = json.loads(text) | SCHEMAS
    return dict(sorted(schemas.items()))
