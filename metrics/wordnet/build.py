"""Make `synonyms.txt.gz` and `LICENSE` out of the WordNet 3.0 dictionary files.

    apt-get install wordnet-base
    python -m metrics.wordnet.build /usr/share/wordnet

The dictionary's files are described in wndb(5WN), the table's in `table.py`.
"""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

from metrics.wordnet.table import ENDINGS

HERE = Path(__file__).parent


def main(argv: Sequence[str] | None = None) -> None:
    """Write both files beside this one."""
    parser = argparse.ArgumentParser(prog="python -m metrics.wordnet.build", description=__doc__)
    parser.add_argument("dict_dir", type=Path, help="folder with data.noun, index.noun, noun.exc…")
    dict_dir = parser.parse_args(argv).dict_dir
    # Without a time stamp the same dictionary gives the same bytes.
    (HERE / "synonyms.txt.gz").write_bytes(gzip.compress(table_text(dict_dir).encode(), mtime=0))
    (HERE / "LICENSE").write_text(licence_text(dict_dir), encoding="utf-8")


def table_text(dict_dir: Path) -> str:
    """Return the table as `table.py` describes it, not yet compressed (3.4 MB)."""
    blocks = [
        [f"{part} {kind}", *lines(dict_dir, part)]
        for part in ENDINGS
        for kind, lines in (("synonyms", _synonym_lines), ("exceptions", _exception_lines))
    ]
    return "\n\n".join("\n".join(block) for block in blocks)


def licence_text(dict_dir: Path) -> str:
    """Return the licence, which every data file carries on its first, numbered lines."""
    with (dict_dir / "data.noun").open(encoding="utf-8") as lines:
        notice = [line.strip().partition(" ")[2] for line in lines if line.startswith("  ")]
    return "\n".join(notice) + "\n"


def _synonym_lines(dict_dir: Path, part: str) -> Iterator[str]:
    synsets = dict(_synsets(dict_dir / f"data.{part}"))
    for line in _entries(dict_dir / f"index.{part}"):
        lemma, _pos, synset_count, *rest = line.split()
        offsets = rest[-int(synset_count) :]
        found = {name for offset in offsets for name in synsets[offset] if "_" not in name}
        if found:
            yield " ".join([lemma, *("=" if name == lemma else name for name in sorted(found))])


def _exception_lines(dict_dir: Path, part: str) -> Iterator[str]:
    with (dict_dir / f"{part}.exc").open(encoding="utf-8") as lines:
        yield from (" ".join(line.split()) for line in lines)


def _synsets(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each synset's offset and lemmas, as they are spelt but without `(a)`, `(p)`, `(ip)`."""
    for line in _entries(path):
        offset, _file, _type, hexadecimal_count, *rest = line.split()
        # Lemmas alternate with their lexical ids.
        names = rest[: 2 * int(hexadecimal_count, 16) : 2]
        yield offset, [name.partition("(")[0] for name in names]


def _entries(path: Path) -> Iterator[str]:
    """Yield the lines of a dictionary file that are not its licence."""
    with path.open(encoding="utf-8") as lines:
        yield from (line for line in lines if not line.startswith("  "))


if __name__ == "__main__":
    main()
