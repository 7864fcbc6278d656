"""Tools for datasette-mcp: plan an export, start one, verify its file, preview an import; rows are in no answer.

Each tool asks the view that answers the same over HTTP, on behalf of who calls it: the checks are the same, and so are
the sentences of errors.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from datasette import Request
from datasette.utils import tilde_encode
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from .host.protocols import Datasette, Message, Scope
from .http.answers import View
from .imports import views as import_views
from .jobs import views as job_views
from .pages import export, verify

_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_KEPT_BY_US = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
_PLAN = ("scope", "subject", "rows", "bytes", "complete", "notes")
_PLANNED = ("table", "belongs", "needed", "bytes")
_JOB = ("id", "state", "database", "rows", "total_rows", "bytes", "links")
_REPORT = ("status", "problems", "format", "bytes", "rows", "left_out")
_COUNTS = ("rows", "insert", "update", "unchanged", "skip", "conflict", "created")


def register(datasette: Datasette, mcp: Any) -> None:
    """Register the tools with datasette-mcp's server."""

    @mcp.tool(annotations=_READS)
    async def plan_export(
        database: str, ctx: Context, table: str = "", record: str = "", options: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Tell what an export would hold: tables with numbers of rows, sizes, and notes; no rows.

        Without a table it is the whole database. record is a row's key as in its page's address. options are
        parameters of the export page's address, such as _export_format or a filter."""
        path, names = _subject(database, table, record)
        made = await _asked(datasette, ctx, export.plan_data, f"{path}/-/program-export.json", names, options)
        return {**_only(made, _PLAN), "tables": [_only(one, _PLANNED) for one in made["tables"]]}

    @mcp.tool(annotations=_KEPT_BY_US)
    async def start_export(
        database: str, ctx: Context, table: str = "", record: str = "", options: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Start an export on the server, and return the addresses of its page and its state; the arguments are those of
        plan_export. The file itself is downloaded by a person, at the link on that page."""
        path, names = _subject(database, table, record)
        page = f"{path}/-/program-export/job"
        return _only(await _asked(datasette, ctx, job_views.create, page, names, options, method="POST"), _JOB)

    @mcp.tool(annotations=_READS)
    async def verify_file(name: str, content_base64: str, ctx: Context) -> dict[str, Any]:
        """Tell whether an exported file is complete and unchanged, and how many rows of which tables it holds."""
        form = _form(name, content_base64)
        path = "/-/program-export/verify.json"
        report = await _asked(datasette, ctx, verify.verify_data, path, {}, method="POST", form=form)
        return {**_only(report, _REPORT), "tables": {name: one["rows"] for name, one in report["tables"].items()}}

    @mcp.tool(annotations=_KEPT_BY_US)
    async def preview_import(
        database: str, name: str, content_base64: str, ctx: Context, options: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Tell what an import of a file would do, in numbers for each table; nothing is imported. options are the
        choices of the import page, such as table or on_conflict. A person imports it, at the link to its page."""
        form = _form(name, content_base64)
        path, names = f"/{tilde_encode(database)}/-/program-import.json", {"database": tilde_encode(database)}
        one = await _asked(datasette, ctx, import_views.import_data, path, names, options, method="POST", form=form)
        report = one["report"] or {"tables": {}, "findings": []}
        return {
            **_only(one, ("id", "state", "error")),
            "tables": {table: _only(counts, _COUNTS) for table, counts in report["tables"].items()},
            "findings": len(report["findings"]),
            "page": one["links"]["page"],
        }


def _only(found: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: found[name] for name in names if name in found}


def _subject(database: str, table: str, record: str) -> tuple[str, dict[str, str]]:
    """Return a subject's path and its parts; a record's key is spelled as in addresses already."""
    if record and not table:
        raise ToolError("A record needs its table.")
    if record and not re.fullmatch(r"[\w~,+-]+", record, re.ASCII):
        raise ToolError("A record is named by its key as in its page's address.")
    names = {"database": tilde_encode(database)}
    names |= {"table": tilde_encode(table)} if table else {}
    names |= {"pks": record} if record else {}
    return "/" + "/".join(names.values()), names


def _form(name: str, content: str) -> tuple[str, bytes]:
    """Return the content type and the bytes of a form with this file."""
    try:
        data = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise ToolError("content_base64 is not base64.") from None
    mark = uuid4().hex
    safe = "".join(c for c in name.rpartition("/")[2] if c.isprintable() and c not in '"\\') or "file"
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{safe}"\r\n\r\n'.encode()
    return f"multipart/form-data; boundary={mark}", head + data + f"\r\n--{mark}--\r\n".encode()


async def _asked(
    datasette: Datasette,
    ctx: Context,
    view: View,
    path: str,
    names: dict[str, str],
    options: dict[str, str] | None = None,
    method: str = "GET",
    form: tuple[str, bytes] | None = None,
) -> dict[str, Any]:
    """Ask a view of ours as the person who calls the tool. Raises ToolError with the sentence of what it refuses."""
    scope: Scope = getattr(ctx.request_context.request, "scope", None) or {"headers": []}
    replaced = (b"accept", b"content-type", b"content-length", b"transfer-encoding")
    kept = [(name, value) for name, value in scope["headers"] if name.lower() not in replaced]
    kind, body = form or ("application/x-www-form-urlencoded", b"")
    sent = [(b"accept", b"application/json"), (b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
    full = str(datasette.urls.path(path))
    inner = {
        "type": "http",
        "actor": None,
        **scope,
        "method": method,
        "path": full,
        "raw_path": full.encode(),
        "query_string": urlencode(options or {}).encode(),
        "headers": [*kept, *sent],
        "url_route": {"kwargs": names},
    }
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if waiting:
            return waiting.pop()
        message: Message = await ctx.request_context.request.receive()
        return message

    answer = await view(Request(inner, receive), datasette)
    found: dict[str, Any] = json.loads(answer.body)
    if answer.status >= 400:
        raise ToolError(found["error"])
    return found
