"""Reads a file line by line, with a digest of all bytes read so far."""

from __future__ import annotations

import hashlib
from typing import IO

from ..errors import UnreadableError

_BLOCK = 1 << 20
_RUN = 4000  # lines in one list at most
LONGEST_DESCRIPTION = 1 << 26  # bytes before the rows, or after them


class DigestingLines:
    """``digest`` is over every byte before ``offset``, ``number`` the line there (from 1).

    Memory: one block, or the longest line."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._buffer = b""
        self._place = 0
        self.digest = hashlib.sha256()
        self.offset = 0
        self.number = 1

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer only at the end of the file; they stay unread."""
        while len(self._buffer) - self._place < size:
            if not (block := self._file.read(_BLOCK)):
                break
            self._buffer, self._place = self._buffer[self._place :] + block, 0
        return self._buffer[self._place : self._place + size]

    def line(self) -> bytes:
        """The next line with its LF. Raises UnreadableError where the file ends before one."""
        end = self._line_end()
        return self._taken(end + 1 - self._place, 1)

    def run(self, prefix: bytes) -> list[bytes]:
        """The next lines, without their LF, as far as they begin so; some thousands at most."""
        if self.peek(len(prefix)) != prefix:
            return []
        self._line_end()
        lines = self._buffer[self._place : self._buffer.rindex(b"\n") + 1].split(b"\n", _RUN)[:-1]
        for i, line in enumerate(lines):
            if not line.startswith(prefix):
                del lines[i:]
                break
        self._taken(sum(map(len, lines)) + len(lines), len(lines))
        return lines

    def take(self, size: int) -> bytes:
        """The next bytes, of which ``peek`` told."""
        return self._taken(size, 0)

    def rest(self) -> bytes:
        """All that is left; it is not in the digest. Raises UnreadableError when it is far too much."""
        left = self.peek(LONGEST_DESCRIPTION + 1)
        if len(left) > LONGEST_DESCRIPTION:
            raise UnreadableError(f"Behind the rows, at byte {self.offset:,}, there is more than a description.")
        return left

    def cut(self, where: str = "") -> UnreadableError:
        """The error for a file that ends here."""
        return UnreadableError(f"The file is cut: it ends in line {self.number:,}{where}.", "cut")

    def _line_end(self) -> int:
        start = self._place
        while (end := self._buffer.find(b"\n", start)) < 0:
            start = len(self._buffer) - self._place  # what was searched is not searched again
            block = self._file.read(max(_BLOCK, start))
            self._buffer, self._place = self._buffer[self._place :] + block, 0
            if not block:
                raise self.cut()
        return end

    def _taken(self, size: int, lines: int) -> bytes:
        data = self._buffer[self._place : self._place + size]
        self.digest.update(data)
        self._place += size
        self.offset += size
        self.number += lines
        return data
