"""The statements that copy the rows of a table into a new database, within SQLite, and compare them there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..database.fetching.rows_in_c import MOST_COLUMNS
from ..database.fetching.trees_in_c import is_comparable
from ..database.guarding.new_database import NewDatabase
from ..database.schema import Column, Index, fold, quote
from .table_rows import TableRows

_INDEXED = ("pk", "u")  # the indexes that are there before the rows
# in a column of another affinity SQLite stores no INTEGER beside an equal REAL
_TYPED = ("INTEGER", "NUMERIC", "BLOB")


@dataclass(frozen=True)
class RawCopy:
    """A table that was copied byte for byte, with its indexes, also those that were ``made`` for it.

    ``mend`` are the statements that write all anew, in the new file."""

    made: tuple[str, ...]
    mend: tuple[str, ...]


@dataclass(frozen=True)
class TableCopy:
    """How ``chosen`` rows are copied. ``kept`` are the columns without those that SQLite computes.

    ``whole``: they are all rows and columns of the table, which keep their rowids, so that the copies can be compared
    with the rows by them."""

    chosen: TableRows
    kept: tuple[Column, ...]
    whole: bool

    @classmethod
    def of(cls, chosen: TableRows) -> TableCopy | None:
        """Return how they are copied; None where their order or values are not those of the table itself."""
        table = chosen.table
        plain = table.kind == "table" and table.rowid is not None and chosen.repeatable and table.indexed
        changed = chosen.secret_paths is not None or chosen.sort or chosen.limit is not None or chosen.offset
        kept = tuple(c for c in chosen.columns if not c.generated)
        if not plain or changed or not kept:
            return None
        every = len(kept) == len(table.columns) <= MOST_COLUMNS
        whole = every and chosen.keys is None and chosen.barred is None and not chosen.where
        return cls(chosen, kept, whole)

    @property
    def _columns(self) -> list[str]:
        """The names of the columns to fill; of a whole table also the rowid that is no column."""
        table = self.chosen.table
        hidden = [table.rowid] if self.whole and table.integer_key is None and table.rowid is not None else []
        return [quote(name) for name in (*hidden, *(c.name for c in self.kept))]

    def run(self, target: NewDatabase, indexes: Mapping[str, str] | None) -> RawCopy | None:
        """Copy the rows; return what is still to be proved or mended, if anything is.

        A table with indexes would take its rows in the indexes' disorder. SQLite copies it as it is, with its
        indexes; then each row is written anew, as a stored row may hold more than its columns, and each index. That
        is left to the end where it may be proved that it would change nothing: then there are more ``indexes`` that
        can be copied so, by name, with their statements. They are None where nothing is proved."""
        chosen, to = self.chosen, target.table(self.chosen.table.name)
        own = [index for index in chosen.table.indexes if index.origin in _INDEXED]
        provable = indexes is not None and all(is_comparable(chosen.table, index) for index in own)
        if indexes and provable and target.raw:
            named = [i for i in chosen.table.indexes if i.name in indexes and target.can_make(indexes[i.name])]
            more = [index for index in named if is_comparable(chosen.table, index)]
            if more and self._column_outside((*own, *more)) is not None:
                made = tuple(indexes[index.name] for index in more)  # in an order that is the same each time
                target.make(made)
                if (column := self._raw(target, (*own, *more))) is not None:
                    return RawCopy(made, _anew(quote(chosen.table.name), column))
                target.drop(index.name for index in more)
        if (column := self._raw(target, own)) is not None:
            if provable:
                return RawCopy((), _anew(quote(chosen.table.name), column))
            for sql in _anew(to, column):
                target.execute(sql)
            return None
        columns = self._columns
        rows = chosen.select(", ".join(f"{chosen.alias}.{name}" for name in columns))
        target.execute(f"INSERT INTO {to} ({', '.join(columns)}) {rows}", chosen.params)
        return None

    def _raw(self, target: NewDatabase, indexes: Sequence[Index]) -> str | None:
        """Copy the table with these indexes, byte for byte, and return a column that is in none; or do nothing."""
        column = self._column_outside(indexes)
        raw = f"INSERT INTO {target.table(self.chosen.table.name)} SELECT * FROM main.{quote(self.chosen.table.name)}"
        if column is None or not target.raw or not target.copies_raw(raw):
            return None
        target.copy_raw(raw)
        return column

    def _column_outside(self, indexes: Sequence[Index]) -> str | None:
        """Return a column in none of a whole table's indexes; None if there is no such column, or no index."""
        taken = {fold(name) for index in indexes for name in index.columns if name is not None}
        free = (c.name for c in self.kept if fold(c.name) not in taken and c.name != self.chosen.table.integer_key)
        return next(map(quote, free), None) if self.whole and indexes else None

    def stored(self, expressions: str, more: str = "") -> str:
        """Return a SELECT of a whole table's rows, in the order in which they and their copies are stored."""
        table = self.chosen.table
        assert table.rowid is not None
        rows = f"main.{quote(table.name)} AS s NOT INDEXED"
        return f"SELECT {expressions} FROM {rows} ORDER BY s.{quote(table.rowid)} {more}"

    def stored_columns(self) -> list[str]:
        """Return the rows' columns, as expressions in the statement that ``stored`` returns."""
        return [f"s.{quote(column.name)}" for column in self.kept]

    def copied_columns(self) -> list[str]:
        """Return the copies' columns, as expressions in the statement that ``compared`` returns."""
        return [f"d.{quote(column.name)}" for column in self.kept]

    def compared(self, target: NewDatabase, expressions: str, more: str = "") -> str:
        """Return a SELECT of a whole table's copies, in their order, that equal their rows in type and bytes."""
        table = self.chosen.table
        assert table.rowid is not None
        names, rowid = [quote(column.name) for column in self.kept], quote(table.rowid)
        # + takes away the affinity, which would make a number and a text equal
        copies = ", ".join(f"+d.{name} COLLATE BINARY" for name in names)
        rows = ", ".join(f"+s.{name}" for name in names)
        same = [f"({copies}) IS ({rows})", *self._same_types()]
        return (
            f"SELECT {expressions} FROM {target.table(table.name)} AS d NOT INDEXED "
            f"CROSS JOIN main.{quote(table.name)} AS s NOT INDEXED ON s.{rowid} = d.{rowid} "
            f"WHERE {' AND '.join(same)} ORDER BY d.{rowid} {more}"
        )

    def _same_types(self) -> Iterator[str]:
        for column in self.kept:
            if column.affinity in _TYPED:
                yield f"typeof(d.{quote(column.name)}) = typeof(s.{quote(column.name)})"

    def counts(self, target: NewDatabase) -> set[int]:
        """Return the numbers of rows and of copies of a whole table."""
        name = self.chosen.table.name
        tables = (f"main.{quote(name)}", target.table(name))
        return {target.execute(f"SELECT count(*) FROM {table} NOT INDEXED").fetchone()[0] for table in tables}


def _anew(table: str, column: str) -> tuple[str, ...]:
    """Return the statements that write each row of a table anew, and each entry of its indexes."""
    return f"UPDATE {table} NOT INDEXED SET {column} = {column}", f"REINDEX {table}"
