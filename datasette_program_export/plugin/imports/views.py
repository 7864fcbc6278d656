"""The views of imports."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath

from datasette import Response

from ...errors import (
    BusyError,
    ConflictError,
    DeniedError,
    ExportError,
    GoneError,
    NotFoundError,
    RequestError,
    SpoolFullError,
)
from ...importing.choices import ImportChoices
from ...importing.report import ImportReport
from ..host.protocols import Datasette, HttpRequest
from ..http.answers import (
    Failure,
    answer_headers,
    answered,
    data_answer,
    done_answer,
    for_a_browser,
    page_answer,
    posted,
)
from ..http.forms import check_same_site, form_of
from ..http.kept_file import FileDownload
from ..http.parameters import pairs_of
from ..http.sending import disposition
from ..request.replay import rules_of_settings
from ..server.identity import owner_of
from ..server.import_runner import BAD_ROWS, Import, Imports
from ..server.site import background_tasks
from ..words import words_of
from .context import import_context, import_data_of, import_url, upload_context, upload_data
from .receiving import receive
from .request import YES_OR_NO, ImportContext, choices_of, resolve_import
from .work import ApplyWork, PreviewWork

_PATIENCE = 5.0  # seconds that an answer waits for what it asked for
_check_same_site = partial(check_same_site, instead="Open the import page here")
_NOT_IMPORTED = Failure("Nothing was imported", "This changed nothing in the database.")
_NOT_SHOWN = Failure("The import cannot be shown")


@answered(_NOT_IMPORTED, methods=("GET", "HEAD", "POST"))
async def import_page(request: HttpRequest, datasette: Datasette) -> Response:
    """Show the upload form; POST receives a file and shows its preview."""
    asked = await resolve_import(datasette, request)
    imports = await _imports(datasette)
    if request.method != "POST":
        return await _form(asked, imports)
    if not for_a_browser(request):
        return await _sent(asked, imports)
    try:
        return await _sent(asked, imports)
    except ExportError as error:  # shown beside the form, so that the user can try again
        return await _form(asked, imports, error)


@answered(_NOT_IMPORTED, methods=("GET", "HEAD", "POST"))
async def import_data(request: HttpRequest, datasette: Datasette) -> Response:
    """Return the files that the actor sent. POST receives one: 200 with the preview, or 202 if it takes longer."""
    asked, imports = await resolve_import(datasette, request), await _imports(datasette)
    if request.method == "POST":
        return await _sent(asked, imports)
    mine = await asyncio.to_thread(imports.of, owner_of(request.actor), asked.database.name)
    return data_answer(datasette, await upload_data(asked, imports, mine))


@answered(_NOT_SHOWN, methods=("GET", "HEAD", "DELETE"))
async def file_page(request: HttpRequest, datasette: Datasette) -> Response:
    """Show an uploaded file: its contents, the preview, the progress or the result. DELETE removes it."""
    asked, imports, one = await found_file(request, datasette)
    if request.method == "DELETE":
        return await _deleted(asked, imports, one)
    context = await import_context(asked, imports, one)
    return await page_answer(request, datasette, "program_import/file.html", context)


@answered(_NOT_SHOWN, methods=("GET", "HEAD", "DELETE"))
async def file_state(request: HttpRequest, datasette: Datasette) -> Response:
    """Return an uploaded file and its state as JSON. DELETE removes it."""
    asked, imports, one = await found_file(request, datasette)
    return await (_deleted(asked, imports, one) if request.method == "DELETE" else _data(asked, imports, one))


@answered(Failure("The bad rows cannot be downloaded"))
async def bad_rows(request: HttpRequest, datasette: Datasette) -> Response:
    """Send the rows that an import set aside, each with its reasons."""
    asked, imports, one = await found_file(request, datasette)
    path = imports.place(one.id) / BAD_ROWS
    if one.state != "done" or not await asyncio.to_thread(path.is_file):
        raise NotFoundError("No bad rows of this file are kept.")
    return await sent_beside(asked, one, path, "application/x-ndjson")


async def sent_beside(asked: ImportContext, one: Import, path: Path, media_type: str) -> Response:
    """Send what was made of a file and lies beside it; it is called after both."""
    size = (await asyncio.to_thread(path.stat)).st_size
    name = f"{PurePath(one.file).stem or 'file'}.{path.name}"
    headers = {**answer_headers(asked.datasette), "content-disposition": disposition(name)}
    headers |= {"content-length": str(size), "content-type": media_type}
    if asked.http.method == "HEAD":
        return Response(b"", 200, headers, media_type)
    return FileDownload(path, (0, size), asked.http, asked.settings, 200, headers)


@posted(_NOT_IMPORTED)
async def preview(request: HttpRequest, datasette: Datasette) -> Response:
    """Make a new preview, with the choices that are sent."""
    asked, imports, one = await found_file(request, datasette)
    one, _ = await _with_choices(asked, imports, one)
    return await _looked_at(asked, imports, one)


@posted(_NOT_IMPORTED)
async def apply(request: HttpRequest, datasette: Datasette) -> Response:
    """Import the file with the choices of the preview, or those that are sent; it continues without a waiting client.

    In a browser, a changed choice leads to a new preview first."""
    asked, imports, one = await found_file(request, datasette)
    seen = one.report
    one, expect = await _with_choices(asked, imports, one)
    if for_a_browser(request) and one.report is None:
        return await _looked_at(asked, imports, one, news="changed" if seen is not None else "unseen")
    if one.report is not None:
        asked.rights.check_changes(ImportReport.model_validate(one.report))
    work = ApplyWork(asked, one, imports.place(one.id), asyncio.get_running_loop(), expect)
    await asyncio.to_thread(imports.begin, one, work)
    told = words_of(request)("file.started", name=one.file)
    return await _shown(asked, imports, await _now(imports, one.id), 202, told=told)


@posted(Failure("The import was not cancelled"))
async def cancel(request: HttpRequest, datasette: Datasette) -> Response:
    """Cancel the work on a file; nothing is changed then."""
    asked, imports, one = await found_file(request, datasette)
    _check_same_site(request)
    await asyncio.to_thread(imports.cancel, one)
    told = words_of(request)("file.cancelling", name=one.file) if one.active else None
    return await _shown(asked, imports, await _now(imports, one.id), told=told)


@posted(Failure("The file was not deleted"))
async def delete(request: HttpRequest, datasette: Datasette) -> Response:
    """Delete a file and its report."""
    return await _deleted(*await found_file(request, datasette))


# Shared by these views


async def _imports(datasette: Datasette) -> Imports:
    return (await background_tasks(datasette)).imports


async def _sent(asked: ImportContext, imports: Imports) -> Response:
    """Receive a file and make its preview."""
    _check_same_site(asked.http)
    one = await receive(asked, imports)
    try:
        return await _looked_at(asked, imports, one, new=True)
    except (BusyError, SpoolFullError):
        await asyncio.to_thread(imports.remove_place, one.id)
        raise


async def _looked_at(
    asked: ImportContext, imports: Imports, one: Import, new: bool = False, news: str | None = None
) -> Response:
    """Make a preview. A new file for which that fails is not kept; ``news`` is told on the page beside the preview."""
    work = PreviewWork(asked, one, imports.place(one.id), asyncio.get_running_loop())
    await asyncio.to_thread(imports.begin, one, work)
    await asyncio.to_thread(work.ended.wait, _PATIENCE)
    one = await _now(imports, one.id)
    answerable = one.status == RequestError.status and for_a_browser(asked.http)  # what is asked is asked on its page
    if new and one.state == "failed" and not answerable:
        await asyncio.to_thread(imports.delete, one)
        raise _Failed(one.error or "", one.status)
    return await _shown(asked, imports, one, 202 if one.active else 200, news)


class _Failed(ExportError):
    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


async def found_file(request: HttpRequest, datasette: Datasette) -> tuple[ImportContext, Imports, Import]:
    """Return the file that an address names. Raises NotFoundError, and DeniedError for what may not be seen now."""
    asked = await resolve_import(datasette, request)
    imports = await _imports(datasette)
    one = await asyncio.to_thread(imports.get, request.url_vars["file"])
    if one is None or one.database != asked.database.name or one.owner not in (None, owner_of(request.actor)):
        raise NotFoundError("There is no such file, or it is not yours.")
    if request.method not in ("POST", "DELETE") and one.report and not _still_true(asked, one):
        raise DeniedError("What you may see, or what is secret, was changed since. Delete this, and send it again.")
    return asked, imports, one


def _still_true(asked: ImportContext, one: Import) -> bool:
    """Check whether the actor may still see the report, with the current permissions and settings."""
    found = (one.report or {})["tables"]
    tables = [name for name, table in found.items() if not table.get("created")]  # those are made of the file alone
    return one.rules == rules_of_settings(asked.settings) and asked.rights.visible.issuperset(tables)


async def _now(imports: Imports, id_: str) -> Import:
    one = await asyncio.to_thread(imports.get, id_)
    if one is None:
        raise NotFoundError("There is no such file, or it is not yours.")
    return one


async def _with_choices(asked: ImportContext, imports: Imports, one: Import) -> tuple[Import, str | None]:
    """Return the import with the choices that are sent, and the digest of the preview that the client saw (``expect``).

    A browser's form sends all choices; what a program does not send stays as it is."""
    _check_same_site(asked.http)
    if one.active:
        raise ConflictError("This file is being worked on already.")
    if not await asyncio.to_thread((imports.place(one.id) / one.stored).exists):
        raise GoneError("The file was imported, and is not kept any more. Send it again.")
    sent = pairs_of(asked.http.query_string) + await form_of(asked.http)
    pairs = [(name, value) for name, value in sent if name != "expect"]
    expect = ImportChoices.of({"expect": dict(sent).get("expect") or None}).expect
    rules = rules_of_settings(asked.settings)
    if not [name for name, _ in pairs if name != "csrftoken"]:
        return replace(one, rules=rules), expect
    choices = choices_of(pairs, asked.rights)
    if not for_a_browser(asked.http):
        named = {YES_OR_NO.get(name, name) for name, _ in pairs}
        choices = {name: value for name, value in one.choices.items() if name not in named} | choices
    same = ImportChoices.of(choices) == ImportChoices.of(one.choices)
    return replace(one, choices=choices, rules=rules, report=one.report if same else None), expect


