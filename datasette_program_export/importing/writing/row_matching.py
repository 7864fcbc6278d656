"""The SQL that compares staged rows with those of the target.

Two rows are the same row if their primary keys are equal as the target compares them (affinity and
collation of the key). A row is unchanged if every value that the file gives is identical: the same
bytes of the same storage class. A row without a key (the table has none, or the key contains NULL)
exists if the target has a row with exactly the same values, as many times as the file has it. JSON in
files of other programs is compared by what it means, because its spelling is lost; what a spreadsheet may
have cut is compared as far as it writes it (``shortened``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from ...database.library import sqlite3
from ...database.schema import Column, Table, fold, quote
from ..staging.database import StagedTable
from ..target import COMPARABLE, MEANING, SHORTENED, SIGN
from .defaults import default_of

INSERT, UNCHANGED, DIFFERENT = 0, 1, 2
WIDEST = 2000  # columns of a table, a query, an UPDATE (https://www.sqlite.org/limits.html)
PIECE = 990
T = TypeVar("T")


@dataclass(frozen=True)
class RowMatching:
    """Builds the SQL for one table and one set of given columns; ``schema`` is the attached staging database.

    ``defaults`` are other columns, and the SQL of what a new row gets in them; ``fills`` the given columns that must
    have a value, and what a new row gets where its cell is empty. ``all_new``: the target's table is empty, so there
    are no verdicts."""

    staged: StagedTable
    given: tuple[str, ...]
    schema: str
    verdicts: str  # a TEMP table: line, verdict
    strictly: str = " OR ABORT"  # else a column's own ON CONFLICT clause drops rows, or replaces others, unsaid
    defaults: tuple[tuple[str, str], ...] = ()
    all_new: bool = False
    fills: tuple[tuple[str, str], ...] = ()

    @property
    def target(self) -> str:
        """The target's table as SQL."""
        return f"main.{quote(self.staged.table.name)}"

    @property
    def rows(self) -> str:
        """The staged rows as a FROM clause: ``s``, with ``s.line`` and ``s.shape``."""
        return self.staged.source(self.schema)

    @cached_property
    def key(self) -> tuple[str, ...]:
        """The columns by which rows are told, the primary key or others, if the rows give all of it; else empty."""
        pk, match = self.staged.table.pk, self.staged.match
        if match and set(match) <= set(self.given):
            return match
        return pk if pk and set(pk) <= set(self.given) else ()

    def match(self) -> str:
        """Return a condition: ``s`` and ``t`` are the same row."""
        table = self.staged.table
        parts = []
        for column in self.key:
            collate = "" if column == table.integer_key else f' COLLATE "{key_collation(self.staged, column)}"'
            parts.append(f"t.{quote(column)} = {self.staged.value(column)}{collate}")
        return balanced(parts, "AND")

    def same(self, columns: Sequence[str]) -> str:
        """Return a condition: ``s`` and ``t`` have identical values in these columns."""
        found = []
        for column in columns:
            there, here = f"t.{quote(column)}", self.staged.value(column)
            alike = self._alike(column, there, here)
            if alike is not None:
                found.append(f"CASE WHEN {_exactly(there, here)} THEN 1 ELSE coalesce({alike}, 0) END")
                continue
            found.append(_exactly(there, here))
            facts = self.staged.table.column(column)
            if facts is not None and facts.affinity == "BLOB":  # columns of other affinities do not store -0.0
                found.append(f"(CASE WHEN {there} = 0.0 THEN {SIGN}({there}) = {SIGN}({here}) ELSE 1 END)")
        return balanced(found, "AND") or "1"

    def _alike(self, column: str, there: str, here: str) -> str | None:
        """Return a condition: the values are not identical, and the target's stays; None where there is none."""
        found = []
        if column in self.staged.loose:
            found.append(f"coalesce({_alike(there, here)}, 0)")
        if column in self.staged.shortened:
            found.append(f"{SHORTENED}({there}, {here})")
        return f"({' OR '.join(found)})" if found else None

    def by_key(self, shape: int) -> str:
        """Return the INSERT of the verdicts for the rows of this shape whose key is complete."""
        anchor = f"t.{quote(self.key[0])} IS NULL"
        filled = " AND ".join(f"{self.staged.value(c)} IS NOT NULL" for c in self.key)
        return (
            f"INSERT INTO {self.verdicts} SELECT s.line, "
            f"CASE WHEN {anchor} THEN {INSERT} WHEN {self.same(self.given)} THEN {UNCHANGED} ELSE {DIFFERENT} END "
            f"FROM {self.rows} LEFT JOIN {self.target} AS t ON {self.match()} "
            f"WHERE s.shape = {shape} AND {filled}"
        )

    def signature(self, alias: str) -> str:
        """Return an expression that joins all given values into one unambiguous text."""
        parts = []
        for column in self.given:
            value = f"{alias}.{quote(column)}" if alias == "t" else self.staged.value(column)
            if column in self.staged.shortened:
                value = f"{COMPARABLE}({value})"
            text = f"hex({value})"
            if column in self.staged.loose:
                text = f"hex(coalesce(CASE WHEN json_valid({value}) THEN {_meaning(value)} END, {value}))"
            parts.append(
                f"CASE typeof({value}) WHEN 'text' THEN 'T' || {text} WHEN 'real' THEN "
                f"quote({value}) || {SIGN}({value}) ELSE quote({value}) END"
            )
        return balanced(parts, "|| ',' ||") or "''"

    def without_key(self, shape: int) -> list[str]:
        """Return the statements that insert the verdicts for the other rows of this shape."""
        waiting, present = f'{self.verdicts[:-1]}_w"', f'{self.verdicts[:-1]}_p"'
        filled = " AND ".join(f"{self.staged.value(c)} IS NOT NULL" for c in self.key)
        theirs = " OR ".join(f"t.{quote(c)} IS NULL" for c in self.key) or "1"
        return [
            f"CREATE TABLE {waiting} (line INTEGER PRIMARY KEY, signature, n)",
            f"CREATE TABLE {present} (signature PRIMARY KEY, n) WITHOUT ROWID",
            f"INSERT INTO {waiting} SELECT line, signature, row_number() OVER (PARTITION BY signature ORDER BY line) "
            f"FROM (SELECT s.line, {self.signature('s')} AS signature FROM {self.rows} "
            f"WHERE s.shape = {shape} AND NOT ({filled or '0'}))",
            f"INSERT INTO {present} SELECT {self.signature('t')}, count(*) FROM {self.target} AS t "
            f"WHERE {theirs} AND EXISTS (SELECT 1 FROM {waiting}) GROUP BY 1",
            f"INSERT INTO {self.verdicts} SELECT w.line, CASE WHEN w.n <= p.n THEN {UNCHANGED} ELSE {INSERT} END "
            f"FROM {waiting} AS w LEFT JOIN {present} AS p ON p.signature = w.signature",
            f"DROP TABLE {waiting}",
            f"DROP TABLE {present}",
        ]

    def chosen(self, shape: int, verdict: int, *, of_update: bool = False) -> str:
        """Return a FROM clause for the rows of this shape with this verdict; ``ORDER BY j.line`` needs no sort.

        Of an UPDATE, the target comes before this clause: a CROSS JOIN would have it scanned for each row."""
        join = "JOIN" if of_update else "CROSS JOIN"
        if self.all_new:
            none = f"AND {verdict} = {INSERT}"
            return (
                f"{self.schema}.{self.staged.name} AS j {join} {self.schema}.{self.staged.name} AS s "
                f"ON j.line = s.line {none} AND s.shape = {shape}{self.staged.rest(self.schema, join)}"
            )
        return (  # a sort would hold each row three more times
            f"{self.verdicts} AS j {join} {self.schema}.{self.staged.name} AS s ON j.line = s.line "
            f"AND j.verdict = {verdict} AND s.shape = {shape}{self.staged.rest(self.schema, join)}"
        )

    def insertion(self) -> str:
        """Return the beginning of an INSERT of new rows; all of it, if they give nothing."""
        names = ", ".join(map(quote, (*self.given, *(name for name, _ in self.defaults))))
        if not self.given:
            values = ", ".join(value for _, value in self.defaults)
            return f"INSERT{self.strictly} INTO {self.target} " + (
                f"({names}) VALUES ({values})" if names else "DEFAULT VALUES"
            )
        return f"INSERT{self.strictly} INTO {self.target} ({names})"

    def new_values(self) -> str:
        """Return the values of new rows as SQL: the given ones, and the defaults."""
        return ", ".join([*self.filled(), *(value for _, value in self.defaults)])

    def filled(self) -> list[str]:
        """Return the given values of new rows as SQL, with the defaults of empty cells."""
        fills, values = dict(self.fills), [self.staged.value(c) for c in self.given]
        return [f"coalesce({v}, {fills[c]})" if c in fills else v for c, v in zip(self.given, values)]

    def empty_cell(self, shape: int, column: str) -> str:
        """Return a query that gives a row if a new row's cell is empty in this column."""
        return f"SELECT 1 FROM {self.chosen(shape, INSERT)} WHERE {self.staged.value(column)} IS NULL LIMIT 1"

    def values(self, *, named: bool = False) -> str:
        """Return the values of the given columns as SQL, converted from what was staged; also as ``c0``, ``c1``, …"""
        return ", ".join(f"{self.staged.value(c)}{f' AS c{i}' if named else ''}" for i, c in enumerate(self.given))

    def waiting_in(self, table: str) -> RowMatching:
        """Return the same for rows that wait in another table, as ``c0``, ``c1``, …"""
        names = tuple(f"c{i}" for i in range(len(self.given)))
        return replace(self, staged=replace(self.staged, name=table, columns=self.given, shaped=names, more=()))

    def assignments(self, back_to_default: Sequence[Column]) -> list[tuple[str, str]]:
        """Return the columns and values that an update sets: the given ones, and others reset to their defaults."""
        table = self.staged.table
        found = [(c, self._new(c)) for c in self.given if c != table.integer_key]
        return found + [(c.name, f"({default_of(c)})") for c in back_to_default]

    def _new(self, column: str) -> str:
        there, here = f"t.{quote(column)}", self.staged.value(column)
        alike = self._alike(column, there, here)
        return f"CASE WHEN {alike} THEN {there} ELSE {here} END" if alike is not None else here

    def update(self, sets: Sequence[tuple[str, str]]) -> str:
        """Return an UPDATE with the values of ``s``; the caller adds a FROM clause."""
        return f"UPDATE{self.strictly} {self.target} AS t SET " + ", ".join(
            f"{quote(c)} = {value}" for c, value in sets
        )


