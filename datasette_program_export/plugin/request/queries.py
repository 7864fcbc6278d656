"""Check stored and ad-hoc SQL queries with Datasette's own checks."""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import Any

from datasette.plugins import pm
from datasette.utils import InvalidSql, await_me_maybe, validate_sql_select

from ...database.guarding.sql_tokens import SQLTextError, Token, tokens
from ...errors import DeniedError, RequestError
from .. import host
from ..host.protocols import Database, Datasette, HttpRequest
from ..http.parameters import MOST


async def stored_fields(
    datasette: Datasette, http: HttpRequest, database: Database, query: host.StoredQuery
) -> dict[str, Any]:
    """Return the fields of a Request for a stored query. Raises DeniedError, RequestError."""
    if not query.trusted and not await host.may(datasette, http.actor, "execute-sql", database.name):
        raise DeniedError(f"You may not run the query {query.name}.")
    if query.writes:
        raise RequestError(f"The query {query.name} writes to the database; it has nothing to export.")
    if not query.trusted and len(query.sql) > MOST:
        raise RequestError(f"The query {query.name} is too long: somebody's SQL holds at most {MOST:,} characters.")
    magics = dict(chain.from_iterable(pm.hook.register_magic_parameters(datasette=datasette)))
    params: dict[str, Any] = {}
    for name in query.params or _parameters(await asyncio.to_thread(_tokens, f"The query {query.name}", query.sql)):
        prefix, _, rest = name[1:].partition("_")
        if not name.startswith("_"):
            params[name] = http.args.get(name) or ""
        elif rest and prefix in magics:
            try:
                params[name] = await await_me_maybe(magics[prefix](rest, http))
            except (KeyError, TypeError):  # a missing cookie or actor attribute
                raise RequestError(f"The query {query.name} needs {name}, which your request does not have.") from None
    return {"sql": query.sql, "params": params, "name": query.name}


async def query_fields(datasette: Datasette, http: HttpRequest, database: Database) -> dict[str, Any]:
    """Return the fields of a Request for the SQL in the parameter ``sql``. Raises DeniedError, RequestError."""
    if not await host.may(datasette, http.actor, "execute-sql", database.name):
        raise DeniedError("You may not run SQL on this database.")
    sql = http.args["sql"]
    if len(http.args.getlist("sql")) > 1:
        raise RequestError("sql was given twice.")
    parts = await asyncio.to_thread(_tokens, "sql", sql)  # on a thread: a long text must not block the event loop
    try:
        validate_sql_select(" ".join(token.text for token in parts))  # its patterns are slow on blanks and comments
    except InvalidSql as error:
        raise RequestError(f"sql: {error}.") from None
    args = http.args
    return {"sql": sql, "params": {name: args.get(name) or "" for name in _parameters(parts)}}


def _tokens(what: str, sql: str) -> list[Token]:
    """Split SQL into tokens without its comments. Raises RequestError if it cannot be read as SQL."""
    try:
        return [token for token in tokens(sql) if token.kind != "comment"]
    except SQLTextError:
        raise RequestError(f"{what} is not SQL: a quote or a comment in it may have no end.") from None


def _parameters(parts: list[Token]) -> list[str]:
    """Return the names of the parameters, found as Datasette does: ``:name``."""
    found = (token.text[1:] for token in parts if token.kind == "variable" and token.text.startswith(":"))
    return list(dict.fromkeys(found))
