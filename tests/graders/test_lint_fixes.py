"""`--fix` changes what is certain, and nothing else in the file."""

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linting import as_text, codes
from sample_configs import EXACT, JUDGE, LABEL, PYTHON, SIMILAR

from graders.lint import fix_config, lint
from graders.lint.codes import CODES
from graders.lint.edits import Config, diff, edited, write_atomically
from graders.lint.fixes import FIXES
from graders.lint.locate import locate

GRADE = 'def grade(sample, item):\n    return float(sample["output_text"] == item["a"])\n'
MULTI = {"type": "multi", "name": "m", "graders": {"a": EXACT, "b": {**EXACT, "name": "other"}}}


def fixed(folder, config):
    """The config after --fix, and what was put right."""
    path = folder / "grader.json"
    path.write_text(as_text(config), encoding="utf-8", newline="")
    _, text, done = fix_config(path)
    return json.loads(text), done


def source(text):
    return {**PYTHON, "source": text}


SURE = [
    ({**EXACT, "operation": "neq"}, {**EXACT, "operation": "ne"}),
    ({**EXACT, "operation": "=="}, EXACT),
    ({**EXACT, "operation": "EQ"}, EXACT),
    ({**EXACT, "operation": "contains"}, {**EXACT, "operation": "like"}),
    ({**EXACT, "type": "String-Check"}, EXACT),
    ({**JUDGE, "sampling_params": {"reasoning_effort": "High"}, "model": "o3"},
     {**JUDGE, "sampling_params": {"reasoning_effort": "high"}, "model": "o3"}),
    ({k.replace("reference", "refrence"): v for k, v in EXACT.items()}, EXACT),
    ({**JUDGE, "image_tag": "2025-05-08"}, JUDGE),
    ({"input": "x", **PYTHON, "reference": "y"}, PYTHON),
    ({**JUDGE, "sampling_params": {"max_tokens": 900}},
     {**JUDGE, "sampling_params": {"max_completions_tokens": 900}}),
    ({**JUDGE, "model": "o3", "sampling_params": {"temperature": 0, "seed": 1, "top_p": 1}},
     {**JUDGE, "model": "o3", "sampling_params": {"seed": 1}}),
    ({**JUDGE, "sampling_params": {"reasoning_effort": "low"}}, {**JUDGE, "sampling_params": {}}),
    (source("".join(f"    {line}\n" for line in GRADE.splitlines())), source(GRADE)),
    (source(GRADE.replace("\n", "\\n")), source(GRADE)),
    (source("  def grade(sample, item): return 1.0"),
     source("def grade(sample, item): return 1.0")),
    (source("def grade(sample, item):\\n    return len('a\\\\nb'.split('\\\\n')) / 2"),
     source("def grade(sample, item):\n    return len('a\\nb'.split('\\n')) / 2")),
    (source(GRADE.replace("sample, item", "item, sample")), source(GRADE)),
    (source(GRADE.replace("(sample, item)", "(\n    item,\n    sample,\n)")),
     source(GRADE.replace("(sample, item)", "(\n    sample,\n    item,\n)"))),
    ({**MULTI, "calculate_output": "0.5*a + 0.5*other"},
     {**MULTI, "calculate_output": "0.5*a + 0.5*b"}),
    ({"type": "multi", "name": "m", "graders": {"a": {**EXACT, "name": "max"}},
      "calculate_output": "max(max, 0.5)"},
     {"type": "multi", "name": "m", "graders": {"a": {**EXACT, "name": "max"}},
      "calculate_output": "max(a, 0.5)"}),
    ({**MULTI, "calculate_output": "a ** 2 * b"}, {**MULTI, "calculate_output": "a ^ 2 * b"}),
    ({**EXACT, "reference": "{{ Items.answer }}"}, EXACT),
    ({**EXACT, "reference": "{{ item.answer }}}"}, EXACT),
    ({**EXACT, "reference": "{{{ item.answer }}}"}, EXACT),
    ({**LABEL, "labels": ["good", "bad", "good"]}, LABEL),
    ({**LABEL, "passing_labels": ["Good"]}, LABEL),
    ({"grader": {**EXACT, "operation": "neq"}}, {"grader": {**EXACT, "operation": "ne"}}),
]  # fmt: skip


