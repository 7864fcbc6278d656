"""``compare(before, after)``: is every row of one file or database still in the other?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any, Literal

from ..database.library import Prepare, sqlite3
from ..database.source import Source
from ..database.sqlite_errors import explain, is_disk_error
from ..errors import RequestError, SpoolFullError
from ..files.atomic import write_whole
from ..files.reading_limits import TRUSTING, Limits
from ..files.temporary.room import no_room
from ..importing.reading import limits_of
from ..importing.staging.database import StagingDatabase
from ..options.arguments import path_of
from ..options.settings import Settings
from .pairing import Pair, Pairing
from .people import Owners, Tally
from .proposals import renamed_columns, renamed_tables
from .reading import is_a_file, note_description, read_database, read_file
from .report import ComparedTable, Comparison, Difference
from .row_file import RowFile
from .side import Side, StagedRows
from .table_differences import TableDifferences, rows_of
from .wording import sentence
from .writing import writer_for

DETAILS = 20


@dataclass(frozen=True)
class Bounds:
    """What holds where somebody compares on a site: ``names`` of the two sides, the tables of a database that the
    person may see (``visible``; None: all), whether its ``secrets`` are compared, ``limits`` on files, what ends the
    reading (``cancelled``), and how large a file of differences may be (``output_bytes``). ``sent``: somebody has sent
    the first side, so no SQL of it is run: of SQLite files only those of this program are read, as an import does."""

    names: tuple[str | None, str | None] = (None, None)
    visible: Set[str] | None = None
    secrets: bool = True
    limits: Limits | None = None
    cancelled: Event | None = None
    output_bytes: int | None = None
    sent: bool = False

    def within(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the bytes of the file of differences. Raises SpoolFullError if they are too many."""
        left = self.output_bytes
        for chunk in chunks:
            if left is not None and (left := left - len(chunk)) < 0:
                raise SpoolFullError("There are more differences than are kept here as a file (jobs_disk_mb).")
            yield chunk


def compare(
    before: Any,
    after: Any,
    *,
    map: Mapping[str, str | None] | None = None,
    details: int = DETAILS,
    output: str | Path | None = None,
    settings: Settings | None = None,
    trusted: bool = False,
    prepare: Prepare | None = None,
    bounds: Bounds = Bounds(),
) -> Comparison:
    """Compare two sides row by row, each a file of this program or a database (whatever ``Source.of`` takes).

    ``map`` names tables (``old``) and columns (``table.old``) that are called otherwise on the second side; None
    leaves one out of the comparison. Up to ``details`` differences of each table are in the result; all of them are
    written to ``output``, whose name ends in .json, .ndjson or .csv. ``trusted`` lifts the limits on files that
    unpack to very much; ``prepare`` is called with each connection; ``bounds`` are a site's. Example::

        found = compare("before.programjson", "practice.db")
        print(found.sentence, found.complete, found.same)

    Raises RequestError for names that are not there, NotFoundError, UnreadableError for a file that is not complete
    and unchanged, UnsupportedError, SourceError, OSError."""
    started = time.monotonic()
    if details < 0:
        raise RequestError("details must be a whole number, zero or more.")
    settings = settings or Settings()
    write = writer_for(path_of("output", output)) if output is not None else None
    with StagingDatabase(settings.spool_dir) as staging, ExitStack() as stack:
        files = [stack.enter_context(closing(RowFile(settings.spool_dir))) for _ in range(2)]
        run = _Run(staging, files, settings, prepare, trusted, details, write is not None, bounds)
        try:
            run.read(before, after)
            run.pairing = Pairing(run.sides[0], run.sides[1], map or {})
            if write is None:
                for _ in run.differences():
                    pass
            else:
                write_whole(path_of("output", output), bounds.within(write(run.differences())))
        except sqlite3.OperationalError as error:
            if is_disk_error(error):
                raise no_room(explain(error)) from error
            raise
        found = run.result()
    found.seconds = round(time.monotonic() - started, 3)
    return found


