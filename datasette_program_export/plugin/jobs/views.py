"""The views of export jobs.

Only its owner learns that a job exists. The owner may see its state at any time; the permissions
for its data are checked again before it is downloaded or started again.
"""

from __future__ import annotations

import asyncio
from time import time
from typing import Any

from datasette import Response

from ...errors import ConflictError, GoneError, NotFoundError
from ...exporting.exporter import Export
from ...formats.description.moments import now_text
from ..host.protocols import Actor, Datasette, HttpRequest
from ..http.answers import (
    NOT_EXPORTED,
    Failure,
    answer_headers,
    answered,
    data_answer,
    done_answer,
    error_answer,
    page_answer,
    posted,
)
from ..http.forms import check_same_site, sent_pairs
from ..http.kept_file import FileDownload
from ..http.word import Ended
from ..request.replay import address_from, asked_again, planned, rules_of, spelled_out
from ..server.audit_log import AuditLog, LogEntry
from ..server.identity import new_id, owner_of, person_of
from ..server.job_runner import Job, Jobs
from ..server.site import background_tasks
from ..words import IN_ENGLISH, words_of
from .access import check_may_have
from .context import job_context, job_data, job_title, job_url, state_in_words, title_in_words, totals
from .result import UnsatisfiableError, part_of, result_headers

_NOT_SHOWN, _NONE_SHOWN = Failure("The export cannot be shown"), Failure("Your exports cannot be shown")


@posted(NOT_EXPORTED)
async def create(request: HttpRequest, datasette: Datasette) -> Response:
    """Start a job; its parameters are those of a download, in the address or in a form."""
    check_same_site(request)
    return await _begun(request, datasette, address_from(request, await sent_pairs(request)))


@posted(NOT_EXPORTED)
async def again(request: HttpRequest, datasette: Datasette) -> Response:
    """Start a new job for the same request, with the permissions of the current actor."""
    check_same_site(request)
    _, job = await _found(request, datasette)
    return await _begun(request, datasette, job.asked)


async def _begun(request: HttpRequest, datasette: Datasette, address: dict[str, Any]) -> Response:
    jobs = (await background_tasks(datasette)).jobs
    asked = await asked_again(request, datasette, address)
    export = Export(
        asked.source,
        asked.request,
        settings=asked.settings,
        visible=asked.visible,
        max_seconds=asked.max_seconds,
        tell=False,
        stores=asked.stores,
    )
    word = Ended(datasette, request.actor, export)
    found = await planned(asked)
    job = Job(
        id=new_id(),
        owner=owner_of(request.actor),
        person=person_of(request.actor),
        instance=jobs.instance.name,
        state="queued",
        title=job_title(asked, found),
        database=asked.database.name,
        asked=spelled_out(asked, address),
        request=asked.request.as_recorded(),
        visible=None if asked.visible is None else sorted(asked.visible),
        rules=rules_of(asked),
        created=time(),
        **totals(asked, found),
    )

    def line() -> LogEntry | None:
        log = asked.settings.audit_log
        return LogEntry(AuditLog(log), request.actor, job.database, asked.request) if log is not None else None

    def begin() -> None:
        if asked.settings.audit_log is not None:
            AuditLog(asked.settings.audit_log).check()
        jobs.add(job, export, line, word.tell_soon)

    await asyncio.to_thread(begin)
    told = words_of(request)("jobs.started", name=job.title)
    return await _shown(request, datasette, jobs, job, told, 202)


@answered(_NOT_SHOWN, methods=("GET", "HEAD", "DELETE"))
async def job_page(request: HttpRequest, datasette: Datasette) -> Response:
    """Show a job with its progress or result. DELETE removes it."""
    if request.method == "DELETE":
        return await _deleted(request, datasette)
    jobs, job = await _found(request, datasette)
    context = job_context(datasette, job, jobs.settings, words_of(request))
    return await page_answer(request, datasette, "program_export_job.html", context)


@answered(_NOT_SHOWN, methods=("GET", "HEAD", "DELETE"))
async def job_state(request: HttpRequest, datasette: Datasette) -> Response:
    """Return a job as JSON. DELETE removes it."""
    if request.method == "DELETE":
        return await _deleted(request, datasette)
    jobs, job = await _found(request, datasette)
    return data_answer(datasette, job_data(datasette, job, jobs.settings), 200, _headers(datasette, job))


@answered(_NONE_SHOWN)
async def jobs_page(request: HttpRequest, datasette: Datasette) -> Response:
    """Show the actor's jobs."""
    jobs, found = await _mine(request, datasette)
    words = words_of(request)
    rows = [
        (job_data(datasette, job, jobs.settings), title_in_words(job, words), state_in_words(job.state, words))
        for job in found
    ]
    context = {"rows": rows, "signed_in": request.actor is not None}
    return await page_answer(request, datasette, "program_export_jobs.html", context)


