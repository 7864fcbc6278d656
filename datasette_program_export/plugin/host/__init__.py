"""What differs between Datasette 0.x and 1.0 when reading; ``writing`` and ``permissions`` hold the rest.

Which of the two it is, is decided once, by what can be imported: never by a version number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from datasette import hookspecs
from datasette.utils.sqlite import sqlite3

from ...database.source import Source
from ...database.sqlite_errors import explain
from ...errors import SettingsError, SourceError
from ...options.settings import Settings, merge, parse_settings
from .permissions import EXPORT, OURS, PLUGIN
from .protocols import Actor, Database, Datasette, HttpRequest, Resource0, Wanted0, on_0, on_1

try:
    from datasette.resources import DatabaseResource, QueryResource, TableResource

    V1 = True
except ImportError:
    V1 = False

TELLS_ITS_END = hasattr(hookspecs, "shutdown")  # 1.0, since one of its alphas
CLOSES_DETAILS = not V1  # 0.x pages close every <details> when something else is clicked, not only menus
TEMPLATES_0X = Path(__file__).with_name("templates_0x")
_FOR_THE_SITE = (
    "audit_log", "allow_audit", "allow_profiles", "jobs_dir", "retention_hours", "max_jobs", "max_jobs_per_person",
    "jobs_disk_mb", "verify_mb", "import_mb",
)  # fmt: skip


@dataclass(frozen=True)
class StoredQuery:
    """A query that the site offers under a name. ``trusted``: it may read what its reader may not see."""

    name: str
    sql: str
    params: tuple[str, ...]
    trusted: bool
    writes: bool


async def stored_query(datasette: Datasette, actor: Actor, database: str, name: str) -> StoredQuery | None:
    """The stored (0.x: canned) query of that name, if this actor may see it.

    On 1.0 an untrusted one also needs the permission to run SQL, which its caller looks at."""
    if V1:
        found = await on_1(datasette).get_query(database, name)
        resource = QueryResource(database, name)
        if found is None or not await on_1(datasette).allowed(action="view-query", resource=resource, actor=actor):
            return None
        return StoredQuery(name, found.sql, tuple(found.parameters), found.is_trusted, found.is_write)
    canned = await on_0(datasette).get_canned_query(database, name, actor)
    if not canned:
        return None
    wanted: Wanted0 = [("view-query", (database, name)), ("view-database", database), "view-instance"]
    visible, _ = await on_0(datasette).check_visibility(actor, permissions=wanted)
    if not visible:
        return None
    return StoredQuery(name, canned["sql"], tuple(canned.get("params") or ()), True, bool(canned.get("write")))


def database_for(datasette: Datasette, route: str) -> Database | None:
    """The Database behind the first part of a path, if there is one; the internal one is none."""
    try:
        found = datasette.get_database(route=route)
    except KeyError:
        return None
    return None if found.name == "_internal" else found


@contextmanager
def readable(database: Database) -> Iterator[None]:
    """Turn what Datasette meets when it looks at a damaged database into SourceError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise SourceError(f"The database {database.name} cannot be read: {explain(error)}.") from None


def source_for(datasette: Datasette, database: Database, settings: Settings) -> Source:
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


def _memory(database: Database) -> Any:
    connection = database.connect()
    for name in ("_all_connections", "_all_file_connections"):
        tracked = getattr(database, name, [])
        if connection in tracked:  # Datasette closes these itself, on a thread of its own
            tracked.remove(connection)
    return closing(connection)


def misplaced(datasette: Datasette) -> str | None:
    """Where settings of ours stand in the configuration without having a meaning there, if anywhere."""
    configured = (on_1(datasette).config if V1 else on_0(datasette)._metadata_local) or {}
    for database, about in (configured.get("databases") or {}).items():
        ours = ((about or {}).get("plugins") or {}).get(PLUGIN)
        if ours and database not in datasette.databases:
            return f"there are settings for the database {database}, which is not served"
        for table, said in ((about or {}).get("tables") or {}).items():
            if isinstance(said, dict) and PLUGIN in (said.get("plugins") or {}):
                return f"settings stand under the table {table}; they go under its database, {database}"
    return None


async def site_settings(datasette: Datasette) -> Settings:
    """The settings for all databases."""
    return parse_settings(datasette.plugin_config(PLUGIN) or {}, PLUGIN)


async def own_settings(datasette: Datasette, database: str) -> Settings:
    """What stands under one database only."""
    return parse_settings(datasette.plugin_config(PLUGIN, database=database, fallback=False) or {}, PLUGIN)


async def settings_for(datasette: Datasette, database: str, tables: frozenset[str] = frozenset()) -> Settings:
    """The settings for a database: those for all, those for it on top; for ``tables``, JSON column types too."""
    shared = datasette.plugin_config(PLUGIN) or {}
    own = datasette.plugin_config(PLUGIN, database=database, fallback=False) or {}
    for name in _FOR_THE_SITE:
        if name in own:
            raise SettingsError(f"{PLUGIN} ({database}): {name} is for the whole site, not for one database")
    settings = parse_settings(merge(shared, own), f"{PLUGIN} ({database})")
    if not V1 or not tables:
        return settings
    columns = dict(settings.json_columns)
    for table in tables:
        types = await on_1(datasette).get_column_types(database, table)
        found = [column for column, kind in types.items() if kind.name == "json"]
        if found:
            columns[table] = [*columns.get(table, []), *found]
    return settings.model_copy(update={"json_columns": columns})


