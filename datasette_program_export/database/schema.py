"""The schema of a database as data: tables, columns, keys, foreign keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from sqlite_utils.db import fold_identifier_case, quote_identifier

fold = lru_cache(10_000)(fold_identifier_case)  # a name as SQLite compares it: only ASCII letters are lowered
quote = lru_cache(10_000)(quote_identifier)  # a name as a quoted SQL identifier


def literal(value: str | int) -> str:
    """Return a value of the settings as SQL."""
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def table_of(reference: str) -> str:
    """Return the table in the name of a reference: ``child.column`` or ``child.column[value]``."""
    return reference.partition("[")[0].rpartition(".")[0]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    ``affinity`` is one of INTEGER, REAL, NUMERIC, TEXT, BLOB; ``pk`` is the column's position in the primary key,
    0 if it is not part of it. ``hidden`` has the codes of PRAGMA table_xinfo: 0 ordinary, 1 hidden column of a
    virtual table, 2 generated, 3 generated and stored."""

    name: str
    type: str
    affinity: str
    notnull: bool = False
    default: str | None = None
    pk: int = 0
    hidden: int = 0

    @property
    def generated(self) -> bool:
        """Whether SQLite computes its values."""
        return self.hidden in (2, 3)


@dataclass(frozen=True)
class ForeignKey:
    """One edge from a child table to its parent; a compound key is one edge.

    ``virtual`` marks a key from the settings, which the schema does not declare. ``where`` are columns of the child
    with values: the key holds only for rows that have one of them in each. ``problem`` is the reason why rows cannot
    be followed along the edge (a missing table or column)."""

    table: str
    columns: tuple[str, ...]
    other_table: str
    other_columns: tuple[str, ...]
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"
    virtual: bool = False
    problem: str | None = None
    where: tuple[tuple[str, tuple[str | int, ...]], ...] = ()

    @property
    def name(self) -> str:
        """``child.column``, the spelling of ``_export_stop`` and the plan; ``child.a,b`` for a compound key.

        The values of ``where`` follow in brackets: ``child.column[Client]``."""
        values = ",".join(str(value) for _, among in self.where for value in among)
        return f"{self.plain_name}[{values}]" if self.where else self.plain_name

    @property
    def plain_name(self) -> str:
        """The name without what ``where`` adds: several keys may have it."""
        return f"{self.table}.{','.join(self.columns)}"

    @property
    def reads(self) -> tuple[str, ...]:
        """The child's columns that decide to which row it refers."""
        return (*self.columns, *(column for column, _ in self.where))

    def holds(self, alias: str) -> str:
        """Return the condition that ``where`` sets for a row of the child, beginning with AND; else nothing."""
        return "".join(
            f" AND {alias}.{quote(column)} IN ({', '.join(map(literal, values))})" for column, values in self.where
        )


@dataclass(frozen=True)
class KeyPart:
    """One column of a table's key; ``collation`` is None for the rowid."""

    name: str
    affinity: str
    collation: str | None


@dataclass(frozen=True)
class Index:
    """One index. ``columns`` has None for an expression; ``collations`` has an entry per column."""

    name: str
    columns: tuple[str | None, ...]
    collations: tuple[str, ...]
    unique: bool
    origin: str
    partial: bool


