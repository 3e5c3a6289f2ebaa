"""What judging takes, on the command line: budgets, the summary, times, and dry runs."""

import json
import sys
from pathlib import Path

import pytest
from stand_ins import EXACT, JUDGE, LABEL, REMOTE, install, results, write

MINE = """
from graders.clients import ModelReply
from graders.grades import Usage

class Judge:
    async def complete(self, request):
        usage = Usage(prompt_tokens=1000, completion_tokens=100, total_tokens=1100)
        if request.model == "silent":
            usage = None
        text = '{"steps": [], "result": 0.5}'
        return ModelReply(text=text, usage=usage, attempts=3)
"""
MINE_OPTIONS = ("--client", "spending_judge:Judge")


@pytest.fixture(autouse=True)
def made(tmp_path, monkeypatch):
    """A folder of one's own with the stand-ins, and a client of the user's."""
    monkeypatch.chdir(tmp_path)
    write("spending_judge.py", MINE)
    monkeypatch.delitem(sys.modules, "spending_judge", raising=False)
    return install(monkeypatch)


def rows(count):
    write("rows.jsonl", "".join(f'{{"item": {{"n": {n}}}, "sample": "x"}}\n' for n in range(count)))
    write("judge.json", {**JUDGE, "input": [{"role": "user", "content": "Rate {{ item.n }}"}]})


# --- the summary


def test_the_summary_counts_what_was_asked_and_what_was_kept(run):
    """Per model, with a cost where the price is known; what was kept is not paid again."""
    rows(3)
    run("judge.json", "rows.jsonl", "--limit", "2", *MINE_OPTIONS, "--cache", "kept.db")
    code, out, _ = run("judge.json", "rows.jsonl", *MINE_OPTIONS, "--cache", "kept.db")

    assert code == 0
    assert "  asked    gpt-4o: 1 call, 1,000 + 100 tokens, about $0.0035\n" in out
    assert "  kept     gpt-4o: 2 answers, 2,000 + 200 tokens, paid before\n" in out


@pytest.mark.parametrize(
    ("models", "lines"),
    [
        (["mine"], ["  asked    mine: 2 calls, 2,000 + 200 tokens, cost n/a"]),
        (
            ["gpt-4o", "o3"],
            [
                "  asked    gpt-4o: 2 calls, 2,000 + 200 tokens, about $0.0070",
                "  asked    o3: 2 calls, 2,000 + 200 tokens, about $0.0056",
                "  in all   4,400 tokens, about $0.0126",
            ],
        ),
        (
            ["gpt-4o", "silent"],
            [
                "  asked    gpt-4o: 2 calls, 2,000 + 200 tokens, about $0.0070",
                "  asked    silent: 2 calls, 0 + 0 tokens, cost n/a",
                "  in all   2,200 tokens, cost n/a",
                "           2 answers came without a count of tokens",
            ],
        ),
    ],
)
def test_a_cost_that_is_not_known_is_said(run, models, lines):
    """It is "n/a", and so is a sum with it in."""
    members = {f"m{i}": {**JUDGE, "model": model} for i, model in enumerate(models)}
    formula = " + ".join(members)
    write(
        "multi.json",
        {"type": "multi", "name": "m", "graders": members, "calculate_output": formula},
    )
    _, out, _ = run("multi.json", "rows.jsonl", *MINE_OPTIONS)

    assert [line for line in out.splitlines() if line in lines] == lines
    assert max(map(len, out.splitlines())) <= 80


def test_the_summary_for_programs(run):
    """The same numbers; a cost that is not known is null."""
    rows(3)
    run("judge.json", "rows.jsonl", "--limit", "1", *MINE_OPTIONS, "--cache", "kept.db")
    _, out, _ = run("judge.json", "rows.jsonl", *MINE_OPTIONS, "--cache", "kept.db", "--json")
    report = json.loads(out)

    assert report["usage"] == {
        "gpt-4o": {
            "calls": 2,
            "prompt_tokens": 2000,
            "cached_tokens": 0,
            "completion_tokens": 200,
            "cost_usd": 0.007,
            "answered_before": {
                "calls": 1,
                "prompt_tokens": 1000,
                "cached_tokens": 0,
                "completion_tokens": 100,
            },
        }
    }
    assert (report["cost_usd"], report["answers_without_usage"]) == (0.007, 0)

    _, out, _ = run("judge.json", "rows.jsonl", *MINE_OPTIONS, "--judge", "mine", "--json")
    assert json.loads(out)["cost_usd"] is None
    write("exact.json", EXACT)
    write("rows.jsonl", '{"item": {"a": "x"}, "sample": "x"}\n')
    _, out, _ = run("exact.json", "rows.jsonl", "--json")
    assert "cost_usd" not in json.loads(out)


