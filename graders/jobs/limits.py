"""What of a job its service would refuse, stop or not do: limits, models and kinds of graders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from graders.config.explain import shown
from graders.config.graders import PythonConfig, walk
from graders.config.methods import ReinforcementMethod
from graders.errors import Finding, Severity, TemplateError, near_miss
from graders.jobs.bounds import BASE_MODELS, LIMITS, Kind, Limit, Target
from graders.jobs.estimate import Counts, Setting
from graders.jobs.job import Job
from graders.jobs.ranges import Range, show_number, show_range
from graders.lint import targets as places
from graders.lint.targets import check_target
from graders.template import Slot, compile_template

Verdict = Literal["kept", "broken", "maybe", "unknown"]

_FORMATS: Final = ("text", "json_object", "json_schema")
_VENDOR: Final[Mapping[Target, str]] = {"openai-rft": "OpenAI", "azure-rft": "Azure"}


@dataclass(frozen=True, slots=True)
class Checked:
    """A limit and how a job stands to it.

    Attributes:
        limit: The limit.
        value: What of the job it bounds; None where nothing was counted or measured.
        verdict: Whether it is kept for sure, broken for sure, or can be broken.
    """

    limit: Limit
    value: Range | None
    verdict: Verdict

    def to_finding(self) -> Finding | None:
        """What there is to say where it is not kept; of what can be broken, only a note."""
        if self.value is None or self.verdict in ("kept", "unknown"):
            return None
        limit, most = self.limit, self.limit.most
        bound = f"at most {most:,}" if most is not None and self.value.low >= limit.least else ""
        amount = show_range(self.value) if self.value != Range(0, None) else "an unknown number of"
        said = f"{amount} {limit.what}, and the service takes "
        said += f"{bound or f'at least {limit.least:,}'} [{limit.sure}, {limit.source}]"
        severity: Severity = limit.severity if self.verdict == "broken" else "note"
        return Finding(code=limit.code, severity=severity, path="", message=said, fix=limit.fix)


def check_limits(kind: Kind, target: Target, totals: Mapping[str, Range]) -> list[Checked]:
    """How a job stands to each limit that holds for it.

    Args:
        kind: Its method.
        target: Its service.
        totals: What limits bound, by `Limit.what`; what is not there is unknown.
    """
    holding = [one for one in LIMITS if kind in one.kinds and target in one.targets]
    return [
        Checked(one, totals.get(one.what), _verdict(one, totals.get(one.what))) for one in holding
    ]


def _verdict(limit: Limit, value: Range | None) -> Verdict:
    if value is None:
        return "unknown"
    most = limit.most
    if (most is not None and value.low > most) or (
        value.high is not None and value.high < limit.least
    ):
        return "broken"
    over = most is not None and (value.high is None or value.high > most)
    return "maybe" if over or value.low < limit.least else "kept"


def check_choices(job: Job, target: Target, model: str | None) -> Iterator[Finding]:
    """Models, graders and formats of a reinforcement job that its service does not have."""
    method = job.reinforcement
    if method is None or job.document is None:
        return
    known = BASE_MODELS[target]
    if model is not None and model not in known:
        said = f"{model!r} is no model that {_VENDOR[target]} trains so: {', '.join(known)} [D]"
        yield _finding("base-model", "model", said, _release(model, known))
    for finding in check_target(job.document, places.TARGETS[target]):
        yield replace(finding, path=job.prefix + finding.path if finding.path else "")
    inside = job.prefix + job.document.path.removesuffix("grader")
    yield from _check_format(method, inside)
    if target == "openai-rft":
        for key in ("tools", "max_episode_steps"):
            if getattr(method, key) is not None:
                yield _finding("not-here", inside + key, "is known of Azure alone [D]", "")


def _release(model: str, known: Sequence[str]) -> str:
    """A hint at the release that an alias stands for, or at the name that is close."""
    released = [name for name in known if name.startswith(f"{model}-20")]
    return f"Did you mean {released[0]!r}?" if released else near_miss(model, known)


def _check_format(method: ReinforcementMethod, inside: str) -> Iterator[Finding]:
    path = f"{inside}response_format"
    form, readers = method.response_format, _reads_json(method)
    if form is None:
        if readers:
            said = f"is missing, and {readers} reads sample.output_json, null for any other text"
            fix = 'Give the schema of the answers: {"type": "json_schema", "json_schema": {...}}'
            yield _finding("no-response-format", path, said, fix)
        return
    kind = form.get("type")
    if kind not in _FORMATS:
        said = f"{shown(kind)} is not one of {', '.join(_FORMATS)}"
        hint = near_miss(kind, _FORMATS) if isinstance(kind, str) else ""
        yield _finding("response-format", f"{path}.type", said, hint, "error")
    elif kind == "json_schema":
        inner = form.get("json_schema", form)  # one vendor's page has its fields beside the type
        if not isinstance(inner, dict) or not isinstance(inner.get("schema"), dict):
            where = path + (".json_schema" if "json_schema" in form else "")
            said = "has no schema, which is an object"
            yield _finding("response-format", f"{where}.schema", said, "Add it.", "error")
        elif not isinstance(inner.get("name"), str):
            where = path + (".json_schema" if "json_schema" in form else "")
            yield _finding("response-format", f"{where}.name", "is missing", "Add it.", "error")
    if kind in _FORMATS[1:] and not readers:
        said = "answers are JSON, and no grader reads sample.output_json"
        yield _finding("json-unread", path, said, "", "note")


def _reads_json(method: ReinforcementMethod) -> str:
    """The name of a grader that reads the answer as JSON, quoted; "" where none does."""
    for _, part in walk(method.grader):
        if isinstance(part, PythonConfig):
            reads = "output_json" in part.source
        else:
            reads = any(map(_has_json_slot, (text for _, text in part.templates())))  # type: ignore[union-attr]
        if reads:
            return shown(getattr(part, "name", "grader"))
    return ""


def _has_json_slot(text: str) -> bool:
    try:
        pieces = compile_template(text).pieces
    except TemplateError:  # said where the grader is checked
        return False
    return any(
        isinstance(piece, Slot)
        and piece.namespace == "sample"
        and piece.steps[:1] == ("output_json",)
        for piece in pieces
    )


def check_settings(
    settings: Mapping[str, Setting], taken: Range, counts: Counts, path: str
) -> Iterator[Finding]:
    """Hyperparameters that are in bounds, and do nothing for these rows.

    Args:
        settings: The hyperparameters.
        taken: Training steps.
        counts: Of the rows.
        path: Where the hyperparameters stand.
    """
    batch, interval = settings["batch_size"].value, settings.get("eval_interval")
    if batch.known and batch.low > counts.rows > 0:
        said = f"{show_number(batch.low)} is more than the {counts.rows:,} rows there are"
        fix = "An epoch is one step at most."
        yield _finding("batch-too-large", f"{path}.batch_size", said, fix)
    if interval is None:
        return
    if taken.high is not None and interval.value.low > taken.high > 0:
        most = show_number(taken.high)
        said = f"{show_number(interval.value.low)} is more than the steps there are, {most} at most"
        yield _finding("never-evaluated", f"{path}.eval_interval", said, "Lower it.")
    samples = settings["eval_samples"]
    if not counts.validation_rows and samples.given != "auto":
        said = f"{samples.given}, and there are no validation rows to draw samples of"
        fix = "Give --validation ROWS."
        yield _finding("nothing-to-evaluate", f"{path}.eval_samples", said, fix)


def _finding(
    code: str, path: str, message: str, fix: str, severity: Severity = "warning"
) -> Finding:
    return Finding(code=code, severity=severity, path=path, message=message, fix=fix)
