"""`--engine ray`: options of the command that has shards graded elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from graders.cli.clients import judges
from graders.cli.embeddings import asks_embeddings
from graders.cli.sandbox import sandbox_opener

if TYPE_CHECKING:
    from graders.config.parse import Document
    from graders.grades import Grader
    from graders.profile import Profile
    from graders.rows import Row

F = TypeVar("F", bound=Callable[..., object])


def engine_options(command: F) -> F:
    """`--engine --address`."""
    command = click.option(
        "--address",
        metavar="ADDRESS",
        help="A Ray cluster: HOST:PORT, ray://HOST:PORT, or auto.  [default: start one here]",
    )(command)
    return click.option(
        "--engine",
        type=click.Choice(["local", "ray"]),
        default="local",
        show_default=True,
        help="Who grades: processes of this machine, or tasks of a Ray cluster.",
    )(command)


def check_engine(
    document: Document, profile: Profile, row: Row | None, given: Mapping[str, Any]
) -> None:
    """Refuse what a cluster is not for.

    Raises:
        click.UsageError: The options contradict each other, or the grader.
    """
    if given["engine"] == "local":
        if given["address"] is not None:
            raise click.UsageError("--address is of a cluster; say --engine ray, too.")
        return
    if row is not None:
        raise click.UsageError("--engine ray is for a file of rows, and there is one sample.")
    if given["limit"] is not None:
        raise click.UsageError("--engine ray: --limit counts rows one by one; leave one out.")
    if _asks(document, profile):
        raise click.UsageError(
            "--engine ray: this grader asks a model or a service, whose limits one process "
            "reaches and keeps; leave --engine out."
        )


def _asks(document: Document, profile: Profile) -> bool:
    from graders.config.graders import EndpointConfig, walk

    endpoints = any(isinstance(part, EndpointConfig) for _, part in walk(document.grader))
    return bool(endpoints or judges(document) or asks_embeddings(document, profile))


def node_recipe(
    document: Document, profile: Profile, given: Mapping[str, Any]
) -> Callable[[], Grader]:
    """What makes a grader on a node, with a sandbox of its own where it runs Python."""
    from graders.cluster.node import with_sandbox
    from graders.compile import compile_grader

    opener = sandbox_opener(document, given, workers=1)  # a task has one processor
    if opener is None:
        return partial(compile_grader, document, profile=profile)
    return partial(with_sandbox, document, profile, opener)
