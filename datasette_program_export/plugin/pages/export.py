"""The views of exports: the export page, the plan as JSON, the download."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from threading import Event

from datasette import Response
from datasette.utils import add_cors_headers
from datasette.utils.asgi import BadRequest

from ...errors import BusyError, RequestError
from ...exporting.exporter import Export
from ...formats.registry import check_choices, get_format
from ...options.request import Request
from ...planning.row_picker import Picking, pick
from .. import host
from ..host.permission_hooks import VERIFY
from ..host.protocols import Datasette, HttpRequest
from ..http.answers import NOT_EXPORTED, answer_headers, answered, data_answer, page_answer
from ..http.download import Download
from ..http.looking import look
from ..http.word import Ended
from ..request.asked import ExportContext, as_form, plan_of, resolve_export
from ..request.form import Form, read_form, without_records
from ..request.profiles import saving
from ..server.audit_log import AuditLog, LogEntry
from .export_context import page_context
from .sample import beginning

_ROWS_OF = ("table", "where", "params", "sort")  # fields of a Request: which rows of a table, in what order


def unsupported() -> None:
    """Refuse to render rows for Datasette's renderer hook: it would export one page, not all rows.

    Raises BadRequest, because 0.x overrides the status of a response."""
    raise BadRequest("This address cannot be exported.")


async def _download(asked: ExportContext) -> Response:
    form = get_format(asked.request.format)
    check_choices(form, asked.request)
    if asked.http.method == "HEAD":  # the export does not run, so its name and size are unknown
        return Response(b"", 200, answer_headers(asked.datasette), form.media_type)
    export = Export(
        asked.source,
        asked.request,
        settings=asked.settings,
        visible=asked.visible,
        max_seconds=asked.max_seconds,
        tell=False,
        stores=asked.stores,
    )
    word = Ended(asked.datasette, asked.http.actor, export)
    line = None
    if asked.settings.audit_log is not None:
        line = LogEntry(AuditLog(asked.settings.audit_log), asked.http.actor, asked.database.name, asked.request)
    try:
        made = Download(export, asked.http, asked.settings, line, word)
    except BusyError as error:
        if line is not None:
            line.end(str(error), 0)
        await word.tell("failed", str(error))
        raise
    if asked.datasette.cors:
        add_cors_headers(made.headers)
    return await made.start()


@answered(NOT_EXPORTED)
async def document(request: HttpRequest, datasette: Datasette) -> Response:
    """Send ``….programjson`` (``csv``, ``zip``) of a database, a table, a view, a stored query or a row."""
    return await _download(await resolve_export(datasette, request))


@answered(NOT_EXPORTED)
async def query_document(request: HttpRequest, datasette: Datasette) -> Response:
    """Send ``/db/-/query.programjson?sql=…``."""
    if "sql" not in request.args:
        raise RequestError("The parameter sql is missing.")
    return await _download(await resolve_export(datasette, request))


@answered(NOT_EXPORTED)
async def download(request: HttpRequest, datasette: Datasette) -> Response:
    """Send the file that the export page's form requests, ignoring options that its format does not have."""
    return await _download(as_form(await resolve_export(datasette, read_form(request).http)))


@answered(NOT_EXPORTED)
async def page(request: HttpRequest, datasette: Datasette) -> Response:
    """Show the export page: what the file would contain, what not and why, and the button."""
    form = read_form(request)
    if form.address is not None:  # redirect a form to an address that can be bookmarked and shared
        return Response.redirect(form.address, headers=answer_headers(datasette))
    asked = as_form(await resolve_export(datasette, form.http))
    # show exports that are too large, so that they can be made smaller; only the download is refused
    made = await plan_of(replace(asked, settings=asked.settings.model_copy(update={"max_rows": None})))
    picking = await _picking(asked, form)
    begins = await look(request, partial(beginning, asked)) if form.sample else None
    context = {
        **page_context(asked, made, form, picking, begins),
        **await saving(datasette, request.actor),
        "may_verify": await host.may(datasette, request.actor, VERIFY),
    }
    return await page_answer(request, datasette, "program_export.html", context)


async def _picking(asked: ExportContext, form: Form) -> Picking | None:
    """Return the rows to pick from; None if the subject is not a table, or if its rows have no children."""
    request = asked.request
    if request.table is None or "pks" in asked.http.url_vars or (request.cascade and not request.records):
        return None
    rows = await resolve_export(asked.datasette, without_records(asked.http)) if request.records else asked
    plain = Request(**{name: getattr(rows.request, name) for name in _ROWS_OF})
    picked = request if request.records else None
    find, page, settings, visible = form.find, form.page, asked.settings, asked.visible

    def picking(unwanted: Event) -> Picking:
        return pick(asked.source, plain, picked, find, page, settings=settings, visible=visible, cancelled=unwanted)

    found = await look(asked.http, picking)
    return found if found.possible else None


@answered(NOT_EXPORTED)
async def plan_data(request: HttpRequest, datasette: Datasette) -> Response:
    """Return the plan as JSON."""
    made = await plan_of(await resolve_export(datasette, request))
    return data_answer(datasette, made.model_dump(mode="json"))
