"""The files of the plugin datasette-files: what the ids mean that columns of its type hold, for one person.

Its own functions find a file, say whether a person may see it, and give its bytes. They run on the server's event loop;
an export waits for them on its thread, for a limited time.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, TypeVar

from ...files.rooted.reading import FileStore
from ...files.rooted.walking import NotReadError, Parts, Why
from .protocols import Actor, Datasette, on_1

_PLUGIN = "datasette_files"
_TURN = 0.1  # seconds after which it is asked whether the export goes on
_LONGEST = 60.0  # seconds that a storage may take for the next bytes
Found = TypeVar("Found")


async def file_stores(datasette: Datasette, actor: Actor, database: str, tables: Iterable[str]) -> dict[str, FileStore]:
    """Return where the files lie that columns of these tables name by an id, by ``table.column``."""
    plugin = sys.modules.get(_PLUGIN)  # loaded by Datasette, or not here
    if plugin is None or not hasattr(datasette, "get_column_types"):
        return {}
    found: dict[str, FileStore] = {}
    store = StoredFiles(datasette, actor, plugin)
    for table in tables:
        for column, kind in (await datasette.get_column_types(database, table)).items():
            if isinstance(kind, plugin.FileColumnType):
                found[f"{table}.{column}"] = store
    return found


class StoredFiles:
    """The files that one person may see. Make it on the event loop; its methods are called on other threads."""

    path = "datasette-files"  # there is one such place in a site

    def __init__(self, datasette: Datasette, actor: Actor, plugin: Any) -> None:
        self._datasette, self._actor, self._plugin = datasette, actor, plugin
        self._loop = asyncio.get_running_loop()
        self._may_see: dict[str, bool] = {}

    def size(self, parts: Parts) -> int | Why:
        """Return a file's size as datasette-files knows it, or why it is not included."""
        try:
            return int(self._file(parts).size)
        except NotReadError as no:
            return no.why

    def name(self, parts: Parts) -> str:
        """Return a file's own name; call it for a file that was read."""
        try:
            return str(self._file(parts).filename)
        except NotReadError:
            return parts[-1]

    def read(
        self, parts: Parts, write: Callable[[bytes], object], most: int, go_on: Callable[[], None] = lambda: None
    ) -> int | Why:
        """Give all bytes of a file to ``write``, as ``Folder.read`` does."""
        try:
            file = self._file(parts)
            if file.size > most:
                return "large"
            left = int(file.size)
            for piece in _Pieces(self._loop, file).all(go_on):
                left -= len(piece)
                if left < 0:
                    return "changed"
                write(piece)
            return "changed" if left else int(file.size)
        except NotReadError as no:
            return no.why

    def _file(self, parts: Parts) -> Any:
        """Return datasette-files' own object. Raises NotReadError if it is not there, or this person may not see it."""
        if len(parts) != 1:
            raise NotReadError("missing")
        return self._answer(self._seen(parts[0]))

    async def _seen(self, id_: str) -> Any:
        file = await self._plugin.get_file(self._datasette, id_)
        if file is None:
            raise NotReadError("missing")
        source = file.source_slug
        if source not in self._may_see:
            resource = self._plugin.FileSourceResource(source)
            allowed = await on_1(self._datasette).allowed(action="files-browse", resource=resource, actor=self._actor)
            self._may_see[source] = bool(allowed)
        if not self._may_see[source]:
            raise NotReadError("hidden")
        if file.filename in {Path(one.path).name for one in self._datasette.databases.values() if one.path}:
            raise NotReadError("database")  # perhaps this server has it open: to close it would drop SQLite's locks
        if not isinstance(file.size, int):
            raise NotReadError("denied")
        return file

    def _answer(self, asked: Coroutine[Any, Any, Found]) -> Found:
        future = _started(asked, self._loop)
        if not wait([future], _LONGEST).done:
            future.cancel()
            raise NotReadError("denied")
        return _result(future)


class _Pieces:
    """The pieces of one file, from the event loop to a thread: the next is read when the last was taken."""

    def __init__(self, loop: asyncio.AbstractEventLoop, file: Any) -> None:
        self._loop, self._file = loop, file
        self._ready: SimpleQueue[bytes | None] = SimpleQueue()
        self._taken = asyncio.Event()

    def all(self, go_on: Callable[[], None]) -> Iterator[bytes]:
        """Yield them. Raises NotReadError if the storage fails or is too slow, and what ``go_on`` raises."""
        future = _started(self._given(), self._loop)
        future.add_done_callback(lambda _: self._ready.put(None))
        try:
            while (piece := self._next(go_on)) is not None:
                yield piece
                go_on()
                with suppress(RuntimeError):  # the server has stopped
                    self._loop.call_soon_threadsafe(self._taken.set)
        except BaseException:
            future.cancel()
            raise
        _result(future)

    def _next(self, go_on: Callable[[], None]) -> bytes | None:
        until = monotonic() + _LONGEST
        while True:
            try:
                return self._ready.get(timeout=_TURN)
            except Empty:
                go_on()
                if monotonic() > until:
                    raise NotReadError("denied") from None

    async def _given(self) -> None:
        async with self._file.open() as stream:
            async for piece in stream:
                self._taken.clear()
                self._ready.put(bytes(piece))
                await self._taken.wait()


def _started(asked: Coroutine[Any, Any, Found], loop: asyncio.AbstractEventLoop) -> Future[Found]:
    try:
        return asyncio.run_coroutine_threadsafe(asked, loop)
    except RuntimeError:  # the server has stopped
        asked.close()
        raise NotReadError("denied") from None


def _result(future: Future[Found]) -> Found:
    try:
        return future.result(0)
    except NotReadError:
        raise
    except FileNotFoundError:
        raise NotReadError("missing") from None
    except Exception:  # a storage is another's program: whatever it raises, the file is told as not read
        raise NotReadError("denied") from None
