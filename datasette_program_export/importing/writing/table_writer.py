"""Writes the staged rows of one table inside the import's transaction, for a preview as for an import."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ...database.library import sqlite3
from ...database.schema import Column, quote
from ...database.sqlite_errors import explain, is_disk_error, is_locked
from ..choices import ImportChoices
from ..report import MOST, FindingCollector, TableReport
from ..staging.database import StagedTable
from ..target import Target
from .defaults import Defaults
from .row_checks import rule_of
from .row_matching import DIFFERENT, INSERT, UNCHANGED, WIDEST, RowMatching, is_empty, judge, pieces
from .triggers import Triggers


class TableWriter:
    """Writes one table. ``secret`` are columns that keep their values if the file does not give them.

    ``defaults`` are what new rows get in columns that neither the file nor the table's own defaults fill. With
    ``own_checks`` the table and its rows come from one file: rows that break its CHECKs did so there, and stay."""

    def __init__(
        self,
        target: Target,
        schema: str,
        staged: StagedTable,
        choices: ImportChoices,
        findings: FindingCollector,
        secret: set[str],
        defaults: Defaults | None = None,
        own_checks: bool = False,
    ) -> None:
        self.own_checks = own_checks
        self.target, self.connection = target, target.connection
        self.staged, self.choices, self.findings, self.secret = staged, choices, findings, secret
        self.verdicts = f'temp."program_export_{secrets.token_hex(8)}"'
        self.policy = choices.policy(staged.table.name)
        found = defaults or Defaults()
        self.parts = [
            RowMatching(
                staged, given, schema, self.verdicts, defaults=found.of(given), fills=found.fills(staged, given)
            )
            for given in staged.shapes
        ]
        self.defaults = found
        self.report = TableReport(rows=staged.rows, policy=self.policy, defaults=found.told(staged.shapes))

    @contextmanager
    def judged(self) -> Iterator[TableReport]:
        """Judge the rows, and yield the counts of every verdict before anything is written."""
        if is_empty(self.connection, self.staged.table):
            self.parts = [replace(part, all_new=True) for part in self.parts]
            counts = {INSERT: self.staged.rows}
        else:
            counts = judge(self.connection, self.verdicts, self.parts)
        report, different = self.report, counts.get(DIFFERENT, 0)
        report.unchanged = counts.get(UNCHANGED, 0)
        if self.choices.insert:
            report.insert = counts.get(INSERT, 0)
        else:
            report.skip = counts.get(INSERT, 0)
        if self.policy == "fail":
            report.conflict = different
        elif self.policy == "skip":
            report.skip += different
        else:
            report.update = different
        if report.conflict:
            self._conflicts()
        for shape, part in enumerate(self.parts):
            for column, _ in part.fills:
                if self.connection.execute(part.empty_cell(shape, column)).fetchone():
                    report.defaults[column] = self.defaults.value_of(self.staged.table, column)
        yield report

    def done(self) -> None:
        """Drop the table of verdicts."""
        for name in (self.verdicts, f'{self.verdicts[:-1]}_u"'):
            self.connection.execute(f"DROP TABLE IF EXISTS {name}")

    def _conflicts(self) -> None:
        name = self.staged.table.name
        lines = self.connection.execute(
            f"SELECT line FROM {self.verdicts} WHERE verdict = {DIFFERENT} ORDER BY line"
            f" LIMIT {MOST if self.choices.goes_on else 21}"
        )
        for (line,) in lines.fetchall():
            place = f"{self.staged.unit.capitalize()} {line:,} of {name}"
            message = f"{place} is there already, with other values; choose what is to be done with such rows."
            self.findings.add("conflict", message, name, None, line, self.staged.unit)

    def write(self) -> None:
        """Update and insert the rows. If the table refuses any, write row by row; each refused row is a finding."""
        execute, library = self.connection.execute, self.target.library
        if self._has_triggers() and not self._fits():
            self._one_by_one()
            return
        for way in (self._plainly, self._unchecked, self._anew):
            execute("SAVEPOINT program_export")
            try:
                way()
            except library.IntegrityError as error:
                self._undo(error)
                continue
            except library.OperationalError as error:
                if is_locked(error) or is_disk_error(error):
                    raise
                self._undo(error)
                why = f"{self.staged.table.name} cannot be written to here: {explain(error)}."
                self.findings.add("table", why, self.staged.table.name)
                return
            execute("RELEASE program_export")
            return
        self._one_by_one()

    def _has_triggers(self) -> bool:
        """Return whether a trigger would fire now: all do if the choices say so, else those that fill an index."""
        found = "SELECT 1 FROM main.sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE"
        return self.connection.execute(found, [self.staged.table.name]).fetchone() is not None

    def _fits(self) -> bool:
        """Try, without triggers, whether the table takes the rows, if an ON CONFLICT clause could drop or replace some.

        With ``OR ABORT`` the statements in a trigger would lose their own clauses, so they run without it then
        (https://www.sqlite.org/lang_createtrigger.html)."""
        strict = self.parts
        self.parts = [replace(part, strictly="") for part in strict]
        if "conflict" not in (self.staged.table.sql or "").lower():
            return True
        self.connection.execute("SAVEPOINT program_export_trial")
        try:
            Triggers(self.connection, [self.staged.table.name]).switch_off(list)
            self.parts = strict
            self._plainly()
            self.parts = [replace(part, strictly="") for part in strict]
        except self.target.library.IntegrityError:
            return False
        finally:
            self.connection.execute("ROLLBACK TO program_export_trial")
            self.connection.execute("RELEASE program_export_trial")
        return True

    def _undo(self, error: sqlite3.Error) -> None:
        """Roll back to the savepoint. Raises the error if SQLite has already rolled back the whole transaction."""
        if not self.connection.in_transaction:
            raise error
        self.connection.execute("ROLLBACK TO program_export")
        self.connection.execute("RELEASE program_export")

    def back_to_default(self, part: RowMatching) -> list[Column]:
        """Return the columns that ``replace`` resets in rows that are there."""
        if self.policy != "replace":
            return []
        kept = {*part.given, *self.staged.table.pk, *self.secret}
        return [c for c in self.staged.table.columns if c.name not in kept and not c.generated]

    def _plainly(self) -> None:
        for shape, part in enumerate(self.parts):
            if self.report.update and part.key:
                self._update(part, part.chosen(shape, DIFFERENT, of_update=True))
        written = 0
        for shape, part in enumerate(self.parts):
            if self.report.insert:
                written += self._insert(part, shape)
        if written != self.report.insert:
            name = self.staged.table.name
            self.findings.add(
                "trigger", f"A trigger of {name} keeps rows out; import without the argument triggers.", name
            )

    def _unchecked(self) -> None:
        """Write rows that break a CHECK of the table that came with them. SQLite keeps such rows too, and so a copy."""
        if not self.own_checks:
            raise self.target.library.IntegrityError
        name = self.staged.table.name
        with self.target.without_checks():
            self._plainly()
        told = self.connection.execute(f"PRAGMA main.quick_check({quote(name)})").fetchall()  # at most 100 lines
        broken = sum("CHECK" in line for (line,) in told)
        many = f"{broken}{' or more' * (broken == 100)} rows break" if broken > 1 else "A row breaks"
        why = f"{many} a rule (CHECK) of {name}, as in the database from which the file came. Such rows are kept."
        self.findings.add("check", why, name, error=False)

    def _update(self, part: RowMatching, source: str, where: str = "1", line: tuple[int, ...] = ()) -> None:
        """Update the rows of ``source``, a FROM clause, with ``where`` and its parameter ``line``.

        SQLite counts all columns of the tables in an UPDATE's FROM clause, so those of a wide table are first put
        into one. It also keeps the key beside the new values: a table as wide as SQLite allows takes two
        statements, with its key last."""
        execute, held = self.connection.execute, f'{self.verdicts[:-1]}_u"'
        if part.staged.more:
            execute(f"DROP TABLE IF EXISTS {held}")
            execute(f"CREATE TABLE {held} AS SELECT {part.values(named=True)} FROM {source} WHERE {where}", line)
            part, source, where, line = part.waiting_in(held), f"{held} AS s", "1", ()
        sets = part.assignments(self.back_to_default(part))
        most = WIDEST - max(1, len(part.key))
        if len(sets) > most:
            sets.sort(key=lambda one: one[0] in part.key)
        for first in range(0, len(sets), most):
            sql = part.update(sets[first : first + most])
            execute(f"{sql} FROM {source} WHERE {where} AND {part.match()}", line)

    def _insert(self, part: RowMatching, shape: int) -> int:
        if not part.given:  # rows that give nothing
            lines = self.connection.execute(f"SELECT s.line FROM {part.chosen(shape, INSERT)}").fetchall()
            return sum(self.connection.execute(part.insertion()).rowcount for _ in lines)
        sql = f"{part.insertion()} SELECT {part.new_values()} FROM {part.chosen(shape, INSERT)} ORDER BY j.line"
        return int(self.connection.execute(sql).rowcount)

    def _anew(self) -> None:
        """Delete all changed rows and insert them again, for rows that swap values which must be unique.

        No other row is affected: foreign keys are off until the end, and so are triggers. With ``triggers`` this
        way is not taken."""
        table = self.staged.table
        if self.choices.triggers or not self.report.update or not (table.rowid or table.without_rowid):
            raise self.target.library.IntegrityError
        columns = [c for c in table.columns if not c.generated]
        shown = table.rowid is not None and table.integer_key is None
        names = [quote(table.rowid or ""), *(quote(c.name) for c in columns)][0 if shown else 1 :]
        if len(names) > WIDEST:
            raise self.target.library.IntegrityError
        parts = list(pieces(names))  # of a wide table, several TEMP tables hold the columns
        held = [f'{self.verdicts[:-1]}_h{n}"' for n in range(len(parts))]
        execute = self.connection.execute
        for one, part_names in zip(held, parts):
            places = ", ".join(f"c{i}" for i in range(len(part_names)))
            execute(f"CREATE TABLE {one} (line INTEGER PRIMARY KEY, row, {places})")
        row = f"t.{quote(table.rowid)}" if table.rowid else "NULL"
        for shape, part in enumerate(self.parts):
            if not part.key:
                continue
            new = dict(part.assignments(self.back_to_default(part)))
            values = [row, *(new.get(c.name, f"t.{quote(c.name)}") for c in columns)][0 if shown else 1 :]
            origin = f"FROM {part.chosen(shape, DIFFERENT)} JOIN {part.target} AS t ON {part.match()}"
            for one, part_values in zip(held, pieces(values)):
                execute(f"INSERT INTO {one} SELECT j.line, {row}, {', '.join(part_values)} {origin}")
            if table.rowid:
                execute(f"DELETE FROM {part.target} WHERE {quote(table.rowid)} IN (SELECT row FROM {held[0]})")
            else:
                keys = ", ".join(map(quote, table.pk))
                gone = ", ".join(f"t.{quote(c)}" for c in table.pk)
                execute(f"DELETE FROM {part.target} WHERE ({keys}) IN (SELECT {gone} {origin})")
        back = ", ".join(f"{one}.c{i}" for one, part_names in zip(held, parts) for i in range(len(part_names)))
        joined = "".join(f" CROSS JOIN {one} USING (line)" for one in held[1:])
        execute(
            f"INSERT OR ABORT INTO {self.parts[0].target} ({', '.join(names)}) SELECT {back} FROM {held[0]}{joined}"
        )
        for one in held:
            execute(f"DROP TABLE {one}")
        for shape, part in enumerate(self.parts):
            if self.report.insert:
                self._insert(part, shape)

    def _one_by_one(self) -> None:
        """Find the rows that the table refuses. The import ends with errors, so what is written here is rolled back."""
        execute, name = self.connection.execute, self.staged.table.name
        for shape, part in enumerate(self.parts):
            for verdict in (DIFFERENT, INSERT):
                wanted = self.report.update and part.key if verdict == DIFFERENT else self.report.insert
                if not wanted:
                    continue
                for line in self._lines(shape, part, verdict):
                    try:
                        if verdict == DIFFERENT:
                            self._update(part, part.staged.source(part.schema, "JOIN"), "s.line = ?", (line,))
                        elif part.given:
                            chosen = f"SELECT {part.new_values()} FROM {part.rows} WHERE s.line = ?"
                            execute(f"{part.insertion()} {chosen}", (line,))
                        else:
                            execute(part.insertion())
                    except self.target.library.IntegrityError as error:
                        self._refused(error, line)
                        if self.findings.enough(name):
                            return
        if not self.findings.errors:
            self.findings.add("table", f"Some rows of {name} cannot be there together: see its unique columns.", name)

    def _lines(self, shape: int, part: RowMatching, verdict: int) -> Iterator[int]:
        after = 0
        sql = f"SELECT s.line FROM {part.chosen(shape, verdict)} WHERE s.line > ? ORDER BY s.line LIMIT 1000"
        while lines := [line for (line,) in self.connection.execute(sql, (after,))]:
            yield from lines
            after = lines[-1]

    def _refused(self, error: sqlite3.Error, line: int) -> None:
        table = self.staged.table
        kind, words, columns = rule_of(error, table)
        place = f"{self.staged.unit.capitalize()} {line:,} of {table.name}"
        what = f"{place}: {', '.join(columns)} {words}." if columns else f"{place} {words}."
        self.findings.add(kind, what, table.name, ", ".join(columns) or None, line, self.staged.unit)
