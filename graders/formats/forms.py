"""Which form a file has, by its name alone."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, NamedTuple

from graders.errors import GradersError

Rows = Literal["lines", "csv", "tsv", "parquet", "arrow"]
Packing = Literal["", ".gz", ".zst"]

_ROWS: Final[dict[str, Rows]] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
_PACKINGS: Final[dict[str, Packing]] = {".gz": ".gz", ".zst": ".zst"}
_COLUMNAR: Final = frozenset({"parquet", "arrow"})


class FormatError(GradersError):
    """A file whose form cannot be read or written, here or at all."""


class Form(NamedTuple):
    """How a file holds its rows.

    Attributes:
        rows: JSON Lines, unless the name says otherwise.
        packing: What the bytes are packed with; "" is nothing.
    """

    rows: Rows
    packing: Packing

    @property
    def is_plain(self) -> bool:
        """Whether the file is JSON Lines as they stand."""
        return self == ("lines", "")

    @property
    def is_columnar(self) -> bool:
        """Whether it is Parquet or Arrow, which is written whole and read by column."""
        return self.rows in _COLUMNAR


def form_of(path: Path | str) -> Form:
    """The form of a file.

    Raises:
        FormatError: It is columns packed a second time.

    Example:
        >>> form_of("rows.csv.gz"), form_of("rows.parquet").is_columnar, form_of("-").is_plain
        (Form(rows='csv', packing='.gz'), True, True)
    """
    name = Path(path).name.lower()
    packing = next((ending for ending in _PACKINGS if name.endswith(ending)), "")
    inner = Path(name.removesuffix(packing)).suffix
    form = Form(_ROWS.get(inner, "lines"), _PACKINGS.get(packing, ""))
    if form.packing and form.is_columnar:
        raise FormatError(
            f"{path}: {inner} inside {packing} is neither read nor written, for its columns are "
            f"packed already; unpack it, or leave {packing} away"
        )
    return form


def missing_extra(path: Path | str, extra: str) -> FormatError:
    """What to say where a form needs a package that is not installed."""
    return FormatError(f"{path} needs an extra: pip install 'local-graders[{extra}]'")
