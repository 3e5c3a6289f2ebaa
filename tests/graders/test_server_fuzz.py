"""Whatever is sent, the answer is JSON with a 4xx at worst, and the server goes on.

One server, as the command starts it, answers all of this file; at its end it must have logged no
traceback. `GRADERS_THOROUGH=1` asks more.
"""

import json
import os
import random
import threading
from pathlib import Path

import httpx2
import pytest
from hostile_bodies import BODIES, EXCHANGES, HEADERS, PATHS, exchange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served import server_process

from graders.server.openapi import document
from graders.server.routes import ROUTES
from graders.server.schemas import EXAMPLES

pytestmark = [pytest.mark.needs("schemathesis"), pytest.mark.needs("/proc/self/stat")]

DOCUMENT = document(ROUTES)
EXAMPLES_EACH = 100 if os.environ.get("GRADERS_THOROUGH") == "1" else 15
OVERLOAD, TOO_SLOW = 503, 504
MOMENT_SECONDS = 1.0
REPEATABLE = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=EXAMPLES_EACH,
    suppress_health_check=[*HealthCheck],
)
JSON_POSTS = [
    route for route in ROUTES if route.method == "POST" and route.body not in {None, "FileUpload"}
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address and the process id of a server with a judge, a sandbox and a grader, exact."""
    config = tmp_path_factory.mktemp("served") / "exact.json"
    config.write_text(json.dumps(EXAMPLES["GraderRequest"]["grader"]))
    with server_process("--client", "served:Judge", "--grader", f"exact={config}") as (url, pid):
        yield url.removesuffix("/v1"), pid


@pytest.fixture(scope="module")
def url(server):
    return server[0]


@pytest.fixture(scope="module")
def client(url):
    with httpx2.Client(base_url=url, timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def ids(client):
    """Of something that is there, for each parameter of a path."""
    found = {"name": "exact"}
    for name, path, body in [
        ("eval", "/v1/evals", "EvalRequest"),
        ("run", "/v1/evals/{eval}/runs", "EvalRunRequest"),
    ]:
        found[name] = client.post(path.format(**found), json=EXAMPLES[body]).json()["id"]
    form = {"data": {"purpose": "fine-tune"}, "files": {"file": b'{"messages": []}'}}
    found["file"] = client.post("/v1/files", **form).json()["id"]
    job = {**EXAMPLES["JobRequest"], "training_file": found["file"]}
    found["job"] = client.post("/v1/fine_tuning/jobs", json=job).json()["id"]
    return found


def check(answer):
    """The law of this file. A refusal has the error's shape and shows no inside of ours."""
    status = answer.status_code
    assert status < 500 or status in {OVERLOAD, TOO_SLOW}, answer.text
    if status >= 400:
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
        assert "Traceback" not in answer.text


@pytest.fixture(scope="module")
def check_alive(server):
    """It answers, and computes for others no longer than a moment meanwhile.

    That is the time of its own process, which is the same however busy the machine is.
    """
    stat, ticks = Path(f"/proc/{server[1]}/stat"), os.sysconf("SC_CLK_TCK")

    def computed():
        times = stat.read_text().rpartition(")")[2].split()[11:13]  # of users and of the system
        return sum(map(int, times)) / ticks

    def check(client):
        before = computed()
        assert client.get("/health").json() == {"status": "ok"}
        assert computed() - before < MOMENT_SECONDS

    return check


def post(client, path, content, kind="application/json"):
    return client.post(path, content=content, headers={"content-type": kind})


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_what_the_document_lets_one_ask(url, client, ids, route, check_alive):
    """And a little more: schemathesis breaks the schemas, too."""
    import schemathesis
    from schemathesis import GenerationMode

    operation = schemathesis.openapi.from_dict(DOCUMENT)[route.path][route.method]
    modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @REPEATABLE
    @given(case=st.one_of(modes), of_ours=st.booleans())
    def asked(case, of_ours):
        if of_ours and route.method != "DELETE":  # what is not there has but one answer
            case.path_parameters |= {name: ids.get(name, "x") for name in case.path_parameters}
        answer = case.call(base_url=url)
        assert answer.status_code < 500 or answer.status_code in {OVERLOAD, TOO_SLOW}, answer.text
        case.validate_response(answer, checks=[schemathesis.checks.response_schema_conformance])

    asked()
    check_alive(client)


@pytest.mark.parametrize("route", JSON_POSTS, ids=lambda route: route.path)
def test_random_bytes(client, ids, route, check_alive):
    """Called JSON, or whatever else."""
    path = route.path.format(**ids)

    @REPEATABLE
    @given(content=st.binary(max_size=200), kind=st.sampled_from(["application/json", "x", "a/b"]))
    def asked(content, kind):
        answer = post(client, path, content, kind)
        check(answer)
        assert answer.status_code >= 400

    asked()
    check_alive(client)


NUMBERS = st.sampled_from(
    ["NaN", "-Infinity", "1e999", "-0", "9" * 5_000, "1e-999", "0." + "9" * 400]
)
TEXTS = st.text() | st.sampled_from(
    ["\ud800", "\0", "{{ item.answer }}", "{{", "\x1b[31m", "../.."]
)
SCRAPS = st.recursive(
    NUMBERS | TEXTS.map(json.dumps) | st.sampled_from(["null", "true", '{"a":1,"a":2}', "[", "}"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: f"[{','.join(parts)}]")
        | st.dictionaries(TEXTS.map(json.dumps), inner, max_size=3).map(
            lambda pairs: "{" + ",".join(f"{key}:{value}" for key, value in pairs.items()) + "}"
        )
    ),
    max_leaves=5,
)
"""Almost JSON: every odd number and text, keys that stand twice, brackets that do not close."""


def places(value, here=()):
    """Where something could stand in another's stead, in a JSON value."""
    yield here
    match value:
        case dict():
            for key, entry in value.items():
                yield from places(entry, (*here, key))
        case list():
            for i, entry in enumerate(value):
                yield from places(entry, (*here, i))


def replaced(value, place, mark):
    if not place:
        return mark
    copy = value.copy()
    copy[place[0]] = replaced(value[place[0]], place[1:], mark)
    return copy


@pytest.mark.parametrize("route", JSON_POSTS, ids=lambda route: route.path)
def test_good_bodies_with_something_else_in_one_place(client, ids, route, check_alive):
    """So that what is behind the first look is met as well."""
    path, body, mark = route.path.format(**ids), {**EXAMPLES[route.body]}, "in another's stead"
    if "training_file" in body:
        body["training_file"] = ids["file"]

    @REPEATABLE
    @given(place=st.sampled_from([*places(body)]), scrap=SCRAPS)
    def asked(place, scrap):
        text = json.dumps(replaced(body, place, mark)).replace(json.dumps(mark), scrap)
        check(post(client, path, text.encode("utf-8", "surrogatepass")))

    asked()
    check_alive(client)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "utf-7"])