@pytest.mark.parametrize(("config", "wanted"), SURE)
def test_what_is_certain_is_put_right(tmp_path, config, wanted):
    """One mistake, one fix, and nothing more to fix."""
    value, done = fixed(tmp_path, config)

    assert value == wanted
    assert done
    assert fixed(tmp_path, value) == (wanted, [])


@pytest.mark.parametrize("layout", [{}, {"indent": 2}, {"indent": "\t", "ensure_ascii": False}])
@pytest.mark.parametrize(("config", "wanted"), SURE)
def test_in_any_layout(tmp_path, config, wanted, layout):
    """The file is edited where it is wrong, not written anew."""
    path = tmp_path / "grader.json"
    path.write_text(json.dumps(config, **layout), encoding="utf-8")
    before, after, _ = fix_config(path)

    assert json.loads(after) == wanted
    assert after.count("\n") <= before.count("\n")


@pytest.mark.parametrize(
    "config",
    [
        {**EXACT, "operation": "starts_with"},
        {**EXACT, "operation": "regex"},
        {**EXACT, "refrence": "x"},
        {**EXACT, "comment": "mine"},
        {**EXACT, "\0comment": "mine"},
        {**JUDGE, "model": "gpt-5.1", "sampling_params": {"temperature": 0,
                                                          "reasoning_effort": "low"}},
        {**JUDGE, "sampling_params": {"max_tokens": 9, "max_completions_tokens": 900}},
        {**JUDGE, "sampling_params": {"max_tokens": 9, "max_output_tokens": 900}},
        {**JUDGE, "sampling_params": {"max_tokens": 0}},
        {**JUDGE, "sampling_params": {"max_tokens": "900"}},
        source("def grade(sample, item):\n  return (1.0\n"),
        source("  def grade(sample, item):\n      return len('''a\n    b''') / 9\n"),
        source("  def grade(sample, item):\n      return 1.0\n x = 2\n"),
        source("def grade(item, sample):\n    return float(sample == item)"),
        source('def grade(item: dict, sample: dict):\n    return len(sample["output_text"]) / 9'),
        {**MULTI, "calculate_output": "0.5 * a + 0.5 * b)"},
        {**MULTI, "calculate_output": "0.5 * a + 0.5 * exakt"},
        {**MULTI, "graders": {"a": EXACT, "b": EXACT}, "calculate_output": "exact"},
        {**MULTI, "graders": {"a": {**EXACT, "name": "b"}, "c": {**SIMILAR, "name": "a"}},
         "calculate_output": "0.5 * a + 0.5 * b"},
        {**EXACT, "reference": "{{ data.answer }}"},
        {**EXACT, "reference": "a { b {{ item.answer }}"},
        {**EXACT, "reference": "{item.answer}"},
        {**EXACT, "reference": "Paris"},
        {**LABEL, "labels": ["good", "Good", "bad"], "passing_labels": ["GOOD"]},
        {**JUDGE, "range": [1, 0]},
        {**JUDGE, "pass_threshold": 50},
        {**PYTHON, "source": ["def grade(sample, item):", "    return 1.0"]},
    ],
)  # fmt: skip
def test_what_could_be_meant_in_two_ways_is_left_to_its_writer(tmp_path, config):
    """It is said all the same."""
    assert codes(tmp_path, config)
    assert fixed(tmp_path, config) == (config, [])


