"""The statements that create a new database for an export's tables, for the formats sqlite and sql.

Before a row is read, all statements run in an empty database in memory: so what a plain
SQLite refuses (an application's own function or collation) is known before the first byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from ...database.connections.scratch import scratch_database
from ...database.library import sqlite3
from ...database.schema import fold, quote
from ...database.sqlite_errors import explain
from ...database.virtual_tables import rebuilding
from ...errors import UnsupportedError
from ..dataset import Dataset, TableStream
from ..description.integrity import Announced
from ..description.parsing import dumped
from ..description.schema import DocumentSchema, NotCarried
from ..description.schema_text import not_carried_sentences
from .literals import Literals

VERSION = 1
DESCRIPTION = re.compile(r"program_export(?:_([1-9][0-9]{0,17}))?")  # if there are several, ours has the highest number


@dataclass(frozen=True)
class Blueprint:
    """Complete statements, in order: ``opening``, ``tables`` by name, and after the rows ``objects`` and ``closing``.

    ``description`` is the name of the table that describes the others; ``schema`` is the export's,
    with what a plain SQLite refuses added to ``not_carried``."""

    encoding: str
    tables: Mapping[str, str]
    objects: tuple[str, ...]
    closing: tuple[str, ...]
    description: str
    schema: DocumentSchema
    refused: tuple[NotCarried, ...] = ()

    @classmethod
    def of(cls, schema: DocumentSchema) -> Blueprint:
        """Return the blueprint of a schema. Raises UnsupportedError, which names a table that cannot be created."""
        facts = schema.database
        objects: list[str] = []
        refused: list[NotCarried] = []
        with scratch_database() as scratch:
            scratch.execute(f"PRAGMA encoding='{facts.encoding}'")
            tables = {name: _made(scratch, name, table.sql) for name, table in schema.tables.items()}
            counts = "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"
            sequences = facts.sequences if scratch.execute(counts).fetchone() else None
            for one in schema.objects:
                try:
                    scratch.execute(one.sql)
                    objects.append(terminated(one.sql))
                    if one.type == "virtual":
                        objects.append(f"{rebuilding(one.name)};")
                except (sqlite3.Error, sqlite3.Warning) as error:
                    refused.append(NotCarried(type=one.type, name=one.name, table=one.table, why=explain(error)))
        return cls(
            facts.encoding,
            tables,
            tuple(objects),
            (
                *_sequences(sequences),
                *(f"PRAGMA {name}={number:d};" for name, number in facts.numbers.items()),
                *(["ANALYZE main;"] if facts.analyzed else []),
            ),
            _free_name({*tables, *(o.name for o in schema.objects)}),
            replace(schema, not_carried=(*schema.not_carried, *refused)),
            tuple(refused),
        )

    def telling(self, tables: Iterator[TableStream]) -> Iterator[TableStream]:
        """Yield the tables, the first with warnings about what a plain SQLite refuses."""
        for number, table in enumerate(tables):
            if number == 0:
                table.warnings.extend(not_carried_sentences(self.refused))
            yield table

    def indexes(self, table: str) -> dict[str, str]:
        """Return the statements of a table's indexes, by their names."""
        found = {o.name: o.sql for o in self.schema.objects if o.type == "index" and fold(o.table) == fold(table)}
        return {name: sql for name, sql in found.items() if terminated(sql) in self.objects}

    @property
    def opening(self) -> tuple[str, ...]:
        """The settings for an empty database: rows are loaded unchecked."""
        told = {"encoding": f"'{self.encoding}'", "foreign_keys": "OFF", "ignore_check_constraints": "ON"}
        return tuple(f"PRAGMA {name}={value};" for name, value in told.items())

    def described_as(self, form: str, dataset: Dataset, integrity: Announced) -> Iterator[tuple[str, Any]]:
        """Yield the rows of the description table, after all other rows are written."""
        yield "format", form
        yield "version", VERSION
        parts = {"export": dataset.head, "schema": dumped(self.schema), "coverage": dumped(dataset.coverage())}
        for name, value in {**parts, "integrity": {**dumped(integrity), "complete": True}}.items():
            yield name, msgspec.json.encode(value).decode()


def description_among(names: list[str]) -> str | None:
    """Return the name of the table that describes the others, or None."""
    found = {int(match[1] or 1): name for name in names if (match := DESCRIPTION.fullmatch(name))}
    return found[max(found)] if found else None


def terminated(sql: str) -> str:
    """Return the statement with its end, even after a comment. Raises sqlite3.Warning if nothing ends it."""
    for end in (";", "\n;", "*/;"):
        if sqlite3.complete_statement(sql + end):
            return sql + end
    raise sqlite3.Warning("incomplete input")


def _made(scratch: sqlite3.Connection, name: str, sql: str) -> str:
    try:
        scratch.execute(sql)
        return terminated(sql)
    except (sqlite3.Error, sqlite3.Warning) as error:
        own = fold(name).startswith("sqlite_")
        why = "names that begin with sqlite_ are SQLite's own" if own else explain(error)
        raise UnsupportedError(
            f"{name} cannot be made in a new SQLite database: {why}. Leave it out, or choose another format."
        ) from None


def _sequences(counted: Mapping[str, int] | None) -> Iterator[str]:
    if counted is not None:
        yield "DELETE FROM sqlite_sequence;"
        literal = Literals("UTF-8").literal
        for name, number in counted.items():
            yield f"INSERT INTO sqlite_sequence VALUES({literal(name)},{literal(number)});"


def _free_name(taken: set[str]) -> str:
    numbers = [int(match[1] or 1) for name in taken if (match := DESCRIPTION.fullmatch(fold(name)))]
    return f"program_export_{max(numbers) + 1}" if numbers else "program_export"


def insertion(table: str, columns: list[str], schema: str = "main") -> str:
    """Return the beginning of an INSERT, up to its values."""
    return (
        f"INSERT INTO {'' if schema == 'main' else f'{schema}.'}{quote(table)}({','.join(map(quote, columns))}) VALUES"
    )
