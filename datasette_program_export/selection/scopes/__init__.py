"""Chooses the scope for a request."""

from __future__ import annotations

from collections.abc import Set

from ...database.snapshot import Snapshot
from ...options.request import Request
from ..annotated_schema import AnnotatedSchema
from .base import Scope
from .database import DatabaseScope
from .query import QueryScope
from .records import RecordScope

_SCOPES: dict[str, type[Scope]] = {
    "record": RecordScope,
    "table": RecordScope,
    "query": QueryScope,
    "database": DatabaseScope,
}


def scope_of(
    snapshot: Snapshot,
    annotated: AnnotatedSchema,
    request: Request,
    *,
    visible: Set[str] | None = None,
    max_rows: int | None = None,
) -> Scope:
    """Return the scope of a request, prepared but not resolved.

    ``visible`` are the tables that the person may see (None: all); ``max_rows`` limits the rows. Raises the errors
    of ``Scope``."""
    scope = _SCOPES[request.scope](snapshot, annotated, request, visible=visible, max_rows=max_rows)
    scope.prepare()
    return scope
