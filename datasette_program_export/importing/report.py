"""The report of an import as plain data: what it does, and every reason against it."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..errors import Door, in_words

_TOLD = 20  # findings of one kind in one column that are listed; the rest is counted
EDITED = "edited"  # of a note: a person has changed the file, as its format allows
OTHER_KIND = "other_kind"  # of a finding: the file is a picture, a letter, another program's database
MOST = 100_000  # bad rows of a table after which the search stops


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Finding(_Model):
    """One finding about the file, the target or a row; it contains no values."""

    kind: str = Field(
        description="file, other_kind, table, column, type, key, duplicate, not_null, check, unique, reference, …"
    )
    message: str = Field(description="A sentence.")
    table: str | None = None
    column: str | None = None
    row: int | None = Field(default=None, description="Which row of its table in the file, from 1.")
    line: int | None = Field(default=None, description="Which line of the file, where lines are rows.")
    error: bool = Field(default=True, description="False for a note: it does not stop the import.")


class Difference(_Model):
    """One field of an existing row: its value in the target and in the file."""

    column: str
    target: Any
    file: Any


class Sample(_Model):
    """An existing row with other values in the file."""

    number: int = Field(description="The row's number in the file, or its line.")
    key: dict[str, Any]
    differences: list[Difference]


class NewKeys(_Model):
    """A key of the file that became another; with ``rows``, so many numbers from these on."""

    file: Any = Field(description="The key in the file; several columns as a list.")
    target: Any = Field(description="The key in the target.")
    rows: int = 1


class TableReport(_Model):
    """What happens to one table's rows: insert, update, unchanged, skip and conflict add up to ``rows``."""

    rows: int = 0
    insert: int = Field(default=0, description="New rows.")
    update: int = Field(default=0, description="Rows that are there, and get other values.")
    unchanged: int = Field(default=0, description="Rows that are there exactly so.")
    skip: int = Field(default=0, description="Rows that are left as they are.")
    conflict: int = Field(default=0, description="Rows that are there with other values, and stop the import.")
    created: bool = Field(default=False, description="Whether the table is made for the rows.")
    new_columns: dict[str, str] = Field(default={}, description="Columns that are made for the rows, and their types.")
    defaults: dict[str, str] = Field(
        default={}, description="Columns that the file does not give, and what the application gives them in new rows."
    )
    left_out: int = Field(default=0, description="Bad rows, where the caller asked to go on without them.")
    policy: str = "fail"
    foreseen: str | None = Field(
        default=None, description="A digest of the new, changed and skipped rows, with old and new values."
    )
    counter: int | None = Field(default=None, description="Where AUTOINCREMENT goes on from, if the file raises that.")
    keys: list[NewKeys] = Field(default=[], description="The keys that became others: by `match`, `keys`, references.")
    ignored: list[str] = Field(default=[], description="Computed keys of the file that are no columns.")
    new_rows: list[dict[str, Any]] = Field(default=[], description="The first of the new rows.")
    samples: list[Sample] = Field(default=[], description="The first of the rows with other values.")


class AllowedReference(_Model):
    """Dangling references that the file announces and the import allowed on request."""

    table: str
    columns: list[str]
    other_table: str
    rows: int


class FilesReport(_Model):
    """The files of a package that its rows name, and what happens to them."""

    packaged: int = Field(description="How many files the package holds.")
    bytes: int = Field(description="Their size in all.")
    new: int = Field(default=0, description="Files that are not there yet, and are written.")
    equal: int = Field(default=0, description="Files that are there just so.")
    different: int = Field(default=0, description="Files that are there with other bytes, and stop the import.")
    aside: int = Field(default=0, description="Files that are not written, as the rows that name them were left out.")
    left: int = Field(default=0, description="Files that are not put anywhere, as no folder was given for them.")


