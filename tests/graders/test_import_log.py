"""`graders import`: a log of the openai package, as OPENAI_LOG=debug of 2.8 wrote one."""

import pytest
from sdk_asked import EXACT, request
from serving import jsonl

SDKS, OURS = (
    "[2026-11-26 14:22:04 - openai._base_client:482 - DEBUG] ",
    "DEBUG:openai._base_client:",
)
AROUND = """\
DEBUG:openai._base_client:Sending HTTP Request: POST http://127.0.0.1:45501/v1/evals
DEBUG:httpcore.http11:send_request_headers.started request=<Request [b'POST']>
[2026-11-26 14:34:01 - openai._base_client:1029 - DEBUG] Encountered httpx.HTTPStatusError
Traceback (most recent call last):
  File "_base_client.py", line 1027, in request
    response.raise_for_status()
"""
GRADED = "/fine_tuning/alpha/graders/run"


def told(body, url=GRADED, key="1", more=""):
    return (
        f"Request options: {{'method': 'post', 'url': {url!r}, 'headers': {{'Api-Key': 's3cret', "
        "'X': \"it's {'json_data'\"}, 'timeout': Timeout(connect=1, read=5, write=5, pool=5), "
        "'files': [('file', ('a', b\"it's {'\", None))], 'post_parser': <function f at 0x7f18>, "
        f"'idempotency_key': 'stainless-python-retry-{key}', 'json_data': {body!r}{more}}}\n"
    )


@pytest.mark.parametrize("before", [SDKS, OURS, "2026-11-26 14:22:04,123 ", ""])
def test_requests_in_a_log_are_taken(imported, before):
    """Whatever a formatter writes before them; a request that was tried again is one."""
    bodies = [request(EXACT, text) for text in ("4", "it's\n\x1b \"5\" \\ {'a", "é😀")]
    lines = [before + told(body, key=i) for i, body in enumerate(bodies)]
    code, said, files = imported((AROUND + "".join([*lines, *lines]) + AROUND).encode())

    assert code == 0
    assert said.startswith("found 3 run requests, 1 log\n")
    assert (
        "left out: dump0.json: 15 lines without a new request to evals, graders or fine-tuning\n"
    ) in said
    assert {name: files[name] for name in ("grader.json", "rows.jsonl")} == files
    assert files == imported(jsonl(*bodies), options=["--overwrite"])[2]


def test_what_is_asked_of_others_is_no_request_of_a_grader(imported):
    others = [
        told({"messages": [], "model": "m"}, url="/chat/completions"),
        told({"purpose": "evals"}, url="/files"),
        "Request options: {'method': 'get', 'url': '/evals/eval_1'}\n",
    ]
    log = AROUND + "".join([*others, told(request(EXACT), url=f"https://r.azure.com{GRADED}?a=b")])
    code, said, files = imported(log.encode())

    assert (code, len(files["rows.jsonl"])) == (0, 1)
    assert "dump0.json: 9 lines without" in said
    assert "it is Azure's" in said


@pytest.mark.parametrize(
    ("body", "url", "keys"),
    [
        (
            {"model": "m", "training_file": "file-1"},
            "/fine_tuning/jobs",
            "'model', 'training_file'",
        ),
        ({"name": "b"}, "/evals/eval_1", "'name'"),
        ([EXACT, {"a": 1}], "/evals/eval_1", "'a'"),
    ],
)
def test_requests_for_something_else_are_left_out_by_name(imported, body, url, keys):
    """An ordinary log has them, before and after a grader's."""
    others = [told(body, url=url, key=key) for key in "02"]
    code, said, files = imported(told(request(EXACT, "4")).join(others).encode())

    assert (code, len(files["rows.jsonl"])) == (0, 1)
    assert said.startswith("found 2 other requests, 1 run request, 1 log\n")
    why = f"the body of a request to {url!r} is an object with {keys}, and not an eval, "
    for line in (1, 3):
        assert f"  left out: dump0.json:{line}: {why}" in said


def test_what_is_sent_beside_a_body_is_of_it(imported):
    body = request(EXACT, "4")
    item = body.pop("item")
    log = AROUND + told(body, more=f", 'extra_json': {{'item': {item!r}}}")
    assert imported(log.encode())[2]["rows.jsonl"] == [{"item": item, "sample": "4"}]


CUT = told(request(EXACT))[:-3] + "\n"
BROKEN = told(request(EXACT)).replace("'wool'", "wool")
AT = BROKEN.index("'grader'") + 1


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (AROUND + CUT, "dump0.json:7: its request is cut off"),
        (
            AROUND + told({"a": 1}, url="/evals/eval_1"),
            "dump0.json:7: other request: the body of a request to '/evals/eval_1' is an object wi",
        ),
        (
            AROUND + told({**request(EXACT), "model_sample": 4}),
            "dump0.json:7: json_data.model_sample: is a number",
        ),
        (
            AROUND + BROKEN,
            f"dump0.json:7:{AT}: not JSON: it is what Python prints; write JSON: ",
        ),
        (AROUND + told({"a": 1}, url="/files"), "dump0.json: log: 7 lines without a new request"),
        (AROUND, "dump0.json:1:1: not JSON: Expecting value"),
        (jsonl(EXACT).decode() + told(request(EXACT)), "dump0.json:2:1: not JSON: "),
        (f'x "{told(request(EXACT))}', "dump0.json:1:1: not JSON: "),
        (
            f"{OURS}Building HTTP request: method=POST retries_taken=0\n{AROUND}",
            "dump0.json: this version of openai logs no bodies of requests. Write them as JSON: ",
        ),
    ],
)
def test_a_log_is_held_to_what_other_dumps_are(imported, log, message):
    code, said, files = imported(log.encode())

    assert (code, files) == (2, {})
    assert f"graders: {message}" in said
    assert "s3cret" not in said
