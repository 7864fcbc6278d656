"""The page of the audit log, and the same data as JSON."""

from __future__ import annotations

import asyncio
from typing import Any

from datasette import Response

from ...errors import DeniedError, RequestError
from .. import host
from ..host.permission_hooks import AUDIT
from ..host.protocols import Datasette, HttpRequest
from ..http.answers import Failure, answered, data_answer, page_answer
from ..server.audit_log import AuditLog

_NOT_SHOWN = Failure("The log cannot be shown")


async def _audit(request: HttpRequest, datasette: Datasette) -> dict[str, Any]:
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


@answered(_NOT_SHOWN)
async def audit_page(request: HttpRequest, datasette: Datasette) -> Response:
    """Show the audit log, newest lines first."""
    context = await _audit(request, datasette)
    return await page_answer(request, datasette, "program_export_audit.html", context)


@answered(_NOT_SHOWN)
async def audit_lines(request: HttpRequest, datasette: Datasette) -> Response:
    """Return the audit log as JSON."""
    return data_answer(datasette, await _audit(request, datasette))
