"""Options that say whom to ask: what they set up, what they refuse, and what is said once."""

from pathlib import Path

import pytest
from stand_ins import EXACT, JUDGE, KEY, LABEL, MULTI, REMOTE, Wire, install, results, write


@pytest.fixture(autouse=True)
def made(tmp_path, monkeypatch):
    """A folder of one's own with the stand-ins; the servers that were set up."""
    monkeypatch.chdir(tmp_path)
    return install(monkeypatch)


# --- whom


@pytest.mark.parametrize(
    ("environment", "options", "settings", "base_url"),
    [
        ({"OPENAI_API_KEY": KEY}, [], {}, "https://api.openai.com/v1"),
        ({"OPENAI_BASE_URL": "http://env/v1"}, [], {}, "http://env/v1"),
        ({}, ["--base-url", "http://a/v1"], {"base_url": "http://a/v1"}, "http://a/v1"),
        ({}, ["--in-flight", "8"], {"in_flight": 8}, "https://api.openai.com/v1"),
        (
            {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://env/v1"},
            ["--base-url", "https://a/v1", "--rpm", "30.5", "--tpm", "1e6", "--retries", "0"],
            {
                "base_url": "https://a/v1",
                "requests_per_minute": 30.5,
                "tokens_per_minute": 1e6,
                "retries": 0,
            },
            "https://a/v1",
        ),
        (
            {},
            ["--base-url", "http://a/v1", "--timeout", "1.5"],
            {"base_url": "http://a/v1", "timeout_seconds": 1.5},
            "http://a/v1",
        ),
        (
            {},
            ["--wire", "max_tokens=max_tokens", "--wire", "format=none"],
            {"wire": Wire(max_tokens="max_tokens", format="none")},
            "https://api.openai.com/v1",
        ),
    ],
)
def test_the_built_in_client(run, made, monkeypatch, environment, options, settings, base_url):
    """The environment or any of its options is enough; it is said once whom it asks what."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    code, _, err = run("judge.json", "rows.jsonl", *options)
    (server,) = made

    assert code == 0
    assert server.settings == settings
    assert len(server.asked) == 2
    assert err == f"note: asking gpt-4o at {base_url}\n"


@pytest.mark.parametrize(
    ("base_url", "overheard"),
    [
        ("http://a/v1", True),
        ("http://10.0.0.7:8080/v1", True),
        ("http://[2001:db8::1]/v1", True),
        ("https://a/v1", False),
        ("http://localhost:8080/v1", False),
        ("http://judge.localhost/v1", False),
        ("http://127.0.0.2/v1", False),
        ("http://[::1]:8080/v1", False),
    ],
)
def test_a_key_that_leaves_the_machine_unencrypted_is_said(run, monkeypatch, base_url, overheard):
    """And only then; without a key there is nothing to say."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    _, _, err = run("judge.json", "rows.jsonl", "--base-url", base_url)
    monkeypatch.delenv("OPENAI_API_KEY")
    _, _, without = run("judge.json", "rows.jsonl", "--base-url", base_url)

    said = f"note: OPENAI_API_KEY goes to {base_url} unencrypted; use https if it is a secret\n"
    assert (said in err) == overheard
    assert without == f"note: asking gpt-4o at {base_url}\n"


def test_what_the_client_has_to_say_is_a_note(run, made, capsys):
    """Such as that a server has not answered yet; on stderr, and harmless."""
    run("judge.json", "rows.jsonl", "--base-url", "http://a")
    made[0].notify("not yet \x1b[31m")

    assert capsys.readouterr() == ("", "note: not yet \\x1b[31m\n")


def test_all_models_are_said(run, made):
    """In one line."""
    write("evals.json", {"testing_criteria": [{**JUDGE, "pass_threshold": 0}, LABEL, LABEL]})
    _, _, err = run("evals.json", "rows.jsonl", "--base-url", "http://a")

    assert [line for line in err.splitlines() if line.startswith("note: asking")] == [
        "note: asking gpt-4o, o3 at http://a"
    ]
    assert len(made) == 1


@pytest.mark.parametrize("options", [[], ["--sample", "x"], ["--cache", "kept.db"]])
def test_without_a_way_to_ask_there_are_three(run, options):
    """The error names them, before a row is read or a file is made."""
    rows = [] if "--sample" in options else ["rows.jsonl"]
    code, out, err = run("judge.json", *rows, *options)

    assert (code, out) == (2, "")
    assert (
        "graders: there is no way to ask 'gpt-4o'. One of three: set OPENAI_API_KEY (and "
        "OPENAI_BASE_URL), or give --base-url URL for a server of your own, or give --client "
        "MODULE:NAME or --replay FILE."
    ) in err
    assert not Path("kept.db").exists()


def test_a_config_that_asks_nobody_needs_nothing(run, made):
    """And makes no client, whatever is set."""
    write("exact.json", EXACT)
    code, _, err = run("exact.json", "rows.jsonl", "--base-url", "http://a")

    assert (code, err, made) == (0, "", [])


def test_a_broken_config_is_said_first(run):
    """That there is a template error matters more than that nobody can be asked."""
    write("judge.json", {**JUDGE, "input": [{"role": "user", "content": "{{ item.a"}]})
    code, _, err = run("judge.json", "rows.jsonl")

    assert code == 2
    assert "this slot has no closing" in err
    assert "no way to ask" not in err


def test_endpoint_graders_have_a_client(run):
    """Without any option."""
    write("remote.json", REMOTE)
    code, _, _ = run("remote.json", "rows.jsonl", "-o", "out.jsonl")

    assert code == 0
    assert [line["score"] for line in results()] == [0.5, 0.5]


def test_another_judge(run, made):
    """Every judge is swapped, in any form of config, and the signature says which it was."""
    write("evals.json", {"testing_criteria": [{**JUDGE, "pass_threshold": 0}, LABEL, EXACT]})
    write("method.json", {"grader": MULTI})
    for config in ("judge.json", "multi.json", "evals.json", "method.json"):
        code, _, err = run(
            config, "rows.jsonl", "--base-url", "http://a", "--judge", "mine", "-o", "out.jsonl"
        )
        asked = {request.model for server in made for request in server.asked}

        assert asked == {"mine"}
        assert "note: asking mine at http://a\n" in err
        assert "model:mine" in results()[0]["signature"]
        assert "gpt-4o" not in Path("out.jsonl").read_text("utf-8")
    assert code == 0


# --- options that are refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--judge", "m"], "--judge m: no grader of the config asks a model."),
        (["--budget-tokens", "0"], "'--budget-tokens': 0 is not in the range x>=1."),
        (["--in-flight", "0"], "'--in-flight': 0 is not in the range x>=1."),
        (["--retries", "-1"], "'--retries': -1 is not in the range x>=0."),
        (["--timeout", "0"], "'--timeout': 0.0 is not in the range x>0."),
        (["--rpm", "0"], "'--rpm': 0.0 is not in the range x>0."),
        (["--replay", "none.jsonl"], "'--replay': File 'none.jsonl' does not exist."),
    ],
)
def test_a_value_that_cannot_be(run, options, message):
    """Said by the option's name."""
    write("exact.json", EXACT)
    code, _, err = run("exact.json", "rows.jsonl", *options)

    assert code == 2
    assert message in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--replay", "r.jsonl", "--base-url", "http://a", "--retries", "0"],
            "--replay answers from a file; leave out --base-url, --retries.",
        ),
        (
            ["--replay", "r.jsonl", "--client", "a:b", "--cache", "c", "--record", "r"],
            "--replay answers from a file; leave out --client, --cache, --record.",
        ),
        (
            ["--client", "a:b", "--wire", "format=none"],
            "--client asks an object of yours, and --wire would set up ours.",
        ),
        (["--budget-usd", "0"], "--budget-usd: is not an amount of dollars above 0"),
        (["--budget-usd", "nan"], "--budget-usd: is not an amount of dollars above 0"),
        (["--budget-usd", "inf"], "--budget-usd: is not an amount of dollars above 0"),
        (
            ["--wire", "max_tokens=9"],
            "--wire: 'max_tokens=9' is none of max_tokens=max_completion_tokens|max_tokens; "
            "format=json_schema|json_object|none",
        ),
        (["--wire", "format"], "--wire: 'format' is none of max_tokens="),
        (["--wire", "x=y"], "--wire: 'x=y' is none of max_tokens="),
        (
            ["--base-url", "http://a", "--budget-usd", "1"],
            "a budget in dollars cannot be kept: the price of 'gpt-4o' at http://a is not known",
        ),
        (["--base-url", "http://a", "--cache", "rows.jsonl"], "rows.jsonl: not usable as a cache"),
        (["--base-url", "http://a", "--record", "rows.jsonl"], "rows.jsonl:1: no {"),
        (["--replay", "rows.jsonl"], "rows.jsonl:1: no {"),
    ],
)
def test_options_that_do_not_go_together(run, options, message):
    """Nothing is asked, and no file is harmed."""
    write("r.jsonl", "")
    before = Path("rows.jsonl").read_bytes()
    code, out, err = run("judge.json", "rows.jsonl", *options)

    assert (code, out) == (2, "")
    assert message in err
    assert Path("rows.jsonl").read_bytes() == before


