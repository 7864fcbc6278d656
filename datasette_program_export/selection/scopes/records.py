"""The scopes of a record and of a table, with everything that refers to the rows.

Also the rows of one table or view alone, when references are not followed.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...database.schema import Table, quote
from ...errors import DeniedError, NotFoundError, RequestError, TooLargeError, UnsupportedError
from ...options.grammar import row_path
from ..graph import Graph
from ..key_tables import KeyTable
from ..table_rows import TableRows
from ..walk import Walk
from .base import Scope


class RecordScope(Scope):
    """The scopes ``record`` and ``table``."""

    subject: Table

    def prepare(self) -> None:
        """Check the request before any row is read."""
        request = self.request
        self.subject = self.table(request.table or "")
        super().prepare()
        asked = self.annotated.edges_named(request.stop, self.visible)
        self.stopped = self.annotated.edges_named(self.annotated.stopped_names()) | asked
        self.parents = request.parents or ("needed" if self._people_are_declared() else "none")
        self.walk = self._new_walk(self.max_rows) if request.cascades else None
        if self.walk is None and self.left_out_tables and request.profile is None:
            raise RequestError(f"{min(self.left_out_tables)} would not be in this export; it cannot be left out.")

    def _people_are_declared(self) -> bool:
        people = self.annotated.people if self.request.cascades else None
        return people is not None and people.declared and bool(people.tables)

    def resolve(self) -> None:
        """Find the rows. If this is interrupted, ``walk`` holds what was reached so far."""
        if self.walk is None:
            self.tables = [self._rows_only()]
            self.probe()
            self._check_rows()
            return
        self.walk.start(self._chosen_keys())
        self.walk.down()
        if self.parents == "needed":
            self.walk.up()
        below = self.walk.graph.reachable_down({self.subject.name, *self.walk.roots})
        names = [name for name in self.walk.graph.parents_first() if name in below or self._has_rows(name)]
        self.tables = [self._reached(name) for name in names]
        self.probe()

    def _check_rows(self) -> None:
        if self.max_rows is None:
            return
        chosen = self.tables[0]
        rows = self.snapshot.execute(chosen.count(), chosen.params, chosen.guard).fetchone()[0]
        if rows > self.max_rows:
            raise TooLargeError(
                f"This export would hold {rows:,} rows; max_rows allows {self.max_rows:,}. Ask for fewer."
            )

    def title(self) -> str:
        """Return the title of the record asked for: its title columns, else its key.

        For several records, return their number."""
        records = self.request.records
        if len(records) != 1:
            return f"{len(records)}-records" if records else ""
        return self.row_title(records[0])

    def detail(self) -> str:
        """Return what distinguishes the one record asked for from others with the same title."""
        columns = [c for c in self.annotated.subject(self.subject.name).told_apart_by if self.subject.column(c)]
        values = self._values(columns) if len(self.request.records) == 1 else []
        return ", ".join(value for value in values if value)

    def choices(self, most: int, skip: int = 0, find: str = "") -> list[tuple[str, str]]:
        """Return rows of a table to pick from, as (row path, title) pairs; none if rows have no name.

        Only rows whose title contains every word of ``find``; at most ``most`` of them, after the first ``skip``."""
        if self.request.records or self.walk is not None or not (names := self._key_names()):
            return []
        (chosen,) = self.tables
        columns = [f"{chosen.alias}.{quote(c)}" for c in (*names, *self._told())]
        said = " || ' ' || ".join(f"coalesce({c}, '')" for c in (columns[len(names) :] or columns))
        words = {f"program_export_word{i}": f"%{_literal(word)}%" for i, word in enumerate(find.split())}
        holds = " AND ".join(f"{said} LIKE :{name} ESCAPE '~'" for name in words)
        sql = chosen.select(", ".join(f"CAST({c} AS BLOB)" for c in columns), holds)
        if chosen.limit is None and not chosen.offset:
            sql += f" LIMIT {most} OFFSET {skip}"
        rows = self.snapshot.sample(sql, {**chosen.params, **words}, chosen.guard, most)
        found = []
        for row in rows:
            texts = [value.decode("utf-8", "replace") if value else "" for value in row]
            title = " ".join(filter(None, texts[len(names) :]))
            found.append((row_path(texts[: len(names)]), title or ", ".join(texts[: len(names)])))
        return found

    def titles(self) -> Iterator[tuple[tuple[str, ...], str, str]]:
        """Yield the key and the title of each row that ``choices`` would offer, and what tells it apart from others."""
        names, told = self._key_names(), self._told()
        if not names or not told:
            return
        (chosen,) = self.tables
        columns = ", ".join(f"CAST({chosen.alias}.{quote(c)} AS BLOB)" for c in (*names, *told))
        ends = len(names) + len(set(told) & set(self.annotated.title_columns(self.subject)))
        for row in self.snapshot.execute(chosen.select(columns), chosen.params, chosen.guard):
            texts = [value.decode("utf-8", "replace") if value else "" for value in row]
            title, detail = (" ".join(filter(None, part)) for part in (texts[len(names) : ends], texts[ends:]))
            yield tuple(texts[: len(names)]), title, detail

    def has_row(self, record: tuple[str, ...]) -> bool:
        """Return whether there is a row of this key. Raises DeniedError for a secret key."""
        if len(record) != len(self.subject.pk or (self.subject.rowid,)):
            return False
        try:
            self._named(record)
        except NotFoundError:
            return False
        return True

    def _key_names(self) -> tuple[str, ...]:
        """Return the columns that name a row; none if it has no name, or a secret one."""
        names = self.subject.pk or ((self.subject.rowid,) if self.subject.rowid else ())
        return () if set(names) & self._hidden_columns() else names

    def _told(self) -> list[str]:
        """Return the columns by which people know a row: its title, and what tells it apart."""
        apart = self.annotated.subject(self.subject.name).told_apart_by
        titles = [*self.annotated.title_columns(self.subject), *(c for c in apart if self.subject.column(c))]
        return [c for c in dict.fromkeys(titles) if c not in self._hidden_columns()]

    def _hidden_columns(self) -> set[str]:
        """Return the subject's columns that are secret or left out."""
        return self.left_out_columns.get(self.subject.name, set()) | self.annotated.secrets(self.subject).keys()

    def row_title(self, record: tuple[str, ...]) -> str:
        """Return the title of one row of the subject, or its key if it has none."""
        title = " ".join(value for value in self._values(self.annotated.title_columns(self.subject)) if value)
        return title if title.strip() else ",".join(record)

    def _values(self, columns: list[str]) -> list[str]:
        """Return the given columns of the one record as texts, without secret and left-out columns."""
        gone = self._hidden_columns()
        texts = ", ".join(f"CAST(r.{quote(c)} AS BLOB)" for c in columns if c not in gone)
        if not texts:
            return []
        record = self.request.records[0]
        row = self.snapshot.execute(f"SELECT {texts} {self._named(record)}", record).fetchone()
        return [value.decode("utf-8", "replace") if value else "" for value in row]

    def _new_walk(self, max_rows: int | None) -> Walk:
        if self.subject.kind == "view" or not self.subject.key:
            raise UnsupportedError(
                f"References cannot be followed from {self.subject.name}: "
                + ("it is a view" if self.subject.kind == "view" else "its rows cannot be told apart")
                + ". Export its rows only (cascade=0)."
            )
        kept = [
            name
            for name in self.schema
            if name not in self.left_out_tables and (self.visible is None or name in self.visible)
        ]
        graph = self.annotated.graph(kept, self.stopped)
        if self.subject.kind != "table":  # a virtual table has no references, but its rows can be exported
            graph = Graph((*graph.tables, self.subject.name), graph.edges)
        withhold = self.request.others == "withhold"
        return Walk(self.snapshot, self.annotated, graph, withhold=withhold, rules=self.rules, max_rows=max_rows)

    def _chosen_keys(self) -> KeyTable:
        """Return a key table with the keys of the subject's rows."""
        keys = KeyTable(self.snapshot, self.subject)
        if self.request.records:
            for record in dict.fromkeys(self.request.records):
                self._fill_record(keys, record)
            self.rules.check_records(keys)
            return keys
        chosen = self._condition(target=keys.name)
        limited = chosen.limit is not None or bool(chosen.offset)
        select = chosen.select(keys.key_of(chosen.alias), ordered=limited)
        self.snapshot.execute(f"INSERT INTO {keys.name} {select}", chosen.params, chosen.guard)
        return keys

    def _fill_record(self, keys: KeyTable, record: tuple[str, ...]) -> None:
        key = keys.key_of("r")
        self.snapshot.execute(f"INSERT OR IGNORE INTO {keys.name} SELECT {key} {self._named(record)}", record)

    def _named(self, record: tuple[str, ...]) -> str:
        """Return FROM and WHERE for the one row (alias ``r``) that a row path names.

        The parts of the path are the parameters. Raises RequestError for a malformed or ambiguous path,
        DeniedError for a secret key, NotFoundError if there is no such row."""
        table = self.subject
        names = table.pk or ((table.rowid,) if table.rowid else ())
        if len(record) != len(names):
            raise RequestError(
                f"A row of {table.name} is named by its {', '.join(names)}, with a comma between several."
            )
        if secret := [n for n in names if n in self.annotated.secrets(table)]:
            raise DeniedError(f"A row of {table.name} is named by {', '.join(secret)}, which is left out as secret.")
        conditions = [" AND ".join(f"r.{quote(n)} = ?{self._collated(n)}" for n in names)]
        if any((c := table.column(n)) and c.affinity == "BLOB" for n in names):
            # a column without a type distinguishes 1 and '1', but a path spells both the same
            conditions.append(" AND ".join(f"CAST(r.{quote(n)} AS TEXT) = ?" for n in names))
        for condition in conditions:
            rows = f"FROM {table.source('r')} WHERE {condition}"
            found = self.snapshot.execute(f"SELECT count(*) {rows}", record).fetchone()[0]
            if found > 1:
                raise RequestError(f"{', '.join(record)} names {found} rows of {table.name}, not one.")
            if found:
                return rows
        raise NotFoundError(
            f"There is no row {', '.join(record)} in {table.name} (rows are named by {', '.join(names)})."
        )

    def _collated(self, name: str) -> str:
        """Return the COLLATE clause of the key's index; the column's own collation may merge distinct keys."""
        return f" COLLATE {quote(self.subject.key_collation(name))}" if self.subject.column(name) else ""

    def _has_rows(self, name: str) -> bool:
        assert self.walk is not None
        reached = self.walk.reached.get(name)
        return reached is not None and any(reached.counts.values())

    def _reached(self, name: str) -> TableRows:
        assert self.walk is not None
        table = self.schema[name]
        reached = self.walk.reach(name)
        sort = self._sort() if table == self.subject else ()
        chosen = self.request.columns if table == self.subject else None
        return self.selected(table, chosen, keys=reached.keys, sort=sort)

    def _rows_only(self) -> TableRows:
        if not self.request.records and not self._needs_keys():
            return self._condition()
        return self.selected(self.subject, self.request.columns, keys=self._chosen_keys(), sort=self._sort())

    def _needs_keys(self) -> bool:
        """Return whether the keys of the rows are needed to find dangling references."""
        request = self.request
        limited = request.limit is not None or bool(request.offset)
        edges = [e for e in self.annotated.edges if e.table == self.subject.name]
        to_itself = any(e.other_table == self.subject.name for e in edges)
        return bool(self.subject.key) and ((limited and bool(edges)) or (bool(request.where) and to_itself))

    def _condition(self, target: str | None = None) -> TableRows:
        """Return the subject's rows that meet the request's conditions; ``target`` is the key table to fill."""
        request = self.request
        sql_name = self.sql_name if request.where else f"The {self.subject.kind} {self.subject.name}"
        guard = self.guard(sql_name, target, " ".join(request.where), self.subject)
        for clause in request.where:
            guard.check_condition(clause)
        return self.selected(
            self.subject,
            request.columns,
            where=request.where,
            params=request.params,
            sort=self._sort(),
            limit=request.limit,
            offset=request.offset,
            guard=guard if request.where or self.subject.kind != "table" else None,
        )

    def _sort(self) -> tuple[tuple[str, bool], ...]:
        secrets = self.annotated.secrets(self.subject)
        for name, _ in self.request.sort:
            if name != self.subject.rowid and self.column(self.subject, name).name in secrets:
                raise DeniedError(f"{self.subject.name} cannot be sorted by {name}, which is left out as secret.")
        return self.request.sort


def _literal(word: str) -> str:
    """Return a word with the wildcards of LIKE escaped."""
    return "".join(f"~{character}" if character in "%_~" else character for character in word)
