"""Send a file that the server keeps, whole or in part."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import IO

from datasette import Response

from ...errors import BrokenExportError, GoneError
from ...files.temporary.spool import PIECE
from ...options.settings import Settings
from ..host.protocols import HttpRequest, Send
from .failures import broken_off, log_cut
from .sending import Client


class FileDownload(Response):  # type: ignore[misc]
    """A response with a file, or a part of it, sent in pieces; only one piece is in memory at a time."""

    def __init__(
        self,
        path: Path,
        part: tuple[int, int],
        request: HttpRequest,
        settings: Settings,
        status: int,
        headers: dict[str, str],
    ) -> None:
        super().__init__(b"", status, headers)
        try:
            self._file: IO[bytes] = path.open("rb")
        except OSError:
            raise GoneError("The file is not kept any more. Start again.") from None
        self._start, self._end = part
        self._reader = Client(request, settings.send_timeout_seconds)

    async def asgi_send(self, send: Send) -> None:
        """Send the file while the client takes it. What breaks the download is logged and not raised."""
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]
        raw += [(b"set-cookie", cookie.encode()) for cookie in self._set_cookie_headers]
        self._reader.watch()
        try:
            why = await broken_off(self._sent(send, raw))
        finally:
            self._reader.stop()
            self._file.close()
        if why is not None and not self._reader.left:
            log_cut(why)

    async def _sent(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        await self._reader.take(send, {"type": "http.response.start", "status": self.status, "headers": headers})
        left = self._end - self._start
        await asyncio.to_thread(self._file.seek, self._start)
        while left:
            piece = await asyncio.to_thread(self._file.read, min(PIECE, left))
            if not piece:
                raise BrokenExportError("The kept file is shorter than it was; the download was cut.")
            left -= len(piece)
            await self._reader.take(send, {"type": "http.response.body", "body": piece, "more_body": True})
        await self._reader.take(send, {"type": "http.response.body", "body": b""})