def is_empty(connection: sqlite3.Connection, table: Table) -> bool:
    """Return whether an ordinary table has no rows, so that none need be compared."""
    sql = f"SELECT 1 FROM main.{quote(table.name)} LIMIT 1"
    return table.kind == "table" and connection.execute(sql).fetchone() is None


def judge(connection: sqlite3.Connection, verdicts: str, parts: Sequence[RowMatching]) -> dict[int, int]:
    """Make and fill the table of verdicts; return how many there are of each."""
    connection.execute(f"CREATE TABLE {verdicts} (line INTEGER PRIMARY KEY, verdict)")
    for shape, part in enumerate(parts):
        if part.key:
            connection.execute(part.by_key(shape))
        for sql in part.without_key(shape):
            connection.execute(sql)
    index = f'{verdicts[:-1]}_i"'
    connection.execute(f"CREATE INDEX {index} ON {verdicts.removeprefix('temp.')} (verdict)")
    return dict(connection.execute(f"SELECT verdict, count(*) FROM {verdicts} GROUP BY 1"))


def balanced(terms: Sequence[str], operator: str) -> str:
    """Join terms two by two, in brackets: in a row, many are deeper than SQLite's limit of 1,000."""
    if len(terms) < 3:
        return f" {operator} ".join(terms)
    half = len(terms) // 2
    return f"({balanced(terms[:half], operator)}) {operator} ({balanced(terms[half:], operator)})"


