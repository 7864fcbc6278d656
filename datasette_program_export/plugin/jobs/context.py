"""Describe a job for its page and as JSON."""

from __future__ import annotations

from math import ceil
from time import time
from typing import Any

from ...formats.description.moments import seconds_text
from ...formats.registry import get_format
from ...options.settings import Settings
from ...planning.planner import Plan
from ..host.protocols import Datasette
from ..request.asked import ExportContext
from ..server.job_runner import Job
from ..words import ENGLISH, Words

_OF_THE_SCRIPT = ("not_known", "less_than_a_minute", "hours", "looking", "news", "news_of", "news_left")


def job_title(asked: ExportContext, plan: Plan | None) -> str:
    """Return what is exported, in words: ``client: Anna Weber``."""
    request, database = asked.request, asked.database.name
    if request.scope == "query":
        return f"the query {request.name}" if request.name else f"the result of a query on {database}"
    if request.table is None:
        return f"the database {database}"
    if request.records:
        label = plan.labels.get(request.table) if plan is not None else None
        what = label[len(request.records) > 1] if label else f"rows of {request.table}"
        return f"{what}: {plan.title}" if plan is not None and plan.title else what
    return " ".join(filter(None, (f"rows of {request.table}", asked.words)))


def totals(asked: ExportContext, plan: Plan | None) -> dict[str, Any]:
    """Return the expected rows and bytes: only if the plan has counted all rows, and measured a file of this format."""
    if plan is None or not plan.complete:
        return {"total_rows": None, "total_bytes": None}
    alike = get_format(asked.request.format).sized_as_planned and asked.request.compress is None
    return {"total_rows": plan.rows, "total_bytes": plan.bytes if alike else None}


def job_data(datasette: Datasette, job: Job, settings: Settings) -> dict[str, Any]:
    """Return a job as JSON data. Times are UTC."""
    seconds = (job.ended or time()) - job.started if job.started is not None else 0.0
    rate = job.rows / seconds if seconds > 0 else None
    left = None
    if job.state == "running" and rate and job.total_rows is not None:
        left = max(0, ceil((job.total_rows - job.rows) / rate))
    kept = settings.retention_hours * 3600
    here = job_url(datasette, job.id)
    return {
        "id": job.id,
        "state": job.state,
        "title": job.title,
        "database": job.database,
        "request": job.request,
        "rows": job.rows,
        "total_rows": job.total_rows,
        "bytes": job.bytes,
        "total_bytes": job.total_bytes,
        "table": job.reading,
        "rows_per_second": round(rate) if rate is not None else None,
        "seconds_left": left,
        "filename": job.filename,
        "media_type": job.media_type,
        "sha256": job.sha256,
        "error": job.error,
        "created": seconds_text(job.created),
        "started": seconds_text(job.started),
        "ended": seconds_text(job.ended),
        "kept_until": seconds_text(job.ended + kept) if job.state == "done" and job.ended is not None else None,
        "links": {
            "page": here,
            "self": f"{here}.json",
            "result": f"{here}/result" if job.state == "done" else None,
            "cancel": f"{here}/cancel" if job.active else None,
            "again": f"{here}/again",
            "delete": f"{here}/delete",
        },
    }


def job_url(datasette: Datasette, id_: str) -> str:
    """Return the URL of a job's page."""
    return str(datasette.urls.path(f"/-/program-export/jobs/{id_}"))


def state_in_words(state: str, words: Words) -> str:
    """Return a job's state as the pages call it."""
    return words(f"job.state.{state}")


def title_in_words(job: Job, words: Words) -> str:
    """Return what a job exports, in words, as far as its title was ours."""
    rows = f"rows of {job.request.get('table')}"
    if words.language != ENGLISH and job.title.startswith(f"{rows} "):  # Datasette tells of filters in English only
        return words("job.filtered_rows", table=job.request["table"])
    what, point, name = job.title.partition(": ")
    return f"{words.label(what)}{point}{name}" if point else words.known(job.title)


def job_context(datasette: Datasette, job: Job, settings: Settings, words: Words) -> dict[str, Any]:
    """Return the template variables of a job's page."""
    data = job_data(datasette, job, settings)
    return {
        "job": data,
        "active": job.active,
        "state": state_in_words(job.state, words),
        "title": title_in_words(job, words),
        "signed_in": job.owner is not None,
        "share": min(100, 100 * job.rows // job.total_rows) if job.total_rows else None,
        "time_left": _duration(data["seconds_left"], words),
        "script_words": {name: words.text(f"job.{name}") for name in _OF_THE_SCRIPT}
        | {"minute": words.text("job.minutes", 1), "minutes": words.text("job.minutes", 2)},
        "export_page": f"{job.asked['path']}?{job.asked['query']}".rstrip("?"),
    }


def _duration(seconds: int | None, words: Words) -> str | None:
    if seconds is None:
        return None
    if seconds < 60:
        return words("job.less_than_a_minute")
    minutes = ceil(seconds / 60)
    if minutes < 60:
        return words("job.minutes", n=minutes)
    return words("job.hours", hours=words.number(minutes // 60), minutes=minutes % 60)
