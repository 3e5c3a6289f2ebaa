"""Checking and compiling a request's grader without holding up the others.

Python's own parser and compiler can be made to take seconds over some kilobytes of source, and
let no other thread run meanwhile: so sources are checked in a process, and formulas, which are
compiled to Python, have a length. What else is long is left to a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from graders.checks import check_document
from graders.compile import Tools, compile_checked
from graders.config.graders import MultiConfig, PythonConfig, walk
from graders.config.parse import Document
from graders.errors import Finding
from graders.grades import Grader
from graders.server.processes import ProcessDiedError
from graders.server.transport.answers import ApiError
from graders.server.transport.bodies import Body, checked

if TYPE_CHECKING:
    from graders.server.shared import Shared

P = ParamSpec("P")
T = TypeVar("T")


async def findings_about(server: Shared, body: Body, document: Document) -> Sequence[Finding]:
    """What `check_document` says of the grader in a body.

    Raises:
        ApiError: 400, it has a source that takes too long to check, or a formula that would.
    """
    config, most = document.grader, server.limits.formula_letters
    if isinstance(config, MultiConfig) and len(config.calculate_output) > most:
        message = f"has {len(config.calculate_output):,} characters, and {most:,} are allowed"
        place = document.place(("calculate_output",))
        raise ApiError(400, f"{place}: {message}", place, "formula-size")
    if not any(isinstance(part, PythonConfig) for _, part in walk(config)):
        return await checked(body, lambda: check_document(document, server.profile))
    param = document.path or None
    return await in_process(server, param, check_document, document, server.profile)


async def in_process(
    server: Shared,
    param: str | None,
    check: Callable[P, T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """What a check of sources gives; it must not raise.

    Raises:
        ApiError: 400 for the param, it takes too long or too much memory.
    """
    try:
        return await server.checks.call(check, *args, **kwargs)
    except TimeoutError:
        problem = f"takes longer than {server.checks.seconds:g} s to check"
    except ProcessDiedError:
        problem = "takes too much memory to check"
    raise ApiError(400, f"the source {problem}", param, "source-effort")


async def compiled(server: Shared, body: Body, document: Document, tools: Tools) -> Grader:
    """The grader in a body, ready to grade with these tools.

    Raises:
        ApiError: 400, a source is too hard to check, or a formula too long.
        ConfigError: There is an error in it, or a tool is missing.
    """
    findings = await findings_about(server, body, document)
    return await checked(
        body,
        lambda: compile_checked(document, findings, tools=tools, profile=server.profile),
    )
