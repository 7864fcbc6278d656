"""Checks the staged rows, and at the end of the transaction the whole target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from ...database.library import sqlite3
from ...database.schema import Table
from ..report import MOST, FindingCollector
from ..staging.columns import ColumnMapping
from ..staging.database import StagedTable
from ..target import Target
from .row_matching import RowMatching, duplicates

# whether a converted value converts back to the original, by its storage class
_BACK = (
    "CASE WHEN typeof({raw}) = 'text' THEN CAST({new} AS TEXT) = {raw} COLLATE BINARY "
    "WHEN typeof({new}) <> 'text' THEN {new} = {raw} "
    "WHEN typeof({raw}) = 'integer' THEN CAST({new} AS INTEGER) = {raw} ELSE CAST({new} AS REAL) = {raw} END"
)
# what SQLite's error says, and what it is called here
_RULES = {
    "NOT NULL": ("not_null", "needs a value"),
    "UNIQUE": ("unique", "must be unique, and another row has the same"),
    "CHECK": ("check", "breaks a rule (CHECK) of the table"),
    "cannot store": ("type", "is of a type that the column does not take"),
    "datatype mismatch": ("type", "is of a type that the column does not take"),
}


class RowChecks:
    """Finds bad rows in the staging database; ``schema`` is the name under which it is attached."""

    def __init__(self, target: Target, schema: str, intake: ColumnMapping, findings: FindingCollector) -> None:
        self.connection, self.schema, self.intake, self.findings = target.connection, schema, intake, findings

    def run(self) -> None:
        """Check all staged tables."""
        for staged in self.intake.staging.tables.values():
            self._keys(staged)
            for place, column in enumerate(staged.columns):
                if column in staged.as_stored:
                    continue
                if staged.raw[place] != staged.shaped[place]:
                    self._converted(staged, column, f"{staged.alias(place)}.{staged.raw[place]}")
                elif not staged.own:
                    self._numbers(staged, column)
        with suppress(sqlite3.OperationalError):  # an SQLite without JSON
            for staged, column in self.intake.json_columns():
                self._json(staged, column)
                if not staged.own:
                    staged.loose |= {column}

    def _lines(self, staged: StagedTable, where: str) -> Iterator[int]:
        sql = f"SELECT s.line FROM {staged.source(self.schema)} WHERE {where} ORDER BY s.line"
        for (line,) in self.connection.execute(sql):
            if self.findings.enough(staged.table.name):
                return
            yield line

    def _keys(self, staged: StagedTable) -> None:
        table, pk = staged.table, staged.table.pk
        for columns in filter(None, (pk, staged.match)):
            self._duplicates(staged, columns)
        if not pk or staged.match:
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

    def _duplicates(self, staged: StagedTable, columns: tuple[str, ...]) -> None:
        if set(columns) <= set(staged.columns):
            some, which = duplicates(RowMatching(staged, staged.columns, self.schema, ""), columns)
            if self.connection.execute(some).fetchone() is None:
                return
            for line, first in self.connection.execute(f"{which} LIMIT {MOST}"):
                name = ", ".join(columns)
                self._say(staged, "duplicate", line, name, f"is the same as in {staged.unit} {first:,} of the file")

    def _converted(self, staged: StagedTable, column: str, raw: str) -> None:
        new = staged.value(column)
        differs = f"typeof({raw}) <> typeof({new})"
        back = _BACK.format(raw=raw, new=new)
        for line in self._lines(staged, f"{differs} AND NOT ({back})"):
            self._say(staged, "type", line, column, "would be changed by the type that the column has in the target")
        if not staged.own:
            self._numbers(staged, column)
        words = f"{differs} AND 'text' IN (typeof({raw}), typeof({new}))"
        count = self.connection.execute(
            f"SELECT count(*) FROM {staged.source(self.schema)} WHERE {words} AND {back}"
        ).fetchone()[0]
        if count:
            name = staged.table.name
            turned = f"{count:,} values of {name}.{column} become what its type is in the target (text or number)."
            self.findings.add("type", turned, name, column, error=False)

    def _numbers(self, staged: StagedTable, column: str) -> None:
        """Find texts in a column for numbers: SQLite would store them. A BLOB is never meant as a number."""
        facts = staged.table.column(column)
        if facts is None or facts.affinity not in ("INTEGER", "REAL") or column in staged.as_told:
            return
        value = staged.value(column)
        for line in self._lines(staged, f"typeof({value}) = 'text'"):
            self._say(staged, "type", line, column, "is no number, as the column's type is")

    def _json(self, staged: StagedTable, column: str) -> None:
        value = staged.value(column)
        for line in self._lines(staged, f"typeof({value}) = 'text' AND NOT json_valid({value})"):
            self._say(staged, "json", line, column, "is not valid JSON, as the column's texts are", not staged.own)

    def _say(self, staged: StagedTable, kind: str, line: int, column: str, what: str, error: bool = True) -> None:
        place = f"{staged.unit.capitalize()} {line:,} of {staged.table.name}"
        self.findings.add(kind, f"{place}: {column} {what}.", staged.table.name, column, line, staged.unit, error)


def rule_of(error: Exception, table: Table) -> tuple[str, str, list[str]]:
    """Return the kind of the rule that SQLite's error names, what is to be said of it, and the columns it is about."""
    text = str(error)
    kind, words = next(
        (found for sign, found in _RULES.items() if sign in text), ("trigger", "is refused by the table")
    )
    return kind, words, _columns(text, table) if kind in ("not_null", "unique", "type") else []


def _columns(text: str, table: Table) -> list[str]:
    """Return the columns that SQLite names as ``table.column`` in its message."""
    if "cannot store" in text:
        return [c.name for c in table.columns if text.endswith(f"column {table.name}.{c.name}")]
    if "datatype mismatch" in text:
        return [table.integer_key] if table.integer_key else []
    named = text.partition("failed: ")[2].split(", ")
    return [c.name for c in table.columns if f"{table.name}.{c.name}" in named]