def test_one_sample_says_what_it_took(run):
    """Without files, too."""
    _, out, _ = run("judge.json", "--sample", "x", *MINE_OPTIONS)

    assert out.endswith("  asked    gpt-4o: 1 call, 1,000 + 100 tokens, about $0.0035\n")


def test_results_have_the_tokens_and_times_have_the_sending(run):
    """A result does not depend on a cache; what does is in the file of times."""
    rows(1)
    command = ["judge.json", "rows.jsonl", *MINE_OPTIONS, "--cache", "kept.db", "-o"]
    run(*command, "one.jsonl")
    run(*command, "two.jsonl")
    (result,) = results("one.jsonl")
    times = [results(f"{name}.timing.jsonl")[0] for name in ("one", "two")]

    assert result["usage"]["gpt-4o"]["total_tokens"] == 1100
    assert Path("one.jsonl").read_bytes() == Path("two.jsonl").read_bytes()
    assert [(time["attempts"], time["cached"]) for time in times] == [(3, False), (0, True)]


# --- budgets


@pytest.mark.parametrize(
    ("budget", "kept", "reason"),
    [
        (["--budget-tokens", "2000"], 2, "the budget of 2,000 tokens is used up (2,200 spent)"),
        (["--budget-usd", "0.0105"], 3, "the budget of $0.0105 is used up (about $0.0105 spent)"),
    ],
)
def test_a_budget_stops_the_run_and_keeps_what_is_graded(run, budget, kept, reason):
    """Results, summary, a sentence with what was spent and where, and exit code 1."""
    rows(9)
    command = ["judge.json", "rows.jsonl", *MINE_OPTIONS, "--in-flight", "1", *budget]
    code, out, err = run(*command, "-o", "out.jsonl")

    assert code == 1
    assert [(line["row"], line["score"]) for line in results()] == [
        (row, 0.5) for row in range(1, kept + 1)
    ]
    assert f"{kept} samples, 0 failed, 0 bad lines" in out.replace(" in 1 group", "").replace(
        f" in {kept} groups", ""
    )
    assert err.endswith(
        f"graders: stopped at row {kept + 1}, sample 0, the first that is not graded: {reason}\n"
    )


def test_a_cache_and_a_budget_get_to_the_end_in_steps(run):
    """What was paid is kept, so the next run goes on where the budget ended this one."""
    rows(5)
    command = ["judge.json", "rows.jsonl", *MINE_OPTIONS, "--cache", "kept.db"]
    command += ["--budget-tokens", "2000", "--in-flight", "1", "-o", "out.jsonl"]
    graded = []
    for more in ([], ["--resume"], ["--resume"]):
        code, _, _ = run(*command, *more)
        graded.append((code, len(results())))

    assert graded == [(1, 2), (1, 4), (0, 5)]


def test_dollars_for_a_model_without_a_price_are_refused_first(run):
    """Before a file is made or anything is asked."""
    code, _, err = run(
        "judge.json", "rows.jsonl", *MINE_OPTIONS, "--judge", "mine", "--budget-usd", "1",
        "--cache", "kept.db",
    )  # fmt: skip

    assert code == 2
    assert "the price of 'mine' is not known" in err
    assert "--budget-tokens N" in err
    assert not Path("kept.db").exists()


# --- dry runs