def test_mistakes_that_hide_others_are_put_right_in_turn(tmp_path):
    """A form that does not parse says little about its formula."""
    graders = {"a": {**EXACT, "operation": "neq"}, "b": {**EXACT, "name": "other"}}
    config = {**MULTI, "graders": graders, "calculate_output": "other ** 2"}
    value, done = fixed(tmp_path, config)

    assert value["calculate_output"] == "b ^ 2"
    assert value["graders"]["a"]["operation"] == "ne"
    assert len(done) >= 3


def test_the_rest_of_a_file_stays_as_it_was(tmp_path):
    """Blanks, order, escapes, line ends, a byte order mark."""
    text = (
        '\ufeff{ "type":"string_check",\r\n\t"name" : "n\\u00e9", "image_tag" :"x" ,\r\n'
        '  "operation":"neq","input": "{{sample.output_text}}",\r\n'
        '"reference":"{{item.a}}"}\r\n\r\n'
    )
    path = tmp_path / "grader.json"
    path.write_bytes(text.encode())
    _, after, done = fix_config(path)
    write_atomically(path, after)

    assert path.read_bytes().decode() == text.replace(', "image_tag" :"x"', "").replace("neq", "ne")
    assert len(done) == 2


@pytest.mark.parametrize("name", sorted(FIXES))
def test_the_table_of_codes_says_what_can_be_fixed(name):
    """And no other does."""
    assert CODES[name].fixable


def test_no_code_promises_a_fix_that_is_not_there():
    assert {code.name for code in CODES.values() if code.fixable} == FIXES.keys()


@pytest.mark.parametrize(
    "code", [c for c in CODES.values() if c.fixable and c.bad], ids=lambda code: code.name
)
def test_a_fix_never_adds_an_error(tmp_path, code):
    """What was wrong in the example is right, or as it was."""
    path = tmp_path / "grader.json"
    path.write_text(as_text(code.bad.config), encoding="utf-8")
    before = len(lint(path).of("error"))
    _, after, _ = fix_config(path)
    path.write_text(after, encoding="utf-8")

    assert len(lint(path).of("error")) <= before


# --- edits


@pytest.mark.long
@given(
    members=st.dictionaries(st.text(max_size=5), st.integers() | st.text(), min_size=1, max_size=5),
    layout=st.sampled_from([{}, {"indent": 1}, {"separators": (" ,", " :")}]),
    data=st.data(),
)
def test_a_member_is_dropped_with_its_comma(members, layout, data):
    """What remains is JSON, and the other members."""
    text = json.dumps(members, **layout)
    key = data.draw(st.sampled_from(sorted(members)))
    config = Config(json.loads(text), locate(text))

    left = json.loads(edited(text, config.drop((key,))))
    assert left == {k: v for k, v in members.items() if k != key}
    assert list(left) == [k for k in members if k != key]


def test_a_key_is_not_renamed_to_one_that_is_there():
    text = '{"a": 1, "b": 2}'
    config = Config(json.loads(text), locate(text))

    assert config.rename(("a",), "b") == []
    assert config.rename(("c",), "d") == []
    assert config.drop(("c",)) == []


def test_a_diff_ends_in_a_line_end():
    """Whether or not the file does."""
    assert diff("a\nb", "a\nc", "x.json").splitlines() == [
        "--- x.json", "+++ x.json (fixed)", "@@ -1,2 +1,2 @@", " a", "-b", "+c",
    ]  # fmt: skip


def test_a_file_keeps_its_mode_and_its_link(tmp_path):
    """A link stays one, and what it leads to is replaced."""
    target, link = tmp_path / "real.json", tmp_path / "link.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_atomically(link, "new é\r\n")

    assert link.is_symlink()
    assert target.read_bytes() == "new é\r\n".encode()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "real.json"]


def test_a_file_that_cannot_be_written_stays(tmp_path, monkeypatch):
    """And nothing lies beside it."""
    path = tmp_path / "a.json"
    path.write_text("old")

    def refuse(*_):
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="no space left"):
        write_atomically(path, "new")
    monkeypatch.undo()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.json", "old")]