async def visible_tables(datasette: Datasette, actor: Actor, database: Database) -> frozenset[str]:
    """The tables and views of a database that this actor may see."""
    if V1:
        await on_1(datasette).refresh_schemas(force=True)  # else a table made within the last second would be left out
        return await allowed_tables("view-table", datasette, actor, database)
    names = [*await database.table_names(), *await database.view_names()]
    return frozenset([name for name in names if await _visible_0x(datasette, actor, database.name, name)])


async def exportable_tables(
    datasette: Datasette, actor: Actor, database: Database, visible: frozenset[str]
) -> frozenset[str]:
    """Those of the ``visible`` tables and views that this actor may export."""
    if V1:  # both lists: the second alone would hold the parts of a search index over a hidden table
        return visible & await allowed_tables(EXPORT, datasette, actor, database)
    asked = [(name, await _exportable_0x(datasette, actor, (database.name, name))) for name in visible]
    return frozenset([name for name, allowed in asked if allowed])


async def allowed_tables(action: str, datasette: Datasette, actor: Actor, database: Database) -> frozenset[str]:
    """The tables of a database for which 1.0 allows this actor an action."""
    page = await on_1(datasette).allowed_resources(action, actor, parent=database.name, limit=1000)
    return frozenset([resource.child async for resource in page.all()])


async def may_export(datasette: Datasette, actor: Actor, database: str, table: str | None = None) -> bool:
    """Whether this actor may export from one table or view, or the result of a query (no table)."""
    if V1:
        resource = TableResource(database, table) if table is not None else DatabaseResource(database)
        if table is not None and not await on_1(datasette).allowed(action="view-table", resource=resource, actor=actor):
            return False
        found: bool = await on_1(datasette).allowed(action=EXPORT, resource=resource, actor=actor)
        return found
    if table is not None and not await _visible_0x(datasette, actor, database, table):
        return False
    return await _exportable_0x(datasette, actor, (database, table) if table is not None else database)


async def may(datasette: Datasette, actor: Actor, action: str, database: str | None = None) -> bool:
    """Whether this actor may do something else: an action on a database, or on the site."""
    if V1:
        resource = DatabaseResource(database) if database is not None else None
        found: bool = await on_1(datasette).allowed(action=action, resource=resource, actor=actor)
        return found
    open_by_default = action not in OURS
    if action in ("view-database", "view-instance"):
        wanted: Wanted0 = [("view-database", database), "view-instance"] if database is not None else ["view-instance"]
        visible, _ = await on_0(datasette).check_visibility(actor, permissions=wanted)
        return bool(visible)
    answer = await on_0(datasette).permission_allowed(actor, action, resource=database, default=open_by_default)
    return bool(answer)


async def _exportable_0x(datasette: Datasette, actor: Actor, resource: Resource0) -> bool:
    return bool(await on_0(datasette).permission_allowed(actor, EXPORT, resource=resource, default=True))


async def _visible_0x(datasette: Datasette, actor: Actor, database: str, table: str) -> bool:
    wanted: Wanted0 = [("view-table", (database, table)), ("view-database", database), "view-instance"]
    visible, _ = await on_0(datasette).check_visibility(actor, permissions=wanted)
    return bool(visible)


def from_another_site(request: HttpRequest) -> bool:
    """Whether another site's page makes a browser send this; where 0.x does not look for its token.

    1.0 has refused that before we are asked. By what browsers say of it themselves, as 1.0 does."""
    if V1 or request.headers.get("authorization", "").lower().startswith("bearer "):
        return False
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and urlsplit(origin).netloc != request.host


async def page_order(database: Database, table: str) -> tuple[tuple[str, bool], ...]:
    """How a table's page sorts rows that nobody sorted: by the declared key. Empty for the rowid, our own order."""
    try:
        columns = [c for c in await database.table_column_details(table) if c.is_pk]
    except sqlite3.Error:  # a broken view: the export says what is wrong with it
        return ()
    if len(columns) == 1 and columns[0].type.upper() == "INTEGER":
        return ()
    return tuple((c.name, False) for c in sorted(columns, key=lambda c: c.is_pk))


async def table_settings(datasette: Datasette, database: str, table: str) -> dict[str, Any]:
    """What the site says of a table: ``sort``, ``sort_desc``, ``sortable_columns``..."""
    found: dict[str, Any]
    if V1:
        found = await on_1(datasette).table_config(database, table)
    else:
        found = on_0(datasette).table_metadata(database, table)
    return found


def add_templates(environment: Any) -> None:
    """Give 0.x row pages a place for actions, below the site's own templates and above core's."""
    if not V1:
        paths = environment.loader.loaders[0].searchpath  # ChoiceLoader, then FileSystemLoader
        paths.insert(len(paths) - 1, str(TEMPLATES_0X))
