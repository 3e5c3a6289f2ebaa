"""Folders as `datasets` saves them: Arrow files, in the order that `state.json` has them in.

A folder of other files has no order that is sure, and may hold several splits: it is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

from graders.formats.forms import FormatError
from graders.formats.remote import is_url
from graders.strict_json import NotJSONError, decode

_STATE: Final = "state.json"
_SPLITS: Final = "dataset_dict.json"
_SHOWN: Final = 8


def is_folder(path: Path | str) -> bool:
    """Whether this is a folder of this machine."""
    return not is_url(path) and Path(path).is_dir()


def saved_files(folder: Path | str) -> list[Path]:
    """The files of a dataset that `Dataset.save_to_disk` wrote: `state.json`, then those of rows.

    Raises:
        FormatError: The folder is no such dataset, or not a whole one; says what to do.
        OSError: It cannot be read.
    """
    here = Path(folder)
    if not (here / _STATE).is_file():
        raise FormatError(_no_dataset(here))
    files = [here / _STATE, *(here / name for name in _names(here))]
    for file in files:
        if not file.is_file():
            raise FormatError(f"{here}: {_STATE} names {file.name}, which is not there; save again")
    return files


def files_of(path: Path | str) -> list[Path | str]:
    """The files that are read of a path: those of a saved dataset, or itself.

    Raises:
        FormatError: See `saved_files`.
    """
    return [*saved_files(path)] if is_folder(path) else [path]


def saved_lines(folder: Path | str) -> Generator[bytes, None, None]:
    """The rows of such a dataset as lines of JSON; errors are those of its files, too."""
    from graders.formats.arrow import open_columns

    for file in saved_files(folder)[1:]:
        with open_columns(file) as lines:
            yield from lines


def _names(folder: Path) -> list[str]:
    state = _read(folder / _STATE)
    if state.get("_indices_data_files"):
        problem = "its rows are chosen by an index; load it with `datasets` and save it again"
        raise FormatError(f"{folder}: {problem}")
    match state:
        case {"_data_files": list(entries)}:
            names = [str(one.get("filename", "")) for one in entries if isinstance(one, dict)]
            # What it names may lead anywhere.
            if len(names) == len(entries) and all(
                name and Path(name).name == name for name in names
            ):
                return names
    raise FormatError(f"{folder / _STATE} names no files of this folder; save the dataset again")


def _read(path: Path) -> dict[str, Any]:
    try:
        value = decode(path.read_bytes())
    except NotJSONError as error:
        raise FormatError(f"{path} is not JSON: {error.problem}; save the dataset again") from None
    return value if isinstance(value, dict) else {}


def _no_dataset(folder: Path) -> str:
    """What to do with a folder that is no dataset."""
    if (folder / _SPLITS).is_file():
        splits = _read(folder / _SPLITS).get("splits")
        names = [one for one in splits if isinstance(one, str)] if isinstance(splits, list) else []
        shown = ", ".join(names[:_SHOWN])
        return f"{folder} holds splits ({shown}); name one: {folder / (names or ['SPLIT'])[0]}"
    problem = f"{folder} is a folder, and holds no dataset that save_to_disk wrote"
    endings = Counter(one.suffix for one in folder.iterdir() if one.is_file() and one.suffix)
    if not endings:
        return f"{problem}; name a file"
    ((ending, count),) = endings.most_common(1)
    several = f"one of its {count} {ending} files, or make one file of them"
    return f"{problem}; name {f'its {ending} file' if count == 1 else several}"