# --- files of answers


def test_a_cache_asks_nothing_twice(run, made):
    """The results are the same bytes; the second run sends nothing."""
    common = ["judge.json", "rows.jsonl", "--base-url", "http://a", "--cache", "kept.db"]
    run(*common, "-o", "one.jsonl")
    run(*common, "-o", "two.jsonl")

    assert [len(server.asked) for server in made] == [2, 0]
    assert Path("one.jsonl").read_bytes() == Path("two.jsonl").read_bytes()


def test_another_wire_is_asked_anew(run, made):
    """A judge that is told its format in words may well answer something else."""
    common = ["judge.json", "rows.jsonl", "--base-url", "http://a", "--cache", "kept.db"]
    for options in ([], ["--wire", "format=none"], [], ["--wire", "format=none"]):
        run(*common, *options)

    assert [len(server.asked) for server in made] == [2, 2, 0, 0]


def test_a_recording_replays_without_a_server(run, made):
    """What a cache answered is recorded too, and the results are the same bytes."""
    asking = ["--base-url", "http://a", "--cache", "kept.db"]
    run("judge.json", "rows.jsonl", *asking, "-o", "one.jsonl")
    run("judge.json", "rows.jsonl", *asking, "--record", "judge.jsonl")
    code, _, err = run("judge.json", "rows.jsonl", "--replay", "judge.jsonl", "-o", "two.jsonl")

    assert (code, err) == (0, "note: asking gpt-4o in the recording judge.jsonl\n")
    assert len(made) == 2
    assert Path("one.jsonl").read_bytes() == Path("two.jsonl").read_bytes()


def test_a_replay_that_lacks_an_answer_fails_its_row(run):
    """Never the network, never a score."""
    run("judge.json", "--sample", "x", "--base-url", "http://a", "--record", "judge.jsonl")
    code, _, _ = run("judge.json", "rows.jsonl", "--replay", "judge.jsonl", "-o", "out.jsonl")
    first, second = results()

    assert code == 1
    assert (first["score"], second["score"]) == (0.06, None)
    assert second["failure"]["reason"] == "replay_miss"