@answered(_NONE_SHOWN)
async def jobs_data(request: HttpRequest, datasette: Datasette) -> Response:
    """Return the actor's jobs as JSON."""
    jobs, found = await _mine(request, datasette)
    return data_answer(datasette, {"jobs": [job_data(datasette, job, jobs.settings) for job in found]})


@posted(Failure("The export was not cancelled"))
async def cancel(request: HttpRequest, datasette: Datasette) -> Response:
    """Cancel a job that waits or runs; an ended job stays unchanged."""
    check_same_site(request)
    jobs, job = await _found(request, datasette)
    await asyncio.to_thread(jobs.cancel, job.id)
    jobs, job = await _found(request, datasette)
    told = words_of(request)("jobs.cancelled", name=job.title) if job.state == "cancelled" else None
    return await _shown(request, datasette, jobs, job, told)


@posted(Failure("The export was not deleted"))
async def delete(request: HttpRequest, datasette: Datasette) -> Response:
    """Delete a job and its result."""
    return await _deleted(request, datasette)


async def _deleted(request: HttpRequest, datasette: Datasette) -> Response:
    check_same_site(request)
    jobs, job = await _found(request, datasette)
    await asyncio.to_thread(jobs.delete, job.id)
    place = str(datasette.urls.path("/-/program-export/jobs"))
    told = words_of(request)("jobs.deleted", name=job.filename or job.title)
    return done_answer(request, datasette, place, {"ok": True}, message=told)


@answered(Failure("The file cannot be downloaded"))
async def result(request: HttpRequest, datasette: Datasette) -> Response:
    """Send the result of a job, or the requested part of it."""
    jobs, job = await _found(request, datasette)
    _check_done(job)
    await check_may_have(request, datasette, job)
    headers = {**answer_headers(datasette), **result_headers(job)}
    try:
        part = part_of(job.bytes, request.headers.get("range"), request.headers.get("if-range"), headers["etag"])
    except UnsatisfiableError:
        message = f"The file has {job.bytes} bytes, and what was asked for lies behind them."
        return error_answer(datasette, message, 416, {"content-range": f"bytes */{job.bytes}"})
    first, end = part or (0, job.bytes)
    if part is not None:
        headers["content-range"] = f"bytes {first}-{end - 1}/{job.bytes}"
    headers |= {"content-length": str(end - first), "content-type": job.media_type or "application/octet-stream"}
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(b"", status, headers, headers["content-type"])
    if jobs.settings.audit_log is not None and jobs.result(job.id).exists():
        await asyncio.to_thread(_note_download, jobs.settings.audit_log, request.actor, job, end - first)
    return FileDownload(jobs.result(job.id), (first, end), request, jobs.settings, status, headers)


# Shared by these views


async def _found(request: HttpRequest, datasette: Datasette) -> tuple[Jobs, Job]:
    jobs = (await background_tasks(datasette)).jobs
    job = await asyncio.to_thread(jobs.get, request.url_vars["job"])
    if job is None or job.owner not in (None, owner_of(request.actor)):
        raise NotFoundError("There is no such export, or it is not yours.")
    return jobs, job


async def _mine(request: HttpRequest, datasette: Datasette) -> tuple[Jobs, list[Job]]:
    jobs = (await background_tasks(datasette)).jobs
    return jobs, await asyncio.to_thread(jobs.of, owner_of(request.actor))


async def _shown(
    request: HttpRequest, datasette: Datasette, jobs: Jobs, job: Job, told: str | None, status: int = 200
) -> Response:
    """The job after something was done to it: its page for a browser, itself for a program."""
    place = job_url(datasette, job.id)
    headers = {**_headers(datasette, job), "location": datasette.absolute_url(request, f"{place}.json")}
    return done_answer(request, datasette, place, job_data(datasette, job, jobs.settings), status, headers, told)


def _headers(datasette: Datasette, job: Job) -> dict[str, str]:
    return answer_headers(datasette, {"retry-after": "1"} if job.active else None)


def _check_done(job: Job) -> None:
    if job.active:
        raise ConflictError("The export is not ready yet.")
    if job.state == "expired":
        raise GoneError("The file is not kept any more. Start the export again.")
    if job.state != "done":
        why = job.error or f"{state_in_words(job.state, IN_ENGLISH)}."
        raise ConflictError(f"There is no file. {why} The export can be started again.")


def _note_download(log: str, actor: Actor, job: Job, size: int) -> None:
    """Write a line to the audit log: the job's own line names its owner, this one who downloaded it."""
    entry = {
        "started": now_text(),
        "actor": actor.get("id") if actor else None,
        "database": job.database,
        "scope": "result of a job",
        "request": job.request,
        "ended": now_text(),
        "outcome": "sent",
        "rows": job.rows,
        "bytes": size,
        "sha256": job.sha256,
    }
    AuditLog(log).write(entry)
