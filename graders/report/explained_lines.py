"""An explained grading as lines for a terminal of 80 columns.

All of it may be hostile: control characters are escaped, and long texts are cut, with their length.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from graders.clients import ModelReply
from graders.config.graders import EvalConfig, LabelModelConfig, ScoreModelConfig, StringCheckConfig
from graders.errors import Failure
from graders.grades import Grade
from graders.report.explained import Explained, FormulaUse, Judged
from graders.report.metric_lines import to_facts
from graders.report.watched import Asked, Posted
from graders.terminal import WIDTH, broken, columns, printable
from sandbox import JSON, Outcome, Status

_LABEL: Final = 12
"""Columns of the names at the left, their indent not counted."""
_LINES, _CHARACTERS, _STEPS = 8, 480, 12
"""What is shown of a text, and of a formula's steps, that is cut."""
Facts = Iterator[tuple[str, str]]
"""Names of at most eleven characters, "" for more under the same, and texts."""


def to_lines(explained: Explained, *, full: bool) -> Iterator[str]:
    """The lines of an explained grading.

    Args:
        explained: What there is to show.
        full: Whether long texts are shown whole.
    """
    for indent, label, text in _facts(explained, full=full):
        yield from _lines(label, text, indent, full=full) if label or text else ("",)


def _facts(explained: Explained, *, full: bool) -> Iterator[tuple[int, str, str]]:
    row = explained.row
    yield 0, "row", f"{row.row}, sample {row.sample_index}"
    yield 0, "item", _shown(dict(row.item))
    text = row.sample.get("output_text")
    yield 0, "output", _quoted(text) if isinstance(text, str) else _shown(dict(row.sample))
    yield from _judged(explained.judged, 0, full=full)
    yield 0, "", ""
    for label, text in _hosted(explained.hosted):
        yield 0, label, text
    yield 0, "signature", explained.signature
    yield 0, "profile", explained.profile
    if explained.layers is not None:
        yield 0, "isolation", ", ".join(explained.layers) or "none: unsafe"


def _lines(label: str, text: str, indent: int, *, full: bool) -> Iterator[str]:
    """A text beside its name."""
    margin = indent + _LABEL
    from_end = label == "error"  # a traceback says what happened in its last line
    kept = text if full else text[-_CHARACTERS:] if from_end else text[:_CHARACTERS]
    lines = [
        piece for line in kept.split("\n") for piece in broken(printable(line), WIDTH - margin)
    ]
    if not full and (len(kept) < len(text) or len(lines) > _LINES):
        cut = f"... ({len(text):,} characters; --full shows all)"
        lines = [cut, *lines[-_LINES:]] if from_end else [*lines[:_LINES], cut]
    left = f"{'':{indent}}{printable(label)}"
    for line in lines:
        yield f"{left}{'':{max(margin - columns(left), 1)}}{line}".rstrip()
        left = ""


def _judged(judged: Judged, indent: int, *, full: bool) -> Iterator[tuple[int, str, str]]:
    config = judged.config
    kind = "an Evals body" if isinstance(config, EvalConfig) else config.type
    yield indent, "", ""
    yield indent, "grader", f"{_quoted(judged.key)}, {kind}"
    for label, text in _own_facts(judged, full=full):
        yield indent + 2, label, text
    for member in judged.members:
        yield from _judged(member, indent + 2, full=full)


def _own_facts(judged: Judged, *, full: bool) -> Facts:
    # What failed a member, and a traceback, stand in full further down.
    yield from _outcome(judged.grade, briefly=bool(judged.members or judged.ran))
    yield from _formula(judged.formula, full=full) if judged.formula else ()
    yield from _rendered(judged)
    if judged.metric:
        yield from to_facts(judged.metric)
    if judged.metric_note:
        yield "metric", judged.metric_note
    for asked in judged.asked:
        yield from _asked(asked, several=len(judged.asked) > 1)
    for posted in judged.posted:
        yield from _posted(posted)
    for outcome in judged.ran:
        yield from _ran(outcome)
    yield from _remarks(judged.grade.detail)


def _outcome(grade: Grade, *, briefly: bool) -> Facts:
    if grade.failure is not None:
        yield "failed", _failed(grade.failure, briefly=briefly)
        return
    assert grade.score is not None, "a grade has a score or a failure"
    passed = {True: ", passed", False: ", not passed", None: ""}[grade.passed]
    yield "score", f"{_number(grade.score)}{passed}"


def _failed(failure: Failure, *, briefly: bool = False) -> str:
    reason = f" ({failure.reason})" if failure.reason else ""
    message = failure.message.rpartition("\n")[2] if briefly else failure.message
    return f"{failure.kind}{reason}: {message}"


