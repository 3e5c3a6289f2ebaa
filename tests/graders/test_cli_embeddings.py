"""`graders run --set cosine=server:MODEL`: every option of a judge's run, or a refusal."""

import base64
import json
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from loopback import Answer, completion, loopback
from stand_ins import results, write

COSINE = {
    "type": "text_similarity",
    "name": "near",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "evaluation_metric": "cosine",
}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o",
    "input": [{"role": "user", "content": "Rate {{ sample.output_text }}"}],
}
BOTH = {
    "type": "multi",
    "name": "both",
    "graders": {"near": COSINE, "judge": JUDGE},
    "calculate_output": "near + judge",
}
RUN = ("grader.json", "rows.jsonl", "-o", "out.jsonl", "--set", "cosine=server:bge-m3")
COMMAND = [sys.executable, "-c", "import sys; from graders.cli import main; sys.exit(main())"]
TOKENS = 7
"""Of every answer."""


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("grader.json", COSINE)
    rows(3)


def rows(count):
    """So many rows, whose samples differ and whose reference does not."""
    lines = [{"item": {"answer": "same"}, "sample": f"answer {n}"} for n in range(count)]
    write("rows.jsonl", "".join(json.dumps(line) + "\n" for line in lines))


def vector(text):
    """Four numbers that a text determines, none below zero."""
    return np.random.default_rng(list(text.encode())).uniform(size=4).astype("<f4")


def answer(received):
    """Vectors, or a judge's score, as the path says."""
    if not received.path.endswith("/embeddings"):
        return Answer(completion())
    encoded = [base64.b64encode(vector(t).tobytes()).decode() for t in received.body["input"]]
    data = [{"index": i, "embedding": numbers} for i, numbers in enumerate(encoded)]
    usage = {"prompt_tokens": TOKENS, "total_tokens": TOKENS}
    return Answer({"model": "bge-m3-f16", "data": data, "usage": usage})


def cosine(text):
    one, other = vector(text).astype(float), vector("same").astype(float)
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def texts_of(server):
    return [text for received in server.received for text in received.body.get("input", ())]


