"""Checks the target's foreign keys before and after an import."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator

from ...database.schema import ForeignKey, Schema, fold, literal, quote
from ...formats.description.coverage import Coverage
from ..report import MOST, AllowedReference, FindingCollector
from ..staging.columns import ColumnMapping
from ..staging.database import StagedTable
from ..target import Target

_CHECK = "pragma_foreign_key_check"
_COUNTED = f"SELECT \"table\", fkid, parent, count(*) FROM {_CHECK}(?, 'main') GROUP BY 1, 2, 3"
_HELD = "CREATE TABLE {} (child, row, parent, number)"


# a row of a WITHOUT ROWID table has no rowid: for these only the counts can be compared
_NEW = """
SELECT child, number, parent, sum(n) FROM (
  SELECT child, number, parent, count(*) AS n FROM (
    SELECT * FROM {after} WHERE row IS NOT NULL EXCEPT SELECT * FROM {before}) GROUP BY 1, 2, 3
  UNION ALL SELECT child, number, parent, count(*) FROM {after} WHERE row IS NULL GROUP BY 1, 2, 3
  UNION ALL SELECT child, number, parent, -count(*) FROM {before} WHERE row IS NULL GROUP BY 1, 2, 3
) GROUP BY 1, 2, 3 HAVING sum(n) > 0"""


class ReferenceCheck:
    """Runs SQLite's foreign_key_check before and after the import: new violations came with the import.

    Both results are kept in TEMP tables on disk. ``unchecked`` are tables with a foreign key that SQLite
    cannot check."""

    def __init__(self, target: Target, schema: Schema) -> None:
        self.connection, self.schema, self.target = target.connection, schema, target
        self.unchecked: set[str] = set()
        self._before = None if target.fresh else self._held()

    def _checkable(self) -> Iterator[str]:
        tables = [name for name, table in self.schema.items() if table.kind == "table" and table.foreign_keys]
        return filter(self._is_checkable, tables)

    def _new(self) -> Iterator[tuple[str, int, str, int]]:
        """Yield a table, the number of a foreign key, the other table, and how many rows of it came with the import."""
        if self._before is None and self.schema.find(_CHECK) is None:  # all came with it
            for table in self._checkable():
                yield from self.connection.execute(_COUNTED, (table,)).fetchall()
            return
        before, after = self._before or self._empty(), self._held()
        found = self.connection.execute(_NEW.format(after=after, before=before)).fetchall()
        for name in (after, before):
            self.connection.execute(f"DROP TABLE {name}")
        yield from found

    def _empty(self) -> str:
        name = f'temp."program_export_{secrets.token_hex(8)}"'
        self.connection.execute(_HELD.format(name))
        return name

    def _held(self) -> str:
        name = self._empty()
        for table in self._checkable():
            if self.schema.find(_CHECK) is None:
                self.connection.execute(f"INSERT INTO {name} SELECT * FROM {_CHECK}(?, 'main')", (table,))
            else:  # a table of that name takes the place of the function
                found = self.connection.execute(f"PRAGMA main.foreign_key_check({quote(table)})")
                self.connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?, ?)", found)
        return name

    def _is_checkable(self, table: str) -> bool:
        try:
            self.connection.execute(f"EXPLAIN PRAGMA main.foreign_key_check({quote(table)})").close()
        except self.target.library.OperationalError:  # foreign key mismatch: SQLite cannot check it
            self.unchecked.add(table)
            return False
        return True

    def judge(
        self, intake: ColumnMapping, findings: FindingCollector, allow: bool, schema: str
    ) -> list[AllowedReference]:
        """Return the new dangling references that are allowed; the others become findings."""
        allowed = []
        for table, number, _, rows in self._new():
            key = self._edge(table, number)
            announced = _announced(intake.coverage, key)
            if allow and (rows <= announced or fold(key.other_table) in intake.without):
                columns = list(key.columns)
                allowed.append(AllowedReference(table=table, columns=columns, other_table=key.other_table, rows=rows))
                continue
            self._refused(intake, findings, key, rows, announced, schema)
        return allowed

    def tell_virtual(
        self, intake: ColumnMapping, edges: Iterable[ForeignKey], findings: FindingCollector, schema: str
    ) -> None:
        """Tell how many rows of the file refer to no row by references that only settings declare.

        Nothing keeps such references, so they stop no import. The other table may be one that this person may not
        see, and is not named."""
        for edge in edges:
            staged = intake.staging.tables.get(edge.table)
            if not edge.virtual or edge.problem is not None or staged is None:
                continue
            rows = len(self._lines(staged, edge, schema))
            if rows > _announced(intake.coverage, edge):
                columns = ", ".join(edge.columns)
                who = f"{rows:,} row{'s' if rows != 1 else ''} of {edge.table} refer{'' if rows != 1 else 's'}"
                told = f"{who} by {columns} to no row (a reference that settings declare: {edge.name})."
                findings.add("reference", told, edge.table, columns, error=False)

    def _edge(self, table: str, number: int) -> ForeignKey:
        # not sqlite-utils' Table.foreign_keys, which does not tell the number by which foreign_key_check names a key
        rows = self.connection.execute(f"PRAGMA main.foreign_key_list({quote(table)})").fetchall()
        parts = sorted(row for row in rows if row[0] == number)  # id, seq, table, from, to, …
        own, parent = [fold(row[3]) for row in parts], fold(parts[0][2])
        return next(
            k
            for k in self.schema[table].foreign_keys
            if [fold(c) for c in k.columns] == own and fold(k.other_table) == parent
        )

    def _refused(
        self, intake: ColumnMapping, findings: FindingCollector, key: ForeignKey, rows: int, announced: int, schema: str
    ) -> None:
        columns = ", ".join(key.columns)
        hint = "; the file says so itself: the argument allow_dangling lets it in" if rows <= announced else ""
        what = f"refers to a row of {key.other_table} that is neither in the file nor in the target{hint}"
        staged = intake.staging.tables.get(key.table)
        lines = self._lines(staged, key, schema) if staged is not None else []
        for line in lines:
            assert staged is not None
            place = f"{staged.unit.capitalize()} {line:,} of {key.table}"
            findings.add("reference", f"{place}: {columns} {what}.", key.table, columns, line, staged.unit)
        for _ in range(min(rows, MOST) - len(lines)):
            message = f"A row of {key.table} that is there already: {columns} {what}."
            findings.add("reference", message, key.table, columns)

    def _lines(self, staged: StagedTable, key: ForeignKey, schema: str) -> list[int]:
        """Return the file's rows with a dangling reference; compares as ``key_tables.same_row`` does."""
        if not set(key.reads) <= set(staged.columns):
            return []
        filled = " AND ".join(f"{staged.value(c)} IS NOT NULL" for c in key.columns)
        filled += "".join(f" AND {staged.value(c)} IN ({', '.join(map(literal, v))})" for c, v in key.where)
        sql = f"SELECT s.line FROM {staged.source(schema)} WHERE {filled}"
        if key.problem is None:
            match = " AND ".join(f"p.{quote(b)} = +{staged.value(a)}" for a, b in zip(key.columns, key.other_columns))
            sql += f" AND NOT EXISTS (SELECT 1 FROM main.{quote(key.other_table)} AS p WHERE {match})"
        return [line for (line,) in self.connection.execute(f"{sql} ORDER BY s.line LIMIT {MOST}")]


def _announced(coverage: Coverage, key: ForeignKey) -> int:
    """Return the number of rows for which the file announces that this reference dangles."""
    wanted = (fold(key.table), [fold(c) for c in key.columns], fold(key.other_table))
    return sum(
        d.rows
        for d in coverage.dangling
        if (fold(d.table), [fold(c) for c in d.columns], fold(d.other_table)) == wanted
    )
