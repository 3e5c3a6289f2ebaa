"""The `graders` command: parses arguments, calls the library, picks an exit code.

Exit codes: 0 fine, 1 a row failed or a line was bad (never for a low score), 2 unusable input.
Commands are loaded when they are called, so that `graders --help` costs nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper
from keyword import iskeyword
from typing import Final

import click

from graders.errors import GradersError, RowError
from graders.installation import foreign_module
from graders.terminal import printable_lines

OK, SOME_FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130

_SECTIONS: Final = {
    "Write a grader": {
        "init": "Write a starter, or an example of a common reward.",
        "pack": "Make a grader config from a Python file.",
        "schema": "Write the JSON Schema of configs, for editors.",
        "validate": "Check a config without running it.",
        "lint": "Find what would go wrong with a config and its rows.",
        "mutate": "Say which small changes to a grader its cases would notice.",
        "probe": "Try to cheat a grader, and say what it falls for.",
    },
    "Grade": {
        "sample": "Draw the outputs to grade from a model.",
        "run": "Grade a file of rows, or one sample.",
        "explain": "Show everything about the grading of one sample.",
    },
    "Study and compare": {
        "study": "Say what results teach, or compute another formula from them.",
        "compare": "Say which metric or grader agrees best with people.",
        "diff": "Say what a change of grader does to the same rows.",
    },
    "Hosted services and other tools": {
        "plan": "Say what a fine-tuning job would take, before it is started.",
        "serve": "Serve the hosted API on this machine.",
        "import": "Make a config and rows of what a hosted API gave.",
        "export": "Write what promptfoo or Inspect needs to grade the same.",
    },
    "This machine": {
        "doctor": "Show how well this machine can isolate python graders.",
        "image": "Build an environment with the packages of a hosted image.",
    },
}
"""Commands in the order in which one comes to need them."""
_COMMANDS: Final = tuple(name for section in _SECTIONS.values() for name in section)

_EPILOG: Final = """\b
Examples:
  graders init starter
  graders run starter/grader.json starter/rows.jsonl -o results.jsonl
  graders run grader.json --sample "Paris" --item '{"answer": "Paris"}'
  graders lint grader.json rows.jsonl
  graders explain grader.json rows.jsonl --row 3
  graders study results.jsonl

`graders COMMAND --help` has more.

Shell completion: eval "$(_GRADERS_COMPLETE=bash_source graders)"
"""


class _LazyGroup(click.Group):
    """A group whose commands are modules, imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = import_module(f"graders.cli.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        width = max(map(len, _COMMANDS))  # one column of names through all sections
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), said) for name, said in commands.items()])


@click.command(
    cls=_LazyGroup,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
@click.version_option(version("local-graders"), prog_name="graders")
def group() -> None:
    """Run OpenAI-style grader configs on your own machine, with the same numbers."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that cannot show a character shows ?
            stream.reconfigure(errors="replace")
    if problem := foreign_module():
        _complain(problem)
        return UNUSABLE
    try:
        arguments = sys.argv[1:] if argv is None else list(argv)
        code = group.main(
            arguments, prog_name="graders", standalone_mode=False, obj=tuple(arguments)
        )
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return UNUSABLE
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(error.ctx.get_usage(), err=True)
        _complain(error.format_message())
        return UNUSABLE
    except BrokenPipeError:
        # Whoever read our output has gone; that is no error, but nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_FAILED
    except (GradersError, OSError) as error:
        _complain(str(error))
        return SOME_FAILED if isinstance(error, RowError) else UNUSABLE
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted")
        return INTERRUPTED
    return code if isinstance(code, int) else OK


def _complain(message: str) -> None:
    click.echo(f"graders: {printable_lines(message)}", err=True)
