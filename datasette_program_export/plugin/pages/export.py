"""The views of exports: the export page, the plan as JSON, the download."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from datasette import Response
from datasette.utils import add_cors_headers
from datasette.utils.asgi import BadRequest

from ...errors import BusyError, RequestError
from ...exporting.exporter import Export
from ...formats.registry import check_choices, get_format
from ...options.request import Request
from ...planning.planner import Plan, plan
from ...planning.row_picker import Picking, pick
from ..host.protocols import Datasette, HttpRequest
from ..http.answers import NOT_EXPORTED, answer_headers, answered, page_answer
from ..http.download import Download
from ..request.asked import ExportContext, as_form, resolve_export
from ..request.form import Form, read_form, without_records
from ..request.profiles import saving
from ..server.audit_log import AuditLog, LogEntry
from .export_context import page_context
from .sample import beginning

_ROWS_OF = ("table", "where", "params", "sort")  # of a request: which rows of a table, and in what order


def unsupported() -> None:
    """Where Datasette would let us render its own page of rows: that would be one page, not all.

    Raised, as 0.x puts a status of its own over that of an answer."""
    raise BadRequest("This address cannot be exported.")


async def _download(asked: ExportContext) -> Response:
    form = get_format(asked.request.format)
    check_choices(form, asked.request)
    if asked.http.method == "HEAD":  # nothing is run, so there is no name and no size to tell
        return Response(b"", 200, answer_headers(asked.datasette), form.media_type)
    export = Export(
        asked.source,
        asked.request,
        settings=asked.settings,
        visible=asked.visible,
        max_seconds=asked.max_seconds,
    )
    line = None
    if asked.settings.audit_log is not None:
        line = LogEntry(AuditLog(asked.settings.audit_log), asked.http.actor, asked.database.name, asked.request)
    try:
        made = Download(export, asked.http, asked.settings, line)
    except BusyError as error:
        if line is not None:
            line.end(str(error), 0)
        raise
    if asked.datasette.cors:
        add_cors_headers(made.headers)
    return await made.start()


@answered(NOT_EXPORTED)
async def document(request: HttpRequest, datasette: Datasette) -> Response:
    """``….programjson`` (``csv``, ``zip``) of a database, a table, a view, a stored query, a row."""
    return await _download(await resolve_export(datasette, request))


@answered(NOT_EXPORTED)
async def query_document(request: HttpRequest, datasette: Datasette) -> Response:
    """``/db/-/query.programjson?sql=…``."""
    if "sql" not in request.args:
        raise RequestError("The parameter sql is missing.")
    return await _download(await resolve_export(datasette, request))


@answered(NOT_EXPORTED)
async def download(request: HttpRequest, datasette: Datasette) -> Response:
    """The export page's button. A layout or dialect that the chosen format does not have is the form's, not a wish."""
    return await _download(as_form(await resolve_export(datasette, read_form(request).http)))


async def _plan(asked: ExportContext) -> Plan:
    return await asyncio.to_thread(plan, asked.source, asked.request, settings=asked.settings, visible=asked.visible)


@answered(NOT_EXPORTED)
async def page(request: HttpRequest, datasette: Datasette) -> Response:
    """The export page: what would be in the file, what not and why, and the button."""
    form = read_form(request)
    if form.address is not None:  # what a form sent, in an address that can be kept and sent
        return Response.redirect(form.address, headers=answer_headers(datasette))
    asked = as_form(await resolve_export(datasette, form.http))
    # what is too large is shown, so that it can be made smaller; only the download is refused
    made = await _plan(replace(asked, settings=asked.settings.model_copy(update={"max_rows": None})))
    picking = await _picking(asked, form)
    begins = await asyncio.to_thread(beginning, asked) if form.sample else None
    context = {
        **page_context(asked, made, form, picking, begins),
        **await saving(datasette, request.actor),
    }
    return await page_answer(request, datasette, "program_export.html", context)


async def _picking(asked: ExportContext, form: Form) -> Picking | None:
    """The rows of the table to pick from; None for what is no table, or where nothing hangs off its rows."""
    request = asked.request
    if request.table is None or "pks" in asked.http.url_vars or (request.cascade and not request.records):
        return None
    rows = await resolve_export(asked.datasette, without_records(asked.http)) if request.records else asked
    plain = Request(**{name: getattr(rows.request, name) for name in _ROWS_OF})
    picked = request if request.records else None
    found = await asyncio.to_thread(
        pick,
        asked.source,
        plain,
        picked,
        form.find,
        form.page,
        settings=asked.settings,
        visible=asked.visible,
    )
    return found if found.possible else None


@answered(NOT_EXPORTED)
async def plan_data(request: HttpRequest, datasette: Datasette) -> Response:
    """The plan as data."""
    made = await _plan(await resolve_export(datasette, request))
    return Response.json(made.model_dump(mode="json"), headers=answer_headers(datasette))
