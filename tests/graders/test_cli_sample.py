"""`graders sample`: from rows to samples that `graders run` grades."""

import gzip
import json
import sys
from pathlib import Path

import pytest
from sample_configs import EXACT

from graders.cli import main

CLIENT = """
from graders.clients import ModelReply
from graders.errors import FailureKind, GradingError
from graders.grades import Usage

class Client:
    async def complete(self, request):
        text = request.messages[-1].content
        if "fail" in text and request.repeat == 1:
            raise GradingError(FailureKind.MODEL_SERVER, "503 after 7 tries", "unavailable")
        usage = Usage(prompt_tokens=8, completion_tokens=2, total_tokens=10)
        words = ["Paris", "Rome", "Oslo"]
        said = f"{words[request.repeat % 3]} {sorted(request.sampling.items())}"
        reply = words[request.repeat % 3] if "plain" in text else said
        return ModelReply(text=reply, model=f"{request.model}-1", usage=usage)
"""


@pytest.fixture
def sample(tmp_path, monkeypatch, capsys):
    """Run `graders sample` by a client of one's own; gives code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delitem(sys.modules, "sampler", raising=False)
    Path("sampler.py").write_text(CLIENT)

    def command(*arguments):
        code = main(["sample", *arguments, "--model", "m", "--client", "sampler:Client"])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield command
    sys.modules.pop("sampler", None)


def asks(*texts):
    rows = [{"messages": [{"role": "user", "content": text}], "answer": "Paris"} for text in texts]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_samples_are_drawn_and_graded(sample, capsys):
    """End to end: three answers to each of two rows, of which one in three is right."""
    asks("plain", "plain too")
    code, out, err = sample("rows.jsonl", "-n", "3", "-o", "samples.jsonl")

    assert (code, out) == (0, "6 samples of 2 rows by m, 60 tokens\n")
    assert err == "note: asking m through sampler:Client\n"
    Path("grader.json").write_text(json.dumps(EXACT))
    assert main(["run", "grader.json", "samples.jsonl", "-o", "results.jsonl", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["groups"] == 2
    results = lines(Path("results.jsonl").read_text())
    assert [(r["row"], r["sample_index"], r["score"]) for r in results] == [
        (1, 0, 1.0), (1, 1, 0.0), (1, 2, 0.0), (2, 0, 1.0), (2, 1, 0.0), (2, 2, 0.0)
    ]  # fmt: skip


def test_without_a_file_the_samples_go_to_standard_output(sample):
    """And what people read to standard error."""
    asks("plain")
    code, out, err = sample("rows.jsonl")
    (line,) = lines(out)

    assert code == 0
    assert line["item"]["messages"] == [{"role": "user", "content": "plain"}]
    assert line["samples"][0]["output_text"] == "Paris"
    assert line["samples"][0]["model"] == "m-1"
    assert err.endswith("1 sample of 1 row by m, 10 tokens\n")


def test_a_prompt_and_parameters_are_sent(sample):
    """The seed goes up by one, so that samples can be drawn again and differ."""
    Path("rows.jsonl").write_text('{"q": "Where?"}\n{"item": {"q": "Who?"}}\n')
    _, out, _ = sample(
        *("rows.jsonl", "-n", "2", "--prompt", "Say {{ item.q }}", "--temperature", "0.5"),
        *("--max-tokens", "7", "--seed", "40", "--limit", "1"),
    )
    (line,) = lines(out)

    assert line["item"] == {"q": "Where?"}
    assert [one["output_text"] for one in line["samples"]] == [
        "Paris [('max_completions_tokens', 7), ('seed', 40), ('temperature', 0.5)]",
        "Rome [('max_completions_tokens', 7), ('seed', 41), ('temperature', 0.5)]",
    ]


def test_a_failed_sample_is_loud(sample, capsys):
    """In its line, in the summary and in the exit code; what was drawn can be graded."""
    asks("plain", "plain, fail", "plain")
    code, out, err = sample("rows.jsonl", "-n", "3", "-o", "samples.jsonl")
    drawn = lines(Path("samples.jsonl").read_text())

    assert (code, err) == (1, "note: asking m through sampler:Client\n")
    assert out.splitlines() == [
        "8 samples of 3 rows by m, 80 tokens",
        "  1 sample failed",
        "  row 2, sample 1: 503 after 7 tries",
    ]
    assert [len(line["samples"]) for line in drawn] == [3, 2, 3]
    assert [line.get("failures") for line in drawn] == [
        None,
        [{"sample": 1, "kind": "model_grader_server_error", "message": "503 after 7 tries"}],
        None,
    ]
    Path("grader.json").write_text(json.dumps(EXACT))
    assert main(["run", "grader.json", "samples.jsonl", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["samples"] == 8


def test_a_bad_line_is_loud_and_costs_no_other(sample):
    """As in a run."""
    asks("plain", "plain")
    Path("rows.jsonl").write_text(Path("rows.jsonl").read_text() + '{"q": 1}\nnonsense\n')
    code, out, _ = sample("rows.jsonl", "-o", "samples.jsonl")

    assert code == 1
    assert out.splitlines()[1:] == [
        "  2 bad lines",
        "  rows.jsonl:3:1: has no messages; --prompt TEMPLATE makes a prompt of other ...",
        "  rows.jsonl:4:1: not JSON: Expecting value",
    ]
    assert len(Path("samples.jsonl").read_text().splitlines()) == 2


def test_a_budget_stops_cleanly(sample):
    """What was paid is kept, no row is written that nobody was asked about, and it is said."""
    asks(*["plain"] * 1000)
    code, out, _ = sample(
        *("rows.jsonl", "-n", "2", "-o", "samples.jsonl", "--budget-tokens", "100"),
    )
    drawn = lines(Path("samples.jsonl").read_text())

    assert code == 1
    assert "  stopped: the budget of 100 tokens is used up" in out
    assert 5 <= len(drawn) < 100
    assert all(line["samples"] for line in drawn)


def test_packed_rows_and_packed_samples(sample):
    """By the ending, as everywhere."""
    asks("plain")
    Path("rows.jsonl.gz").write_bytes(gzip.compress(Path("rows.jsonl").read_bytes()))
    code, _, _ = sample("rows.jsonl.gz", "-o", "samples.jsonl.gz")

    assert code == 0
    assert len(lines(gzip.decompress(Path("samples.jsonl.gz").read_bytes()).decode())) == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["rows.jsonl", "-o", "rows.jsonl"], "-o rows.jsonl would overwrite the input rows.jsonl."),
        (
            ["rows.jsonl", "-o", "kept.db", "--cache", "kept.db"],
            "-o kept.db would overwrite the input kept.db.",
        ),
        (
            ["rows.jsonl", "-o", "./said.jsonl", "--record", "said.jsonl"],
            "-o ./said.jsonl would overwrite the input said.jsonl.",
        ),
        (["rows.jsonl", "-o", "."], "-o .: Is a directory."),
        (["empty.jsonl"], "empty.jsonl holds no rows."),
        (["rows.jsonl", "-n", "0"], "Invalid value for '-n': 0 is not in the range 1<=x<=1000."),
        (["rows.jsonl", "--prompt", "{{ sample.output_text }}"], "a prompt has no sample to use"),
        (["gone.jsonl"], "'gone.jsonl' does not exist"),
    ],
)
def test_what_cannot_be_sampled_is_refused(sample, arguments, problem):
    """And nothing that was there is lost."""
    asks("plain")
    before = Path("rows.jsonl").read_bytes()
    Path("empty.jsonl").write_text("\n")
    code, _, err = sample(*arguments)

    assert code == 2
    assert problem in err
    assert Path("rows.jsonl").read_bytes() == before


def test_without_a_way_to_ask_the_three_ways_are_named(sample, capsys, monkeypatch):
    """As in a run."""
    del sample
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    asks("plain")

    assert main(["sample", "rows.jsonl", "--model", "m"]) == 2
    assert "there is no way to ask 'm'. One of three: " in capsys.readouterr().err


def test_columns_are_called_as_the_option_says(sample):
    """Those that a prompt needs, and a line that lacks one is named."""
    Path("rows.csv").write_text("q,gold\nplain,Paris\n")
    Path("rows.jsonl").write_text('{"gold": "Rome"}\n')
    ask = ["--prompt", "{{ item.question }}", "--column", "item.question=q"]

    code, out, _ = sample("rows.csv", *ask)
    assert (code, lines(out)) == (
        0, [{"item": {"gold": "Paris", "question": "plain"}, "samples": lines(out)[0]["samples"]}]
    )  # fmt: skip
    code, _, err = sample("rows.jsonl", *ask)
    assert code == 1
    assert "rows.jsonl:1:1: there is no column 'q'." in err


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ("sample=said", "sample=said: no sample is read of these rows; name items' columns"),
        ("item.a", "'item.a' is not TO=FROM"),
        ("answer=a", "answer: a column is item, item.KEY, sample or samples"),
    ],
)
def test_a_column_that_is_no_item_s_is_refused(sample, column, problem):
    """The samples are what is to be drawn."""
    asks("plain")
    code, _, err = sample("rows.jsonl", "--column", column)
    assert code == 2
    assert problem in err
