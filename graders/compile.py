"""From configs to graders: the one place that knows every type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, assert_never

from graders.checks import check_document
from graders.clients import EndpointClient, ModelClient
from graders.config.graders import (
    AnyConfig,
    EndpointConfig,
    EvalConfig,
    LabelModelConfig,
    MultiConfig,
    PythonConfig,
    ScoreModelConfig,
    StringCheckConfig,
    TextSimilarityConfig,
    walk,
)
from graders.config.parse import ConfigSource, Document, read_config
from graders.errors import ConfigError, Finding, findings_of
from graders.formula import compile_formula
from graders.grades import Grader
from graders.kinds.criteria import CriteriaGrader
from graders.kinds.endpoint import EndpointGrader
from graders.kinds.judge import JudgeGrader, Prompt
from graders.kinds.multi import MultiGrader
from graders.kinds.python import PythonGrader
from graders.kinds.string_check import StringCheckGrader
from graders.kinds.text_similarity import References, TextSimilarityGrader
from graders.profile import OPENAI, Profile
from graders.template import compile_template, parse_path
from metrics import metric
from sandbox import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What graders may need from the outside world. Nothing is created behind your back.

    Attributes:
        sandbox: Runs the code of `python` graders.
        client: Asks the judge of `score_model` and `label_model` graders.
        endpoint: Posts to the service of `endpoint` graders.
        aside: Takes a grader that computes by itself, and gives one that does so elsewhere.
    """

    sandbox: Sandbox | None = None
    client: ModelClient | None = None
    endpoint: EndpointClient | None = None
    aside: Callable[[AnyConfig, Grader], Grader] | None = None


def compile_grader(
    source: ConfigSource | Document, *, tools: Tools | None = None, profile: Profile = OPENAI
) -> Grader:
    """Turn a config into a grader, checking everything that can be checked without a row.

    Args:
        source: A config, a dict, a path, an SDK object, or what `read_config` made of one.
        tools: What the graders in it need from outside.
        profile: Settings that decide numbers.

    Raises:
        ConfigError: Something in it does not compile, or a tool is missing; holds every problem.
        OSError: A file cannot be read.

    Example:
        >>> grader = compile_grader({"type": "string_check", "name": "exact", "operation": "eq",
        ...     "input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"})
        >>> grader.signature
        'string_check|op:eq'
    """
    document = source if isinstance(source, Document) else read_config(source)
    findings = check_document(document, profile)
    return compile_checked(document, findings, tools=tools, profile=profile)


def compile_checked(
    document: Document,
    findings: Sequence[Finding],
    *,
    tools: Tools | None = None,
    profile: Profile = OPENAI,
) -> Grader:
    """`compile_grader` for who has asked `check_document` already, and has its findings.

    Raises:
        ConfigError: There is an error among them, or a tool is missing; holds every problem.
    """
    tools = tools or Tools()
    errors = findings_of("error", findings) + _missing_tools(document, tools)
    if errors:
        raise ConfigError(*errors)
    return _members({"": document.grader}, tools, profile)[""]


def _build(config: AnyConfig, tools: Tools, profile: Profile) -> Grader:
    match config:
        case StringCheckConfig():
            return StringCheckGrader(
                config.name,
                config.operation,
                compile_template(config.input, profile.render),
                compile_template(config.reference, profile.render),
            )
        case TextSimilarityConfig():
            return _text_similarity(config, profile)
        case PythonConfig():
            assert tools.sandbox is not None, "checked before building"
            return PythonGrader(
                config.name,
                config.source,
                tools.sandbox,
                profile.bool_returns,
                _threshold(config, profile),
            )
        case ScoreModelConfig() | LabelModelConfig():
            assert tools.client is not None, "checked before building"
            prompt = Prompt.compile(config.input, profile.render)
            return JudgeGrader(config, prompt, tools.client, _threshold(config, profile))
        case EndpointConfig():
            assert tools.endpoint is not None, "checked before building"
            return EndpointGrader(config, tools.endpoint, _threshold(config, profile))
        case MultiConfig():
            return MultiGrader(
                config.name,
                _members(config.graders, tools, profile),
                compile_formula(config.calculate_output, config.graders),
                profile.member_failure,
                _threshold(config, profile),
            )
        case EvalConfig():
            return CriteriaGrader(config.name, _members(_criteria(config), tools, profile))
        case _:
            assert_never(config)


