"""Schemas and examples of the bodies and answers that are not graders' configs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from graders.engine import FailurePolicy
from graders.hosted import ERROR_KEYS
from graders.results import DetailPolicy
from graders.server.files import PURPOSES

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "number"}
_ANY_OBJECT: Final[Schema] = {"type": "object"}
_CRITERIA: Final[Schema] = {"$ref": "#/components/schemas/EvalBody/properties/testing_criteria"}
_GRADER: Final[Schema] = {"$ref": "#/components/schemas/Grader"}


def _object(required: Schema, optional: Schema | None = None) -> Schema:
    """An object with these keys. It may have others, as everywhere in the hosted API."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(required)}


_LABELS: Final[Schema] = {
    "name": _TEXT,
    "metadata": {"type": ["object", "null"], "additionalProperties": _TEXT},
}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _words(vocabulary: object, *, without: str = "") -> Schema:
    return {"enum": [word for word in get_args(vocabulary) if word != without]}


_INTEGER: Final[Schema] = {"type": "integer"}
_NAMED: Final = _object({"object": _TEXT, "id": _TEXT})
_USAGE: Final = _object(
    {
        "prompt_tokens": _INTEGER,
        "total_tokens": _INTEGER,
        "completion_tokens": _INTEGER,
        "cached_tokens": _INTEGER,
    }
)
_FLAG_OR_TEXT: Final[Schema] = {"type": ["boolean", "string", "null"]}

SCHEMAS: Final[Mapping[str, Schema]] = {
    "AnyObject": _ANY_OBJECT,
    "Object": _NAMED,
    "List": _object(
        {
            "object": {"const": "list"},
            "data": _list(_NAMED),
            "first_id": _or_null(_TEXT),
            "last_id": _or_null(_TEXT),
            "has_more": {"type": "boolean"},
        }
    ),
    "Deleted": _object({"object": _TEXT, "deleted": {"const": True}}),
    "Limit": {"type": "integer", "minimum": 1},
    "Health": _object({"status": {"const": "ok"}}),
    "Error": _object(
        {
            "error": _object(
                {
                    "message": _TEXT,
                    "type": _TEXT,
                    "param": _or_null(_TEXT),
                    "code": _or_null(_TEXT),
                }
            )
        }
    ),
    "RunAnswer": _object(
        {
            "reward": _NUMBER,
            "metadata": _object(
                {
                    "name": _TEXT,
                    "type": _TEXT,
                    "errors": _object(dict.fromkeys(ERROR_KEYS, _FLAG_OR_TEXT)),
                    "execution_time": _NUMBER,
                    "scores": _ANY_OBJECT,
                    "token_usage": _or_null(_USAGE),
                    "sampled_model_name": _or_null(_TEXT),
                }
            ),
            "sub_rewards": _map(_NUMBER),
            "model_grader_token_usage_per_model": _map(_USAGE),
        }
    ),
    "GraderRequest": _object({"grader": _GRADER}),
    "GraderAnswer": _object({"grader": _ANY_OBJECT}),
    "BatchRequest": _object(
        {"grader": {"anyOf": [_TEXT, _GRADER]}, "rows": _list(_ANY_OBJECT)},
        {
            "failures": _words(FailurePolicy, without="stop"),
            "detail": _words(DetailPolicy),
        },
    ),
    "BatchAnswer": _object(
        {
            "results": _list(_ANY_OBJECT),
            "bad_rows": _list(_object({"row": _INTEGER, "message": _TEXT})),
        }
    ),
    "EndpointRequest": _object(
        {"sample": {"type": ["string", "object"]}, "item": _ANY_OBJECT}, {"trace_id": _TEXT}
    ),
    "Score": _object({"score": _NUMBER}),
    "RewardRequest": _object(
        {"query": _list(_TEXT)}, {"prompts": _list(_TEXT), "labels": _list({})}
    ),
    "RewardAnswer": _object(
        {"rewards": _list(_NUMBER), "scores": _list(_NUMBER), "extra_logs": _map(_list(_NUMBER))}
    ),
    "EvalRequest": _object(
        {"data_source_config": _object({"type": _TEXT}), "testing_criteria": _CRITERIA}, _LABELS
    ),
    "LabelRequest": _object({}, _LABELS),
    "EvalRunRequest": _object(
        {"data_source": _object({"type": _TEXT, "source": _object({"type": _TEXT})})}, _LABELS
    ),
    "JobRequest": _object(
        {"model": _TEXT, "training_file": _TEXT},
        {
            "validation_file": _or_null(_TEXT),
            "method": {"$ref": "#/components/schemas/Method"},
            "suffix": _or_null(_TEXT),
            "seed": _or_null(_INTEGER),
            "metadata": _LABELS["metadata"],
        },
    ),
    "FileUpload": _object(
        {"file": {"type": "string", "format": "binary"}, "purpose": {"enum": [*PURPOSES]}}
    ),
}
"""By name. Those of configs are made where the configs are."""

_EXACT: Final = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
}
_ITEM: Final = {"answer": "Paris"}

EXAMPLES: Final[Mapping[str, Any]] = {
    "EvalRequest": {
        "name": "capitals",
        "data_source_config": {
            "type": "custom",
            "item_schema": {"type": "object", "properties": {"answer": {"type": "string"}}},
            "include_sample_schema": True,
        },
        "testing_criteria": [_EXACT],
    },
    "LabelRequest": {"name": "capitals of Europe", "metadata": {"by": "me"}},
    "EvalRunRequest": {
        "name": "first",
        "data_source": {
            "type": "jsonl",
            "source": {
                "type": "file_content",
                "content": [{"item": _ITEM, "sample": {"output_text": "Paris"}}],
            },
        },
    },
    "RunRequest": {"grader": _EXACT, "model_sample": "Paris", "item": _ITEM},
    "GraderRequest": {"grader": _EXACT},
    "BatchRequest": {"grader": _EXACT, "rows": [{"item": _ITEM, "samples": ["Paris", "Rome"]}]},
    "EndpointRequest": {"sample": {"output_text": "Paris"}, "item": _ITEM, "trace_id": "1"},
    "RewardRequest": {
        "query": ["The capital of France is Paris<|im_end|>"],
        "prompts": ["The capital of France is "],
        "labels": ['{"answer": "Paris"}'],
    },
    "JobRequest": {
        "model": "o4-mini-2025-04-16",
        "training_file": "file-000000000000000000000000",
        "method": {"type": "reinforcement", "reinforcement": {"grader": _EXACT}},
    },
    "FileUpload": {
        "file": '{"item": {"answer": "Paris"}, "sample": "Paris"}\n',
        "purpose": "evals",
    },
    "Error": {
        "error": {
            "message": "there is no grader 'exakt' on this server",
            "type": "invalid_request_error",
            "param": None,
            "code": "not_found",
        }
    },
}
"""A body, or an answer, by the name of its schema."""
