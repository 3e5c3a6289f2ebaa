"""Cosine by an embeddings server: numpy's numbers, each text asked once, failures loud."""

import asyncio
import base64
import json
import re
import sys
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest

import graders
from graders.cli import main
from graders.clients.embedding import ServerEmbedder
from graders.errors import ConfigError, GradingError
from graders.profile import OPENAI, Profile
from metrics import Settings, metric
from metrics.embed import EmbeddingError

CONFIG = {
    "type": "text_similarity",
    "name": "near",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "evaluation_metric": "cosine",
}
KEY = "sk-secret-of-mine"


def vector(text):
    """Eight numbers of either sign that a text determines, in single precision."""
    return np.random.default_rng(list(text.encode())).normal(size=8).astype(np.float32)


def embeddings(texts, *, as_base64=True, vector=vector):
    """A whole answer, its entries in another order than the texts."""
    data = []
    for index, text in enumerate(texts):
        numbers = np.asarray(vector(text))
        single = base64.b64encode(numbers.astype("<f4").tobytes()).decode()
        entry = single if as_base64 else numbers.tolist()
        data.append({"object": "embedding", "index": index, "embedding": entry})
    return {"object": "list", "model": "m", "data": data[::-1], "usage": {}}


@contextmanager
def serving(answer=embeddings):
    """A server that answers with a function of the texts: an object, or a status and an object."""
    asked, heads = [], []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append(body["input"])
            heads.append((self.path, body["model"], self.headers["authorization"]))
            made = answer(body["input"])
            status, made = made if isinstance(made, tuple) else (200, made)
            data = made if isinstance(made, bytes) else json.dumps(made).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    embedder = ServerEmbedder(model="m", base_url=url, api_key=KEY, retries=0)
    try:
        yield embedder, asked, heads
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def graded(embedder, *pairs, **config):
    profile = Profile(metrics=Settings(cosine=embedder))
    rows = [{"item": {"answer": reference}, "sample": text} for text, reference in pairs]
    return graders.grade({**CONFIG, **config}, rows, profile=profile)


def numpy_cosine(one, other):
    a, b = (np.asarray(vector(text), dtype=np.float64) for text in (one, other))
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("as_base64", [True, False])
def test_scores_are_numpys_cosines_of_the_served_vectors(as_base64):
    """In whichever form and order they are served; below zero is zero, and kept."""
    pairs = [(f"text {i}", f"reference {i % 7}") for i in range(40)]
    with serving(lambda texts: embeddings(texts, as_base64=as_base64)) as (embedder, asked, heads):
        grades = graded(embedder, *pairs)

    cosines = [numpy_cosine(*pair) for pair in pairs]
    assert [grade.score for grade in grades] == pytest.approx([max(0.0, c) for c in cosines])
    raw = [(g.detail["raw_cosine"], c) for g, c in zip(grades, cosines, strict=True) if c < 0]
    assert len(raw) > 5
    assert [one for one, _ in raw] == pytest.approx([other for _, other in raw])
    assert heads[0] == ("/v1/embeddings", "m", f"Bearer {KEY}")
    assert len(asked) == 1


def test_every_text_is_asked_once_in_batches():
    """Also over several batches of rows, and where the raw cosine is looked at again."""
    pairs = [(f"text {i % 300}", "the same reference") for i in range(900)]
    with serving() as (embedder, asked, _):
        grades = graded(embedder, *pairs)

    texts = Counter(text for batch in asked for text in batch)
    assert len(texts) == 301
    assert set(texts.values()) == {1}
    assert max(map(len, asked)) <= 256
    assert len(asked) <= 4
    assert all(grade.score is not None for grade in grades)


def test_long_texts_go_in_smaller_batches():
    """By characters, as a server counts tokens."""
    with serving() as (embedder, asked, _):
        embedder.embed([letter * 12_000 for letter in "abcde"])

    assert [len(batch) for batch in asked] == [2, 2, 1]


def test_a_text_that_utf8_has_not_is_asked_with_a_replacement():
    """A lone surrogate, which real rows hold, costs neither its row nor the batch."""
    with serving() as (embedder, asked, _):
        first, second = graded(embedder, ("a\ud800", "a\ufffd"), ("b", "b"))

    assert (first.score, second.score) == (pytest.approx(1.0), pytest.approx(1.0))
    assert asked == [["a\ufffd", "a\ufffd", "b"]]


