"""What a python grader imports, against the hosted image it names and what is installed here."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Final

from graders.checks.corpora import Need, Nodes, needed_data
from graders.checks.scopes import Scope, caught, scoped
from graders.errors import Finding
from graders.images import CORPORA, IMAGES, NOTE, UNDOCUMENTED, Environment, imported, look, parse

# By import name. What the image's versions declare as their dependencies, and these as theirs, of
# what was published by the day that the tag names.
_BROUGHT_ALONG: Final = frozenset(
    {
        *("joblib", "threadpoolctl", "dateutil", "pytz", "tzdata", "mpmath", "absl", "six"),
        *("tqdm", "regex", "click", "orderly_set", "attr", "attrs", "referencing", "rpds"),
        *("jsonschema_specifications", "typing_extensions", "pydantic_core", "annotated_types"),
        *("PIL", "h5py", "patsy", "statsmodels", "packaging", "natsort", "decorator", "biom"),
        *("requests", "urllib3", "certifi", "idna", "charset_normalizer"),
    }
)
_OF_A_FAILED_IMPORT: Final = frozenset(
    {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
)


def check_image(
    tag: str | None, source: str, here: Callable[[], Environment] = look
) -> list[Finding]:
    """Warnings about what a source needs and the image or this machine has not.

    Args:
        tag: The config's image_tag; without one nothing is known, and nothing said.
        source: The grader's source.
        here: Looks at the interpreter that the grader will run in; called where it matters.

    Raises:
        OSError: That interpreter does not run.

    Example:
        >>> [print(finding) for finding in check_image("2025-05-08", "import torch")]
        source: line 1: torch is not in the image 2025-05-08. Do without it, or drop the tag.
        [None]
    """
    if tag is None:
        return []
    if tag not in IMAGES:
        return [_unknown(tag)]
    tree = parse(source)
    if tree is None:
        return []
    nodes, environment = scoped(tree), here()
    return [*_imports(tag, nodes, environment), *_corpora(tag, nodes, environment)]


def _unknown(tag: str) -> Finding:
    if tag in UNDOCUMENTED:
        message = f"nobody has documented what the image {tag!r} has, so nothing is checked"
        return _finding("image-undocumented", "image_tag", message)
    near = get_close_matches(tag, IMAGES, 1, 0.5)
    fix = f"Did you mean {near[0]!r}?" if near else ""
    message = f"{tag!r} is no image we know; we know {', '.join(IMAGES)}"
    return _finding("image-unknown", "image_tag", message, fix)


def _imports(tag: str, nodes: Nodes, here: Environment) -> Iterator[Finding]:
    spared, said = _spared(tag, nodes), set[str]()
    for node, _ in nodes:
        for name in (module.partition(".")[0] for module in imported(node)):
            place = f"source: line {getattr(node, 'lineno', 1)}"
            if name in said or (_absent(tag, name) and id(node) in spared):
                continue
            said.add(name)
            if name in IMAGES[tag]:
                yield from _versions(tag, name, place, here)
            elif _absent(tag, name):
                message = f"{name} is not in the image {tag}"
                yield _finding("image-import", place, message, "Do without it, or drop the tag.")


def _absent(tag: str, name: str) -> bool:
    there = IMAGES[tag].keys() | _BROUGHT_ALONG | sys.stdlib_module_names
    return name not in there and name != "sandbox"  # which has a warning of its own


def _spared(tag: str, nodes: Nodes) -> set[int]:
    """Imports that may fail there or that nothing runs, by id."""
    blocks: list[ast.stmt] = []
    for node, scope in nodes:
        match node:
            case ast.Try() | ast.TryStar() if any(
                _copes(handler, scope) for handler in node.handlers
            ):
                blocks += node.body
                tried = [name for statement in node.body for name in imported(statement)]
                if tried and not any(_absent(tag, name.partition(".")[0]) for name in tried):
                    blocks += [part for handler in node.handlers for part in handler.body]
            case ast.If() if scope.dotted(node.test) == "typing.TYPE_CHECKING":
                blocks += node.body
    return {id(inner) for block in blocks for inner in ast.walk(block)}


def _copes(handler: ast.ExceptHandler, scope: Scope) -> bool:
    """Whether it catches a failed import, and goes on."""
    raises = any(isinstance(statement, ast.Raise) for statement in handler.body)
    return not raises and not _OF_A_FAILED_IMPORT.isdisjoint(caught(handler, scope))


def _versions(tag: str, name: str, place: str, here: Environment) -> Iterator[Finding]:
    distribution, there = IMAGES[tag][name]
    version, build = here.versions.get(distribution), f"graders image build {tag}, then --python"
    if version is None:
        note = here.prefix / NOTE
        fix = f"{note} says why." if note.exists() else f"{build} {tag}."
        message = f"{distribution} {there} is in the image, and not installed here"
        yield _finding("image-missing-here", place, message, fix)
    elif version != there:
        message = f"{distribution} is {there} in the image, and {version} here"
        yield _finding("image-version", place, message, f"For the same numbers: {build} {tag}.")


def _corpora(tag: str, nodes: Nodes, here: Environment) -> Iterator[Finding]:
    said = set[tuple[str, str]]()
    for need in needed_data(nodes):
        finding = _lacking(tag, need) or _fetched(tag, need) or _not_here(need, here)
        if finding and (finding.code, need.data) not in said:
            said.add((finding.code, need.data))
            yield finding


def _lacking(tag: str, need: Need) -> Finding | None:
    if not need.data or need.data in CORPORA:
        return None
    message = f"the nltk data {need.data!r} is not in the image {tag}"
    if need.needed_by:
        message += f", and {need.needed_by} needs it"
    fix = f"It has {', '.join(CORPORA)}."
    if need.data == "punkt_tab":
        fix = "Split with NLTKWordTokenizer, or str.split."
    return _finding("image-corpus", f"source: line {need.line}", message, fix)


def _fetched(tag: str, need: Need) -> Finding | None:
    if not need.is_download or need.is_fallback:
        return None
    message = "nltk.download does nothing in a row, which has no network"
    fix = f"The image {tag} has {', '.join(CORPORA)}."
    if need.data:
        fix = f"Leave it out: {need.data} is in the image {tag} already."
    return _finding("image-download", f"source: line {need.line}", message, fix)


def _not_here(need: Need, here: Environment) -> Finding | None:
    folder = here.data.get(need.data)
    if need.is_download or folder in here.shown:
        return None
    message = f"the nltk data {need.data!r} is in the image, and not on this machine"
    fix = f"python -m nltk.downloader -d FOLDER {need.data}, then set NLTK_DATA=FOLDER."
    if folder:
        message = f"the nltk data {need.data!r} is in {folder}, which a sandbox does not show"
        fix = f"Set NLTK_DATA={folder}."
    return _finding("image-corpus-here", f"source: line {need.line}", message, fix)


def _finding(code: str, path: str, message: str, fix: str = "") -> Finding:
    return Finding(code=code, severity="warning", path=path, message=message, fix=fix)
