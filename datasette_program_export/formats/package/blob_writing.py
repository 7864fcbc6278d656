"""Writes BLOBs of a package as files of their own: ``files/<table>/<column>/<key>.<extension>``.

They follow the file of their table in the zip, which is a stream. Until then they wait in a private temporary file,
as the rows of a statement may not come a second time.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from ...files.names import Names
from ...files.temporary.room import room_in
from ...files.zip_writing import Member
from ..dataset import Field, Row, Value
from ..values import InFile
from .file_kinds import extension_of, is_compressed

MOST_FILES = 10_000  # each is held in memory until the zip's end, by who writes it and by who reads it
MOST_WAITING = 1_000_000_000  # bytes of one table's BLOBs, which take room on the disk meanwhile
FOLDER = "files"
_MEMORY = 4_000_000
_PIECE = 1 << 18
_FOLDER_LENGTH = 50  # so that no path is too long for Windows, wherever it is unpacked


class BlobFiles:
    """The BLOBs of one package that become files. ``described`` has the size and digest of each, by its path."""

    def __init__(self, folder: str | None) -> None:
        self.folder = folder
        self.described: dict[str, dict[str, Any]] = {}
        self._tables = Names(_FOLDER_LENGTH)

    def of_table(self, name: str, fields: Sequence[Field], key: Sequence[str]) -> TableBlobs:
        """Return what takes the BLOBs of one table, whose rows are told apart by ``key``."""
        places = {field.name: place for place, field in enumerate(fields)}
        whole = bool(key) and all(column in places for column in key)
        return TableBlobs(self, self._tables.of(name), fields, [places[column] for column in key] if whole else [])


class TableBlobs:
    """The BLOBs of one table that become files; ``columns`` are the places of those that had one so far."""

    def __init__(self, files: BlobFiles, table: str, fields: Sequence[Field], key: Sequence[int]) -> None:
        self._files = files
        self._table = table
        self._fields = fields
        self._key = key
        self._columns = Names(_FOLDER_LENGTH)
        self._taken: dict[int, tuple[str, Names]] = {}
        self._moved_from: set[int] = set()
        self._waiting: list[tuple[str, int]] = []
        self._bytes = 0
        self._spool: IO[bytes] | None = None

    @property
    def columns(self) -> frozenset[int]:
        return frozenset(self._moved_from)

    def path(self, place: int, name: str, extension: str) -> str:
        """Return the path of a new file of a column, another one each time."""
        if place not in self._taken:
            self._taken[place] = (self._columns.of(self._fields[place].name), Names(60))
        column, names = self._taken[place]
        ending = f".{extension}" if extension else ""
        return f"{FOLDER}/{self._table}/{column}/{names.of(name)}{ending}"

    def named(self, batches: Iterable[list[Row]]) -> Iterator[list[Any]]:
        """Yield the rows, with an ``InFile`` in place of each BLOB that becomes a file. Raises SpoolFullError."""
        number = 1
        for batch in batches:
            columns: list[Sequence[Any]] = list(zip(*batch))
            changed = False
            for place, column in enumerate(columns):
                if bytes in set(map(type, column)):
                    columns[place] = [
                        self._moved(place, value, row, number + i) if type(value) is bytes else value
                        for i, (value, row) in enumerate(zip(column, batch))
                    ]
                    changed = True
            number += len(batch)
            yield list(zip(*columns)) if changed else batch

    def members(self) -> Iterator[Member]:
        """Yield the files, each to be read before the next; call it when all rows have been read."""
        if self._spool is None:
            return
        self._spool.seek(0)
        for path, size in self._waiting:
            yield Member(path, self._pieces(size), is_compressed(path.rpartition(".")[2]))

    def close(self) -> None:
        """Remove what waits."""
        if self._spool is not None:
            self._spool.close()

    def _moved(self, place: int, blob: bytes, row: Row, number: int) -> bytes | InFile:
        extension = extension_of(blob)
        full = len(self._files.described) >= MOST_FILES or self._bytes + len(blob) > MOST_WAITING
        if extension is None or full:
            return blob
        self._bytes += len(blob)
        with room_in():
            if self._spool is None:
                self._spool = tempfile.SpooledTemporaryFile(_MEMORY, dir=self._files.folder)  # noqa: SIM115
            self._spool.write(blob)
        self._moved_from.add(place)
        path = self.path(place, self._said(row, number), extension)
        self._waiting.append((path, len(blob)))
        self._files.described[path] = {"bytes": len(blob), "hash": f"sha256:{hashlib.sha256(blob).hexdigest()}"}
        return InFile(path)

    def _said(self, row: Row, number: int) -> str:
        """Return a row's key as a text, or its number where the key is none that can be read."""
        key: list[Value] = [row[place] for place in self._key]
        if not key or not all(isinstance(part, (int, str)) for part in key):
            return f"row-{number}"
        return "-".join(str(part)[:100] for part in key)

    def _pieces(self, size: int) -> Iterator[bytes]:
        assert self._spool is not None
        while size:
            piece = self._spool.read(min(size, _PIECE))
            size -= len(piece)
            yield piece
