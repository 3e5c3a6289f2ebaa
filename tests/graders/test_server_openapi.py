"""The OpenAPI document is one, has every route, and is true of what the server answers."""

import asyncio

import pytest
from asking import EXACT, asking

from graders.config.parse import parse_config
from graders.server.openapi import document
from graders.server.routes import ROUTES
from graders.server.schemas import EXAMPLES

DOCUMENT = document(ROUTES)
SERVED = {"exact": parse_config(EXACT)}


def operations():
    """Every operation, in the order of the routes: what is made first can be asked for."""
    for path, methods in DOCUMENT["paths"].items():
        yield from ((method, path, told) for method, told in methods.items())


def strings(value):
    """Every text in a JSON value, keys left out."""
    match value:
        case str():
            yield value
        case dict():
            for entry in value.values():
                yield from strings(entry)
        case list():
            for entry in value:
                yield from strings(entry)


def check_against(value, schema):
    import jsonschema  # of extra ci

    jsonschema.validate(value, schema)


def schema_of(content):
    (media,) = content.values()
    return {**media["schema"], "components": DOCUMENT["components"]}


@pytest.mark.needs("openapi_spec_validator")
def test_it_is_openapi_3_1():
    """By the published schema, and every reference leads somewhere."""
    from openapi_spec_validator import OpenAPIV31SpecValidator

    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_it_has_every_route_and_no_other():
    """So that a route cannot be forgotten."""
    said = {(method.upper(), path) for method, path, _ in operations()}

    assert said == {(route.method, route.path) for route in ROUTES}
    assert len(said) == len(ROUTES)


def test_it_leads_nowhere_else():
    """Tools that load it ask this server alone."""
    assert DOCUMENT["servers"] == [{"url": "/"}]
    assert [text for text in strings(DOCUMENT) if "://" in text and not text.startswith("^")] == []


def test_it_is_served():
    """As JSON, the same each time."""

    async def ask():
        async with asking() as client:
            return [(await client.get("/openapi.json")).json() for _ in range(2)]

    assert asyncio.run(ask()) == [DOCUMENT, DOCUMENT]


async def place(client, template):
    """The address of an operation, its parameters those of objects made for it."""
    path, done = "", ""
    for part in template.split("/")[1:]:
        if part == "{name}":  # of a grader that is served
            path += "/exact"
        elif part.startswith("{"):
            path += f"/{await made(client, path, done)}"
        else:
            path += f"/{part}"
        done += f"/{part}"
    return path


async def made(client, path, template):
    """The id of something at an address: where nothing can be made, it comes of itself."""
    methods = DOCUMENT["paths"][template]
    if "post" in methods:
        return (await send(client, "post", path, methods["post"])).json()["id"]
    while (first := (await client.get(path)).json()["first_id"]) is None:
        pass
    return first


async def send(client, method, path, told, body=None):
    """Ask with the operation's own example, or with another body."""
    if "requestBody" not in told:
        return await client.request(method.upper(), path)
    ((kind, media),) = told["requestBody"]["content"].items()
    body = media["example"] if body is None else body
    if "training_file" in body:
        upload = DOCUMENT["paths"]["/v1/files"]["post"]
        file = {**EXAMPLES["FileUpload"], "purpose": "fine-tune"}
        told = await send(client, "post", "/v1/files", upload, file)
        body = {**body, "training_file": told.json()["id"]}
    if kind == "application/json":
        return await client.request(method.upper(), path, json=body)
    fields = {**body}
    files = {"file": ("rows.jsonl", fields.pop("file", ""))}
    return await client.request(method.upper(), path, data=fields, files=files)


async def asked(method, path, told, body=None):
    """Send a request to a server of its own."""
    async with asking(graders=SERVED) as client:
        return await send(client, method, await place(client, path), told, body)


@pytest.mark.needs("jsonschema")
@pytest.mark.parametrize(
    ("method", "path", "told"), [pytest.param(*one, id=" ".join(one[:2])) for one in operations()]
)
def test_what_it_gives_as_an_example_is_answered_as_it_says(method, path, told):
    """And the example is what it says a body is."""
    if "requestBody" in told:
        (media,) = told["requestBody"]["content"].values()
        check_against(media["example"], schema_of(told["requestBody"]["content"]))

    answer = asyncio.run(asked(method, path, told))

    if answer.status_code == 400:  # what is cancelled may have ended before
        assert answer.json()["error"]["code"] in {"run-ended", "ended", "dry-run"}
        return
    content = told["responses"][str(answer.status_code)]["content"]
    (kind,) = content
    assert answer.headers["content-type"] == kind
    if kind == "application/json":
        check_against(answer.json(), schema_of(content))


@pytest.mark.needs("jsonschema")
@pytest.mark.parametrize(
    ("method", "path", "told"),
    [pytest.param(*one, id=" ".join(one[:2])) for one in operations() if "requestBody" in one[2]],
)
def test_what_is_wrong_is_answered_as_it_says(method, path, told):
    """With the status of a mistake."""
    answer = asyncio.run(asked(method, path, told, body={"name": 1}))

    assert answer.status_code == 400
    check_against(answer.json(), schema_of(told["responses"]["default"]["content"]))
