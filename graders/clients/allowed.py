"""An endpoint client that asks no host but those it is allowed to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graders.clients import EndpointClient
from graders.clients.endpoint import host_of
from graders.errors import FailureKind, GradingError
from sandbox import JSON


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Asks through another client, where the host is allowed.

    Attributes:
        client: What posts.
        hosts: `HOST`, which is any port of it, or `HOST:PORT`; lower case.
    """

    client: EndpointClient
    hosts: frozenset[str]

    async def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: JSON,
        *,
        per_second: float | None = None,
    ) -> JSON:
        """Post to an address of an allowed host.

        Raises:
            GradingError: `endpoint_grader_safety_check_error` for any other; or what the client
                raises.
        """
        host, port = host_of(url)
        if not {host, f"{host}:{port}"} & self.hosts:
            message = f"the endpoint's host {host!r:.80} is not allowed here"
            fix = f"Start the server with --allow-endpoint {host:.80}."
            raise GradingError(FailureKind.ENDPOINT_SAFETY, f"{message}. {fix}", "host")
        return await self.client.post(url, headers, body, per_second=per_second)
