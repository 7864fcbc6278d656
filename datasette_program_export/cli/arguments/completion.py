"""What the shell completes: names of tables, of the database that stands before them on the line."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click
from click.shell_completion import CompletionItem


def complete_table(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the tables and views whose names begin so; none where the database cannot be read."""
    from ...database.snapshot import Snapshot  # imported late: only a shell that completes needs them
    from ...database.source import Source

    database: Any = ctx.params.get("database")
    if database is None:
        return []
    try:
        with closing(Snapshot(Source.of(database))) as snapshot:
            schema = snapshot.schema
    except Exception:  # a shell shows what is wrong as if it were a choice
        return []
    names = (name for name, table in schema.items() if table.kind != "shadow" and not name.startswith("sqlite_"))
    return [CompletionItem(name) for name in names if name.casefold().startswith(begun.casefold())]
