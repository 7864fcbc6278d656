"""Reads a file line by line, with a digest of all bytes read so far."""

from __future__ import annotations

import io
from typing import IO, Any

from ..errors import UnreadableError
from .beside import Hash
from .reading_limits import LARGE, Limits

_BLOCK = 1 << 20
_RUN = 4000  # lines in one list, at most


class DigestingLines:
    """A reader of lines. ``digest`` covers every byte before ``offset``; ``number`` is the line there (from 1).

    It holds one block in memory, or one large line, never twice. Raises UnreadableError for a line
    that is larger than the limits allow."""

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self._buffer = b""
        self._place = 0
        self.digest = Hash(limits.beside)
        self.offset = 0
        self.number = 1

    def peek(self, size: int) -> bytes:
        """Return the next bytes without consuming them; fewer only at the end of the file."""
        while len(self._buffer) - self._place < size:
            if not (block := self._more()):
                break
            self._buffer, self._place = self._buffer[self._place :] + block, 0
        return self._buffer[self._place : self._place + size]

    def line(self) -> bytes:
        """Return the next line with its LF. Raises UnreadableError if the file ends before one."""
        end = self._line_end()
        return self._large() if end < 0 else self._taken(end + 1 - self._place, 1)

    def run(self, prefix: bytes) -> list[Any]:
        """Return the next lines that start with ``prefix``, without LF: a few thousand at most, a large one alone."""
        if self.peek(len(prefix)) != prefix:
            return []
        if self._line_end() < 0:
            line = self._large(keep_end=False)
            self._limits.fits_row(line, f"Line {self.number - 1:,}")
            return [line]
        lines = self._buffer[self._place : self._buffer.rindex(b"\n") + 1].split(b"\n", _RUN)[:-1]
        for i, line in enumerate(lines):
            if not line.startswith(prefix):
                del lines[i:]
                break
        self._taken(sum(map(len, lines)) + len(lines), len(lines))
        return lines

    def block(self, start: bytes, end: bytes) -> tuple[bytes, int]:
        """Return the next lines as they lie in the file, with the last LF, and their number: some thousand at most.

        There are none (b"", 0) unless each of them begins with ``start``, ends with ``end`` and fits into the buffer:
        then ``run`` gives them."""
        if self.peek(len(start)) != start or self._line_end() < 0:
            return b"", 0
        data = self._buffer[self._place : self._buffer.rindex(b"\n") + 1]
        if (lines := data.count(b"\n")) > _RUN:
            data = data[: data.index(b"\n", len(data) * _RUN // lines) + 1]
            lines = data.count(b"\n")
        if not data.endswith(end + b"\n") or data.count(end + b"\n" + start) != lines - 1:
            return b"", 0
        self._consumed(data, lines)
        return data, lines

    def ahead(self, start: bytes) -> memoryview:
        """Return the next lines as they lie in the buffer, without consuming them; none unless ``start`` comes next."""
        if self.peek(len(start)) != start or self._line_end() < 0:
            return memoryview(b"")
        return memoryview(self._buffer)[self._place : self._buffer.rindex(b"\n") + 1]

    def skip(self, data: memoryview, lines: int) -> None:
        """Consume these bytes, which ``ahead`` has returned: so many lines."""
        self._consumed(data, lines)

    def take(self, size: int) -> bytes:
        """Consume and return the next bytes; ``peek`` must have returned them."""
        return self._taken(size, 0)

    def rest(self) -> bytes:
        """Return all remaining bytes; the digest does not cover them. Raises UnreadableError if they are too many."""
        most = self._limits.description
        data, self._buffer = io.BytesIO(), self._buffer[self._place :]
        data.write(self._buffer)
        self._buffer, self._place = b"", 0
        while block := self._more():
            data.write(block)
            if data.tell() > most:
                raise UnreadableError(f"Behind the rows, at byte {self.offset:,}, there is more than a description.")
        return data.getvalue()

    def cut(self, where: str = "") -> UnreadableError:
        """Return the exception for a file that ends here."""
        return UnreadableError(f"The file is cut: it ends in line {self.number:,}{where}.", "cut")

    def _more(self) -> bytes:
        self._limits.go_on()
        return self._file.read(_BLOCK)

    def _line_end(self) -> int:
        """Return the place of the line's end in the buffer; -1 if the line is too large for the buffer."""
        start = self._place
        while (end := self._buffer.find(b"\n", start)) < 0:
            start = len(self._buffer) - self._place  # do not search the same bytes again
            if start > LARGE:
                return -1
            block = self._more()
            self._buffer, self._place = self._buffer[self._place :] + block, 0
            if not block:
                raise self.cut()
        return end

    def _large(self, keep_end: bool = True) -> bytes:
        """Return a line that the buffer holds only in part; it grows in place, because copies of it would add up."""
        line = io.BytesIO()
        block, self._buffer, self._place = self._buffer[self._place :], b"", 0
        while (end := block.find(b"\n")) < 0:
            line.write(block)
            self.digest.update(block)
            self._limits.fits(line.tell(), f"Line {self.number:,} (from byte {self.offset:,} on)")
            if not (block := self._more()):
                raise self.cut()
        self._buffer = block[end + 1 :]
        line.write(block[: end + keep_end])
        self.digest.update(block[: end + 1])
        self.offset += line.tell() + (not keep_end)
        self.number += 1
        return line.getvalue()

    def _taken(self, size: int, lines: int) -> bytes:
        data = self._buffer[self._place : self._place + size]
        self._consumed(data, lines)
        return data

    def _consumed(self, data: bytes | memoryview, lines: int) -> None:
        self.digest.update(data)
        self._place += len(data)
        self.offset += len(data)
        self.number += lines


def within(line: bytes, start: int, end: int) -> bytes | memoryview:
    """Return a line without ``start`` bytes at its start and ``end`` at its end; a large one is not copied."""
    if len(line) > LARGE:
        return memoryview(line)[start : len(line) - end]
    return line[start : len(line) - end]