def test_the_rows_of_a_batch_are_asked_in_a_thread():
    """A judge beside it goes on meanwhile: the loop is free while the server thinks."""
    rows = [graders.Row(item={"answer": "a"}, sample={"output_text": "b"})]

    async def run():
        loop = asyncio.get_running_loop()

        def answer(texts):
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(10)
            return embeddings(texts)

        with serving(answer) as (embedder, _, _):
            profile = Profile(metrics=Settings(cosine=embedder))
            return await graders.compile_grader(CONFIG, profile=profile).grade(rows)

    (grade,) = asyncio.run(run())
    assert grade.failure is None


def test_a_mapping_of_ones_own_keeps_vectors_beyond_a_run():
    """What is in it is not asked for."""
    kept = {}
    with serving() as (server, asked, _):
        for _ in range(2):
            embedder = ServerEmbedder(model="m", base_url=server.base_url, kept=kept)
            embedder.embed(["a", "b", "a"])

    assert asked == [["a", "b"]]
    assert set(kept) == {"a", "b"}
    assert kept["a"].dtype == np.float32


def test_the_signature_says_whose_vectors_they_are():
    """The model and the host, without credentials."""
    embedder = ServerEmbedder(model="org/bge:m3", base_url="http://me:pw@10.0.0.1:8080/v1?k=1")

    assert metric("cosine", Settings(cosine=embedder)).signature == (
        "cosine|embedder:org/bge:m3@10.0.0.1:8080"
    )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((500, {"error": {"message": "out of memory"}}), "answered 500: "),
        ((401, {"error": {"message": f"bad key {KEY}"}}), "answered 401: "),
        ((404, {"error": {"message": "no such model"}}), "answered 404: "),
        (b"<html>", "answered something else than 2 embedding(s)"),
        ([], "answered something else than 2 embedding(s)"),
        ({"data": []}, "answered something else than 2 embedding(s)"),
        ({"data": embeddings(["a"])["data"]}, "answered something else than 2 embedding(s)"),
    ],
)
def test_a_server_that_fails_fails_every_row_and_is_not_asked_about_each(answer, message):
    """Loudly: no row gets a zero for it, and no message has the key."""
    with serving(lambda _: answer) as (embedder, asked, _):
        grades = graded(embedder, ("a", "b"), ("a", "b"), ("b", "a"), pass_threshold=0)

    for grade in grades:
        assert (grade.score, grade.passed) == (None, False)
        assert (grade.failure.kind, grade.failure.reason) == ("other_error", "embedding_server")
        assert f"the embeddings server of {embedder.name!r} {message}" in grade.failure.message
        assert KEY not in grade.failure.message
    assert len(asked) == 1


def test_a_server_that_is_not_there_fails_every_row():
    """With what went wrong."""
    (grade,) = graded(
        ServerEmbedder(model="m", base_url="http://127.0.0.1:9/v1", retries=0), ("a", "b")
    )

    assert grade.failure.reason == "embedding_server"
    assert "could not be reached: Connection error." in grade.failure.message


def test_a_text_that_the_server_refuses_costs_its_row_only():
    """The others of the batch are asked again without it."""

    def answer(texts):
        if "long" in texts:
            return 400, {"error": {"message": "maximum context length is 8192 tokens"}}
        return embeddings(texts)

    with serving(answer) as (embedder, _, _):
        first, second, third = graded(embedder, ("a", "b"), ("long", "b"), ("c", "b"))

    assert None not in (first.score, third.score)
    assert (second.failure.kind, second.failure.reason) == ("other_error", "embedding")
    assert "refuses 2 text(s): 400: " in second.failure.message or (
        "refuses 1 text(s): 400: " in second.failure.message
    )
    assert "maximum context length" in second.failure.message


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ([1.0, float("nan")], "is not finite"),
        ([1.0, 2.0, 3.0], "not an array of numbers|vectors of different lengths"),
        ([[1.0], [2.0]], "not an array of numbers|got shape"),
    ],
)
def test_a_vector_that_is_none_costs_its_row_only(spoilt, message):
    """Checked before anything is compared."""

    def answer(texts):
        vectors = [spoilt if text == "spoilt" else [1.0, 2.0] for text in texts]
        return {"data": [{"index": i, "embedding": v} for i, v in enumerate(vectors)]}

    with serving(answer) as (embedder, _, _):
        first, second = graded(embedder, ("a", "b"), ("spoilt", "b"))

    assert first.score == pytest.approx(1.0)
    assert second.failure.reason == "embedding"
    assert re.search(message, second.failure.message)


