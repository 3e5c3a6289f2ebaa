"""Python graders from the command line: a file or a config, packed, isolated, limited."""

import json
from pathlib import Path

import pytest

from graders.checks import check_source
from graders.cli import main
from graders.compile import Tools, compile_grader
from graders.engine import run_sync
from graders.rows import Row, to_sample
from sandbox import examine, open_sandbox

SOURCE = '''"""Ünïcode, "quotes" and \\backslashes\\n."""
def grade(sample, item):
    print("seen", item["a"])
    return float(sample["output_text"] == item["a"])
'''
ROWS = '{"item": {"a": "x"}, "samples": ["x", "y"]}\n{"item": {}, "sample": "x"}\n'


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grade.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text(ROWS)


def results(path="out.jsonl"):
    """The lines of a results file."""
    with Path(path).open() as file:
        return [json.loads(line) for line in file]


def test_a_python_file_runs_in_place_of_a_config(capsys):
    """Scores, a failure with its own traceback and prints, and the layers, recorded."""
    code = main(["run", "grade.py", "rows.jsonl", "-o", "out.jsonl"])

    one, other, failed = results()
    layers = sorted(proof.layer.name for proof in examine())
    assert (code, one["score"], other["score"]) == (1, 1.0, 0.0)
    assert failed["failure"]["kind"] == "python_grader_runtime_error"
    assert failed["failure"]["reason"] == "raised"
    assert failed["failure"]["message"].endswith(
        '  File "grade.py", line 3, in grade\n    print("seen", item["a"])\n'
        "                  ~~~~^^^^^\nKeyError: 'a'"
    )
    took = results("out.timing.jsonl")[0]
    assert took["layers"] == "+".join(layers)
    assert took["cpu_seconds"] > 0
    assert took["peak_bytes"] > 1 << 20
    assert "  sandbox  " + ", ".join(layers[:3]) in capsys.readouterr().out


def test_packing_keeps_the_source_to_the_byte(capsys):
    """Quotes, backslashes and newlines are what people lose when they do it by hand."""
    assert main(["pack", "grade.py", "-o", "g.json", "--image-tag", "2025-05-08"]) == 0
    assert main(["pack", "grade.py"]) == 0

    with Path("g.json").open() as file:
        packed = json.load(file)
    assert packed == {
        "type": "python",
        "name": "grade",
        "source": SOURCE,
        "image_tag": "2025-05-08",
    }
    said, _, printed = capsys.readouterr().out.partition("\n")
    assert said == "g.json: a python grader named 'grade'"
    assert json.loads(printed)["source"] == SOURCE
    assert main(["run", "g.json", "rows.jsonl", "--limit", "1"]) == 0


def test_packing_overwrites_only_when_told(capsys):
    """A config may hold someone's work."""
    assert main(["pack", "grade.py", "-o", "rows.jsonl"]) == 2
    assert "rows.jsonl exists; --force overwrites it." in capsys.readouterr().err
    assert main(["pack", "grade.py", "-o", "rows.jsonl", "--force", "--name", "n"]) == 0
    with Path("rows.jsonl").open() as file:
        assert json.load(file)["name"] == "n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"def grade(sample) -> float: return 1.0", "grade takes 1 argument"),
        (b"def grade(a, b) return 1", "expected ':'"),
        (b"# coding: no-such\ndef grade(s, i): ...", "not a Python source: unknown encoding"),
        (b"def grade(s, i): return '\xff'", "not a Python source: "),
    ],
)
@pytest.mark.parametrize("command", [["pack"], ["validate"], ["run", "--sample", "x"]])
def test_a_file_that_cannot_run_is_refused(tmp_path, capsys, command, source, message):
    """By every command that reads it."""
    (tmp_path / "bad.py").write_bytes(source)

    assert main([command[0], "bad.py", *command[1:]]) == 2
    assert message in capsys.readouterr().err


