"""A file of this program into a new database: its rows go straight into the tables that it makes.

Nothing is in a new database that rows could be compared with, so they need not wait in a staging database. This is
for a file without a fault: at anything that would have to be told of or treated, the new database is thrown away, and
the import begins again on its usual way, which knows how. So there is one place that judges rows, and this is not it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...database.fetching.insert_in_c import InsertInC, can_insert, insert_statement
from ...database.library import sqlite3
from ...database.reflection import reflect
from ...database.schema import Column, affinity, fold, quote
from ...files.reading_limits import Limits
from ...files.temporary import room
from ...formats.dataset import Batches, Dataset, PackedRows, Row, TableStream, packed_rows
from ...options.settings import Settings
from ...selection.annotated_schema import annotate
from ..choices import ImportChoices
from ..progress import ImportProgress
from ..reading import read
from ..report import EDITED, FindingCollector, ImportReport, TableReport
from ..staging.affinity_check import AffinityCheck
from ..staging.columns import ColumnMapping, takes_rows
from ..staging.database import StagedTable, StagingDatabase
from ..staging.making import authorized, during_rows
from ..staging.new_tables import NewTables
from ..target import Target
from ..writing.reference_check import ReferenceCheck
from ..writing.samples import HIDDEN, SHOWN_ROWS, shown
from ..writing.table_order import parents_first
from .hooks import ImportHooks
from .later_keys import LaterKeys

_ROOM = 2  # times the file: its rows, and their indexes
# choices that change nothing of this way: there is nothing that rows could be in conflict with, or that could be copied
_ANY = {"trusted": False, "allow_dangling": False, "backup": True, "on_conflict": "fail"}


class _NotStraightError(Exception):
    """The file has something that the usual way knows how to treat."""


def goes_straight(goal: Target, file: Path, asked: ImportChoices, hooks: ImportHooks) -> bool:
    """Return whether an import is a plain one into a file that is not there yet, and for which there is room enough."""
    plain = ImportChoices() == asked.model_copy(update=_ANY) and isinstance(asked.backup, bool)
    if goal.place is None or not file.is_file():
        return False
    free = room.free_in(goal.place.parent)
    if free is not None and free < _ROOM * file.stat().st_size:
        return False  # the usual way says how much is needed
    return plain and goal.makes_file and hooks == ImportHooks(None, None, None, None, hooks.file_name, hooks.prepare)


def import_straight(
    target: Any,
    file: Path,
    asked: ImportChoices,
    settings: Settings,
    hooks: ImportHooks,
    watch: ImportProgress,
    limits: Limits,
) -> ImportReport | None:
    """Import a file into a new database and return the report; None if that is for the usual way to do.

    The arguments are those of ``load``. Raises what the reading of a file raises, BusyError, CancelledError."""
    with (
        Target(target, spool_dir=settings.spool_dir, prepare=hooks.prepare) as goal,
        StagingDatabase(settings.spool_dir, watch) as staging,
    ):
        one = _StraightImport(goal, staging, asked, settings, watch)
        try:
            with watch.over(goal.connection):
                report = one.through(file, hooks, limits)
        except (_NotStraightError, sqlite3.Error, UnicodeEncodeError, OverflowError):
            watch.rows = 0
            watch.begin("reading")
            return None
        goal.publish(private=one.intake.gives_secrets())
        return report


class _Loaded(StagedTable):
    """A table whose rows are in the target already: what looks at staged rows finds them there."""

    first: list[Row]

    def value(self, column: str) -> str:
        return f"s.{quote(column)}"

    def source(self, schema: str, join: str = "CROSS JOIN") -> str:
        return f"(SELECT 0 AS line, 0 AS shape, * FROM main.{quote(self.table.name)}) AS s"


class _Intake(ColumnMapping):
    """Makes the tables of a file, and writes its rows into them while they are read."""

    in_c = False

    def into(self, goal: Target, watch: ImportProgress) -> None:
        self.goal, self.watch = goal, watch

    def through(self, dataset: Dataset) -> Dataset:
        special = any(table.kind not in (None, "view") for table in dataset.schema.tables.values())
        if not dataset.readable or dataset.files or special:
            raise _NotStraightError
        connection, made = self.goal.connection, NewTables(dataset.schema)
        if made.encoding != "UTF-8":
            raise _NotStraightError
        self.construction, self.document, self.files = made, dataset.schema, dataset.files
        self.schema = made.trial(self.findings, self.prepare)
        self._go_on()
        made.prepare(connection)
        connection.execute("BEGIN IMMEDIATE")
        made.make_tables(connection, self.findings)
        self._go_on()
        self.keys = LaterKeys(connection)
        self.keys.put_off(self.schema)
        connection.set_authorizer(during_rows)

        def coverage() -> Any:
            self.coverage = dataset.coverage()
            return self.coverage

        return replace(dataset, tables=map(self._written, dataset.tables), coverage=coverage)

    def _go_on(self) -> None:
        if self.findings.errors or (self.construction is not None and self.construction.set_aside):
            raise _NotStraightError

    def loose(self, *_: Any, **__: Any) -> StagedTable:
        raise _NotStraightError

    find = add = loose  # type: ignore[assignment]

    def _written(self, stream: TableStream) -> TableStream:
        if self._shown(stream):
            return stream
        table = self.schema.find(stream.name)
        if table is None or not takes_rows(table) or self.document is None:
            raise _NotStraightError
        kept = [(place, one) for place, one in enumerate(stream.fields) if not one.generated]
        names = [table.column(one.name) for _, one in kept]
        stored = [column for column in table.columns if not column.generated]
        if None in names or len(stored) != len(names) or set(stored) != set(names):
            raise _NotStraightError
        strict = self.document.tables[stream.name].strict
        for column, (_, one) in zip(names, kept):
            if column is not None and column.affinity not in ("BLOB", affinity(one.type, strict)):
                raise _NotStraightError
        facts = [column for column in names if column is not None]
        columns = tuple(column.name for column in facts)
        loaded = _Loaded(table, quote(table.name), columns, columns, columns, True, shapes=[columns])
        loaded.first = []
        self.staging.tables[table.name] = loaded
        places = None if len(kept) == len(stream.fields) else [place for place, _ in kept]
        write = _Writing(self.goal.connection, loaded, facts, places)

        def through(wanted: Sequence[int] | None) -> Iterator[list[Row] | PackedRows]:
            quick = wanted is not None and self.in_c
            for rows in packed_rows(stream.batches, wanted or ()) if quick else stream.batches:
                self.watch.count(write.packed(rows) if isinstance(rows, PackedRows) else write.lists(rows))
                yield rows
                del rows  # otherwise the last batch is held while the next is read

        return replace(stream, batches=Batches(through))


class _Writing:
    """Writes the rows of one table."""

    def __init__(
        self, connection: sqlite3.Connection, loaded: _Loaded, columns: list[Column], places: list[int] | None
    ) -> None:
        self._connection, self._loaded, self._places = connection, loaded, places
        self._check = AffinityCheck([column.affinity for column in columns])
        self._insert = insert_statement(loaded.table.name, columns)
        self._in_c = InsertInC(connection, loaded.table.name, columns)

    def lists(self, rows: list[Row]) -> int:
        """Write rows, and return how many. Raises _NotStraightError."""
        kept = rows if self._places is None else [tuple(row[place] for place in self._places) for row in rows]
        self._check.look(kept)
        if self._check.found:  # a value that would become another
            raise _NotStraightError
        self._connection.executemany(self._insert, kept)
        return self._wrote(kept[: self._missing], len(rows))

    def packed(self, rows: PackedRows) -> int:
        """Write rows in C, and return how many. Raises _NotStraightError."""
        first = self._in_c.add(rows.packed, rows.rows, self._missing)
        if first is None:
            raise _NotStraightError
        return self._wrote(first, rows.rows)

    @property
    def _missing(self) -> int:
        return SHOWN_ROWS - len(self._loaded.first)

    def _wrote(self, first: list[Row], rows: int) -> int:
        self._loaded.first += first
        self._loaded.rows += rows
        return rows


class _StraightImport:
    """The steps of one import; ``through`` runs them all."""

    def __init__(
        self, goal: Target, staging: StagingDatabase, asked: ImportChoices, settings: Settings, watch: ImportProgress
    ) -> None:
        self.goal, self.staging, self.asked, self.settings, self.watch = goal, staging, asked, settings, watch
        self.findings = FindingCollector()
        self.intake = _Intake(goal.schema, None, staging, self.findings, asked)
        self.intake.into(goal, watch)

    def through(self, file: Path, hooks: ImportHooks, limits: Limits) -> ImportReport:
        """Read the file, and write and check its rows. Raises _NotStraightError."""
        intake, connection = self.intake, self.goal.connection
        intake.in_c = can_insert(connection)
        self.report = ImportReport(file=file.name, target=self.goal.name, new_database=True)
        intake.prepare = hooks.prepare
        intake.file = file.name if hooks.file_name is None else hooks.file_name
        with authorized(connection, during_rows):
            read(file, intake, self.asked, self.report, self.findings, limits)
        changed = any(note.kind == EDITED for note in self.findings.notes)  # by a person, whose values are judged
        if intake.construction is None or self.findings.errors or changed:
            raise _NotStraightError
        self.watch.begin("writing")
        connection.execute("PRAGMA main.cache_size=-16000")  # KiB: what is sorted for an index takes as much again
        if not intake.keys.make():
            raise _NotStraightError
        self._check_json()
        self._tell(intake.construction)
        self._go_on()
        self.goal.commit()
        self.findings.into(self.report)
        self.report.status = "imported"
        return self.report

    def _go_on(self) -> None:
        self.watch.check()
        if self.findings.errors:
            raise _NotStraightError

    def _check_json(self) -> None:
        """Find texts that should be JSON and are not. An SQLite without JSON cannot."""
        for table, column in self.intake.json_columns():
            bad = f"typeof({quote(column)}) = 'text' AND NOT json_valid({quote(column)})"
            with suppress(sqlite3.OperationalError):
                if self.goal.connection.execute(f"SELECT 1 FROM main.{table.name} WHERE {bad} LIMIT 1").fetchone():
                    raise _NotStraightError

    def _tell(self, made: NewTables) -> None:
        intake, connection = self.intake, self.goal.connection
        now = reflect(connection)
        keys = [key for key in self.settings.virtual_foreign_keys if now.find(key.other_table)]
        known = annotate(now, self.settings.model_copy(update={"virtual_foreign_keys": keys}))
        intake.known = known
        references = ReferenceCheck(self.goal, now)
        for name in parents_first(now):
            table = self.staging.tables.get(name)
            if not isinstance(table, _Loaded):
                continue
            secret = set(known.secret_columns(table.table))
            secret |= {s.column for s in intake.coverage.secret if fold(s.table) == fold(name)}
            intake.note_parts(table)
            first = [
                {c: HIDDEN if c in secret else shown(value) for c, value in zip(table.columns, row)}
                for row in table.first
            ]
            policy = self.asked.policy(name)
            self.report.tables[name] = TableReport(rows=table.rows, insert=table.rows, policy=policy, new_rows=first)
        made.make_objects(connection, self.findings)
        self.report.dangling = references.judge(intake, self.findings, True, "main")
        references.tell_virtual(intake, known.edges, self.findings, "main")
