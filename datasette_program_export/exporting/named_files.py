"""The files that the rows of one export name: found while the rows are written, read when a format asks for them.

Only columns that settings name with a folder are looked at, and only rows and columns that are in the export. The
different values wait in a private database of SQLite's, so that any number of them takes little memory.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import IO, NamedTuple, cast

from ..database.library import sqlite3
from ..files.rooted.reading import FileStore, into
from ..files.rooted.walking import Parts, Why, parts_of
from ..formats.dataset import NamedFile, Row
from ..formats.description.coverage import ColumnFiles, FileGap
from ..formats.package.file_kinds import kind_of
from ..options.settings import Settings

MOST_NAMES = 5  # that are told for one reason
_MEMORY = 4_000_000
_PIECE = 1 << 18
_MOST_TEXT = 2_000_000  # characters of the paths in one package, which readers hold in memory


@dataclass
class _Column:
    """What is known of one column's files so far."""

    name: str
    folder: FileStore
    named: int = 0
    inside: int = 0
    bytes: int = 0
    gaps: Counter[Why] = field(default_factory=Counter)
    names: dict[Why, list[str]] = field(default_factory=dict)

    def lacks(self, why: Why, value: object) -> None:
        """Count a file that is not included."""
        self.gaps[why] += 1
        told = self.names.setdefault(why, [])
        if len(told) < MOST_NAMES and isinstance(value, str):
            told.append(value.encode("utf-8", "replace").decode()[:200])

    def told(self, table: str, whole: bool) -> ColumnFiles:
        """Return it for the coverage; without ``whole``, no format has asked for the files."""
        gaps, names = Counter(self.gaps), dict(self.names)
        if not whole and (left := self.named - sum(gaps.values())):
            gaps["form"], names["form"] = left, []
        found = tuple(FileGap(why, gaps[why], tuple(names[why])) for why in sorted(gaps))
        return ColumnFiles(table, self.name, self.named, self.inside, self.bytes, found)


class _Known(NamedTuple):
    number: int
    size: int
    sha256: str
    kind: str
    name: str | None


class NamedFiles:
    """The files of one export. ``stack`` closes what it keeps; ``go_on`` is called between pieces of a file."""

    def __init__(self, settings: Settings, folder: str | None, stack: ExitStack, go_on: Callable[[], None]) -> None:
        self.settings, self.temporary = settings, folder
        self.go_on = go_on
        self.bytes = self.text = self.cells = 0
        self.known: dict[tuple[str, Parts], _Known] = {}
        self._stack = stack
        self._tables: list[TableFiles] = []

    def of(self, table: str, columns: Sequence[str], stores: Mapping[str, FileStore]) -> TableFiles | None:
        """Return what takes the rows of a table with these columns; None if no column has files in ``stores``."""
        places = [place for place, name in enumerate(columns) if name in stores]
        if not places:
            return None
        kept = self._stack.enter_context(closing(sqlite3.connect("", isolation_level=None, check_same_thread=False)))
        found = {place: _Column(columns[place], stores[columns[place]]) for place in places}
        made = TableFiles(self, table, found, kept)
        self._tables.append(made)
        return made

    def is_full(self, value: str) -> bool:
        """Return whether a package can name no more files: what says which there are is held in memory."""
        return self.text + len(value) > _MOST_TEXT or self.cells >= self.settings.files_most

    def told(self) -> tuple[ColumnFiles, ...]:
        """Return what the coverage says: of each column whose rows name files."""
        return tuple(column for table in self._tables for column in table.told())


class TableFiles:
    """The files that the rows of one table name."""

    def __init__(self, files: NamedFiles, table: str, columns: dict[int, _Column], kept: sqlite3.Connection) -> None:
        self._files, self._table, self._columns, self._kept = files, table, columns, kept
        self._asked = False
        kept.execute("CREATE TABLE named (id INTEGER PRIMARY KEY, place INTEGER, value TEXT, UNIQUE (place, value))")

    def saw(self, rows: Sequence[Row]) -> None:
        """Look at rows as they are written."""
        for place, column in self._columns.items():
            values = dict.fromkeys(row[place] for row in rows)
            fresh = []
            for value in values:
                if value in (None, "", b""):
                    continue
                if parts_of(value) is None and not _can_be_kept(value):
                    column.named += 1
                    column.lacks("outside", value)
                else:
                    fresh.append((place, value))
            before = self._kept.total_changes
            self._kept.executemany("INSERT OR IGNORE INTO named (place, value) VALUES (?, ?)", fresh)
            column.named += self._kept.total_changes - before

    def files(self) -> Iterator[NamedFile]:
        """Yield the files, as ``TableStream.files`` says. Raises SpoolFullError if there is no room for one."""
        self._asked = True
        for place, value in self._kept.execute("SELECT place, value FROM named ORDER BY id"):
            column = self._columns[place]
            with tempfile.SpooledTemporaryFile(_MEMORY, dir=self._files.temporary) as content:
                found = self._found(column, value, cast("IO[bytes]", content))
                if isinstance(found, NamedFile):
                    yield found
                else:
                    column.lacks(found, value)

    def told(self) -> Iterator[ColumnFiles]:
        """Yield what the coverage says of each column."""
        for column in self._columns.values():
            if column.named:
                yield column.told(self._table, self._asked)

    def _found(self, column: _Column, value: str, content: IO[bytes]) -> NamedFile | Why:
        files, parts = self._files, parts_of(value)
        if parts is None:
            return "outside"
        known = files.known.get((column.folder.path, parts))
        first, full = known is None, files.is_full(value)
        if known is None:
            read = self._read(column.folder, parts, content, full)
            if not isinstance(read, int):
                return read
            files.bytes += read
            column.bytes += read
            name = column.folder.name(parts)
            own = name if name != parts[-1] else None
            known = _Known(len(files.known), read, *_seen(content, name), own)
            files.known[column.folder.path, parts] = known
        elif full:
            return "full"
        files.text += len(value)
        files.cells += 1
        column.inside += 1
        of_it = content if first else None
        return NamedFile(column.name, value, known.size, known.sha256, known.kind, known.number, of_it, known.name)

    def _read(self, folder: FileStore, parts: Parts, content: IO[bytes], full: bool) -> int | Why:
        """Read a file into a temporary one, if it is not too large for the package."""
        files, settings = self._files, self._files.settings
        size = folder.size(parts)
        if not isinstance(size, int):
            return size
        if size > settings.file_mb * 1e6:
            return "large"
        if full or files.bytes + size > settings.files_mb * 1e6:
            return "full"
        read = into(folder, parts, content, size, files.go_on)
        return "changed" if read == "large" else read


def _seen(content: IO[bytes], name: str) -> tuple[str, str]:
    """Return the SHA-256 and the kind of a temporary file, which is at its start before and after."""
    digest, beginning = hashlib.sha256(), b""
    while piece := content.read(_PIECE):
        beginning = beginning or piece[:64]
        digest.update(piece)
    content.seek(0)
    return digest.hexdigest(), kind_of(beginning, name)


def _can_be_kept(value: object) -> bool:
    """Return whether a value can be told apart in the private database: a text that is UTF-8."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value
