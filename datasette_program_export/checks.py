"""What is looked at in the rows that wait, and, at the end of the transaction, in all of the target."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from .findings import MOST, AllowedReference, Findings
from .intake import Intake
from .library import sqlite3
from .matching import Matching, duplicates
from .schema import ForeignKey, Schema, fold, quote
from .staging import Staged
from .target import Target

# how a value that the column converts reads back, by what it was
_BACK = (
    "CASE WHEN typeof({raw}) = 'text' THEN CAST({new} AS TEXT) = {raw} COLLATE BINARY "
    "WHEN typeof({new}) <> 'text' THEN {new} = {raw} "
    "WHEN typeof({raw}) = 'integer' THEN CAST({new} AS INTEGER) = {raw} ELSE CAST({new} AS REAL) = {raw} END"
)


class RowChecks:
    """Findings in the rows that wait; ``schema`` is the name of the attached staging."""

    def __init__(self, target: Target, schema: str, intake: Intake, findings: Findings) -> None:
        self.connection, self.schema, self.intake, self.findings = target.connection, schema, intake, findings

    def run(self) -> None:
        """Look at all of them."""
        for staged in self.intake.staging.tables.values():
            self._keys(staged)
            for place, column in enumerate(staged.columns):
                if staged.raw[place] != staged.shaped[place]:
                    self._converted(staged, column, staged.raw[place], staged.shaped[place])
                elif not staged.own:
                    self._numbers(staged, column)
        with suppress(sqlite3.OperationalError):  # an SQLite without JSON
            for staged, column in self.intake.json_columns():
                self._json(staged, column)
                if not staged.own:
                    staged.loose |= {column}

    def _lines(self, staged: Staged, where: str) -> Iterator[int]:
        sql = f"SELECT s.line FROM {self.schema}.{staged.name} AS s WHERE {where} ORDER BY s.line"
        for (line,) in self.connection.execute(sql):
            if self.findings.enough(staged.table.name):
                return
            yield line

    def _keys(self, staged: Staged) -> None:
        table, pk = staged.table, staged.table.pk
        if not pk:
            return
        for shape, given in enumerate(staged.shapes):
            missing = [c for c in pk if c not in given]
            if missing and table.integer_key is None:
                for line in self._lines(staged, f"s.shape = {shape}"):
                    self._say(staged, "key", line, missing[0], "is missing, by which the row is told from others")
        if not staged.own and table.integer_key is None:
            for column in (c for c in pk if c in staged.columns):
                shapes = [str(i) for i, given in enumerate(staged.shapes) if column in given]
                where = f"{staged.value(column)} IS NULL AND s.shape IN ({', '.join(shapes) or 'NULL'})"
                for line in self._lines(staged, where):
                    self._say(staged, "key", line, column, "is empty, by which the row is told from others")
        if set(pk) <= set(staged.columns):
            one = Matching(staged, staged.columns, self.schema, "")
            for line, first in self.connection.execute(f"{duplicates(one)} LIMIT {MOST}"):
                name = ", ".join(pk)
                self._say(staged, "duplicate", line, name, f"is the same as in {staged.unit} {first:,} of the file")

    def _converted(self, staged: Staged, column: str, raw: str, new: str) -> None:
        differs = f"typeof(s.{raw}) <> typeof(s.{new})"
        back = _BACK.format(raw=f"s.{raw}", new=f"s.{new}")
        for line in self._lines(staged, f"{differs} AND NOT ({back})"):
            self._say(staged, "type", line, column, "would be changed by the type that the column has in the target")
        if not staged.own:
            self._numbers(staged, column)
        words = f"{differs} AND 'text' IN (typeof(s.{raw}), typeof(s.{new}))"
        count = self.connection.execute(
            f"SELECT count(*) FROM {self.schema}.{staged.name} AS s WHERE {words} AND {back}"
        ).fetchone()[0]
        if count:
            name = staged.table.name
            turned = f"{count:,} values of {name}.{column} become what its type is in the target (text or number)."
            self.findings.add("type", turned, name, column, error=False)

    def _numbers(self, staged: Staged, column: str) -> None:
        """Words in a column for numbers: SQLite would take them."""
        facts = staged.table.column(column)
        if facts is None or facts.affinity not in ("INTEGER", "REAL"):
            return
        value = staged.value(column)
        for line in self._lines(staged, f"typeof({value}) IN ('text', 'blob')"):
            self._say(staged, "type", line, column, "is no number, as the column's type is")

    def _json(self, staged: Staged, column: str) -> None:
        value = staged.value(column)
        for line in self._lines(staged, f"typeof({value}) = 'text' AND NOT json_valid({value})"):
            self._say(staged, "json", line, column, "is not valid JSON, as the column's texts are", not staged.own)

    def _say(self, staged: Staged, kind: str, line: int, column: str, what: str, error: bool = True) -> None:
        place = f"{staged.unit.capitalize()} {line:,} of {staged.table.name}"
        self.findings.add(kind, f"{place}: {column} {what}.", staged.table.name, column, line, staged.unit, error)


_HELD = "CREATE TABLE {} (child, row, parent, number)"
# a row of a WITHOUT ROWID table has no number: of these only the count can be compared
_NEW = """
SELECT child, number, parent, sum(n) FROM (
  SELECT child, number, parent, count(*) AS n FROM (
    SELECT * FROM {after} WHERE row IS NOT NULL EXCEPT SELECT * FROM {before}) GROUP BY 1, 2, 3
  UNION ALL SELECT child, number, parent, count(*) FROM {after} WHERE row IS NULL GROUP BY 1, 2, 3
  UNION ALL SELECT child, number, parent, -count(*) FROM {before} WHERE row IS NULL GROUP BY 1, 2, 3
) GROUP BY 1, 2, 3 HAVING sum(n) > 0"""


class ReferenceCheck:
    """SQLite's own foreign_key_check, before and after: what is new in it came with the import.

    Both are held in TEMP tables, on disk. ``unchecked`` are tables with a reference that SQLite cannot check."""

    def __init__(self, target: Target, schema: Schema) -> None:
        self.connection, self.schema, self.target = target.connection, schema, target
        self.unchecked: set[str] = set()
        self._before = self._held(not target.fresh)

    def _held(self, look: bool) -> str:
        name = f'temp."program_export_{secrets.token_hex(8)}"'
        self.connection.execute(_HELD.format(name))
        if look:
            self.connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?, ?)", self._violations())
        return name

    def _violations(self) -> Iterator[tuple[Any, ...]]:
        for name, table in self.schema.items():
            if table.kind != "table" or not table.foreign_keys:
                continue
            try:
                yield from self.connection.execute(f"PRAGMA main.foreign_key_check({quote(name)})")
            except self.target.library.OperationalError:  # foreign key mismatch: nobody can check it
                self.unchecked.add(name)

    def judge(self, intake: Intake, findings: Findings, allow: bool, schema: str) -> list[AllowedReference]:
        """The new ones that are allowed; the others are findings."""
        after = self._held(True)
        found = self.connection.execute(_NEW.format(after=after, before=self._before)).fetchall()
        for name in (after, self._before):
            self.connection.execute(f"DROP TABLE {name}")
        allowed = []
        for table, number, _, rows in found:
            key = self._edge(table, number)
            announced = _announced(intake.coverage, key)
            if allow and rows <= announced:
                columns = list(key.columns)
                allowed.append(AllowedReference(table=table, columns=columns, other_table=key.other_table, rows=rows))
                continue
            self._refused(intake, findings, key, rows, announced, schema)
        return allowed

    def _edge(self, table: str, number: int) -> ForeignKey:
        rows = self.connection.execute(f"PRAGMA main.foreign_key_list({quote(table)})").fetchall()
        parts = sorted(row for row in rows if row[0] == number)  # id, seq, table, from, to, …
        own, parent = [fold(row[3]) for row in parts], fold(parts[0][2])
        return next(
            k
            for k in self.schema[table].foreign_keys
            if [fold(c) for c in k.columns] == own and fold(k.other_table) == parent
        )

    def _refused(
        self, intake: Intake, findings: Findings, key: ForeignKey, rows: int, announced: int, schema: str
    ) -> None:
        columns = ", ".join(key.columns)
        hint = "; the file says so itself: --allow-dangling lets it in" if rows <= announced else ""
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

    def _lines(self, staged: Staged, key: ForeignKey, schema: str) -> list[int]:
        """The rows of the file whose reference leads nowhere; compared as ``keys.same_row`` does."""
        if not set(key.columns) <= set(staged.columns):
            return []
        filled = " AND ".join(f"{staged.value(c)} IS NOT NULL" for c in key.columns)
        sql = f"SELECT s.line FROM {schema}.{staged.name} AS s WHERE {filled}"
        if key.problem is None:
            match = " AND ".join(f"p.{quote(b)} = +{staged.value(a)}" for a, b in zip(key.columns, key.other_columns))
            sql += f" AND NOT EXISTS (SELECT 1 FROM main.{quote(key.other_table)} AS p WHERE {match})"
        return [line for (line,) in self.connection.execute(f"{sql} ORDER BY s.line LIMIT {MOST}")]


def _announced(coverage: Mapping[str, Any], key: ForeignKey) -> int:
    """For how many rows the file says itself that this reference leads out of it."""
    wanted = (fold(key.table), [fold(c) for c in key.columns], fold(key.other_table))
    return sum(
        d["rows"]
        for d in coverage.get("dangling", [])
        if (fold(d["table"]), [fold(c) for c in d["columns"]], fold(d["other_table"])) == wanted
    )
