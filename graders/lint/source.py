"""What a python grader's source does that its writer will not see until rows fail.

`graders.checks.source` says what the service must fail on. What is said here runs, and goes wrong
in a row: it reads what is not there, reaches for a network or a file that no sandbox has, or
returns what is no score (`returns`).
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Final

from graders.checks.image import check_image
from graders.checks.scopes import Scope, scoped
from graders.checks.source import MAX_SOURCE_BYTES
from graders.config.graders import PythonConfig
from graders.errors import Finding
from graders.images import IMAGES, imported, look, parse
from graders.lint.codes import say
from graders.lint.returns import check_returns, plain_grade

_NETWORK: Final = frozenset(
    {
        *("socket", "ssl", "ftplib", "smtplib", "telnetlib", "xmlrpc", "urllib3", "requests"),
        *("httpx", "httpx2", "aiohttp", "websockets", "openai", "anthropic", "boto3", "paramiko"),
        *("urllib.request", "http.client", "huggingface_hub"),
    }
)
_OPENS: Final = frozenset({"open", "io.open"})
_READS_FILES: Final = frozenset(
    {"os.listdir", "os.scandir", "os.walk", "glob.glob", "pandas.read_csv", "numpy.load"}
)
_READS_PATHS: Final = frozenset({"read_text", "read_bytes"})
_WRITES: Final = frozenset({"io.StringIO", "io.BytesIO", "tempfile"})
_WRITES_PATHS: Final = frozenset({"write_text", "write_bytes"})
_IMAGE_CODES: Final = frozenset({"image-import", "image-corpus", "image-download"})
"""Those about the image alone, and not about this machine."""

Nodes = Sequence[tuple[ast.AST, Scope]]


def check_python(config: PythonConfig, *, is_hosted: bool) -> Iterator[Finding]:
    """Findings about a source that compiles; their paths are below the grader.

    Args:
        config: The grader.
        is_hosted: Whether it is to run in a hosted image.
    """
    tree = tree_of(config.source)
    if tree is None:
        return
    nodes = scoped(tree)
    grade = plain_grade(tree)
    found = [*check_returns(grade)] if grade else []
    found += [*_network(nodes), *_files(nodes), *_messages(nodes), *_null_output(nodes)]
    for finding in found:
        yield replace(finding, path=f"source: {finding.path}")
    if config.image_tag is None:
        yield from _image(config.source) if is_hosted else _not_here(nodes)


def tree_of(source: str) -> ast.Module | None:
    """A source's tree; None where `check_source` says why: it does not parse, or is too large."""
    return None if len(source) >= MAX_SOURCE_BYTES else parse(source)


def _image(source: str) -> Iterator[Finding]:
    """What the one documented image lacks, for a config that names none."""
    tag = max(IMAGES)
    for finding in check_image(tag, source, partial(look, None)):
        if finding.code in _IMAGE_CODES:
            yield replace(finding, fix="Do without it, or name an image_tag that has it.")


def _not_here(nodes: Nodes) -> Iterator[Finding]:
    names = dict.fromkeys(
        (name.partition(".")[0], getattr(node, "lineno", 1))
        for node, _ in nodes
        for name in imported(node)
    )
    said = set[str]()
    for name, line in names:
        if name not in said and _is_missing(name):
            said.add(name)
            fix = (
                f"Install it, or run with --python; {max(IMAGES)} as image_tag says what is there."
            )
            yield say("import-not-here", f"source: line {line}", f"{name} is not installed", fix)


def _is_missing(name: str) -> bool:
    try:
        return find_spec(name) is None  # of a top name nothing is imported
    except (ImportError, ValueError):
        return False


def _network(nodes: Nodes) -> Iterator[Finding]:
    said = set[str]()
    for node, _ in nodes:
        for name in _modules(node):
            known = name in _NETWORK or name.partition(".")[0] in _NETWORK
            if known and name not in said:
                said.add(name)
                message = f"{name} needs a network, and a grader has none"
                fix = "Put what it would fetch into the row."
                yield say("source-network", _line(node), message, fix)


def _modules(node: ast.AST) -> list[str]:
    """What a node imports, `from urllib import request` as `urllib.request`."""
    if isinstance(node, ast.ImportFrom) and node.module in {"urllib", "http"}:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return imported(node)


