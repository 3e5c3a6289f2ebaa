"""The JSON Schema of everything a config file may hold, for editors that complete and check.

It is pydantic's, made as tolerant as loading is: a name may be missing, null may stand for a field
that may be left out, and the members of a multi may be a map, a list or a single grader.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from graders.config.graders import EvalConfig, GraderConfig, RunRequest
from graders.config.methods import Method, ReinforcementMethod

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_FORMS: Final[Mapping[str, Any]] = {
    "Grader": GraderConfig,
    "Method": Method,
    "BareMethod": ReinforcementMethod,
    "RunRequest": RunRequest,
    "EvalBody": EvalConfig,
}


def config_schema() -> dict[str, Any]:
    """The schema, as JSON Schema 2020-12.

    Example:
        >>> schema = config_schema()
        >>> "StringCheckConfig" in schema["$defs"], len(schema["anyOf"])
        (True, 5)
    """
    forms, definitions = form_schemas()
    return {
        "$schema": DIALECT,
        "title": "A grader config: a grader, a fine-tuning method, a run request or an Evals body",
        "type": "object",
        "anyOf": list(forms.values()),
        "$defs": definitions,
    }


def form_schemas() -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """The schema of each form by our name for it, and the definitions that they refer to."""
    definitions: dict[str, Any] = {}
    forms = {}
    for name, form in _FORMS.items():
        schema = TypeAdapter[Any](form).json_schema()
        definitions |= schema.pop("$defs", {})
        forms[name] = schema
    for definition in [*definitions.values(), *forms.values()]:
        _tolerate(definition)
    return forms, dict(sorted(definitions.items()))


def _tolerate(schema: dict[str, Any]) -> None:
    """Let an object's schema take what loading takes."""
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if "type" in properties and "name" in required:  # the service fills it in
        schema["required"] = [name for name in required if name != "name"]
    for name, value in properties.items():
        if value.get("default") is not None and "anyOf" not in value:
            properties[name] = {"anyOf": [value, {"type": "null"}], "default": value["default"]}
    if "calculate_output" in properties:
        members = properties["graders"]
        one = members["additionalProperties"]
        several = {"type": "array", "items": one, "minItems": 1}
        properties["graders"] = {"anyOf": [members, several, one]}