def _text_similarity(config: TextSimilarityConfig, profile: Profile) -> Grader:
    several = config.references and References(
        slot=parse_path(config.references), rendering=profile.render
    )
    return TextSimilarityGrader(
        name=config.name,
        input=compile_template(config.input, profile.render),
        reference=several or compile_template(config.reference, profile.render),
        metric=metric(config.evaluation_metric, profile.metrics),
        settings=profile.metrics,
        threshold=_threshold(config, profile),
    )


def _threshold(
    config: TextSimilarityConfig
    | PythonConfig
    | ScoreModelConfig
    | LabelModelConfig
    | EndpointConfig
    | MultiConfig,
    profile: Profile,
) -> float | None:
    if isinstance(config, LabelModelConfig):
        return 1.0  # a passing label
    return profile.default_threshold if config.pass_threshold is None else config.pass_threshold


def member_keys(config: AnyConfig) -> tuple[str, ...]:
    """The keys of the parts that a grader's grades have, in their order.

    Example:
        >>> from graders.config.parse import read_config
        >>> member_keys(read_config({"type": "multi", "name": "m", "calculate_output": "a",
        ...     "graders": {"a": {"type": "python", "name": "n", "source": ""}}}).grader)
        ('a',)
    """
    match config:
        case MultiConfig():
            return tuple(config.graders)
        case EvalConfig():
            return tuple(_criteria(config))
    return ()


def _criteria(config: EvalConfig) -> Mapping[str, AnyConfig]:
    """Criteria by name; the service allows two of one name, so the later ones get a number."""
    names = {criterion.name for criterion in config.testing_criteria}
    criteria: dict[str, AnyConfig] = {}
    for criterion in config.testing_criteria:
        numbered = (f"{criterion.name}-{i}" for i in count(2))
        free = (key for key in numbered if key not in criteria and key not in names)
        key = next(free) if criterion.name in criteria else criterion.name
        criteria[key] = criterion
    return criteria


def _members(
    configs: Mapping[str, AnyConfig], tools: Tools, profile: Profile
) -> Mapping[str, Grader]:
    """Graders by key; those that compute are taken aside where there is such a place."""
    graders = {key: _build(config, tools, profile) for key, config in configs.items()}
    if tools.aside is None:
        return graders
    return {
        key: tools.aside(configs[key], grader) if grader.waits == "never" else grader
        for key, grader in graders.items()
    }


_FIXES: Final[Mapping[str, str]] = {
    "sandbox": "In Python, pass tools=Tools(sandbox=sandbox.open_sandbox()); "
    "`graders run` opens one by itself.",
    "client": "In Python, pass tools=Tools(client=...), such as an OpenAICompatible() of "
    "graders.clients.openai_compatible; on the command line, set OPENAI_API_KEY, or give "
    "--base-url URL for a server of your own, --client MODULE:NAME or --replay FILE.",
    "endpoint": "In Python, pass tools=Tools(endpoint=...), such as an HttpEndpoint() of "
    "graders.clients.endpoint; `graders run` has one by itself.",
}


def _missing_tools(document: Document, tools: Tools) -> list[Finding]:
    missing = []
    for location, part in walk(document.grader):
        match part:
            case PythonConfig() if tools.sandbox is None:
                need = "runs Python code", "a sandbox", "sandbox"
            case ScoreModelConfig() | LabelModelConfig() if tools.client is None:
                need = f"asks the model {part.model!r}", "a model client", "client"
            case EndpointConfig() if tools.endpoint is None:
                need = "asks an HTTP service", "an endpoint client", "endpoint"
            case _:
                continue
        does, tool, field = need
        missing.append(
            Finding(
                code="no-tool",
                severity="error",
                path=document.place(location),
                message=f"the {part.type} grader {part.name!r} {does} and needs {tool}",
                fix=_FIXES[field],
            )
        )
    return missing