@dataclass(frozen=True)
class Table:
    """A table, view, virtual table or shadow table.

    ``rowid`` is a name by which the rowid can be read, or None. ``problem`` is set if SQLite itself cannot
    describe the table (a broken view, a missing module). By folded name, each with SQLite's reason: ``incomparable``
    are columns whose collation only the application knows, ``unreadable`` those that are computed by a function of it.
    ``indexed`` is False if such a collation is in an index, so that the table is read without its indexes."""

    name: str
    kind: str
    columns: tuple[Column, ...] = ()
    rowid: str | None = None
    integer_key: str | None = None  # the INTEGER PRIMARY KEY, an alias of the rowid
    without_rowid: bool = False
    strict: bool = False
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()
    sql: str | None = None
    module: str | None = None
    owner: str | None = None  # the virtual table that a shadow table belongs to
    problem: str | None = None
    collations: Mapping[str, str] = field(default_factory=dict, compare=False)  # declared, by folded column name
    incomparable: Mapping[str, str] = field(default_factory=dict, compare=False)
    unreadable: Mapping[str, str] = field(default_factory=dict, compare=False)
    indexed: bool = field(default=True, compare=False)
    _by_name: dict[str, Column] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        self._by_name.update((fold(c.name), c) for c in self.columns)

    def column(self, name: str) -> Column | None:
        """Return the column of this name, in any case; None if there is none."""
        return self._by_name.get(fold(name))

    @property
    def pk(self) -> tuple[str, ...]:
        """The columns of the declared primary key, in the key's order."""
        return tuple(c.name for c in sorted((c for c in self.columns if c.pk), key=lambda c: c.pk))

    @property
    def key(self) -> tuple[KeyPart, ...]:
        """What identifies a row: the rowid, else a declared primary key without NULLs, else nothing.

        The parts of a declared key come from its index, whose collations may differ from those of the columns."""
        if self.rowid is not None:
            return (KeyPart(self.rowid, "INTEGER", None),)
        if not (self.without_rowid or all(c.notnull for c in self.columns if c.pk)):
            return ()
        parts = []
        for index in self.indexes:
            if index.origin == "pk":
                for name, collation in zip(index.columns, index.collations):
                    column = self.column(name or "")
                    parts.append(KeyPart(name or "", column.affinity if column else "BLOB", collation))
        return tuple(parts)

    @property
    def visible_columns(self) -> tuple[Column, ...]:
        """The columns that ``select *`` returns, as far as they can be read."""
        return tuple(c for c in self.columns if c.hidden != 1 and fold(c.name) not in self.unreadable)

    def source(self, alias: str = "") -> str:
        """Return the table in a FROM clause."""
        named = f"main.{quote(self.name)}" + (f" AS {alias}" if alias else "")
        return named if self.indexed else f"{named} NOT INDEXED"

    @property
    def storable(self) -> bool:
        """Whether rows can be loaded into it: true for ordinary tables."""
        return self.kind == "table"

    def has_index_on(self, columns: Sequence[str], collations: Sequence[str]) -> bool:
        """Return whether a full (not partial) index, or the rowid, begins with these columns in any order.

        The index must use the ``collations``, one per column."""
        wanted = {(fold(c), fold(o)) for c, o in zip(columns, collations)}
        if self.integer_key is not None and {c for c, _ in wanted} == {fold(self.integer_key)}:
            return True
        return any(
            not index.partial
            and {(fold(c or ""), fold(o)) for c, o in zip(index.columns, index.collations[: len(wanted)])} == wanted
            for index in self.indexes
        )

    def is_unique(self, columns: Sequence[str]) -> bool:
        """Return whether these columns identify a row, as SQLite requires of the parent of a foreign key."""
        wanted = {fold(c) for c in columns}
        if self.integer_key is not None and wanted == {fold(self.integer_key)}:
            return True
        return any(
            i.unique and not i.partial and None not in i.columns and {fold(c or "") for c in i.columns} == wanted
            for i in self.indexes
        )

    def tells_apart(self, columns: Sequence[str]) -> bool:
        """Return whether no two rows are equal in these columns, by the collations that compare them."""
        pairs = {(fold(c), fold(self.collation(c))) for c in columns}
        found = (i for i in self.indexes if i.unique and not i.partial)
        alias = self.integer_key is not None and {fold(c) for c in columns} == {fold(self.integer_key)}
        return alias or any({(fold(c or ""), fold(o)) for c, o in zip(i.columns, i.collations)} == pairs for i in found)

    def collation(self, column: str) -> str:
        """Return the collation by which SQLite compares the column's values; ``BINARY`` if none is declared."""
        return self.collations.get(fold(column), "BINARY")

    def key_collation(self, column: str) -> str:
        """Return the collation of the column in the key's index, which may differ from the column's own."""
        return next(iter(indexed_collations(column, self.indexes)), "BINARY")


def indexed_collations(column: str, indexes: Sequence[Index]) -> list[str]:
    """Return the collations in which a column is indexed: the primary key's first, then other unique indexes."""
    ranked = sorted(indexes, key=lambda i: (not i.unique, i.origin != "pk"))
    return [o for i in ranked for c, o in zip(i.columns, i.collations) if c is not None and fold(c) == fold(column)]


class Schema(Mapping[str, Table]):
    """A mapping of tables by name as written; ``find`` ignores ASCII case as SQLite does.

    ``encoding`` is the database's text encoding. ``numbers`` holds the PRAGMAs user_version and application_id,
    which belong to the application that made the file. ``derived`` keeps what others computed from the schema, as long
    as it lives; it must not depend on who asks, or have that in its key."""

    def __init__(self, tables: list[Table], encoding: str = "UTF-8", numbers: Mapping[str, int] | None = None) -> None:
        self.numbers = dict(numbers or {})
        self._tables = {t.name: t for t in tables}
        self._folded = {fold(t.name): t for t in tables}
        self.encoding = encoding
        self.derived: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Table:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def find(self, name: str) -> Table | None:
        """Return the table of this name, in any case; None if there is none."""
        return self._folded.get(fold(name))


@lru_cache(maxsize=1024)
def affinity(declared: str, strict: bool = False) -> str:
    """Return the affinity of a declared type, by the rules of https://www.sqlite.org/datatype3.html 3.1."""
    kind = declared.upper()
    if strict and kind == "ANY":
        return "BLOB"
    if "INT" in kind:
        return "INTEGER"
    if any(word in kind for word in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in kind or not kind.strip():
        return "BLOB"
    if any(word in kind for word in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC"


def resolve(key: ForeignKey, child: Table, tables: Mapping[str, Table]) -> ForeignKey:
    """Return the foreign key with the names spelled as in the schema, and with ``problem`` set if it is broken.

    ``tables`` is keyed by folded name. A key without parent columns refers to the parent's primary key
    (https://www.sqlite.org/foreignkeys.html, section 3)."""
    own = tuple(c.name if (c := child.column(n)) else n for n in key.columns)
    parent = tables.get(fold(key.other_table))
    if parent is None:
        return replace(key, columns=own, problem="the table does not exist")
    others = key.other_columns or parent.pk
    named = tuple(c.name if (c := parent.column(n)) else n for n in others)
    problem = None
    if parent.kind != "table":
        problem = f"it is a {parent.kind}, not a table"
    elif len(others) != len(own):
        problem = "the number of columns differs"
    elif missing := [n for n in others if parent.column(n) is None]:
        problem = f"it has no column {missing[0]}"
    elif missing := [n for n in key.reads if child.column(n) is None]:
        problem = f"{child.name} has no column {missing[0]}"
    else:
        problem = next((parent.incomparable[fold(n)] for n in named if fold(n) in parent.incomparable), None)
    where = tuple((c.name if (c := child.column(n)) else n, values) for n, values in key.where)
    return replace(key, columns=own, other_table=parent.name, other_columns=named, problem=problem, where=where)