def test_other_encodings(client, encoding):
    """JSON is UTF-8."""
    answer = post(client, "/grade", json.dumps(EXAMPLES["BatchRequest"]).encode(encoding))

    check(answer)
    assert answer.status_code == (200 if encoding == "utf-7" else 400)  # which is ASCII here


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "OPTIONS", "TRACE"])
def test_paths_that_lead_nowhere(client, method, path):
    """Ids that are none, folders, control characters."""
    answer = client.request(method, path)

    check(answer)
    assert answer.status_code >= 400


@pytest.mark.parametrize("headers", HEADERS, ids=lambda headers: repr(headers)[:40])
def test_absurd_headers(client, headers, check_alive):
    """Of bodies, of forms, and of no use."""
    for path in ("/grade", "/v1/files"):
        check(client.post(path, content=b"{}", headers=headers))
    check_alive(client)


@pytest.mark.parametrize("limit", ["-1", "0", "9" * 4_000, "1e3", "NaN", "", "٣", "1 ", "0x10"])
def test_limits_that_are_no_number_of_ours(client, limit):
    """Wherever a list is cut into pages."""
    lists = [route.path for route in ROUTES if "limit" in route.query and "{" not in route.path]
    for path in lists:
        answer = client.get(path, params={"limit": limit})
        check(answer)
        assert answer.status_code == 400

    assert "/v1/files" in lists


def test_forms_with_bytes_changed(client, check_alive):
    """Boundaries, headers and file alike."""
    form = (
        b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nevals\r\n'
        b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n{}\r\n--b--\r\n'
    )
    chance = random.Random(8)
    for _ in range(8 * EXAMPLES_EACH):
        changed = bytearray(form)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(changed))
            changed[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        check(post(client, "/v1/files", bytes(changed), "multipart/form-data; boundary=b"))
    check_alive(client)


@pytest.mark.parametrize(("path", "body"), BODIES.values(), ids=BODIES)
def test_others_are_answered_beside_what_takes_all_the_time_it_can(
    client, url, path, body, check_alive
):
    """A megabyte at most, made to be as much work as it can be."""
    content = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    assert len(content) <= 1_000_000
    answers = []
    asking = threading.Thread(target=lambda: answers.append(post(client, path, content)))
    asking.start()
    with httpx2.Client(base_url=url, timeout=120) as another:
        while asking.is_alive():
            check_alive(another)
            asking.join(0.02)

    check(answers[0])


@pytest.mark.parametrize("data", EXCHANGES.values(), ids=EXCHANGES)
def test_what_is_no_http(client, url, data, check_alive):
    """Lengths that lie, and bodies that break off, over a bare socket."""
    status = exchange(url, data)

    assert status is None or 400 <= status < 500
    check_alive(client)
