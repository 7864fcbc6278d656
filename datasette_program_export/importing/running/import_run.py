"""One import: reads and stages the file, compares and writes its rows, then commits or rolls back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...database.reflection import reflect
from ...database.schema import Schema, fold
from ...errors import BusyError
from ...files.reading_limits import Limits
from ...options.settings import Settings
from ...selection.annotated_schema import AnnotatedSchema, annotate
from ..choices import ImportChoices
from ..progress import ImportProgress
from ..reading import read
from ..report import EDITED, Finding, FindingCollector, ImportReport, NewKeys
from ..safety_copy import SafetyCopy
from ..staging.columns import ColumnMapping
from ..staging.counters import count_on
from ..staging.database import StagingDatabase
from ..staging.making import authorized, during_rows
from ..target import Target
from ..writing.bad_rows import BadRows
from ..writing.defaults import defaults_by_table
from ..writing.files_back import FilesBack
from ..writing.foreseen import digest_of_table, digest_of_tables
from ..writing.other_keys import OtherKeys
from ..writing.reference_check import ReferenceCheck
from ..writing.row_checks import RowChecks
from ..writing.samples import sample
from ..writing.search_indexes import SearchIndexes
from ..writing.table_order import parents_first
from ..writing.table_writer import TableWriter
from ..writing.triggers import Triggers
from .hooks import AppliedImport, ImportHooks


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
    bad_rows: BadRows
    files: FilesBack
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
        self.copy = SafetyCopy(goal, self.asked, self.settings, self.watch, self.report)
        self.intake = ColumnMapping(goal.schema, known, self.staging, self.findings, self.asked)
        self.intake.prepare = self.hooks.prepare
        called = self.hooks.file_name
        self.intake.file, self.intake.visible = self.file.name if called is None else called, self.hooks.visible
        if not goal.fresh and not self.asked.create:
            self.asked.check(goal.schema, self.hooks.visible)
        self.findings.keeps_reasons = self.asked.skip_bad is not None
        read(self.file, self.intake, self.asked, self.report, self.findings, self.limits)
        self.intake.settle()
        if self.asked.goes_on and self.findings.of_rows:  # rows that were not even staged
            self.bad_rows.add_all(self.findings.held, self.findings.reasons)
            self._pass_over({name: len(lines) for name, lines in self.findings.bad.items()})
        self.staging.close()
        self.report.new_database = self.intake.construction is not None
        if not self.findings.errors:
            self.asked.check_without(self.intake.in_file)
        if not self.findings.errors and (goal.fresh or self.asked.create):
            self.asked.check(self.intake.schema, self.hooks.visible)
        self.files.prepare(self.intake, self.report, self.findings)
        if self.hooks.inspect_staged is not None:
            self.hooks.inspect_staged(self.intake)
        if not self.findings.errors:
            self._apply_on(None) if self.hooks.run_on is None else self.hooks.run_on(self._apply_on)
        self.findings.into(self.report)
        self.report.left_out = self.refused_rows
        self.report.set_aside = sum(self.left_out.values())
        if self.findings.errors:
            self.report.status = "refused"
        else:
            self.report.status = "preview" if self.asked.preview else "imported"
            self._publish()
        if not (self.report.ok and self._changes):
            self.copy.forget()
        return self.report

    def _publish(self) -> None:
        """Give a new database its name; where that is taken by now, nothing is left of what was written beside it."""
        try:
            self.goal.publish(private=self.intake.gives_secrets())
        except BaseException:
            if self.report.bad_rows_file is not None:
                Path(self.report.bad_rows_file).unlink(missing_ok=True)
            raise
        self.files.keep()

    @property
    def _changes(self) -> bool:
        return bool(self.report.changes or self.intake.construction or self.intake.additions)

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
                self.copy.forget()
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
                    if not (self.asked.goes_on and self.findings.of_rows):
                        if not self.findings.errors:
                            self._keep(schema)
                        return
                self._leave_out(bad)

    def _keep(self, schema: str) -> None:
        """Commit. The bad rows are in their file before, so that none is lost; it is removed if nothing was kept."""
        if self.left_out:
            self.files.only_of(self.staging, self.goal.connection, schema, self.report)
        if self.asked.preview:
            return
        aside = self.bad_rows.path if self.bad_rows.publish() else None
        try:
            self.files.publish()
            if self._changes:
                self.goal.commit()
                self.kept = True
            if not self.goal.fresh:  # a new database has no name yet
                self.files.keep()
        except BaseException:
            if aside is not None:
                aside.unlink(missing_ok=True)
            raise
        self.report.bad_rows_file = str(aside) if aside is not None else None

    def _leave_out(self, bad: dict[str, set[int]]) -> None:
        """Remove the bad rows from the staging database; rows that refer to them are found in the next pass."""
        for name, lines in bad.items() if self.asked.skip_bad is not None else ():
            staged = self.staging.tables[name]
            rows = {line: staged.row(self.staging.connection, line) for line in lines}
            self.bad_rows.add_all({name: rows}, self.findings.reasons)
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
        self.intake.additions.make(connection, goal.library, self.intake.schema, self.findings)
        now, settings = goal.schema, self.settings
        if made is not None or self.intake.additions:  # perhaps a part of the database that the settings are about
            now = reflect(connection)
            keys = [key for key in settings.virtual_foreign_keys if now.find(key.other_table)]
            settings = settings.model_copy(update={"virtual_foreign_keys": keys})
        known = annotate(now, settings)
        self.intake.known = known
        if self.findings.errors:
            return
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
        self.copy.check_room(self.staging)
        self.copy.make()
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
            count_on(connection, now, self.intake.document, self.report.tables, self.findings)

    @property
    def _foresees(self) -> bool:
        """Whether a digest of the rows' changes is told or compared: on a site its preview was seen by a person."""
        return self.asked.preview or self.asked.expect is not None or self.hooks.run_on is not None

    def _compare_with_preview(self) -> None:
        if not self._foresees:
            return
        foreseen = digest_of_tables(self.report.tables)
        if self.asked.expect not in (None, foreseen):
            self.findings.add("foreseen", "The database, the file or a choice has changed since the preview: other "
                              "rows would be changed. Nothing was imported; look again.")  # fmt: skip
        self.report.foreseen = foreseen

    def _tables(self, schema: str, now: Schema, known: AnnotatedSchema) -> None:
        additions = self.intake.additions
        defaults = defaults_by_table(now, known.preset)
        edited = any(note.kind == EDITED for note in self.findings.notes)  # what a person typed is judged
        own_checks = self.intake.construction is not None and not edited
        for name in parents_first(now):
            staged = self.staging.tables.get(name)
            if staged is None:
                continue
            secret = set(known.secret_columns(staged.table))
            secret |= {s.column for s in self.intake.coverage.secret if fold(s.table) == fold(name)}
            self.intake.note_parts(staged)
            staged.cells |= edited
            one = TableWriter(self.goal, schema, staged, self.asked, self.findings, secret, defaults[name], own_checks)
            with one.judged() as report:
                report.left_out = self.left_out.get(name, 0)
                report.keys = self.keys.get(name, [])
                report.created, report.new_columns = name in additions.tables, additions.told(name)
                self.report.tables[name] = report
                report.new_rows, report.samples = sample(self.goal, one, secret)
                if not report.conflict:
                    report.foreseen = digest_of_table(one) if self._foresees else None
                    one.write()
            one.done()
