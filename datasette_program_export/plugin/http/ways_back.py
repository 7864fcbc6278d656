"""Where a person who meets an error goes from there: by the address alone, so that it tells nothing of what exists."""

from __future__ import annotations

import re
from typing import Any

from datasette.utils import tilde_decode

from ...errors import BusyError, ExportError
from .. import host
from ..host.protocols import Datasette, HttpRequest

_BACK = tuple(
    (re.compile(pattern), keeps_query)
    for pattern, keeps_query in (
        (r"(.+/-/program-export)/(?:download|job|profile)", True),
        (r"(/-/program-export/(?:jobs|profiles))/.+", False),
        (r"(.+)/-/program-export(?:\.json)?", False),
        (r"(.+/-/program-import)/.+", False),
        (r"(.+)/-/program-import(?:\.json)?", False),
        (r"(.+)\.program[a-z0-9]+", True),
    )
)


def ways_back(request: HttpRequest, datasette: Datasette, error: ExportError) -> dict[str, Any]:
    """Return the template's variables: the database for the crumbs, the address to try again, the one to go back to."""
    base = str(datasette.urls.path("/"))
    path = request.path if base == "/" or not request.path.startswith(base) else "/" + request.path[len(base) :]
    query = f"?{request.query_string}" if request.query_string else ""
    found = {"database": _database(request, datasette), "table": None, "back": None, "again": None}
    for pattern, keeps_query in _BACK:
        if matched := pattern.fullmatch(path):
            kept = query if keeps_query and request.method == "GET" else ""
            found["back"] = f"{datasette.urls.path(matched[1])}{kept}"
            break
    if isinstance(error, BusyError) and request.method == "GET":
        found["again"] = f"{datasette.urls.path(path)}{query}"
    return found


def _database(request: HttpRequest, datasette: Datasette) -> str | None:
    """Return the name of a database that exists; Datasette shows it only to who may see it."""
    route = request.url_vars.get("database")
    known = host.database_for(datasette, tilde_decode(route)) if route else None
    return known.name if known is not None else None
