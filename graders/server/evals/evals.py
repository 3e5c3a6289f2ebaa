"""`/v1/evals`: evals by id. What they grade with is compiled when they are made."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from graders.config.graders import AnyConfig, EvalConfig, TextSimilarityConfig
from graders.config.parse import Document, parse_config
from graders.grades import Grader
from graders.profile import Profile
from graders.server.checking import compiled
from graders.server.evals.runs import remove_run
from graders.server.labels import metadata_of, name_of
from graders.server.recent import Weight, weigh
from graders.server.shared import Shared, shared
from graders.server.storage import encoded_list, new_id
from graders.server.transport.answers import ApiError, answer, answer_encoded
from graders.server.transport.bodies import Body, checked, read_object
from graders.strict_json import encode
from sandbox import JSON

if TYPE_CHECKING:  # starlette is an extra
    from starlette.requests import Request
    from starlette.responses import Response

_MOST_CRITERIA: Final = 100
_CHANGEABLE: Final = frozenset({"name", "metadata"})
_SAMPLE_SCHEMA: Final[Mapping[str, JSON]] = {
    "type": "object",
    "properties": {
        "choices": {"type": "array"},
        "output_text": {"type": "string"},
        "output_json": {},
        "output_tools": {"type": "array"},
    },
    "required": ["output_text"],
}
_changes = count()
"""Numbers of changes: clocks may stand still between two."""


@dataclass(slots=True, kw_only=True)
class Eval:
    """An eval, as it was made.

    Attributes:
        id: Its own.
        name: What people call it.
        metadata: Of its maker.
        created_at: In seconds since 1970.
        changed: The number of its last change.
        source: Its data source's config, as answers show it.
        criteria: Its criteria as answers show them, each with its id.
        grader: Judges by all of them.
        weight: Of their templates.
    """

    id: str
    name: str
    metadata: dict[str, JSON] | None
    created_at: int
    changed: int
    source: dict[str, JSON]
    criteria: Sequence[dict[str, JSON]]
    grader: Grader
    weight: Weight


async def create(request: Request) -> Response:
    """`POST /v1/evals`."""
    server = shared(request)
    body = await read_object(request, server.limits)
    document, source = await checked(body, lambda: _read(server, body))
    grader = await compiled(server, body, document, server.run_tools)
    made = await checked(body, lambda: _made(server, body, document, source, grader))
    server.evals.add(made.id, made, body.size)
    return answer_encoded(_show(made), 201)


def _read(server: Shared, body: Body) -> tuple[Document, dict[str, JSON]]:
    """An eval's criteria and its data source.

    Raises:
        ApiError: 400, something else than a criterion is wrong.
        ConfigError: A criterion is.
    """
    criteria = body.value.get("testing_criteria")
    if not isinstance(criteria, list) or not criteria:
        message = "testing_criteria is missing, empty or no list"
        raise ApiError(400, message, "testing_criteria", "missing")
    if len(criteria) > _MOST_CRITERIA:
        message = f"there are {len(criteria):,} testing_criteria, and {_MOST_CRITERIA} are allowed"
        raise ApiError(400, message, "testing_criteria", "criteria")
    source = _source_of(body.value.get("data_source_config"))
    document = parse_config({"testing_criteria": criteria})
    server.refuse_huge(weigh(document)._replace(path="testing_criteria"), 0)
    return document, source


def _made(
    server: Shared, body: Body, document: Document, source: dict[str, JSON], grader: Grader
) -> Eval:
    config = document.grader
    assert isinstance(config, EvalConfig), "it has testing_criteria"
    return Eval(
        id=new_id("eval_"),
        name=name_of(body.value, "eval"),
        metadata=metadata_of(body.value),
        created_at=int(time.time()),
        changed=next(_changes),
        source=source,
        criteria=[_echo(criterion, server.profile) for criterion in config.testing_criteria],
        grader=grader,
        weight=weigh(document),
    )


def _source_of(config: JSON) -> dict[str, JSON]:
    """What an eval's data source is shown as.

    Raises:
        ApiError: 400, it is none.
    """
    at = "data_source_config"
    if not isinstance(config, dict):
        raise ApiError(400, f"{at} is missing, or no object", at, "missing")
    match config:
        case {"type": "custom", "item_schema": dict(schema)}:
            sampled = config.get("include_sample_schema", False)
            if not isinstance(sampled, bool):
                message = f"include_sample_schema is {sampled!r:.80}, and must be true or false"
                raise ApiError(400, message, f"{at}.include_sample_schema", "type")
            return {"type": "custom", "schema": _schema(schema, sampled=sampled)}
        case {"type": "custom"}:
            raise ApiError(400, "item_schema is missing, or no object", f"{at}.item_schema", "type")
        case {"type": "logs" | "stored_completions" as kind}:
            metadata = metadata_of(config, f"{at}.metadata")
            return {"type": kind, "schema": _schema({"type": "object"}), "metadata": metadata}
        case _:
            other = config.get("type")
            message = f"type is {other!r:.80}, and must be custom, logs or stored_completions"
            raise ApiError(400, message, f"{at}.type", "choice")


def _schema(item: JSON, *, sampled: bool = True) -> dict[str, JSON]:
    properties = {"item": item} | ({"sample": dict(_SAMPLE_SCHEMA)} if sampled else {})
    return {"type": "object", "properties": properties, "required": [*properties]}


def _echo(criterion: AnyConfig, profile: Profile) -> dict[str, JSON]:
    """A criterion with its id. What no field of ours reads may be a credential, and is left out."""
    shown: dict[str, JSON] = criterion.model_dump(
        mode="json", exclude_unset=True, exclude=set(criterion.model_extra or ())
    )
    if isinstance(criterion, TextSimilarityConfig):
        shown.setdefault("pass_threshold", profile.default_threshold)
    return {"id": f"{criterion.name}-{uuid4()}", **shown}


async def list_all(request: Request) -> Response:
    """`GET /v1/evals`."""
    evals, query = shared(request).evals, request.query_params
    order = query.get("order_by", "created_at")
    if order not in {"created_at", "updated_at"}:
        message = f"order_by is {order!r:.80}, and must be created_at or updated_at"
        raise ApiError(400, message, "order_by", "choice")
    names, more = evals.names(query, by=(lambda one: one.changed) if order[0] == "u" else None)
    return answer_encoded(encoded_list(names, (_show(evals.get(name)) for name in names), more))


async def retrieve(request: Request) -> Response:
    """`GET /v1/evals/{id}`."""
    return answer_encoded(_show(_asked(request)))


async def update(request: Request) -> Response:
    """`POST /v1/evals/{id}`: another name, or other metadata."""
    server = shared(request)
    body = (await read_object(request, server.limits)).value
    if wrong := sorted(body.keys() - _CHANGEABLE):
        message = f"{wrong[0]!r:.80} cannot be changed, only name and metadata; make another eval"
        raise ApiError(400, message, wrong[0], "unknown-key")
    one = _asked(request)
    name, metadata = name_of(body, one.name), metadata_of(body)
    one.name, one.changed = name, next(_changes)
    if "metadata" in body:
        one.metadata = metadata
    return answer_encoded(_show(one))


async def delete(request: Request) -> Response:
    """`DELETE /v1/evals/{id}`: the eval, and its runs with it."""
    server = shared(request)
    one = server.evals.remove(_asked(request).id)
    for run in [run for run in server.runs if run.eval_id == one.id]:
        await remove_run(server, run)
    return answer({"object": "eval.deleted", "deleted": True, "eval_id": one.id})


def _asked(request: Request) -> Eval:
    return shared(request).evals.get(request.path_params["eval"])


def _show(one: Eval) -> bytes:
    return encode(
        {
            "object": "eval",
            "id": one.id,
            "name": one.name,
            "created_at": one.created_at,
            "data_source_config": one.source,
            "testing_criteria": one.criteria,
            "metadata": one.metadata,
        }
    )