class ImportReport(_Model):
    """What an import did, or what a preview would do."""

    file: str
    target: str
    status: Literal["imported", "preview", "refused"] = "refused"
    preview: bool = False
    new_database: bool = Field(default=False, description="Whether tables were made from the file's own statements.")
    format: str | None = None
    compression: str | None = None
    layout: str | None = Field(default=None, description="Of a file that is not ours: as what it was read.")
    export: dict[str, Any] = Field(default={}, description="Of our own files: when, from where, what was asked for.")
    tables: dict[str, TableReport] = {}
    foreseen: str | None = Field(
        default=None, description="One digest for all tables, of a preview: `expect` imports just this."
    )
    findings: list[Finding] = Field(default=[], description="Why it is refused.")
    notes: list[Finding] = Field(default=[], description="What is worth knowing.")
    bad_rows: int = Field(default=0, description="Rows of the file of which a finding says that they cannot go in.")
    left_out: list[Finding] = Field(default=[], description="Why rows were left out, where the caller went on.")
    set_aside: int = Field(default=0, description="How many rows were left out.")
    bad_rows_file: str | None = Field(default=None, description="The file with the rows that were left out.")
    dangling: list[AllowedReference] = []
    files: FilesReport | None = Field(default=None, description="Of a package: the files that its rows name.")
    safety_copy: str | None = None
    restore: str | None = Field(default=None, description="The command that brings the safety copy back.")

    @property
    def ok(self) -> bool:
        """Whether nothing was refused."""
        return self.status != "refused"

    def in_words(self, door: Door) -> ImportReport:
        """Return the report with its sentences in the words of a door."""

        def told(found: list[Finding]) -> list[Finding]:
            return [one.model_copy(update={"message": in_words(one.message, door)}) for one in found]

        changed = {"findings": told(self.findings), "notes": told(self.notes), "left_out": told(self.left_out)}
        return self.model_copy(update=changed)

    @property
    def changes(self) -> bool:
        """Whether anything in the target becomes another: a row, or a counter of AUTOINCREMENT."""
        counted = any(table.counter is not None for table in self.tables.values())
        return bool(self.total("insert") or self.total("update") or counted)

    def total(self, count: str) -> int:
        """Return the sum of one count over all tables, for example ``insert``."""
        return sum(getattr(table, count) for table in self.tables.values())


class FindingCollector:
    """Collects findings: the first of each kind in full, the rest as counts. ``bad`` holds row numbers by table."""

    def __init__(self) -> None:
        self.errors: list[Finding] = []
        self.notes: list[Finding] = []
        self.bad: dict[str, set[int]] = {}
        self.keeps_reasons = False  # for bad rows that are set aside: what they are called, and all their reasons
        self.reasons: dict[str, dict[int, tuple[str, list[str]]]] = {}
        self.held: dict[str, dict[int, Any]] = {}
        self._counts: Counter[tuple[str, str | None, str | None, bool]] = Counter()

    def add(
        self,
        kind: str,
        message: str,
        table: str | None = None,
        column: str | None = None,
        number: int | None = None,
        unit: str = "row",
        error: bool = True,
        held: Any = None,
    ) -> None:
        """Add a finding; ``number`` is a row or line number, as ``unit`` says. ``held`` is a row that is not staged."""
        if error and table is not None and number is not None:
            self.bad.setdefault(table, set()).add(number)
            if self.keeps_reasons:
                self.reasons.setdefault(table, {}).setdefault(number, (unit, []))[1].append(message)
                if held is not None:
                    self.held.setdefault(table, {})[number] = held
        place: dict[str, Any] = {unit: number} if number is not None else {}
        found = Finding(kind=kind, message=message, table=table, column=column, error=error, **place)
        told = self.errors if error else self.notes
        if not error and found in told:
            return
        self._counts[kind, table, column, error] += 1
        if self._counts[kind, table, column, error] <= _TOLD and found not in told:
            told.append(found)

    def enough(self, table: str) -> bool:
        """Return whether a table has so many bad rows that looking for more is not worth the time and memory."""
        return len(self.bad.get(table, ())) >= MOST

    @property
    def of_rows(self) -> bool:
        """Whether there are errors and each of them belongs to one row of the file."""
        return bool(self.errors) and all(f.row or f.line for f in self.errors)

    def keep_only(self, table: str) -> None:
        """Forget the errors about other tables than this one."""
        self.errors = [f for f in self.errors if f.table in (None, table)]
        self.bad = {name: rows for name, rows in self.bad.items() if name == table}
        for key in [key for key in self._counts if key[3] and key[1] not in (None, table)]:
            del self._counts[key]

    def reset(self) -> None:
        """Forget the errors before another attempt without the bad rows."""
        self.errors.clear()
        self.bad.clear()
        self.reasons.clear()
        self.held.clear()
        self._counts.clear()

    def into(self, report: ImportReport) -> None:
        """Write all findings into the report, with a finding that says how many were only counted."""
        for (kind, table, column, error), count in sorted(self._counts.items(), key=str):
            told = self.errors if error else self.notes
            shown = sum((f.kind, f.table, f.column) == (kind, table, column) for f in told)
            if count > shown:
                more = f"{count - shown:,} more of this kind."
                told.append(Finding(kind=kind, message=more, table=table, column=column, error=error))
        report.bad_rows += sum(map(len, self.bad.values()))
        report.findings, report.notes = list(self.errors), list(self.notes)
