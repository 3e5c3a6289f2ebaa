"""The hosted run and validate calls, on your machine: the same requests, the same JSON back.

Here the hosted habit "a failure counts as 0" is right, because it is what the service answers;
the `errors` say that it was one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from graders.checks import check_document
from graders.clients.masked import masked_url
from graders.compile import Tools, compile_checked
from graders.config.graders import AnyConfig, EvalConfig, MultiConfig, RunRequest
from graders.config.parse import Document, parse_config
from graders.engine import run_sync
from graders.errors import ConfigError, Failure, FailureKind, Finding, findings_of
from graders.grades import Grade, Grader, Usage
from graders.profile import OPENAI, Profile
from graders.rows import Row
from sandbox import JSON

ERROR_KEYS: Final = (
    "formula_parse_error",
    "sample_parse_error",
    "sample_parse_error_details",
    "truncated_observation_error",
    "unresponsive_reward_error",
    "invalid_variable_error",
    "invalid_variable_error_details",
    "other_error",
    "python_grader_server_error",
    "python_grader_server_error_type",
    "python_grader_runtime_error",
    "python_grader_runtime_error_details",
    "model_grader_server_error",
    "model_grader_refusal_error",
    "model_grader_refusal_error_details",
    "model_grader_parse_error",
    "model_grader_parse_error_details",
    "model_grader_exceeded_max_tokens_error",
    "model_grader_server_error_details",
    "endpoint_grader_internal_error",
    "endpoint_grader_internal_error_details",
    "endpoint_grader_server_error",
    "endpoint_grader_server_error_details",
    "endpoint_grader_safety_check_error",
)
"""The keys of `metadata.errors`, in the order in which the service returns them."""

_ADDRESS: Final = re.compile(r"(base|endpoint|\w+_)?ur[li]", re.IGNORECASE)
_CREDENTIAL: Final = re.compile(
    r"headers?$|api.?key|authori[sz]ation|credential|password|secret|(^|[_-])(bearer|token)$",
    re.IGNORECASE,
)
"""What keys are called that may hold one."""

_TEXT_KEYS: Final = ("_details", "_type")
_NO_ERRORS: Final[Mapping[str, JSON]] = {
    key: None if key.endswith(_TEXT_KEYS) else False for key in ERROR_KEYS
}

# What a config problem is called when it is met in a run, by the finding's code.
_RUN_KINDS: Final[Mapping[str, FailureKind]] = {
    "formula": FailureKind.FORMULA_PARSE,
    "template": FailureKind.INVALID_VARIABLE,
    "source-syntax": FailureKind.PYTHON_RUNTIME,
    "source-size": FailureKind.PYTHON_RUNTIME,
    "no-grade": FailureKind.PYTHON_RUNTIME,
    "grade-signature": FailureKind.PYTHON_RUNTIME,
}


def run(
    request: Mapping[str, object], *, tools: Tools | None = None, profile: Profile = OPENAI
) -> dict[str, JSON]:
    """Answer a run request, `{"grader": {...}, "model_sample": "...", "item": {...}}`.

    A grader that does not compile is an error in the answer, with reward 0.0, as a failed
    grading is.

    Raises:
        ConfigError: The request does not have the form of one, or a tool is missing.

    Example:
        >>> grader = {"type": "string_check", "name": "exact", "operation": "eq",
        ...           "input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"}
        >>> run({"grader": grader, "model_sample": "4", "item": {"answer": "4"}})["reward"]
        1.0
    """
    document = parse_request(request)
    findings = check_document(document, profile)
    prepared = prepare(document, findings, tools=tools, profile=profile)
    row = row_of(document)
    return run_sync(lambda: answer_run(prepared, row))


def parse_request(request: Mapping[str, object]) -> Document:
    """Check the body of a run request; its item may be missing.

    Raises:
        ConfigError: It does not have the form of one.
    """
    for key in ("grader", "model_sample"):
        if key not in request:
            raise ConfigError(_wrong("missing", key, "is missing"))
    document = parse_config(request)
    if not isinstance(document.value, RunRequest):
        message = "is not a run request: {grader, model_sample, item?}"
        raise ConfigError(_wrong("request", "", message))
    return document


def _wrong(code: str, path: str, message: str) -> Finding:
    return Finding(code=code, severity="error", path=path, message=message)


def row_of(document: Document) -> Row:
    """What a run request is to grade."""
    assert isinstance(document.value, RunRequest), "parse_request gives no other"
    return document.value.row()


@dataclass(frozen=True, slots=True)
class Prepared:
    """The grader of run requests, ready to grade, or the reason why none of them gets a score."""

    config: AnyConfig
    grader: Grader | Failure


def prepare(
    document: Document,
    findings: Sequence[Finding],
    *,
    tools: Tools | None = None,
    profile: Profile = OPENAI,
) -> Prepared:
    """Compile the grader of a run request; what does not compile fails what it is to grade.

    Args:
        document: The request.
        findings: What `check_document` says of it.
        tools: What the graders in it need from outside.
        profile: Settings that decide numbers.

    Raises:
        ConfigError: A tool is missing.
    """
    config = document.grader
    problems = findings_of("error", findings)
    if problems:
        kind = _RUN_KINDS.get(problems[0].code, FailureKind.OTHER)
        return Prepared(config, Failure(kind=kind, message=str(problems[0])))
    return Prepared(config, compile_checked(document, (), tools=tools, profile=profile))


async def answer_run(prepared: Prepared, row: Row) -> dict[str, JSON]:
    """What `run` answers, for callers with an event loop."""
    config, grader, started = prepared.config, prepared.grader, perf_counter()
    if isinstance(grader, Failure):
        grade = Grade(name=config.name, failure=grader)
    else:
        (grade,) = await grader.grade([row])
    return to_hosted(config, grade, seconds=perf_counter() - started)


def validate(request: Mapping[str, object], *, profile: Profile = OPENAI) -> dict[str, JSON]:
    """Answer a validate request, `{"grader": {...}}`: the same grader, its name filled in.

    Raises:
        ConfigError: The schema, a template, the formula or a source is wrong.

    Example:
        >>> grader = {"type": "python", "source": "def grade(sample, item): return 1.0"}
        >>> validate({"grader": grader})["grader"]["name"]
        'grader-1f43ce94bbaa'
    """
    document = parse_validation(request)
    return answer_validation(document, check_document(document, profile))


def parse_validation(request: Mapping[str, object]) -> Document:
    """Check the form of a validate request's body.

    Raises:
        ConfigError: It does not have the form of one.
    """
    if "grader" not in request:
        raise ConfigError(_wrong("missing", "grader", "is missing"))
    return parse_config({**request, "model_sample": ""})


def answer_validation(document: Document, findings: Sequence[Finding]) -> dict[str, JSON]:
    """What `validate` answers, given what `check_document` says.

    Raises:
        ConfigError: There is an error among that.
    """
    problems = findings_of("error", findings)
    if problems:
        raise ConfigError(*problems)
    grader: JSON = document.grader.model_dump(mode="json", exclude_unset=True)
    return {"grader": masked_grader(grader)}


def masked_grader(grader: JSON) -> JSON:
    """A grader's config without credentials, and all else untouched.

    Unknown keys are tolerated, so that a misspelt one, or one of another tool, may hold one.

    Example:
        >>> masked_grader({"url": "https://me:pw@host/", "header": {"x": "pw"}, "api_key": "pw"})
        {'url': 'https://***@host/', 'header': {'x': '***'}, 'api_key': '***'}
    """
    if not isinstance(grader, dict):
        return grader
    shown = {key: _masked_setting(key, value) for key, value in grader.items()}
    match grader.get("graders"):
        case dict(members):
            shown["graders"] = {key: masked_grader(member) for key, member in members.items()}
        case list(members):
            shown["graders"] = [masked_grader(member) for member in members]
    return shown


def _masked_setting(key: str, value: JSON) -> JSON:
    if _ADDRESS.fullmatch(key) and isinstance(value, str):
        return masked_url(value)
    if not _CREDENTIAL.search(key) or value is None:
        return value
    return dict.fromkeys(value, "***") if isinstance(value, dict) else "***"


def to_hosted(config: AnyConfig, grade: Grade, *, seconds: float) -> dict[str, JSON]:
    """A grade as the body of a run answer."""
    assert not isinstance(config, EvalConfig), "a run request holds one grader"
    usage = {model: _usage(used) for model, used in (grade.usage or {}).items()}
    first_model = next(iter(usage), None)
    errors = to_errors(grade.failure)
    members = grade.parts if isinstance(config, MultiConfig) else {}  # repeats are ours alone
    return {
        "reward": grade.score or 0.0,
        "metadata": {
            "name": config.name,
            "type": config.type,
            "errors": errors,
            "execution_time": seconds,
            "scores": {},
            "token_usage": usage[first_model] if first_model else None,
            "sampled_model_name": first_model,
        },
        "sub_rewards": {key: part.score or 0.0 for key, part in members.items()},
        "model_grader_token_usage_per_model": usage,
    }


def to_errors(failure: Failure | None) -> dict[str, JSON]:
    """The 24 error keys: flags that are false and details that are null, but for this failure.

    Example:
        >>> errors = to_errors(Failure(kind=FailureKind.INVALID_VARIABLE, message="no item.x"))
        >>> [key for key, value in errors.items() if value]
        ['invalid_variable_error', 'invalid_variable_error_details']
    """
    errors = dict(_NO_ERRORS)
    if failure is not None:
        errors[failure.kind.value] = True
        for suffix, text in (("_details", failure.message), ("_type", failure.reason or None)):
            if failure.kind.value + suffix in errors:
                errors[failure.kind.value + suffix] = text
    return errors


def _usage(used: Usage) -> JSON:
    return {
        "prompt_tokens": used.prompt_tokens,
        "total_tokens": used.total_tokens,
        "completion_tokens": used.completion_tokens,
        "cached_tokens": used.cached_tokens,
    }
