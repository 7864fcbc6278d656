"""The stored queries of a site (0.x: canned queries), on Datasette 0.x and 1.0."""

from __future__ import annotations

from dataclasses import dataclass

from .line import V1
from .protocols import Actor, Datasette, Wanted0, on_0, on_1

if V1:
    from datasette.resources import QueryResource

QUERY_BEFORE_TABLE = not V1  # if both have the same name, 0.x shows the query, 1.0 the table


@dataclass(frozen=True)
class StoredQuery:
    """A query that the site offers under a name; if ``trusted``, it may read what its reader may not see."""

    name: str
    sql: str
    params: tuple[str, ...]
    trusted: bool
    writes: bool


async def stored_query(datasette: Datasette, actor: Actor, database: str, name: str) -> StoredQuery | None:
    """Return the stored (0.x: canned) query called ``name``, or None if this actor may not see it.

    On 1.0 an untrusted query also needs the permission to run SQL, which the caller checks."""
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
