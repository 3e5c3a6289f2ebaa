"""Opening the folder of a run: new, to go on with, or to grade again what failed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final, Literal, TypeVar, cast

import msgspec

from graders.errors import GradersError
from graders.results import timing_path
from graders.runs.earlier import Earlier
from graders.runs.folder import Folder, State, write_whole
from graders.runs.manifest import Data, Difference, Manifest, differences
from graders.runs.output import Sizes, files_for, lines_path
from graders.strict_json import NotJSONError, decode, encode

T = TypeVar("T")

Way = Literal["new", "over", "resume", "retry"]
"""A new run; one over another that is not finished; going on; grading again what failed."""

_OURS: Final = ("manifest.json", "state.json", "*.new", "parts", "before", "judges.db*")
"""What a new run deletes: a folder of that name may hold other things."""
_PATIENCE_SECONDS: Final = 5.0
"""How long workers may outlive the process that was killed."""


class RunFolderError(GradersError):
    """A run that cannot begin, or go on, where it is."""


def folder_path(results: Path) -> Path:
    """The folder of the run that makes a results file.

    Example:
        >>> folder_path(Path("runs/out.jsonl.gz")).name, folder_path(Path("out.txt")).name
        ('out.run', 'out.txt.run')
    """
    results = _real(results)
    return results.with_name(results.name.partition(".jsonl")[0] + ".run")


def _real(results: Path) -> Path:
    """Where a results file is: a link to it stays one when the file is moved aside."""
    return results.resolve() if results.is_symlink() else results


def data_of_run(results: Path) -> Sequence[Data]:
    """The files that a run read, as its folder says; none where there is none that says it."""
    try:
        return _read(folder_path(results) / "manifest.json", Manifest).data
    except (OSError, RunFolderError):
        return ()


def judges_path(results: Path) -> Path:
    """Where a run keeps the answers of its judges."""
    return folder_path(results) / "judges.db"


@contextmanager
def open_folder(
    results: Path, manifest: Manifest, way: Way, note: Callable[[str], object]
) -> Iterator[Folder]:
    """Open the folder of a run, and its output where it is to go on.

    Args:
        results: The results file.
        manifest: What is to be run.
        way: Whether to begin or to go on.
        note: Called with what is worth saying.

    Raises:
        RunFolderError: It cannot be begun or gone on with; says why and what to do.
        OSError: A file cannot be read or written.
    """
    path, results = folder_path(results), _real(results)
    lines = lines_path(results, path)
    if way in {"resume", "retry"} and not (path / "manifest.json").exists():
        if results.exists():
            raise RunFolderError(
                f"{path} is not there, so nothing says what {results} is a run of; "
                "move it away, or leave --resume and --retry out to begin anew over it"
            )
        note(f"there is no run in {path} yet; this one begins")
        way = "new"
    path.mkdir(exist_ok=True)
    with _locked(path):
        if way in {"resume", "retry"}:
            state = _gone_on(path, lines, manifest, way, note)
        else:
            if way != "over":
                refuse_unfinished(results)
            state = _begun(path, manifest)
        with ExitStack() as stack:
            output = stack.enter_context(closing(files_for(results, path, state.sizes)))
            earlier = None
            if state.retrying and (before := path / "before" / lines.name).exists():
                per_shard = cast("int", manifest.settings["lines_per_shard"])
                earlier = stack.enter_context(closing(Earlier(before, per_shard)))
            folder = Folder(path, output, state, earlier=earlier)
            if state.joined:
                folder.observe_again(lines)
            yield folder


def _begun(path: Path, manifest: Manifest) -> State:
    for old in (old for name in _OURS for old in path.glob(name)):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    write_whole(path / "manifest.json", encode(manifest))
    state = State()
    write_whole(path / "state.json", encode(state))
    return state


def refuse_unfinished(results: Path) -> None:
    """Refuse to write over the results of a run that is not finished.

    Raises:
        RunFolderError: There is one; says what to do.
    """
    path = folder_path(results)
    if not (path / "manifest.json").exists():
        return
    state = _state(path)
    parts = path / "parts"
    begun = (
        state.joined
        or state.retrying
        or (parts.exists() and any(part.stat().st_size for part in parts.iterdir()))
    )
    if begun and not state.complete:
        raise RunFolderError(
            f"{path} holds a run that is not finished ({state.summary.samples:,} samples of "
            f"{results} are sure). --resume goes on with it; --overwrite drops it and begins anew"
        )


def _state(path: Path) -> State:
    try:
        return _read(path / "state.json", State)
    except FileNotFoundError:
        return State()


def _read(path: Path, form: type[T]) -> T:
    try:
        return msgspec.convert(decode(path.read_bytes()), form)
    except (NotJSONError, msgspec.ValidationError) as error:
        raise RunFolderError(f"{path} is damaged ({error}); begin anew with --overwrite") from None


def _gone_on(
    path: Path, results: Path, manifest: Manifest, way: Way, note: Callable[[str], object]
) -> State:
    then = _read(path / "manifest.json", Manifest)
    _refuse_changes(path, then, manifest, way, note)
    for key, before in then.environment.items():
        if (now := manifest.environment.get(key)) != before:
            note(f"the run went on under other {key}: {before} then, {now} now")
    state = _state(path)
    if way == "retry" and not state.retrying:
        state = _retried(path, results, state)
    if then.form != manifest.form and state.joined:
        raise RunFolderError(
            f"{path} was begun by another version, which counted other things (form {then.form}, "
            f"and this one's is {manifest.form}). Go on with that version, or begin anew with "
            "--overwrite"
        )
    if state.retrying:
        _move_before(path, results)
    if manifest != then:
        write_whole(path / "manifest.json", encode(manifest))
    _check_sizes(results, state.sizes)
    if state.joined:
        note(f"going on behind {state.summary.samples:,} samples that are graded")
    return state


def _refuse_changes(
    path: Path, then: Manifest, now: Manifest, way: Way, note: Callable[[str], object]
) -> None:
    changes = differences(then, now)
    if not all(data.sha256 for data in now.data):
        raise RunFolderError("rows from standard input cannot be read again; save them to a file")
    if way == "retry" and all(_may_be_mended(change) for change in changes):
        for change in changes:
            note(f"graded again with another {change}")
        return
    if changes:
        listed = "\n  ".join(str(change) for change in changes)
        raise RunFolderError(
            f"{path} is a run of something else, and results of both do not belong in one file:\n"
            f"  {listed}\n"
            "Put back what it was, or name another RESULTS, or begin anew with --overwrite"
        )


def _may_be_mended(change: Difference) -> bool:
    """A mended grader is what grading again is for; each line's signature says what made it."""
    return change.of in {"config", "versions"} or change.what in {"profile", "signature"}


