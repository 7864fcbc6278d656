"""The page that verifies a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, get_args

from datasette import Response

from ...errors import DeniedError, ExportError, in_words
from ...files.temporary.folder import TemporaryFolder
from ...files.temporary.room import room_in
from ...formats.description.phrases import ENGLISH, Say
from ...options.settings import Settings
from ...verifying.report import Report
from ...verifying.verifier import verify
from .. import host
from ..host.permission_hooks import VERIFY
from ..host.protocols import Datasette, HttpRequest
from ..http.answers import Failure, answered, check_may_look, data_answer, for_a_browser, page_answer
from ..http.forms import check_same_site
from ..http.sending import Client
from ..http.upload import receive_file
from ..server.identity import person_of
from ..server.memory_budget import BUDGET
from ..server.slots import ConcurrencyLimit, Person
from ..server.throttle import WAITING
from ..words import words_of

# Separate from the limit of exports, so that slow uploads cannot block exports
SLOTS = ConcurrencyLimit("file", "being checked")

_NOT_VERIFIED = Failure("The file was not verified", "No file is kept here.")
_MARKS = {"complete": "✓", "unknown": "?"}  # of a verdict; of all others ✗


@answered(_NOT_VERIFIED, methods=("GET", "HEAD", "POST"))
async def verify_page(request: HttpRequest, datasette: Datasette) -> Response:
    """The form; and for a file that was sent, the report: a page for a browser, data for a program."""
    await _check_may(request, datasette)
    if request.method != "POST":
        return await _page(request, datasette, {})
    if not for_a_browser(request):
        return _data(await _verified(request, datasette), datasette)
    try:
        report = (await _verified(request, datasette, words_of(request))).in_words("page")
    except ExportError as error:  # beside the form, so that it can be tried again
        return await _page(request, datasette, {"error": in_words(str(error), "page")}, error)
    return await _page(request, datasette, {"report": report, "mark": _MARKS.get(report.status, "✗")})


@answered(_NOT_VERIFIED, methods=("GET", "HEAD", "POST"))
async def verify_data(request: HttpRequest, datasette: Datasette) -> Response:
    """The report as data; GET tells what may be sent, and which verdicts there are."""
    await _check_may(request, datasette)
    if request.method != "POST":
        most = int((await host.site_settings(datasette)).verify_mb * 1e6)
        english = words_of(None)  # data never depend on the reader's language
        statuses = {
            status: {"title": english(f"verify.verdict.{status}"), "meaning": english(f"verify.meaning.{status}")}
            for status in get_args(Report.model_fields["status"].annotation)
        }
        return data_answer(datasette, {"max_bytes": most, "statuses": statuses})
    return _data(await _verified(request, datasette), datasette)


async def _check_may(request: HttpRequest, datasette: Datasette) -> None:
    await check_may_look(request, datasette)
    if not await host.may(datasette, request.actor, VERIFY):
        raise DeniedError(
            "You may not have files checked here (allow_verify); perhaps after signing in. The person who runs this "
            "site says how. On a computer with this program, datasette program-export verify does it."
        )


async def _verified(request: HttpRequest, datasette: Datasette, say: Say = ENGLISH) -> Report:
    """The report on the file that is sent, which is gone before this returns."""
    check_same_site(request, instead="Choose the file here")
    settings = await host.site_settings(datasette)
    person = person_of(request.actor)
    SLOTS.take(settings.max_concurrent_exports, person)
    try:
        with room_in(), TemporaryFolder(settings.spool_dir) as folder:
            return await _report(request, settings, folder / "file", person, say)
    finally:
        SLOTS.give_back(person)


async def _report(request: HttpRequest, settings: Settings, path: Path, person: Person, say: Say) -> Report:
    path.touch(mode=0o600)
    with path.open("wb") as file:
        name = await receive_file(request, file, settings)
    report = await _checked(request, settings, path, person, say)
    return report.model_copy(update={"file": name})


async def _checked(request: HttpRequest, settings: Settings, path: Path, person: Person, say: Say) -> Report:
    """The report on a file that has come. The reading ends between two pieces when the sender leaves."""
    sender = Client(request, settings.send_timeout_seconds)
    sender.watch()
    begun = False

    def check() -> Report:
        nonlocal begun
        begun = True
        try:
            return verify(path, limits=reading.limits(settings, sender.check), say=say)
        finally:
            reading.end()

    try:
        with WAITING.aside():
            reading = await BUDGET.begin(person, sender.check)
        try:
            return await asyncio.to_thread(check)
        finally:
            sender.left = True  # where the server stops, the check still runs; it ends within moments
            if not begun:
                reading.end()
    finally:
        sender.stop()


def _data(report: Report, datasette: Datasette) -> Response:
    return data_answer(datasette, report.model_dump(mode="json"))


async def _page(
    request: HttpRequest,
    datasette: Datasette,
    told: dict[str, Any],
    error: ExportError | None = None,
) -> Response:
    words = words_of(request)
    settings = await host.site_settings(datasette)
    context = {
        "number": words.number,
        "limit": words.size(int(settings.verify_mb * 1e6)),
        "address": datasette.absolute_url(request, datasette.urls.path("/-/program-export/verify.json")),
        **told,
    }
    return await page_answer(request, datasette, "program_export_verify.html", context, error)
