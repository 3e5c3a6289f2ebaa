"""Options as they are typed, over all commands."""

from collections import Counter
from pathlib import Path

import click
import pytest

from graders.cli import group, main
from graders.cli.compare import _one_each


def test_no_two_options_of_a_command_say_the_same_to_it():
    """What a command is given by one name, it would take for the other's."""
    context = click.Context(group)
    listed = {name: group.get_command(context, name) for name in group.list_commands(context)}
    listed |= {f"image {name}": one for name, one in listed["image"].commands.items()}
    taken = {name: Counter(one.name for one in command.params) for name, command in listed.items()}

    assert sum(map(len, taken.values())) > 300
    assert [(name, key) for name, keys in taken.items() for key in keys if keys[key] > 1] == []


@pytest.mark.parametrize(
    "arguments",
    [["probe", "g.json", "rows.jsonl"], ["mutate", "g.cases.json"], ["study", "rows.jsonl"]],
)
def test_no_seed_is_negative(tmp_path, monkeypatch, capsys, arguments):
    """It is refused before anything is graded."""
    monkeypatch.chdir(tmp_path)
    for name in ("g.json", "g.cases.json", "rows.jsonl"):
        Path(name).write_text("{}", encoding="utf-8")
    code = main([*arguments, "--seed", "-1"])
    out, err = capsys.readouterr()

    assert (code, out) == (2, "")
    assert "Invalid value for '--seed': -1 is not in the range x>=0." in err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            ["r", "--graders", "a", "b", "--json"],
            ["r", "--graders", "a", "--graders", "b", "--json"],
        ),
        (["r", "--graders", "a", "--seed", "1"], ["r", "--graders", "a", "--seed", "1"]),
        (["--graders", "a", "b", "--", "r"], ["--graders", "a", "--graders", "b", "--", "r"]),
        (["r", "--graders=a", "b"], ["r", "--graders=a", "b"]),
        (["--graders", "a", "-"], ["--graders", "a", "-"]),
    ],
)
def test_an_option_of_several_values(given, told):
    """Takes all up to the next option."""
    assert _one_each(given, "--graders") == told
