"""Translate the filters of ``ExportService`` into SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, time
from math import isfinite
from typing import Any
from uuid import UUID

import msgspec

from ...database.schema import Table, quote
from ...errors import RequestError
from ...formats.values import json_value
from ...options.request import Request
from ...selection.annotated_schema import AnnotatedSchema
from .text import Taken


def table_of(known: AnnotatedSchema, name: Any) -> Table:
    """Return the table called ``name``. Raises RequestError if there is none."""
    table = known.schema.find(name) if isinstance(name, str) else None
    if table is None:
        raise RequestError(f"Unknown table: {name}")
    return table


def clients_of(known: AnnotatedSchema) -> Table:
    """Return the table of people. Raises RequestError if it is not known which one that is."""
    table = known.client_table()
    if table is None:
        raise RequestError("Unknown table: clients. The setting persons names the table that holds the people.")
    return table


class ByIds:
    """Rows of a table selected by primary key.

    Raises RequestError if the key has several columns, or if a value cannot be an id.
    """

    def __init__(self, table: Table, ids: Iterable[Any]) -> None:
        self.table, name = table, table.name
        if len(self.table.pk) != 1:
            raise RequestError(f"{name} has no primary key of one column, so there are no ids to look for.")
        if isinstance(ids, (str, bytes, Mapping)) or not isinstance(ids, Iterable):
            raise RequestError(f"A list of ids of {name} is needed, not one {type(ids).__name__}.")
        self.key = self.table.pk[0]
        self.ids = {plain(f"An id of {name}", value): value for value in ids}
        if any(isinstance(v, bytes) or (isinstance(v, float) and not isfinite(v)) for v in self.ids):
            raise RequestError(f"An id of {name} cannot be bytes or an infinity; use a Request with where.")
        if not self.ids:
            raise RequestError(f"No ids of {name} were given.")

    def request(self, **options: Any) -> Request:
        """Return a Request for the rows: one condition with one parameter, however many ids there are."""
        if f"{self.table.name}.{self.key}".lower() in map(str.lower, options.get("without", ())):
            raise RequestError(f"without: {self.table.name}.{self.key} is what the ids are compared with.")
        if not options["cascade"]:
            options.pop("parents", None)
            if options.pop("others", "withhold") != "withhold":
                raise RequestError("others: rows of other people only come with what belongs to the asked ones.")
        where = f"{quote(self.key)} IN (SELECT value FROM json_each(:ids))"
        return Request(
            table=self.table.name,
            where=(where,),
            params={"ids": msgspec.json.encode(list(self.ids)).decode()},
            **options,
        )

    def missing(self, found: Taken) -> list[Any]:
        """Return the ids that have no row, as the caller gave them."""
        there = {self._compared(value) for value in found.values}
        return [given for value, given in self.ids.items() if self._compared(value) not in there]

    def _compared(self, value: Any) -> Any:
        """Return the value as SQLite compares it with the key: numeric columns compare numeric text as a number."""
        column = self.table.column(self.key)
        if column is None or column.affinity not in ("INTEGER", "REAL", "NUMERIC"):
            return value if isinstance(value, bytes) else str(value)
        try:
            return int(value) if isinstance(value, int) else float(value)
        except (TypeError, ValueError):
            return value


def conditions(
    known: AnnotatedSchema, table: Table, filters: Mapping[str, Any]
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return WHERE conditions and their parameters for the filters, a mapping of column to value.

    Raises RequestError for an unknown column, and for a value that no column can hold.
    """
    if not isinstance(filters, Mapping):
        raise RequestError("filters: a mapping of column to value is needed.")
    where, params = [], {}
    for number, (name, value) in enumerate(filters.items()):
        column = table.column(name) if isinstance(name, str) else None
        if column is None:
            raise RequestError(f"Unknown column: {name} in {table.name}")
        if isinstance(value, (dict, list, tuple)):
            if column.name not in known.json_columns(table):
                raise RequestError(f"{name} holds no JSON, so it cannot be filtered by a list or an object")
            value = msgspec.json.encode(value).decode()
        if value is None:
            where.append(f"{quote(column.name)} IS NULL")
            continue
        where.append(f"{quote(column.name)} = :f{number}")
        params[f"f{number}"] = plain(name, value)
    return tuple(where), params


def plain(what: str, value: Any) -> Any:
    """Convert a value to one that SQLite can store. Raises RequestError for other types; ``what`` names the value."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (str, int, float, bytes)):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    raise RequestError(f"{what} cannot be a {type(value).__name__}")


def json_filter(value: Any) -> Any:
    """Return a filter's value as an exported document shows it."""
    return json_value(value) if isinstance(value, (float, bytes)) else value
