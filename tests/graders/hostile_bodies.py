"""What the server's fuzz test sends: bodies odd paths and headers, and what is no HTTP."""

import json
import random
import socket
from urllib.parse import urlsplit

from asking import EXACT, RUN, SIMILAR, VALIDATE

_JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4.1-2025-04-14",
    "input": [{"role": "user", "content": "x"}],
}
_LABEL = {**_JUDGE, "type": "label_model", "labels": ["a", "b"], "passing_labels": ["a"]}
_PLAIN = "def grade(sample, item): return 1.0"
_WRONG = {**EXACT, "operation": "neq"}
_LONG = " ".join(map(str, random.Random(8).choices(range(1_000), k=100_000)))


def _run(grader, sample="x", **item):
    return RUN, {"grader": grader, "model_sample": sample, "item": item or {"answer": "x"}}


def _source(source):
    return VALIDATE, {"grader": {"type": "python", "name": "p", "source": f"{source}\n{_PLAIN}"}}


def _multi(members, formula):
    return _run({"type": "multi", "name": "m", "graders": members, "calculate_output": formula})


def _batch(grader, rows, detail="all"):
    return "/grade", {"grader": grader, "rows": rows, "detail": detail}


def _sequences(queries):
    return {"query": queries, "prompts": [""] * len(queries), "labels": ["b"] * len(queries)}


_ROW = {"item": {"answer": "x"}, "sample": "x"}
_CONSTANT = {**EXACT, "input": "a", "reference": "a"}

BODIES = {
    "brackets": (RUN, b"[" * 1_000_000),
    "objects in objects": (RUN, b'{"a":' * 150_000 + b"1" + b"}" * 150_000),
    "empty lists": (RUN, b'{"a":[' + b"[]," * 330_000 + b"1]}"),
    "digits": (RUN, b'{"a":' + b"1" * 990_000 + b"}"),
    "NaN after many texts": (RUN, b'{"b":[' + b'"",' * 300_000 + b"NaN]}"),
    "one key again and again": (RUN, b"{" + b'"a":1,' * 140_000 + b'"a":1}'),
    "surrogates": (RUN, b'{"a":["\\ud800"' + b',"\\ud800"' * 100_000 + b"]}"),
    "unknown keys": _run({**EXACT, **{f"inpot{i}": 1 for i in range(50_000)}}),
    "unknown keys, wrong": _run({**_WRONG, **{f"inpot{i}": 1 for i in range(50_000)}}),
    "parameters": _run({**_JUDGE, "sampling_params": {f"temp{i}": 1 for i in range(50_000)}}),
    "labels": _run(
        {
            **_LABEL,
            "labels": [*map(str, range(55_000))],
            "passing_labels": [*map(str, range(55_000))],
        }
    ),
    "labels, wrong": _run({**_LABEL, "labels": [1] * 490_000}),
    "messages": _run({**_JUDGE, "input": [{"role": "usr", "content": "x"}] * 25_000}),
    "blocks": _run({**_JUDGE, "input": [{"role": "user", "content": ["x"] * 200_000}]}),
    "no blocks": _run({**_JUDGE, "input": [{"role": "user", "content": [{"type": "x"}] * 60_000}]}),
    "blocks, wrong": _run({**_JUDGE, "input": [{"role": "user", "content": [7] * 490_000}]}),
    "members": _multi({f"m{i}": EXACT for i in range(5_000)}, "m1"),
    "wrong members": _multi([{**_WRONG, "name": f"m{i}"} for i in range(5_000)], "m1"),
    "a long formula": _multi({"a": EXACT}, "+".join(["a"] * 100_000)),
    "many functions": _multi({"a": EXACT}, "+".join(["abs(a)"] * 2_800)),
    "a formula with 3,000 names": _multi(
        {f"member{i}": EXACT for i in range(1_000)}, "+".join(f"memberx{i}" for i in range(3_000))
    ),
    "slots": _run({**EXACT, "input": "{{item.a}}" * 10_000}, a="b"),
    "slots of all": _run({**EXACT, "input": "{{ item }}" * 60}, a=[{}] * 290_000),
    "slots into texts": _run({**EXACT, "input": "{{ item.a[0] }}" * 60}, a=f"[{'1,' * 400_000}1]"),
    "a slot with a long path": _run({**EXACT, "input": "{{ item" + ".a" * 400_000 + " }}"}),
    "near misses": _run(
        {**EXACT, "input": "{{ item.answr }}"}, **{f"answ{i}": 1 for i in range(60_000)}
    ),
    "a sample that is JSON": _run(EXACT, "[" + "[]," * 280_000 + "[]]"),
    "fuzzy_match": _run(SIMILAR, "ab" * 200_000, answer="ba" * 200_000),
    "meteor": _run({**SIMILAR, "evaluation_metric": "meteor"}, _LONG, answer=_LONG[::-1]),
    "rouge_l": _run({**SIMILAR, "evaluation_metric": "rouge_l"}, _LONG, answer=_LONG[::-1]),
    "references": _run({**SIMILAR, "references": "item.a"}, "x" * 10_000, a=["y"] * 100_000),
    "functions": _source("def f():\n pass\n" * 7_000),
    "a long f-string": _source("x = f'" + "{a}" * 25_000 + "'"),
    "a long list": _source("x = [" + "1," * 115_000 + "]"),
    "a long elif": _source("if a:0\n" + "elif a:0\n" * 900),
    "equal hashes": _source("x = [" + ",".join(str(i * (2**61 - 1)) for i in range(10_000)) + "]"),
    "rows": _batch(EXACT, [_ROW] * 20_000),
    "no rows": _batch(EXACT, [7] * 400_000),
    "samples": _batch(EXACT, [{"item": {}, "samples": ["x"] * 200_000}]),
    "rows of members": _batch(
        {
            "type": "multi",
            "name": "m",
            "graders": {f"m{i}": _CONSTANT for i in range(500)},
            "calculate_output": "m1",
        },
        [_ROW] * 199,
    ),
    "queries": ("/get_reward", _sequences(["a"] * 90_000)),
    "ends of queries": ("/get_reward", _sequences(["</s>" * 240_000])),
    "details": _batch({**EXACT, "input": "a" * 400_000, "reference": "b"}, [_ROW] * 10_000),
}
"""Path and body, JSON or bytes."""

