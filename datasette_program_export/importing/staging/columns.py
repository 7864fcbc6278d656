"""Maps the columns of a file to those of the target; a column without a match is a finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace

from ...database.library import Prepare
from ...database.schema import Schema, Table, affinity, fold
from ...database.virtual_tables import indexed_by, keeps_rows, row_number
from ...errors import RequestError, UnreadableError
from ...formats.dataset import Dataset, PackagedFile, TableStream
from ...formats.description.coverage import EMPTY, Coverage
from ...formats.description.schema import DocumentSchema
from ...selection.annotated_schema import AnnotatedSchema
from ..choices import ImportChoices
from ..report import FindingCollector
from .additions import Additions
from .database import StagedTable, StagingDatabase
from .new_tables import NewTables
from .r_trees import round_as_r_trees
from .renaming import Renaming

_REFUSED = {
    "view": "is a view, which holds no rows of its own",
    "virtual": "is a virtual table that takes no rows from outside",
    "shadow": "is part of a virtual table, which keeps it by itself",
}
_SHOWN = {
    "view": "is a view of the target, computed from tables",
    "virtual": "is a search index of the target, which is made again from its table",
}


class ColumnMapping:
    """Maps tables and columns. ``schema`` is the target's or, if that has no tables, the one that the file creates."""

    def __init__(
        self,
        schema: Schema,
        known: AnnotatedSchema | None,
        staging: StagingDatabase,
        findings: FindingCollector,
        choices: ImportChoices | None = None,
    ) -> None:
        self.choices = choices or ImportChoices()
        self.renaming = Renaming(self.choices.map)
        self.renaming.tables = set(map(fold, schema))
        self.additions = Additions()
        self.file = ""  # its name, by which a table may be found, among those that the person may see
        self.visible: Set[str] | None = None
        self.prepare: Prepare | None = None
        self.schema = schema
        self.without = {fold(name): name for name in self.choices.without}
        self.in_file: set[str] = set()
        self.known = known
        self.staging = staging
        self.findings = findings
        self.construction: NewTables | None = None
        self.coverage = EMPTY
        self.document: DocumentSchema | None = None
        self.files: tuple[PackagedFile, ...] = ()

    def find(self, name: str) -> Table | None:
        """Return the target's table of that name if it can take rows; otherwise add a finding and return None.

        Its columns are called as the file calls them; ``settle`` gives them the target's names."""
        table = self._target(name)
        return self.renaming.shown(table) if table is not None else None

    def _target(self, name: str) -> Table | None:
        self.in_file.add(fold(name))
        if fold(name) in self.without:
            self.findings.add("left_out", f"{name} of the file is left out, as was asked for.", error=False)
            return None
        table = self.schema.find(name)
        if table is not None and takes_rows(table):
            return _with_key(table)
        why = "is not in the target. Its rows would be lost" if table is None else why_no_rows(table)
        self.findings.add("table", f"The table {name} {why}.", name)
        return None

    def add(self, name: str, columns: Mapping[str, str], pk: Sequence[str]) -> None:
        """Plan a new table, or new columns of one that is there, with their types. Raises RequestError."""
        table = self.schema.find(name)
        if table is None:
            self.schema = self.additions.table(self.schema, name, columns, pk)
            self.renaming.tables.add(fold(name))
            return
        if self._target(name) is not None:
            for column, kind in columns.items():
                self.schema = self.additions.column(self.schema, self.schema[table.name], column, kind)

    def is_computed(self, table: Table, column: str) -> bool:
        """Return whether a column of the file follows from others, and is not stored."""
        preset = self.known.preset if self.known is not None else None
        there = table.column(column)
        return (preset is not None and column in preset.computed.get(table.name, [])) or bool(there and there.generated)

    def settle(self) -> None:
        """Give the staged tables the target's names, when all rows are read. A name in ``map`` that no table of the
        file has is a finding."""
        for name, staged in self.staging.tables.items():
            shown, table = staged.table, _with_key(self.schema[name])
            for column in {c for shape in staged.shapes for c in shape}:
                self.renaming.note_given(table, column)
            if shown is not table:
                names = {c: self.renaming.given(table, c) for c in staged.columns}
                staged.table, staged.columns = table, tuple(names.values())
                staged.shapes[:] = [tuple(names[c] for c in shape) for shape in staged.shapes]
                staged.loose = frozenset(names.get(c, c) for c in staged.loose)
                staged.as_told = frozenset(names.get(c, c) for c in staged.as_told)
                staged.shortened = frozenset(names.get(c, c) for c in staged.shortened)
            for column in self.renaming.left.get(name, ()):
                self.findings.add("map", f"{column} of {name} is left away, as was asked.", name, column, error=False)
        round_as_r_trees(self.staging, self.findings)
        if self.findings.errors:
            return
        for column in self.renaming.unmet:
            to = self.choices.map[column]
            other = f", or its table has no column {to}" if to is not None else ""
            self.findings.add("column", f"The file has no column {column} that could be mapped{other}.", None, column)

    def keep_only(self, name: str, why: str) -> None:
        """Forget the rows of all other tables, and what was found about them; a note says what is left out."""
        wanted = self.schema.find(name)
        for other in [other for other in self.staging.tables if wanted is None or other != wanted.name]:
            rows = self.staging.tables.pop(other).rows
            if rows:
                self.findings.add("left_out", f"{rows:,} of {other} left out: {why}.", other, error=False)
        self.additions.keep_only(name)
        self.findings.keep_only(wanted.name if wanted is not None else name)

    def _shown(self, stream: TableStream) -> bool:
        """Return whether the rows of a file's table are only shown by a view or search index, and note it if so."""
        assert self.document is not None
        table, kind = self.schema.find(stream.name), self.document.tables[stream.name].kind
        shown = table is not None and table.kind == kind and (kind == "view" or bool(indexed_by(table)))
        if shown:
            told = f"{stream.name} {_SHOWN[str(kind)]}: its rows in the file are left out."
            self.findings.add("left_out", told, stream.name, error=False)
        return shown

    def through(self, dataset: Dataset) -> Dataset:
        """Return a document of this program whose rows are staged as they are read. Raises UnreadableError."""
        if not dataset.readable:
            raise UnreadableError(
                "The values of this file are not read back. One made for a spreadsheet: export again with "
                "the dialect exact.",
                "unknown",
            )
        table, others = self.choices.table, set(map(fold, dataset.schema.tables))
        if table is not None and others != {fold(table)}:
            raise RequestError(
                "The file says itself which tables its rows go into: leave out the argument table. Tables of it are "
                "left out with the argument without."
            )
        self.document, self.files = dataset.schema, dataset.files
        if not self.schema:
            self.construction = NewTables(dataset.schema, self.without)
            self.staging.encoding = self.construction.encoding
            self.schema = self.construction.trial(self.findings, self.prepare)

        def coverage() -> Coverage:
            self.coverage = dataset.coverage()
            return self.coverage

        return replace(dataset, tables=map(self._tapped, dataset.tables), coverage=coverage)

    def _tapped(self, stream: TableStream) -> TableStream:
        refused = self.construction is not None and self.findings.errors  # the statements already have findings
        found = None if refused or self._shown(stream) else self._place(stream)
        if found is None:
            return stream
        staged, places = found
        return replace(stream, batches=self.staging.taking(staged, places, stream.batches))

    def _place(self, stream: TableStream) -> tuple[StagedTable, list[int]] | None:
        table = self._target(stream.name)
        if table is None:
            return None
        assert self.document is not None
        strict = self.document.tables[stream.name].strict
        columns, given, places = [], [], []
        for place, field in enumerate(stream.fields):
            name = self.renaming.to(table.name, field.name)
            if name is None:
                continue
            column = table.column(name)
            if column is None and self.choices.alter and self.construction is None:
                given_type = affinity(field.type, strict)
                kind = "BLOB" if given_type == "NUMERIC" else given_type  # of these, BLOB alone keeps every value
                self.add(table.name, {name: kind}, ())
                table = self.schema[table.name]
                column = table.column(name)
            if column is None:
                message = self.renaming.why_unknown(table.name, name)
                self.findings.add("column", message, table.name, name)
            elif not column.generated:
                columns.append(column.name)
                given.append(affinity(field.type, strict))
                places.append(place)
        if len(set(columns)) != len(columns):
            self.findings.add("column", f"{table.name} has one column twice in the file.", table.name)
            return None
        return self.staging.table(table, columns, given, own=True), places

    def loose(self, table: Table, *, texts: bool, unit: str) -> StagedTable:
        """Make a staged table for a file of another program; ``texts`` means that all values are texts (CSV)."""
        columns = [c for c in table.columns if not c.generated and c.hidden == 0]
        given = [c.affinity if texts else None for c in columns]
        staged = self.staging.table(table, [c.name for c in columns], given, own=False)
        staged.unit = unit
        return staged

    def note_parts(self, staged: StagedTable) -> None:
        """Tell of columns whose JSON comes without a secret part: a row that is updated loses it."""
        name = staged.table.name
        for part in (s for s in self.coverage.secret if fold(s.table) == fold(name)):
            column = next((c for c in staged.columns if part.column.startswith(f"{c}.")), None)
            if column is not None and staged.table.column(part.column) is None:
                told = f"{name}.{column} comes without {part.column}, which was left out as secret: "
                self.findings.add("secret", f"{told}a row that is changed here loses it.", name, column, error=False)

    def gives_secrets(self) -> bool:
        """Return whether the file gives values for columns that hold secrets."""
        known = self.known
        return known is not None and any(
            set(known.secret_columns(one.table)) & set().union(*one.shapes) for one in self.staging.tables.values()
        )

    def json_columns(self) -> Iterator[tuple[StagedTable, str]]:
        """Yield the staged columns whose texts must be JSON, by the file or by the target's preset."""
        for name, staged in self.staging.tables.items():
            table = self.document.tables.get(name) if self.document is not None and staged.own else None
            said = {c.name for c in table.columns if c.json} if table is not None else set()
            known = self.known.json_columns(staged.table) if self.known is not None else frozenset()
            yield from ((staged, c) for c in staged.columns if c in said or c in known)


def takes_rows(table: Table) -> bool:
    """Return whether rows can be imported into a table: an ordinary one, or an index that keeps rows of its own."""
    return table.problem is None and (table.storable or keeps_rows(table))


def why_no_rows(table: Table) -> str:
    """Return why rows cannot be imported into a table, as the end of a sentence that begins with its name."""
    return table.problem or _REFUSED.get(table.kind, "cannot hold rows")


def _with_key(table: Table) -> Table:
    """Return a table with its key: SQLite does not tell that of an R-Tree (its first column) or a full-text table."""
    if table.kind != "virtual":
        return table
    columns = table.columns
    if (number := row_number(table)) is not None:
        columns = (number, *columns)
    elif (table.module or "").startswith("rtree"):
        columns = (replace(columns[0], affinity="INTEGER", pk=1), *columns[1:])
    return replace(table, columns=columns, integer_key=columns[0].name if columns[0].pk else None, _by_name={})
