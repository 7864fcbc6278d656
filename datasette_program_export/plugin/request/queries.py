"""Stored and ad-hoc SQL queries, with Datasette's own checks."""

from __future__ import annotations

from itertools import chain
from typing import Any

from datasette.plugins import pm
from datasette.utils import InvalidSql, await_me_maybe, derive_named_parameters, validate_sql_select

from ...errors import DeniedError, RequestError
from .. import host


async def stored_fields(datasette: Any, http: Any, database: Any, query: host.StoredQuery) -> dict[str, Any]:
    """The fields of a Request for a stored query. Raises DeniedError, RequestError."""
    if not query.trusted and not await host.may(datasette, http.actor, "execute-sql", database.name):
        raise DeniedError(f"You may not run the query {query.name}.")
    if query.writes:
        raise RequestError(f"The query {query.name} writes to the database; it has nothing to export.")
    magics = dict(chain.from_iterable(pm.hook.register_magic_parameters(datasette=datasette)))
    params: dict[str, Any] = {}
    for name in query.params or await derive_named_parameters(database, query.sql):
        prefix, _, rest = name[1:].partition("_")
        if not name.startswith("_"):
            params[name] = http.args.get(name) or ""
        elif rest and prefix in magics:
            try:
                params[name] = await await_me_maybe(magics[prefix](rest, http))
            except (KeyError, TypeError):  # a cookie or an actor's attribute that is not there
                raise RequestError(f"The query {query.name} needs {name}, which your request does not have.") from None
    return {"sql": query.sql, "params": params, "name": query.name}


async def query_fields(datasette: Any, http: Any, database: Any) -> dict[str, Any]:
    """The fields of a Request for the SQL in the parameter ``sql``. Raises DeniedError, RequestError."""
    if not await host.may(datasette, http.actor, "execute-sql", database.name):
        raise DeniedError("You may not run SQL on this database.")
    sql = http.args["sql"]
    if len(http.args.getlist("sql")) > 1:
        raise RequestError("sql was given twice.")
    try:
        validate_sql_select(sql)
    except InvalidSql as error:
        raise RequestError(f"sql: {error}.") from None
    names = await derive_named_parameters(database, sql)
    return {"sql": sql, "params": {name: http.args.get(name) or "" for name in names}}
