"""What a python grader imports, against the hosted image it names and what is installed here."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from graders.errors import Finding
from graders.images import CORPORA, IMAGES, imported_modules

# What the image's packages bring along (their declared dependencies), by import name.
_BROUGHT_ALONG: Final = frozenset(
    {
        *("joblib", "threadpoolctl", "dateutil", "pytz", "tzdata", "mpmath", "absl", "six"),
        *("tqdm", "regex", "click", "orderly_set", "attr", "attrs", "referencing", "rpds"),
        *("jsonschema_specifications", "typing_extensions", "pydantic_core", "annotated_types"),
        *("PIL", "h5py", "patsy", "statsmodels", "natsort", "decorator", "biom", "requests"),
    }
)
_DATA: Final = re.compile(
    r"(?:nltk\.corpus\.|from\s+nltk\.corpus\s+import\s+)(\w+)"
    r"|(?:nltk\.download\(\s*['\"]|nltk\.data\.find\(\s*['\"]\w+/)([\w.-]+)"
)
_TOKENIZERS: Final = re.compile(r"\b(word_tokenize|sent_tokenize)\b")


def installed_version(distribution: str) -> str | None:
    """The version of a distribution in the interpreter that runs this."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def check_image(
    tag: str | None, source: str, installed: Callable[[str], str | None] = installed_version
) -> list[Finding]:
    """Warnings about what a source needs and the image or this machine has not.

    Args:
        tag: The config's image_tag; without one nothing is known, and nothing said.
        source: The grader's source.
        installed: The version of a distribution where the grader will run here, or None.

    Example:
        >>> [print(finding) for finding in check_image("2025-05-08", "import torch")]
        source: line 1: torch is not in the image 2025-05-08. Do without it, or drop the tag.
        [None]
    """
    if tag is None:
        return []
    if tag not in IMAGES:
        near = get_close_matches(tag, IMAGES, 1, 0.5)
        fix = f"Did you mean {near[0]!r}?" if near else ""
        message = f"{tag!r} is no image we know; we know {', '.join(IMAGES)}"
        return [_finding("image-unknown", "image_tag", message, fix)]
    return [*_imports(tag, source, installed), *_corpora(tag, source)]


def _imports(tag: str, source: str, installed: Callable[[str], str | None]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for module, line in imported_modules(source).items():
        first.setdefault(module.partition(".")[0], line)
    for name, line in first.items():
        place = f"source: line {line}"
        if name in IMAGES[tag]:
            distribution, there = IMAGES[tag][name]
            here = installed(distribution)
            if here is None:
                message = f"{distribution} {there} is in the image, and not installed here"
                fix = f"graders image build {tag}, then --python {tag}."
                yield _finding("image-missing-here", place, message, fix)
            elif here != there:
                message = f"{distribution} is {there} in the image, and {here} here"
                fix = f"For the same numbers: graders image build {tag}, then --python {tag}."
                yield _finding("image-version", place, message, fix)
        elif name not in sys.stdlib_module_names | _BROUGHT_ALONG | {"sandbox"}:
            message = f"{name} is not in the image {tag}"
            yield _finding("image-import", place, message, "Do without it, or drop the tag.")


def _corpora(tag: str, source: str) -> Iterator[Finding]:
    for match in _DATA.finditer(source):
        name = match[1] or match[2].removesuffix(".zip")
        if name not in CORPORA:
            place = f"source: line {source.count(chr(10), 0, match.start()) + 1}"
            message = f"the nltk data {name!r} is not in the image {tag}"
            yield _finding("image-corpus", place, message, f"It has {', '.join(CORPORA)}.")
    if found := _TOKENIZERS.search(source):
        place = f"source: line {source.count(chr(10), 0, found.start()) + 1}"
        message = f"{found[1]} needs punkt_tab in nltk 3.9, and the image {tag} has punkt"
        yield _finding(
            "image-corpus", place, message, "Split with NLTKWordTokenizer, or str.split."
        )


def _finding(code: str, path: str, message: str, fix: str) -> Finding:
    return Finding(code=code, severity="warning", path=path, message=message, fix=fix)
