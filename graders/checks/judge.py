"""What a judge's service will refuse: names it may not have, parameters its model does not take.

All of it is warnings, for services differ and new models come; nothing here is known of a model
that is not in the tables. What is documented:

* A reasoning model takes no temperature and no top_p. From gpt-5.1 on it does while it does not
  reason, which is `reasoning_effort: none`, the default there.
* Other models take no reasoning_effort.
* Models before gpt-5.1 do not know `none`, gpt-5.1 knows `none`, `low`, `medium` and `high`,
  gpt-5-pro only `high`; `xhigh` came with gpt-5.1-codex-max.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from graders.config.graders import LabelModelConfig, SamplingParams, ScoreModelConfig
from graders.errors import Finding, Severity, near_miss

_RELEASES: Final[Mapping[str, tuple[str, ...]]] = {
    "gpt-3.5-turbo": ("0125", "1106", "0613", "16k"),
    "gpt-4": ("0613", "0314", "1106-preview", "0125-preview", "32k"),
    "gpt-4-turbo": ("2024-04-09", "preview"),
    "gpt-4o": ("2024-05-13", "2024-08-06", "2024-11-20", "audio-preview", "search-preview"),
    "gpt-4o-mini": ("2024-07-18", "audio-preview", "search-preview"),
    "chatgpt-4o": ("latest",),
    "gpt-4.1": ("2025-04-14",),
    "gpt-4.1-mini": ("2025-04-14",),
    "gpt-4.1-nano": ("2025-04-14",),
    "o1": ("2024-12-17", "pro", "mini", "preview"),
    "o3": ("2025-04-16", "pro"),
    "o3-mini": ("2025-01-31",),
    "o4-mini": ("2025-04-16",),
    "gpt-5": ("2025-08-07", "chat-latest", "codex", "pro"),
    "gpt-5-mini": ("2025-08-07",),
    "gpt-5-nano": ("2025-08-07",),
    "gpt-5.1": ("2025-11-13", "chat-latest", "codex", "codex-max", "codex-mini", "mini"),
    "gpt-5.2": ("2025-12-11", "chat-latest", "pro", "pro-2025-12-11"),
    "gpt-5.3": ("chat-latest",),
    "gpt-5.4": (),
    "gpt-5.4-mini": ("2026-03-17",),
    "gpt-5.4-nano": ("2026-03-17",),
    "gpt-5.5": ("2026-04-23",),
    "gpt-5.6": ("sol", "terra", "luna"),
    "gpt-6": ("astra", "sol", "luna"),
    "gpt-6.1": ("sol", "terra"),
    "gpt-6.2": ("astra", "sol"),
}
MODELS: Final = frozenset(_RELEASES).union(
    f"{name}-{release}" for name, releases in _RELEASES.items() for release in releases
)
"""Names that the vendor's SDK or documentation has, aliases and releases."""

_REASONS: Final = re.compile(r"(?:o[134]|gpt-5)(?![0-9])(?!.*-chat\b)")
_DOES_NOT: Final = re.compile(r"(?:chat)?gpt-[34](?![0-9])|gpt-5.*-chat\b")
_CAN_REST: Final = re.compile(r"gpt-5\.[1-9]")

_EFFORTS: Final[tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]] = (  # the first that fits
    (re.compile(r"gpt-5-pro"), ("high",)),
    (re.compile(r"gpt-5\.1-codex-max"), ("none", "low", "medium", "high", "xhigh")),
    (re.compile(r"gpt-5\.1"), ("none", "low", "medium", "high")),
    (re.compile(r"o[134]|gpt-5(?!\.)"), ("minimal", "low", "medium", "high")),
)


def check_judge(config: ScoreModelConfig | LabelModelConfig) -> list[Finding]:
    """Warnings about a judge's name, its parameters and its repeats.

    Example:
        >>> config = ScoreModelConfig.model_validate(
        ...     {"type": "score_model", "name": "j", "model": "o3",
        ...      "input": [{"role": "user", "content": "Rate."}],
        ...      "sampling_params": {"temperature": 0}})
        >>> print(check_judge(config)[0])
        sampling_params.temperature: 0.0 is not for o3, which is a reasoning model. Leave it out.
    """
    params = config.sampling_params or SamplingParams()
    return [
        *_name(config.model),
        *_parameters(base_model(config.model), params),
        *_repeats(config.repeats, params),
    ]


def base_model(name: str) -> str:
    """The model behind a fine-tuned one, or behind a router's prefix.

    Example:
        >>> base_model("ft:gpt-4o-2024-08-06:acme::A1"), base_model("openai/o3")
        ('gpt-4o-2024-08-06', 'o3')
    """
    tuned = name.split(":")[1] if name.startswith("ft:") else name
    return tuned.rpartition("/")[2]


def _name(model: str) -> Iterator[Finding]:
    base = base_model(model)
    if base not in MODELS:
        hint = near_miss(base, MODELS) or "If the judge's service has it, all is well."
        yield _finding("model-unknown", "model", f"{model!r} is no model that we know", hint)


def _parameters(model: str, params: SamplingParams) -> Iterator[Finding]:
    effort = params.reasoning_effort
    if _REASONS.match(model):
        at_rest = _CAN_REST.match(model) and effort in (None, "none")
        fix = "Leave it out."
        if _CAN_REST.match(model):
            fix = "Leave it out, or set reasoning_effort to none."
        for name in ("temperature", "top_p"):
            value = getattr(params, name)
            if value is not None and not at_rest:
                message = f"{value} is not for {model}, which is a reasoning model"
                yield _refused(name, message, fix)
        allowed = next((known for which, known in _EFFORTS if which.match(model)), None)
        if effort is not None and allowed is not None and effort not in allowed:
            message = f"{effort!r} is not for {model}, which knows {', '.join(allowed)}"
            yield _refused("reasoning_effort", message, f"Choose {' or '.join(allowed)}.")
    elif effort is not None and _DOES_NOT.match(model):
        message = f"{effort!r} is not for {model}, which is no reasoning model"
        yield _refused("reasoning_effort", message, "Leave it out.")


def _repeats(repeats: int, params: SamplingParams) -> Iterator[Finding]:
    if repeats == 1:
        return
    message = "is ours: the hosted service does not know it and asks once"
    yield _finding("our-extension", "repeats", message, "", "note")
    if params.seed is not None:
        message = (
            f"{params.seed} with {repeats} repeats: a judge that honours the seed gives the same "
            "answer each time, so the spread says nothing"
        )
        fix = "Leave the seed out, or ask once."
        yield _finding("equal-repeats", "sampling_params.seed", message, fix)
    if params.temperature == 0:
        message = (
            f"0 with {repeats} repeats: the judge gives nearly the same answer each time, so the "
            "spread says nothing"
        )
        fix = "Raise it, or ask once."
        yield _finding("equal-repeats", "sampling_params.temperature", message, fix)


def _refused(name: str, message: str, fix: str) -> Finding:
    return _finding("parameter-refused", f"sampling_params.{name}", message, fix)


def _finding(
    code: str, path: str, message: str, fix: str, severity: Severity = "warning"
) -> Finding:
    return Finding(code=code, severity=severity, path=path, message=message, fix=fix)
