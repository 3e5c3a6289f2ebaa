"""Options of the commands that ask models, and the clients that they describe."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args, get_type_hints
from urllib.parse import urlsplit

import click

from graders.cli.options import note
from graders.cli.user_object import user_client

if TYPE_CHECKING:
    from graders.clients import EndpointClient, ModelClient
    from graders.clients.wire import Wire
    from graders.config.graders import AnyConfig
    from graders.config.parse import Document
    from graders.ledger import Ledger

F = TypeVar("F", bound=Callable[..., object])

_SERVER_OPTIONS: Final[Mapping[str, str]] = {
    "base_url": "--base-url",
    "in_flight": "--in-flight",
    "requests_per_minute": "--rpm",
    "tokens_per_minute": "--tpm",
    "retries": "--retries",
    "timeout_seconds": "--timeout",
    "wire": "--wire",
}
"""What the built-in client is set up with, by its own names."""
_ENVIRONMENT: Final = ("OPENAI_API_KEY", "OPENAI_BASE_URL")
_ANSWERS = click.Path(dir_okay=False, path_type=Path)

_OPTIONS: Final = (
    click.option(
        "--base-url",
        metavar="URL",
        help="Server of the models: http://localhost:8080/v1. OPENAI_API_KEY is sent to it.",
    ),
    click.option(
        "--client", "user_client", metavar="MODULE:NAME", help="Ask this object of yours."
    ),
    click.option(
        "--replay",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Answer from a recording, without a network.",
    ),
    click.option("--record", type=_ANSWERS, metavar="FILE", help="Record answers for --replay."),
    click.option(
        "--cache", type=_ANSWERS, metavar="FILE", help="Keep answers here, and ask nothing twice."
    ),
    click.option("--budget-usd", type=float, metavar="X", help="Stop when about $X are spent."),
    click.option(
        "--budget-tokens",
        type=click.IntRange(min=1),
        metavar="N",
        help="Stop when N tokens are spent.",
    ),
    click.option(
        "--in-flight",
        type=click.IntRange(min=1),
        metavar="N",
        help="Requests under way at a time.  [default: 64]",
    ),
    click.option(
        "--rpm",
        "requests_per_minute",
        type=click.FloatRange(min=0, min_open=True),
        metavar="N",
        help="Requests a minute.",
    ),
    click.option(
        "--tpm",
        "tokens_per_minute",
        type=click.FloatRange(min=0, min_open=True),
        metavar="N",
        help="Tokens a minute.",
    ),
    click.option(
        "--retries",
        type=click.IntRange(min=0),
        metavar="N",
        help="Times to send again what a server drops or refuses.  [default: 6]",
    ),
    click.option(
        "--timeout",
        "timeout_seconds",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        help="How long one try may go without a byte.  [default: 600]",
    ),
    click.option(
        "--wire",
        multiple=True,
        metavar="KEY=VALUE",
        help="What an older server wants: max_tokens=max_tokens developer=system "
        "format=json_object.",
    ),
)


def client_options(command: F) -> F:
    """The options of `clients_for`, for commands that ask models."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@contextmanager
def clients_for(
    models: Collection[str], given: Mapping[str, Any], ledger: Ledger, *, endpoints: bool = False
) -> Iterator[tuple[ModelClient | None, EndpointClient | None]]:
    """The clients that a command needs; says whom they ask, and closes their files at the end.

    Connections close with the event loop that used them.

    Args:
        models: The names of the models to be asked; none, and there is no model client.
        given: The command's options, and under `paid` the file of a run's own answers.
        ledger: Where answers are entered.
        endpoints: Whether endpoint graders are to be asked.

    Raises:
        click.ClickException: An option is wrong, or none says how to reach a model.
        GradersError: A file of answers cannot be used, or a budget not kept.
    """
    with ExitStack() as stack:
        client = _model_client(sorted(models), given, ledger, stack) if models else None
        yield client, _endpoint_client() if endpoints else None


