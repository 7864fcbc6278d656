"""The rows of one side, table after table, in a private temporary file that has no name."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..files.temporary.room import room_in

_BLOCK = 128 * 1024  # bytes that are written, and read again, at once


@dataclass
class Stored:
    """Where the rows of one table stand: from ``start`` on, in blocks of so many bytes and rows."""

    start: int
    sizes: array[int] = field(default_factory=lambda: array("Q"))
    rows: array[int] = field(default_factory=lambda: array("Q"))


class RowFile:
    """Rows as bytes. One table is written after the other; afterwards each can be read any number of times."""

    def __init__(self, folder: str | None) -> None:
        with room_in():
            self._file = tempfile.TemporaryFile(prefix="program-export-", dir=folder)  # noqa: SIM115
        self._end = 0
        self._waiting: list[bytes | memoryview] = []
        self._bytes = self._rows = 0

    def begin(self) -> Stored:
        """Begin a table."""
        return Stored(self._end)

    def add(self, table: Stored, data: bytes | memoryview, rows: int) -> None:
        """Add rows to the table that was begun last. Raises SpoolFullError if there is no room."""
        self._waiting.append(data)
        self._bytes += len(data)
        self._rows += rows
        if self._bytes >= _BLOCK:
            self.finish(table)

    def finish(self, table: Stored) -> None:
        """Write what waits, after the last row of a table. Raises SpoolFullError if there is no room."""
        if not self._rows:
            return
        with room_in():
            self._file.seek(self._end)
            self._file.write(b"".join(self._waiting))
            self._file.flush()
        table.sizes.append(self._bytes)
        table.rows.append(self._rows)
        self._end += self._bytes
        self._waiting, self._bytes, self._rows = [], 0, 0

    def read(self, table: Stored) -> Iterator[tuple[bytes, int]]:
        """Yield the rows of a table, in order, in blocks of so many rows."""
        place = table.start
        for size, rows in zip(table.sizes, table.rows):
            self._file.seek(place)
            yield self._file.read(size), rows
            place += size

    def clear(self) -> None:
        """Forget all rows."""
        self._file.seek(0)
        self._file.truncate()
        self._end, self._waiting, self._bytes, self._rows = 0, [], 0, 0

    def close(self) -> None:
        """Close the file, which removes it."""
        self._file.close()
