"""`graders serve`: the hosted API on this machine."""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from graders.cli.clients import client_options, server_client
from graders.cli.options import chosen_profile, profile_options, show_findings
from graders.cli.sandbox import sandbox_options, server_sandbox

if TYPE_CHECKING:
    from graders.clients import EndpointClient
    from graders.config.parse import Document
    from graders.server.settings import Rewards, Settings

_EPILOG = """\b
Examples:
  graders serve
  graders serve --port 9000 --grader exact=grader.json
  graders serve --base-url http://localhost:8080/v1 --cache kept.db
  graders serve --allow-endpoint graders.example.com
  graders serve --port 5000 --grader exact=grader.json --failed-reward -1
  GRADERS_TOKEN=... graders serve --host 0.0.0.0

\b
The SDKs need no other change than the address:
  OPENAI_BASE_URL=http://127.0.0.1:8000/v1 python your_script.py

Other machines may ask only with the token in GRADERS_TOKEN, which is what
the SDKs call the api_key.

\b
Ctrl-C or SIGTERM stops the server: what is under way has 5 seconds to end, or
no more than to a second Ctrl-C. The exit code is then 0.
"""

_TOKEN: Final = "GRADERS_TOKEN"  # noqa: S105 - its name
_SHORTEST_TOKEN: Final = 16
_HOST: Final = re.compile(r"(?:\[([0-9a-f:.]+)\]|([\w.-]+))(:\d{1,5})?|([0-9a-f:.]+)")
_BEARABLE: Final = re.compile(r"[!-~]+")
_BEARABLE_SAID: Final = "visible ASCII is wanted, without spaces."
_WORKERS_A_CORE: Final = 4
"""Sandboxes at work for each core: a grader that sleeps must not hold up those of others."""


@click.command(epilog=_EPILOG)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port; 0 takes any that is free.",
)
@click.option(
    "--grader",
    "graders",
    metavar="NAME=CONFIG",
    multiple=True,
    help="Serve this grader by name, at /endpoint/NAME, and to /grade and /get_reward.",
)
@click.option(
    "--failed-reward",
    type=float,
    metavar="NUMBER",
    help="The reward at /get_reward of what has no score; without, it is an error there.",
)
@click.option(
    "--end-token",
    "end_tokens",
    metavar="TEXT",
    multiple=True,
    help="Take this off the end of responses at /get_reward, and not the usual ones.",
)
@click.option(
    "--allow-endpoint",
    "endpoints",
    metavar="HOST[:PORT]",
    multiple=True,
    help="Endpoint graders may ask this host; no other is asked.",
)
@click.option(
    "--at-once",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    metavar="N",
    help="Requests under way at a time; more get a 503.",
)
@click.option(
    "--warm",
    type=click.IntRange(min=1),
    default=16,
    show_default=True,
    metavar="N",
    help="Python graders kept warm; the least recently used goes.",
)
@click.option(
    "--for",
    "target",
    type=click.Choice(["openai-rft", "azure-rft"]),
    default="openai-rft",
    show_default=True,
    help="The service whose limits fine-tuning jobs are held to.",
)
@client_options
@sandbox_options
@profile_options
def command(**given: Any) -> int:
    """Serve the hosted graders API, and evals, files and jobs, on this machine."""
    from graders.server.transport.serving import check_packages

    check_packages()
    given["host"] = given["host"].strip("[]")  # as an address with a port has it
    sock = _listening(given["host"], given["port"])
    with sock, _settings(given) as settings:
        return _serve(settings, sock)