def test_a_file_may_declare_its_encoding(tmp_path):
    """PEP 263, and a byte order mark."""
    source = "# coding: latin-1\ndef grade(s, i): return float(s['output_text'] == 'é')\n"
    (tmp_path / "old.py").write_bytes(source.encode("latin-1"))

    assert main(["run", "old.py", "--sample", "é", "--failures", "stop"]) == 0


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--isolation", "batch:0"], "'batch:0' is neither row nor batch:N"),
        (["--isolation", "rows"], "'rows' is neither row nor batch:N"),
        (["--sandbox-limit", "wall=0s"], "'wall=0s' is not one of wall, cpu, memory"),
        (["--sandbox-limit", "time=3"], "'time=3' is not one of wall, cpu, memory"),
        (["--sandbox-limit", "memory=3 apples"], "such as wall=30s or memory=512MiB"),
        (["--python", "/bin/false"], "/bin/false does not run"),
        (["--sandbox", "loose"], "'loose' is not one of 'strict', 'standard', 'unsafe'"),
    ],
)
def test_a_wrong_option_is_said(capsys, option, message):
    """Before anything runs."""
    assert main(["run", "grade.py", "rows.jsonl", *option]) == 2
    assert message in capsys.readouterr().err


def test_limits_and_batches_are_the_runs(tmp_path):
    """A limit stops the row; rows of a batch share a process, and the signature says so."""
    slow = "def grade(s, i):\n    while s['output_text'] == 'x': pass\n    return 1\n"
    (tmp_path / "slow.py").write_text(slow)
    limits = ["--limit", "2", "--sandbox-limit", "wall=1s"]
    main(["run", "slow.py", "rows.jsonl", "-o", "slow.jsonl", *limits])
    main(["run", "grade.py", "rows.jsonl", "-o", "out.jsonl", "--isolation", "batch:8"])

    assert results("slow.jsonl")[0]["failure"]["reason"] == "timed_out"
    assert results("slow.jsonl")[1]["score"] == 1.0
    assert results()[0]["signature"].endswith("python|call:grade(sample,item)|isolation:batch:8")


def test_a_recorded_hosted_result_comes_out_the_same():
    """WRatio of a published pair, as the service gave it (HOSTED, recorded results)."""
    source = (
        "from rapidfuzz import fuzz, utils\n"
        "def grade(sample, item):\n"
        "    return fuzz.WRatio(sample['output_text'], item['reference_answer'],\n"
        "                       processor=utils.default_process) / 100\n"
    )
    box = open_sandbox(workers=1)
    config = {"type": "python", "name": "p", "source": source}
    grader = compile_grader(config, tools=Tools(sandbox=box))
    item = {"reference_answer": "fuzzy wuzzy had no hair"}
    row = Row(item=item, sample=to_sample("fuzzy wuzzy was a bear"), row=1)
    (grade,) = run_sync(lambda: grader.grade([row]))
    box.close()

    assert grade.score == 0.7555555555555555


RUNS_SAMPLE = [
    ("exec(sample['output_text'])", "exec"),
    ("code = sample['output_text'].strip()\n    exec(code)", "exec"),
    ("import subprocess as sp\n    sp.run(['python', '-c', f'{sample}'])", "subprocess.run"),
    ("from pickle import loads\n    loads(sample['output_text'].encode())", "pickle.loads"),
    ("return help_me(sample)", "eval"),
    ("eval(compile(sample['output_text'], 'x', 'eval'))", "compile"),
]


@pytest.mark.parametrize(("body", "name"), RUNS_SAMPLE)
def test_running_what_the_model_wrote_is_warned_of(body, name):
    """Whatever grade() executes can set its own score."""
    source = f"def help_me(x):\n    return eval(x['a'])\ndef grade(sample, item):\n    {body}\n"
    found = [f for f in check_source(source) if f.code == "runs-sample"]

    assert any(f.message.startswith(f"the sample reaches {name}, and whatever") for f in found)
    assert {f.severity for f in found} == {"warning"}


@pytest.mark.parametrize(
    "body", ["exec(item['test'])", "eval('1')", "return float(len(sample['output_text']))"]
)
def test_running_what_is_not_the_models_is_fine(body):
    """The item is the author's own."""
    assert check_source(f"def grade(sample, item):\n    {body}\n") == []


def test_what_exists_only_here_is_said():
    """A grader that needs it would fail in a hosted job."""
    (found,) = check_source("import sandbox\ndef grade(sample, item):\n    return 1.0\n")

    assert (found.code, found.path) == ("local-only", "line 1")
    assert found.message == "sandbox.run_code exists here and not on the hosted service"
