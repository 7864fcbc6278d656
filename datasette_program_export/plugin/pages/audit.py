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
from ..words import Words, words_of

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


def _in_words(name: str, value: Any, words: Words) -> tuple[str, str]:
    """Return an option of a request and its value as people read them: keys of rows without brackets."""
    return words("audit.records") if name == "records" else name, _value_in_words(value, words)


def _value_in_words(value: Any, words: Words) -> str:
    if isinstance(value, bool):
        return words("audit.yes") if value else words("audit.no")
    if isinstance(value, list):
        nested = any(isinstance(one, list) for one in value)
        return ("; " if nested else ", ").join(_value_in_words(one, words) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} = {_value_in_words(one, words)}" for name, one in value.items())
    return "" if value is None else str(value)


@answered(_NOT_SHOWN)
async def audit_page(request: HttpRequest, datasette: Datasette) -> Response:
    """Show the audit log, newest lines first."""
    context, words = await _audit(request, datasette), words_of(request)
    context["told"] = [
        [_in_words(name, value, words) for name, value in (line.get("request") or {}).items()]
        for line in context["lines"]
    ]
    return await page_answer(request, datasette, "program_export_audit.html", context)


@answered(_NOT_SHOWN)
async def audit_lines(request: HttpRequest, datasette: Datasette) -> Response:
    """Return the audit log as JSON."""
    return data_answer(datasette, await _audit(request, datasette))
