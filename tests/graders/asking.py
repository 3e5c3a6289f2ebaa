"""Asks a server without a network: requests go to the application itself."""

import json
from contextlib import asynccontextmanager

import httpx2

from graders.server.app import create_app
from graders.server.settings import Settings

RUN = "/v1/fine_tuning/alpha/graders/run"
VALIDATE = "/v1/fine_tuning/alpha/graders/validate"
EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
}
SIMILAR = {
    "type": "text_similarity",
    "name": "similar",
    "evaluation_metric": "fuzzy_match",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
}


@asynccontextmanager
async def asking(**settings):
    """A client of a server with these settings."""
    app = create_app(Settings(**settings))
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client


async def post(path, body, **settings):
    """Send one body to a server of its own; gives the status and the JSON of the answer."""
    async with asking(**settings) as client:
        answer = await client.post(path, json=body)
        return answer.status_code, json.loads(answer.content)
