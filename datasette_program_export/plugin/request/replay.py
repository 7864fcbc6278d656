"""Request a stored address again, with the current permissions.

A job keeps the address with which it was requested. Requesting it again applies the current
permissions, settings and tables, as if the address were called now.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from ...database.schema import fold
from ...errors import BusyError
from ...options.grammar import PREFIX, format_options
from ...options.settings import Settings
from ...planning.planner import Plan
from ..host.protocols import Datasette, HttpRequest
from ..http.parameters import pairs_of
from .asked import ExportContext, as_form, plan_of, resolve_export
from .form import read_form

# Settings that do not decide what is in a file: who may do what, limits, places. A profile is in the address.
_OF_THE_SITE = {
    "profiles", "confidential", "allow", "allow_secrets", "allow_audit", "allow_profiles", "allow_import",
    "allow_verify", "allow_setup", "audit_log", "max_rows", "upload_seconds", "max_seconds", "plan_seconds",
    "max_concurrent_exports",
    "send_timeout_seconds", "spool_memory_mb", "spool_disk_mb", "verify_mb", "import_mb", "cell_mb",
    "safety_copy_dir", "safety_copy_days", "spool_dir", "jobs_dir", "retention_hours", "max_jobs",
    "max_jobs_per_person", "jobs_disk_mb", "job_bytes", "file_mb", "files_mb", "files_most",
    "descriptions", "column_descriptions",
}  # fmt: skip


def address_from(request: HttpRequest, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Return the subject's address with the parameters that have a meaning."""
    query = urlencode(pairs)
    sent = type(request)({**request.scope, "query_string": query.encode("latin-1")}, request.receive)
    meant = read_form(sent).http.query_string  # the export page's form sends fields without a meaning
    return {"path": request.path.rpartition("/")[0], "parts": dict(request.url_vars), "query": meant}


async def asked_again(request: HttpRequest, datasette: Datasette, address: dict[str, Any]) -> ExportContext:
    """Resolve a stored address on behalf of this request's actor. Raises what ``resolve_export`` raises."""
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
    """Replace the profile's name in the address by its options: the profile may change later."""
    request = asked.request
    if request.profile is None:
        return address
    record, without = f"{PREFIX}record", f"{PREFIX}without"
    pairs = pairs_of(address["query"])
    kept = [(name, value) for name, value in pairs if not name.startswith(PREFIX) or name == record]
    options = [(n, v) for n, v in format_options(request) if n not in (record, f"{PREFIX}profile")]
    if request.table is not None and not request.cascades:  # a profile may name tables that this export lacks
        options = [(n, v) for n, v in options if n != without or fold(v).startswith(f"{fold(request.table)}.")]
    return {**address, "query": urlencode([*kept, *options])}


async def planned(asked: ExportContext) -> Plan | None:
    """Return the plan of the export, or None if it takes too long. Raises what the export would raise at its start."""
    try:
        return await plan_of(asked)
    except BusyError:
        return None


def rules_of(asked: ExportContext) -> str:
    """Return a digest of the settings that decide what is in a file: secrets, people, references, caches."""
    return rules_of_settings(asked.settings)


def rules_of_settings(settings: Settings) -> str:
    """Return the digest for these settings."""
    kept = settings.model_dump_json(exclude=_OF_THE_SITE)
    return sha256(kept.encode()).hexdigest()[:16]
