"""`graders run` with the built-in client and no stand-in: options, a cache, a budget."""

import json
from pathlib import Path

import pytest
from loopback import Answer, completion, loopback
from stand_ins import results, write

JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o",
    "input": [
        {"role": "developer", "content": "Be fair."},
        {"role": "user", "content": "Rate {{ sample.output_text }}"},
    ],
    "sampling_params": {"max_completions_tokens": 9},
}
ALL = (
    *("--in-flight", "2", "--rpm", "60000", "--tpm", "1e9", "--retries", "1"),
    *("--timeout", "30"),
    *("--wire", "max_tokens=max_tokens", "--wire", "developer=system"),
    *("--wire", "format=json_object"),
)


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("judge.json", JUDGE)
    lines = [json.dumps({"item": {}, "sample": f"answer {n}"}) + "\n" for n in range(5)]
    write("rows.jsonl", "".join(lines))


def test_every_option_reaches_the_client(run):
    """It is set up with all of them at once, and the wire is as they say."""
    with loopback(lambda _: Answer(completion())) as server:
        command = ["judge.json", "rows.jsonl", "--base-url", server.url, *ALL]
        code, out, err = run(*command, "-o", "out.jsonl")
    body = server.received[0].body

    assert (code, err) == (0, f"note: asking gpt-4o at {server.url}\n")
    assert body["max_tokens"] == 9
    assert "max_completion_tokens" not in body
    assert body["messages"][0]["role"] == "system"
    assert body["response_format"] == {"type": "json_object"}
    assert "  asked    gpt-4o: 5 calls, 50 + 25 tokens, cost n/a\n" in out
    assert [line["score"] for line in results()] == [1.0] * 5


def test_a_cache_goes_by_the_servers_address(run):
    """Another server is asked anew, the same one is not, and no key is needed to replay."""
    common = ["judge.json", "rows.jsonl", "--cache", "kept.db", "-o", "out.jsonl"]
    with loopback(lambda _: Answer(completion())) as one:
        run(*common, "--base-url", one.url, "--record", "judge.jsonl")
        run(*common, "--base-url", f"{one.url}/")
        with loopback(lambda _: Answer(completion())) as two:
            run(*common, "--base-url", two.url)
    before = Path("out.jsonl").read_bytes()
    code, _, _ = run("judge.json", "rows.jsonl", "--replay", "judge.jsonl", "-o", "out.jsonl")

    assert (len(one.received), len(two.received)) == (5, 5)
    assert code == 0
    assert Path("out.jsonl").read_bytes() == before


def test_a_budget_of_tokens_at_a_server_of_ones_own(run):
    """Fifteen tokens an answer: the third is not asked."""
    with loopback(lambda _: Answer(completion())) as server:
        common = ["judge.json", "rows.jsonl", "--base-url", server.url, "--in-flight", "1"]
        code, _, err = run(*common, "--budget-tokens", "30", "-o", "out.jsonl")
        refused, _, why = run(*common, "--budget-usd", "1")

    assert (code, refused) == (1, 2)
    assert len(server.received) == len(results()) == 2
    assert "the budget of 30 tokens is used up (30 spent)" in err
    assert f"the price of 'gpt-4o' at {server.url} is not known" in why


def test_without_a_key_openai_is_not_asked(run, monkeypatch):
    """An option alone names OpenAI's own server, which wants a key: said before a row is read."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    code, _, err = run("judge.json", "rows.jsonl", "--in-flight", "2")

    assert code == 2
    assert "https://api.openai.com/v1 wants an API key; set OPENAI_API_KEY" in err