def _files(nodes: Nodes) -> Iterator[Finding]:
    calls = [(node, scope) for node, scope in nodes if isinstance(node, ast.Call)]
    if any(_writes(call, scope) for call, scope in calls):
        return  # and may read what it wrote
    said = set[str]()
    for node, scope in calls:
        called, method = scope.dotted(node.func), _method(node)
        opens = called in _OPENS and _is_read(node)
        if opens or called in _READS_FILES or method in _READS_PATHS:
            name = called or f"{method}()"
            if name in said:
                continue
            said.add(name)
            message = f"{name} reads a file, and a grader has none but those it wrote itself"
            yield say("source-file", _line(node), message, "Put what it holds into the row.")


def _writes(call: ast.Call, scope: Scope) -> bool:
    """Whether a call makes a file, or what is read like one."""
    called = scope.dotted(call.func) or ""
    makes = called in _WRITES or called.partition(".")[0] in _WRITES
    return makes or _method(call) in _WRITES_PATHS or (called in _OPENS and not _is_read(call))


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _is_read(call: ast.Call) -> bool:
    """Whether `open` is called to read, in its mode or for want of one."""
    modes = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
    if not modes:
        return True
    return isinstance(modes[0], ast.Constant) and str(modes[0].value)[:1] == "r"


def _messages(nodes: Nodes) -> Iterator[Finding]:
    for node, _ in nodes:
        if _read_key(node, "item") == "messages":
            message = 'item["messages"] is the prompt, and has no answer in it'
            fix = 'The answer is sample["output_text"]; the reference, a key of the row.'
            yield say("answer-from-messages", _line(node), message, fix)
            return


def _null_output(nodes: Nodes) -> Iterator[Finding]:
    """`sample["output_json"]` looked into, where nothing asks whether it is None."""
    named = {
        target.id
        for node, _ in nodes
        if isinstance(node, ast.Assign) and _read_key(node.value, "sample") == "output_json"
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    tested = {_output_json(part, named) for node, _ in nodes for part in _tested(node)}
    tried = {id(inner) for node, _ in nodes if isinstance(node, ast.Try)
             for statement in node.body for inner in ast.walk(statement)}  # fmt: skip
    for node, _ in nodes:
        whole = _looked_into(node)
        if whole is None or id(node) in tried:
            continue
        shown = _output_json(whole, named)
        if shown is not None and shown not in tested:
            message = f"{ast.unparse(whole)} is None where the answer is no JSON"
            fix = "Return a score for that case first: if it is None, return 0.0."
            yield say("output-json-none", _line(whole), message, fix)
            return


def _output_json(node: ast.AST, named: Collection[str]) -> str | None:
    """What has output_json in an expression: the sample, or a variable; None if nothing."""
    if isinstance(node, ast.Name):
        return node.id if node.id in named else None
    return "sample" if _read_key(node, "sample") == "output_json" else None


def _looked_into(node: ast.AST) -> ast.expr | None:
    """What a node takes for an object or a list, so that None there raises."""
    match node:
        case ast.Subscript(value=whole) | ast.Attribute(value=whole):
            return whole
        case ast.Compare(ops=[*_, ast.In() | ast.NotIn()], comparators=[*_, whole]):
            return whole
        case ast.For(iter=whole) | ast.comprehension(iter=whole):
            return whole
    return None


def _tested(node: ast.AST) -> Iterator[ast.expr]:
    """What a condition, a comparison, a call of isinstance or an `or` looks at, and not into."""
    match node:
        case (
            ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) | ast.Assert(test=test)
        ):
            parts = [part for part in ast.walk(test) if isinstance(part, ast.expr)]
            inside = {id(_looked_into(part)) for part in parts}
            yield from (part for part in parts if id(part) not in inside)
        case ast.BoolOp(values=values):
            yield from values
        case ast.Compare(left=left, comparators=[right]) if _looked_into(node) is None:
            yield from (left, right)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Match(subject=subject):
            yield subject
        case ast.Call(func=ast.Name(id="isinstance"), args=[first, *_]):
            yield first


def _read_key(node: ast.AST, owner: str) -> str | None:
    """The key that an expression reads of the variable `owner`, as `x["key"]` or `x.get("key")`."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))):
            return key if name == owner else None
        case ast.Call(
            func=ast.Attribute(attr="get", value=ast.Name(id=name)),
            args=[ast.Constant(value=str(key)), *_],
        ):
            return key if name == owner else None
    return None


def _line(node: ast.AST) -> str:
    return f"line {getattr(node, 'lineno', 1)}"
