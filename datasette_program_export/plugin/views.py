"""What is answered: documents, the export page, its plan as data, the log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from datasette import Response
from datasette.utils import add_cors_headers
from datasette.utils.asgi import BadRequest

from ..errors import BusyError, DeniedError, ExportError, RequestError
from ..exporter import Export
from ..formats import check_choices, get_format
from ..picking import Picking, pick
from ..planner import Plan, plan
from ..request import Request
from . import host
from .asking import Asked, ask
from .audit import AuditLog, Line
from .beginning import beginning
from .form import Form, read_form, without_records
from .page import page_context
from .permissions import AUDIT
from .profile_site import saving
from .responses import HEADERS, Download

_ROWS_OF = ("table", "where", "params", "sort")  # of a request: which rows of a table, and in what order
View = Callable[[Any, Any], Awaitable[Response]]


def for_a_browser(request: Any) -> bool:
    """Whether a person is answered, with a page, and not a program."""
    return "text/html" in request.headers.get("accept", "")


def answered(view: Callable[[Any, Any], Awaitable[Response]], methods: tuple[str, ...] = ("GET", "HEAD")) -> View:
    """Turn a view's errors into answers: JSON for programs, a page with the sentence for browsers."""

    async def wrapper(request: Any, datasette: Any) -> Response:  # Datasette goes by the signature
        try:
            if request.method not in methods:
                only = "can only be read (GET)" if "GET" in methods else f"takes {' and '.join(methods)} only"
                return error_answer(datasette, f"This address {only}.", 405, {"allow": ", ".join(methods)})
            return await view(request, datasette)
        except ExportError as error:
            headers = {"retry-after": str(error.retry_after)} if isinstance(error, BusyError) else {}
            if for_a_browser(request):
                return await _error_page(datasette, request, error, headers)
            return error_answer(datasette, str(error), error.status, headers)

    wrapper.__doc__ = view.__doc__
    return wrapper


def unsupported() -> None:
    """Where Datasette would let us render its own page of rows: that would be one page, not all.

    Raised, as 0.x puts a status of its own over that of an answer."""
    raise BadRequest("This address cannot be exported.")


def error_answer(datasette: Any, message: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """An error as programs read it."""
    body = {"ok": False, "error": message, "errors": [message], "status": status}
    return Response.json(body, status=status, headers=answer_headers(datasette, headers))


async def _error_page(datasette: Any, request: Any, error: ExportError, headers: dict[str, str]) -> Response:
    context = {"message": str(error), "status": error.status}
    html = await datasette.render_template("program_export_error.html", context, request=request)
    return Response.html(html, status=error.status, headers=answer_headers(datasette, headers))


def answer_headers(datasette: Any, more: dict[str, str] | None = None) -> dict[str, str]:
    """What stands over every answer."""
    headers = {**HEADERS, **(more or {})}
    if datasette.cors:
        add_cors_headers(headers)
    return headers


async def _download(asked: Asked) -> Response:
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
        line = Line(AuditLog(asked.settings.audit_log), asked.http.actor, asked.database.name, asked.request)
    try:
        made = Download(export, asked.http, asked.settings, line)
    except BusyError as error:
        if line is not None:
            line.end(str(error), 0)
        raise
    if asked.datasette.cors:
        add_cors_headers(made.headers)
    return await made.start()


@answered
async def document(request: Any, datasette: Any) -> Response:
    """``….programjson`` (``csv``, ``zip``) of a database, a table, a view, a stored query, a row."""
    return await _download(await ask(datasette, request))


@answered
async def query_document(request: Any, datasette: Any) -> Response:
    """``/db/-/query.programjson?sql=…``."""
    if "sql" not in request.args:
        raise RequestError("The parameter sql is missing.")
    return await _download(await ask(datasette, request))


@answered
async def download(request: Any, datasette: Any) -> Response:
    """The export page's button. A layout or dialect that the chosen format does not have is the form's, not a wish."""
    return await _download(as_form(await ask(datasette, read_form(request).http)))


def as_form(asked: Asked) -> Asked:
    """As the export page's form means it: what the chosen format does not have is no wish."""
    form = get_format(asked.request.format)
    idle: dict[str, Any] = {}
    if asked.request.layout not in form.layouts:
        idle["layout"] = "rows"
    if form.delimiter is None:
        idle |= {"dialect": "exact", "delimiter": None}
    return replace(asked, request=asked.request.model_copy(update=idle))


async def _plan(asked: Asked) -> Plan:
    return await asyncio.to_thread(plan, asked.source, asked.request, settings=asked.settings, visible=asked.visible)


@answered
async def page(request: Any, datasette: Any) -> Response:
    """The export page: what would be in the file, what not and why, and the button."""
    form = read_form(request)
    if form.address is not None:  # what a form sent, in an address that can be kept and sent
        return Response.redirect(form.address, headers=answer_headers(datasette))
    asked = as_form(await ask(datasette, form.http))
    # what is too large is shown, so that it can be made smaller; only the download is refused
    made = await _plan(replace(asked, settings=asked.settings.model_copy(update={"max_rows": None})))
    picking = await _picking(asked, form)
    begins = await asyncio.to_thread(beginning, asked) if form.sample else None
    context = {
        **page_context(asked, made, form, picking, begins),
        **await saving(datasette, request.actor),
    }
    html = await datasette.render_template("program_export.html", context, request=request)
    return Response.html(html, headers=answer_headers(datasette))


async def _picking(asked: Asked, form: Form) -> Picking | None:
    """The rows of the table to pick from; None for what is no table, or where nothing hangs off its rows."""
    request = asked.request
    if request.table is None or "pks" in asked.http.url_vars or (request.cascade and not request.records):
        return None
    rows = await ask(asked.datasette, without_records(asked.http)) if request.records else asked
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


@answered
async def plan_data(request: Any, datasette: Any) -> Response:
    """The plan as data."""
    made = await _plan(await ask(datasette, request))
    return Response.json(made.model_dump(mode="json"), headers=answer_headers(datasette))


async def _audit(request: Any, datasette: Any) -> dict[str, Any]:
    if not await host.may(datasette, request.actor, AUDIT):
        raise DeniedError("You may not read the log of exports.")
    before = request.args.get("before") or ""
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise RequestError("before must be a whole number, as the page before told it.")
    settings = await host.site_settings(datasette)
    if settings.audit_log is None:
        return {"kept": False, "lines": [], "older": None}
    lines, older = await asyncio.to_thread(AuditLog(settings.audit_log).newest, int(before) if before else None)
    return {"kept": True, "lines": lines, "older": older}


@answered
async def audit_page(request: Any, datasette: Any) -> Response:
    """The log of exports, newest first."""
    context = await _audit(request, datasette)
    html = await datasette.render_template("program_export_audit.html", context, request=request)
    return Response.html(html, headers=answer_headers(datasette))


@answered
async def audit_lines(request: Any, datasette: Any) -> Response:
    """The log of exports as data."""
    return Response.json(await _audit(request, datasette), headers=answer_headers(datasette))
