"""From a request to what a job is to export, and whether who asks may have what was exported.

A job keeps the address that it was asked by. To ask again is to ask that address as if it
were called now: permissions, settings and tables are those of now.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode

from ..errors import BusyError, DeniedError, RequestError
from ..grammar import PREFIX, format_options
from ..planner import Plan, plan
from ..schema import fold
from ..settings import Settings
from . import host
from .asking import Asked, ask
from .form import read_form
from .jobs import Job
from .views import as_form

_MOST_OF_A_FORM = 1_000_000


async def sent_pairs(request: Any) -> list[tuple[str, str]]:
    """The parameters, from the query string and a form together."""
    pairs = parse_qsl(request.query_string, keep_blank_values=True) + await form_of(request)
    return [(name, value) for name, value in pairs if name != "csrftoken"]


def address_from(request: Any, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The subject's address, with the parameters as they are meant."""
    query = urlencode(pairs)
    sent = type(request)({**request.scope, "query_string": query.encode("latin-1")}, request.receive)
    meant = read_form(sent).http.query_string  # the export page's form says more than it means
    return {"path": request.path.rpartition("/")[0], "parts": dict(request.url_vars), "query": meant}


async def form_of(request: Any) -> list[tuple[str, str]]:
    """The fields of a form without a file. Raises RequestError."""
    length = request.headers.get("content-length") or "0"
    if "transfer-encoding" in request.headers or not length.isdigit() or int(length) > _MOST_OF_A_FORM:
        raise RequestError(f"A form must tell its length, and be no longer than {_MOST_OF_A_FORM:,} bytes.")
    body = await request.post_body()
    if not body:
        return []
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise RequestError("The parameters come in the address, or as a form (application/x-www-form-urlencoded).")
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=10_000)
    except ValueError:
        raise RequestError("The form cannot be read.") from None


async def asked_again(request: Any, datasette: Any, address: dict[str, Any]) -> Asked:
    """Ask an address for whom this request is of. Raises what ``ask`` raises."""
    path, query = address["path"], address["query"]
    scope = {
        **request.scope,
        "method": "GET",
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "url_route": {"kwargs": address["parts"]},
    }
    return as_form(await ask(datasette, type(request)(scope, request.receive)))


def spelled_out(asked: Asked, address: dict[str, Any]) -> dict[str, Any]:
    """The address with the options of its profile in place of its name, which may mean something else later."""
    request = asked.request
    if request.profile is None:
        return address
    record, without = f"{PREFIX}record", f"{PREFIX}without"
    pairs = parse_qsl(address["query"], keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if not name.startswith(PREFIX) or name == record]
    options = [(n, v) for n, v in format_options(request) if n not in (record, f"{PREFIX}profile")]
    if request.table is not None and not request.cascades:  # a profile may name tables that are not in an export
        options = [(n, v) for n, v in options if n != without or fold(v).startswith(f"{fold(request.table)}.")]
    return {**address, "query": urlencode([*kept, *options])}


async def planned(asked: Asked) -> Plan | None:
    """What it would hold; None where nobody can tell in time. Raises what the export would raise at its start."""
    try:
        return await asyncio.to_thread(
            plan, asked.source, asked.request, settings=asked.settings, visible=asked.visible
        )
    except BusyError:
        return None


def rules_of(asked: Asked) -> str:
    """A mark of what is kept secret: another where the settings were changed."""
    return rules_of_settings(asked.settings)


def rules_of_settings(settings: Settings) -> str:
    """The mark for these settings."""
    kept = settings.model_dump_json(include={"preset", "secrets", "not_secrets"})
    return sha256(kept.encode()).hexdigest()[:16]


async def check_may_have(request: Any, datasette: Any, job: Job) -> None:
    """Raise unless who asks may have what a job has written, by the permissions and settings of now."""
    asked = await asked_again(request, datasette, job.asked)
    if rules_of(asked) != job.rules:
        raise DeniedError("What this site keeps secret was changed since this was exported. Start the export again.")
    seen = asked.visible
    if seen is not None and (job.visible is None or not seen.issuperset(job.visible)):
        raise DeniedError(
            f"You may not see all tables of {job.database} any more that you could when this was exported, or one is "
            "gone. Start the export again."
        )


def check_same_site(request: Any) -> None:
    """Refuse what a page of another site makes a browser send, also where nobody is signed in by a cookie."""
    if host.from_another_site(request):
        raise DeniedError("This was sent from another site. Open the export page here, and try again.")