def _listening(host: str, port: int) -> socket.socket:
    """A socket at the address.

    Raises:
        click.ClickException: It cannot be listened at, or others could ask without a token.
    """
    if not _is_loopback(host) and _token() is None:
        raise click.UsageError(
            f"--host {host} lets other machines ask; set {_TOKEN} to what they must know."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        problem = (error.strerror or str(error)).partition(" (while ")[0]
        if error.errno == errno.EADDRINUSE:
            problem += "; give another --port, or 0 for any that is free"
        raise click.ClickException(f"cannot listen at {host}, port {port}: {problem}") from None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def _token() -> str | None:
    """What requests must bear.

    Raises:
        click.UsageError: It could be guessed, or could not be sent.
    """
    token = os.environ.get(_TOKEN)
    if token is None:
        return None
    if len(token) < _SHORTEST_TOKEN:
        raise click.UsageError(
            f"{_TOKEN} has {len(token)} characters, and must have {_SHORTEST_TOKEN} or more; "
            "`openssl rand -hex 16` makes one."
        )
    if not _BEARABLE.fullmatch(token):
        raise click.UsageError(f"{_TOKEN} has characters that no header can bear: {_BEARABLE_SAID}")
    return token


@contextmanager
def _settings(given: dict[str, Any]) -> Iterator[Settings]:
    """What the options set the server up with."""
    from graders.compile import Tools, compile_grader
    from graders.ledger import Ledger
    from graders.server.settings import Limits, Settings

    rewards = _rewards(given["failed_reward"], given["end_tokens"])
    profile = chosen_profile(given["profile_name"], given["settings"], base_url=given["base_url"])
    cores = os.cpu_count() or 1
    with (
        server_client(given, Ledger()) as client,
        server_sandbox(given, workers=cores * _WORKERS_A_CORE, idle=given["warm"]) as sandbox,
    ):
        endpoint = _endpoint_client(given["endpoints"])
        tools = Tools(sandbox=sandbox, client=client, endpoint=endpoint)
        graders = dict(map(_named, given["graders"]))
        for document in graders.values():
            compile_grader(document, tools=tools, profile=profile)  # to complain now
        yield Settings(
            tools=tools,
            profile=profile,
            graders=graders,
            token=_token(),
            target=given["target"],
            hosts=_hosts(given["host"]),
            rewards=rewards,
            limits=Limits(at_once=given["at_once"]),
        )


def _rewards(failed: float | None, end_tokens: Sequence[str]) -> Rewards:
    """How trainers are answered.

    Raises:
        click.BadParameter: A reward that is no number, or a token that is no text.
    """
    from graders.server.settings import Rewards

    if failed is not None and not isfinite(failed):
        raise click.BadParameter(f"{failed} is not a number", param_hint="--failed-reward")
    if "" in end_tokens:
        raise click.BadParameter("a token has one character at least", param_hint="--end-token")
    return Rewards(failed=failed, end_tokens=tuple(end_tokens) or Rewards().end_tokens)


def _endpoint_client(hosts: Sequence[str]) -> EndpointClient:
    from graders.clients.allowed import AllowedHosts
    from graders.clients.endpoint import HttpEndpoint

    return AllowedHosts(HttpEndpoint(), frozenset(map(_allowed, hosts)))


def _allowed(host: str) -> str:
    """A host, or a host and a port, as `AllowedHosts` has them.

    Example:
        >>> _allowed("Graders.example:81"), _allowed("[::1]:81"), _allowed("::1")
        ('graders.example:81', '::1:81', '::1')

    Raises:
        click.BadParameter: It is neither.
    """
    match = _HOST.fullmatch(host.lower())
    if match is None:
        problem = f"{host!r} is not HOST or HOST:PORT"
        raise click.BadParameter(problem, param_hint="--allow-endpoint")
    return "".join(part or "" for part in match.groups())


def _named(setting: str) -> tuple[str, Document]:
    """A grader that is served by name.

    Raises:
        click.BadParameter: It is not NAME=CONFIG.
        ConfigError: The config cannot be used.
    """
    from graders.config.parse import load_config

    name, equals, path = setting.partition("=")
    if not name or not equals or not Path(path).is_file():
        problem = f"{setting!r} is not NAME=CONFIG, where CONFIG is a file"
        raise click.BadParameter(problem, param_hint="--grader")
    document = load_config(Path(path))
    show_findings(document.findings)
    return name, document


def _hosts(host: str) -> frozenset[str]:
    """The names that a server at an address is called by; empty where any will do."""
    if not _is_loopback(host):
        return frozenset()
    return frozenset({host, "localhost", "127.0.0.1", "::1"})


def _serve(settings: Settings, sock: socket.socket) -> int:
    """Serve until Ctrl-C or SIGTERM; returns the exit code."""
    from graders.server.app import create_app
    from graders.server.transport.serving import serve

    answered = serve(create_app(settings), sock, lambda: click.echo(f"serving {_url(sock)}"))
    return 0 if answered else 1


def _url(sock: socket.socket) -> str:
    """The address that the SDKs take.

    Example:
        >>> with socket.create_server(("127.0.0.1", 0)) as sock:
        ...     _url(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}/v1"
        True
    """
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"
