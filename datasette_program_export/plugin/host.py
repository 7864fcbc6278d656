"""Every difference between Datasette 0.x and 1.0 alpha, in one file.

Which of the two it is, is decided once, by what can be imported: never by a version number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from datasette.utils.sqlite import sqlite3

from ..errors import NotFoundError, SourceError, explain
from ..settings import Settings, merge, parse_settings
from ..source import Source

try:
    from datasette.resources import TableResource

    V1 = True
except ImportError:
    V1 = False

PLUGIN = "datasette-program-export"
TEMPLATES_0X = Path(__file__).with_name("templates_0x")


def database_for(datasette: Any, route: str) -> Any:
    """The Database behind the first part of a path. Raises NotFoundError; the internal one is none."""
    try:
        found = datasette.get_database(route=route)
    except KeyError:
        found = None
    if found is None or found.name == "_internal":
        raise NotFoundError(f"There is no database {route}.")
    return found


@contextmanager
def readable(database: Any) -> Iterator[None]:
    """Turn what Datasette meets when it looks at a damaged database into SourceError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise SourceError(f"The database {database.name} cannot be read: {explain(error)}.") from None


def source_for(datasette: Any, database: Any, settings: Settings) -> Source:
    """The database as a source: read by Datasette's own SQLite library, with its functions and extensions."""
    return Source(
        name=database.name,
        path=Path(database.path) if database.path else None,
        memory=None if database.path else partial(_memory, database),
        immutable=not database.is_mutable,
        nolock=bool(datasette.nolock),
        library=sqlite3,
        prepare=lambda connection: datasette._prepare_connection(connection, database.name),
        spool_dir=settings.spool_dir,
    )


def _memory(database: Any) -> Any:
    connection = database.connect()
    for name in ("_all_connections", "_all_file_connections"):
        tracked = getattr(database, name, [])
        if connection in tracked:  # Datasette closes these itself, on a thread of its own
            tracked.remove(connection)
    return closing(connection)


async def settings_for(datasette: Any, database: str, tables: frozenset[str] = frozenset()) -> Settings:
    """The settings for a database: those for all, those for it on top; for ``tables``, JSON column types too."""
    shared = datasette.plugin_config(PLUGIN) or {}
    own = datasette.plugin_config(PLUGIN, database=database, fallback=False) or {}
    settings = parse_settings(merge(shared, own), f"{PLUGIN} ({database})")
    if not V1 or not tables:
        return settings
    columns = dict(settings.json_columns)
    for table in tables:
        types = await datasette.get_column_types(database, table)
        found = [column for column, kind in types.items() if kind.name == "json"]
        if found:
            columns[table] = [*columns.get(table, []), *found]
    return settings.model_copy(update={"json_columns": columns})


async def visible_tables(datasette: Any, actor: Any, database: Any) -> frozenset[str]:
    """The tables and views of a database that this actor may see."""
    if V1:
        await datasette.refresh_schemas()
        page = await datasette.allowed_resources("view-table", actor, parent=database.name, limit=1000)
        return frozenset([resource.child async for resource in page.all()])
    names = [*await database.table_names(), *await database.view_names()]
    return frozenset([name for name in names if await _visible_0x(datasette, actor, database.name, name)])


async def may_see(datasette: Any, actor: Any, database: str, table: str) -> bool:
    """Whether this actor may see one table; to be asked before anything about it is told."""
    if V1:
        allowed: bool = await datasette.allowed(
            action="view-table", resource=TableResource(database, table), actor=actor
        )
        return allowed
    return await _visible_0x(datasette, actor, database, table)


async def _visible_0x(datasette: Any, actor: Any, database: str, table: str) -> bool:
    wanted = [("view-table", (database, table)), ("view-database", database), "view-instance"]
    visible, _ = await datasette.check_visibility(actor, permissions=wanted)
    return bool(visible)


async def table_settings(datasette: Any, database: str, table: str) -> dict[str, Any]:
    """What the site says of a table: ``sort``, ``sort_desc``, ``sortable_columns``..."""
    found: dict[str, Any]
    if V1:
        found = await datasette.table_config(database, table)
    else:
        found = datasette.table_metadata(database, table)
    return found


def add_templates(environment: Any) -> None:
    """Give 0.x row pages a place for actions, below the site's own templates and above core's."""
    if not V1:
        paths = environment.loader.loaders[0].searchpath  # ChoiceLoader, then FileSystemLoader
        paths.insert(len(paths) - 1, str(TEMPLATES_0X))