def _formula(formula: FormulaUse, *, full: bool) -> Facts:
    yield "formula", formula.text
    if formula.trace is None:
        yield "", "not computed, because a member failed"
        return
    filled, steps = formula.trace
    if filled != formula.text:
        yield "", filled
    shown = steps if full else steps[:_STEPS]
    yield from (("", step) for step in shown)
    if len(shown) < len(steps):
        yield "", f"... ({len(steps):,} steps; --full shows all)"
    if formula.unused:
        yield "", f"without {', '.join(formula.unused)}"


def _rendered(judged: Judged) -> Facts:
    if isinstance(judged.config, StringCheckConfig):
        yield "operation", judged.config.operation
    is_judge = isinstance(judged.config, (ScoreModelConfig, LabelModelConfig))
    for one in judged.rendered:
        if is_judge and one.failure is None:
            continue  # shown as it was sent
        yield "message" if is_judge else one.place, f"template {one.template}"
        if one.failure is not None:
            yield "", _failed(one.failure)
        elif one.text is not None:
            yield "", _quoted(one.text)


def _asked(asked: Asked, *, several: bool) -> Facts:
    request = asked.request
    settings = (f"{key} {value}" for key, value in request.sampling.items())
    repeat = [f"repeat {request.repeat + 1}"] if several else []
    yield "asked", ", ".join([request.model, *repeat, *settings])
    if request.repeat == 0:  # the others were sent the same
        for message in request.messages:
            content = message.content
            yield message.role, content if isinstance(content, str) else _shown(list(content))
    if asked.reply is not None:
        yield from _replied(asked.reply)
    if asked.failure is not None:
        yield "no answer", _failed(asked.failure)


def _replied(reply: ModelReply) -> Facts:
    yield "answer", _quoted(reply.text)
    notes = {
        "refused": reply.refusal,
        "cut off": "by its limit of tokens" if reply.truncated else None,
        "answered by": reply.model or None,
        "kept": "answered before, and not paid again" if reply.cached else None,
    }
    yield from ((label, note) for label, note in notes.items() if note is not None)
    if reply.usage is not None:
        used = reply.usage
        yield "tokens", f"{used.prompt_tokens:,} asked, {used.completion_tokens:,} answered"


def _posted(posted: Posted) -> Facts:
    yield "posted to", posted.url  # with the sample and the item, which stand above
    if posted.answer is not None:
        yield "answer", posted.answer
    if posted.failure is not None:
        yield "no answer", _failed(posted.failure)


def _ran(outcome: Outcome) -> Facts:
    used = [f"{outcome.wall_seconds:.3g} s"]
    if outcome.cpu_seconds is not None:
        used.append(f"{outcome.cpu_seconds:.3g} s of CPU")
    if outcome.peak_bytes is not None:
        used.append(f"at most {outcome.peak_bytes / 2**20:.1f} MiB")
    yield "sandbox", f"{outcome.status}, {', '.join(used)}"
    if outcome.status is Status.OK:
        yield "returned", _shown(outcome.value)
    for label in ("stdout", "stderr", "error"):
        if text := getattr(outcome, label):
            yield label, text.rstrip("\n")


_REMARKS: Final = ("label", "clamped_from", "aggregate", "spread", "best_reference", "warning")


def _remarks(detail: Mapping[str, JSON]) -> Facts:
    """What a grade says of itself and is not shown already."""
    for key in _REMARKS:
        if key in detail:
            value = detail[key]
            yield (
                "note",
                f"{key.replace('_', ' ')}: {value if isinstance(value, str) else _shown(value)}",
            )


def _hosted(answer: Mapping[str, JSON] | None) -> Facts:
    if answer is None:
        yield "hosted", "a run request holds one grader, and no Evals body"
        return
    metadata, rewards = answer["metadata"], answer["sub_rewards"]
    assert isinstance(metadata, dict), "the hosted form"
    errors = metadata["errors"]
    assert isinstance(errors, dict), "the hosted form"
    flags = [key for key, value in errors.items() if value is True]
    yield "hosted", f"reward {_shown(answer['reward'])}, {', '.join(flags) or 'no errors'}"
    if rewards:
        yield "", f"sub_rewards {_shown(rewards)}"


def _shown(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False)


def _quoted(text: str) -> str:
    """A text, in quotes where its ends could not be seen; of a long one they are not shown."""
    if len(text) > _CHARACTERS or (text and text == text.strip()):
        return text
    return f'"{text}"'


def _number(value: float) -> str:
    return repr(value).removesuffix(".0")
