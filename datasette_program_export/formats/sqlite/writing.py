"""sqlite: a database file with the same tables, rows, keys, indexes, views and triggers, and a description.

The file is built as a temporary file, and every table is read back before the first byte is
yielded: a file with a changed value is never given out. ``docs/sqlite.md`` describes the format.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import msgspec

from ...database.guarding.authorizer import NEW
from ...database.guarding.new_database import NewDatabase
from ...database.library import sqlite3
from ...database.schema import quote
from ...database.sqlite_errors import explain, is_full
from ...database.text import insert_odd, odd_text
from ...errors import BrokenExportError, ExportError, UnreadableError, UnsupportedError
from ...files.beside import Beside
from ...files.local import local
from ...files.reading_limits import Limits
from ...files.temporary.folder import TemporaryFolder, new_private
from ...files.temporary.room import no_room, room_in
from ..dataset import Dataset, TableStream
from ..description.digest import TableDigest, sum_of_rows
from ..description.integrity import Announced, AnnouncedTable
from ..description.parsing import dumped
from ..registry import Format, Options
from .proving import proved
from .reading import begun, check_document, sealed
from .reading import decode as read
from .rows import stored_rows
from .statements import Blueprint, insertion, terminated

_PIECE = 256 * 1024
_STEPS = 200_000  # instructions of SQLite's virtual machine between two checks whether the export was cancelled
_SETTINGS = ("journal_mode=OFF", "cache_size=-16000", "secure_delete=ON")
_SORTING = "cache_size=-2000"  # for indexes: SQLite sorts pieces as large as its cache, quicker in the processor's own


def encode(dataset: Dataset, options: Options) -> Iterator[bytes]:
    """Yield the file in pieces, after it is complete."""
    with room_in():
        temporary = TemporaryFolder(options.folder)
    with temporary as folder:
        path = new_private(folder / "export.db")
        blueprint = Blueprint.of(dataset.schema)
        building = _Building(path, dataset, blueprint)
        building.tables()
        building.prove(options.beside)
        integrity = building.read_back()
        building.rest(integrity)
        building.seal(options.beside)
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                dataset.integrity()  # raises if the export was cancelled
                yield piece


@dataclass
class _Loaded:
    """One table as it was written: its columns, its row count, and a sum that does not depend on the order.

    Of rows that SQLite copied there is no sum: they lie in the order of the export. ``same``: they are compared.
    ``mend`` are the statements that write them anew, unless it is proved that nothing would change. ``stored`` is the
    digest of rows that were read back already."""

    columns: list[str]
    rows: int = 0
    sum: int | None = None
    same: bool = False
    mend: tuple[str, ...] = ()
    stored: TableDigest | None = None


class _Building:
    """Builds the file. Each step opens it again, so that what is read back is what was written."""

    def __init__(self, path: Path, dataset: Dataset, blueprint: Blueprint) -> None:
        self.path = path
        self.dataset = dataset
        self.blueprint = blueprint
        self.loaded: dict[str, _Loaded] = {}
        self._made: set[str] = set()  # statements of objects that are there
        self._table: str | None = None
        self._stopped: BaseException | None = None

    def tables(self) -> None:
        """Create the tables and load their rows: through the export's own connection, where that can be."""
        with self._opened() as connection:
            for sql in self.blueprint.tables.values():
                connection.execute(sql)
        target = None
        if self.blueprint.tables and self.dataset.attached is not None:
            target = self.dataset.attached(self.path, _SETTINGS)
        if target is None:
            with self._opened() as connection:
                self._load_all(connection, None)
            return
        with self._told(), target:
            self._load_all(target, target)
            self.dataset.coverage()  # while it can still be read

    def _load_all(self, connection: sqlite3.Connection | NewDatabase, target: NewDatabase | None) -> None:
        for table in self.blueprint.telling(self.dataset.tables):
            self._table = table.name
            kept = [i for i, field in enumerate(table.fields) if not field.generated]
            loaded = self.loaded[table.name] = _Loaded([table.fields[i].name for i in kept])
            done = None
            if target is not None and table.copied is not None:
                done = table.copied(target, self.blueprint.indexes(table.name))
            if done is None:
                start = insertion(table.name, loaded.columns, "main" if target is None else NEW)
                self._load(connection, table, kept, start)
            else:
                loaded.rows, loaded.same, loaded.mend = done.rows, done.same is True, done.mend
                self._made.update(map(terminated, done.indexes))
                if done.same is False:
                    raise _changed(table.name)
        self._table = None

    def _load(
        self, connection: sqlite3.Connection | NewDatabase, table: TableStream, kept: list[int], start: str
    ) -> None:
        loaded = self.loaded[table.name]
        loaded.sum = 0
        insert = f"{start} ({', '.join('?' * len(kept))})"
        for rows in table.batches:
            if len(kept) < len(table.fields):
                rows = [tuple(row[i] for i in kept) for row in rows]
            loaded.rows += len(rows)
            loaded.sum += sum_of_rows(rows)
            before = connection.total_changes
            if self.blueprint.encoding == "UTF-8":
                try:
                    connection.executemany(insert, rows)
                    continue
                except UnicodeEncodeError:  # the rows before the one with such a text are inserted
                    rows = rows[connection.total_changes - before :]
            for row in rows:
                self._insert(connection, start, row)

    def _insert(self, connection: sqlite3.Connection | NewDatabase, start: str, row: Sequence[Any]) -> None:
        insert_odd(connection, start, row, lambda text: odd_text(text, self.blueprint.encoding))

    def prove(self, beside: Beside) -> None:
        """Prove that what SQLite copied raw is as it would write it; else have it written, and read back anew."""
        mend = {name: loaded.mend for name, loaded in self.loaded.items() if loaded.mend}
        if mend:
            unread = {name: self.loaded[name].columns for name in mend if not self.loaded[name].same}
            with self._told():
                found = proved(self.path, list(mend), unread, self.dataset.integrity, beside)
            for name, digest in found.items():
                self.loaded[name].stored = digest
                del mend[name]
        if mend:
            with self._opened() as connection:
                for name, statements in mend.items():
                    for sql in statements:
                        connection.execute(sql)
                    self.loaded[name].same = False

    def read_back(self) -> Announced:
        """Compare every table with what was read from the source, and return the integrity of the file.

        The digest covers the rows in the order of their storage: by their key, while an export
        may have sorted them otherwise. Raises BrokenExportError if a value differs."""
        integrity = self.dataset.integrity()
        tables = dict(integrity.tables)
        with self._opened(write=False) as connection:
            for name, loaded in self.loaded.items():
                if loaded.same:
                    continue
                digest, total = loaded.stored, 0
                if digest is None:
                    digest = TableDigest(len(loaded.columns))
                    for rows in stored_rows(connection, name, loaded.columns):
                        digest.add(rows)
                        total += sum_of_rows(rows)
                told = tables[name]
                if digest.hexdigest() == told.sha256:
                    continue
                if (digest.rows, total) != (loaded.rows, loaded.sum) or loaded.rows != told.rows:
                    raise _changed(name)
                tables[name] = AnnouncedTable(told.rows, digest.hexdigest(), told.sha256)
        return Announced(integrity.rows, tables)

    def rest(self, integrity: Announced) -> None:
        """Create the other objects, now that no trigger can fire, then the description, with its digest last."""
        name = quote(self.blueprint.description)
        with self._opened() as connection:
            connection.execute(f"PRAGMA {_SORTING}")
            for sql in (*self.blueprint.objects, *self.blueprint.closing):
                if sql not in self._made:
                    connection.execute(sql)
            connection.execute(f"CREATE TABLE {name} (key TEXT PRIMARY KEY, value)")
            start = insertion(self.blueprint.description, ["key", "value"])
            for row in self.blueprint.described_as("sqlite", self.dataset, integrity):
                self._insert(connection, start, row)
            # a placeholder until the digest is known; no data can contain a digest of itself
            self._mark = hashlib.sha256(b"document" + msgspec.json.encode(dumped(integrity))).hexdigest()
            self._insert(connection, start, ("document", self._mark))

    def seal(self, beside: Beside) -> None:
        """Write the file's digest into it. Raises BrokenExportError if its place is not unique."""
        encoding = self.blueprint.encoding
        found = sealed(self.path, self._mark, encoding, beside=beside)
        if found.times != 1:
            raise BrokenExportError("The new SQLite file cannot be given its digest. Choose another format.")
        with self.path.open("r+b") as file:
            file.seek(found.place)
            file.write(found.digest.encode(encoding))

    @contextmanager
    def _opened(self, write: bool = True) -> Iterator[sqlite3.Connection]:
        """Yield a connection in a transaction."""
        with self._told(), closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            for setting in (*_SETTINGS, "synchronous=OFF") if write else ("query_only=ON",):
                connection.execute(f"PRAGMA {setting}").fetchall()
            for sql in self.blueprint.opening:
                connection.execute(sql)
            if self.loaded:  # while rows are loaded, the source's own snapshot notices a cancellation
                connection.set_progress_handler(self._look, _STEPS)
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Convert errors of SQLite to this package's errors."""
        try:
            yield
        except sqlite3.Error as error:
            if self._stopped is not None:
                raise self._stopped from None
            raise self._said(error) from None

    def _look(self) -> int:
        try:
            self.dataset.integrity()  # raises if the export was cancelled
        except BaseException as error:
            self._stopped = error
        return self._stopped is not None

    def _said(self, error: sqlite3.Error) -> ExportError:
        where = f"{self._table}: " if self._table else ""
        if is_full(error):
            return no_room(f"{explain(error)}, after {self.path.stat().st_size:,} bytes of the new SQLite file")
        if isinstance(error, sqlite3.IntegrityError):
            return UnsupportedError(
                f"{where}a row breaks the table's own rules (a key that is there twice, or a missing value), "
                "so no new SQLite database can hold it. Choose another format."
            )
        return BrokenExportError(f"{where}the new SQLite file cannot be written: {explain(error)}.")


def _changed(table: str) -> BrokenExportError:
    return BrokenExportError(
        f"{table} reads back from the new SQLite file with other values than it has in the database, "
        "so the file is not given out. Choose another format."
    )


def decode(file: IO[bytes], limits: Limits) -> Dataset:
    """Return the dataset of a file that is byte for byte as it was written. Raises UnreadableError."""
    with ExitStack() as stack:
        path = stack.enter_context(local(file, limits))
        found = read(path, limits)  # first, so that a file of another program gets its own UnreadableError
        if problem := check_document(path, limits):
            raise UnreadableError(problem, "changed")
        kept = stack.pop_all()

    return replace(found, tables=begun(kept, found.tables), release=kept.close)


FORMAT = Format(
    name="sqlite",
    help="A SQLite database with the same tables, keys, indexes, views and triggers; it says what it holds.",
    extension="db",
    suffixes=("sqlite", "sqlite3"),
    media_type="application/vnd.sqlite3",
    lossless=True,
    makes_database=True,
    self_verifying=True,
    encode=encode,
    decode=decode,
    streams=False,
    good_for="working on with other SQLite programs",
    beginnings=(b"SQLite format 3\0",),
)
