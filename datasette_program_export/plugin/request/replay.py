"""Asks a stored address again, under the permissions of now.

A job keeps the address that it was asked by. To ask again is to ask that address as if it
were called now: permissions, settings and tables are those of now.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from ...database.schema import fold
from ...errors import BusyError
from ...options.grammar import PREFIX, format_options
from ...options.settings import Settings
from ...planning.planner import Plan, plan
from ..host.protocols import Datasette, HttpRequest
from ..http.parameters import pairs_of
from .asked import ExportContext, as_form, resolve_export
from .form import read_form


def address_from(request: HttpRequest, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The subject's address, with the parameters as they are meant."""
    query = urlencode(pairs)
    sent = type(request)({**request.scope, "query_string": query.encode("latin-1")}, request.receive)
    meant = read_form(sent).http.query_string  # the export page's form says more than it means
    return {"path": request.path.rpartition("/")[0], "parts": dict(request.url_vars), "query": meant}


async def asked_again(request: HttpRequest, datasette: Datasette, address: dict[str, Any]) -> ExportContext:
    """Ask an address for whom this request is of. Raises what ``resolve_export`` raises."""
    path, query = address["path"], address["query"]
    scope = {
        **request.scope,
        "method": "GET",
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "url_route": {"kwargs": address["parts"]},
    }
    return as_form(await resolve_export(datasette, type(request)(scope, request.receive)))


def spelled_out(asked: ExportContext, address: dict[str, Any]) -> dict[str, Any]:
    """The address with the options of its profile in place of its name, which may mean something else later."""
    request = asked.request
    if request.profile is None:
        return address
    record, without = f"{PREFIX}record", f"{PREFIX}without"
    pairs = pairs_of(address["query"])
    kept = [(name, value) for name, value in pairs if not name.startswith(PREFIX) or name == record]
    options = [(n, v) for n, v in format_options(request) if n not in (record, f"{PREFIX}profile")]
    if request.table is not None and not request.cascades:  # a profile may name tables that are not in an export
        options = [(n, v) for n, v in options if n != without or fold(v).startswith(f"{fold(request.table)}.")]
    return {**address, "query": urlencode([*kept, *options])}


async def planned(asked: ExportContext) -> Plan | None:
    """What it would hold; None where nobody can tell in time. Raises what the export would raise at its start."""
    try:
        return await asyncio.to_thread(
            plan, asked.source, asked.request, settings=asked.settings, visible=asked.visible
        )
    except BusyError:
        return None


def rules_of(asked: ExportContext) -> str:
    """A mark of what is kept secret: another where the settings were changed."""
    return rules_of_settings(asked.settings)


def rules_of_settings(settings: Settings) -> str:
    """The mark for these settings."""
    kept = settings.model_dump_json(include={"preset", "secrets", "not_secrets"})
    return sha256(kept.encode()).hexdigest()[:16]