@contextmanager
def server_client(given: Mapping[str, Any], ledger: Ledger) -> Iterator[ModelClient | None]:
    """The client for whatever models the requests to a server name; None where there is none.

    Raises:
        click.ClickException: An option is wrong.
        GradersError: A file of answers cannot be used.
    """
    options = given["user_client"] or given["replay"] or _chosen(given)
    if not options and not any(os.environ.get(name) for name in _ENVIRONMENT):
        yield None
        return
    if given["budget_usd"] is not None:
        raise click.UsageError(
            "--budget-usd goes by the prices of models, and which ones a server is asked for is "
            "not known; --budget-tokens bounds any of them."
        )
    with ExitStack() as stack:
        yield _model_client(["judges"], given, ledger, stack)


def _endpoint_client() -> EndpointClient:
    from graders.clients.endpoint import HttpEndpoint

    return HttpEndpoint()


def _model_client(
    models: list[str], given: Mapping[str, Any], ledger: Ledger, stack: ExitStack
) -> ModelClient:
    from graders.clients.budget import Budgeted, refuse_unpriced
    from graders.clients.cache import Cached
    from graders.clients.paid import PaidOnce
    from graders.clients.replay import Recording
    from graders.clients.scrubbed import Scrubbed

    _refuse_contradictions(given)
    connection, source, identity = _connection(models, given)
    ledger.base_url = getattr(connection, "base_url", "")
    if given["budget_usd"] is not None:
        refuse_unpriced(models, ledger.base_url)
    client: ModelClient = Scrubbed(connection, _secrets())
    if given["cache"]:
        cached = Cached(client, given["cache"], identity=identity)
        client = stack.enter_context(closing(cached))
    elif given.get("paid") and not given["replay"]:
        paid = PaidOnce(client, given["paid"], identity=identity)
        client = stack.enter_context(closing(paid))
    if given["record"]:
        client = stack.enter_context(closing(Recording(client, given["record"])))
    budget = {"usd": given["budget_usd"], "tokens": given["budget_tokens"]}
    note(f"asking {', '.join(models)} {source}")
    return Budgeted(client, ledger, **budget, in_flight=given["in_flight"])


def embeddings_client(
    model: str, given: Mapping[str, Any], ledger: Ledger
) -> tuple[ModelClient, str]:
    """The client that an embeddings model is asked through, and whose answers a cache keeps.

    Says whom it asks.

    Raises:
        click.UsageError: An option is given that embeddings do not go by.
        GradersError: A budget cannot be kept.
    """
    from graders.clients.budget import Budgeted, refuse_unpriced
    from graders.clients.scrubbed import Scrubbed

    options = {"replay": "--replay", "record": "--record", "user_client": "--client"}
    if wrong := [option for name, option in options.items() if given[name]]:
        raise click.UsageError(
            f"cosine=server:{model} asks a server for embeddings, which {', '.join(wrong)} does "
            "not cover; leave it out (--cache keeps vectors), or choose another cosine."
        )
    _refuse_contradictions(given)
    connection, source, identity = _server(_chosen(given))
    ledger.base_url = getattr(connection, "base_url", "")
    if given["budget_usd"] is not None:
        refuse_unpriced([model], ledger.base_url)
    budget = {"usd": given["budget_usd"], "tokens": given["budget_tokens"]}
    note(f"asking {model} {source} for embeddings")
    client = Scrubbed(connection, _secrets())
    return Budgeted(client, ledger, **budget, in_flight=given["in_flight"]), identity


def _refuse_contradictions(given: Mapping[str, Any]) -> None:
    server = [_SERVER_OPTIONS[name] for name in _chosen(given)]
    if given["replay"]:
        more = [f"--{name}" for name in ("cache", "record") if given[name]]
        server += (["--client"] if given["user_client"] else []) + more
        if server:
            raise click.UsageError(f"--replay answers from a file; leave out {', '.join(server)}.")
    server = [option for option in server if option != "--in-flight"]  # a bound of ours
    if given["user_client"] and server:
        raise click.UsageError(
            f"--client asks an object of yours, and {', '.join(server)} would set up ours."
        )
    usd = given["budget_usd"]
    if usd is not None and not 0 < usd < float("inf"):
        raise click.BadParameter("is not an amount of dollars above 0", param_hint="--budget-usd")


