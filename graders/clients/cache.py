"""Answers kept in one SQLite file, so that no request is paid for twice.

The file holds replies by the fingerprint of their request, and nothing of the request itself,
of headers or of keys. Several processes may share it. Reading and writing are a few dozen
microseconds on the event loop's own thread: less than handing them to another would cost.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Final

from graders.clients import ModelClient, ModelReply, ModelRequest, asked_for
from graders.clients.fingerprint import fingerprint
from graders.clients.kept import from_kept, to_kept
from graders.errors import GradersError, GradingError
from graders.strict_json import decode, encode

_OURS: Final = 0x47524443
"""The `application_id` of our files: "GRDC"."""
_FORM: Final = 1
_BUSY_SECONDS: Final = 60.0


class CacheError(GradersError):
    """A file that is no cache of answers, or cannot be used as one. Ends a run."""


class Cached:
    """A client that asks another only what its file does not hold.

    Equal requests that are in flight together are asked once; so is a failure, which is not
    kept. Nor are answers that no judge can use (refused, cut off, empty): asking again can help.
    Use it under one event loop at a time.
    """

    def __init__(
        self, client: ModelClient, path: Path | str, *, identity: str, by_row: bool = False
    ) -> None:
        """Open the file, or make it.

        Args:
            client: Whom to ask what is not known.
            path: The file.
            identity: Whose answers these are: the same model elsewhere, or asked in another way,
                is another model.
            by_row: Whether each row's answers are its own, so that equal requests of two rows are
                two answers.

        Raises:
            CacheError: The file is damaged or is something else.
        """
        self._client, self._path, self._identity = client, Path(path), identity
        self._by_row = by_row
        self._asking: dict[str, asyncio.Future[ModelReply]] = {}
        try:
            # `grade` has a thread of its own in a notebook, and SQLite locks for us.
            self._file = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except sqlite3.Error as error:
            raise self._unusable(str(error)) from None

    def _prepare(self) -> None:
        run = self._file.execute
        with self._file:  # several processes may make the file at once
            run("BEGIN IMMEDIATE")
            (found,), (form,) = *run("PRAGMA application_id"), *run("PRAGMA user_version")
            if (found, form) != (_OURS, _FORM):
                if found or form or run("SELECT 1 FROM sqlite_master").fetchone():
                    what = f"a cache of form {form}" if found == _OURS else "another database"
                    raise sqlite3.DatabaseError(f"it is {what}")
                run(f"PRAGMA application_id = {_OURS}")
                run(f"PRAGMA user_version = {_FORM}")
                run("CREATE TABLE replies (fingerprint TEXT PRIMARY KEY, reply BLOB) WITHOUT ROWID")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")  # a machine that loses power may lose the last answers

    async def complete(self, request: ModelRequest) -> ModelReply:
        key = self._key(request)
        while True:
            kept = self._find(key)
            if kept is not None:
                return kept
            asking = self._asking.get(key)
            if asking is None:
                return await self._ask(key, request)
            await asyncio.wait([asking])
            if not asking.cancelled():  # else whoever asked was stopped, and it is our turn
                return replace(asking.result(), cached=True, attempts=0)

    def find(self, request: ModelRequest) -> ModelReply | None:
        """The answer that is kept, for who asks several things at once."""
        return self._find(self._key(request))

    def keep(self, request: ModelRequest, reply: ModelReply) -> None:
        """Keep an answer that was got elsewhere."""
        self._keep(self._key(request), reply)

    def _key(self, request: ModelRequest) -> str:
        row = f" for {asked_for.get()}" if self._by_row else ""
        return fingerprint(request, self._identity + row)

    async def _ask(self, key: str, request: ModelRequest) -> ModelReply:
        asking = self._asking[key] = asyncio.get_running_loop().create_future()
        try:
            reply = await self._client.complete(request)
            if _of_use(reply):
                self._keep(key, reply)
        except GradingError as error:
            asking.set_exception(error)
            asking.exception()  # seen, also where nobody waits for it
            raise
        else:
            asking.set_result(reply)
            return reply
        finally:
            asking.cancel()  # nothing happens to one that is done
            del self._asking[key]

    def _find(self, key: str) -> ModelReply | None:
        query = "SELECT reply FROM replies WHERE fingerprint = ?"
        try:
            found = self._file.execute(query, (key,)).fetchone()
            kept = None if found is None else from_kept(decode(found[0]))
        except (sqlite3.Error, ValueError) as error:
            raise self._unusable(str(error)) from None
        return kept if kept is not None and _of_use(kept) else None  # older files hold others

    def _keep(self, key: str, reply: ModelReply) -> None:
        try:
            self._file.execute(
                "INSERT OR REPLACE INTO replies VALUES (?, ?)", (key, encode(to_kept(reply)))
            )
        except sqlite3.Error as error:
            raise self._unusable(str(error)) from None

    def _unusable(self, problem: str) -> CacheError:
        return CacheError(
            f"{self._path}: not usable as a cache of answers: {problem}; "
            "name another file, or move this one away"
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _of_use(reply: ModelReply) -> bool:
    return bool(reply.text.strip()) and reply.refusal is None and not reply.truncated
