"""Cosine by an embeddings server: numpy's numbers, each text asked once, failures loud."""

import asyncio
import base64
import json
import re
from collections import Counter
from threading import Event

import numpy as np
import pytest
from embeddings_server import CONFIG, KEY, embeddings, graded, host, numpy_cosine, serving
from hypothesis import given
from hypothesis import strategies as st

import graders
from graders.clients import ModelReply, ScriptedClient
from graders.clients.embedding import ServerEmbedder
from graders.clients.vectors import kept_vector, read_vectors
from graders.profile import Profile
from metrics import Settings, metric
from metrics.embed import EmbeddingError


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
    assert max(map(len, asked)) <= 128
    assert len(asked) <= 4
    assert all(grade.score is not None for grade in grades)


def test_long_texts_go_in_smaller_batches():
    """By characters, as a server counts tokens."""
    with serving() as (embedder, asked, _):
        asyncio.run(embedder.vectors([letter * 12_000 for letter in "abcde"]))

    assert sorted(len(batch) for batch in asked) == [1, 2, 2]


def test_a_whole_batch_of_long_vectors_in_decimals_is_no_answer_too_large():
    """Of 4,096 numbers each, in full, from a server that knows no base64."""

    def long(text):
        return np.random.default_rng(list(text.encode())).normal(scale=0.01, size=4096)

    with serving(lambda texts: embeddings(texts, as_base64=False, vector=long)) as served:
        embedder, asked, _ = served
        vectors = asyncio.run(embedder.vectors(f"text {i}" for i in range(128)))

    assert len(asked) == 1
    assert vectors.embed(["text 5"]).tolist() == [long("text 5").tolist()]


def test_a_text_that_utf8_has_not_is_asked_with_a_replacement():
    """A lone surrogate, which real rows hold, costs neither its row nor the batch."""
    with serving() as (embedder, asked, _):
        first, second = graded(embedder, ("a\ud800", "a\ufffd"), ("b", "b"))

    assert (first.score, second.score) == (pytest.approx(1.0), pytest.approx(1.0))
    assert asked == [["a\ufffd", "a\ufffd", "b"]]


def rows(*pairs):
    return [graders.Row(item={"answer": b}, sample={"output_text": a}) for a, b in pairs]


def grader_by(embedder):
    return graders.compile_grader(CONFIG, profile=Profile(metrics=Settings(cosine=embedder)))


def test_the_loop_goes_on_while_the_server_thinks():
    """A judge beside it is asked meanwhile."""

    async def run():
        loop = asyncio.get_running_loop()

        def answer(texts):
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(60)
            return embeddings(texts)

        with serving(answer) as (embedder, _, _):
            return await grader_by(embedder).grade(rows(("b", "a")))

    (grade,) = asyncio.run(run())
    assert grade.failure is None


def test_it_is_stopped_at_once_while_the_server_thinks():
    """And who waited for the same text asks for it in its place."""
    reached, stopped = Event(), Event()

    def answer(texts):
        if "slow" in texts and not stopped.is_set():
            reached.set()
            assert stopped.wait(60)
        return embeddings(texts)

    async def run():
        with serving(answer) as (embedder, asked, _):
            grader = grader_by(embedder)
            first = asyncio.create_task(grader.grade(rows(("slow", "a"))))
            assert await asyncio.to_thread(reached.wait, 60)
            second = asyncio.create_task(grader.grade(rows(("slow", "b"))))
            while ["b"] not in asked:  # noqa: ASYNC110 - it asks for that, and waits for "slow"
                await asyncio.sleep(0)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            assert not stopped.is_set()
            stopped.set()
            return await second, asked

    (grade,), asked = asyncio.run(run())
    assert grade.score == pytest.approx(max(0.0, numpy_cosine("slow", "b")))
    assert asked == [["slow", "a"], ["b"], ["slow"]]


def test_batches_of_rows_that_are_under_way_together_ask_for_a_text_once():
    """The later ones wait for the first."""

    async def run():
        with serving() as (embedder, asked, _):
            grader = grader_by(embedder)
            parts = [grader.grade(rows((f"text {i}", "same"))) for i in range(4)]
            return await asyncio.gather(*parts), asked

    grades, asked = asyncio.run(run())
    assert all(grade.score is not None for (grade,) in grades)
    assert Counter(text for batch in asked for text in batch) == Counter(
        ["same", *(f"text {i}" for i in range(4))]
    )


def test_a_metric_by_itself_has_the_vectors_that_were_asked_for():
    """And says what to do for one that was not."""
    with serving() as (embedder, _, _):
        asyncio.run(embedder.vectors(["a", "b"]))
    cosine = metric("cosine", Settings(cosine=embedder))

    assert cosine.raw("a", "b") == pytest.approx(numpy_cosine("a", "b"))
    with pytest.raises(EmbeddingError, match=r"1 text\(s\) not asked for; await vectors\(texts\)"):
        cosine.raw("a", "c")


