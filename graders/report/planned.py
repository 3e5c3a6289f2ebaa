"""The plan of a job for programs, and what its numbers take for granted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graders.dry_run import LONGEST_ANSWER, SHORTEST_ANSWER
from graders.errors import Finding
from graders.jobs.bounds import PYTHON_SECONDS, USD_PER_HOUR
from graders.jobs.datasets import Dataset
from graders.jobs.estimate import (
    JUDGE_SECONDS,
    JUDGES_AT_ONCE,
    Amounts,
    Judging,
    Setting,
    vendors_epochs,
)
from graders.jobs.limits import Checked
from graders.jobs.plan import Plan
from graders.jobs.ranges import Range, exactly, show_number, show_range
from graders.jobs.trial import LONGEST_OUTPUT
from graders.report.text import count


def to_json(plan: Plan) -> Mapping[str, object]:
    """The plan for programs; a range is {low, high}, and a high of null is not known."""
    given, found = plan.given, plan.amounts
    return {
        "method": given.job.kind,
        "for": given.target,
        "model": given.model,
        "training": _dataset(given.training),
        "validation": None if given.validation is None else _dataset(given.validation),
        "hyperparameters": {name: _setting(one) for name, one in plan.settings.items()},
        "totals": None if found is None else {n: r.to_json() for n, r, _ in totals(plan, found)},
        "judges": {one.model: _judging(one) for one in plan.judgings},
        "judge_cost_usd": plan.judge_usd.to_json() if plan.judge_usd else None,
        "measured": _measured(plan),
        "seconds": {
            "grading_here": plan.grading_seconds.to_json() if plan.grading_seconds else None,
            "judges": plan.judge_seconds.to_json() if plan.judge_seconds else None,
            "in_all": plan.seconds.to_json() if plan.seconds else None,
        },
        "limits": [_limit(one) for one in plan.limits],
        "assumptions": assumptions(plan),
        "findings": [_finding(one) for one in plan.findings],
    }


def _dataset(dataset: Dataset) -> Mapping[str, object]:
    tokens, line = dataset.longest
    return {
        "name": dataset.name,
        "rows": dataset.rows,
        "bad_rows": dataset.bad_rows,
        "bytes": dataset.bytes,
        "tokens": dataset.tokens,
        "longest_row": {"tokens": tokens, "line": line} if line else None,
        "media_not_estimated": dataset.media,
        "problems": {
            code: {"rows": tally.rows, "lines": tally.lines}
            for code, tally in dataset.tallies.items()
        },
    }


def _setting(setting: Setting) -> Mapping[str, object]:
    above = {"low_excluded": True} if setting.above else {}
    return {"given": setting.given, **setting.value.to_json(), **above, "rule": setting.rule}


def _judging(judging: Judging) -> Mapping[str, object]:
    return {
        "calls": judging.calls.to_json(),
        "prompt_tokens": judging.prompt_tokens.to_json(),
        "completion_tokens": judging.answer_tokens.to_json(),
        "cost_usd": judging.usd.to_json() if judging.usd else None,
        "seconds": judging.seconds.to_json(),
        "media_not_estimated": judging.media,
    }


def _measured(plan: Plan) -> Mapping[str, object] | None:
    measured = plan.given.measured
    if measured is None:
        return None
    return {
        "gradings": measured.gradings,
        "failed": measured.failed,
        "seconds": measured.seconds,
        "seconds_each": measured.seconds_each,
        "slowest_seconds": measured.slowest,
        "outputs": "samples" if plan.given.real_outputs else "stand-ins",
    }


def _limit(checked: Checked) -> Mapping[str, object]:
    limit = checked.limit
    return {
        "code": limit.code,
        "what": limit.what,
        "at_least": limit.least or None,
        "at_most": limit.most,
        "value": checked.value.to_json() if checked.value else None,
        "verdict": checked.verdict,
        "sure": limit.sure,
        "source": limit.source,
    }


def _finding(finding: Finding) -> Mapping[str, str]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "path": finding.path,
        "message": finding.message,
        "fix": finding.fix,
    }


def totals(plan: Plan, found: Amounts) -> Iterator[tuple[str, Range, str]]:
    """What a job comes to: each total with its name and the rule behind it."""
    yield "steps", found.steps, "n_epochs x rows / batch_size"
    if plan.given.job.kind != "reinforcement":
        yield "training_tokens", found.training_tokens, "n_epochs x tokens of the rows"
        return
    rule = "n_epochs x tokens of the rows; outputs are not known"
    yield "prompt_tokens", found.training_tokens, rule
    hidden = plan.given.samples_per_item is None
    rule = "several, the service hides how many [D]; --samples-per-item" if hidden else "assumed"
    yield "samples_per_item", found.samples_per_item, rule
    yield "training_samples", found.training_samples, "n_epochs x rows x samples_per_item"
    yield "evaluations", found.evaluations, "steps / eval_interval, perhaps one more"
    yield "evaluation_samples", found.evaluation_samples, "evaluations x eval_samples (x rows)"
    yield "grader_calls", found.gradings, "one for each sample"
    tried = plan.given.tried
    if tried is not None and tried.long.endpoint_calls:
        each = exactly(tried.long.endpoint_calls / tried.rows)
        yield "endpoint_calls", found.gradings * each, "no price is known"


def assumptions(plan: Plan) -> list[str]:
    """Everything that the numbers of a plan take for granted, in sentences."""
    given, said = plan.given, ["A token is taken for 4 characters, and 3 for each message."]
    if any(one.given == "auto" and not one.value.known for one in plan.settings.values()):
        said.append("What auto turns out to be is any number that could be set [D].")
    said += [f"{name} is taken for {show_number(n)}." for name, n in given.assumed.items()]
    if plan.amounts is None:
        return said
    if given.training.bad_rows:
        said.append("Rows with errors are left out of all totals.")
    if given.job.kind != "reinforcement":
        rows = given.training.rows - given.training.bad_rows
        epochs = vendors_epochs(rows)
        if rows and given.job.kind == "supervised" and not plan.settings["n_epochs"].value.known:
            expects = f"The vendor's notebook expects {count(epochs, 'epoch')} of n_epochs auto [I]"
            said.append(f"{expects}; the totals do not.")
        return said
    if given.samples_per_item is not None:
        said.append(f"{given.samples_per_item} samples are drawn for each row and epoch.")
    if given.job.settings["reasoning_effort"] == "default":
        said.append("What reasoning_effort default is, Azure says (medium) and OpenAI does not.")
    return said + list(_of_judges(plan)) + list(_of_time(plan))


def _of_judges(plan: Plan) -> Iterator[str]:
    if not plan.judgings:
        return
    if plan.given.tried is None:
        yield "What judges are asked is not known: no row could be tried."
        return
    tried = count(plan.given.tried.rows, "row")
    yield f"All prompts of judges are like those of {tried} that were tried."
    if not plan.given.real_outputs:
        yield f"Outputs that are judged have 0 to {LONGEST_OUTPUT:,} tokens."
    yield (
        f"A judge's answer has {SHORTEST_ANSWER} tokens at least, and at most what "
        f"max_completions_tokens says or {LONGEST_ANSWER:,}."
    )
    yield (
        f"A judge answers in {show_range(JUDGE_SECONDS)} seconds, "
        f"{show_range(JUDGES_AT_ONCE)} of them at once."
    )
    yield "Judges cost what the list price of their first known provider says."


def _of_time(plan: Plan) -> Iterator[str]:
    measured = plan.given.measured
    if measured is not None:
        outputs = "a model's outputs" if plan.given.real_outputs else "stand-in outputs"
        yield (
            f"Seconds of a grading are measured here, on {measured.gradings:,} rows with "
            f"{outputs}, without judges and endpoints."
        )
    yield (
        f"A hosted run of a trivial python grader took {show_range(PYTHON_SECONDS)} seconds [S]; "
        "how many run at once there, and how long training takes, is not known."
    )
    usd = USD_PER_HOUR.get(plan.given.model or "")
    price = f"${usd} [D]" if usd else "not known for this model"
    yield f"The price of an hour of training: {price}."