def _connection(models: list[str], given: Mapping[str, Any]) -> tuple[ModelClient, str, str]:
    """What is asked in the end, the same in words, and whose answers a cache takes them for."""
    if given["replay"]:
        from graders.clients.replay import Replay

        return Replay(given["replay"]), f"in the recording {given['replay']}", ""
    if place := given["user_client"]:
        client = user_client(place)
        identity = getattr(client, "identity", "")  # of ours, set up by the user
        return client, f"through {place}", f"client:{place} {identity}".rstrip()
    chosen = _chosen(given)
    if not chosen and not any(os.environ.get(name) for name in _ENVIRONMENT):
        raise click.UsageError(
            f"there is no way to ask {', '.join(map(repr, models))}. One of three: set "
            "OPENAI_API_KEY (and OPENAI_BASE_URL), or give --base-url URL for a server of your "
            "own, or give --client MODULE:NAME or --replay FILE."
        )
    return _server(chosen)


def _chosen(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in _SERVER_OPTIONS if given[name] not in {None, ()}}


def _server(chosen: dict[str, Any]) -> tuple[ModelClient, str, str]:
    from graders.clients.openai_compatible import OpenAICompatible

    if "wire" in chosen:
        chosen["wire"] = _wire(chosen["wire"])
    client = OpenAICompatible(**chosen, notify=note)
    if os.environ.get("OPENAI_API_KEY") and _can_be_overheard(client.base_url):
        note(f"OPENAI_API_KEY goes to {client.base_url} unencrypted; use https if it is a secret")
    return client, f"at {client.base_url}", client.identity


def _can_be_overheard(url: str) -> bool:
    """Whether what is sent to an address leaves the machine in the clear.

    Example:
        >>> [_can_be_overheard(f"{at}/v1") for at in ("http://a", "https://a", "http://127.0.0.2")]
        [True, False, False]
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:  # a name
        return True


def _wire(settings: tuple[str, ...]) -> Wire:
    """The wire format that `--wire` describes."""
    from graders.clients.wire import Wire

    choices = {key: get_args(hint) for key, hint in get_type_hints(Wire).items()}
    chosen: dict[str, Any] = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        if value not in choices.get(key, ()):
            known = "; ".join(f"{name}={'|'.join(values)}" for name, values in choices.items())
            raise click.BadParameter(f"{setting!r} is none of {known}", param_hint="--wire")
        chosen[key] = value
    return Wire(**chosen)


def _secrets() -> list[str]:
    return [value for name, value in os.environ.items() if name.endswith("_API_KEY")]


def judges(document: Document) -> list[str]:
    """The models that a config's graders ask, each once, in order."""
    from graders.config.graders import LabelModelConfig, ScoreModelConfig, walk

    asking = (LabelModelConfig, ScoreModelConfig)
    parts = (part for _, part in walk(document.grader))
    return list(dict.fromkeys(part.model for part in parts if isinstance(part, asking)))


def with_judge(document: Document, model: str) -> Document:
    """The same config with another model in the place of every judge.

    Raises:
        click.UsageError: It has no judge.
    """
    if not judges(document):
        raise click.UsageError(f"--judge {model}: no grader of the config asks a model.")
    config = _swapped(document.grader, model)
    return replace(document, kind="eval" if document.kind == "eval" else "grader", value=config)


def _swapped(config: AnyConfig, model: str) -> Any:
    from graders.config.graders import EvalConfig, LabelModelConfig, MultiConfig, ScoreModelConfig

    match config:
        case ScoreModelConfig() | LabelModelConfig():
            return config.model_copy(update={"model": model})
        case MultiConfig():
            members = {key: _swapped(part, model) for key, part in config.graders.items()}
            return config.model_copy(update={"graders": members})
        case EvalConfig():
            criteria = tuple(_swapped(part, model) for part in config.testing_criteria)
            return config.model_copy(update={"testing_criteria": criteria})
        case _:
            return config