async def _deleted(asked: ImportContext, imports: Imports, one: Import) -> Response:
    _check_same_site(asked.http)
    await asyncio.to_thread(imports.delete, one)
    told = words_of(asked.http)("file.deleted", name=one.file)
    place = import_url(asked.datasette, asked.database.name)
    return done_answer(asked.http, asked.datasette, place, {"ok": True}, message=told)


async def _shown(
    asked: ImportContext,
    imports: Imports,
    one: Import,
    status: int = 200,
    news: str | None = None,
    told: str | None = None,
) -> Response:
    """Respond to an action: redirect a browser to the file's page, with a message there; send a program the data."""
    if for_a_browser(asked.http):
        if told is not None:
            asked.datasette.add_message(asked.http, told, asked.datasette.INFO)
        page = import_url(asked.datasette, one.database, one.id)
        page += f"?news={news}" if news is not None else ""
        return Response.redirect(page, 303, headers=answer_headers(asked.datasette))
    return await _data(asked, imports, one, status)


async def _data(asked: ImportContext, imports: Imports, one: Import, status: int = 200) -> Response:
    page = import_url(asked.datasette, one.database, one.id)
    more = {"retry-after": "1"} if one.active else {}
    if status == 202:
        more["location"] = asked.datasette.absolute_url(asked.http, f"{page}.json")
    return data_answer(
        asked.datasette, import_data_of(asked, imports, one), status, answer_headers(asked.datasette, more)
    )


async def _form(asked: ImportContext, imports: Imports, error: ExportError | None = None) -> Response:
    mine = await asyncio.to_thread(imports.of, owner_of(asked.http.actor), asked.database.name)
    context = await upload_context(asked, imports, mine, error)
    return await page_answer(asked.http, asked.datasette, "program_import/upload.html", context, error)
