"""`graders sample`: draw the outputs that are to be graded."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from graders.cli.clients import client_options, clients_for
from graders.cli.grading import column_option, item_columns_of
from graders.cli.locations import ROWS
from graders.cli.options import refuse_overwriting
from graders.terminal import WIDTH, printable, shorten

if TYPE_CHECKING:
    from graders.errors import RowError
    from graders.ledger import Ledger
    from graders.sampling import Drawing, Drawn, Prompt

_EPILOG = """\b
Examples:
  graders sample rows.jsonl --model gpt-4.1-mini -n 8 -o samples.jsonl
  graders run grader.json samples.jsonl
  graders sample items.jsonl --model qwen3 --base-url http://localhost:8080/v1 \\
    --prompt "Answer in one word: {{ item.question }}"
  graders sample saved_dataset/ --model qwen3 --column item.messages=prompt

A row is a fine-tuning row with messages, {"item": {...}}, or a flat object. A
line of the output is {"item": {...}, "samples": [...]}; where samples could not
be drawn it says which, and the exit code is 1.
"""

_SHOWN: Final = 5


@click.command(epilog=_EPILOG)
@click.argument("rows", type=ROWS)
@click.option("--model", required=True, metavar="MODEL", help="The model that answers.")
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="N",
    help="Samples of each row.",
)
@click.option(
    "-o", "output", default="-", metavar="SAMPLES", help="Where to write.  [default: stdout]"
)
@click.option("--prompt", metavar="TEMPLATE", help="Ask this of each item, not its messages.")
@click.option("--temperature", type=float, metavar="X", help="How freely it samples.")
@click.option("--max-tokens", type=click.IntRange(min=1), metavar="N", help="Of one answer.")
@click.option("--seed", type=int, metavar="N", help="Of a row's first sample; then N + 1, ...")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Ask about N rows at most.")
@column_option
@client_options
def command(rows: str, **given: Any) -> int:
    """Draw samples of the answers to ROWS (of any form), for `graders run` to grade."""
    from graders.ledger import Ledger
    from graders.sampling import compile_prompt, draw, read_prompts

    template = compile_prompt(given["prompt"]) if given["prompt"] is not None else None
    columns = item_columns_of(given)
    kept = (rows, *(given[name] for name in ("cache", "record", "replay")))
    refuse_overwriting(given["output"], kept)
    ledger, count = Ledger(), _Count()
    interrupted: KeyboardInterrupt | None = None
    with clients_for([given["model"]], given, ledger) as (client, _):
        assert client is not None, "there is a model to ask"
        prompts = islice(_askable(read_prompts(rows, template, columns), count), given["limit"])
        with _lines_to(given["output"]) as append:

            def stopped() -> bool:
                return bool(ledger.stopped)

            def write(drawn: Drawn) -> None:
                if not _not_asked(drawn):
                    append(drawn.to_line())
                    count.add(drawn)

            try:
                asyncio.run(draw(client, prompts, _drawing(given), write, stopped=stopped))
            except KeyboardInterrupt as error:
                interrupted = error
    if interrupted is not None:
        _report(count, ledger, given)
        raise interrupted
    if not count.rows and not count.bad_lines:
        raise click.UsageError(f"{rows} holds no rows.")
    _report(count, ledger, given)
    return 1 if count.failed or count.bad_lines or ledger.stopped else 0


@dataclass(slots=True)
class _Count:
    """What was drawn, and the first of what was not."""

    rows: int = 0
    samples: int = 0
    failed: int = 0
    bad_lines: int = 0
    complaints: list[str] = field(default_factory=list)

    def add(self, drawn: Drawn) -> None:
        self.rows += 1
        self.samples += len(drawn.samples)
        for at, failure in drawn.failures.items():
            self.failed += 1
            self._complain(f"row {drawn.prompt.row}, sample {at}: {failure.message}")

    def bad_line(self, error: RowError) -> None:
        self.bad_lines += 1
        self._complain(str(error))

    def _complain(self, message: str) -> None:
        if len(self.complaints) < _SHOWN:
            self.complaints.append(message)


def _askable(prompts: Iterable[Prompt | RowError], count: _Count) -> Iterator[Prompt]:
    """The prompts, without lines that have none."""
    from graders.sampling import Prompt

    for prompt in prompts:
        if isinstance(prompt, Prompt):
            yield prompt
        else:
            count.bad_line(prompt)


def _not_asked(drawn: Drawn) -> bool:
    """Whether a budget was used up before a row's first sample: such a row is no result."""
    from graders.clients.budget import OVER_BUDGET

    reasons = {failure.reason for failure in drawn.failures.values()}
    return not drawn.samples and reasons == {OVER_BUDGET}


def _drawing(given: Mapping[str, Any]) -> Drawing:
    from graders.sampling import Drawing

    sampling = {"temperature": given["temperature"], "max_completions_tokens": given["max_tokens"]}
    return Drawing(
        model=given["model"],
        count=given["count"],
        sampling={name: value for name, value in sampling.items() if value is not None},
        seed=given["seed"],
    )


@contextmanager
def _lines_to(output: str) -> Iterator[Callable[[bytes], object]]:
    if output == "-":
        out = sys.stdout.buffer

        def append(line: bytes) -> None:
            out.write(line)
            out.flush()  # whoever reads it goes on while the next answer takes its time

        yield append
        return
    from graders.formats.packed import packing

    with Path(output).open("wb") as file, packing(file, output) as lines:
        yield lines.write


def _report(drawn: _Count, ledger: Ledger, given: Mapping[str, Any]) -> None:
    from graders.report.text import count

    err = given["output"] == "-"  # people read what the samples are not on
    made = f"{count(drawn.samples, 'sample')} of {count(drawn.rows, 'row')}"
    click.echo(f"{made} by {printable(given['model'])}, {count(ledger.tokens, 'token')}", err=err)
    if drawn.failed:
        click.echo(f"  {count(drawn.failed, 'sample')} failed", err=err)
    if drawn.bad_lines:
        click.echo(f"  {count(drawn.bad_lines, 'bad line')}", err=err)
    for complaint in drawn.complaints:
        click.echo(f"  {shorten(printable(complaint), WIDTH - 2)}", err=err)
    if ledger.stopped:
        click.echo(f"  stopped: {printable(ledger.stopped)}", err=err)
