"""One import: reads and stages the file, compares and writes its rows, then commits or rolls back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from ..database.reflection import reflect
from ..database.schema import Schema, fold
from ..errors import BusyError
from ..files.reading_limits import Limits
from ..files.temporary.room import check_free
from ..options.settings import Settings
from ..selection.annotated_schema import AnnotatedSchema, annotate
from .choices import ImportChoices
from .progress import ImportProgress
from .reading import read
from .report import AllowedReference, Finding, FindingCollector, ImportReport, NewKeys
from .safety_copy import copies_folder, copy_before, default_place, delete_copy, remove_empty_folder, restore_command
from .staging.columns import ColumnMapping
from .staging.counters import raise_counters
from .staging.database import StagingDatabase
from .staging.making import authorized, during_rows
from .target import Target
from .writing.foreseen import digest_of_table, digest_of_tables
from .writing.other_keys import OtherKeys
from .writing.reference_check import ReferenceCheck
from .writing.row_checks import RowChecks
from .writing.samples import sample
from .writing.search_indexes import SearchIndexes
from .writing.table_order import parents_first
from .writing.table_writer import TableWriter
from .writing.triggers import Triggers

RunOn = Callable[[Callable[[Any], None]], None]  # calls its argument with the connection that writes


@dataclass(frozen=True)
class AppliedImport:
    """Everything that was written, before it is committed or rolled back.

    ``schema`` is the name of the attached staging database; ``unchecked`` are tables with foreign keys that
    SQLite itself cannot check; ``report`` has the counts."""

    target: Target
    intake: ColumnMapping
    schema: str
    dangling: list[AllowedReference]
    unchecked: set[str]
    report: ImportReport


Inspect = Callable[[AppliedImport], None]


@dataclass(frozen=True)
class ImportHooks:
    """The callbacks of ``load``: see its arguments of the same names."""

    inspect: Inspect | None
    inspect_staged: Callable[[ColumnMapping], None] | None
    run_on: RunOn | None


@dataclass
class ImportRun:
    """The steps of ``load`` in order; ``through`` runs them all."""

    goal: Target
    staging: StagingDatabase
    asked: ImportChoices
    settings: Settings
    file: Path
    hooks: ImportHooks
    watch: ImportProgress
    limits: Limits
    findings: FindingCollector = field(default_factory=FindingCollector)
    left_out: dict[str, int] = field(default_factory=dict)
    keys: dict[str, list[NewKeys]] = field(default_factory=dict)
    kept: bool = False
    refused_rows: list[Finding] = field(default_factory=list)

    def through(self) -> ImportReport:
        """Read, check and write the rows, commit or roll back, and return the report."""
        goal = self.goal
        self.report = ImportReport(file=self.file.name, target=goal.name, preview=self.asked.preview)
        known = annotate(goal.schema, self.settings) if goal.schema else None
        self.staging.encoding = goal.encoding
        self.intake = ColumnMapping(goal.schema, known, self.staging, self.findings, self.asked.without)
        if not goal.fresh:
            self.asked.check(goal.schema)
        read(self.file, self.intake, self.asked, self.report, self.findings, self.limits)
        if self.asked.leave_out_bad_rows and self.findings.of_rows:  # rows that were not even staged
            self._pass_over({name: len(lines) for name, lines in self.findings.bad.items()})
        self.staging.close()
        self.report.new_database = self.intake.construction is not None
        if not self.findings.errors:
            self.asked.check_without(self.intake.in_file)
        if not self.findings.errors and goal.fresh:
            self.asked.check(self.intake.schema)
        if self.hooks.inspect_staged is not None:
            self.hooks.inspect_staged(self.intake)
        if not self.findings.errors:
            self._apply_on(None) if self.hooks.run_on is None else self.hooks.run_on(self._apply_on)
        self.findings.into(self.report)
        self.report.left_out = self.refused_rows
        self.report.status = "refused" if self.findings.errors else "preview" if self.asked.preview else "imported"
        if not self.findings.errors:
            goal.publish()
        if not (self.report.ok and self.report.changes):
            self._forget_copy()
        return self.report

    def _apply_on(self, connection: Any | None) -> None:
        """Apply the import on the target's own connection (None) or on another one to the same database."""
        before = self.goal
        try:
            if connection is None:
                self._apply()
                return
            with Target(connection, preview=self.asked.preview) as self.goal:
                if self.goal.schema != before.schema:
                    raise BusyError(f"The tables of {before.name} were changed meanwhile; try again.")
                self._apply()
        except BaseException:
            if not self.kept:
                self._forget_copy()
            raise
        finally:
            self.goal = before

    def _apply(self) -> None:
        goal, made = self.goal, self.intake.construction
        if made is not None:
            made.prepare(goal.connection)
        with goal.attached(self.staging.path) as schema:
            while True:
                with goal.transaction(), self.watch.over(goal.connection):
                    self._checked_and_written(schema)
                    self.watch.check()
                    bad = self.findings.bad
                    if not (self.asked.leave_out_bad_rows and self.findings.of_rows):
                        if not self.findings.errors and not self.asked.preview and (self.report.changes or made):
                            goal.commit()
                            self.kept = True
                        return
                self._leave_out(bad)

    def _leave_out(self, bad: dict[str, set[int]]) -> None:
        """Remove the bad rows from the staging database; rows that refer to them are found in the next pass."""
        gone = {name: self.staging.remove(self.staging.tables[name], lines) for name, lines in bad.items()}
        assert sum(gone.values()) > 0, "the same rows were found twice"
        self._pass_over(gone)

    def _pass_over(self, rows: dict[str, int]) -> None:
        for name, count in rows.items():
            self.left_out[name] = self.left_out.get(name, 0) + count
        self.refused_rows += self.findings.errors
        self.findings.reset()

    def _checked_and_written(self, schema: str) -> None:
        goal, connection, made = self.goal, self.goal.connection, self.intake.construction
        if made is not None:
            made.make_tables(connection, self.findings)
        now, settings = goal.schema, self.settings
        if made is not None:  # from a part of the database that the settings are about
            now = reflect(connection)
            keys = [key for key in settings.virtual_foreign_keys if now.find(key.other_table)]
            settings = settings.model_copy(update={"virtual_foreign_keys": keys})
        known = annotate(now, settings)
        self.intake.known = known
        for name, columns in self.asked.matched(now).items():
            if name in self.staging.tables:
                self.staging.tables[name].match = columns
        RowChecks(goal, schema, self.intake, self.findings).run()
        if self.findings.errors:
            return
        if self.asked.match or self.asked.keys == "new":
            self.keys = OtherKeys(goal, schema, self.intake, known, self.asked, self.findings).run()
            if self.findings.errors:
                return
        references = ReferenceCheck(goal, now)
        self._check_room()
        self._copy()
        self.watch.begin("writing")
        if made is not None:
            with authorized(connection, during_rows):
                self._tables(schema, now, known)
            if not self.findings.errors:
                made.make_objects(connection, self.findings)
        else:
            self._into_existing(schema, now, known)
        if not self.findings.errors:
            allow = self.asked.allow_dangling or goal.fresh  # what leads out of the file leads out of a new database
            self.report.dangling = references.judge(self.intake, self.findings, allow, schema)
            references.tell_virtual(self.intake, known.edges, self.findings, schema)
        if not self.findings.errors:
            self._compare_with_preview()
        if not self.findings.errors and self.hooks.inspect is not None:
            found = AppliedImport(goal, self.intake, schema, self.report.dangling, references.unchecked, self.report)
            self.hooks.inspect(found)

    def _into_existing(self, schema: str, now: Schema, known: AnnotatedSchema) -> None:
        """Write the rows without the target's triggers, and bring its search indexes up to date."""
        connection, tables = self.goal.connection, list(self.staging.tables)
        triggers = Triggers(connection, tables)
        indexes = SearchIndexes(connection, now, set(map(fold, tables)), triggers)
        if not self.asked.triggers:
            triggers.switch_off(indexes.choose_triggers)
        self._tables(schema, now, known)
        triggers.restore()
        if not self.findings.errors:
            right = indexes.refresh(self.report.tables, self.findings, self.asked.allow_stale_indexes)
            triggers.tell(self.report.tables, right, self.findings)
            self._count_on(now)

    def _count_on(self, now: Schema) -> None:
        document = self.intake.document
        told = (document.database.sequences if document is not None else None) or {}
        wanted = {name: told[name] for name in told if name in self.report.tables}
        for name, number in raise_counters(self.goal.connection, now, wanted).items():
            self.report.tables[name].counter = number
            self.findings.add("counter", f"New rows of {name} are counted on from {number:,}.", name, error=False)

    def _compare_with_preview(self) -> None:
        foreseen = digest_of_tables(self.report.tables)
        if self.asked.expect not in (None, foreseen):
            self.findings.add("foreseen", "The database, the file or a choice has changed since the preview: other "
                              "rows would be changed. Nothing was imported; look again.")  # fmt: skip
        self.report.foreseen = foreseen

    def _tables(self, schema: str, now: Schema, known: AnnotatedSchema) -> None:
        for name in parents_first(now):
            staged = self.staging.tables.get(name)
            if staged is None:
                continue
            secret = set(known.secret_columns(staged.table))
            secret |= {s.column for s in self.intake.coverage.secret if fold(s.table) == fold(name)}
            self.intake.note_parts(staged)
            one = TableWriter(self.goal, schema, staged, self.asked, self.findings, secret)
            with one.judged() as report:
                report.left_out = self.left_out.get(name, 0)
                report.keys = self.keys.get(name, [])
                self.report.tables[name] = report
                report.new_rows, report.samples = sample(self.goal, one, secret)
                if not report.conflict:
                    report.foreseen = digest_of_table(one)
                    one.write()
            one.done()

    def _check_room(self) -> None:
        """Check that the disk has room for the safety copy, and for the rows of a new database.

        Rows of our own files are stored as they wait, so they fill at least half as much. How much an existing
        database grows is not known before. Raises SpoolFullError if there certainly is no room."""
        goal, wish = self.goal, self.asked.backup
        if self._copies:
            assert goal.path is not None
            folder = Path(wish).parent if isinstance(wish, (str, Path)) else copies_folder(goal.path, self.settings)
            sizes = (goal.connection.execute(f"PRAGMA main.{p}").fetchone()[0] for p in ("page_count", "page_size"))
            check_free(folder, prod(sizes), f"The safety copy of {goal.name}")
        own = all(staged.own for staged in self.staging.tables.values())
        if goal.fresh and goal.place is not None and own and not self.asked.leave_out_bad_rows:
            check_free(goal.place.parent, self.staging.path.stat().st_size // 2, f"The new database {goal.name}")

    @property
    def _copies(self) -> bool:
        """Whether a safety copy is still to be made."""
        asked, goal = self.asked, self.goal
        wanted = asked.backup is not False and not asked.preview
        return wanted and not goal.fresh and goal.path is not None and self.report.safety_copy is None

    def _copy(self) -> None:
        """Make the safety copy while the transaction keeps other writers out and nothing is written yet."""
        goal, wish = self.goal, self.asked.backup
        if not self._copies:
            return
        assert goal.path is not None
        self.watch.begin("copying")
        place = Path(wish) if isinstance(wish, (str, Path)) else default_place(goal.path, self.settings)
        try:
            made = copy_before(goal.path, goal.library, place, self.watch.check)
        except BaseException:
            remove_empty_folder(goal.path)
            raise
        self.report.safety_copy = str(made)
        self.report.restore = restore_command(made, goal.path)

    def _forget_copy(self) -> None:
        """Delete the safety copy, because nothing was changed."""
        if self.report.safety_copy is not None:
            assert self.goal.path is not None
            delete_copy(Path(self.report.safety_copy), self.goal.path)
            self.report.safety_copy = self.report.restore = None