def _check_sizes(results: Path, sizes: Sizes) -> None:
    for path, size in zip((results, timing_path(results)), sizes, strict=True):
        found = path.stat().st_size if path.exists() else 0
        if found < size:
            raise RunFolderError(
                f"{path} has {found:,} bytes, and the run had written {size:,}: it was changed or "
                "moved. Put it back, or begin anew with --overwrite"
            )


def _retried(path: Path, results: Path, state: State) -> State:
    """Go back to the beginning, with the results as they were beside us."""
    _check_sizes(results, state.sizes)
    for file, size in zip((results, timing_path(results)), state.sizes, strict=True):
        if file.exists():
            os.truncate(file, size)
    for answers in path.glob("judges.db*"):  # they would be given again
        answers.unlink()
    shutil.rmtree(path / "before", ignore_errors=True)  # of a retry that was killed at its end
    again = State(retrying=True, seconds=state.seconds)
    write_whole(path / "state.json", encode(again))
    return again


def _move_before(path: Path, results: Path) -> None:
    (path / "before").mkdir(exist_ok=True)
    for file in (results, timing_path(results)):
        before = path / "before" / file.name
        if not before.exists():
            file.touch()  # what is made from now on is not what was
            file.replace(before)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep every other run out. Workers hold the lock too, as long as they live."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with (path / "lock").open("wb") as file:
        until = monotonic() + _PATIENCE_SECONDS
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if monotonic() > until:
                raise RunFolderError(f"another process is running {path}; wait for it, or stop it")
            sleep(0.05)
        yield