def pieces(columns: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield columns in pieces, at least one, of which two fit into a query: SQLite allows it 2,000 columns."""
    for first in range(0, len(columns) or 1, PIECE):
        yield columns[first : first + PIECE]


def _exactly(there: str, here: str) -> str:
    return f"typeof({there}) = typeof({here}) AND {there} IS {here} COLLATE BINARY"


def _alike(there: str, here: str) -> str:
    """Return a condition: both are JSON with the same content."""
    texts = f"typeof({there}) = 'text' AND typeof({here}) = 'text' AND json_valid({there}) AND json_valid({here})"
    means = f"{_meaning(there)} = {_meaning(here)}"
    return f"CASE WHEN {texts} THEN json({there}) = json({here}) OR {means} END"


def _meaning(value: str) -> str:
    return f"{MEANING}(CAST({value} AS BLOB))"


def key_collation(staged: StagedTable, column: str) -> str:
    """Return the collation of the index behind the key, which may differ from the column's."""
    if column in staged.match:
        return unique_collations(staged.table, staged.match)[staged.match.index(column)]
    for index in staged.table.indexes:
        if index.origin == "pk":
            for name, collation in zip(index.columns, index.collations):
                if name is not None and fold(name) == fold(column):
                    return collation
    return "BINARY"


def unique_collations(table: Table, columns: Sequence[str]) -> list[str]:
    """Return the collations in which an index keeps these columns unique, each column's own if there is none."""
    wanted = {fold(c) for c in columns}
    for index in table.indexes:
        if index.unique and not index.partial and {fold(c or "") for c in index.columns} == wanted:
            kept = {fold(c or ""): o for c, o in zip(index.columns, index.collations)}
            return [kept[fold(c)] for c in columns]
    return [table.collation(c) for c in columns]


def duplicates(matching: RowMatching, columns: Sequence[str]) -> tuple[str, str]:
    """Return two queries about rows whose key, in ``columns``, an earlier row of the file has.

    The first gives a row if there are any, in a third of the time; the second their numbers, and the earlier ones'."""
    staged = matching.staged
    keys = ", ".join(
        staged.value(c) + ("" if c == staged.table.integer_key else f' COLLATE "{key_collation(staged, c)}"')
        for c in columns
    )
    filled = " AND ".join(f"{staged.value(c)} IS NOT NULL" for c in columns)
    rows = f"FROM {matching.rows} WHERE {filled}"
    return (
        f"SELECT 1 {rows} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1",
        f"SELECT line, first FROM (SELECT s.line, min(s.line) OVER (PARTITION BY {keys}) AS first {rows}) "
        "WHERE line <> first ORDER BY line",
    )
