"""Send a job's result; an interrupted download can be resumed."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from pathlib import Path
from typing import IO

from datasette import Response

from ...errors import BrokenExportError, GoneError
from ...files.spool import PIECE
from ...options.settings import Settings
from ..host.protocols import HttpRequest, Send
from ..http.failures import broken_off, log_cut
from ..http.sending import Client, disposition
from ..server.job_runner import Job

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)
_LONGEST_RANGE = 100  # characters; the pattern is slow on very many blanks


class UnsatisfiableError(Exception):
    """The requested range begins after the end of the file."""


def part_of(size: int, range_: str | None, condition: str | None, tag: str) -> tuple[int, int] | None:
    """Return the requested part as a half-open range of bytes; None for the whole file.

    ``condition`` is If-Range: a part of another version of the file is of no use. Multiple ranges
    and unreadable ones are answered with the whole file. Raises UnsatisfiableError."""
    found = _RANGE.fullmatch(range_) if range_ and len(range_) <= _LONGEST_RANGE else None
    if found is None or (condition is not None and condition.strip() != tag):
        return None
    first, last = found.groups()
    if first and last and int(first) > int(last):
        return None
    if first:
        start, end = int(first), min(int(last) + 1, size) if last else size
    elif last:
        start, end = max(size - int(last), 0), size
    else:
        return None
    if start >= end:
        raise UnsatisfiableError
    return start, end


def result_headers(job: Job) -> dict[str, str]:
    """Return the headers of a result, whole or in part."""
    assert job.sha256 is not None and job.filename is not None
    return {
        "accept-ranges": "bytes",
        "etag": f'"{job.sha256}"',
        "repr-digest": f"sha-256=:{b64encode(bytes.fromhex(job.sha256)).decode()}:",
        "content-disposition": disposition(job.filename),
    }


class ResultDownload(Response):  # type: ignore[misc]
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
            raise GoneError("The file is not kept any more. Start the export again.") from None
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
