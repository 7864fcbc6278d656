"""A buffer between the thread that reads the database and a client that may be slow.

The writer never waits, so the snapshot is closed as soon as the database has been read. A few
megabytes are held in memory, the rest in a private temporary file. Where the system allows it, the
file has no name and so disappears with the process.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from threading import Lock
from typing import IO

from ...errors import CancelledError, SpoolFullError
from .room import room_in

PIECE = 256 * 1024


def coalesced(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in fewer pieces; the first piece is passed on at once."""
    chunks = iter(chunks)
    yield from islice(chunks, 1)
    pieces: list[bytes] = []
    size = 0
    for chunk in chunks:
        pieces.append(chunk)
        size += len(chunk)
        if size >= PIECE:
            yield b"".join(pieces)
            pieces, size = [], 0
    if pieces:
        yield b"".join(pieces)


class Spool:
    """A first-in, first-out buffer. ``wake`` is called on the writer's thread whenever its state changes.

    ``memory`` and ``disk`` are the bytes that may wait in memory and in the file; ``folder`` is for the file."""

    def __init__(self, memory: int, disk: int, folder: str | None, wake: Callable[[], None]) -> None:
        self.memory, self.disk, self.folder = memory, disk, folder
        self._wake = wake
        self._lock = Lock()
        self._pieces: deque[bytes] = deque()
        self._file: IO[bytes] | None = None
        self._read_at = self._written_to = 0
        self._ended = self._closed = False
        self._error: BaseException | None = None

    def fill(self, chunks: Iterable[bytes]) -> None:
        """Store all chunks, on the writer's thread. ``take`` raises what they raise, after the bytes before it."""
        try:
            for chunk in coalesced(chunks):
                self._put(chunk)
        except BaseException as error:
            self._error = error
        finally:
            self._ended = True
            self._wake()

    def take(self) -> bytes | None:
        """Return the next bytes; b"" if there are none yet, None at the end. Raises the writer's error."""
        with self._lock:
            if self._pieces:
                piece = b"".join(self._pieces)
                self._pieces.clear()
                return piece
            if self._file is not None and self._read_at < self._written_to:
                self._file.seek(self._read_at)
                piece = self._file.read(min(PIECE, self._written_to - self._read_at))
                self._read_at += len(piece)
                if self._read_at == self._written_to:  # caught up: release the disk space
                    self._file.seek(0)
                    self._file.truncate()
                    self._read_at = self._written_to = 0
                return piece
            if not self._ended:
                return b""
        if self._error is not None:
            raise self._error
        return None

    def close(self) -> None:
        """End reading: the writer gets CancelledError at its next chunk."""
        with self._lock:
            self._closed = True
            self._pieces.clear()
            if self._file is not None:
                self._file.close()

    def _put(self, chunk: bytes) -> None:
        with self._lock:
            if self._closed:
                raise CancelledError("The reader left.")
            waiting = self._written_to - self._read_at
            if not waiting and sum(map(len, self._pieces)) + len(chunk) <= self.memory:
                self._pieces.append(chunk)
            elif waiting + len(chunk) > self.disk:
                raise SpoolFullError(
                    f"The reader fell more than {self.disk // 1_000_000:,} MB behind (spool_disk_mb), "
                    "and the database is not kept waiting. Take a smaller part, or raise the setting."
                )
            else:
                self._spill(chunk)
        self._wake()

    def _spill(self, chunk: bytes) -> None:
        with room_in():
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="program-export-", dir=self.folder)  # noqa: SIM115
            self._file.seek(self._written_to)
            self._file.write(chunk)
            self._file.flush()
        self._written_to += len(chunk)
