"""Reads the rows of one table for a format: in lists, or written in C; counts them and computes their digest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from ..database.fetching.batch_sizes import FEW_ROWS, BatchSizes
from ..database.fetching.rows_in_c import Chunk, RowPlan, packed_only
from ..database.guarding.new_database import NewDatabase
from ..database.library import sqlite3
from ..database.snapshot import Snapshot
from ..database.sqlite_errors import explain, is_full
from ..errors import SourceError
from ..formats.dataset import Copied, Field, Pack, Row, TableStream
from ..formats.description.column_facts import ColumnFacts, survey, survey_plan, survey_written
from ..formats.description.digest import TableDigest
from ..selection.table_copy import TableCopy
from ..selection.table_rows import TableRows
from .large_rows import LargeRows
from .named_files import TableFiles
from .row_spool import RowSpool


@dataclass
class Progress:
    """The progress of an export: the current table, and the rows written so far."""

    table: str | None = None
    rows: int = 0


class TableReading:
    """One reading of the ``chosen`` rows: it begins at once, so that an error in a person's SQL is raised now.

    ``aside`` closes what it keeps in temporary files; ``files`` looks at the rows for paths of files. It adds to
    ``warnings`` after the last row."""

    def __init__(
        self,
        snapshot: Snapshot,
        chosen: TableRows,
        digest: TableDigest,
        progress: Progress,
        warnings: list[str],
        aside: ExitStack,
        files: TableFiles | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._chosen = chosen
        self._digest = digest
        self._computed = [place for place, column in enumerate(chosen.columns) if column.generated]
        self._progress = progress
        self._warnings = warnings
        self._aside = aside
        self._files = files
        self._pace = BatchSizes()
        self._large = LargeRows()
        self._found = chosen.batches(snapshot, self._pace)
        self._first = next(self._found, None)

    def stream(self, fields: tuple[Field, ...]) -> TableStream:
        """Return the table for a format."""
        name = self._chosen.table.name
        files = self._files.files if self._files is not None else None
        ways = (self._facts, self._written, self._copied, self._packed)
        return TableStream(name, fields, self._batches(), None, *ways, self._warnings, files)

    def _facts(self) -> tuple[ColumnFacts, ...]:
        chosen, snapshot, width = self._chosen, self._snapshot, len(self._chosen.columns)
        if chosen.repeatable:
            looked_at = self._surveyed_in_c()
            if looked_at is None:
                sizes = BatchSizes()
                looked_at = survey(chosen.batches(snapshot, sizes), width, sizes.saw)
            self._found, self._first = chosen.batches(snapshot, self._pace), None
            return looked_at
        aside = self._aside.enter_context(closing(RowSpool(snapshot.source.spool_dir)))
        looked_at = survey(aside.taken(self._rows()), width)
        self._found, self._first = aside.given(), None
        return looked_at

    def _surveyed_in_c(self) -> tuple[ColumnFacts, ...] | None:
        if not self._can_be_written():
            return None
        width = len(self._chosen.columns)
        with closing(self._chosen.written(self._snapshot, survey_plan(width))) as chunks:  # type: ignore[type-var]
            return survey_written(chunks, width)

    def _rows(self) -> Iterator[list[Row]]:
        return chain([self._first] if self._first else [], self._found)

    def _batches(self) -> Iterator[list[Row]]:
        self._progress.table = self._chosen.table.name
        yield from map(self._saw, self._rows())
        self._finish()

    def _written(self, plan: RowPlan) -> Iterator[Chunk | list[Row]] | None:
        return self._chunks(plan) if self._can_be_written() else None

    def _can_be_written(self) -> bool:
        if self._files is not None:  # which looks at each row
            return False
        few = self._first is not None and len(self._first) < FEW_ROWS
        return not few and self._chosen.can_be_written(self._snapshot)

    def _chunks(self, plan: RowPlan) -> Iterator[Chunk | list[Row]]:
        self._progress.table = self._chosen.table.name
        given = 0
        # no format has to think of what its digest leaves out
        plan = replace(plan, packed=self._digest.wanted, computed=self._computed)
        for chunk in self._chosen.written(self._snapshot, plan):
            self._digest.add_packed(chunk.packed, chunk.rows)
            self._progress.rows += chunk.rows
            given += chunk.rows
            yield chunk
            if chunk.stopped:
                yield from map(self._saw, _behind(given, self._chosen.batches(self._snapshot, self._pace)))
        self._finish()

    def _packed(self, pack: Pack) -> Iterator[tuple[bytes, int]]:
        self._progress.table = self._chosen.table.name
        given, batches = 0, self._rows()
        if self._can_be_written():
            batches = iter(())
            for chunk in self._chosen.written(self._snapshot, packed_only(len(self._chosen.columns))):
                given += chunk.rows
                yield bytes(chunk.packed), self._counted(chunk.rows)
                if chunk.stopped:
                    batches = _behind(given, self._chosen.batches(self._snapshot, self._pace))
        for batch in batches:
            data, size = pack(batch)
            self._pace.saw(len(batch), size)
            yield data, self._counted(len(batch))
        self._snapshot.confirm()

    def _counted(self, rows: int) -> int:
        self._progress.rows += rows
        return rows

    def _copied(self, target: NewDatabase, indexes: Mapping[str, str]) -> Copied | None:
        copy = TableCopy.of(self._chosen) if self._files is None else None
        if copy is None:
            return None
        self._progress.table = self._chosen.table.name
        if not copy.whole:
            for _ in self._written(packed_only(len(self._chosen.columns))) or self._batches():
                pass  # for the digest
        try:
            raw = copy.run(target, indexes if self._snapshot.writes_rows else None)
        except sqlite3.Error as error:
            if is_full(error) or isinstance(error, sqlite3.IntegrityError):
                raise
            why = explain(error)
            source = self._snapshot.source.name
            message = f"The database {source} cannot be read: {why}."
            raise SourceError(message, why).of_table(self._chosen.table.name, source) from error
        if raw is not None and self._snapshot.schema.encoding == "UTF-8":  # in UTF-16 two texts may read the same
            self._read_whole(copy.stored, copy.stored_columns())
            return Copied(self._digest.rows, None, raw.made, raw.mend)
        same = self._same(copy, target) if copy.whole else None
        if raw is None:
            return Copied(self._digest.rows, same)
        return Copied(self._digest.rows, same, raw.made, raw.mend)

    def _same(self, copy: TableCopy, target: NewDatabase) -> bool:
        """Read a whole table back, for the digest; return whether all rows are there, and the same."""
        self._read_whole(partial(copy.compared, target), copy.copied_columns())
        return copy.counts(target) == {self._digest.rows}

    def _read_whole(self, select: Callable[[str, str], str], columns: list[str]) -> None:
        """Read rows that are copied, for the digest; ``select`` returns the statement for given expressions."""
        snapshot, given = self._snapshot, 0
        if snapshot.writes_rows:
            for chunk in snapshot.written(select, columns, {}, packed_only(len(columns))):
                self._digest.add_packed(chunk.packed, chunk.rows)
                self._progress.rows += chunk.rows
                given += chunk.rows
                stopped = chunk.stopped
        if not snapshot.writes_rows or stopped:
            sql = select(", ".join(columns), "")
            for batch in _behind(given, snapshot.batches(sql, repeatable=True, sizes=self._pace)):
                self._saw(batch)
        self._finish()

    def _saw(self, batch: list[Row]) -> list[Row]:
        self._pace.saw(len(batch), size := self._digest.add(batch))
        self._large.saw(batch, size)
        if self._files is not None:
            self._files.saw(batch)
        self._progress.rows += len(batch)
        return batch

    def _finish(self) -> None:
        self._warnings += self._large.warnings(self._chosen.table.name) + self._chosen.withheld()
        self._snapshot.confirm()


def _behind(given: int, batches: Iterator[list[Row]]) -> Iterator[list[Row]]:
    """Yield the rows after the first ``given``."""
    for rows in batches:
        fresh = rows[given:]
        given -= len(rows) - len(fresh)
        if fresh:
            yield fresh