# --- how it is chosen


def test_the_setting_names_the_model_and_the_server_is_given_beside_it(monkeypatch):
    """Or in the environment, as the SDK has it."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    by_environment = OPENAI.override({"cosine": "server:m"})
    by_argument = OPENAI.override({"cosine": "server:m"}, base_url="http://127.0.0.1:2/v1")

    assert by_environment.metrics.cosine.name == "m@127.0.0.1:1"
    assert by_argument.metrics.cosine.name == "m@127.0.0.1:2"
    assert by_argument.name == "openai,cosine=server:m"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("server:", "cosine: '' is no model's name: not empty, and without '|'"),
        ("server:a|b", "cosine: 'a|b' is no model's name: not empty, and without '|'"),
        ("server:m", "cosine: 'm' is asked at https://api.openai.com/v1, and there is no key. Set "
         "OPENAI_API_KEY, or give a server of your own (OPENAI_BASE_URL)."),
        ("servr:m", "cosine: Settings(cosine=...): 'servr:m' is none of hash_char, wordllama, "),
    ],
)  # fmt: skip
def test_a_setting_that_names_no_server_is_refused(monkeypatch, value, message):
    """Before a row is read."""
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)

    with pytest.raises(ConfigError) as caught:
        OPENAI.override({"cosine": value})
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("url", ["localhost:8080/v1", "http://[::1/v1", "http://", "ftp://x/v1"])
def test_an_address_that_is_none_is_refused_and_not_shown(url):
    """It may hold a password."""
    with pytest.raises(
        ConfigError, match=r"cosine: the base URL is no http\(s\) address"
    ) as caught:
        OPENAI.override({"cosine": "server:m"}, base_url=url)
    assert url not in str(caught.value).replace("http://HOST", "")


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    """When the setting is read."""
    monkeypatch.setitem(sys.modules, "openai", None)

    with pytest.raises(ConfigError, match=r"pip install 'local-graders\[models\]'"):
        ServerEmbedder(model="m", base_url="http://127.0.0.1:1/v1")


@pytest.mark.parametrize("by_option", [True, False])
def test_a_run_grades_by_an_embeddings_server(tmp_path, monkeypatch, capsys, by_option):
    """End to end, by the command line: `--base-url`, or the environment."""
    (tmp_path / "grader.json").write_text(json.dumps(CONFIG))
    (tmp_path / "rows.jsonl").write_text('{"item": {"answer": "a"}, "sample": "a"}\n')
    results = tmp_path / "results.jsonl"
    files = [str(tmp_path / "grader.json"), str(tmp_path / "rows.jsonl"), "-o", str(results)]
    with serving() as (embedder, asked, _):
        option = ["--base-url", embedder.base_url] if by_option else []
        monkeypatch.setenv("OPENAI_BASE_URL", "http://x/v1" if by_option else embedder.base_url)
        code = main(["run", *files, "--set", "cosine=server:bge-m3", *option])

    assert (code, asked) == (0, [["a"]])
    line = json.loads(results.read_text())
    assert line["score"] == 1.0
    assert "|cosine|embedder:bge-m3@127.0.0.1:" in line["signature"]
    assert "cosine=server:bge-m3" in line["signature"]
    assert capsys.readouterr().err == ""


def test_both_errors_are_what_a_caller_of_the_embedder_gets():
    """Without a grader around it."""
    with serving(lambda _: (400, {})) as (embedder, _, _), pytest.raises(EmbeddingError):
        embedder.embed(["a"])
    with serving(lambda _: (503, {})) as (embedder, _, _), pytest.raises(GradingError):
        embedder.embed(["a"])
