"""What is answered: documents, the export page of a record, its plan as data."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from datasette import Response
from datasette.utils import add_cors_headers, tilde_decode
from datasette.utils.asgi import BadRequest

from ..catalog import Catalog, catalog
from ..errors import BusyError, DeniedError, ExportError, NotFoundError
from ..exporter import Export
from ..formats import get_format
from ..planner import plan
from ..request import Request, parse_options, parse_row_path
from ..settings import Settings
from ..snapshot import Snapshot
from ..source import Source
from . import host
from .page import record_page
from .page_query import page_fields
from .responses import HEADERS, Download

View = Callable[[Any, Any], Awaitable[Response]]


@dataclass(frozen=True)
class Asked:
    """Who asks for what: everything a view needs to know, with the permissions already looked at."""

    datasette: Any
    http: Any
    database: Any
    table: str
    visible: frozenset[str]
    settings: Settings
    source: Source

    @property
    def options(self) -> dict[str, Any]:
        args = self.http.args
        return parse_options((key, value) for key in args for value in args.getlist(key))

    @property
    def record(self) -> Request:
        """The row in the path, with the options in the query string."""
        return Request(table=self.table, records=(parse_row_path(self.http.url_vars["pks"]),), **self.options)


def answered(view: Callable[[Asked], Awaitable[Response]]) -> View:
    """Make a view of a function of ``Asked``: look at method and permission, turn errors into answers."""

    async def wrapper(  # not functools.wraps: Datasette goes by the signature
        request: Any, datasette: Any
    ) -> Response:
        try:
            if request.method not in ("GET", "HEAD"):
                return _error(datasette, "This address can only be read (GET).", 405)
            return await view(await _asked(datasette, request))
        except ExportError as error:
            headers = {"retry-after": str(error.retry_after)} if isinstance(error, BusyError) else {}
            if "text/html" in request.headers.get("accept", ""):
                return await _error_page(datasette, request, error, headers)
            return _error(datasette, str(error), error.status, headers)

    wrapper.__doc__ = view.__doc__
    return wrapper


async def _asked(datasette: Any, request: Any) -> Asked:
    database = host.database_for(datasette, tilde_decode(request.url_vars["database"]))
    table = tilde_decode(request.url_vars["table"])
    with host.readable(database):
        if not await host.may_see(datasette, request.actor, database.name, table):
            raise DeniedError(f"You may not see the table {table}.")
        visible = await host.visible_tables(datasette, request.actor, database)
        settings = await host.settings_for(datasette, database.name, visible)
    return Asked(datasette, request, database, table, visible, settings, host.source_for(datasette, database, settings))


def unsupported() -> None:
    """Where Datasette would let us render its own page of rows: that would be one page, not all.

    Raised, as 0.x puts a status of its own over that of an answer."""
    raise BadRequest("Only tables, views and rows can be exported by .programjson; this is a query.")


def _error(datasette: Any, message: str, status: int, headers: dict[str, str] | None = None) -> Response:
    body = {"ok": False, "error": message, "errors": [message], "status": status, "title": None}
    return Response.json(body, status=status, headers=_headers(datasette, headers))


async def _error_page(datasette: Any, request: Any, error: ExportError, headers: dict[str, str]) -> Response:
    context = {"message": str(error), "status": error.status}
    html = await datasette.render_template("program_export_error.html", context, request=request)
    return Response.html(html, status=error.status, headers=_headers(datasette, headers))


def _headers(datasette: Any, more: dict[str, str] | None = None) -> dict[str, str]:
    headers = {**HEADERS, **(more or {})}
    if datasette.cors:
        add_cors_headers(headers)
    return headers


async def _download(asked: Asked, request: Request) -> Response:
    if asked.http.method == "HEAD":  # nothing is run, so there is no name and no size to tell
        content_type = get_format(request.format).media_type
        return Response(b"", 200, _headers(asked.datasette), content_type)
    export = Export(asked.source, request, settings=asked.settings, visible=asked.visible)
    download = Download(export, asked.http, asked.settings)
    if asked.datasette.cors:
        add_cors_headers(download.headers)
    return await download.start()


@answered
async def row_document(asked: Asked) -> Response:
    """``/db/table/pk.programjson``: a record with all that belongs to it."""
    return await _download(asked, asked.record)


row_download = row_document  # the same, under the page's own path


@answered
async def table_document(asked: Asked) -> Response:
    """``/db/table.programjson``: all rows that the page with these parameters would show."""
    known = await asyncio.to_thread(_known, asked.source, asked.settings)
    table = known.schema.find(asked.table)
    if table is None:
        raise NotFoundError(f"There is no table {asked.table} in {asked.database.name}.")
    fields = await page_fields(asked.datasette, asked.http, asked.database.name, table)
    return await _download(asked, Request(table=table.name, **fields, **asked.options))


def _known(source: Source, settings: Settings) -> Catalog:
    with closing(Snapshot(source)) as snapshot:
        return catalog(snapshot.schema, settings)


@answered
async def row_page(asked: Asked) -> Response:
    """The export page of a record: what would be in the file, what not and why, and the button."""
    request = asked.record
    made = await asyncio.to_thread(plan, asked.source, request, settings=asked.settings, visible=asked.visible)
    context = record_page(asked.datasette, asked.http, asked.database.name, request, made)
    html = await asked.datasette.render_template("program_export_record.html", context, request=asked.http)
    return Response.html(html, headers=_headers(asked.datasette))


@answered
async def row_plan(asked: Asked) -> Response:
    """The plan as data."""
    made = await asyncio.to_thread(plan, asked.source, asked.record, settings=asked.settings, visible=asked.visible)
    return Response.json(made.model_dump(mode="json"), headers=_headers(asked.datasette))