def test_a_client_of_ones_own_that_knows_no_embeddings_fails_its_rows():
    """Its prose is no vector."""
    client = ScriptedClient(lambda _: ModelReply(text="I cannot do that"))
    embedder = ServerEmbedder(model="m", base_url="http://127.0.0.1:9/v1", client=client)
    (grade,) = graded(embedder, ("a", "b"))

    assert grade.failure.reason == "bad_answer"
    assert "the answer is not 2 embedding(s): 'I cannot do that'" in grade.failure.message


@given(
    st.lists(
        st.one_of(
            st.floats(allow_nan=False, allow_infinity=False, width=32),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        min_size=1,
    )
)
def test_a_cache_keeps_a_vector_bit_for_bit(numbers):
    """In single precision, where it came so, and in double."""
    reply = ModelReply(text=json.dumps([numbers]))
    (vector,) = read_vectors(reply, 1, "m")
    (again,) = read_vectors(kept_vector(vector), 1, "m")

    assert again.dtype == vector.dtype
    assert again.tobytes() == vector.tobytes()
    assert again.tolist() == numbers


def test_a_mapping_of_ones_own_keeps_vectors_beyond_a_run():
    """What is in it is not asked for."""
    kept = {}
    with serving() as (server, asked, _):
        for _ in range(2):
            embedder = ServerEmbedder(model="m", base_url=server.base_url, kept=kept)
            asyncio.run(embedder.vectors(["a", "b", "a"]))

    assert asked == [["a", "b"]]
    assert set(kept) == {"a", "b"}
    assert kept["a"].dtype == np.float32


def test_the_signature_says_whose_vectors_they_are():
    """The model and the host, without credentials."""
    embedder = ServerEmbedder(model="org/bge:m3", base_url="http://me:pw@10.0.0.1:8080/v1")

    assert metric("cosine", Settings(cosine=embedder)).signature == (
        "cosine|embedder:org/bge:m3@10.0.0.1:8080"
    )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((500, {"error": {"message": "out of memory"}}), "HTTP 500: out of memory"),
        ((401, {"error": {"message": f"bad key {KEY}"}}), "HTTP 401: bad key ***"),
        ((404, {"error": {"message": "no such model"}}), "HTTP 404: no such model"),
        (b"<html>", "the answer is not 2 embedding(s): not JSON"),
        ([], "the answer is not 2 embedding(s): []"),
        ({"data": []}, 'the answer is not 2 embedding(s): {"data":[]}'),
        ({"data": embeddings(["a"])["data"]}, "the answer is not 2 embedding(s)"),
        ({"data": [{"index": 0}, {"index": 1}]}, "the answer is not 2 embedding(s)"),
    ],
)
def test_a_server_that_fails_fails_every_row_and_is_not_asked_about_each(answer, message):
    """Loudly: no row gets a zero for it, and no message has the key."""
    with serving(lambda _: answer) as (embedder, asked, _):
        grades = graded(embedder, ("a", "b"), ("a", "b"), ("b", "a"), pass_threshold=0)

    for grade in grades:
        assert (grade.score, grade.passed) == (None, False)
        assert grade.failure.kind == "other_error"
        assert f"{host(embedder)}, model 'm': {message}" in grade.failure.message
        assert KEY not in grade.failure.message
    assert len(asked) == 1


def test_a_server_that_is_not_there_fails_every_row():
    """With what went wrong."""
    (grade,) = graded(
        ServerEmbedder(model="m", base_url="http://127.0.0.1:9/v1", retries=0), ("a", "b")
    )

    assert (grade.failure.kind, grade.failure.reason) == (
        "other_error",
        "unreachable",
    )
    assert "http://127.0.0.1:9/v1, model 'm': cannot connect" in grade.failure.message


def test_a_text_that_the_server_refuses_costs_its_row_only():
    """The others of the batch are asked again without it."""

    def answer(texts):
        if "long" in texts:
            return 400, {"error": {"message": "maximum context length is 8192 tokens"}}
        return embeddings(texts)

    with serving(answer) as (embedder, asked, _):
        first, second, third = graded(embedder, ("a", "b"), ("long", "b"), ("c", "b"))

    assert None not in (first.score, third.score)
    assert (second.failure.kind, second.failure.reason) == ("other_error", "http_400")
    assert "HTTP 400: maximum context length is 8192 tokens" in second.failure.message
    assert asked[0] == ["a", "b", "long", "c"]
    assert sorted(asked[1:]) == [["a", "b"], ["c"], ["long"], ["long", "c"]]


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ([1.0, None], "is not finite"),
        ("no base64", "not a vector in base64: "),
        ("AAA=", "not a vector in base64: buffer size must be a multiple"),
        (base64.b64encode(np.array([1, np.nan], "<f4").tobytes()).decode(), "is not finite"),
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
