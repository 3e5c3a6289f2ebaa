"""`graders doctor`: what this machine can isolate, each layer proved by trying it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from graders.terminal import WIDTH, printable

if TYPE_CHECKING:
    from sandbox.doctor import Proof

_EPILOG = """\b
Examples:
  graders doctor
  graders doctor --json
  graders doctor --python .venv/bin/python
"""


@click.command(epilog=_EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--python", metavar="PATH", help="Try it in this interpreter.")
def command(as_json: bool, python: str | None) -> int:  # noqa: FBT001 - click's way
    """Show which layers of isolation hold here for python graders, and why others do not.

    Each is proved by a canary that tries what the layer should stop, and that gets through
    without it. Exit code 0 if the standard level can be had, 1 if not.
    """
    from sandbox.doctor import IsolationError, examine, grades_a_row
    from sandbox.doctor import as_json as to_json
    from sandbox.limits import Level

    try:
        proofs = examine(python, controls=True)
    except IsolationError as error:
        raise click.ClickException(str(error)) from None
    levels = {
        str(level): grades_a_row(level, proofs, python) for level in (Level.STRICT, Level.STANDARD)
    }
    if as_json:
        click.echo(json.dumps({"levels": levels, "layers": to_json(proofs)}, indent=2))
    else:
        _show(proofs)
        for name, possible in levels.items():
            click.echo(f"{name}: {'a row was graded' if possible else 'cannot be had here'}")
    return 0 if levels["standard"] else 1


def _show(proofs: Sequence[Proof]) -> None:
    for proof in proofs:
        layer = proof.layer
        click.echo(f"{'yes' if proof.active else 'NO':<4}{layer.name:<12}stops {layer.stops}")
        shown = [f"canary: {proof.seen}" + (", and through without it" if proof.control else "")]
        if not proof.active:
            shown = [proof.seen, f"without it: {layer.missing}", f"to get it: {layer.remedy}"]
        for line in shown:
            for part in textwrap.wrap(printable(line), WIDTH - 16):
                click.echo(f"{'':<16}{part}")
