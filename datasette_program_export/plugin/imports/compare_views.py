"""The views of a comparison of a file that was sent with the database."""

from __future__ import annotations

import asyncio

from datasette import Response

from ...errors import (
    BusyError,
    ConflictError,
    DeniedError,
    ExportError,
    GoneError,
    NotFoundError,
    SpoolFullError,
    UnsupportedError,
    in_words,
)
from ..host.protocols import Datasette, HttpRequest
from ..http.answers import Failure, answer_headers, answered, data_answer, for_a_browser, page_answer
from ..http.forms import check_same_site, form_of
from ..http.parameters import pairs_of
from ..server.identity import owner_of
from ..server.import_runner import Import, Imports
from ..server.site import background_tasks
from ..words import words_of
from .comparing import DIFFERENCES, CompareWork, Kept, comparison_context, comparison_data, kept_in, names_of
from .context import import_url
from .receiving import receive
from .request import ImportContext, resolve_import
from .views import found_file, sent_beside

_PATIENCE = 5.0  # seconds that an answer waits for the comparison
_NOT_COMPARED = Failure("The file was not compared", "This changed nothing in the database.")


@answered(_NOT_COMPARED, methods=("GET", "HEAD", "POST"))
async def upload_page(request: HttpRequest, datasette: Datasette) -> Response:
    """Show a form for a file to compare; POST receives one and compares it. What cannot be compared is not kept."""
    asked = await resolve_import(datasette, request)
    imports = (await background_tasks(datasette)).imports
    if request.method != "POST":
        return await _form(asked, imports)
    try:
        return await _sent(asked, imports)
    except ExportError as error:
        if not for_a_browser(request):
            raise
        return await _form(asked, imports, error)


@answered(_NOT_COMPARED, methods=("GET", "HEAD", "POST"))
async def compare_page(request: HttpRequest, datasette: Datasette) -> Response:
    """Show the comparison of a file with the database; POST makes it."""
    asked, imports, one = await found_file(request, datasette)
    if request.method == "POST":
        return await _answer(asked, imports, await _compared(asked, imports, one))
    kept = await _kept(asked, imports, one)
    context = comparison_context(asked, one, kept, words_of(request))
    return await page_answer(request, datasette, "program_export/compare.html", context)


@answered(_NOT_COMPARED, methods=("GET", "HEAD", "POST"))
async def compare_data(request: HttpRequest, datasette: Datasette) -> Response:
    """Return the comparison as JSON; POST makes it: 202 if it takes longer."""
    asked, imports, one = await found_file(request, datasette)
    if request.method == "POST":
        one = await _compared(asked, imports, one)
    return await _data(asked, imports, one)


@answered(Failure("The differences cannot be downloaded"))
async def differences(request: HttpRequest, datasette: Datasette) -> Response:
    """Send all differences as a file."""
    asked, imports, one = await found_file(request, datasette)
    kept, path = await _kept(asked, imports, one), imports.place(one.id) / DIFFERENCES
    if kept is None or kept.found is None or not await asyncio.to_thread(path.is_file):
        raise NotFoundError("No comparison of this file is kept.")
    return await sent_beside(asked, one, path, "application/json")


async def _compared(asked: ImportContext, imports: Imports, one: Import) -> Import:
    check_same_site(asked.http, instead="Open the import page here")
    if one.active:
        raise ConflictError("This file is being worked on already.")
    if not await asyncio.to_thread((imports.place(one.id) / one.stored).exists):
        raise GoneError("The file was imported, and is not kept any more. Send it again.")
    names = names_of(pairs_of(asked.http.query_string) + await form_of(asked.http))
    return await _begun(asked, imports, one, names)


async def _begun(asked: ImportContext, imports: Imports, one: Import, names: dict[str, str | None]) -> Import:
    work = CompareWork(asked, one, imports.place(one.id), names)
    await asyncio.to_thread(imports.begin, one, work)
    await asyncio.to_thread(work.ended.wait, _PATIENCE)
    return await asyncio.to_thread(imports.get, one.id) or one


async def _sent(asked: ImportContext, imports: Imports) -> Response:
    check_same_site(asked.http, instead="Open the import page here")
    one = await receive(asked, imports)
    try:
        one = await _begun(asked, imports, one, {})
    except (BusyError, SpoolFullError):
        await asyncio.to_thread(imports.remove_place, one.id)
        raise
    kept = await _kept(asked, imports, one)
    if not one.active and (kept is None or kept.error is not None):
        await asyncio.to_thread(imports.delete, one)
        raise UnsupportedError((kept.error if kept is not None else None) or "The file could not be compared.")
    return await _answer(asked, imports, one)


async def _answer(asked: ImportContext, imports: Imports, one: Import) -> Response:
    if for_a_browser(asked.http):
        page = f"{import_url(asked.datasette, one.database, one.id)}/compare"
        return Response.redirect(page, 303, headers=answer_headers(asked.datasette))
    return await _data(asked, imports, one)


async def _form(asked: ImportContext, imports: Imports, error: ExportError | None = None) -> Response:
    mine = await asyncio.to_thread(imports.of, owner_of(asked.http.actor), asked.database.name)
    base = import_url(asked.datasette, asked.database.name)
    there = [one for one in mine if (imports.place(one.id) / one.stored).exists()]
    context = {
        "database": asked.database.name,
        "upload": f"{base}/compare",
        "waiting": [(f"{base}/{one.id}/compare", one.file) for one in there],
        "links": {"file": base},
        "error": in_words(str(error), "page") if error is not None else None,
    }
    return await page_answer(asked.http, asked.datasette, "program_export/compare.html", context, error)


async def _kept(asked: ImportContext, imports: Imports, one: Import) -> Kept | None:
    kept = None if one.active else await asyncio.to_thread(kept_in, imports, one)
    if kept is not None and not kept.may_see(asked):
        raise DeniedError("What you may see, or what is secret, was changed since. Delete this, and send it again.")
    return kept


async def _data(asked: ImportContext, imports: Imports, one: Import) -> Response:
    data = comparison_data(asked, one, await _kept(asked, imports, one))
    return data_answer(asked.datasette, data, 202 if one.active else 200)
