"""Turn a table page's filters, search and sort order into a ``Request``.

The page's query is rebuilt rather than run, so that neither its row limit nor its time
limit applies. The filters are Datasette's (``datasette.filters``) and those of other plugins.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from datasette.filters import Filters
from datasette.plugins import pm
from datasette.utils import await_me_maybe
from datasette.utils.asgi import Base400, Forbidden
from datasette.utils.sqlite import sqlite3
from datasette.views.base import DatasetteError

from ...database.schema import Table
from ...errors import DeniedError, RequestError
from .. import host
from ..host.protocols import Args, Datasette, HttpRequest

_CONDITIONS = ("_where", "_through", "_search")
_CHOOSING = (*_CONDITIONS, "_fts_table", "_sort", "_col", "_nocol", "_filter_column")
_LOOKUPS = {key for key, _, _ in Filters([]).lookups()}
_MOST_CONDITIONS = 100
_MOST_SQL = 20  # of _where: for each one, Datasette builds the whole URL again without it
# Datasette does not check the value of _through
_OF_THROUGH = (ValueError, KeyError, TypeError, AttributeError, RecursionError, sqlite3.Error)
_NO_THROUGH = "_through asks for what does not exist, or for what you may not see."


def chooses_rows(name: str) -> bool:
    """Return whether this parameter of a table's page chooses rows or columns, or their order."""
    return name.startswith(_CHOOSING) or "__" in name


async def page_fields(
    datasette: Datasette, request: HttpRequest, database: str, table: Table, searched: Set[str]
) -> tuple[dict[str, Any], str]:
    """Return the fields of a Request for the page's parameters, and a description in words.

    ``searched`` are the indexes with which the table may be searched. Raises RequestError, which
    names the parameter, if the page would silently show other rows."""
    args = request.args
    for index in args.getlist("_fts_table"):  # 0.x accepts any table as an index
        if index not in searched:
            raise RequestError(f"_fts_table: {index} is no search index of {table.name}.")
    where, params, words = await _where(datasette, request, database, table)
    config = await host.table_settings(datasette, database, table.name)
    sort = _sort(args, config, table)
    if sort:
        words += f" sorted by {sort[0][0]}{' descending' if sort[0][1] else ''}"
    columns = _columns(args, table)
    if columns is not None:
        words += f" (only the columns {', '.join(columns)})"
    return {"where": tuple(where), "params": params, "sort": sort, "columns": columns}, words.strip()


async def _where(
    datasette: Datasette, request: HttpRequest, database: str, table: Table
) -> tuple[list[str], dict[str, Any], str]:
    args, pairs = request.args, []
    _check_number(args)
    for key in args:
        if key.startswith("_") and "__" not in key:
            continue
        column, _, lookup = key.rpartition("__") if "__" in key else (key, "", "exact")
        if column != "rowid" and table.column(column) is None:
            raise RequestError(f"{table.name} has no column {column} to filter by.")
        if lookup not in _LOOKUPS:
            raise RequestError(f"There is no filter {lookup}. Known: {', '.join(sorted(_LOOKUPS))}.")
        pairs += [(key, value) for value in args.getlist(key)]
    if any(key.startswith("_filter_column") for key in args):
        raise RequestError("_filter_column is a form's field; use column__filter=value instead.")
    filters, words = Filters(sorted(pairs)), []
    try:
        where, params = filters.build_where_clauses(table.name)
    except (ValueError, RecursionError):  # Datasette reads a value that begins with [ as JSON
        culprits = [key for key, value in pairs if value.startswith("[")]
        raise RequestError(f"{', '.join(culprits)}: this begins like JSON, but is none.") from None
    try:
        hooks = pm.hook.filters_from_request(request=request, table=table.name, database=database, datasette=datasette)
        for hook in hooks:
            arguments = await await_me_maybe(hook)
            if arguments:
                where.extend(arguments.where_clauses)
                params.update(arguments.params)
                words += arguments.human_descriptions
    except DatasetteError as error:
        if error.status == 403:
            raise DeniedError("You may not use _where here: it is SQL.") from None
        raise RequestError(_NO_THROUGH if "_through" in args else f"{error.message}.") from None
    except (Base400, Forbidden):
        raise RequestError(_NO_THROUGH if "_through" in args else "The filters cannot be used.") from None
    except _OF_THROUGH:
        raise RequestError('_through must be JSON: {"table": …, "column": …, "value": …}.') from None
    searched = [k for k in args if k.startswith("_search") and k != "_searchmode" and args[k]]
    if searched and not any(name.startswith("search") for name in params):
        raise RequestError(f"{table.name} has no search index that Datasette knows, so {searched[0]} finds nothing.")
    return where, params, filters.human_description_en(extra=words)


def _check_number(args: Args) -> None:
    asked = [key for key in args if not key.startswith("_") or "__" in key or key.startswith(_CONDITIONS)]
    if sum(len(args.getlist(key)) for key in asked) > _MOST_CONDITIONS:
        raise RequestError(f"A table is filtered by at most {_MOST_CONDITIONS} conditions; say more in a query.")
    if len(args.getlist("_where")) > _MOST_SQL:
        raise RequestError(f"_where is given at most {_MOST_SQL} times; join conditions by AND.")


def _sort(args: Args, config: dict[str, Any], table: Table) -> tuple[tuple[str, bool], ...]:
    up, down = args.get("_sort"), args.get("_sort_desc")
    if "_sort_by_desc" in args:
        up, down = None, down or up
    if not up and not down:
        up, down = config.get("sort"), config.get("sort_desc")
    if up and down:
        raise RequestError("_sort and _sort_desc cannot both be given.")
    name = up or down
    if not name:
        return ()
    sortable = set(config.get("sortable_columns") or (c.name for c in table.columns))
    if name not in sortable and not (name == "rowid" and not table.pk):
        raise RequestError(f"{table.name} cannot be sorted by {name}.")
    return ((name, bool(down)),)


def _columns(args: Args, table: Table) -> tuple[str, ...] | None:
    """Apply ``_col`` and ``_nocol`` as the page does: one adds to the primary key, the other removes."""
    names = [c.name for c in table.visible_columns]
    chosen = names
    if "_col" in args:
        _check_columns("_col", args.getlist("_col"), names, table)
        chosen = list(dict.fromkeys([*table.pk, *args.getlist("_col")]))
    if "_nocol" in args:
        _check_columns("_nocol", args.getlist("_nocol"), [n for n in names if n not in table.pk], table)
        gone = set(args.getlist("_nocol"))
        chosen = [n for n in chosen if n not in gone]
    return None if chosen == names else tuple(chosen)


def _check_columns(parameter: str, given: list[str], known: list[str], table: Table) -> None:
    for name in dict.fromkeys(given):
        if name not in known:
            raise RequestError(f"{parameter}: {table.name} has no column {name} that can be chosen.")
