"""Rows at the command line: by their keys, or by what people call them."""

from __future__ import annotations

from collections.abc import Iterable

import click

from ...database.source import Source
from ...errors import NotFoundError
from ...options.grammar import row_path
from ...options.settings import Settings
from ...selection.scopes.row_finder import LISTED, FoundRows, NamedRow, find_rows
from ..telling.terminal import printable


def keys_of(
    source: Source, table: str, names: Iterable[str], settings: Settings, without: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Return the row paths that keys or names mean; a row that is meant twice comes once.

    For a name it is told which row was taken. Exits with 2 where several rows have it, and lists them. Raises
    NotFoundError where none has."""
    found = find_rows(source, table, names, settings, without)
    for one in found:
        if len(one.rows) > 1:
            _tell_several(table, one)
        if not one.rows:
            likely = f" Did you mean {one.likely}?" if one.likely else ""
            raise NotFoundError(f"There is no row {one.name} in {table}, neither by its key nor by its name.{likely}")
    for one in found:
        if not one.by_key:
            click.echo(printable(f"{one.name}: {_told(one.rows[0])}"), err=True)
    return tuple(dict.fromkeys(one.name if one.by_key else row_path(one.rows[0].record) for one in found))


def _tell_several(table: str, found: FoundRows) -> None:
    click.echo(printable(f"Error: Several rows of {table} are called {found.name}. Name one by its key:"), err=True)
    for row in found.rows[:LISTED]:
        click.echo(printable(f"  {_told(row)}"), err=True)
    if len(found.rows) > LISTED:
        click.echo("  and more; say more of the name.", err=True)
    raise SystemExit(2)


def _told(row: NamedRow) -> str:
    return "  ".join(filter(None, (row_path(row.record), row.title, row.detail)))
