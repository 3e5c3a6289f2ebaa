"""The synonym table: its file format, its reader, and WordNet's morphology on top of it.

The file is UTF-8 text under gzip (`zcat synonyms.txt.gz | less`). For each part of speech, in the
order of `ENDINGS`, there are two blocks, divided by an empty line:

    noun synonyms           the title
    mouse = shiner          a lemma, in lower case and with `_` for a space; then the one-word
    mouse_click click       lemmas of all its synsets, sorted, with `=` for the lemma itself

    noun exceptions         the title
    mice mouse              an irregular form, then its base forms

Lemmas whose synsets hold no one-word lemma are left out: they could not add anything.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ENDINGS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "noun": (
        ("s", ""),
        ("ses", "s"),
        ("ves", "f"),
        ("xes", "x"),
        ("zes", "z"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("men", "man"),
        ("ies", "y"),
    ),
    "verb": (
        ("s", ""),
        ("ies", "y"),
        ("es", "e"),
        ("es", ""),
        ("ed", "e"),
        ("ed", ""),
        ("ing", "e"),
        ("ing", ""),
    ),
    "adj": (("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
    "adv": (),
}
"""Part of speech to its regular endings and what they replace: nltk's rules, from morphy(7WN)."""

LONGEST_WORD: Final = 80
"""Characters. No longer word can be found: lemmas have up to 69, and endings lose at most 3."""


class SynonymsMissingError(RuntimeError):
    """The synonym table is not where the package keeps it."""


@dataclass(frozen=True, slots=True)
class PartOfSpeech:
    """What the table knows of nouns, or of verbs, adjectives or adverbs.

    Attributes:
        synonyms: Lemma to its line in the file, still unsplit: a process that scores a thousand
            texts needs few of the 120,000 lines.
        exceptions: Irregular form to its line of base forms, likewise.
        endings: Regular endings and what they replace.
    """

    synonyms: Mapping[str, str]
    exceptions: Mapping[str, str]
    endings: tuple[tuple[str, str], ...]

    def lemmas(self, form: str) -> Iterator[str]:
        """Yield the synonyms of a form and of its base forms, some of them repeatedly."""
        for base in (form, *self._bases(form)):
            for lemma in self.synonyms.get(base, "").split():
                yield base if lemma == "=" else lemma

    def _bases(self, form: str) -> list[str]:
        # A listed exception switches the rules off, even where its bases are not in WordNet.
        if (irregular := self.exceptions.get(form)) is not None:
            return irregular.split()
        return [form.removesuffix(old) + new for old, new in self.endings if form.endswith(old)]


@dataclass(frozen=True, slots=True)
class Table:
    """The synonyms of all four parts of speech."""

    parts: tuple[PartOfSpeech, ...]

    def lemmas(self, form: str) -> set[str]:
        """Return the one-word lemmas of all synsets of a lower-case form; often none."""
        return {lemma for part in self.parts for lemma in part.lemmas(form)}


def read_table(path: Path) -> Table:
    """Read a table written by `build.py`.

    Costs about 0.08 seconds and 30 MB.

    Raises:
        SynonymsMissingError: There is no such file.
    """
    try:
        packed = path.read_bytes()
    except FileNotFoundError as error:
        raise SynonymsMissingError(
            f"{path}: METEOR's synonym table is missing; reinstall local-graders, build it with "
            "`python -m metrics.wordnet.build /usr/share/wordnet`, or use variant no_synonyms"
        ) from error
    blocks = [_parse_block(block) for block in gzip.decompress(packed).decode().split("\n\n")]
    return Table(
        tuple(
            PartOfSpeech(synonyms, exceptions, endings)
            for synonyms, exceptions, endings in zip(
                blocks[::2], blocks[1::2], ENDINGS.values(), strict=True
            )
        )
    )


def _parse_block(block: str) -> dict[str, str]:
    _title, *lines = block.split("\n")
    return dict([line.split(" ", 1) for line in lines])
