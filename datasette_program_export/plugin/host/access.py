"""Check what an actor may see, export and do, on Datasette 0.x and 1.0."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from .line import V1
from .permission_hooks import EXPORT, OPEN, OURS
from .protocols import Actor, Database, Datasette, Resource0, Wanted0, on_0, on_1

if V1:
    from datasette.resources import DatabaseResource, TableResource

_AT_ONCE = 20  # tables that Datasette 0.x is asked about, so that other requests have their turn


async def visible_tables(datasette: Datasette, actor: Actor, database: Database) -> frozenset[str]:
    """Return the tables and views of a database that this actor may see."""
    if V1:
        await _know_tables(datasette, database)
        return await allowed_tables("view-table", datasette, actor, database)
    names = [*await database.table_names(), *await database.view_names()]
    return await _visible_0x(datasette, actor, database.name, names)


async def _know_tables(datasette: Datasette, database: Database) -> None:
    """See that Datasette 1.0 knows the tables of a database: it looks once a second, which misses one made just now."""
    await on_1(datasette).refresh_schemas()
    sql = "SELECT schema_version FROM catalog_databases WHERE database_name = ?"
    known = (await on_1(datasette).get_internal_database().execute(sql, [database.name])).rows
    there = (await database.execute("PRAGMA schema_version")).rows
    if [row[0] for row in known] != [row[0] for row in there]:  # what Datasette compares, too, of every database
        await on_1(datasette).refresh_schemas(force=True)


async def exportable_tables(
    datasette: Datasette, actor: Actor, database: Database, visible: frozenset[str]
) -> frozenset[str]:
    """Return those of the ``visible`` tables and views that this actor may export."""
    if V1:  # intersect: the second set alone would contain the shadow tables of a search index on a hidden table
        return visible & await allowed_tables(EXPORT, datasette, actor, database)
    asked = [(name, await _exportable_0x(datasette, actor, (database.name, name))) for name in visible]
    return frozenset([name for name, allowed in asked if allowed])


async def allowed_tables(action: str, datasette: Datasette, actor: Actor, database: Database) -> frozenset[str]:
    """Return the tables of a database for which Datasette 1.0 allows this actor an action."""
    page = await on_1(datasette).allowed_resources(action, actor, parent=database.name, limit=1000)
    return frozenset([resource.child async for resource in page.all()])


async def may_export(datasette: Datasette, actor: Actor, database: str, table: str | None = None) -> bool:
    """Check whether this actor may export from a table or view; without a table, the result of a query."""
    if V1:
        resource = TableResource(database, table) if table is not None else DatabaseResource(database)
        if table is not None and not await on_1(datasette).allowed(action="view-table", resource=resource, actor=actor):
            return False
        found: bool = await on_1(datasette).allowed(action=EXPORT, resource=resource, actor=actor)
        return found
    if table is not None and not await _visible_0x(datasette, actor, database, [table]):
        return False
    return await _exportable_0x(datasette, actor, (database, table) if table is not None else database)


async def may(datasette: Datasette, actor: Actor, action: str, database: str | None = None) -> bool:
    """Check whether this actor may do another action on a database; without a database, on the whole site."""
    if V1:
        resource = DatabaseResource(database) if database is not None else None
        found: bool = await on_1(datasette).allowed(action=action, resource=resource, actor=actor)
        return found
    open_by_default = action not in OURS or action in OPEN
    if action in ("view-database", "view-instance"):
        wanted: Wanted0 = [("view-database", database), "view-instance"] if database is not None else ["view-instance"]
        visible, _ = await on_0(datasette).check_visibility(actor, permissions=wanted)
        return bool(visible)
    answer = await on_0(datasette).permission_allowed(actor, action, resource=database, default=open_by_default)
    return bool(answer)


async def _exportable_0x(datasette: Datasette, actor: Actor, resource: Resource0) -> bool:
    return bool(await on_0(datasette).permission_allowed(actor, EXPORT, resource=resource, default=True))


async def _visible_0x(datasette: Datasette, actor: Actor, database: str, tables: Iterable[str]) -> frozenset[str]:
    """Decide as ``check_visibility`` does, but ask for the database and the site once for all tables, and do not ask
    what the anonymous see, too."""
    allowed, named = on_0(datasette).permission_allowed, list(tables)
    answers: list[Any] = []
    for start in range(0, len(named), _AT_ONCE):  # each is a look at the database, on a thread
        some = named[start : start + _AT_ONCE]
        answers += await asyncio.gather(
            *(allowed(actor, "view-table", resource=(database, table), default=None) for table in some)
        )
    visible, above = [], None
    for table, answer in zip(named, answers):
        if answer is None:
            if above is None:
                answer = await allowed(actor, "view-database", resource=database, default=None)
                if answer is None:
                    answer = await allowed(actor, "view-instance", resource=None, default=None)
                above = answer is None or bool(answer)
            answer = above
        if answer:
            visible.append(table)
    return frozenset(visible)
