"""Files of training rows: tallies of problems, tokens, and the rows that are kept to be tried."""

import gzip
import json
import re
from itertools import pairwise

import pytest

from graders.jobs.datasets import TRIED, read_dataset
from graders.jobs.messages import size_of

USER = {"role": "user", "content": "What is 2 + 2?"}
ANSWER = {"role": "assistant", "content": "4"}
CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}}
CALLS = {"role": "assistant", "content": None, "tool_calls": [CALL]}
TOOL = {"type": "function", "function": {"name": "add", "parameters": {}}}
PAIR = {
    "input": {"messages": [USER]},
    "preferred_output": [ANSWER],
    "non_preferred_output": [{**ANSWER, "content": "5"}],
}
ROLES = "none of system, developer, user, assistant, tool, function"


def chat(*messages, **more):
    return {"messages": [*messages], **more}


def written(tmp_path, rows, name="rows.jsonl"):
    path = tmp_path / name
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_kind_of_problem_is_one_finding_with_the_first_lines(tmp_path):
    """A bad row is counted once for each kind, however often it errs."""
    twice = chat({"role": "x", "content": ""}, {"role": "y", "content": ""}, ANSWER)
    path = written(tmp_path, ["", chat(USER, ANSWER), *[twice] * 7, "{", "[1]"])

    dataset = read_dataset(path, "supervised", "openai-rft")

    assert (dataset.rows, dataset.bad_rows) == (10, 9)
    assert [str(finding) for finding in dataset.findings] == [
        f"{path}:3:1: messages[0].role is 'x', and {ROLES} (in 7 of 10 rows: lines 3, 4, 5, 6, 7, "
        "...)",
        f"{path}:10:2: not JSON: Expecting property name enclosed in double quotes (in 2 of 10 "
        "rows: lines 10, 11)",
    ]


def test_a_packed_file_is_read_and_a_damaged_one_is_said(tmp_path):
    """As everywhere, by the name."""
    path = tmp_path / "rows.jsonl.gz"
    packed = gzip.compress((json.dumps(chat(USER)) + "\n").encode() * 3)
    path.write_bytes(packed)
    assert read_dataset(path, "reinforcement", "openai-rft").rows == 3

    path.write_bytes(packed[:-6])
    with pytest.raises(OSError, match="cut short"):
        read_dataset(path, "reinforcement", "openai-rft")


def test_an_absurdly_deep_row_is_a_bad_row(tmp_path):
    """It costs that row, and not the command."""
    deep = '{"messages":' + "[" * 100_000 + "]" * 100_000 + "}"
    dataset = read_dataset(written(tmp_path, [deep, chat(USER)]), "reinforcement", "openai-rft")

    assert (dataset.rows, dataset.bad_rows) == (2, 1)
    assert "nested too deeply" in str(next(dataset.findings))


def test_rows_are_kept_evenly_and_no_more_than_twice_the_wanted(tmp_path):
    """Whatever the file's length, what is tried is spread over it."""
    rows = [chat(USER, n=n) for n in range(5_000)]
    dataset = read_dataset(written(tmp_path, rows), "reinforcement", "openai-rft")
    lines = [line for line, _ in dataset.kept.rows]

    assert TRIED <= len(lines) < 2 * TRIED
    assert {later - line for line, later in pairwise(lines)} == {16}


@pytest.mark.parametrize(
    ("messages", "tools", "tokens", "media"),
    [
        ([], None, 0, 0),
        ([USER], None, 4 + 3, 0),  # 14 characters
        ([USER, ANSWER], None, 4 + 6, 0),
        ([{**USER, "content": [{"type": "text", "text": "abcd"}, {"type": "image_url"}]}], None,
         1 + 3, 1),
        ([USER], [TOOL], (14 + len(json.dumps(TOOL, separators=(",", ":"))) + 2 + 3) // 4 + 3, 0),
        ([CALLS], None, -(-len(json.dumps([CALL], separators=(",", ":"))) // 4) + 3, 0),
        ("no messages", None, 0, 0),
    ],
)  # fmt: skip
def test_a_token_is_taken_for_four_characters(messages, tools, tokens, media):
    """And three more for each message; pictures and clips are counted apart."""
    assert size_of(messages, tools) == (tokens, media)


def test_a_pair_is_read_with_its_prompt_twice(tmp_path):
    """Both answers are, each after the prompt."""
    dataset = read_dataset(written(tmp_path, [PAIR]), "dpo", "openai-rft")

    assert dataset.tokens == 2 * 7 + 2 * 4


def test_a_long_row_is_cut_where_the_model_is_known(tmp_path):
    """The service trains on what fits, so the total counts no more."""
    long = chat(USER, {**ANSWER, "content": "x" * 400})
    path = written(tmp_path, [long, chat(USER, ANSWER)])

    dataset = read_dataset(path, "supervised", "openai-rft", most_tokens=50)
    (finding,) = dataset.findings

    assert (finding.code, finding.severity) == ("long-row", "warning")
    assert re.search("is about 110 tokens long, and this model reads 50", finding.message)
    assert (dataset.tokens, dataset.longest) == (50 + 10, (110, 1))
    assert dataset.bad_rows == 0
