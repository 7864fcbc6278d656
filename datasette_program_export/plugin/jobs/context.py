"""Describe a job for its page and as JSON."""

from __future__ import annotations

from math import ceil
from time import time
from typing import Any

from ...formats.moments import seconds_text
from ...formats.registry import get_format
from ...options.settings import Settings
from ...planning.planner import Plan
from ..host.protocols import Datasette
from ..request.asked import ExportContext
from ..server.job_runner import Job
from ..words.numbers import number, size

STATES = {
    "queued": "Waiting for its turn",
    "running": "Being written",
    "done": "Ready",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "interrupted": "Interrupted: the server was stopped",
    "expired": "Not kept any more",
}


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


def job_context(datasette: Datasette, job: Job, settings: Settings) -> dict[str, Any]:
    """Return the template variables of a job's page."""
    data = job_data(datasette, job, settings)
    return {
        "job": data,
        "active": job.active,
        "state": STATES[job.state],
        "signed_in": job.owner is not None,
        "share": min(100, 100 * job.rows // job.total_rows) if job.total_rows else None,
        "time_left": _duration(data["seconds_left"]),
        "export_page": f"{job.asked['path']}?{job.asked['query']}".rstrip("?"),
        "number": number,
        "size": size,
    }


def _duration(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    if seconds < 60:
        return "less than a minute"
    minutes = ceil(seconds / 60)
    if minutes < 60:
        return f"about {minutes} minute{'s' if minutes > 1 else ''}"
    return f"about {minutes // 60} h {minutes % 60} min"
