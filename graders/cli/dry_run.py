"""`graders run --dry-run`: what would be asked and about what it would cost."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import click

from graders.config.parse import Document
from graders.dry_run import Asked, DryRun, count_calls
from graders.engine import RunOptions
from graders.errors import RowError
from graders.profile import Profile
from graders.report.spending import dollars
from graders.report.text import count
from graders.rows import Row
from graders.terminal import WIDTH, printable, shorten, wrap


def dry_run(
    document: Document,
    rows: Iterable[Row | RowError],
    options: RunOptions,
    profile: Profile,
    given: Mapping[str, Any],
) -> int:
    """Count and print; returns the exit code."""
    counted = count_calls(document, rows, options, profile)
    base_url = given["base_url"] or os.environ.get("OPENAI_BASE_URL") or ""
    if given["as_json"]:
        click.echo(json.dumps(_to_json(counted, base_url), indent=2))
    else:
        click.echo(shorten(printable(f"dry run of {document.describe()}: nothing is sent"), WIDTH))
        for line in _to_lines(counted, base_url):
            click.echo(line)
    return 1 if counted.not_rendered or counted.bad_lines else 0


def _to_json(counted: DryRun, base_url: str) -> Mapping[str, object]:
    return {
        "dry_run": True,
        "samples": counted.samples,
        "not_rendered": counted.not_rendered,
        "bad_lines": counted.bad_lines,
        "endpoint_calls": counted.endpoint_calls,
        "models": {
            model: {
                "calls": asked.calls,
                "prompt_tokens": asked.prompt_tokens,
                "completion_tokens": asked.answer_tokens,
                "cost_usd": _range(asked.usd(model, base_url)),
                **({"texts": asked.texts} if asked.texts else {}),
                "images_not_estimated": asked.images,
                "audio_not_estimated": asked.audio,
            }
            for model, asked in counted.models.items()
        },
        "cost_usd": _range(_total(counted, base_url)),
    }


def _range(cost: tuple[Decimal, Decimal] | None) -> list[float | None] | None:
    return None if cost is None else [dollars(end) for end in cost]


def _total(counted: DryRun, base_url: str) -> tuple[Decimal, Decimal] | None:
    low = high = Decimal(0)
    for model, asked in counted.models.items():
        cost = asked.usd(model, base_url)
        if cost is None:
            return None
        low, high = low + cost[0], high + cost[1]
    return low, high


def _to_lines(counted: DryRun, base_url: str) -> Iterator[str]:
    bad = count(counted.bad_lines, "bad line")
    yield f"{count(counted.samples, 'sample')}, {counted.not_rendered:,} that do not render, {bad}"
    yield ""
    for model, asked in counted.models.items():
        yield from _model_lines(model, asked, asked.usd(model, base_url))
    if counted.endpoint_calls:
        yield f"  endpoints: {count(counted.endpoint_calls, 'call')}, cost n/a"
    if len(counted.models) > 1:
        yield f"  in all: {_shown(_total(counted, base_url))}"
    if not counted.models and not counted.endpoint_calls:
        yield "  no model is asked"


def _model_lines(model: str, asked: Asked, cost: tuple[Decimal, Decimal] | None) -> Iterator[str]:
    low, high = asked.answer_tokens
    said = f"{shorten(printable(model), WIDTH // 2)}: {count(asked.calls, 'call')}, "
    if asked.texts:
        said += f"{count(asked.texts, 'distinct text')}, "
    said += f"about {asked.prompt_tokens:,} prompt tokens"
    if high:
        said += f" and {low:,} to {high:,} of answers"
    said += f", {_shown(cost)}"
    yield from wrap(said, indent=2)
    kinds = ((asked.images, "image"), (asked.audio, "audio clip"))
    media = [count(number, kind) for number, kind in kinds if number]
    if media:
        yield f"  {' and '.join(media)} not in the estimate"


def _shown(cost: tuple[Decimal, Decimal] | None) -> str:
    return "cost n/a" if cost is None else f"about ${cost[0]:,.4f} to ${cost[1]:,.4f}"
