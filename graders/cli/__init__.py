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

_COMMANDS: Final = {
    "compare": "Say which metric or grader agrees best with people.",
    "diff": "Say what a change of grader does to the same rows.",
    "doctor": "Show how well this machine can isolate python graders.",
    "explain": "Show everything about the grading of one sample.",
    "export": "Write what promptfoo or Inspect needs to grade the same.",
    "image": "Build an environment with the packages of a hosted image.",
    "import": "Make a config and rows of what a hosted API gave.",
    "init": "Write a starter, or an example of a common reward.",
    "lint": "Find what would go wrong with a config and its rows.",
    "mutate": "Say which small changes to a grader its cases would notice.",
    "pack": "Make a grader config from a Python file.",
    "plan": "Say what a fine-tuning job would take, before it is started.",
    "probe": "Try to cheat a grader, and say what it falls for.",
    "run": "Grade a file of rows, or one sample.",
    "sample": "Draw the outputs to grade from a model.",
    "schema": "Write the JSON Schema of configs, for editors.",
    "serve": "Serve the hosted API on this machine.",
    "study": "Compute another formula from results, without grading again.",
    "validate": "Check a config without running it.",
}

_EPILOG: Final = """\b
Examples:
  graders init starter
  graders init --example math rewards
  graders run starter/grader.json starter/rows.jsonl -o results.jsonl
  graders run grader.json --sample "Paris" --item '{"answer": "Paris"}'
  graders explain grader.json rows.jsonl --row 3
  graders lint grader.json rows.jsonl
  graders study results.jsonl --formula "0.3 * exact + 0.7 * similar"
  graders validate grader.json
  graders plan method.json train.jsonl
  graders probe grader.json rows.jsonl
  graders diff old.json new.json rows.jsonl
  graders pack grade.py -o grader.json
  graders import eval.json output_items.jsonl -o imported --check
  graders doctor
  graders serve

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
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


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
