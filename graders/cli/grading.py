"""What the commands that grade make of their options: a row, a config, and the tools it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from graders.cli.clients import clients_for, judges
from graders.cli.embeddings import embedding_profile
from graders.cli.sandbox import chosen_python, sandbox_for

if TYPE_CHECKING:
    from graders.column_map import Columns
    from graders.compile import Tools
    from graders.config.parse import Document
    from graders.errors import Finding
    from graders.ledger import Ledger
    from graders.profile import Profile
    from graders.row_files import RowFormat
    from graders.rows import Row
    from graders.testing.judging import CaseJudge

F = TypeVar("F", bound=Callable[..., object])
FILE = click.Path(exists=True, dir_okay=False, allow_dash=True)


def row_options(command: F) -> F:
    """What says how lines become rows, for every command that reads rows with samples."""
    for option in (
        column_option,
        click.option("--key", metavar="PATH", help="Join --outputs by this value, not by line."),
        click.option(
            "--outputs", type=FILE, metavar="FILE", help="A second file, with the outputs."
        ),
        click.option("--output", metavar="KEY", help="Where a flat row has its output."),
    ):
        command = option(command)
    return command


def column_option(command: F) -> F:
    """`--column TO=FROM`, for commands that read rows of any columns."""
    return click.option(
        "--column",
        metavar="TO=FROM",
        multiple=True,
        help="What a column is: item.answer=gold, sample=completion.",
    )(command)


def columns_of(given: dict[str, Any]) -> Columns | None:
    """What columns are, as the options say.

    Raises:
        click.UsageError: One is not TO=FROM, or --output says another thing.
        ConfigError: A TO is no place in a row.
    """
    from graders.column_map import parse_columns

    for text in given["column"]:
        if not all(text.partition("=")):
            raise click.BadParameter(f"{text!r} is not TO=FROM", param_hint="--column")
    pairs = [tuple(text.split("=", 1)) for text in given["column"]]
    columns = parse_columns((to, column) for to, column in pairs)
    if columns is not None and columns.sample is not None and given.get("output") is not None:
        raise click.UsageError("--output and --column sample=... both name the output; leave one.")
    return columns


def item_columns_of(given: dict[str, Any]) -> Columns | None:
    """What columns are, of rows that have no samples.

    Raises:
        click.UsageError: One is not TO=FROM, or is a sample.
        ConfigError: A TO is no place in a row.
    """
    columns = columns_of({"column": given["column"]})
    if columns is not None and columns.sample is not None:
        problem = f"sample={columns.sample}: no sample is read of these rows; name items' columns"
        raise click.BadParameter(problem, param_hint="--column")
    return columns


def grouping_option(command: F) -> F:
    """`--group-by`, for commands to which the samples of one prompt are a group."""
    return click.option(
        "--group-by", metavar="PATH", help="What makes rows one group.  [default: the item]"
    )(command)


def sound(document: Document, profile: Profile, python: str | None) -> list[Finding]:
    """What there is to say about a config, before anything is started for it.

    Raises:
        ConfigError: It cannot be used.
    """
    from graders.checks import check_document
    from graders.errors import ConfigError, findings_of

    findings = check_document(document, profile, chosen_python(python))
    if errors := findings_of("error", findings):
        raise ConfigError(*errors)
    return findings


@contextmanager
def tools_for(
    document: Document,
    profile: Profile,
    given: dict[str, Any],
    ledger: Ledger,
    *,
    judge: CaseJudge | None = None,
) -> Iterator[tuple[Tools, Profile]]:
    """What a config's graders need, and the profile whose embedder keeps to the options.

    Args:
        document: The config; only what it needs is set up.
        profile: As the options name it.
        given: The options of `client_options` and `sandbox_options`.
        ledger: Where answers are entered.
        judge: Answers for judges and endpoints, in place of those that the options describe.

    Raises:
        click.ClickException: An option is wrong, a judge cannot be reached, or the machine cannot
            isolate.
    """
    from graders.compile import Tools
    from graders.config.graders import EndpointConfig, walk

    models = judges(document) if judge is None else []
    endpoints = any(isinstance(part, EndpointConfig) for _, part in walk(document.grader))
    with (
        sandbox_for(document, given) as sandbox,
        embedding_profile(document, profile, given, ledger) as asking,
        clients_for(models, given, ledger, endpoints=endpoints) as (client, endpoint),
    ):
        yield Tools(sandbox=sandbox, client=judge or client, endpoint=judge or endpoint), asking


def row_format(rows: str | None, given: dict[str, Any]) -> RowFormat:
    """How lines become rows, as the options say.

    Raises:
        click.UsageError: They contradict each other.
    """
    from graders.row_files import RowFormat

    if rows == given["outputs"] == "-":
        raise click.UsageError("ROWS and --outputs cannot both be standard input.")
    if given["key"] and not given["outputs"]:
        raise click.UsageError("--key joins --outputs to the rows, and there is no --outputs.")
    return RowFormat(
        output=given["output"],
        outputs=Path(given["outputs"]) if given["outputs"] else None,
        key=given["key"],
        group_by=given["group_by"],
        columns=columns_of(given),
    )


def given_row(document: Document, rows: str | None, given: dict[str, Any]) -> Row | None:
    """The one row to grade without a file: from --sample, or from a run request.

    Raises:
        click.ClickException: The options contradict each other, or --item is no object.
    """
    from graders.config.graders import RunRequest
    from graders.rows import Row, to_sample
    from graders.strict_json import NotJSONError, decode

    if given["item"] is not None and given["sample"] is None:
        raise click.UsageError("--item stands beside --sample, and there is no --sample.")
    if given["sample"] is not None:
        if rows is not None:
            raise click.UsageError("--sample grades without a file; leave ROWS or --sample out.")
        try:
            item = decode(given["item"] or "{}")
        except NotJSONError as error:
            raise click.BadParameter(str(error), param_hint="--item") from None
        if not isinstance(item, dict):
            raise click.BadParameter("is not a JSON object", param_hint="--item")
        return Row(item=item, sample=to_sample(given["sample"]), row=1)
    if rows is None and isinstance(document.value, RunRequest):
        return document.value.row()
    return None


def with_threshold(
    document: Document, profile: Profile, threshold: float
) -> tuple[Document, Profile]:
    """The option wins over the config's own; for an Evals body it fills in what is missing."""
    from graders.config.graders import EvalConfig, LabelModelConfig, StringCheckConfig

    if not isfinite(threshold):
        raise click.BadParameter(f"{threshold} is not a number", param_hint="--pass-threshold")
    config = document.grader
    if isinstance(config, EvalConfig):
        return document, replace(profile, default_threshold=threshold)
    if isinstance(config, (StringCheckConfig, LabelModelConfig)):
        raise click.UsageError(f"--pass-threshold: a {config.type} passes at a score of 1.")
    changed = config.model_copy(update={"pass_threshold": threshold})
    return replace(document, kind="grader", value=changed), profile