def test_a_dry_run_sends_nothing_and_needs_nobody(run, made):
    """Calls, tokens and cost by model; neither a key nor a sandbox nor a server is wanted."""
    python = {"type": "python", "name": "p", "source": "def grade(sample, item):\n    return 1.0"}
    members = {"j": JUDGE, "p": python, "q": {**JUDGE, "model": "mine"}, "r": REMOTE}
    write(
        "multi.json",
        {"type": "multi", "name": "m", "graders": members, "calculate_output": "j + p + q + r"},
    )
    code, out, err = run("multi.json", "rows.jsonl", "--dry-run")

    assert (code, err, made) == (0, "", [])
    # "Rate x", "Rate xx" and twice the 377 characters of the answer format: 767 / 4 tokens.
    assert out.splitlines() == [
        "dry run of a multi grader named 'm': nothing is sent",
        "2 samples, 0 that do not render, 0 bad lines",
        "",
        "  gpt-4o: 2 calls, about 192 prompt tokens and 20 to 8,192 of answers, about",
        "  $0.0007 to $0.0824",
        "  mine: 2 calls, about 192 prompt tokens and 20 to 8,192 of answers, cost n/a",
        "  endpoints: 2 calls, cost n/a",
        "  in all: cost n/a",
    ]


def test_a_dry_run_for_programs(run):
    """What cannot be estimated is counted; what is limited by the config is."""
    blocks = [
        {"type": "input_text", "text": "{{ item.a }}" + "x" * 37},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="},
        {"type": "input_audio", "input_audio": {"data": "UklGRgAAAABXQVZF", "format": "wav"}},
        "yyyy",
    ]
    config = {
        **LABEL,
        "model": "gpt-4o",
        "input": [{"role": "user", "content": blocks}],
        "sampling_params": {"max_completions_tokens": 100},
    }
    write("label.json", config)
    lines = ['{"item": {"a": "abc"}, "sample": "x"}', '{"item": {}, "sample": "x"}', "oops"]
    write("rows.jsonl", "\n".join([*lines, lines[0], lines[0]]) + "\n")
    code, out, _ = run("label.json", "rows.jsonl", "--dry-run", "--json", "--limit", "3")
    report = json.loads(out)
    asked = report["models"]["gpt-4o"]

    assert code == 1  # a row does not render, and a line is no row
    assert (report["samples"], report["not_rendered"], report["bad_lines"]) == (3, 1, 1)
    assert asked["calls"] == asked["images_not_estimated"] == asked["audio_not_estimated"] == 2
    assert asked["completion_tokens"] == [20, 200]
    low, high = asked["cost_usd"]
    prompt = asked["prompt_tokens"]
    assert low == pytest.approx(prompt * 2.5e-6 + 20 * 1e-5, abs=3e-6)
    assert high == pytest.approx(prompt * 2.5e-6 + 200 * 1e-5, abs=3e-6)
    assert report["cost_usd"] == [low, high]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["rows.jsonl", "-o", "out.jsonl"], "--dry-run grades nothing, and -o has nothing to hold"),
        ([], "Missing argument 'ROWS' (or give --sample)."),
    ],
)
def test_what_a_dry_run_does_not_take(run, options, message):
    """As usage errors."""
    code, _, err = run("judge.json", *options, "--dry-run")

    assert code == 2
    assert message in err


@pytest.mark.parametrize(
    ("config", "options", "shown"),
    [
        (EXACT, [], "  no model is asked"),
        (JUDGE, ["--base-url", "http://a"], "20 to 8,192 of answers, cost n/a"),
        (JUDGE, ["--judge", "o3"], "  o3: 2 calls"),
        ({**JUDGE, "repeats": 3}, [], "  gpt-4o: 6 calls"),
    ],
)
def test_what_a_dry_run_says(run, config, options, shown):
    """A server of one's own has no price; another judge is counted in place of the config's."""
    write("any.json", config)
    code, out, _ = run("any.json", "rows.jsonl", "--dry-run", *options)

    assert code == 0
    assert shown in " ".join(out.split("\n")) or shown in out.replace("\n ", "")


@pytest.mark.parametrize("name", ["kept.db", "judge.jsonl", "rows.jsonl"])
def test_results_overwrite_no_answers(run, name):
    """A cache or a recording is an input, also where it is yet to be made."""
    files = ["--cache", "kept.db", "--record", "judge.jsonl"]
    for _ in range(2):
        code, _, err = run("judge.json", "rows.jsonl", *MINE_OPTIONS, *files, "-o", name)
        assert code == 2
        assert f"-o {name} would overwrite the input {name}." in err
        run("judge.json", "rows.jsonl", *MINE_OPTIONS, *files)
