"""Send an export as a streaming response: one thread reads the database, the event loop sends."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Thread

from datasette import Response

from ...errors import AuditError, BusyError, CancelledError, ExportError
from ...exporting.exporter import Export
from ...files.temporary.spool import Spool
from ...options.settings import Settings
from ..host.protocols import HttpRequest, Send
from ..server.audit_log import LogEntry
from ..server.identity import person_of
from ..server.slots import SLOTS
from ..server.throttle import WAITING, considerate
from .answers import HEADERS
from .failures import broken_off, log_cut, unforeseen
from .sending import Client, disposition
from .word import Ended


class Download(Response):  # type: ignore[misc]
    """An export as a response: ``start`` it, then return it from a view.

    ``start`` waits for the first bytes, so that an error before them can still be answered with a
    status. A later error breaks the connection: a download that ends normally is complete."""

    def __init__(
        self,
        export: Export,
        request: HttpRequest,
        settings: Settings,
        line: LogEntry | None = None,
        word: Ended | None = None,
    ) -> None:
        super().__init__(b"", 200, {})
        self._export = export
        self._reader = Client(request, settings.send_timeout_seconds, self._gone)
        self._line = line
        self._word = word
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._first: bytes | None = None
        memory, disk = int(settings.spool_memory_mb * 1e6), int(settings.spool_disk_mb * 1e6)
        self._spool = Spool(memory, disk, settings.spool_dir, self._wake)
        self._person = person_of(request.actor)
        SLOTS.take(settings.max_concurrent_exports, self._person)

    async def start(self) -> Download:
        """Start reading. Raises what the export raises before its first byte."""
        try:
            Thread(target=self._read, name="program-export", daemon=True).start()
        except RuntimeError:  # the system has no more threads
            SLOTS.give_back(self._person)
            raise BusyError("The server cannot take one more export now. Try again in a moment.") from None
        self._reader.watch()
        try:
            with WAITING.aside():
                self._first = await self._next()
        except BaseException as error:
            self._stop()
            why = str(error) or type(error).__name__
            await self._log(why)
            await self._tell(why)
            raise
        self.content_type = self._export.media_type
        self.headers["content-disposition"] = disposition(self._export.filename)
        return self

    async def asgi_send(self, send: Send) -> None:
        """Send the chunks while the client takes them. What breaks the download is logged and not raised."""
        headers = {**self.headers, **HEADERS, "content-type": self.content_type}
        headers.pop("link", None)  # Datasette's link to the next page: an export has none
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        raw += [(b"set-cookie", cookie.encode()) for cookie in self._set_cookie_headers]
        why: str | None = "The server stopped."
        try:
            why = await broken_off(self._sent(send, raw))
        finally:
            self._stop()
            if why is not None:
                with suppress(AuditError):  # it may be what broke the download
                    await self._log(why)
                if not self._reader.left:
                    log_cut(why)
            await self._tell(why)

    async def _sent(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        await self._reader.take(send, {"type": "http.response.start", "status": self.status, "headers": headers})
        piece = self._first
        while piece is not None:
            await self._reader.take(send, {"type": "http.response.body", "body": piece, "more_body": True})
            piece = await self._next()
        await self._log("complete")
        await self._reader.take(send, {"type": "http.response.body", "body": b""})

    async def _log(self, outcome: str) -> None:
        """Write the log line: before the end is sent, or after an error."""
        if self._line is not None:
            await asyncio.to_thread(self._line.end, outcome, self._export.progress.rows)

    async def _tell(self, why: str | None) -> None:
        """Tell the plugins of the end, after it: ``why`` it broke off, or None."""
        if self._word is None:
            return
        if why is None:
            await self._word.tell("complete")
        else:
            await self._word.tell("cancelled" if self._reader.left else "failed", why)

    async def _next(self) -> bytes | None:
        """Return the next piece; None at the end. Raises ExportError alone."""
        while True:
            self._news.clear()
            piece = self._taken()
            if piece != b"":
                return piece
            if self._reader.left:
                raise CancelledError("The reader left.")
            await self._news.wait()

    def _taken(self) -> bytes | None:
        try:
            return self._spool.take()
        except ExportError:
            raise
        except Exception as error:
            failed = unforeseen(error)
        raise failed

    def _gone(self) -> None:
        self._export.cancel()
        self._news.set()

    def _stop(self) -> None:
        self._reader.stop()
        self._export.cancel()
        self._spool.close()

    def _read(self) -> None:
        """Run the export on its own thread: open the database, read it, and close it."""
        try:
            chunks = self._export if self._line is None else self._line.watch(self._export)
            self._spool.fill(considerate(chunks))
        finally:
            self._export.close()
            SLOTS.give_back(self._person)

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._news.set)
        except RuntimeError:  # the loop is closed: the server stops, and there is no reader
            self._export.cancel()