PATHS = [
    "/v1/files/%00",
    "/v1/files/..%2f..%2fetc%2fpasswd",
    "/v1/files/%2e%2e/content",
    "/v1/files/%1b%5b31m",
    "/v1/files/%ff%fe",
    "/v1/files/" + "x" * 8_000,
    "/v1/files/file-000000000000000000000000/content",
    "/v1/files/{file}",
    "/v1//files/x",
    "/endpoint/%0a",
    "/endpoint/",
    "/v1/%E2%80%AE/x",
    "/%",
]

HEADERS = [
    {"content-type": "application/json; charset=utf-16"},
    {"content-type": "application/json;" * 500},
    {"content-type": "multipart/form-data"},
    {"content-type": "multipart/form-data; boundary="},
    {"content-type": "multipart/form-data; boundary=" + "b" * 5_000},
    {"content-type": 'multipart/form-data; boundary="' + "\\" * 500},
    {"content-type": b"\xff\xfe"},
    {"content-type": "application/json", "content-encoding": "gzip"},
    {"content-type": "application/json", "authorization": "Bearer " + "x" * 8_000},
    {"content-type": "application/json", "cookie": "a=" * 4_000},
    {"content-type": "application/json", "x-forwarded-for": "1" * 4_000},
    {"content-type": "application/json", "range": "bytes=-1", "if-match": "*"},
    {"content-type": "application/json", "expect": "200-ok"},
    {"content-type": "application/json", "host": "localhost:99999999"},
    {"content-type": "application/json", "host": "[::1"},
    {"content-type": "application/json", "origin": "http://["},
]


_START = b"POST /grade HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
_BODY = json.dumps({"grader": EXACT, "rows": []}).encode()
_LENGTH = b"content-length: %d\r\n\r\n"
_CHUNKED = _START + b"transfer-encoding: chunked\r\n\r\n"
EXCHANGES = {
    "a body that is shorter than it says": _START + _LENGTH % 1_000 + _BODY,
    "a body that is longer than it says": _START + _LENGTH % 2 + b"{}" + b"x" * 1_000,
    "a length of minus one": _START + b"content-length: -1\r\n\r\n" + _BODY,
    "a length that is no number": _START + b"content-length: ten\r\n\r\n" + _BODY,
    "a length beyond all": _START + b"content-length: " + b"9" * 40 + b"\r\n\r\n" + _BODY,
    "two lengths": _START + b"content-length: 2\r\n" + _LENGTH % 3 + b"{} ",
    "a length and chunks": _START
    + b"transfer-encoding: chunked\r\n"
    + _LENGTH % 5
    + b"2\r\n{}\r\n0\r\n\r\n",
    "chunks that break off": _CHUNKED + b"a\r\n{",
    "chunks without an end": _CHUNKED + b"2\r\n{}\r\n",
    "a chunk of no size": _CHUNKED + b"z\r\n{}\r\n0\r\n\r\n",
    "a chunk beyond all": _CHUNKED + b"f" * 40 + b"\r\n{}",
    "no http at all": b"\x16\x03\x01\x02\x00" + bytes(range(256)),
    "another version": _START.replace(b"1.1", b"9.9") + b"\r\n",
    "a request line without end": b"GET /" + b"a" * 200_000,
    "a header without end": _START + b"x: " + b"a" * 200_000,
    "many headers": _START + b"a: b\r\n" * 50_000 + b"\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "a socket for the web": b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n"
    b"upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: x\r\n\r\n",
    "a path with control characters": b"GET /\x01\x02 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "a header with control characters": _START + b"x: \x7f\x01\r\n\r\n",
    "nothing": b"",
}
"""What is sent over a bare socket, each to get an answer or none, and no other harm."""


def exchange(url, data):
    """Send what is no HTTP, and no more; gives the status, or None where there is no answer."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(4_096)
        except OSError:  # it would not read to the end, or is gone already
            return None
    return int(answer.split(b" ", 2)[1]) if answer else None