@dataclass
class _Run:
    """One comparison: both sides are stored first, then each table is compared once."""

    staging: StagingDatabase
    files: list[RowFile]
    settings: Settings
    prepare: Prepare | None
    trusted: bool
    details: int
    every: bool  # also the rows of tables that are gone or new
    bounds: Bounds
    sides: list[Side] = field(default_factory=list)
    tables: dict[str, ComparedTable] = field(default_factory=dict)
    proposals: list[Any] = field(default_factory=list)
    pairing: Any = None
    owners: list[Owners] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)

    def read(self, *given: Any) -> None:
        """Store both sides: files first, because a database is then asked for what a file could hold."""
        limits = TRUSTING if self.trusted else self.bounds.limits or limits_of(self.settings)
        steps: list[Callable[[], None]] = []
        for number, (one, name) in enumerate(zip(given, self.bounds.names)):
            if (self.bounds.sent and number == 0) or is_a_file(one):
                path = path_of("file", one)
                side = Side(number, name or path.name, self.files[number])
                read_file(side, path, self.settings, limits, self.prepare)
            else:
                source = replace(Source.of(one), prepare=self.prepare) if self.prepare else Source.of(one)
                told = name or (source.path.name if source.path else source.name)
                side = Side(number, told, self.files[number])
                note_description(side, source, limits)
                steps.append(self._reader(side, source))
            self.sides.append(side)
        if self.sides[0].name == self.sides[1].name:
            self.sides[0].name, self.sides[1].name = (f"{s.name} ({n})" for s, n in zip(self.sides, ("1st", "2nd")))
        for step in steps:
            step()

    def _reader(self, side: Side, source: Source) -> Callable[[], None]:
        def read() -> None:
            other, bounds = self.sides[1 - side.number], self.bounds
            secrets = bounds.secrets and (side.described or not other.withholds)
            read_database(
                side, source, self.settings, secrets=secrets, visible=bounds.visible, cancelled=bounds.cancelled
            )

        return read

    def differences(self) -> Iterator[Difference]:
        """Yield every difference in rows, and count them."""
        pairing: Pairing = self.pairing
        self.owners = [Owners(self.staging.connection, side) for side in self.sides]
        for pair in pairing.pairs:
            yield from self._pair(pair)
        for staged in pairing.gone:
            yield from self._alone(staged, "gone")
        for staged in pairing.new if not self.sides[0].part else ():
            yield from self._alone(staged, "new")
        for name, why in pairing.skipped.items():
            self.tables.setdefault(name, ComparedTable(status="skipped", note=why))
        self.proposals += renamed_tables(pairing)

    def _pair(self, pair: Pair) -> Iterator[Difference]:
        hidden = list(self.pairing.secrets(pair))
        self.hidden += [f"{pair.name}.{column}" for column in hidden]
        rows = TableDifferences(self.staging.connection, pair, hidden, self.owners)
        tally = Tally(self.staging.connection)
        table = ComparedTable(by="key" if rows.by_key else "value", before=pair.before.rows, after=pair.after.rows)
        table.note, table.not_compared = pair.note, pair.not_compared
        table.columns_gone, table.columns_new, table.columns_renamed = pair.gone, pair.new, pair.renamed
        if pair.after.table.name != pair.before.table.name:
            table.now = pair.after.table.name
        self.tables[pair.name] = table
        unasked = self.sides[0].part  # then the rows that only the second side has were never in it
        if unasked:
            table.columns_new = []
        for one in rows:
            if one.kind == "changed":
                table.changed += 1
            elif one.kind == "gone":
                table.gone += one.times
            elif unasked:
                continue
            else:
                table.new += one.times
            tally.add(one)
            if len(table.differences) < self.details:
                table.differences.append(one)
            yield one
        table.people, table.people_count = tally.first(self.details)
        table.unchanged = table.before - table.gone - table.changed
        self.proposals += renamed_columns(pair, rows.by_key)

    def _alone(self, staged: StagedRows, kind: Literal["gone", "new"]) -> Iterator[Difference]:
        side = self.sides[0 if kind == "gone" else 1]
        name = staged.table.name
        told = name if name not in self.tables else f"{name} ({side.name})"
        gone, new = (staged.rows, 0) if kind == "gone" else (0, staged.rows)
        self.tables[told] = ComparedTable(status=kind, before=gone, gone=gone, after=new, new=new)
        if self.every:
            yield from rows_of(staged, kind, side.secrets(name), self.owners[side.number])

    def result(self) -> Comparison:
        """Return the comparison with its answer."""
        first, second = self.sides
        found = Comparison(before=first.name, after=second.name, tables=self.tables, proposals=self.proposals)
        if first.part:
            found.notes.append(
                f"{first.name} is no whole database, so what only {second.name} holds is not counted as new."
            )
        if second.part:
            found.notes.append(f"{second.name} is no whole database: what it was not asked to hold counts as gone.")
        for side in self.sides:
            if side.others:
                found.notes.append(f"Views and queries are not compared: {', '.join(side.others)} of {side.name}.")
        aside = self.pairing.left_out_by_both()
        if aside:
            told = ", ".join(f"{name} ({why.partition(';')[0]})" for name, why in aside.items())
            found.notes.append(f"Not compared, as no export of a database holds it: {told}.")
        if self.hidden:
            found.notes.append(f"Secrets were compared, their values are not shown: {', '.join(self.hidden)}.")
        found.sentence = sentence(found)
        return found