@pytest.mark.parametrize("by_option", [True, False])
def test_a_run_says_whom_it_asks_and_what_it_took(run, monkeypatch, by_option):
    """By `--base-url` or by the environment."""
    with loopback(answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", "http://x/v1" if by_option else server.url)
        code, out, err = run(*RUN, *(["--base-url", server.url] if by_option else []))

    assert (code, err) == (0, f"note: asking bge-m3 at {server.url} for embeddings\n")
    assert "  asked    bge-m3: 1 call, 7 + 0 tokens, cost n/a\n" in out
    lines = results()
    assert [line["score"] for line in lines] == pytest.approx(
        [cosine(f"answer {n}") for n in range(3)]
    )
    assert "|cosine|embedder:bge-m3@127.0.0.1:" in lines[0]["signature"]


def test_a_config_without_cosine_asks_no_embeddings(run):
    """Whatever the setting says: no note, no ledger, no request."""
    write("grader.json", {**COSINE, "evaluation_metric": "bleu"})
    with loopback(answer) as server:
        code, out, err = run(*RUN, "--base-url", server.url, "--record", "re.jsonl")

    assert (code, err, server.received) == (0, "", [])
    assert "asked" not in out


def test_a_budget_stops_the_run_and_what_was_not_asked_is_no_result(run):
    """Embeddings are paid for as answers are."""
    rows(2000)
    with loopback(answer) as server:
        code, out, err = run(*RUN, "--base-url", server.url, "--budget-tokens", "1")

    graded = len(results())
    assert code == 1
    assert 0 < graded < 2000
    assert (
        f"graders: stopped at row {graded + 1}, sample 0, the first that is not graded: "
        "the budget of 1 tokens is used up"
    ) in err
    assert len(texts_of(server)) == graded + 1
    assert f"over {graded:,} graded" in out


def test_a_budget_in_dollars_wants_a_price(run):
    """Before anything is sent."""
    with loopback(answer) as server:
        code, _, err = run(*RUN, "--base-url", server.url, "--budget-usd", "1")

    assert (code, server.received) == (2, [])
    assert f"the price of 'bge-m3' at {server.url} is not known" in err


def test_a_cache_asks_for_no_text_twice(run):
    """Text by text, in whichever batch, with equal results; another model is asked anew."""
    with loopback(answer) as server:
        common = (*RUN, "--base-url", server.url, "--cache", "kept.db")
        run(*common)
        before = Path("out.jsonl").read_bytes()
        run(*common)
        assert Path("out.jsonl").read_bytes() == before
        rows(4)
        run(*common)
        assert texts_of(server) == ["answer 0", "same", "answer 1", "answer 2", "answer 3"]

        run(*common, "--set", "cosine=server:other")
        assert len(texts_of(server)) == 5 + 5


def test_a_judge_and_embeddings_share_ledger_cache_and_budget(run):
    """Each is named."""
    write("grader.json", BOTH)
    with loopback(answer) as server:
        common = (*RUN, "--base-url", server.url, "--cache", "kept.db", "--budget-tokens", "1000")
        code, out, err = run(*common)
        asked = len(server.received)
        run(*common)
        assert len(server.received) == asked == 6  # a judge's rows go one by one
        assert sorted(texts_of(server)) == ["answer 0", "answer 1", "answer 2", "same"]

    assert code == 0
    assert f"note: asking bge-m3 at {server.url} for embeddings\n" in err
    assert f"note: asking gpt-4o at {server.url}\n" in err
    assert "  asked    bge-m3: 3 calls, 21 + 0 tokens, cost n/a\n" in out
    assert "  in all   66 tokens, cost n/a\n" in out


@pytest.mark.parametrize(
    "options",
    [
        ("--record", "re.jsonl"),
        ("--replay", "re.jsonl"),
        ("--client", "mine:Judge"),
        ("--record", "re.jsonl", "--client", "mine:Judge"),
    ],
)
def test_what_does_not_cover_embeddings_is_refused(run, options):
    """Nothing goes to the network in place of it."""
    write("re.jsonl", "")
    with loopback(answer) as server:
        code, _, err = run(*RUN, *options, "--base-url", server.url)

    named = [option for option in ("--replay", "--record", "--client") if option in options]
    assert (code, server.received) == (2, [])
    assert (
        f"cosine=server:bge-m3 asks a server for embeddings, which {', '.join(named)} does not "
        "cover; leave it out (--cache keeps vectors), or choose another cosine."
    ) in " ".join(err.split())


def test_retries_and_limits_reach_the_server(run):
    """As they do for judges."""
    broken = Answer({"error": {"message": "busy"}}, status=503, headers={"retry-after-ms": "1"})
    left = [broken, broken]
    with loopback(lambda received: left.pop() if left else answer(received)) as server:
        code, _, _ = run(*RUN, "--base-url", server.url, "--retries", "2", "--rpm", "60000")

    assert (code, len(server.received)) == (0, 3)


def test_a_dry_run_counts_distinct_texts_and_sends_nothing(run):
    """Blank ones are never embedded."""
    with Path("rows.jsonl").open("a") as file:
        file.write('{"item": {"answer": "lonely"}, "sample": " "}\n{"item": {}, "sample": "x"}\n')
    arguments = ("grader.json", "rows.jsonl", *RUN[4:], "--dry-run")
    with loopback(answer) as server:
        code, out, _ = run(*arguments, "--base-url", server.url)
        _, as_json, _ = run(*arguments, "--base-url", server.url, "--json")

    assert (code, server.received) == (1, [])
    assert "5 samples, 1 that do not render" in out
    assert "  bge-m3: 1 call, 4 distinct texts, about 7 prompt tokens, cost n/a\n" in out
    asked = json.loads(as_json)["models"]["bge-m3"]
    assert (asked["calls"], asked["texts"], asked["prompt_tokens"]) == (1, 4, 7)
    assert asked["completion_tokens"] == [0, 0]


def test_a_dry_run_knows_what_openais_embeddings_cost(run, monkeypatch):
    """By the price that genai-prices has; there is no answer to pay for."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-one")
    write("rows.jsonl", json.dumps({"item": {"answer": "a" * 4000}, "sample": "b" * 4000}) + "\n")
    setting = "cosine=server:text-embedding-3-large"
    code, out, _ = run("grader.json", "rows.jsonl", "--set", setting, "--dry-run")

    assert code == 0
    assert "2 distinct texts, about 2,000 prompt tokens, about $0.0003 to $0.0003" in " ".join(
        out.split()
    )


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_a_run_while_the_server_thinks():
    """The server would have taken an hour."""
    reached = Event()

    def slow(received):
        reached.set()
        return Answer(answer(received).body, seconds=3600)

    with loopback(slow) as server:
        command = [*COMMAND, "run", *RUN, "--base-url", server.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                assert reached.wait(60)
                process.send_signal(signal.SIGINT)
                process.wait(timeout=60)
            finally:
                process.kill()
            err = process.stderr.read().decode()

    assert process.returncode == 130, err
    assert "graders: interrupted\n" in err
